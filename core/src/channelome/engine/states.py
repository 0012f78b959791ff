"""States under the labels of a model, and in the arrays of a run."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..cells.cable import nodes_first
from ..errors import ModelError
from ..state import NetworkState
from .delivery import WORD, pack, unpacked
from .layout import Bundle, Layout, Member, Place, delay_of, in_words, numbers
from .marks import marks_of
from .wires import target_of


def by_label(layout: Layout, state: NetworkState) -> NetworkState:
    """A state of the run's arrays as that of populations and projections."""
    cells = {
        label: place.state(state.cells[place.block])
        for label, place in layout.places.items()
        if place.block in state.cells
    }
    synapses, sources, rings = {}, {}, {}
    for name, bundle in layout.bundles.items():
        for member in bundle.members:
            pre = layout.places[member.pathway.wiring.pre]
            synapses[layout.lanes[member.label].label] = jax.tree.map(
                _take(layout, bundle, member), state.synapses[name]
            )
            sources[member.label] = jax.tree.map(pre.cut, state.sources[name])
            rings[member.label] = _sent_of(layout, bundle, member, state.rings[name])
    return NetworkState(cells, synapses, sources, rings, state.steps, marks_of(layout, _precision(state)))


def outside(layout: Layout, state: NetworkState) -> NetworkState:
    """A state under a trace, where populations are not merged, with the nodes of cells that are no points last."""
    cells = {
        label: cell if layout.places[label].pointwise else layout.places[label].state(cell)
        for label, cell in state.cells.items()
    }
    return state._replace(cells=cells, marks=marks_of(layout, _precision(state)))


def _precision(state: NetworkState) -> Any:
    """That of the run, whatever it is when its state is asked for."""
    return jnp.result_type(*jax.tree.leaves(state.synapses), jnp.float32)


def _take(layout: Layout, bundle: Bundle, member: Member) -> Callable[[Any], Any]:
    place = target_of(layout, member.pathway.wiring)

    def take(x: Any) -> Any:
        if bundle.across:
            return _landed(layout, bundle, member, x)
        if bundle.spread or not place.pointwise:
            return x
        row = x if bundle.lanes == 1 else x[member.lane]
        return row.reshape(place.size) if place.alone else place.cut(row)

    return take


def _landed(layout: Layout, bundle: Bundle, member: Member, x: Any) -> Any:
    """What one of several projections onto places has of an array over their lanes, in the form that it has alone."""
    first, stop = bundle.span(member, layout.places)
    place = target_of(layout, member.pathway.wiring)
    several = (stop - first) * bundle.across > place.n
    return x[first:stop].reshape(-1, place.n) if several else x[first:stop].reshape(place.size)


def _sent_of(layout: Layout, bundle: Bundle, member: Member, ring: Any) -> Any:
    """What the sources of one projection sent as long ago as its longest delay, by step, the oldest first; spikes as words."""
    if ring is None or not member.longest:
        return None
    pre, ring = layout.places[member.pathway.wiring.pre], ring[ring.shape[0] - member.longest :]
    if pre.alone and len(bundle.pre) == 1 and layout.devices == 1:
        return ring
    mine = _sources(layout, bundle, pre, ring.dtype)
    return ring[:, mine] if ring.dtype != jnp.uint32 else jax.vmap(pack)(jax.vmap(unpacked)(ring)[:, mine])


def _sources(layout: Layout, bundle: Bundle, pre: Place, dtype: Any) -> np.ndarray:
    """The places of a population's neurons in what a bundle's sources send."""
    if len(bundle.pre) == 1 and (layout.devices == 1 or dtype != jnp.uint32):
        return np.arange(pre.first, pre.first + pre.n)
    return in_words(layout, bundle, pre.block)[pre.first : pre.first + pre.n]


def in_arrays(layout: Layout, state: NetworkState) -> NetworkState:
    """The state of populations and projections, which must be one of this layout's, in the arrays of the run."""
    cells = {
        block: _in_cells([layout.places[label] for label in labels], [state.cells[label] for label in labels])
        for block, labels in layout.members.items()
        if labels[0] in state.cells
    }
    synapses, sources, rings = {}, {}, {}
    for name, bundle in layout.bundles.items():
        first = bundle.members[0]
        parts = {layout.lanes[member.label].label: member for member in bundle.members}
        synapses[name] = {
            field: _spread(layout, bundle, {label: state.synapses[label][field] for label in parts}, parts)
            for field in state.synapses[next(iter(parts))]
        }
        pre = layout.places[first.pathway.wiring.pre]
        sources[name] = jax.tree.map(lambda x, pre=pre: _in_block(pre, x), state.sources[first.label])
        rings[name] = _sent_in(layout, bundle, state.rings)
    return NetworkState(cells, synapses, sources, rings, state.steps)


def _in_cells(places: list[Place], states: list[Any]) -> Any:
    """The state of a block from those of its populations."""
    if places[0].stand is None:
        return _joined([_entered(place, state) for place, state in zip(places, states, strict=True)], places[0])
    stands = [place.stand for place in places if place.stand is not None]
    whole = stands[0].shaped(states[0], stands)
    for stand, state in zip(stands, states, strict=True):
        whole = stand.put(whole, state)
    return whole


def _in_block(place: Place, x: Any, axis: int = 0) -> Any:
    """What belongs to a population in an array over its block, zero elsewhere."""
    if place.alone:
        return x
    before, after = place.first, math.prod(place.whole) - place.first - place.n
    flat = jnp.reshape(x, (*x.shape[:axis], place.n, *x.shape[axis + len(place.size) :])) if axis == 0 else x
    padded = jnp.pad(flat, [(before, after) if i == axis else (0, 0) for i in range(flat.ndim)])
    return padded.reshape(*place.whole, *padded.shape[1:]) if axis == 0 else padded


def _entered(place: Place, state: Any) -> Any:
    """With the nodes of cells that are no points first."""
    return state if place.pointwise else jax.tree.map(nodes_first, state)


def _joined(states: list[Any], place: Place) -> Any:
    """States of a block's populations side by side; what is nobody's is in the state of the last neuron."""
    if len(states) == 1 and (place.alone or not place.pointwise):
        return states[0]

    def joined(*xs: Any) -> Any:
        if np.ndim(xs[0]) == 0:
            return xs[0]
        flat = jnp.concatenate([jnp.ravel(x) for x in xs])
        return jnp.pad(flat, (0, math.prod(place.whole) - flat.size), mode="edge").reshape(place.whole)

    return jax.tree.map(joined, *states)


def _spread(layout: Layout, bundle: Bundle, values: Mapping[str, Any], parts: Mapping[str, Member]) -> Any:
    """States by label in their lanes."""
    if bundle.across:
        return jnp.concatenate([values[label].reshape(-1, bundle.across) for label in parts])
    whole = target_of(layout, bundle.members[0].pathway.wiring).whole
    if bundle.spread:
        return next(iter(values.values()))
    if len(bundle.members) == 1 and target_of(layout, bundle.members[0].pathway.wiring).alone:
        return next(iter(values.values()))
    out = jnp.zeros((bundle.lanes, math.prod(whole)), next(iter(values.values())).dtype)
    for label, member in parts.items():
        place = layout.places[member.pathway.wiring.post]
        out = out.at[member.lane, place.first : place.first + place.n].set(values[label].reshape(-1))
    return out if bundle.lanes > 1 else out.reshape(whole)


def _sent_in(layout: Layout, bundle: Bundle, rings: Mapping[str, Any]) -> Any:
    """What the sources of all projections of a bundle sent; the reverse of `_sent_of`."""
    longest, given = delay_of(bundle)[1], [rings[member.label] for member in bundle.members]
    if all(ring is None for ring in given):
        return None
    pre = layout.places[bundle.members[0].pathway.wiring.pre]
    if len(given) == 1 and pre.alone and layout.devices == 1:
        return given[0]
    some: Any = next(ring for ring in given if ring is not None)
    words = some.dtype == jnp.uint32
    count = numbers(layout, bundle) if words or len(bundle.pre) > 1 else layout.counts[next(iter(bundle.pre))]
    places = -(-count // WORD) * WORD if words else count
    out = np.zeros((longest, places, *some.shape[2:]), bool if words else some.dtype)
    for label, sent in _of_sources(layout, bundle, given, out.dtype, some.shape[2:]).items():
        out[longest - len(sent) :, _sources(layout, bundle, layout.places[label], some.dtype)] = sent
    return jax.vmap(pack)(jnp.asarray(out)) if words else jnp.asarray(out)


def _of_sources(
    layout: Layout, bundle: Bundle, rings: Sequence[Any], dtype: Any, kinds: tuple[int, ...]
) -> dict[str, Any]:
    """By population what it sent, as far back as any projection of it knows.

    Raises:
        ModelError: where one has under way what another has not: what is sent along one of a path is sent along all.
    """
    found: dict[str, tuple[str, Any]] = {}
    for member, ring in zip(bundle.members, rings, strict=True):
        label = member.pathway.wiring.pre
        n = layout.places[label].n
        sent: Any = np.zeros((member.longest, n, *kinds), dtype)
        if ring is not None:
            sent = (
                np.asarray(jax.vmap(unpacked)(jnp.asarray(ring)))[:, :n]
                if ring.dtype == jnp.uint32
                else np.asarray(ring)
            )
        other, known = found.get(label, (member.label, sent))
        both = min(len(sent), len(known))
        if not np.array_equal(sent[len(sent) - both :], known[len(known) - both :]):
            raise ModelError(
                f"the state has other spikes of '{label}' under way in '{member.label}' than in '{other}', whose synapses are one path: "
                f"keep the delays and what is under way of both, or leave it out of all, state._replace(rings={{}})."
            )
        if label not in found or len(sent) > len(known):
            found[label] = member.label, sent
    return {label: sent for label, (_, sent) in found.items()}


def with_sums(layout: Layout, state: NetworkState) -> NetworkState:
    """The state with the sums that this layout holds in place of their parts.

    Raises:
        ModelError: where the state holds a sum whose parts are asked for.
    """
    synapses = dict(state.synapses)
    for label in {lane.label for lane in layout.lanes.values()}:
        parts = set(label.split("+"))
        given = [other for other in synapses if parts.issuperset(other.split("+"))]
        if label not in synapses and {part for other in given for part in other.split("+")} == parts:
            synapses[label] = jax.tree.map(lambda *xs: sum(xs[1:], xs[0]), *(synapses.pop(other) for other in given))
    wanted = {lane.label for lane in layout.lanes.values()}
    for label in synapses:
        parts = label.split("+")
        if len(parts) > 1 and label not in wanted and wanted & set(parts):
            raise ModelError(
                f"the state holds the sum of the synapses {', '.join(parts)}, which had the same parameters in the run that it is "
                f"from; now they are apart. Record a state of each there, record=['{parts[0]}.{next(iter(synapses[label]), 'g')}', "
                f"...], which keeps them apart."
            )
    return state._replace(synapses=synapses)
