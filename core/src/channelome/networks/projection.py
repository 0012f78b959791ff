"""A projection, as a user writes it, and the pathway that a network makes of it."""

import functools
import math
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np

from ..cells.parts import build_part, class_of
from ..errors import ModelError, UnitError
from ..mechanisms.transmission import NANOSIEMENS, WEIGHTS, Contact, Coupling, Followed, Release
from ..module import NODE, STATIC, Module, Parameter, check_values, show
from ..sampled import Sampled
from ..streams import Stream, checked_seed
from ..units import Unit, convert
from .connect import Edges, Ends, FromArrays, FromMatrix, Rule

_MS = Unit.parse("ms")


def synapse(name: "str | type[Contact]", /, **parameters: Any) -> Contact:
    """A synapse by name (``"Expon"``) or class, with parameters (with units) other than its defaults.

    Raises:
        UnknownName: where no installed pack has the name.
        UnitError, ModelError: as the synapse's constructor.
    """
    return class_of(name, Contact, "synapse")(**parameters)


def plasticity(name: "str | type[Release]", /, **parameters: Any) -> Release:
    """Short-term plasticity by name (``"TsodyksMarkram"``) or class, with parameters other than its defaults."""
    return class_of(name, Release, "synapse")(**parameters)


@dataclass(frozen=True)
class Projection:
    """Synapses of one kind from one group of neurons to another.

    Args:
        pre, post: populations or groups of the network by name, or part of one: ``"cells[:3200]"``.
        synapse: by name, class or instance. Of ``"GapJunction"`` every connection is one junction that conducts both ways;
            its weight is absolute, and it takes neither delay, initial, plasticity nor frozen.
        connect: a rule: `fixed_probability`, `fixed_indegree`, `one_to_one`, `all_to_all`, `distance_dependent`,
            `from_arrays`, `from_matrix`.
        weight: with a unit: one for all, an array with one per synapse (in the order of source, then target), or
            sampled (`normal`, `uniform`). A conductance or a current, absolute or per membrane area.
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


@dataclass(frozen=True, eq=False)
class Wiring:
    """Who connects to whom, after how long: NumPy arrays, compared by identity, so that a network stays a light pytree.

    Attributes:
        pre, post: populations, by name.
        pre_first, pre_stop: the range of source neurons that `edges` counts.
        edges: with targets numbered in the target's population.
        delay: in ms, one for all or one per synapse.
        given: the projection as it was written, without what is large: a model file holds it.
    """

    pre: str
    post: str
    pre_first: int
    pre_stop: int
    edges: Edges
    delay: float | np.ndarray
    given: Projection | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "kept"}

    @functools.cached_property
    def kept(self) -> dict[Any, Any]:
        """What the engine keeps of it from run to run: how the synapses lie in rows."""
        return {}

    def delay_steps(self, dt: float, where: str) -> int | np.ndarray:
        """The delays in steps of `dt` ms.

        Raises:
            ModelError: for one delay that is no whole number of steps; many are rounded.
        """
        if np.ndim(self.delay):
            if self.kept.get("steps", (None,))[0] != dt:
                self.kept["steps"] = dt, np.rint(np.asarray(self.delay) / dt).astype(np.int32)
            return self.kept["steps"][1]
        steps = np.rint(self.delay / dt)
        if abs(float(steps) * dt - float(self.delay)) > 1e-6 * dt:
            raise ModelError(
                f"the delay of {where}, {self.delay:g} ms, is no whole number of steps of {dt:g} ms: "
                f"take {float(steps) * dt:g} ms, or another dt."
            )
        return int(steps)


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

    def changed(self, name: str, value: Any, where: str) -> "Pathway":
        """A copy with another weight or initial state, or another parameter of its synapse or plasticity."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        if name == "weight":
            new._set("weight", self._weight(value, where))
        elif name == "initial":
            new._set("initial", _bare(value, self.unit, f"initial of {where}"))
        elif name in type(self.synapse).parameters:
            new._set("synapse", self.synapse.replace(**{name: value}))
        elif self.plasticity is not None and name in type(self.plasticity).parameters:
            new._set("plasticity", self.plasticity.replace(**{name: value}))
        else:
            known = ["weight", "initial", *type(self.synapse).parameters]
            raise ModelError(f"the projection '{where}' has no '{name}'. It has {', '.join(known)}.")
        new._forget([name])
        return new

    def _weight(self, value: Any, where: str) -> Any:
        unit, bare = _weight_of(value, f"weight of {where}")
        if unit is not self.unit:
            raise UnitError(f"weight of {where} is in {self.unit}, not {unit}.")
        n = self.wiring.edges.n
        if np.shape(bare) not in ((), (n,)):
            raise ModelError(f"weight of {where} has the shape {np.shape(bare)}, but there are {n} synapses.")
        return bare

    def __repr__(self) -> str:
        n, wiring = self.wiring.edges.n, self.wiring
        return f"{wiring.pre} -> {wiring.post}: {n:,} x {self.synapse!r}, weight {show(self.weight, self.unit)}"


def wire(
    given: Projection, label: str, ends: Ends, places: tuple[str, str], sizes: tuple[Any, Any], stream: Stream
) -> Pathway:
    """The pathway that a projection stands for.

    Args:
        ends: the groups, as flat indices in their populations.
        places: the populations' names.
        sizes: their shapes.
        stream: what is random follows from, unless the projection has a seed.
    """
    where = f"the projection '{label}'"
    if not isinstance(given.connect, Rule):
        raise ModelError(f"{where}: connect must be a rule such as fixed_probability(0.02), not {given.connect!r}.")
    if given.seed is not None:
        stream = Stream(checked_seed(given.seed, where))
    edges = given.connect.edges(ends, stream.of("connect").generator())
    if edges.n_post and not _is_range(ends.post):
        edges = edges._replace(targets=ends.post[edges.targets].astype(np.int32))
    elif edges.n_post and ends.post[0]:
        edges = edges._replace(targets=edges.targets + np.int32(ends.post[0]))
    first, counts = _over_a_range(ends.pre, edges.counts)
    edges = edges._replace(counts=counts, n_post=math.prod(sizes[1]))
    unit, weight = _weight_of(given.weight, f"weight of {where}")
    weight = _over(weight, edges.n, f"weight of {where}", stream.of("weight"))
    if edges.weights is not None:
        weight = weight * edges.weights
    delay = _over(_bare(given.delay, _MS, f"delay of {where}"), edges.n, f"delay of {where}", stream.of("delay"))
    if np.any(np.asarray(delay) < 0):
        raise ModelError(f"delay of {where} must be at least 0 ms, got {np.min(delay):g} ms.")
    built = build_part(given.synapse, Contact, "synapse", f"the synapse of {where}")
    release = given.plasticity and build_part(given.plasticity, Release, "synapse", f"the plasticity of {where}")
    _check_kind(built, given, unit, where)
    initial = 0.0 if given.initial is None else _bare(given.initial, unit, f"initial of {where}")
    if isinstance(initial, Sampled):
        initial = initial.over(sizes[1], stream.of("initial"))
    if np.shape(initial) not in ((), sizes[1]):
        raise ModelError(f"initial of {where} has the shape {np.shape(initial)}, but '{places[1]}' has {sizes[1]}.")
    wiring = Wiring(*places, first, first + counts.size, edges._replace(weights=None), delay, _in_short(given))
    path = Pathway(
        synapse=built, plasticity=release, weight=weight, initial=initial, wiring=wiring, unit=unit, frozen=bool(given.frozen)
    )  # fmt: skip
    drawn = {"weight": (given.weight, weight), "initial": (given.initial, initial)}
    path._set("_drawn", {name: pair for name, pair in drawn.items() if isinstance(pair[0], Sampled)})
    return path


def _in_short(given: Projection) -> Projection:
    """The projection without its arrays, of which the pathway holds what was made: they may fill the memory."""

    def sample(value: Any) -> Any:
        return value if isinstance(value, Sampled) else None

    rule: Any = None if isinstance(given.connect, FromArrays | FromMatrix) else given.connect
    return replace(
        given, connect=rule, synapse=None, plasticity=None,
        weight=sample(given.weight), delay=sample(given.delay), initial=sample(given.initial),
    )  # fmt: skip


def _check_kind(built: Contact, given: Projection, unit: Unit, where: str) -> None:
    """Refuse what the kind of synapse leaves without a meaning."""
    name = type(built).__name__
    if isinstance(built, Coupling):
        if unit is not NANOSIEMENS:
            raise UnitError(f"{where}: the weight of {name} is an absolute conductance, such as '1 nS', not in {unit}.")
        asked = {"plasticity": given.plasticity, "initial": given.initial, "frozen": given.frozen or None}
        asked["delay"] = None if isinstance(given.delay, str) and given.delay == "0 ms" else given.delay
        for what, value in asked.items():
            if value is not None:
                raise ModelError(f"{where}: {name} conducts both ways at all times and takes no {what}.")
    elif isinstance(built, Followed) and given.plasticity is not None:
        raise ModelError(
            f"{where}: {name} follows its transmitter itself and takes no plasticity; use Expon, DualExpon or Alpha."
        )
    elif isinstance(built, Followed) and built.graded and given.initial is not None:
        raise ModelError(f"{where}: {name} is followed at its sources and takes no initial value.")


def _weight_of(value: Any, where: str) -> tuple[Unit, Any]:
    """The unit, of those that a weight may have, and the number in it."""
    for unit in WEIGHTS:
        try:
            return unit, _bare(value, unit, where)
        except UnitError:
            continue
    raise UnitError(
        f"{where} must be a conductance or a current with its unit, such as '6 nS', '0.1 mS/cm^2', '20 pA' or "
        f"'1 uA/cm^2', not {value!r}."
    )


def _bare(value: Any, unit: Unit, where: str) -> Any:
    if isinstance(value, Sampled):
        return value.converted(unit, where)
    bare = convert(value, unit, where)
    check_values(bare, where, Parameter("", unit))
    return bare


def _over(value: Any, n: int, where: str, stream: Stream) -> Any:
    """A scalar as it is; an array, given or sampled, with one entry per synapse."""
    value = value.over((n,), stream) if isinstance(value, Sampled) else value
    if np.shape(value) not in ((), (n,)):
        raise ModelError(f"{where} has the shape {np.shape(value)}, but there are {n} synapses.")
    return value


def _is_range(index: np.ndarray) -> bool:
    return bool(index.size) and int(index[-1] - index[0]) == index.size - 1


def _over_a_range(pre: np.ndarray, counts: np.ndarray) -> tuple[int, np.ndarray]:
    """The counts over the whole range from the first to the last source; those between that are no sources have none."""
    if not pre.size or _is_range(pre):
        return int(pre[0]) if pre.size else 0, counts
    whole = np.zeros(int(pre[-1] - pre[0]) + 1, counts.dtype)
    whole[pre - pre[0]] = counts
    return int(pre[0]), whole
