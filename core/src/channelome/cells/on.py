"""Where on a cell a channel or an ion is: `on`, and what it says once the cell is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ..distances import ByDistance
from ..equality import same
from ..errors import ModelError, UnitError
from ..mechanisms.channels import Channel
from ..mechanisms.ions import Ion
from ..module import Q10
from ..morphology import Compartments
from ..registry import registry
from ..sampled import Sampled
from .parts import class_of

Part = Channel | Ion
_UNNAMED = "an ion"
"""What stands for the label of an ion that was given without one."""
_BASES: Mapping[str, type] = {"channel": Channel, "ion": Ion}


@dataclass(frozen=True, eq=False)
class On:
    """A mechanism in a region, with parameters other than its defaults; see `on`."""

    region: str
    what: Any
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __eq__(self, other: object) -> bool:
        return same(self, other)

    def __hash__(self) -> int:
        return hash((self.region, frozenset(self.parameters)))


def on(region: str, what: Any, /, **parameters: Any) -> On:
    """A channel or an ion in a region of a cell: ``Ih=on("apical", "Ih_HM1992", g_max="0.1 mS/cm^2")``.

    Args:
        region: as in `Compartments.mask`, ``"soma | axon"``, ``"apical & distance > 100 um"``.
        what: a registered name, a class, or an instance.
        parameters: with units; one number, an array over the region's compartments in their order, sampled, or `by_distance`.

    Raises:
        ModelError: for a region that is no text.
    """
    if not isinstance(region, str):
        raise ModelError(
            f"on() is given a region first, such as 'soma | axon', and then what is there, not {region!r}."
        )
    return On(region, what, parameters)


@dataclass(frozen=True)
class Placed:
    """A part of a cell, the text of its region and the numbers of its compartments; both None where it is everywhere."""

    part: Part
    region: str | None
    numbers: np.ndarray | None


def placed(given: Any, label: str, compartments: Compartments) -> Placed:
    """What is given under a label, as a part in its place.

    Raises:
        ModelError: for what is no mechanism, an empty region, regions that overlap, other mechanisms under one label.
    """
    if isinstance(given, list | tuple) and given and all(isinstance(one, On) for one in given):
        return _joined([_one(each, label, compartments) for each in given], label, compartments)
    return _one(given, label, compartments)


def _one(given: Any, label: str, compartments: Compartments) -> Placed:
    where = given if isinstance(given, On) else On("all", given)
    what, numbers = _mechanism(where, label), None
    if where.region != "all":
        numbers = compartments.numbers(where.region)
        numbers = None if len(numbers) == len(compartments) else numbers
    values = {name: along(x, f"{name} of '{label}'", compartments, numbers) for name, x in where.parameters.items()}
    try:
        part = what(**values) if isinstance(what, type) else what.replace(**values)
    except UnitError as error:
        raise UnitError(f"{error}{_worst(where.parameters, values, str(error), compartments, numbers)}") from None
    return Placed(part, None if numbers is None else where.region, numbers)


def _worst(
    given: Mapping[str, Any],
    values: Mapping[str, Any],
    said: str,
    compartments: Compartments,
    numbers: np.ndarray | None,
) -> str:
    """Where on the cell the lowest and the highest value stand of what is given `by_distance` and was refused."""
    for name, (found, unit) in ((name, values[name]) for name, x in given.items() if isinstance(x, ByDistance)):
        if said.startswith(f"{name} of ") and not isinstance(found, Tracer) and np.ndim(found):
            whole = np.arange(len(compartments)) if numbers is None else numbers
            low, high = (
                f"{found[k]:.4g} {unit} in {compartments.label(int(whole[k]))}"
                for k in (found.argmin(), found.argmax())
            )
            return f" By distance it goes from {low} to {high}."
    return ""


def _check_order(where: On, label: str) -> None:
    """Refuse a mechanism first and the region second."""
    if where.what not in registry and where.region in registry:
        raise ModelError(
            f"'{label}': the region comes first, on({where.what!r}, {where.region!r}), and not on({where.region!r}, {where.what!r})."
        )


def _mechanism(where: On, label: str) -> Any:
    """The class that a name or a class stands for, or the instance."""
    what = where.what
    if isinstance(what, str):
        _check_order(where, label)
        kind = registry.find(what).kind
        if kind not in _BASES:
            raise ModelError(f"'{label}' cannot be the {kind} '{what}': in a membrane are channels and ions.")
        return class_of(what, _BASES[kind], kind)
    if isinstance(what, Channel | Ion) or (isinstance(what, type) and issubclass(what, Channel | Ion)):
        return what
    several = (
        " Ions are given one after another, not in a list."
        if label == _UNNAMED and isinstance(what, list | tuple)
        else ""
    )
    called = label if label == _UNNAMED else f"'{label}'"
    raise ModelError(
        f"{called} must be a channel or an ion: a registered name, a class, an instance, or on(region, one of these), not {what!r}.{several}"
    )


def along(value: Any, where: str, compartments: Compartments, numbers: np.ndarray | None = None) -> Any:
    """What is given `by_distance` as values in compartments, all if not these, with their unit; anything else as it is.

    Raises:
        ModelError: for a function that fails, or gives what are not as many finite numbers.
    """
    if not isinstance(value, ByDistance):
        return value
    numbers = np.arange(len(compartments)) if numbers is None else numbers
    way = compartments.distance[numbers]
    said = f"{where}: the function of by_distance()"
    try:
        found = value.function(way)
        found = found if isinstance(found, Tracer) else np.asarray(found)
    except jax.errors.JAXTypeError:
        raise
    except Exception as error:
        raise ModelError(
            f"{said} raised {type(error).__name__}: {error}. It is given an array, the ways from the soma of {way.size} compartments in um."
        ) from error
    if found.dtype.kind not in "fiub":
        raise ModelError(f"{said} gives no numbers, but {str(found)[:60]}.")
    if found.shape not in ((), way.shape):
        raise ModelError(f"{said} gives the shape {found.shape} for {way.size} compartments.")
    if isinstance(found, Tracer):
        return found, value.unit
    if not np.all(np.isfinite(found)):
        worst = int(np.argmin(np.isfinite(np.broadcast_to(found, way.shape))))
        bad = np.broadcast_to(found, way.shape)[worst]
        at = f"{compartments.label(int(numbers[worst]))}, {way[worst]:.4g} um from the soma"
        raise ModelError(f"{said} gives {bad:g} in {at}, and must give finite numbers.")
    return np.asarray(found, float), value.unit  # no array on a device before a run


def _joined(parts: Sequence[Placed], label: str, compartments: Compartments) -> Placed:
    """One mechanism in several regions as one part: numbers that differ become arrays over all of them."""
    if len(parts) == 1:
        return parts[0]
    first, count = parts[0], len(compartments)
    for other in parts[1:]:
        if type(other.part) is not type(first.part):
            way_out = (
                "a cell has one ion of each species, so take one of them, with other parameters by region"
                if isinstance(first.part, Ion)
                else "give each a label of its own"
            )
            raise ModelError(
                f"'{label}' is {type(first.part).__name__} in one region and {type(other.part).__name__} in another: {way_out}."
            )
        structure = next(
            (x for x in type(first.part)._static if getattr(other.part, x) != getattr(first.part, x)), None
        )
        if structure is not None:
            raise ModelError(f"{structure} of '{label}' differs by region: it is the same wherever the part is.")
    numbers = [np.arange(count) if one.numbers is None else one.numbers for one in parts]
    everywhere, times = np.unique(np.concatenate(numbers), return_counts=True)
    if np.any(times > 1):
        twice = compartments.label(int(everywhere[np.argmax(times > 1)]))
        raise ModelError(
            f"'{label}' is given twice in {twice}: the regions {', '.join(repr(one.region or 'all') for one in parts)} overlap. Take one "
            f"from the other, 'a - b'."
        )
    values = {
        name: _over(name, parts, numbers, everywhere, label)
        for name in type(first.part).parameters
        if not all(same(getattr(one.part, name), getattr(first.part, name)) for one in parts)
        or np.ndim(getattr(first.part, name))
    }
    part = first.part.replace(**{name: (x, first.part.parameters[name].unit.symbol) for name, x in values.items()})
    if len(everywhere) == count:
        return Placed(part, None, None)
    return Placed(part, " | ".join(f"({one.region})" for one in parts), everywhere)


def _over(name: str, parts: Sequence[Placed], numbers: Sequence[np.ndarray], everywhere: np.ndarray, label: str) -> Any:
    """A parameter that differs, over all regions."""
    values = [getattr(one.part, name) for one in parts]
    if any(isinstance(value, Q10 | Sampled) or np.ndim(value) > 1 for value in values):
        raise ModelError(
            f"{name} of '{label}' differs by region: there it must be a number or an array over the region."
        )
    whole = jnp if any(isinstance(value, jax.Array) for value in values) else np
    order = np.argsort(np.concatenate(numbers), kind="stable")
    filled = [
        whole.broadcast_to(whole.asarray(value, float), (len(n),)) for value, n in zip(values, numbers, strict=True)
    ]
    return whole.concatenate(filled)[order]
