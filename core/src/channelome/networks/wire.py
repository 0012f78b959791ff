"""From a projection as it is written to the pathway that it stands for."""

import math
import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from ..cells.parts import build_part
from ..distances import ByDistance
from ..errors import ModelError, UnitError
from ..mechanisms.transmission import NANOSIEMENS, Contact, Coupling, Followed, Release
from ..sampled import Sampled
from ..streams import Stream, checked_seed
from ..units import Unit
from .connect import AllToAll, FixedProbability, FromArrays, FromMatrix, Rule
from .distance import DistanceDependent
from .edges import Edges, Ends
from .landing import landing, same_places, split
from .projection import Pathway, Projection, Site, delay_for, initial_for, over_neurons, weight_for
from .space import at_distances
from .wiring import Kept, Wiring


def site_of(given: Projection, label: str, ends: Ends, seed: int) -> Site:
    """What the values of a projection are made with."""
    where = f"the projection '{label}'"
    stream = Stream(seed, label) if given.seed is None else Stream(checked_seed(given.seed, where))
    return Site(where, stream, lambda value, sources, targets, what: at_distances(value, ends, sources, targets, what))


def wire(
    given: Projection, label: str, ends: Ends, places: tuple[str, str], cells: tuple[Any, Any], seed: int
) -> Pathway:
    """The pathway that a projection stands for.

    Args:
        ends: the groups, as flat indices in their populations.
        places: the populations' names.
        cells: the populations.
        seed: of the network: what is random follows from it and the label, unless the projection has a seed.
    """
    where, site = f"the projection '{label}'", site_of(given, label, ends, seed)
    if isinstance(given.synapse, Rule) and not isinstance(given.connect, Rule):
        raise ModelError(
            f"{where}: synapse and connect have changed places: Projection(pre, post, synapse, connect, weight=...)."
        )
    if not isinstance(given.connect, Rule):
        raise ModelError(f"{where}: connect must be a rule such as fixed_probability(0.02), not {given.connect!r}.")
    built = build_part(given.synapse, Contact, "synapse", f"the synapse of {where}")
    if isinstance(built, Release):
        raise ModelError(
            f"{where}: {type(built).__name__} is no synapse but short-term plasticity: give it as plasticity=."
        )
    release = given.plasticity and build_part(given.plasticity, Release, "synapse", f"the plasticity of {where}")
    if release is not None and not isinstance(release, Release):
        raise ModelError(f"{where}: {type(release).__name__} is a synapse and no plasticity.")
    if not isinstance(given.frozen, bool | np.bool_):
        raise ModelError(f"{where}: frozen must be True or False, not {given.frozen!r}.")
    edges = given.connect.edges(ends, site.stream.of("connect").generator())
    here, there = split(given.pre)[1], split(given.post)[1]
    if isinstance(built, Coupling) and ends.same and same_places(cells[0], here, there):
        edges = _each_pair_once(given.connect, edges, ends, where)
    if not edges.n:
        warnings.warn(f"{where} has no synapse: its rule finds none. Leave it out, or give it another.", stacklevel=4)
    sizes = cells[0].size, cells[1].size
    wiring = _wiring(given, edges, ends, places, math.prod(sizes[1]))
    wiring = replace(wiring, landing=landing(cells[1], there, edges.n, site.stream, where))
    if isinstance(built, Coupling):
        leaving = landing(cells[0], here, edges.n, site.stream.of("pre"), where, "sources")
        wiring = replace(wiring, leaving=leaving)
    elif here is not None:
        raise ModelError(
            f"{where}: spikes are sent from where a cell detects them, MultiCompartment(spikes_at={here!r}), and not from a place: "
            f"leave '.{here}' out. Gap junctions have a place on both sides."
        )
    unit, scale, weight = weight_for(given.weight, wiring, site)
    if edges.delays is not None and not _is_zero(given.delay):
        raise ModelError(f"{where}: its delays are given by from_arrays(delays=) and by delay=: leave one of them out.")
    delay = edges.delays if edges.delays is not None else delay_for(given.delay, wiring, site)
    if edges.delays is not None and np.min(edges.delays, initial=0.0) < 0:
        raise ModelError(f"delay of {where} must be at least 0 ms, got {np.min(edges.delays):g} ms.")
    _check_kind(built, given, unit, where, edges.delays is not None)
    built = over_neurons(built, sizes[1], "synapse", site)
    release = release and over_neurons(release, sizes[0], "plasticity", site)
    initial = 0.0 if given.initial is None else initial_for(given.initial, unit, sizes[1], site, places[1])
    path = Pathway(
        synapse=built, plasticity=release, weight=weight, initial=initial, wiring=replace(wiring, delay=delay), unit=unit,
        frozen=bool(given.frozen),
    )  # fmt: skip
    path._set("_scale", (scale, weight))
    path._remember("weight", given.weight, weight)
    path._remember("initial", given.initial, initial)
    return path


def _wiring(given: Projection, edges: Edges, ends: Ends, places: tuple[str, str], n_post: int) -> Wiring:
    """Edges between groups as edges between populations; without delays as yet."""
    if edges.n_post and not _is_range(ends.post):
        edges = edges._replace(targets=ends.post[edges.targets].astype(np.int32))
    elif edges.n_post and ends.post[0]:
        edges = edges._replace(targets=edges.targets + np.int32(ends.post[0]))
    first, counts = _over_a_range(ends.pre, edges.counts)
    own = Edges(counts, edges.targets, n_post)
    return Wiring(*places, first, first + counts.size, own, 0.0, edges.weights, edges.order, _in_short(given))


def _in_short(given: Projection) -> Projection:
    """The projection without its arrays, of which the pathway holds what was made: they may fill the memory."""

    def sample(value: Any) -> Any:
        return value if isinstance(value, Sampled | ByDistance) else None

    rule: Any = None if isinstance(given.connect, FromArrays | FromMatrix | Kept) else given.connect
    return replace(
        given, connect=rule, synapse=None, plasticity=None,
        weight=sample(given.weight), delay=sample(given.delay), initial=sample(given.initial),
    )  # fmt: skip


def _each_pair_once(rule: Rule, edges: Edges, ends: Ends, where: str) -> Edges:
    """Junctions conduct both ways, so within a population a pair has one, whichever of the two is the source.

    Rules that ask every pair ask it once. Of those that draw for each neuron, and of a matrix, which is symmetric, what comes
    twice is one junction.
    """
    sources, targets = ends.pre[edges.sources], ends.post[edges.targets]
    mirrored = np.isin(sources, ends.post) & np.isin(targets, ends.pre)
    if isinstance(rule, FixedProbability | AllToAll | DistanceDependent):
        return _of(edges, ~mirrored | (sources <= targets))
    low, high = np.minimum(sources, targets).astype(np.int64), np.maximum(sources, targets)
    pairs = low * (int(high.max(initial=0)) + 1) + high
    _, first, which = np.unique(pairs, return_index=True, return_inverse=True)
    forward = sources <= targets
    both = np.bincount(which[forward], minlength=first.size).astype(bool) & np.bincount(
        which[~forward], minlength=first.size
    ).astype(bool)
    if not both.any():
        return edges
    one = np.flatnonzero(both[which])[0]
    said = f"{where}: the junction between the neurons {sources[one]} and {targets[one]}"
    if isinstance(rule, FromArrays):
        raise ModelError(f"{said} is given twice, once each way: it conducts both ways, so give every pair once.")
    if isinstance(rule, FromMatrix) and edges.weights is not None:
        sums = np.bincount(which, np.where(forward, edges.weights, -edges.weights), minlength=first.size)
        if not np.allclose(sums[both], 0):
            raise ModelError(
                f"{where}: the matrix of junctions holds other values above its diagonal than below: it conducts both ways."
            )
    return _of(edges, ~both[which] | forward)


def _of(edges: Edges, kept: np.ndarray) -> Edges:
    counts = np.bincount(edges.sources[kept], minlength=edges.counts.size)
    weights, delays, order = (None if x is None else x[kept] for x in (edges.weights, edges.delays, edges.order))
    return Edges(counts, edges.targets[kept], edges.n_post, weights, delays, order)


def _is_zero(delay: Any) -> bool:
    return isinstance(delay, str) and delay == "0 ms"


def _check_kind(built: Contact, given: Projection, unit: Unit, where: str, delayed: bool) -> None:
    """Refuse what the kind of synapse leaves without a meaning."""
    name = type(built).__name__
    if isinstance(built, Coupling):
        if unit is not NANOSIEMENS:
            raise UnitError(f"{where}: the weight of {name} is an absolute conductance, such as '1 nS', not in {unit}.")
        asked = {"plasticity": given.plasticity, "initial": given.initial, "frozen": given.frozen or None}
        asked["delay"] = None if _is_zero(given.delay) and not delayed else given.delay
        for what, value in asked.items():
            if value is not None:
                raise ModelError(f"{where}: {name} conducts both ways at all times and takes no {what}.")
    elif isinstance(built, Followed) and given.plasticity is not None:
        raise ModelError(
            f"{where}: {name} follows its transmitter itself and takes no plasticity; use Expon, DualExpon or Alpha."
        )
    elif isinstance(built, Followed) and built.graded and given.initial is not None:
        raise ModelError(f"{where}: {name} is followed at its sources and takes no initial value.")


def _is_range(index: np.ndarray) -> bool:
    return bool(index.size) and int(index[-1] - index[0]) == index.size - 1


def _over_a_range(pre: np.ndarray, counts: np.ndarray) -> tuple[int, np.ndarray]:
    """The counts over the whole range from the first to the last source; those between that are no sources have none."""
    if not pre.size or _is_range(pre):
        return int(pre[0]) if pre.size else 0, counts
    whole = np.zeros(int(pre[-1] - pre[0]) + 1, counts.dtype)
    whole[pre - pre[0]] = counts
    return int(pre[0]), whole
