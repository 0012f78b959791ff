"""`simulate`: check the request, run the compiled loop in chunks, hand back `Traces`."""

import functools
import math
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from tqdm.auto import tqdm

from . import __version__
from .cells.show import rows
from .errors import ModelError, SimulationError, UnitError
from .program import Plan, compiled_chunk, differentiable, find_fault, finish
from .record import probes
from .solvers import solver as find_solver
from .spikes import SpikeTrains, crossings
from .state import State
from .stimulus import DENSITY, Current, step
from .traces import Traces
from .units import Unit, convert

BUFFER_BYTES = 64 << 20
"""Records leave the device when they fill this much."""
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
    record: str | Sequence[str] = ("V",),
    every: int = 1,
    solver: Any = "staggered",
    state: State | None = None,
    progress: bool | None = None,
    chunk: int | None = None,
    segment: int | None = None,
    check: bool = True,
) -> Traces:
    """Run `cell` for `duration` and return what was recorded, t = 0 included.

    Works on its own, where it compiles once for each structure and goes in chunks, and inside ``jax.jit``, ``jax.vmap``
    and ``jax.grad``, where it is one scan with checkpointed gradients.

    Args:
        cell: a cell; its parameters, the stimulus and the state are arguments of the compiled program.
        duration: with a unit; a whole number of steps times `every`.
        dt: the step, with a unit.
        stimulus: injected current: of `step`, `ramp`, `sine`, `noise`, `pulses`, `samples` or `function`, or a constant.
        record: names: ``"V"``, ``"INa.m"`` (a gate), ``"INa.current"`` (a current density), ``"ca.C_in"``, ``"ca.E"``,
            ``"spikes"``.
        every: record every so many steps. Spikes are found at every step.
        solver: a registered name, or an object that is a `Solver`.
        state: where to start, for instance ``traces.final``; the cell's `initial_state` if None.
        progress: show a progress bar; if None, on long runs in a terminal or notebook.
        chunk: samples per chunk, if the default (by memory and length) shall not be used.
        segment: samples between which reverse-mode differentiation recomputes; by default about the square root of all.
        check: raise where the state became NaN or infinite, with the time and the place. Not possible under a trace.

    Returns:
        `Traces` with arrays of shape (samples, *size); sample k is the state at ``t[k]``. Ctrl-C returns what was
        computed until then, with ``interrupted`` set.

    Raises:
        UnknownName: for an unknown solver or record.
        ModelError: for a duration that is no whole number of steps, a stimulus finer than `dt` or of another shape.
        UnitError: for a missing or wrong unit.
        SimulationError: where the state became NaN or infinite.
    """
    step_ms, count = _steps(duration, dt, every)
    stimulus = _stimulus(cell, stimulus, step_ms)
    names = (record,) if isinstance(record, str) else tuple(record)
    plan = Plan(find_solver(solver), probes(cell, names), "spikes" in names, every)
    dtype = jnp.zeros(()).dtype if _tracing() else jax.dtypes.canonicalize_dtype(float)
    cell, stimulus = _canonical(cell, dtype), _canonical(stimulus, dtype)
    state = _checked_state(cell, state, dtype)
    h = np.asarray(step_ms, dtype)
    if _tracing() or any(isinstance(x, Tracer) for x in jax.tree.leaves((cell, stimulus, state))):
        return _traced(plan, cell, state, stimulus, h, count, segment)
    return _chunked(plan, cell, state, stimulus, h, step_ms, count, chunk, progress, check)


def _traced(plan: Plan, cell: Any, state: Any, stimulus: Any, dt: Any, count: int, segment: int | None) -> Traces:
    length = segment or (count if count < SEGMENT_FROM else math.isqrt(count))
    final, data = differentiable(plan, cell, state, stimulus, dt, count, length)
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
    buffers = {probe.name: np.empty((count + 1, *cell.size), dt.dtype) for probe in plan.probes}
    events: list[tuple[np.ndarray, np.ndarray]] = []
    run, done, interrupted = compiled_chunk(), 0, False
    bar = tqdm(
        total=count * plan.every,
        unit=" steps",
        unit_scale=True,
        delay=0 if progress else 1,
        disable=not _shown(progress),
    )
    with bar:
        try:
            for begin in range(0, max(count, 1), length):
                now = min(length, count - begin)
                before = carry
                out = run(plan, length, begin == 0, cell, carry, stimulus, dt, np.int32(begin), np.int32(now))
                if check and not all(np.all(np.isfinite(x)) for x in jax.tree.leaves(out.carry)):
                    _report_fault(plan, cell, before, stimulus, dt, step_ms, begin, now)
                for name, rows in out.samples.items():
                    if begin == 0:
                        buffers[name][0] = out.first[name]
                    buffers[name][begin + 1 : begin + 1 + now] = np.asarray(rows)[:now]
                if out.crossings is not None:
                    events.append(_events(np.asarray(out.crossings)[:now], begin * plan.every, step_ms))
                carry, done = out.carry, begin + now
                bar.update(now * plan.every)
        except KeyboardInterrupt:
            if not done:
                raise
            interrupted = True
            warnings.warn(
                f"interrupted after {done * plan.every * step_ms:g} ms; what was computed is returned.", stacklevel=3
            )
    t: Any = np.arange(done + 1) * (step_ms * plan.every)
    data: dict[str, Any] = {name: rows[: done + 1] for name, rows in buffers.items()}
    spikes = _spikes(plan, cell, data, t, events)
    if plan.spikes:
        data["spikes"] = _counts(spikes, t, cell.size, dt.dtype)
    return Traces(
        t=t, data=data, units=_units(plan), spikes=spikes, end=functools.partial(finish, plan, cell, carry, dt), interrupted=interrupted,
        V_th=float(cell.V_th) if np.ndim(cell.V_th) == 0 else None,
        provenance=_provenance(cell, plan, step_ms),
    )  # fmt: skip


# ---- what is asked for ---------------------------------------------------------------------------------------------


def _steps(duration: Any, dt: Any, every: int) -> tuple[float, int]:
    """The step in ms and the number of samples after the first."""
    ms = Unit.parse("ms")
    length, step_ms = convert(duration, ms, "the duration"), convert(dt, ms, "the step dt")
    for what, value in (("the duration", length), ("the step dt", step_ms)):
        if isinstance(value, Tracer) or np.ndim(value) or not np.isfinite(value) or value <= 0:
            raise ModelError(f"{what} must be one positive number that is known before the run, got {value}.")
    if not isinstance(every, int) or every < 1:
        raise ModelError(f"every must be a whole number of steps, at least 1, got {every!r}.")
    count = round(length / (step_ms * every))
    if count < 1 or abs(count * step_ms * every - length) > 1e-6 * length:
        near = max(count, 1) * step_ms * every
        raise ModelError(
            f"a duration of {length:g} ms is not a whole number of {'steps' if every == 1 else f'{every} steps'} of {step_ms:g} ms: "
            f"take {near:g} ms, or another dt."
        )
    return float(step_ms), count


def _stimulus(cell: Any, stimulus: Any, dt: float) -> Current | None:
    if stimulus is None:
        return None
    if callable(stimulus) and not isinstance(stimulus, Current):
        raise ModelError(
            "a function cannot be a stimulus as it is, since its unit is not known: write function(f, unit='nA')."
        )
    if not isinstance(stimulus, Current):
        stimulus = step(stimulus)
    if stimulus.unit != DENSITY and cell.area is None:
        raise UnitError(
            f"the stimulus is an absolute current ({stimulus.unit}), but the cell has no area: give it area=..., or a density."
        )
    if dt > stimulus.detail * (1 + 1e-9):
        raise ModelError(
            f"the step of {dt:g} ms is longer than the finest detail of the stimulus, {stimulus.detail:g} ms, and would miss "
            f"it: take dt of at most {stimulus.detail:g} ms."
        )
    shape = jax.eval_shape(stimulus, jax.ShapeDtypeStruct((), float)).shape
    if shape not in ((), cell.size):
        raise ModelError(f"the stimulus has the shape {shape}, but the population has {cell.size}.")
    return stimulus


def _checked_state(cell: Any, state: Any, dtype: Any) -> Any:
    if state is None:
        return None
    if not isinstance(state, State):
        raise ModelError(
            f"state must be a State, as of traces.final or cell.initial_state(), not {type(state).__name__}."
        )
    expected = jax.eval_shape(cell.initial_state)
    if jax.tree.structure(expected) != jax.tree.structure(state):
        raise ModelError("the state is not one of this cell: its channels or ions have other labels or gates.")
    for (path, want), got in zip(jax.tree_util.tree_leaves_with_path(expected), jax.tree.leaves(state), strict=True):
        name = jax.tree_util.keystr(path)
        if np.shape(got) != want.shape:
            raise ModelError(f"state{name} has the shape {np.shape(got)}, but the population has {want.shape}.")
        if got.dtype != dtype:
            raise ModelError(
                f"state{name} is {got.dtype}, but JAX runs in {dtype}: set jax.config.update('jax_enable_x64', "
                f"{got.dtype == np.float64}) before anything else, or convert the state."
            )
    return state


def _canonical(tree: Any, dtype: Any) -> Any:
    """Every number of `tree` in the precision that JAX runs in, so that no value's type compiles anew."""

    def leaf(x: Any) -> Any:
        if isinstance(x, jax.Array):
            return x if not jnp.issubdtype(x.dtype, jnp.floating) or x.dtype == dtype else x.astype(dtype)
        return np.asarray(x, dtype)

    return jax.tree.map(leaf, tree)


def _tracing() -> bool:
    """Whether a trace of the user's is under way; the one question to JAX that has no public answer."""
    from jax._src.core import trace_state_clean

    return not trace_state_clean()


def _chunk_length(plan: Plan, size: tuple[int, ...], itemsize: int, count: int) -> int:
    neurons = math.prod(size)
    row = itemsize * neurons * (len(plan.probes) + (plan.every if plan.spikes else 0))
    length = min(count, max(1, BUFFER_BYTES // max(row, 1)))
    return min(length, math.ceil(count / CHUNKS)) if count * plan.every * neurons > LONG_RUN else length


def _shown(progress: bool | None) -> bool:
    return progress if progress is not None else sys.stderr.isatty() or "ipykernel" in sys.modules


# ---- what comes back -----------------------------------------------------------------------------------------------


def _units(plan: Plan) -> dict[str, str]:
    return {probe.name: probe.unit for probe in plan.probes} | ({"spikes": "1"} if plan.spikes else {})


def _provenance(cell: Any, plan: Plan, step_ms: float) -> dict[str, str]:
    """What was run, by which versions: solver, step, and the distribution of each part."""
    parts = {row.label: f"{row.name} ({row.origin})" for row in rows(cell)}
    versions = {"channelome": __version__, "jax": jax.__version__}
    return versions | {"solver": type(plan.solver).__name__, "dt": f"{step_ms:g} ms"} | parts


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


def _report_fault(
    plan: Plan, cell: Any, carry: Any, stimulus: Any, dt: Any, step_ms: float, begin: int, samples: int
) -> None:
    """Run the chunk again, step by step, and raise with the first time and place that is not finite."""
    if begin == 0:
        initial = cell.initial_state() if carry is None else carry
        for name, fault in _faults(initial):
            raise SimulationError(
                f"{name} is {fault} at the start, t = 0: check the initial V and the parameters of {name.split('.')[0]}."
            )
        carry = plan.solver.start(cell, initial, dt)
    first, last = begin * plan.every, samples * plan.every
    number, before, after = find_fault(plan, cell, carry, stimulus, dt, np.int32(first), np.int32(last))
    for name, fault in _faults(after):
        where = np.unravel_index(int(np.argmax(~np.isfinite(_leaf(after, name)))), cell.size)
        old, V = _leaf(before, name)[where], np.asarray(before.V)[where]
        neuron = where[0] if len(where) == 1 else tuple(map(int, where))
        raise SimulationError(
            f"{name} of neuron {neuron} became {fault} at t = {int(number) * step_ms:g} ms (it was {old:g} the step before, at "
            f"V = {V:g} mV). The step dt = {step_ms:g} ms may be too long for this solver, or a parameter far off."
        )


def _faults(state: State) -> Iterator[tuple[str, str]]:
    """Names and kinds of what is not finite; gates and concentrations first, since V follows them."""
    for name, x in _named(state):
        if not np.all(np.isfinite(x)):
            yield name, "NaN" if np.any(np.isnan(x)) else "infinite"


def _named(state: State) -> Iterator[tuple[str, np.ndarray]]:
    for group in (state.channels, state.ions):
        for part, values in group.items():
            for field, value in values.items():
                yield f"{part}.{field}", np.asarray(value)
    yield "V", np.asarray(state.V)


def _leaf(state: State, name: str) -> np.ndarray:
    return dict(_named(state))[name]
