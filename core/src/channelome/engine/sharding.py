"""A model over several devices: each holds a share of every population and the synapses onto it.

Cells of compartments are shared whole. Only spikes travel, and what gap junctions see: in each step every device gathers the packed spikes of
all, a bit per neuron, and delivers them to its own neurons. A neuron receives its spikes in the same order as on one device, so the results are the same; to the last bit
where a device's share fills the processor's vectors (a multiple of 16 neurons), since compilers round what is left over otherwise.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from ..errors import ModelError
from ..networks.edges import Edges
from ..networks.rows import NOWHERE, Rows, laid_out, n_rows_of, rows_of
from ..state import NetworkState
from .delivery import WORD
from .layout import Bundle, Layout, in_words, numbers
from .loops import Chunk, Running, Samples, begin, chunk, compiler_options, finish, scanned
from .plan import Parts, Path, Plan, Times
from .request import at_least_one
from .shares import (
    AXIS,
    CELLS,
    WHOLE,
    as_vectors,
    local_parts,
    local_plan,
    of_chunk,
    of_parts,
    of_running,
    of_state,
    with_scalars,
)
from .step import initial
from .wires import numbered, places_of, weights_of, words_of


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
            whose = f"'{name}'" if name else "the population"
            raise ModelError(
                f"{whose} of shape {size} cannot be shared by {n} devices: give it one axis and a size that is a multiple of {n}."
            )


def shares_for(layout: Layout, path: Path, bundle: Bundle, n: int, dtype: Any) -> Rows:
    """The rows of a path's synapses, those onto each device's neurons apart: a leading axis over devices."""
    whole = bundle.across or math.prod(layout.places[bundle.members[0].pathway.wiring.post].whole)
    each, count = whole // n, _count(layout, bundle)
    sources = np.concatenate([numbered(layout, bundle, member) for member in bundle.members])
    places = np.concatenate([places_of(layout, path, bundle, member) for member in bundle.members])
    senders = _senders(layout, bundle, np.bincount(sources, minlength=count) > 0)
    sources = sources - path.first
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


@functools.cache
def compiled_initial() -> Any:
    """The state at the start, computed as on one device."""
    return jax.jit(initial, static_argnums=(0, 2), compiler_options=compiler_options())


@functools.cache
def begun_shares(mesh: Mesh) -> Any:
    """`loops.begin` on every device's share, from a state of the whole."""

    def program(plan: Plan, parts: Parts, state: NetworkState, dt: Any) -> Running:
        def share(parts: Parts, state: NetworkState, dt: Any) -> Running:
            own = _own(parts)
            return as_vectors(begin(plan, own, state, dt), own)

        shared = jax.shard_map(
            share, mesh=mesh, in_specs=(of_parts(parts), of_state(plan, parts), WHOLE),
            out_specs=of_running(plan, parts), check_vma=False,
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
            out = chunk(plan, length, own, with_scalars(running, _like(plan, own, dt)), times, dt, first, count)
            return out._replace(running=as_vectors(out.running, own))

        shared = jax.shard_map(
            share, mesh=mesh, in_specs=(of_parts(parts), of_running(plan, parts), WHOLE, WHOLE, WHOLE, WHOLE),
            out_specs=of_chunk(plan, parts), check_vma=False,
        )  # fmt: skip
        return shared(parts, running, times, dt, first, count)

    return jax.jit(program, static_argnums=(0, 1), compiler_options=compiler_options())


@functools.cache
def finished_shares(mesh: Mesh) -> Any:
    """`loops.finish` on every device's share."""

    def program(plan: Plan, parts: Parts, running: Any, times: Times, n: Any, dt: Any) -> NetworkState:
        def share(parts: Parts, running: Any, times: Times, n: Any, dt: Any) -> NetworkState:
            own = _own(parts)
            return finish(plan, own, with_scalars(running, _like(plan, own, dt)), times, n, dt)

        shared = jax.shard_map(
            share, mesh=mesh, in_specs=(of_parts(parts), of_running(plan, parts), WHOLE, WHOLE, WHOLE),
            out_specs=of_state(plan, parts), check_vma=False,
        )  # fmt: skip
        return shared(parts, running, times, n, dt)

    return jax.jit(program, static_argnums=0)


def scanned_shares(
    mesh: Mesh, plan: Plan, count: int, segment: int, parts: Parts, state: NetworkState | None, times: Times, dt: Any
) -> tuple[NetworkState, Samples]:
    """`loops.scanned` of every device's share, under a trace, of what has no synapses."""
    state = initial(plan, parts, dt.dtype) if state is None else state
    local = local_plan(plan, mesh.size)
    parts = local_parts(local, parts)

    def share(parts: Parts, state: NetworkState, times: Times, dt: Any) -> tuple[NetworkState, Samples]:
        return scanned(local, _own(parts), state, times, dt, count, segment, walking=False)

    recorded = dict.fromkeys([*(r.name for r in plan.records), *(name for _, name in plan.counted)], CELLS)
    shared = jax.shard_map(
        share, mesh=mesh, in_specs=(of_parts(parts), of_state(local, parts), WHOLE, WHOLE),
        out_specs=(of_state(local, parts), recorded), check_vma=False,
    )  # fmt: skip
    final, samples = shared(parts, state, times, dt)
    return final, samples | {record.name: record.of_all(samples[record.name]) for record in plan.records}


def _own(parts: Parts) -> Parts:
    """One device's rows; gap junctions are whole on each."""
    rows = {label: jax.tree.map(lambda y: y[0], x) if isinstance(x, Rows) else x for label, x in parts.synapses.items()}
    return parts._replace(synapses=rows)


def _like(plan: Plan, parts: Parts, dt: Any) -> Running:
    """The shapes of a carry on one device."""
    return jax.eval_shape(lambda: begin(plan, parts, None, dt))
