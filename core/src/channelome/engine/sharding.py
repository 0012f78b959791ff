"""A network over several devices: each holds a share of every population and the synapses onto it.

Only spikes travel: in each step every device gathers the packed spikes of all, a bit per neuron, and delivers them to its
own neurons. A neuron receives its spikes in the same order as on one device, so the results are the same; to the last bit
where a device's share fills the processor's vectors (a multiple of 16 neurons), since compilers round what is left over otherwise.
"""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from ..errors import ModelError
from ..networks.connect import Edges
from ..networks.rows import NOWHERE, Rows, laid_out, rows_of
from ..state import NetworkState
from .blocks import resized
from .delivery import WORD, n_words
from .layout import Bundle, Layout
from .loops import Chunk, Running, begin, chunk, compiler_options, finish
from .plan import Carry, Parts, Path, Plan, Times, is_source
from .step import initial, state_of
from .wires import words_of

AXIS = "neurons"
_WHOLE, _SHARED = PartitionSpec(), PartitionSpec(AXIS)


def mesh_of(devices: int | Sequence[Any]) -> Mesh:
    """The devices as a mesh of one axis.

    Args:
        devices: how many, of those that JAX sees (all processes' together), or which.

    Raises:
        ModelError: where there are not so many.
    """
    there = jax.devices()
    if isinstance(devices, int):
        if not 1 <= devices <= len(there):
            raise ModelError(
                f"devices={devices}, but JAX sees {len(there)}. On a CPU more of them are had by "
                f"jax.config.update('jax_num_cpu_devices', {devices}) before anything else."
            )
        devices = there[:devices]
    return Mesh(np.asarray(devices), (AXIS,))


def check_shares(sizes: Sequence[tuple[str, tuple[int, ...]]], n: int) -> None:
    for name, size in sizes:
        if len(size) != 1 or size[0] % n:
            raise ModelError(
                f"'{name}' of shape {size} cannot be shared by {n} devices: give it one axis and a size that is a multiple of {n}."
            )


def shares_for(layout: Layout, path: Path, bundle: Bundle, n: int, dtype: Any) -> Rows:
    """The rows of a projection's synapses, those onto each device's neurons apart: a leading axis over devices."""
    (member,) = bundle.members
    edges, first = member.pathway.wiring.edges, path.first
    each = edges.n_post // n if edges.n_post else layout.places[bundle.post].n // n
    weight = None if path.uniform else np.asarray(member.pathway.weight, dtype)
    delays = member.steps if path.delay is None else None
    owner, sources = edges.targets // each, edges.sources
    parts, masks = [], []
    for device in range(n):
        mine = owner == device
        counts = np.bincount(sources[mine], minlength=edges.counts.size)
        places = edges.targets[mine] - np.int32(device * each)
        late = 0 if delays is None else np.broadcast_to(delays, owner.shape)[mine] * np.int32(each)
        parts.append(Edges(counts, (places + late).astype(np.int32), each))
        masks.append(mine)
    width, split = _common(parts)
    shapes = [rows_of(part, width, split) for part in parts]
    n_rows = max(shape.counts.size for shape in shapes)
    targets = [laid_out(shape, part.targets, NOWHERE, n_rows) for shape, part in zip(shapes, parts, strict=True)]
    weights = None
    if weight is not None:
        weights = np.stack(
            [laid_out(shape, weight[mine], 0.0, n_rows) for shape, mine in zip(shapes, masks, strict=True)]
        )
    starts = np.stack([shape.starts for shape in shapes if shape.starts is not None]) if split else None
    pre = layout.places[member.pathway.wiring.pre].n
    senders = _senders(pre // n, n, first, first + edges.counts.size)
    return Rows(starts, np.stack(targets), weights, np.broadcast_to(senders, (n, *senders.shape)))


def _senders(each: int, devices: int, first: int, stop: int) -> np.ndarray:
    """Words, in blocks of `each` flags, whose set bits are the neurons from `first` to `stop`."""
    flags = np.zeros(each * devices, bool)
    flags[first:stop] = True
    return words_of(np.pad(flags.reshape(devices, each), ((0, 0), (0, n_words(each) * WORD - each))).ravel())


def _common(parts: list[Edges]) -> tuple[int, bool]:
    """The width of rows, and whether sources have several, that suits the most demanding device."""
    shapes = [rows_of(part) for part in parts]
    split = any(shape.starts is not None for shape in shapes)
    return max(shape.width for shape in shapes if (shape.starts is not None) == split), split


def local_plan(plan: Plan, mesh: Mesh) -> Plan:
    """The plan of one device's share. Records are of whole populations: who asked for a part takes it afterwards."""
    n, sizes = mesh.size, dict(plan.sizes)
    home = {path.label: path.post for path in plan.paths} | {name: name for name in sizes}
    records = tuple(
        r._replace(first=0, stop=sizes[home[r.part]][0] // n, by=1, shape=(sizes[home[r.part]][0] // n,))
        for r in plan.records
    )
    return plan._replace(
        sizes=tuple((name, (size[0] // n,)) for name, size in plan.sizes), records=records, axis=AXIS, devices=n
    )


def local_parts(plan: Plan, parts: Parts) -> Parts:
    """Cells that know the size of one device's share; their arrays are whole still, and the mesh divides them."""
    sizes = dict(plan.sizes)
    return parts._replace(
        blocks={name: x if is_source(x) else resized(x, sizes[name]) for name, x in parts.blocks.items()}
    )


def initial_shares(whole: Plan, parts: Parts, dtype: Any, devices: int) -> NetworkState:
    """The state at the start, computed as on one device, with rings as several gather spikes."""
    state, sizes = (
        jax.jit(initial, static_argnums=(0, 2, 3), compiler_options=compiler_options())(whole, parts, dtype, True),
        dict(whole.sizes),
    )
    rings = dict(state.rings)
    for path in whole.paths:
        ring = rings[path.label]
        if ring is not None and ring.dtype == np.uint32:
            words = devices * n_words(sizes[path.pre[0]][0] // devices)
            rings[path.label] = np.zeros((ring.shape[0], words), np.uint32)
    return state._replace(rings=rings)


def _specs(plan: Plan, parts: Parts) -> Parts:
    """Which axis of each argument is shared: of cells and stimuli the one over neurons, of synapses the one over devices."""
    sizes = {name: size[0] * plan.devices for name, size in plan.sizes}
    ends = {path.label: (sizes[path.pre[0]], sizes[path.post]) for path in plan.paths}

    def over(tree: Any, *lengths: int) -> Any:
        """Parameters of mechanisms have one axis, over neurons, or none."""
        return jax.tree.map(
            lambda x: _SHARED if jax.numpy.shape(x)[:1] and jax.numpy.shape(x)[0] in lengths else _WHOLE, tree
        )

    def along(axis: int, x: Any, n: int) -> PartitionSpec:
        there = axis >= 0 and jax.numpy.ndim(x) > axis and jax.numpy.shape(x)[axis] == n
        return PartitionSpec(*[None] * axis, AXIS) if there else _WHOLE

    return Parts(
        {name: jax.tree.map(lambda _: _WHOLE, x) if is_source(x) else over(x, sizes[name]) for name, x in parts.blocks.items()},
        {label: over(x, *ends.get(label, ())) for label, x in parts.pathways.items()},
        {label: jax.tree.map(lambda _: _SHARED if isinstance(x, Rows) else _WHOLE, x) for label, x in parts.synapses.items()},  # noqa: B023
        {name: jax.tree.map(lambda axis, y: along(axis, y, sizes[name]), x.neurons(), x) for name, x in parts.stimuli.items()},  # noqa: B023
    )  # fmt: skip


def _rings(plan: Plan) -> dict[str, Any]:
    return {path.label: PartitionSpec(None, AXIS) if path.delay is None else _WHOLE for path in plan.paths}


def _state_specs(plan: Plan, state: NetworkState) -> NetworkState:
    cells = jax.tree.map(lambda x: _SHARED if jax.numpy.ndim(x) else _WHOLE, state.cells)
    return NetworkState(cells, _SHARED, _SHARED, _rings(plan), _WHOLE)  # pyright: ignore


def _running_specs(plan: Plan) -> Running:
    return Running(Carry(_SHARED, _SHARED, _SHARED, _rings(plan)), _WHOLE)  # pyright: ignore


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
            return _as_vectors(begin(plan, parts, state, dt))

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
        shared = jax.shard_map(
            share, mesh=mesh,
            in_specs=(_specs(plan, parts), _running_specs(plan), _WHOLE, _WHOLE, _WHOLE, _WHOLE),
            out_specs=Chunk(_running_specs(plan), samples, words, {}), check_vma=False,
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
    return jax.eval_shape(lambda: begin(plan, parts, initial(plan, parts, dt.dtype, walking=True), dt))


def _local(tree: Any, specs: Any, devices: int) -> Any:
    """The shapes that one device sees."""

    def leaf(x: Any, spec: PartitionSpec) -> Any:
        shape = [n // devices if axis < len(spec) and spec[axis] else n for axis, n in enumerate(jax.numpy.shape(x))]
        return jax.ShapeDtypeStruct(tuple(shape), x.dtype)

    return jax.tree.map(leaf, tree, specs)


def _at_rest(plan: Plan, parts: Parts, dt: Any) -> tuple[Carry, Times]:
    running = begin(plan, parts, initial(plan, parts, dt.dtype, walking=True), dt)
    return running.carry, Times(np.int32(0), np.int32(0), running.ages)
