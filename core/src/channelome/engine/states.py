"""States under the labels of a model, and in the arrays of a run."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..errors import ModelError
from ..state import NetworkState
from .delivery import WORD, pack, unpacked
from .layout import Bundle, Layout, Member, in_words, numbers


def by_label(layout: Layout, state: NetworkState) -> NetworkState:
    """A state of the run's arrays as that of populations and projections."""
    cells = {
        label: jax.tree.map(place.cut, state.cells[place.block])
        for label, place in layout.places.items()
        if place.block in state.cells
    }
    synapses, sources, rings = {}, {}, {}
    for name, bundle in layout.bundles.items():
        for member in bundle.members:
            lane = layout.lanes[member.label]
            take = _take(layout, bundle, member)
            synapses[lane.label] = jax.tree.map(take, state.synapses[name])
            sources[member.label] = state.sources[name]
            label, ring = _ring_of(layout, name, bundle, member, state.rings[name])
            rings[label] = ring
    return NetworkState(cells, synapses, sources, rings, state.steps)


def _take(layout: Layout, bundle: Bundle, member: Member) -> Callable[[Any], Any]:
    place = layout.places[member.pathway.wiring.post]

    def take(x: Any) -> Any:
        row = x if bundle.lanes == 1 else x[member.lane]
        return place.cut(row) if not place.alone else row.reshape(place.size)

    return take


def _ring_of(layout: Layout, name: str, bundle: Bundle, member: Member, ring: Any) -> tuple[str, Any]:
    """What is under way of one projection: words of its sources, or what its targets wait for, under the label of the sum."""
    if ring is None or len(bundle.members) == 1:
        return member.label, ring
    pre, post = layout.places[member.pathway.wiring.pre], layout.places[member.pathway.wiring.post]
    if ring.dtype == jnp.uint32:
        mine = in_words(layout, bundle, pre.block)[pre.first : pre.first + pre.n]
        return member.label, jax.vmap(pack)(jax.vmap(unpacked)(ring)[:, mine])
    waiting = ring.reshape(ring.shape[0], bundle.lanes, -1)[:, member.lane, post.first : post.first + post.n]
    return layout.lanes[member.label].label, waiting


def in_arrays(layout: Layout, state: NetworkState) -> NetworkState:
    """The state of populations and projections, which must be one of this layout's, in the arrays of the run."""
    blocks: dict[str, list[str]] = {}
    for label, place in layout.places.items():
        if label in state.cells:
            blocks.setdefault(place.block, []).append(label)
    cells = {block: _joined([state.cells[label] for label in labels]) for block, labels in blocks.items()}
    synapses, sources, rings = {}, {}, {}
    for name, bundle in layout.bundles.items():
        first = bundle.members[0]
        sources[name] = state.sources[first.label]
        if len(bundle.members) == 1:
            synapses[name], rings[name] = state.synapses[first.label], state.rings[first.label]
            continue
        parts = {layout.lanes[member.label].label: member for member in bundle.members}
        synapses[name] = {
            field: _spread(layout, bundle, {label: state.synapses[label][field] for label in parts}, parts)
            for field in state.synapses[next(iter(parts))]
        }
        rings[name] = _rings_in(layout, bundle, parts, state.rings)
    return NetworkState(cells, synapses, sources, rings, state.steps)


def _joined(states: list[Any]) -> Any:
    if len(states) == 1:
        return states[0]
    return jax.tree.map(
        lambda *xs: xs[0] if np.ndim(xs[0]) == 0 else jnp.concatenate([jnp.ravel(x) for x in xs]), *states
    )


def _spread(
    layout: Layout, bundle: Bundle, values: Mapping[str, Any], parts: Mapping[str, Member], lead: tuple[int, ...] = ()
) -> Any:
    """States by label in their lanes; `lead` are axes before the neurons."""
    whole = layout.places[bundle.members[0].pathway.wiring.post].whole
    dtype = next(iter(values.values())).dtype
    out = jnp.zeros((*lead, bundle.lanes, math.prod(whole)), dtype)
    for label, member in parts.items():
        place = layout.places[member.pathway.wiring.post]
        out = out.at[..., member.lane, place.first : place.first + place.n].set(values[label].reshape(*lead, -1))
    return out if lead or bundle.lanes > 1 else out.reshape(whole)


def _rings_in(layout: Layout, bundle: Bundle, parts: Mapping[str, Member], rings: Mapping[str, Any]) -> Any:
    waiting = {label: rings[label] for label in parts if label in rings}
    if waiting and next(iter(waiting.values())) is not None and next(iter(waiting.values())).dtype != jnp.uint32:
        lead = (next(iter(waiting.values())).shape[0],)
        spread = _spread(layout, bundle, waiting, parts, lead)
        return spread if bundle.lanes > 1 else spread.reshape(*lead, -1)
    own = {member.label: rings[member.label] for member in bundle.members}
    if any(ring is None for ring in own.values()):
        return None
    slots = next(iter(own.values())).shape[0]
    flags = np.zeros((slots, -(-numbers(layout, bundle) // WORD) * WORD), bool)
    for member in bundle.members:
        place = layout.places[member.pathway.wiring.pre]
        mine = in_words(layout, bundle, place.block)[place.first : place.first + place.n]
        flags[:, mine] |= np.asarray(jax.vmap(unpacked)(own[member.label]))[:, : place.n]
    return jax.vmap(pack)(jnp.asarray(flags))


def with_sums(layout: Layout, state: NetworkState) -> NetworkState:
    """The state with the sums that this layout holds in place of their parts.

    Raises:
        ModelError: where the state holds a sum whose parts are asked for.
    """
    synapses, rings = dict(state.synapses), dict(state.rings)
    for label in {lane.label for lane in layout.lanes.values()}:
        parts = label.split("+")
        for states in (synapses, rings):
            if len(parts) > 1 and label not in states and all(part in states for part in parts):
                if states is rings and (rings[parts[0]] is None or rings[parts[0]].dtype == jnp.uint32):
                    continue
                states[label] = jax.tree.map(lambda *xs: sum(xs[1:], xs[0]), *(states.pop(part) for part in parts))
    wanted = {lane.label for lane in layout.lanes.values()}
    for label in synapses:
        parts = label.split("+")
        if len(parts) > 1 and label not in wanted and wanted & set(parts):
            raise ModelError(
                f"the state holds the sum of the synapses {', '.join(parts)}, which had the same parameters in the run that it is "
                f"from; now they are apart. Record a state of each there, record=['{parts[0]}.{next(iter(synapses[label]), 'g')}', "
                f"...], which keeps them apart."
            )
    return state._replace(synapses=synapses, rings=rings)
