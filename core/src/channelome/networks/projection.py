"""A projection, as a user writes it, and the pathway that a network makes of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
from jax.core import Tracer
from jax.dtypes import canonicalize_dtype

from ..cells.parts import class_of
from ..distances import ByDistance
from ..errors import ModelError, UnitError
from ..mechanisms.transmission import CONDUCTANCE_DENSITY, NANOSIEMENS, WEIGHTS, Contact, Coupling, Followed, Release
from ..module import NODE, STATIC, Module, Parameter, check_values, show
from ..sampled import Drawn, Sampled
from ..streams import Stream
from ..units import Unit, convert
from .connect import Rule
from .rows import room, rows_of
from .wiring import EdgeTable, Kept, Wiring

_MS = Unit.parse("ms")


def synapse(name: "str | type[Contact]", /, **parameters: Any) -> Contact:
    """A synapse by name (``"Expon"``) or class, with parameters (with units) other than its defaults.

    Raises:
        UnknownName: where no installed pack has the name.
        UnitError, ModelError: as the synapse's constructor.
    """
    return _class_of(name, Contact, "synapse", "a synapse")(**parameters)


def plasticity(name: "str | type[Release]", /, **parameters: Any) -> Release:
    """Short-term plasticity by name (``"TsodyksMarkram"``) or class, with parameters other than its defaults."""
    return _class_of(name, Release, "plasticity", "short-term plasticity")(**parameters)


def _class_of(name: Any, base: type, function: str, said: str) -> Any:
    found = class_of(name, base, "synapse")
    if not issubclass(found, base):
        other = "plasticity" if issubclass(found, Release) else "synapse"
        raise ModelError(
            f"{function}(): {found.__name__} is not {said}: it goes to the projection's {other}=, and is made by {other}(...)."
        )
    return found


@dataclass(frozen=True)
class Projection:
    """Synapses of one kind from one group of neurons to another.

    Args:
        pre, post: populations or groups of the network by name, or part of one: ``"cells[:3200]"``. On reconstructed cells the target
            has a place, ``"pyr.apical(0.5)"``, ``"pyr.spread(dend)"``; of a gap junction the source too.
        synapse: by name, class or instance. Of ``"GapJunction"`` every connection is one junction that conducts both ways;
            its weight is absolute, and it takes neither delay, initial, plasticity nor frozen. Within a population a pair has one
            at the same place, whichever of the two is the source.
        connect: a rule: `fixed_probability`, `fixed_indegree`, `fixed_outdegree`, `fixed_total_number`, `one_to_one`, `all_to_all`,
            `distance_dependent`, `from_arrays`, `from_matrix`.
        weight: with a unit: one for all, an array with one per synapse (in the order of source, then target, of
            `from_arrays` in the order of its arrays), sampled (`normal`, `lognormal`, `uniform`), or `by_distance`. A conductance,
            at least 0, or a current, absolute or per membrane area.
        delay: with a unit, like the weight; in whole steps. A delay of 0 arrives at the end of the step in which the
            source spiked.
        initial: the synapse's first state at t = 0, in the weight's unit: one for all, an array over the target
            population, or sampled.
        plasticity: short-term plasticity by name, class or instance.
        frozen: hold the synaptic current over each step at its value for the old V, as other simulators do, in place of
            letting it enter the cell's own step.
        seed: of the rule and of what is sampled; if None, they follow from the network's seed and the label.
    """

    pre: str
    post: str
    synapse: Any
    connect: Rule
    weight: Any
    delay: Any = "0 ms"
    initial: Any = None
    plasticity: Any = None
    frozen: bool = False
    seed: int | None = None


class Site(NamedTuple):
    """What values of a projection are made with: its name in errors, the stream of what is random, the way from `ByDistance`."""

    where: str
    stream: Stream
    by_distance: Callable[[ByDistance, np.ndarray, np.ndarray, str], tuple[np.ndarray, str]]


class Pathway(Module):
    """A projection that was built: parameters as leaves, connections apart.

    Attributes:
        synapse, plasticity: their parameters.
        weight: in `unit`; a scalar, or one per synapse in the order of `wiring.edges`.
        initial: the first state at t = 0, in `unit`.
    """

    synapse: Annotated[Any, NODE]
    plasticity: Annotated[Release | None, NODE]
    weight: Annotated[Any, NODE]
    initial: Annotated[Any, NODE]
    wiring: Annotated[Wiring, STATIC]
    unit: Annotated[Unit, STATIC]
    frozen: Annotated[bool, STATIC]
    _scale: ClassVar[tuple[Any, Any] | None] = None
    """Of an instance, the weight before the factors, and after them: which it is as long as `weight` is that."""

    @property
    def edges(self) -> EdgeTable:
        """Its synapses with weights and delays, as they are now."""
        n = self.wiring.edges.n
        weights = np.broadcast_to(self.weight, (n,)) if not isinstance(self.weight, Tracer) else self.weight
        return EdgeTable(
            self.wiring.sources,
            self.wiring.edges.targets,
            weights,
            self.unit.symbol,
            np.broadcast_to(self.wiring.delay, (n,)),
        )

    @property
    def scale(self) -> Any:
        """The weight without the factors of its edges; None where that is not known."""
        if self.wiring.factors is None:
            return self.weight
        return self._scale[0] if self._scale is not None and self._scale[1] is self.weight else None

    def changed(self, name: str, value: Any, site: Site, sizes: tuple[Any, Any]) -> "Pathway":
        """A copy with another weight, delay or initial state, or another parameter of its synapse or plasticity.

        Args:
            sizes: shapes of the populations on both ends.
        """
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new._forget([name])
        takes_none = isinstance(self.synapse, Coupling) or (
            isinstance(self.synapse, Followed) and self.synapse.graded and name == "initial"
        )
        if takes_none and name in ("delay", "initial"):
            raise ModelError(f"{site.where}: {type(self.synapse).__name__} takes no {name}.")
        if name == "weight":
            unit, scale, weight = weight_for(value, self.wiring, site)
            if unit is not self.unit:
                raise UnitError(f"weight of {site.where} is in {self.unit}, not {unit}.")
            new._set("weight", weight)
            new._set("_scale", (scale, weight))
            new._remember("weight", value, weight)
        elif name == "delay":
            new._set(
                "wiring",
                replace(self.wiring, delay=delay_for(value, self.wiring, site), given=self._given(delay=value)),
            )
        elif name == "initial":
            new._set("initial", initial_for(value, self.unit, sizes[1], site, self.wiring.post))
            new._remember("initial", value, new.initial)
        elif name in type(self.synapse).parameters:
            new._set("synapse", over_neurons(self.synapse.replace(**{name: value}), sizes[1], "synapse", site))
        elif self.plasticity is not None and name in type(self.plasticity).parameters:
            changed = self.plasticity.replace(**{name: value})
            new._set("plasticity", over_neurons(changed, sizes[0], "plasticity", site))
        else:
            known = ["weight", "delay", "initial", *type(self.synapse).parameters]
            raise ModelError(f"{site.where} has no '{name}'. It has {', '.join(known)}.")
        return new

    def _remember(self, name: str, given: Any, made: Any) -> None:
        """That a value was made of what is sampled, or goes by distance."""
        if isinstance(given, Sampled | ByDistance):
            self._set("_drawn", {**self._drawn, name: (given, made)})

    def _given(self, **changes: Any) -> Projection | None:
        kept = {name: x if isinstance(x, Sampled | ByDistance) else None for name, x in changes.items()}
        return None if self.wiring.given is None else replace(self.wiring.given, **kept)

    def again(self) -> Projection:
        """The projection as it is now, to be drawn anew."""
        given, wiring = self.wiring.given, self.wiring
        assert given is not None

        def value(name: str, now: Any, unit: Unit) -> Any:
            made_of, made = self._drawn.get(name, (None, None))
            return made_of if made_of is not None and made is now else (now, unit.symbol)

        weight, delay = value("weight", self.weight, self.unit), given.delay or (wiring.delay, "ms")
        if isinstance(weight, tuple) and self.scale is not None:
            weight = self.scale, self.unit.symbol
        rule = given.connect or Kept(wiring)
        initial = value("initial", self.initial, self.unit) if np.any(np.asarray(self.initial)) else None
        return replace(
            given, connect=rule, synapse=self.synapse, plasticity=self.plasticity, weight=weight,
            delay=delay if is_late(wiring.delay) else "0 ms", initial=initial,
        )  # fmt: skip

    def __repr__(self) -> str:
        n, wiring = self.wiring.edges.n, self.wiring
        return f"{wiring.pre} -> {wiring.post}: {n:,} x {self.synapse!r}, weight {show(self.weight, self.unit)}"


# ---- values --------------------------------------------------------------------------------------------------------


def weight_for(value: Any, wiring: Wiring, site: Site) -> tuple[Unit, Any, Any]:
    """The unit of a weight, and its numbers without and with the factors of the edges.

    Raises:
        ModelError, UnitError: for what is no weight, a shape that is another, and a conductance below 0.
    """
    where = f"weight of {site.where}"
    if isinstance(value, ByDistance):
        value = site.by_distance(value, wiring.sources, wiring.edges.targets, where)
        ordered = True
    else:
        ordered = isinstance(value, Sampled)
    unit, found = _weight_of(value, where)
    scale = _over(found, wiring, where, site.stream.of("weight"), ordered)
    weight = scale if wiring.factors is None else scale * wiring.factors
    if unit in (NANOSIEMENS, CONDUCTANCE_DENSITY) and not isinstance(weight, Tracer) and np.any(np.asarray(weight) < 0):
        remedy = (
            "use lognormal(...), or give normal(...) a bound, low='0 nS'" if isinstance(value, Sampled)
            else "what a synapse does is said by its E, or by a weight that is a current"
        )  # fmt: skip
        raise ModelError(
            f"{where} is a conductance and at least 0, got {np.min(np.asarray(weight)):g} {unit}: {remedy}."
        )
    return unit, scale, weight


def delay_for(value: Any, wiring: Wiring, site: Site) -> Any:
    """A delay in ms, one for all or one per synapse; what is sampled stays as it is written, to be drawn where it is needed."""
    where, ordered = f"delay of {site.where}", isinstance(value, Sampled | ByDistance)
    if isinstance(value, ByDistance):
        value = site.by_distance(value, wiring.sources, wiring.edges.targets, where)
    found = bare(value, _MS, where)
    if isinstance(found, Sampled) and not any(np.ndim(x) for x in found.arguments):
        delay: Any = Drawn(found, site.stream.of("delay"), wiring.edges.n)
    else:
        delay = _over(found, wiring, where, site.stream.of("delay"), ordered)
    if isinstance(delay, Tracer):
        raise ModelError(f"{where} is part of the structure and cannot be traced by JAX.")
    lowest = delay.lowest if isinstance(delay, Drawn) else np.min(np.asarray(delay), initial=np.inf)
    if lowest < 0:
        raise ModelError(f"{where} must be at least 0 ms, got {lowest:g} ms.")
    return delay


def is_late(delay: Any) -> bool:
    """Whether any of the delays is not 0."""
    return delay.highest > 0 if isinstance(delay, Drawn) else bool(np.any(np.asarray(delay)))


def _weight_of(value: Any, where: str) -> tuple[Unit, Any]:
    """The unit, of those that a weight may have, and the number in it."""
    for unit in WEIGHTS:
        try:
            return unit, bare(value, unit, where)
        except UnitError:
            continue
    raise UnitError(
        f"{where} must be a conductance or a current with its unit, such as '6 nS', '0.1 mS/cm^2', '20 pA' or "
        f"'1 uA/cm^2', not {value!r}."
    )


def bare(value: Any, unit: Unit, where: str) -> Any:
    """The numbers of a value in `unit`; what is sampled converted to it."""
    if isinstance(value, Sampled):
        return value.converted(unit, where)
    found = convert(value, unit, where)
    check_values(found, where, Parameter("", unit))
    return found


def _over(value: Any, wiring: Wiring, where: str, stream: Stream, ordered: bool) -> Any:
    """A scalar as it is; an array, given or sampled, with one entry per synapse in the order of the edges.

    What is sampled is drawn in float64 and kept in the precision of runs, with room to be read as synapses are that lie flat.
    """
    n = wiring.edges.n
    if isinstance(value, Sampled):
        counts = wiring.edges.counts
        return value.over((n,), stream, canonicalize_dtype(float), room(counts, rows_of(counts).width))
    if np.shape(value) not in ((), (n,)):
        raise ModelError(f"{where} has the shape {np.shape(value)}, but there are {n} synapses.")
    return value if not np.ndim(value) or ordered or wiring.order is None else value[wiring.order]


def initial_for(value: Any, unit: Unit, size: tuple[int, ...], site: Site, post: str) -> Any:
    """An initial state: one number, or one for each target."""
    found = bare(value, unit, f"initial of {site.where}")
    drawn = found.over(size, site.stream.of("initial")) if isinstance(found, Sampled) else found
    if np.shape(drawn) not in ((), size):
        raise ModelError(f"initial of {site.where} has the shape {np.shape(drawn)}, but '{post}' has {size}.")
    if unit in (NANOSIEMENS, CONDUCTANCE_DENSITY) and not isinstance(found, Sampled | Tracer):
        least = np.min(np.asarray(found))  # drawn ones may be below, as they are in Brette et al. 2007
        if least < 0:
            raise ModelError(f"initial of {site.where} is a conductance and at least 0, got {least:g} {unit}.")
    return drawn


def over_neurons(part: Any, size: tuple[int, ...], role: str, site: Site) -> Any:
    """A synapse or plasticity whose sampled parameters are drawn: one for each neuron that holds its states.

    Raises:
        ModelError: for an array that is not over these neurons, and for a parameter that must be one for all.
    """
    where = f"the {role} of {site.where}"
    own = {name: value for name, value in part._leaves() if isinstance(value, Sampled) or np.ndim(value)}
    for name, value in own.items():
        if isinstance(part, Coupling) or (isinstance(part, Followed) and name != "E"):
            raise ModelError(
                f"{where}: {name} of {type(part).__name__} is one number for all, since its kinetics are followed at the sources "
                f"for all targets: give one, or vary the weight."
            )
        if not isinstance(value, Sampled) and np.shape(value) != size:
            raise ModelError(
                f"{where}: {name} has the shape {np.shape(value)}, but it belongs to each of {size} neurons: give one number, or an "
                f"array of that shape."
            )
    return part.drawn(size, site.stream.of(role))
