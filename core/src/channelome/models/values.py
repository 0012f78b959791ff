"""Values of a model file and of Python, the one from the other: quantities, samples, factors that follow the temperature."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from jax.core import Tracer

from ..errors import ChannelomeError, ModelError
from ..module import Q10, Module
from ..sampled import DISTRIBUTIONS, Sampled
from ..units import Unit

STRUCTURE = ("species", "valence", "shells", "axial")
"""What a file may say of a mechanism that is no parameter: texts, whole numbers, true and false."""


@contextlib.contextmanager
def at(place: str) -> Iterator[None]:
    """Put the place before the message of what is raised inside; whatever else a constructor raises is a `ModelError`."""
    try:
        yield
    except ChannelomeError as error:
        raise type(error)(f"{place}: {error}") from error
    except (ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError) as error:
        raise ModelError(f"{place} cannot be built: {type(error).__name__}: {error}") from error


def parse(value: Any) -> Any:
    """What a file's value is for a constructor: a number, a text, a pair (array, unit), `Q10` or `Sampled`."""
    if not isinstance(value, Mapping):
        return _numbers(value)
    if "q10" in value:
        return Q10(_numbers(value["q10"]), _numbers(value["reference"]))
    if "sample" in value:
        kind, unit = value["sample"], value["unit"]
        names = DISTRIBUTIONS[kind]
        a, b = ((_numbers(value[name]), unit) for name in names)
        low, high = ((_numbers(value[x]), unit) if x in value and x not in names else None for x in ("low", "high"))
        seed = int(value["seed"]) if "seed" in value else None
        return Sampled(kind, (a, b), seed, low, high, bool(value.get("clip", False)))
    return _numbers(value["value"]), value["unit"]


def _numbers(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    try:
        array = np.asarray(value, float)
    except ValueError:
        raise ModelError("the lists of an array must be of one length") from None
    return array


def quantity(value: Any, unit: Unit, where: str) -> dict[str, Any] | float:
    """A bare value in `unit` as a file holds it.

    Raises:
        ModelError: for a value that JAX is tracing.
    """
    number = numbers(value, where)
    return number if unit.is_dimensionless and not isinstance(number, list) else {"value": number, "unit": unit.symbol}


def numbers(value: Any, where: str) -> Any:
    """A number or array as a file holds it: a float, or lists of them."""
    if isinstance(value, Tracer):
        raise ModelError(f"{where} is being traced by JAX: save outside jit, vmap and grad.")
    array = np.asarray(value)
    return (array if array.dtype.kind in "iu" else array.astype(float)).tolist()


def sampled(value: Sampled, unit: Unit, where: str) -> dict[str, Any]:
    """What was sampled, in `unit`, as a file holds it."""
    given = dict(zip(DISTRIBUTIONS[value.distribution], value.arguments, strict=True))
    bare = {name: numbers(number, where) for name, number in given.items()}
    bounds = {name: getattr(value, name) for name in ("low", "high")}
    bare |= {name: numbers(bound, where) for name, bound in bounds.items() if bound is not None}
    found = {"sample": value.distribution, **bare, "unit": unit.symbol}
    found |= {"clip": True} if value.clip else {}
    return found if value.seed is None else found | {"seed": seed_of(value.seed, where)}


def of_parameter(part: Module, name: str, where: str) -> Any:
    """A parameter of `part` as a file holds it; None for one that has no value."""
    value, unit = getattr(part, name), type(part).parameters[name].unit
    if value is None:
        return None
    if isinstance(value, Q10):
        return {"q10": numbers(value.factor, where), "reference": numbers(value.reference, where)}
    drawn = part._drawn.get(name)
    if drawn is not None and drawn[1] is value:
        return sampled(drawn[0], unit, where)
    return quantity(value, unit, where)


def of_array(sample: Sampled | None, value: Any, unit: Unit, where: str) -> dict[str, Any]:
    """A weight, delay or initial state in `unit` as a file holds it: as the sample that it was drawn as, if it was."""
    if sample is None:
        return {"value": numbers(value, where), "unit": unit.symbol}
    return sampled(sample.converted(unit, where), unit, where)


def seed_of(seed: Any, where: str) -> int:
    if not isinstance(seed, int | np.integer) or not 0 <= seed <= 2**53:
        raise ModelError(f"the seed of {where} must be a whole number from 0 to 2^53 to be saved, not {seed!r}.")
    return int(seed)
