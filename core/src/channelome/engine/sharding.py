"""A network over several devices: each holds a share of every population and the synapses onto it.

Only spikes travel: in each step every device gathers the packed spikes of all, a bit per neuron, and delivers them to its
own neurons. A neuron receives its spikes in the same order as on one device, so the results are the same; to the last bit
where a device's share fills the processor's vectors (a multiple of 16 neurons), since compilers round what is left over otherwise.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from ..errors import ModelError
from ..networks.edges import Edges
from ..networks.rows import NOWHERE, Rows, laid_out, n_rows_of, rows_of
from ..state import NetworkState
from .blocks import by_neuron, resized
from .delivery import WORD
from .layout import Bundle, Layout, in_words, numbers
from .loops import Chunk, Running, begin, chunk, compiler_options, finish
from .plan import Carry, Parts, Path, Plan, Times, is_source
from .request import at_least_one
from .step import initial, state_of
from .wires import numbered, places_of, weights_of, words_of

AXIS = "neurons"
_WHOLE, _SHARED = PartitionSpec(), PartitionSpec(AXIS)
_LANES, _RING_OF_LANES = PartitionSpec(None, AXIS), PartitionSpec(None, None, AXIS)


def mesh_of(devices: int | Sequence[Any]) -> Mesh:
    """The devices as a mesh of one axis.

    Args:
        devices: how many, of those that JAX sees (all processes' together), or which.

    Raises:
        ModelError: where there are not so many.
    """
    there = jax.devices()
    if isinstance(devices, str) or not isinstance(devices, Sequence | np.ndarray) or not np.ndim(devices):
        number = at_least_one("devices", devices, "a number of devices, or a list of them")
        if number > len(there):
            raise ModelError(
                f"devices={number}, but JAX sees {len(there)}. On a CPU more of them are had by "
                f"jax.config.update('jax_num_cpu_devices', {number}) before anything else."
            )
        devices = there[:number]
    if not len(devices) or not all(isinstance(device, jax.Device) for device in devices):
        raise ModelError(f"devices must be a number of devices, or a list of JAX's, not {devices!r}.")
    return Mesh(np.asarray(devices), (AXIS,))


def check_shares(sizes: Sequence[tuple[str, tuple[int, ...]]], n: int) -> None:
    for name, size in sizes:
        if len(size) != 1 or size[0] % n:
            raise ModelError(
                f"'{name}' of shape {size} cannot be shared by {n} devices: give it one axis and a size that is a multiple of {n}."
            )


def shares_for(layout: Layout, path: Path, bundle: Bundle, n: int, dtype: Any) -> Rows:
    """The rows of a path's synapses, those onto each device's neurons apart: a leading axis over devices."""
    whole = math.prod(layout.places[bundle.members[0].pathway.wiring.post].whole)
    each, count = whole // n, _count(layout, bundle)
    sources = np.concatenate([numbered(layout, bundle, member) for member in bundle.members])
    places = np.concatenate([places_of(layout, path, bundle, member) for member in bundle.members])
    weights = None if path.uniform else weights_of(bundle, dtype)
    if len(bundle.members) > 1:
        order = np.argsort(sources, kind="stable")
        sources, places = sources[order], places[order]
        weights = None if weights is None else weights[order]
    row, target = np.divmod(places, whole)  # one row of places for each lane, and of each delay
    owner, target = np.divmod(target, each)
    masks = [owner == device for device in range(n)]
    parts = [
        Edges(np.bincount(sources[m], minlength=count), (row * each + target)[m].astype(np.int32), each) for m in masks
    ]
    width, split = _common(parts)
    shapes = [rows_of(part.counts, width, split) for part in parts]
    n_rows = max(n_rows_of(shape) for shape in shapes)
    targets = [laid_out(shape, part.targets, NOWHERE, n_rows) for shape, part in zip(shapes, parts, strict=True)]
    own = None
    if weights is not None:
        own = np.stack([laid_out(shape, weights[m], 0.0, n_rows) for shape, m in zip(shapes, masks, strict=True)])
    starts = np.stack([shape.starts for shape in shapes if shape.starts is not None]) if split else None
    senders = _senders(layout, bundle, np.bincount(sources, minlength=count) > 0)
    return Rows(starts, np.stack(targets), own, np.broadcast_to(senders, (n, *senders.shape)))


def _senders(layout: Layout, bundle: Bundle, sends: np.ndarray) -> np.ndarray:
    """Words, as all devices send them, whose set bits are the sources that have synapses."""
    if len(bundle.pre) > 1:
        return words_of(sends)
    block = next(iter(bundle.pre))
    flags = np.zeros(-(-numbers(layout, bundle) // WORD) * WORD, bool)
    flags[in_words(layout, bundle, block)] = sends
    return words_of(flags)


def _count(layout: Layout, bundle: Bundle) -> int:
    return math.prod(layout.places[bundle.pre[0]].whole) if len(bundle.pre) == 1 else numbers(layout, bundle)


def _common(parts: list[Edges]) -> tuple[int, bool]:
    """The width of rows, and whether sources have several, that suits the most demanding device."""
    shapes = [rows_of(part.counts) for part in parts]
    split = any(shape.starts is not None for shape in shapes)
    return max(shape.width for shape in shapes if (shape.starts is not None) == split), split


def local_plan(plan: Plan, mesh: Mesh) -> Plan:
    """The plan of one device's share. Records are of whole populations: who asked for a part takes it afterwards."""
    n, sizes = mesh.size, dict(plan.sizes)
    records = []
    for r in plan.records:
        here = sizes[r.over][0] // n
        records.append(r._replace(first=0, stop=here, by=1, listed=None, shape=(here,)))
    return plan._replace(
        sizes=tuple((name, (size[0] // n,)) for name, size in plan.sizes), records=tuple(records), axis=AXIS, devices=n
    )


def local_parts(plan: Plan, parts: Parts) -> Parts:
    """Cells that know the size of one device's share; their arrays are whole still, and the mesh divides them."""
    sizes = dict(plan.sizes)
    return parts._replace(
        blocks={name: x if is_source(x) else resized(x, sizes[name]) for name, x in parts.blocks.items()}
    )


@functools.cache
def compiled_initial() -> Any:
    """The state at the start, computed as on one device."""
    return jax.jit(initial, static_argnums=(0, 2), compiler_options=compiler_options())


def _specs(plan: Plan, parts: Parts) -> Parts:
    """Which axis of each argument is shared: of what belongs to neurons theirs, of synapses the one over devices."""

    def over(x: Any) -> PartitionSpec:
        """Parameters are numbers, arrays over neurons, or arrays over lanes and neurons."""
        return (_WHOLE, _SHARED, _LANES)[jax.numpy.ndim(x)]

    def along(axis: int, x: Any) -> PartitionSpec:
        return PartitionSpec(*[None] * axis, AXIS) if 0 <= axis < jax.numpy.ndim(x) else _WHOLE

    def rows(x: Any) -> Any:
        return jax.tree.map(lambda _: _SHARED if isinstance(x, Rows) else _WHOLE, x)

    return Parts(
        {name: jax.tree.map((lambda _: _WHOLE) if is_source(x) else over, x) for name, x in parts.blocks.items()},
        {label: jax.tree.map(over, x) for label, x in parts.pathways.items()},
        {label: rows(x) for label, x in parts.synapses.items()},
        {name: jax.tree.map(along, x.neurons(), x) if by_neuron(x) else _WHOLE for name, x in parts.stimuli.items()},
        {},
    )


def _state_specs(plan: Plan, state: NetworkState) -> NetworkState:
    """What sources sent is whole on every device."""
    cells = jax.tree.map(lambda x: _SHARED if jax.numpy.ndim(x) else _WHOLE, state.cells)
    return NetworkState(cells, _synapse_specs(plan), _SHARED, _WHOLE, _WHOLE)  # pyright: ignore


def _synapse_specs(plan: Plan) -> dict[str, PartitionSpec]:
    return {path.label: _SHARED if path.lanes == 1 else _LANES for path in plan.paths}


def _running_specs(plan: Plan) -> Running:
    waiting = {path.label: _LANES if path.lanes == 1 else _RING_OF_LANES for path in plan.paths}
    rings = {path.label: waiting[path.label] if path.delay is None else _WHOLE for path in plan.paths}
    return Running(Carry(_SHARED, _synapse_specs(plan), _SHARED, rings, _WHOLE), _WHOLE)  # pyright: ignore


def _with_scalars(running: Running, like: Running) -> Running:
    """Scalars of the solver's carry, which travel as vectors of one for each device, since only what has an axis can be shared."""
    cells = jax.tree.map(lambda x, y: x.reshape(y.shape), running.carry.cells, like.carry.cells)
    return running._replace(carry=running.carry._replace(cells=cells))


def _as_vectors(running: Running) -> Running:
    cells = jax.tree.map(lambda x: x[None] if x.ndim == 0 else x, running.carry.cells)
    return running._replace(carry=running.carry._replace(cells=cells))


def _own(parts: Parts) -> Parts:
    """One device's rows; gap junctions are whole on each."""
    rows = {label: jax.tree.map(lambda y: y[0], x) if isinstance(x, Rows) else x for label, x in parts.synapses.items()}
    return parts._replace(synapses=rows)


@functools.cache
def begun_shares(mesh: Mesh) -> Any:
    """`loops.begin` on every device's share, from a state of the whole."""

    def program(plan: Plan, parts: Parts, state: NetworkState, dt: Any) -> Running:
        def share(parts: Parts, state: NetworkState, dt: Any) -> Running:
            return _as_vectors(begin(plan, _own(parts), state, dt))

        shared = jax.shard_map(
            share, mesh=mesh, in_specs=(_specs(plan, parts), _state_specs(plan, state), _WHOLE),
            out_specs=_running_specs(plan), check_vma=False,
        )  # fmt: skip
        return shared(parts, state, dt)

    return jax.jit(program, static_argnums=0)


@functools.cache
def compiled_shares(mesh: Mesh) -> Any:
    """`loops.chunk` on every device's share; arguments and results are those of the whole."""

    def program(
        plan: Plan, length: int, parts: Parts, running: Any, times: Times, dt: Any, first: Any, count: Any
    ) -> Chunk:
        def share(parts: Parts, running: Any, times: Times, dt: Any, first: Any, count: Any) -> Chunk:
            own = _own(parts)
            like = _like(plan, own, dt)
            out = chunk(plan, length, own, _with_scalars(running, like), times, dt, first, count)
            return out._replace(running=_as_vectors(out.running))

        samples: Any = {record.name: PartitionSpec(None, AXIS) for record in plan.records}
        words: Any = {name: PartitionSpec(None, None, AXIS) for name in plan.events}
        numbers: Any = {name: PartitionSpec(None, None, AXIS) for name in plan.numbers}
        shared = jax.shard_map(
            share, mesh=mesh,
            in_specs=(_specs(plan, parts), _running_specs(plan), _WHOLE, _WHOLE, _WHOLE, _WHOLE),
            out_specs=Chunk(_running_specs(plan), samples, words, {}, numbers), check_vma=False,
        )  # fmt: skip
        return shared(parts, running, times, dt, first, count)

    return jax.jit(program, static_argnums=(0, 1), compiler_options=compiler_options())


@functools.cache
def finished_shares(mesh: Mesh) -> Any:
    """`loops.finish` on every device's share."""

    def program(plan: Plan, parts: Parts, running: Any, times: Times, n: Any, dt: Any) -> NetworkState:
        def share(parts: Parts, running: Any, times: Times, n: Any, dt: Any) -> NetworkState:
            own = _own(parts)
            like = _like(plan, own, dt)
            return finish(plan, own, _with_scalars(running, like), times, n, dt)

        specs = _specs(plan, parts)
        alone = plan._replace(axis=None)
        made = jax.eval_shape(
            lambda p, h: state_of(alone, p, *_at_rest(alone, p, h), np.int32(0), h), _local(parts, specs, mesh.size), dt
        )
        given = (specs, _running_specs(plan), _WHOLE, _WHOLE, _WHOLE)
        out = _state_specs(plan, made)
        return jax.shard_map(share, mesh=mesh, in_specs=given, out_specs=out, check_vma=False)(
            parts, running, times, n, dt
        )

    return jax.jit(program, static_argnums=0)


def _like(plan: Plan, parts: Parts, dt: Any) -> Running:
    """The shapes of a carry on one device."""
    return jax.eval_shape(lambda: begin(plan, parts, None, dt))


def _local(tree: Any, specs: Any, devices: int) -> Any:
    """The shapes that one device sees."""

    def leaf(x: Any, spec: PartitionSpec) -> Any:
        shape = [n // devices if axis < len(spec) and spec[axis] else n for axis, n in enumerate(jax.numpy.shape(x))]
        return jax.ShapeDtypeStruct(tuple(shape), x.dtype)

    return jax.tree.map(leaf, tree, specs)


def _at_rest(plan: Plan, parts: Parts, dt: Any) -> tuple[Carry, Times]:
    running = begin(plan, parts, None, dt)
    return running.carry, Times(np.int32(0), np.int32(0), running.ages)
