"""`simulate`: check the request, run the compiled loop in chunks, hand back `Traces`."""

import functools
import math
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from tqdm.auto import tqdm

from .. import __version__
from ..cells import SingleCompartment
from ..cells.show import rows
from ..errors import ModelError
from ..networks import Network
from ..registry import registry
from ..registry.provenance import of_run
from ..results.spikes import SpikeTrains, crossings
from ..results.traces import Traces
from ..state import State
from .faults import report_fault
from .network_run import simulate_network
from .program import Chunk, Plan, compiled_chunk, differentiable, finish
from .record import probes
from .request import checked_state, checked_stimulus, in_precision, is_tracing, whole_steps
from .solvers import solver as find_solver

BUFFER_BYTES = 64 << 20
"""Records leave the device when they fill this much."""
SHORT_BYTES = 256 << 10
"""Runs whose records fill less than this compile one program between them, however long they are."""
CHUNKS = 50
"""Long runs are cut into about so many chunks, between which the progress bar moves and Ctrl-C is heard."""
LONG_RUN = 20_000_000
"""Neuron steps from which a run counts as long."""
SEGMENT_FROM = 500
"""Samples from which reverse-mode differentiation recomputes segments in place of keeping every step."""


def simulate(
    cell: Any,
    duration: Any,
    *,
    dt: Any,
    stimulus: Any = None,
    record: str | Sequence[str] | None = None,
    every: int = 1,
    solver: Any = "staggered",
    state: State | None = None,
    progress: bool | None = None,
    chunk: int | None = None,
    segment: int | None = None,
    check: bool = True,
    devices: Any = None,
) -> Any:
    """Run a cell or a network for `duration` and return what was recorded, t = 0 included.

    Works on its own, where it compiles once for each structure and goes in chunks, and inside ``jax.jit``, ``jax.vmap``
    and ``jax.grad``, where it is one scan with checkpointed gradients.

    Args:
        cell: a cell or a `Network`; its parameters, the stimulus and the state are arguments of the compiled program.
        duration: with a unit; a whole number of steps times `every`.
        dt: the step, with a unit.
        stimulus: injected current: of `step`, `ramp`, `sine`, `noise`, `pulses`, `samples` or `function`, or a constant.
            For a network by population: ``{"cells": step("0.1 nA")}``.
        record: names: ``"V"``, ``"INa.m"`` (a gate), ``"INa.current"`` (a current density), ``"ca.C_in"``, ``"ca.E"``,
            ``"spikes"``. ``"V"`` if None. In a network below a population, a group or a part, ``"cells[:5].V"``, or a
            projection, ``"exc.g"``; nothing if None, and spikes are recorded as they are.
        every: record every so many steps. Spikes are found at every step.
        solver: a registered name, or an object that is a `Solver`.
        state: where to start, for instance ``traces.final``; the cell's `initial_state` if None. Time starts at 0 again.
        progress: show a progress bar; if None, on long runs in a terminal or notebook.
        chunk: samples per chunk, if the default (by memory and length) shall not be used.
        segment: samples between which reverse-mode differentiation recomputes; by default about the square root of all.
        devices: share a network's neurons among so many devices, or among those given; results stay the same.
        check: raise where the state became NaN or infinite, with the time and the place. Not possible under a trace.

    Returns:
        `Traces`, of a network `Activity`, with arrays of shape (samples, *size); sample k is the state at ``t[k]``.
        Ctrl-C returns what was computed until then, with ``interrupted`` set.

    Raises:
        UnknownName: for an unknown solver or record.
        ModelError: for a duration that is no whole number of steps, a stimulus finer than `dt` or of another shape.
        UnitError: for a missing or wrong unit.
        SimulationError: where the state became NaN or infinite.
    """
    if isinstance(cell, Network):
        return simulate_network(
            cell, duration, dt=dt, stimulus=stimulus, record=record, every=every, solver=solver, state=state,
            progress=progress, chunk_length=chunk, segment=segment, check=check, devices=devices,
        )  # fmt: skip
    if devices is not None:
        raise ModelError("devices= shares a Network; a cell's population is put on a device with jax.device_put.")
    step_ms, count = whole_steps(duration, dt, every)
    stimulus = checked_stimulus(cell, stimulus, step_ms)
    names = ("V",) if record is None else (record,) if isinstance(record, str) else tuple(record)
    plan = Plan(find_solver(solver), probes(cell, names), "spikes" in names, every)
    dtype = jax.dtypes.canonicalize_dtype(float)
    cell, stimulus = in_precision(cell, dtype), in_precision(stimulus, dtype)
    state = checked_state(cell, state, dtype)
    h = np.asarray(step_ms, dtype)
    if is_tracing() or any(isinstance(x, Tracer) for x in jax.tree.leaves((cell, stimulus, state))):
        return _traced(plan, cell, state, stimulus, h, count, segment)
    return _chunked(plan, cell, state, stimulus, h, step_ms, count, chunk, progress, check)


def _traced(plan: Plan, cell: Any, state: Any, stimulus: Any, dt: Any, count: int, segment: int | None) -> Traces:
    length = segment or (count if count < SEGMENT_FROM else math.isqrt(count))
    final, data = differentiable(plan, cell, state, stimulus, dt, count, length)
    data = {name: data[name] for name in _units(plan)}  # the order asked for; JAX sorts the keys of dictionaries
    t = np.arange(count + 1) * (float(dt) * plan.every)
    return Traces(t=jnp.asarray(t, dt.dtype), data=data, units=_units(plan), end=final)


def _chunked(
    plan: Plan,
    cell: Any,
    carry: Any,
    stimulus: Any,
    dt: Any,
    step_ms: float,
    count: int,
    chunk: int | None,
    progress: Any,
    check: bool,
) -> Traces:
    length = chunk or _chunk_length(plan, cell.size, dt.dtype.itemsize, count)
    in_one = count <= length
    data: dict[str, Any] = (
        {} if in_one else {probe.name: np.empty((count + 1, *cell.size), dt.dtype) for probe in plan.probes}
    )
    events: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    run, reached, done, interrupted = compiled_chunk(), carry, 0, False
    under_way: list[tuple[Any, Chunk, int, int]] = []
    bar = tqdm(
        total=count * plan.every,
        unit=" steps",
        unit_scale=True,
        delay=0 if progress else 1,
        disable=not _shown(progress),
    )

    def take(before: Any, out: Chunk, begin: int, now: int) -> tuple[Any, int]:
        if check and not all(np.all(np.isfinite(x)) for x in jax.tree.leaves(out.carry)):
            report_fault(plan, cell, before, stimulus, dt, step_ms, begin, now)
        for name, buffer in out.samples.items():
            samples = np.asarray(buffer)[: now + 1]
            if in_one:  # without a copy, unless that would hold on to much more than it shows
                data[name] = samples if now > length // 2 else samples.copy()
            else:
                data[name][begin : begin + now + 1] = samples
        if out.crossings is not None:
            events[begin] = _events(np.asarray(out.crossings)[:now], begin * plan.every, step_ms)
        bar.update(now * plan.every)
        return out.carry, begin + now

    with bar:
        try:
            for begin in range(0, max(count, 1), length):
                now = min(length, count - begin)
                out = run(plan, length, begin == 0, cell, carry, stimulus, dt, np.int32(begin), np.int32(now))
                under_way.append((carry, out, begin, now))
                carry = out.carry
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
        warnings.warn(
            f"interrupted after {done * plan.every * step_ms:g} ms; what was computed is returned.", stacklevel=3
        )
    t: Any = np.arange(done + 1) * (step_ms * plan.every)
    data = {probe.name: data[probe.name][: done + 1] for probe in plan.probes}
    for samples in data.values():
        samples.flags.writeable = False
    spikes = _spikes(plan, cell, data, t, list(events.values()))
    if plan.spikes:
        data["spikes"] = _counts(spikes, t, cell.size, dt.dtype)
    return Traces(
        t=t, data=data, units=_units(plan), spikes=spikes, end=functools.partial(finish, plan, cell, reached, np.asarray(t[-1], dt.dtype), dt), interrupted=interrupted,
        V_th=float(cell.V_th) if np.ndim(cell.V_th) == 0 else None,
        provenance=_provenance(cell, plan, step_ms),
    )  # fmt: skip


def _chunk_length(plan: Plan, size: tuple[int, ...], itemsize: int, count: int) -> int:
    """Samples that the compiled loop has room for: rounded up, so that runs of about one length share a program."""
    neurons = math.prod(size)
    row = max(1, itemsize * neurons * (len(plan.probes) + (plan.every if plan.spikes else 0)))
    wanted = math.ceil(count / CHUNKS) if count * plan.every * neurons > LONG_RUN else count
    grain = 1 << max(0, wanted.bit_length() - 4)  # an eighth of the power of two below
    return max(1, min(BUFFER_BYTES // row, max(SHORT_BYTES // row, -(-wanted // grain) * grain)))


def _shown(progress: bool | None) -> bool:
    return progress if progress is not None else sys.stderr.isatty() or "ipykernel" in sys.modules


# ---- what comes back -----------------------------------------------------------------------------------------------


def _units(plan: Plan) -> dict[str, str]:
    return {probe.name: probe.unit for probe in plan.probes} | ({"spikes": "1"} if plan.spikes else {})


def _provenance(cell: Any, plan: Plan, step_ms: float) -> dict[str, str]:
    """What was run, by which versions: solver, step, and the distribution of each part."""
    parts = {row.label: f"{row.name} ({row.origin})" for row in rows(cell)}
    versions = {"channelome": __version__, "jax": jax.__version__}
    packs = of_run(registry, cell.about, cell.classes) if isinstance(cell, SingleCompartment) else {}
    return versions | {"solver": type(plan.solver).__name__, "dt": f"{step_ms:g} ms"} | parts | packs


def _events(shares: np.ndarray, first_step: int, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """Times and flat neuron numbers of the crossings in an array (samples, every, *size)."""
    flat = shares.reshape(shares.shape[0] * shares.shape[1], -1)
    steps, neurons = np.nonzero(flat)
    return (first_step + steps + flat[steps, neurons].astype(float)) * dt, neurons


def _spikes(plan: Plan, cell: Any, data: dict[str, np.ndarray], t: np.ndarray, events: list[Any]) -> SpikeTrains | None:
    if plan.spikes:
        times, neurons = (np.concatenate(parts) for parts in zip(*events, strict=True))
        order = np.argsort(times, kind="stable")
        return SpikeTrains(times=times[order], neurons=neurons[order], size=cell.size)
    if "V" in data and plan.every == 1:
        return crossings(t, data["V"], cell.V_th)
    return None


def _counts(spikes: SpikeTrains | None, t: np.ndarray, size: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Spikes since the sample before, of the shape (samples, *size)."""
    assert spikes is not None
    counts = np.zeros((t.size, math.prod(size)), dtype)
    rows = np.searchsorted(t, spikes.times - 1e-9 * (t[1] if t.size > 1 else 1.0))
    np.add.at(counts, (np.minimum(rows, t.size - 1), spikes.neurons), 1)
    return counts.reshape(t.size, *size)
