"""One step of a model, and what stands at both ends of a run: the compiled part of all of them.

In step n, from ``t_n`` to ``t_(n+1)``, every block of cells goes one step of the solver, whose drive holds the stimulus'
mean and the synapses' exact states at whatever share of the step the solver asks for; then spikes are found, synapses flow
to ``t_(n+1)``, and what arrives then is received. Networks on several devices run the same code on the neurons of each, with
the spikes gathered. A lone cell is a network of one block.
"""

import functools
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from ..cells.protocol import Inject
from ..mechanisms.transmission import Followed
from ..state import NetworkState, State
from .clamping import current, led
from .delivery import WORD, blocks, n_words, pack, product, toward, walk
from .drive import Drive
from .electrical import Halfway, shared
from .joined import stepped
from .let_in import let_in
from .plan import Carry, Parts, Path, Plan, Times, count_of, is_source
from .spike import crossed, spike

# ---- both ends of a run --------------------------------------------------------------------------------------------


def initial(plan: Plan, parts: Parts, dtype: Any, walking: bool) -> NetworkState:
    """The state at the start: cells at rest, synapses at their initial state, nothing under way."""
    cells = {
        name: cell.initial_state(parts.clamps[name].before() if name in parts.clamps else None)
        for name, cell in parts.blocks.items()
        if not is_source(cell)
    }
    synapses, sources, rings = {}, {}, {}
    for path in plan.paths:
        synapse, plasticity, _, start = parts.pathways[path.label]
        state = synapse.initial(_over(plan, path), dtype)
        if state:
            head = next(iter(synapse.states))
            state[head] = state[head] + jnp.asarray(start, dtype)
        synapses[path.label] = state
        follower = synapse.source_initial if isinstance(synapse, Followed) else plasticity and plasticity.initial
        sources[path.label] = follower(dict(plan.sizes)[path.pre[0]], dtype) if follower else {}
        rings[path.label] = _no_spikes(plan, path, parts, dtype, walking)
    return NetworkState(cells, synapses, sources, rings, jnp.zeros((), jnp.int32))


def _over(plan: Plan, path: Path) -> tuple[int, ...]:
    """The shape of the states of a path's synapses."""
    post = _targets(plan, path)
    return post if path.lanes == 1 else (path.lanes, count_of(post))


def _targets(plan: Plan, path: Path) -> tuple[int, ...]:
    return path.size or dict(plan.sizes)[path.post]


def _kinds(synapse: Any) -> tuple[int, ...]:
    """Trailing shape of what arrives."""
    return (2,) if isinstance(synapse, Followed) else ()


def _no_spikes(plan: Plan, path: Path, parts: Parts, dtype: Any, walking: bool) -> Any:
    """A ring with nothing under way, what arrives next first; None where nothing waits."""
    synapse = parts.pathways[path.label][0]
    if path.delay is None:
        lanes = () if path.lanes == 1 else (path.lanes,)
        return jnp.zeros((path.longest + 1, *lanes, count_of(_targets(plan, path)), *_kinds(synapse)), dtype)
    if not path.delay:
        return None
    if walking and sends_ones(parts, path):
        return jnp.zeros((path.delay, _source_words(plan, path)), jnp.uint32)
    n_pre = sum(count_of(dict(plan.sizes)[name]) for name in path.pre) * plan.devices
    if walking and len(path.pre) > 1:
        n_pre = _source_words(plan, path) * WORD
    return jnp.zeros((path.delay, n_pre, *_kinds(synapse)), dtype)


def sends_ones(parts: Parts, path: Path) -> bool:
    """Whether all that a source sends is that it spiked, so that a bit holds it."""
    synapse, plasticity, _, _ = parts.pathways[path.label]
    return not _kinds(synapse) and plasticity is None and not path.several


def _source_words(plan: Plan, path: Path) -> int:
    return sum(n_words(count_of(dict(plan.sizes)[name])) for name in path.pre) * plan.devices


def start(plan: Plan, parts: Parts, state: NetworkState, dt: Any) -> tuple[Carry, dict[str, Any]]:
    """The carry and the ages of its blocks, see `Times`. Rings get the slot that is written before another is read."""
    cells, ages = {}, {}
    for name, x in state.cells.items():
        if name in plan.held:
            clamp = parts.clamps[name]
            x = x._replace(V=jnp.broadcast_to(clamp.command.at(clamp.origin, 0.0), x.V.shape))
        if pin := plan.pin(name):
            clamp = parts.clamps[name]
            x = x._replace(V=x.V.at[pin.node].set(clamp.command.at(clamp.origin, 0.0)))
        cells[name], first = plan.method(name).start(parts.blocks[name], x, dt)
        ages[name] = jnp.asarray(first, jnp.int32)
    rings = {}
    for path in plan.paths:
        ring = state.rings[path.label]
        if ring is not None and path.delay is None:
            ring = ring.astype(path.counts or ring.dtype)
        added = None if ring is None else jnp.pad(ring, [(0, 1)] + [(0, 0)] * (ring.ndim - 1))
        rings[path.label] = added if path.delay is None or added is None else jnp.roll(added, 1, 0)
    return Carry(cells, state.synapses, state.sources, rings), ages


def state_of(plan: Plan, parts: Parts, carry: Carry, times: Times, n: Any, dt: Any) -> NetworkState:
    """The state before step `n`, all of it at one time; rings turned so that what arrives next stands first."""
    cells = {
        name: plan.method(name).state(parts.blocks[name], x, n + times.ages[name], dt)
        for name, x in carry.cells.items()
    }
    own = {path.label: path for path in plan.paths if path.delay is None}
    rings = {}
    for label, ring in carry.rings.items():
        turned = None if ring is None else jnp.roll(ring, -n, axis=0)
        if turned is not None and label in own:
            turned = turned[:-1].astype(dt.dtype if own[label].counts else turned.dtype)
        rings[label] = turned if turned is None or label in own else turned[1:]
    return NetworkState(cells, carry.synapses, carry.sources, rings, times.past + jnp.asarray(n, jnp.int32))


# ---- one step ------------------------------------------------------------------------------------------------------


def step(
    plan: Plan, parts: Parts, carry: Carry, times: Times, n: Any, dt: Any, walking: bool
) -> tuple[Carry, dict[str, Array]]:
    """The carry after step `n`, and who spiked in it: by block, of its shape, True or the surrogate's 1.0; of sources how often."""
    spiked, begun = {}, carry.cells
    first = (times.past + n) % 2 == 0
    cells, moved = dict(begun), _shared(plan, parts, begun, dt, first)
    coupled = {name for junction in plan.junctions for name in (junction.pre, junction.post)}
    joined, drives = {name for joint in plan.joints for name, _ in joint.nodes}, {}
    for name, block in parts.blocks.items():
        if is_source(block):
            spiked[name] = _share(plan, block.spikes(times.origin + n, times.past + n))
            continue
        drive = _drive(plan, parts, name, carry, times.origin + n, dt)
        if name in joined:
            drives[name] = drive
            continue
        start_from = moved[name]
        if name in coupled and getattr(plan.solver, "staggered", False):
            block: Any = Halfway(block, plan.solver.voltage(moved[name]))
            start_from = begun[name]
        if name in parts.clamps:
            block = led(block, drive, plan.solver)
        cells[name] = plan.method(name).step(block, start_from, n + times.ages[name], dt, drive)
    for joint in plan.joints:
        age = times.ages[joint.nodes[0][0]]
        cells |= stepped(joint, parts, begun, n + age, dt, drives, plan.solver)
    cells = _shared(plan, parts, cells, dt, ~first)
    if plan.paths or plan.events or plan.counted:
        for name, after in cells.items():
            block, method = parts.blocks[name], plan.method(name)
            V0, V1 = block.spiking(method.voltage(begun[name])), block.spiking(method.voltage(after))
            threshold = jnp.asarray(block.V_th, V1.dtype)
            spiked[name] = crossed(V0, V1, threshold) if walking else spike(V0, V1, threshold)
    return _communicate(plan, parts, carry._replace(cells=cells), spiked, n, dt, walking), spiked


def _shared(plan: Plan, parts: Parts, cells: dict[str, Any], dt: Any, now: Any) -> dict[str, Any]:
    """After a step of gap junctions, where there are any, and if it is `now`."""
    if not plan.junctions:
        return cells
    share = functools.partial(
        shared, plan.junctions, parts, dt=dt, solver=plan.solver, axis=plan.axis, devices=plan.devices
    )
    return lax.cond(now, share, lambda cells: cells, cells)


def _drive(plan: Plan, parts: Parts, name: str, carry: Carry, n: Any, dt: Any) -> Drive:
    """What is put into the cells of a block in step `n`: its stimulus, and its synapses at the time asked for."""
    here = [path for path in plan.paths if path.post == name]
    stimulus, part = parts.stimuli.get(name), functools.partial(_part, plan, dict(plan.sizes)[name])
    clamp = parts.clamps.get(name)
    if not here:
        return Drive(n, stimulus, None, part, clamp)
    cell, old = parts.blocks[name], plan.method(name).voltage(carry.cells[name])

    def synapses(share: Any) -> Inject:
        states = {
            path.label: parts.pathways[path.label][0].flow(carry.synapses[path.label], _on_lanes(path, share * dt))
            for path in here
        }

        def inject(V: Array) -> Array:
            total: Any = 0.0
            for path in here:
                synapse = parts.pathways[path.label][0]
                total = total + let_in(path, synapse, states[path.label], old if path.frozen else V, cell)
            return total

        return inject

    return Drive(n, stimulus, synapses, part, clamp)


def clamp_current(plan: Plan, parts: Parts, name: str, carry: Carry, state: State, n: Any, dt: Any) -> Array:
    """The current through the clamp of a block before step `n`, of which `state` are the cells then."""
    drive = _drive(plan, parts, name, carry, n, dt)
    return current(parts.blocks[name], drive, state, plan.solver, dt, plan.pin(name))


def _on_lanes(path: Path, time: Any) -> Any:
    """A time, for all or by neuron, over the lanes of a path."""
    return time if path.lanes == 1 or jnp.ndim(time) == 0 else time.reshape(1, -1)


def _part(plan: Plan, size: tuple[int, ...], amount: Any) -> Any:
    """Of a current this device's part: what is drawn or given at once is that of the whole block."""
    return _share(plan, amount) if jnp.ndim(amount) and jnp.shape(amount) != size else amount


def _communicate(
    plan: Plan, parts: Parts, carry: Carry, spiked: Mapping[str, Array], n: Any, dt: Any, walking: bool
) -> Carry:
    synapses, sources, rings = dict(carry.synapses), dict(carry.sources), dict(carry.rings)
    sending = {name for path in plan.paths for name in path.pre}
    words = {name: _gathered(plan, pack(_flags(spiked[name]))) for name in sending} if walking else {}
    shared = _abreast(plan, parts, words) if walking else {}
    for path in plan.paths:
        label = path.label
        synapse, _, weight, _ = parts.pathways[label]
        dtype = jnp.result_type(*jax.tree.leaves(synapses[label]), jnp.float32)
        after = synapse.flow(synapses[label], dt)
        if label in shared:
            arrived = shared[label].astype(dtype)
        else:
            old = carry.sources[label]
            sources[label], who, amounts = _sent(plan, parts, path, old, spiked, words, dtype, dt, walking)
            arrived, rings[label] = _delivered(plan, path, parts, who, amounts, rings[label], n, dtype, walking)
        arrived = arrived.reshape(*_over(plan, path), *_kinds(synapse))
        if path.uniform:
            arrived = arrived * jnp.asarray(weight, dtype)
        synapses[label] = synapse.receive(after, arrived)
    return Carry(carry.cells, synapses, sources, rings)


def _flags(spiked: Array) -> Array:
    """Who spiked. Flags stay what they are: XLA then sees that those that are sent and those that are kept are packed alike."""
    return spiked.ravel() if spiked.dtype == bool else spiked.ravel() != 0


def _abreast(plan: Plan, parts: Parts, words: Mapping[str, Array]) -> dict[str, Array]:
    """What arrives by paths that share a walk."""
    found = {}
    for path, labels, lanes in plan.abreast:
        who, each = jnp.concatenate([words[name] for name in path.pre]), count_of(_targets(plan, path))
        nothing = jnp.zeros(path.lanes * each, path.counts or parts.blocks[path.post].V.dtype)
        arrived = _send(plan, path, parts, who, None, nothing, None, True)
        ends = itertools.accumulate(n * each for n in lanes)
        found |= {label: arrived[end - n * each : end] for label, n, end in zip(labels, lanes, ends, strict=True)}
    return found


def _sent(
    plan: Plan, parts: Parts, path: Path, state: Any, spiked: Mapping[str, Array], words: Mapping[str, Array],
    dtype: Any, dt: Any, walking: bool,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """States of the sources after the step, words of who sends, and what each sends; None where that is 1."""
    synapse, plasticity, _, _ = parts.pathways[path.label]
    who = jnp.concatenate([words[name] for name in path.pre]) if walking else None
    if not isinstance(synapse, Followed) and plasticity is None:
        if walking and not path.several:
            return state, who, None
        filled = walking and len(path.pre) > 1  # as words are: each block's last word has places that no source has
        amounts = [_filled(spiked[name].astype(dtype).ravel(), filled) for name in path.pre]
        return state, who, jnp.concatenate([_gathered(plan, x) for x in amounts])
    (name,) = path.pre
    number = spiked[name].astype(dtype)
    flags = jnp.minimum(number, 1) if path.several else number
    if isinstance(synapse, Followed):
        state, events, share = synapse.source_emit(synapse.source_flow(state, dt), flags, dt)
        amounts = events[..., None] * share
        if walking:
            who = _gathered(plan, pack((events != 0).ravel()))
    else:
        assert plasticity is not None
        state, sent = plasticity.release(plasticity.flow(state, dt), flags)
        amounts = sent * number
    return state, who, _gathered(plan, amounts.reshape(flags.size, *amounts.shape[flags.ndim :]))


def _filled(amounts: Array, whole_words: bool) -> Array:
    return jnp.pad(amounts, (0, -amounts.shape[0] % WORD)) if whole_words else amounts


def _gathered(plan: Plan, local: Array) -> Array:
    """From this device's part the whole."""
    return local if plan.axis is None else lax.all_gather(local, plan.axis, tiled=True)


def _share(plan: Plan, whole: Array) -> Array:
    """Of the whole this device's part."""
    if plan.axis is None:
        return whole
    each = whole.shape[0] // plan.devices
    return lax.dynamic_slice_in_dim(whole, lax.axis_index(plan.axis) * each, each)


def _delivered(
    plan: Plan, path: Path, parts: Parts, words: Any, amounts: Any, ring: Any, n: Any, dtype: Any, walking: bool
) -> tuple[Array, Any]:
    """What arrives at the end of step n, and the ring after it.

    A ring is written before it is read: XLA would copy one whole whose slot is read before another is written.
    """
    kinds = _kinds(parts.pathways[path.label][0])
    places = path.lanes * count_of(_targets(plan, path))
    nothing = jnp.zeros((places, *kinds), (path.counts if walking else "") or dtype)
    if path.delay is None:
        slots = path.longest + 2
        flat = ring.reshape(slots * places, *kinds)
        emptied = (n + slots - 1) % slots  # it was read in the step before
        flat = lax.dynamic_update_slice_in_dim(flat, nothing.astype(flat.dtype), emptied * places, 0)
        flat = _send(plan, path, parts, words, amounts, flat, n % slots * places, walking)
        arrived = lax.dynamic_slice_in_dim(flat, n % slots * places, places)
        return arrived.astype(dtype), flat.reshape(ring.shape)
    if not path.delay:
        return _send(plan, path, parts, words, amounts, nothing, None, walking).astype(dtype), ring
    slots = path.delay + 1
    waits = words if walking and amounts is None else amounts
    ring = lax.dynamic_update_slice_in_dim(ring, waits[None], n % slots, 0)
    comes = lax.dynamic_index_in_dim(ring, (n + 1) % slots, keepdims=False)
    if walking and amounts is None:
        return _send(plan, path, parts, comes, None, nothing, None, walking).astype(dtype), ring
    who = _packed(plan, path, _any(comes) != 0) if walking else None
    return _send(plan, path, parts, who, comes, nothing, None, walking), ring


def _packed(plan: Plan, path: Path, flags: Array) -> Array:
    """Flags of all sources as words, as each device sends those of its own."""
    if plan.devices == 1 or len(path.pre) > 1:
        return pack(flags)
    return jax.vmap(pack)(flags.reshape(plan.devices, -1)).ravel()


def _any(amounts: Array) -> Array:
    return amounts if amounts.ndim == 1 else jnp.max(jnp.abs(amounts), axis=-1)


def _send(
    plan: Plan, path: Path, parts: Parts, words: Any, amounts: Any, out: Array, base: Any, walking: bool
) -> Array:
    """Add to `out` what is sent; `words` in as many blocks as there are devices."""
    synapses = parts.synapses[path.label]
    if not walking:
        return product(synapses, amounts, out, base)
    each = count_of(dict(plan.sizes)[path.pre[0]]) if plan.devices > 1 and len(path.pre) == 1 else None
    if synapses.senders is not None:
        words = words & jnp.asarray(synapses.senders)
    deliver: Callable[..., Array] = blocks if plan.lanes else walk
    if synapses.inward is not None:
        return toward(deliver, synapses, words, amounts, out, path.first, each)
    return deliver(synapses, words, amounts, out, path.first, base, each)
