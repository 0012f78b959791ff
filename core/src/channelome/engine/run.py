"""One run: in chunks, so that memory stays bounded, a bar moves and Ctrl-C is heard."""

import math
import sys
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from tqdm import tqdm

from ..results.archive import fetched
from ..state import NetworkState
from .collected import Collected
from .faults import report_fault
from .loops import Chunk, Running, compiled_begin, compiled_chunk, compiled_finish
from .plan import Parts, Plan, count_of, is_source
from .prepare import Prepared
from .sharding import begun_shares, compiled_initial, compiled_shares, finished_shares
from .shares import local_parts, local_plan
from .states import by_label

LARGE, SMALL = 4 << 20, 256 << 10
"""Bytes of records that one call of the compiled loop has room for. Both are fixed, so that a model has at most two programs,
whatever its runs last: runs whose records fill less than the second take that."""
MOST, FEWEST = 64 << 20, 32
"""A large population has room for at least so many samples, unless they fill more than so many bytes."""
FEW = 1000
"""Up to so many neurons the beginning and the end of a run are compiled for scalars: they are passed once."""
LONGEST = 1 << 18
"""Samples in one call, at most: a progress bar moves."""


class Ran(NamedTuple):
    """What a run brings back, still under the names of the engine."""

    collected: Collected
    samples: int
    final: Any
    interrupted: bool


class Programs(NamedTuple):
    """The compiled parts of a run, with the plan and the numbers that they take: of one device, or of a share of several.

    Attributes:
        chunk: the loop for a run that begins so.
    """

    plan: Plan
    parts: Parts
    begin: Callable[..., Running]
    chunk: Callable[[Running], Callable[..., Chunk]]
    finish: Callable[..., NetworkState]


def _programs(run: Prepared) -> Programs:
    mesh = run.mesh
    if mesh is None:
        n = _numbers(run)
        lone = n == 1

        def chunk(beginning: Running) -> Callable[..., Chunk]:
            return compiled_chunk(lone and all(x.size <= 4 for x in jax.tree.leaves(beginning.carry)))  # no many shells

        return Programs(run.plan, run.parts, compiled_begin(n <= FEW), chunk, compiled_finish(n <= FEW))
    plan = local_plan(run.plan, mesh.size)
    parts = local_parts(plan, run.parts)
    return Programs(plan, parts, begun_shares(mesh), lambda _: compiled_shares(mesh), finished_shares(mesh))


def _numbers(run: Prepared) -> int:
    """How many neurons and sources there are, those with compartments once for each."""
    counts = dict(run.plan.sizes)
    places = {name: 1 if is_source(x) or x.pointwise else x.area.size for name, x in run.parts.blocks.items()}
    return sum(n * count_of(counts[name]) for name, n in places.items())


def chunked(
    run: Prepared, state: NetworkState | None, count: int, *, dt: float, length: int | None, progress: bool | None, check: bool
) -> Ran:  # fmt: skip
    """Run `count` samples, chunk by chunk.

    Args:
        state: in the arrays of the run; at rest if None.
        length: samples per chunk, if the default shall not be used.
    """
    every, usual = run.plan.every, chunk_length(run.plan, count)
    length = usual if length is None else min(length, max(usual, count))  # no more room than there is use for
    collected = Collected(run.plan, run.layout, None if run.mesh is None else run.mesh.size, dt, count, length)
    plan, parts, begin, loop, end = _programs(run)
    if run.mesh is not None and state is None:
        state = compiled_initial()(run.plan, run.parts, run.dt.dtype)
    reached = running = begin(plan, parts, state, run.dt)
    chunk, done, interrupted = loop(running), 0, False
    under_way: list[tuple[Running, Chunk, int, int]] = []
    bar = _bar(count * every, progress)

    def take(before: Running, out: Chunk, first: int, now: int) -> tuple[Running, int]:
        if check and not all(np.all(np.isfinite(x)) for x in _floats(out.running)):
            report_fault(run, before, dt, first, now)
        collected.take(out, first, now)
        bar.update(now * every)
        return out.running, first + now

    with bar:
        try:
            for first in range(0, count, length):
                now = min(length, count - first)
                out = chunk(plan, length, parts, running, run.times, run.dt, np.int32(first), np.int32(now))
                under_way.append((running, out, first, now))
                running = out.running
                if len(under_way) > 1:  # while the device runs on, what it has done is put away here
                    reached, done = take(*under_way[0])
                    del under_way[0]
        except KeyboardInterrupt:
            if not done and not under_way:
                raise
            interrupted = True
        for chunk_of_run in under_way:  # one of them perhaps again: where the interrupt came is not known
            reached, done = take(*chunk_of_run)
    if interrupted:
        warnings.warn(f"interrupted after {done * every * dt:g} ms; what was computed is returned.", stacklevel=4)
    n = np.int32(done * every)
    return Ran(
        collected, done, lambda: by_label(run.layout, end(plan, parts, reached, run.times, n, run.dt)), interrupted
    )


def _bar(steps: int, progress: bool | None) -> Any:
    bar, notebook = tqdm, "ipykernel" in sys.modules
    if notebook:
        from tqdm.auto import tqdm as bar  # not above: it imports asyncio
    shown = progress if progress is not None else notebook or sys.stderr.isatty()
    return bar(total=steps, unit=" steps", unit_scale=True, delay=0 if progress else 1, disable=not shown)


def _floats(running: Running) -> list[np.ndarray]:
    leaves = jax.tree.leaves((running.carry.cells, running.carry.synapses))
    return [fetched(x) for x in leaves if jnp.issubdtype(x.dtype, jnp.floating)]


def chunk_length(plan: Plan, count: int) -> int:
    """Samples that the compiled loop has room for: of two lengths, by what the records of a run fill."""
    sizes = dict(plan.sizes)
    words = sum(4 * -(-count_of(sizes[name]) // 32) for name in plan.events)
    shares = sum(4 * count_of(sizes[name]) for name in plan.shares)
    shares += sum(2 * count_of(sizes[name]) for name in plan.numbers)
    row = max(1, plan.every * (words + shares) + sum(4 * math.prod(record.shape) for record in plan.records))
    small = min(SMALL // row, LONGEST)
    if count <= small:
        return small
    return max(1, min(LONGEST, max(LARGE // row, min(FEWEST, MOST // row))))
