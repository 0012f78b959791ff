"""One step of a model, and what stands at both ends of a run: the compiled part of all of them.

In step n, from ``t_n`` to ``t_(n+1)``, every block of cells goes one step of the solver, whose drive holds the stimulus'
mean and the synapses' exact states at whatever share of the step the solver asks for; then spikes are found, synapses flow
to ``t_(n+1)``, and what arrives then is received. Networks on several devices run the same code on the neurons of each, with
the spikes gathered. A lone cell is a network of one block.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from ..cells.protocol import Inject
from ..mechanisms.transmission import Followed
from ..state import NetworkState, State
from .blocks import by_neuron
from .clamping import current, led
from .delivery import WORD, pack
from .drive import Drive, Parted
from .electrical import Halfway, shared
from .joined import stepped
from .let_in import let_in
from .plan import Carry, Parts, Path, Plan, Times, count_of, is_source
from .rings import abreast, delivered, kept, kinds_of, sent_before, started, targets_of
from .spike import crossed, spike

# ---- both ends of a run --------------------------------------------------------------------------------------------


def initial(plan: Plan, parts: Parts, dtype: Any) -> NetworkState:
    """The state at the start: cells at rest, synapses at their initial state, nothing under way."""
    cells = {
        name: cell.initial_state(_clamp(plan, parts, name).before() if name in parts.clamps else None)
        for name, cell in parts.blocks.items()
        if not is_source(cell)
    }
    synapses, sources = {}, {}
    for path in plan.paths:
        synapse, plasticity, _, start = parts.pathways[path.label]
        state = synapse.initial(_over(plan, path), dtype)
        if state:
            head = next(iter(synapse.states))
            state[head] = state[head] + jnp.asarray(start, dtype)
        synapses[path.label] = state
        follower = synapse.source_initial if isinstance(synapse, Followed) else plasticity and plasticity.initial
        sources[path.label] = follower(dict(plan.sizes)[path.pre[0]], dtype) if follower else {}
    return NetworkState(cells, synapses, sources, dict.fromkeys(synapses), jnp.zeros((), jnp.int32))


def _over(plan: Plan, path: Path) -> tuple[int, ...]:
    """The shape of the states of a path's synapses."""
    post = targets_of(plan, path)
    return post if path.lanes == 1 else (path.lanes, count_of(post))


def start(plan: Plan, parts: Parts, state: NetworkState, dt: Any, walking: bool) -> tuple[Carry, dict[str, Any]]:
    """The carry and the ages of its blocks, see `Times`."""
    cells, ages = {}, {}
    for name, x in state.cells.items():
        if name in plan.held:
            clamp = _clamp(plan, parts, name)
            x = x._replace(V=jnp.broadcast_to(clamp.command.at(clamp.origin, 0.0), x.V.shape))
        if pin := plan.pin(name):
            clamp = _clamp(plan, parts, name)
            x = x._replace(V=x.V.at[pin.node].set(clamp.command.at(clamp.origin, 0.0)))
        cells[name], first = plan.method(name).start(parts.blocks[name], x, dt)
        ages[name] = jnp.asarray(first, jnp.int32)
    rings, sent = {}, {}
    for path in plan.paths:
        before = state.rings[path.label]
        rings[path.label], sent[path.label] = started(plan, parts, path, before, dt.dtype, walking)
    return Carry(cells, state.synapses, state.sources, rings, sent), ages


def state_of(plan: Plan, parts: Parts, carry: Carry, times: Times, n: Any, dt: Any) -> NetworkState:
    """The state before step `n`, all of it at one time."""
    cells = {
        name: plan.method(name).state(parts.blocks[name], x, n + times.ages[name], dt)
        for name, x in carry.cells.items()
    }
    under_way = [path for path in plan.paths if path.label in carry.rings]
    rings = {path.label: sent_before(path, carry.rings[path.label], carry.sent[path.label], n) for path in under_way}
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
        cells |= stepped(joint, parts, begun, n + age, dt, drives, plan.solver, plan.axis, plan.devices)
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
    stimulus = _on_this(plan, parts.stimuli.get(name), not parts.blocks[name].pointwise)
    clamp = _clamp(plan, parts, name)
    if not here:
        return Drive(n, stimulus, None, clamp)
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

    return Drive(n, stimulus, synapses, clamp)


def clamp_current(plan: Plan, parts: Parts, name: str, carry: Carry, state: State, n: Any, dt: Any) -> Array:
    """The current through the clamp of a block before step `n`, of which `state` are the cells then."""
    drive = _drive(plan, parts, name, carry, n, dt)
    return current(parts.blocks[name], drive, state, plan.solver, dt, plan.pin(name))


def _on_lanes(path: Path, time: Any) -> Any:
    """A time, for all or by neuron, over the lanes of a path."""
    return time if path.lanes == 1 or jnp.ndim(time) == 0 else time.reshape(1, -1)


def _on_this(plan: Plan, current: Any, over_nodes: bool = False) -> Any:
    """A stimulus or a command; on several devices that of this one's neurons."""
    if plan.axis is None or current is None or by_neuron(current, over_nodes):
        return current

    def whole(x: Any) -> Any:
        return x if jnp.ndim(x) == 0 else _gathered(plan, x)

    def part(x: Any) -> Any:
        cells = min(jnp.ndim(x), 2) - 1  # nodes stand before them
        return x if cells < 0 or x.shape[cells] == 1 else _share(plan, x, cells)

    return Parted(current, whole, part)


def _clamp(plan: Plan, parts: Parts, name: str) -> Any:
    """What holds a block, or None."""
    clamp = parts.clamps.get(name)
    return clamp and dataclasses.replace(clamp, command=_on_this(plan, clamp.command))


def _communicate(
    plan: Plan, parts: Parts, carry: Carry, spiked: Mapping[str, Array], n: Any, dt: Any, walking: bool
) -> Carry:
    synapses, sources, rings, sent = (dict(x) for x in (carry.synapses, carry.sources, carry.rings, carry.sent))
    sending = {name for path in plan.paths for name in path.pre}
    words = {name: _gathered(plan, pack(_flags(spiked[name]))) for name in sending} if walking else {}
    together = abreast(plan, parts, words) if walking else {}
    for path in plan.paths:
        label = path.label
        synapse, _, weight, _ = parts.pathways[label]
        dtype = jnp.result_type(*jax.tree.leaves(synapses[label]), jnp.float32)
        after = synapse.flow(synapses[label], dt)
        if label in together:
            arrived = together[label].astype(dtype)
        else:
            old = carry.sources[label]
            sources[label], who, amounts = _sent(plan, parts, path, old, spiked, words, dtype, dt, walking)
            rings[label], arrived = delivered(plan, path, parts, who, amounts, rings[label], n, dtype, walking)
            if sent[label] is not None:
                sent[label] = kept(path, who, amounts, sent[label], n)
        arrived = arrived.reshape(*_over(plan, path), *kinds_of(synapse))
        if path.uniform:
            arrived = arrived * jnp.asarray(weight, dtype)
        synapses[label] = synapse.receive(after, arrived)
    return Carry(carry.cells, synapses, sources, rings, sent)


def _flags(spiked: Array) -> Array:
    """Who spiked. Flags stay what they are: XLA then sees that those that are sent and those that are kept are packed alike."""
    return spiked.ravel() if spiked.dtype == bool else spiked.ravel() != 0


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


def _share(plan: Plan, whole: Array, axis: int = 0) -> Array:
    """Of the whole this device's part."""
    if plan.axis is None:
        return whole
    each = whole.shape[axis] // plan.devices
    return lax.dynamic_slice_in_dim(whole, lax.axis_index(plan.axis) * each, each, axis)
