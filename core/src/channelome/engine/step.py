"""The compiled part of a network's run: one loop over steps for all populations and projections.

In step n, from ``t_n`` to ``t_(n+1)``, every population goes one step of the solver, whose drive holds the synapses' exact
states at whatever time the solver asks for; then spikes are found, synapses flow to ``t_(n+1)``, and what arrives then is
received. Whole networks on several devices run the same code on the neurons of each, with the spikes gathered.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ..mechanisms.transmission import TO_DENSITY, Followed
from ..state import NetworkState
from .delivery import WORD, blocks, n_words, pack, product, walk
from .electrical import Halfway, shared
from .plan import Carry, Parts, Path, Plan, count_of, is_source
from .program import drive_of, put, spike
from .solvers.staggered import Staggered


def initial(plan: Plan, parts: Parts, dtype: Any, walking: bool) -> NetworkState:
    """The state at the start: cells at rest, synapses at their initial state, nothing under way."""
    sizes = dict(plan.sizes)
    cells = {name: cell.initial_state() for name, cell in parts.populations.items() if not is_source(cell)}
    synapses, sources, rings = {}, {}, {}
    for path in plan.paths:
        synapse, plasticity, _, start = parts.pathways[path.label]
        pre, post = sizes[path.pre], sizes[path.post]
        state = synapse.initial(post, dtype)
        if state:
            head = next(iter(synapse.states))
            state[head] = state[head] + jnp.asarray(start, dtype)
        synapses[path.label] = state
        follower = synapse.source_initial if isinstance(synapse, Followed) else plasticity and plasticity.initial
        sources[path.label] = follower(pre, dtype) if follower else {}
        rings[path.label] = _ring(plan, path, synapse, plasticity, pre, post, dtype, walking)
    return NetworkState(cells, synapses, sources, rings, jnp.zeros((), jnp.int32))


def _kinds(synapse: Any) -> tuple[int, ...]:
    """Trailing shape of what arrives."""
    return (2,) if isinstance(synapse, Followed) else ()


def _ring(
    plan: Plan, path: Path, synapse: Any, plasticity: Any, pre: tuple[int, ...], post: tuple[int, ...], dtype: Any, walking: bool
) -> Any:  # fmt: skip
    kinds = _kinds(synapse)
    if path.own_delays:
        return jnp.zeros((path.slots, count_of(post), *kinds), dtype)
    if not path.slots:
        return None
    if walking and not kinds and plasticity is None:
        return jnp.zeros((path.slots, n_words(count_of(pre)) * plan.devices), jnp.uint32)
    return jnp.zeros((path.slots, count_of(pre) * plan.devices, *kinds), dtype)


def start(plan: Plan, parts: Parts, state: NetworkState, dt: Any) -> Carry:
    cells = {name: plan.solver.start(parts.populations[name], x, dt) for name, x in state.cells.items()}
    return Carry(cells, state.synapses, state.sources, state.rings, state.steps)


def state_of(plan: Plan, parts: Parts, carry: Carry, n: Any, dt: Any) -> NetworkState:
    """The state at ``t_n``, all of it at one time; rings turned so that what arrives next stands first."""
    cells = {name: plan.solver.state(parts.populations[name], x, n * dt, dt) for name, x in carry.cells.items()}
    rings = {label: None if ring is None else jnp.roll(ring, -n, axis=0) for label, ring in carry.rings.items()}
    return NetworkState(cells, carry.synapses, carry.sources, rings, carry.past + jnp.asarray(n, jnp.int32))


# ---- one step ------------------------------------------------------------------------------------------------------


def step(plan: Plan, parts: Parts, carry: Carry, n: Any, dt: Any, walking: bool) -> tuple[Carry, dict[str, Array]]:
    """The carry one step on, and who spiked in it: by population, of its shape, True or the surrogate's 1.0."""
    t, spiked, begun = n * dt, {}, carry.cells
    cells, moved = dict(begun), _shared(plan, parts, begun, dt)
    coupled = {name for junction in plan.junctions for name in (junction.pre, junction.post)}
    for name, population in parts.populations.items():
        if is_source(population):
            spiked[name] = _share(plan, population.spikes(n, dt, carry.past))
            continue
        drive = _drive(plan, parts, name, carry, t)
        start_from = moved[name]
        if name in coupled and isinstance(plan.solver, Staggered):
            population: Any = Halfway(population, plan.solver.voltage(moved[name]))
            start_from = begun[name]
        cells[name] = plan.solver.step(population, start_from, t, dt, drive)
    cells = _shared(plan, parts, cells, dt)
    for name, after in cells.items():
        population = parts.populations[name]
        V0, V1 = plan.solver.voltage(begun[name]), plan.solver.voltage(after)
        threshold = jnp.asarray(population.V_th, V1.dtype)
        spiked[name] = (threshold > V0) & (threshold <= V1) if walking else spike(V0, V1, threshold)
    return _communicate(plan, parts, carry._replace(cells=cells), spiked, n, dt, walking), spiked


def _shared(plan: Plan, parts: Parts, cells: dict[str, Any], dt: Any) -> dict[str, Any]:
    """After half a step of gap junctions, where there are any."""
    if not plan.junctions:
        return cells
    return shared(plan.junctions, parts, cells, dt / 2, plan.solver, plan.axis, plan.devices)


def _drive(plan: Plan, parts: Parts, name: str, carry: Carry, t: Any) -> Callable[[Any], Callable[[Array], Array]]:
    """What is put into the cells of a population: its stimulus, and its synapses as they are at the time asked for."""
    cell = parts.populations[name]
    outside = drive_of(cell, parts.stimuli.get(name))
    here = [path for path in plan.paths if path.post == name]
    old = plan.solver.voltage(carry.cells[name])

    def drive(time: Any) -> Callable[[Array], Array]:
        put_in = outside(time)
        states = {path.label: parts.pathways[path.label][0].flow(carry.synapses[path.label], time - t) for path in here}

        def inject(V: Array) -> Array:
            total = put_in(V)
            for path in here:
                synapse = parts.pathways[path.label][0]
                at = old if path.frozen else V
                amount = synapse.conductance(states[path.label], at)
                if path.unit in TO_DENSITY:
                    amount = amount * (TO_DENSITY[path.unit] / cell.area)
                is_current = path.unit in ("nA", "uA/cm^2")
                total = total + (amount if is_current else amount * (synapse.E - at))
            return total

        return inject

    return drive


def _communicate(
    plan: Plan, parts: Parts, carry: Carry, spiked: Mapping[str, Array], n: Any, dt: Any, walking: bool
) -> Carry:
    synapses, sources, rings = dict(carry.synapses), dict(carry.sources), dict(carry.rings)
    words = {name: _gathered(plan, pack(flags.ravel())) for name, flags in spiked.items()} if walking else {}
    sizes = dict(plan.sizes)
    for path in plan.paths:
        label = path.label
        synapse, plasticity, weight, _ = parts.pathways[label]
        dtype = jnp.result_type(*jax.tree.leaves(synapses[label]), jnp.float32)
        after = synapse.flow(synapses[label], dt)
        flags = spiked[path.pre]
        amounts, events = None, None
        if isinstance(synapse, Followed):
            state = synapse.source_flow(sources[label], dt)
            sources[label], events, share = synapse.source_emit(state, flags.astype(dtype), dt)
            amounts = events[..., None] * share
        elif plasticity is not None:
            state = plasticity.flow(sources[label], dt)
            sources[label], sent = plasticity.release(state, flags.astype(dtype))
            amounts = sent * flags.astype(dtype)
        elif not walking:
            amounts = flags.astype(dtype)
        if amounts is not None:
            amounts = _gathered(plan, amounts.reshape(count_of(sizes[path.pre]), *amounts.shape[flags.ndim :]))
        sending = words.get(path.pre)
        if walking and events is not None:
            sending = _gathered(plan, pack((events != 0).ravel()))
        arrived, rings[label] = _deliver(
            plan, path, parts, sending, amounts, rings[label], n, dtype, walking, _kinds(synapse)
        )
        arrived = arrived.reshape(*sizes[path.post], *_kinds(synapse))
        if path.uniform:
            arrived = arrived * jnp.asarray(weight, dtype)
        synapses[label] = synapse.receive(after, arrived)
    return carry._replace(synapses=synapses, sources=sources, rings=rings)


def _gathered(plan: Plan, local: Array) -> Array:
    """From this device's part the whole."""
    return local if plan.axis is None else lax.all_gather(local, plan.axis, tiled=True)


def _share(plan: Plan, whole: Array) -> Array:
    """Of the whole this device's part."""
    if plan.axis is None:
        return whole
    each = whole.shape[0] // plan.devices
    return lax.dynamic_slice_in_dim(whole, lax.axis_index(plan.axis) * each, each)


def _deliver(
    plan: Plan, path: Path, parts: Parts, words: Any, amounts: Any, ring: Any, n: Any, dtype: Any, walking: bool, kinds: Any
) -> tuple[Array, Any]:  # fmt: skip
    """What arrives at the end of step n, and the ring after it."""
    n_post = count_of(dict(plan.sizes)[path.post])
    synapses = parts.synapses[path.label]
    zero = jnp.zeros((n_post, *kinds), dtype)
    if path.own_delays:
        slot = n % path.slots
        ring = _send(plan, path, synapses, words, amounts, ring, slot, walking)
        return ring[slot], put(ring, zero, slot)
    if path.slots:
        slot = n % path.slots
        if walking and amounts is None:
            words, ring = ring[slot], put(ring, words, slot)
        else:
            amounts, ring = ring[slot], put(ring, amounts, slot)
            words = pack(_any(amounts) != 0) if walking else None
            return _send(plan, path, synapses, words, amounts, zero, 0, walking, 1), ring
    return _send(plan, path, synapses, words, amounts, zero, 0, walking), ring


def _any(amounts: Array) -> Array:
    return amounts if amounts.ndim == 1 else jnp.max(jnp.abs(amounts), axis=-1)


def _send(
    plan: Plan, path: Path, synapses: Any, words: Any, amounts: Any, out: Array, slot: Any, walking: bool, n_blocks: int = 0
) -> Array:  # fmt: skip
    """Add to `out` what is sent; `words` in as many blocks as there are devices, if not told otherwise."""
    if not walking:
        return product(synapses, amounts, out, slot)
    n_blocks = n_blocks or plan.devices
    each = count_of(dict(plan.sizes)[path.pre]) * plan.devices // n_blocks
    sending = words & jnp.asarray(range_words(each, n_blocks, path.first, path.stop))
    send = blocks if plan.lanes else walk
    return send(synapses, sending, amounts, out, path.first, slot, None if n_blocks == 1 else each)


@functools.lru_cache(maxsize=64)
def range_words(each: int, blocks: int, first: int, stop: int) -> np.ndarray:
    """Words, in blocks of `each` flags, whose set bits are the neurons from `first` to `stop`."""
    flags = np.zeros(each * blocks, bool)
    flags[first:stop] = True
    words = n_words(each)
    bits = np.pad(flags.reshape(blocks, each), ((0, 0), (0, words * WORD - each))).reshape(-1, WORD).astype(np.uint32)
    return np.bitwise_or.reduce(bits << np.arange(WORD, dtype=np.uint32), axis=1)
