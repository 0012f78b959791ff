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
from ..networks.projection import Pathway
from ..networks.rows import Rows, laid_out, rows_of
from ..state import NetworkState
from .delivery import Pairs, n_words
from .loops import Chunk, chunk
from .plan import Carry, Parts, Plan, is_source
from .program import compiler_options
from .step import initial, start, state_of

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


def shares(path: Pathway, n: int, weight: Any, delays: Any) -> Rows:
    """The rows of a pathway's synapses, those onto each device's neurons apart: a leading axis over devices."""
    edges = path.wiring.edges
    each = edges.n_post // n
    owner, sources = edges.targets // each, edges.sources
    parts = []
    for device in range(n):
        mine = owner == device
        counts = np.bincount(sources[mine], minlength=edges.counts.size)
        part = Edges(counts, (edges.targets[mine] - device * each).astype(np.int32), each)
        parts.append((part, mine))
    width, split = _common([part for part, _ in parts])
    shapes = [rows_of(part, width, split) for part, _ in parts]
    n_rows = max(shape.counts.size for shape in shapes)

    def stacked(values: Any, filling: Any) -> np.ndarray | None:
        if values is None:
            return None
        rows = [laid_out(shape, values[mine], filling, n_rows) for shape, (_, mine) in zip(shapes, parts, strict=True)]
        return np.stack(rows)

    targets = [
        laid_out(shape, part.targets, np.int32(each), n_rows) for shape, (part, _) in zip(shapes, parts, strict=True)
    ]
    starts = np.stack([shape.starts for shape in shapes if shape.starts is not None]) if split else None
    return Rows(starts, np.stack(targets), stacked(weight, 0.0), stacked(delays, 0))


def _common(parts: list[Edges]) -> tuple[int, bool]:
    """The width of rows, and whether sources have several, that suits the most demanding device."""
    shapes = [rows_of(part) for part in parts]
    split = any(shape.starts is not None for shape in shapes)
    return max(shape.width for shape in shapes if (shape.starts is not None) == split), split


def local_plan(plan: Plan, mesh: Mesh) -> Plan:
    """The plan of one device's share. Records are of whole populations: who asked for a part takes it afterwards."""
    n, sizes = mesh.size, dict(plan.sizes)
    home = {path.label: path.post for path in plan.paths} | {name: name for name in sizes}
    records = tuple(r._replace(first=0, stop=sizes[home[r.part]][0] // n, by=1) for r in plan.records)
    return plan._replace(
        sizes=tuple((name, (size[0] // n,)) for name, size in plan.sizes), records=records, axis=AXIS, devices=n
    )


def local_parts(plan: Plan, parts: Parts) -> Parts:
    """Cells that know the size of one device's share; their arrays are whole still, and the mesh divides them."""
    sizes = dict(plan.sizes)
    cells = {name: x if is_source(x) else _resized(x, sizes[name]) for name, x in parts.populations.items()}
    return parts._replace(populations=cells)


def _resized(cell: Any, size: tuple[int, ...]) -> Any:
    new = object.__new__(type(cell))
    new.__dict__.update(cell.__dict__, size=size)
    return new


def initial_shares(whole: Plan, parts: Parts, dtype: Any, devices: int) -> NetworkState:
    """The state at the start, computed as on one device, with rings as several gather spikes."""
    state, sizes = initial(whole, parts, dtype, walking=True), dict(whole.sizes)
    rings = dict(state.rings)
    for path in whole.paths:
        ring = rings[path.label]
        if ring is not None and ring.dtype == np.uint32:
            words = devices * n_words(sizes[path.pre][0] // devices)
            rings[path.label] = np.zeros((ring.shape[0], words), np.uint32)
    return state._replace(rings=rings)


def _specs(plan: Plan, parts: Parts) -> Parts:
    """Which axis of each argument is shared: the last one, where it goes over neurons."""
    sizes = {name: size[0] * plan.devices for name, size in plan.sizes}
    ends = {path.label: (sizes[path.pre], sizes[path.post]) for path in plan.paths}

    def over(tree: Any, *lengths: int) -> Any:
        def leaf(x: Any) -> PartitionSpec:
            shape = jax.numpy.shape(x)
            return PartitionSpec(*[None] * (len(shape) - 1), AXIS) if shape and shape[-1] in lengths else _WHOLE

        return jax.tree.map(leaf, tree)

    return Parts(
        {name: jax.tree.map(lambda _: _WHOLE, x) if is_source(x) else over(x, sizes[name]) for name, x in parts.populations.items()},
        {label: over(x, *ends.get(label, ())) for label, x in parts.pathways.items()},
        {label: _specs_of(x) for label, x in parts.synapses.items()},
        {name: over(x, sizes[name]) for name, x in parts.stimuli.items()},
    )  # fmt: skip


def _specs_of(synapses: Rows | Pairs) -> Any:
    return jax.tree.map(lambda _: _SHARED if isinstance(synapses, Rows) else _WHOLE, synapses)


def _own(synapses: Rows | Pairs) -> Rows | Pairs:
    """One device's rows; gap junctions are whole on each."""
    return jax.tree.map(lambda x: x[0], synapses) if isinstance(synapses, Rows) else synapses


def _state_specs(plan: Plan, kind: Any) -> Any:
    """Of a `Carry` or `NetworkState` whose scalars were made vectors."""
    rings = {path.label: PartitionSpec(None, AXIS) if path.own_delays else _WHOLE for path in plan.paths}
    return kind(_SHARED, _SHARED, _SHARED, rings, _WHOLE)


def _vectors(carry: Carry) -> Carry:
    """Scalars of the solver's carry as vectors, since only what has an axis can be shared."""
    return carry._replace(cells=jax.tree.map(lambda x: x[None] if x.ndim == 0 else x, carry.cells))


@functools.cache
def compiled_shares(mesh: Mesh) -> Any:
    """`loops.chunk` on every device's share; arguments and results are those of the whole."""

    def program(
        plan: Plan, length: int, fresh: bool, parts: Parts, state: Any, dt: Any, begin: Any, count: Any
    ) -> Chunk:
        def share(parts: Parts, state: Any, dt: Any, begin: Any, count: Any) -> Chunk:
            parts = parts._replace(synapses={label: _own(x) for label, x in parts.synapses.items()})
            if not fresh:
                like = start_shapes(plan, parts, dt)
                state = state._replace(cells=jax.tree.map(lambda x, y: x.reshape(y.shape), state.cells, like.cells))
            out = chunk(plan, length, fresh, parts, state, dt, begin, count)
            return out._replace(carry=_vectors(out.carry))

        given = _state_specs(plan, NetworkState if fresh else Carry)
        over_time = PartitionSpec(None, AXIS)
        first: Any = {record.name: _SHARED for record in plan.records}
        samples: Any = {record.name: over_time for record in plan.records}
        events: Any = PartitionSpec(None, None, AXIS)
        results = Chunk(_state_specs(plan, Carry), first, samples, events)
        shared = jax.shard_map(
            share, mesh=mesh, in_specs=(_specs(plan, parts), given, _WHOLE, _WHOLE, _WHOLE), out_specs=results, check_vma=False
        )  # fmt: skip
        return shared(parts, state, dt, begin, count)

    return jax.jit(program, static_argnums=(0, 1, 2), compiler_options=compiler_options())


@functools.cache
def finished_shares(mesh: Mesh) -> Any:
    """`engine.state_of` on every device's share."""

    def program(plan: Plan, parts: Parts, carry: Any, n: Any, dt: Any) -> NetworkState:
        def share(parts: Parts, carry: Any, n: Any, dt: Any) -> NetworkState:
            like = start_shapes(plan, parts, dt)
            carry = carry._replace(cells=jax.tree.map(lambda x, y: x.reshape(y.shape), carry.cells, like.cells))
            return state_of(plan, parts, carry, n, dt)

        given = (_specs(plan, parts), _state_specs(plan, Carry), _WHOLE, _WHOLE)
        out = _state_specs(plan, NetworkState)
        return jax.shard_map(share, mesh=mesh, in_specs=given, out_specs=out, check_vma=False)(parts, carry, n, dt)

    return jax.jit(program, static_argnums=0)


def start_shapes(plan: Plan, parts: Parts, dt: Any) -> Carry:
    """The shapes of a carry at the start."""
    return jax.eval_shape(lambda p, h: start(plan, p, initial(plan, p, h.dtype, walking=True), h), parts, dt)
