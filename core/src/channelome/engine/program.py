"""The compiled part of a run: one loop over steps, compiled once for each structure.

Parameter values, stimuli, initial states, the step `dt` and the number of steps are arguments; what is static is the
cell's structure, the solver, what is recorded and the length of the buffers.
"""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ..cells.protocol import Cell
from ..state import State
from .protocols import Drive, Solver
from .record import Probe

UM2_NA_TO_DENSITY = 1e5
"""From nA/um^2 to uA/cm^2."""


class Plan(NamedTuple):
    """What is static in a run: hashable."""

    solver: Solver
    probes: tuple[Probe, ...]
    spikes: bool
    every: int


Sample = dict[str, Array]


def sample(plan: Plan, cell: Any, carry: Any, t: Any, dt: Any) -> Sample:
    """What is recorded of the state at `t`, by name. The whole state is brought to one time only where it is needed."""
    if all(probe.name == "V" for probe in plan.probes):
        return {probe.name: plan.solver.voltage(carry) for probe in plan.probes}
    state = plan.solver.state(cell, carry, t, dt)
    return {probe.name: probe.read(cell, state) for probe in plan.probes}


def put(buffer: Array, row: Array, *index: Any) -> Array:
    """`buffer` with `row` in the place `index`, which there must be.

    ``buffer.at[index].set(row)`` would check that, and the check hides from XLA how little is written: it then makes no
    single kernel of the loop over few neurons, which is four times as fast.
    """
    update = jnp.asarray(row, buffer.dtype).reshape((1,) * len(index) + buffer.shape[len(index) :])
    start = [jnp.asarray(i, jnp.int32) for i in (*index, *[0] * (buffer.ndim - len(index)))]
    return lax.dynamic_update_slice(buffer, update, start)


def drive_of(cell: Any, stimulus: Any) -> Drive:
    """The stimulus as the density that the solver puts into the cell, whatever its unit."""

    def drive(t: Any) -> Callable[[Array], Any]:
        if stimulus is None:
            return lambda V: 0.0
        amount = stimulus(t)
        density = amount if stimulus.unit == "uA/cm^2" else amount * UM2_NA_TO_DENSITY / cell.area
        return lambda V: density

    return drive


def crossing(before: Array, after: Array, threshold: Any) -> Array:
    """The share of a step after which V crossed the threshold upward, in (0, 1]; 0 where it did not."""
    crossed = (before < threshold) & (after >= threshold)
    rise = jnp.where(crossed, after - before, 1.0)
    return jnp.where(crossed, (threshold - before) / rise, 0.0)


BLUR = 20.0
"""Standard deviation in mV of the threshold whose mean crossing has the gradient that a spike is given."""


@jax.custom_jvp
def spike(before: Array, after: Array, threshold: Array) -> Array:
    """1 where V crossed the threshold upward, else 0. Its gradient is a surrogate, since a step has none.

    It is that of the mean over normally distributed thresholds: of ``F(after) - F(before)`` where V rises, with the normal
    distribution F. Over the steps of a spike the terms cancel, so one that only comes earlier is moved from one step to
    another and not counted anew; what is left are the peaks and troughs of V.
    """
    return ((before < threshold) & (after >= threshold)).astype(after.dtype)


@spike.defjvp
def _spike_surrogate(primals: Any, tangents: Any) -> tuple[Array, Array]:
    before, after, threshold = primals
    d_before, d_after, d_threshold = tangents

    def density(V: Array) -> Array:
        return jnp.exp(-0.5 * ((V - threshold) / BLUR) ** 2) / (BLUR * math.sqrt(2 * math.pi))

    slope = density(after) * (d_after - d_threshold) - density(before) * (d_before - d_threshold)
    return spike(before, after, threshold), jnp.where(after > before, slope, 0.0)


def start(plan: Plan, cell: Cell, state: State | None, dt: Any) -> Any:
    return plan.solver.start(cell, cell.initial_state() if state is None else state, dt)


class Chunk(NamedTuple):
    """What one call of the compiled loop returns; the first sample is of where it began."""

    carry: Any
    samples: Sample
    crossings: Array | None


def _chunk(
    plan: Plan, length: int, fresh: bool, cell: Any, carry: Any, stimulus: Any, dt: Any, begin: Any, count: Any
) -> Chunk:
    """Run `count` samples on, of at most `length`, from sample number `begin`; from a state (or None) if `fresh`."""
    if fresh:
        carry = start(plan, cell, carry, dt)
    first = sample(plan, cell, carry, begin * plan.every * dt, dt)
    drive = drive_of(cell, stimulus)
    size, dtype = cell.size, plan.solver.voltage(carry).dtype
    samples = {name: put(jnp.zeros((length + 1, *size), dtype), x, 0) for name, x in first.items()}
    crossings = jnp.zeros((length, plan.every, *size), dtype) if plan.spikes else None

    def one(j: Any, loop: Any) -> Any:
        carry, samples, crossings = loop
        number = (begin + j) * plan.every

        def step(k: Any, inner: Any) -> Any:
            carry, crossings = inner
            after = plan.solver.step(cell, carry, (number + k) * dt, dt, drive)
            if crossings is not None:
                V0, V1 = plan.solver.voltage(carry), plan.solver.voltage(after)
                crossings = put(crossings, crossing(V0, V1, cell.V_th), j, k)
            return after, crossings

        inner = (carry, crossings)
        carry, crossings = step(0, inner) if plan.every == 1 else lax.fori_loop(0, plan.every, step, inner)
        now = sample(plan, cell, carry, (number + plan.every) * dt, dt)
        return carry, {name: put(buffer, now[name], j + 1) for name, buffer in samples.items()}, crossings

    carry, samples, crossings = lax.fori_loop(0, count, one, (carry, samples, crossings))
    return Chunk(carry, samples, crossings)


@functools.partial(jax.jit, static_argnums=0)
def finish(plan: Plan, cell: Any, carry: Any, t: Any, dt: Any) -> State:
    """The state at the end of a run, all of it at one time; apart, since few runs ask for it."""
    return plan.solver.state(cell, carry, t, dt)


@functools.cache
def compiled_chunk() -> Callable[..., Chunk]:
    """The loop as an outermost jit, with the compiler options that this processor profits from."""
    return jax.jit(_chunk, static_argnums=(0, 1, 2), compiler_options=compiler_options())


def compiler_options() -> dict[str, Any]:
    """Options for an outermost ``jax.jit`` on this machine: full-width vectors on CPUs that have AVX-512."""
    if jax.default_backend() != "cpu":
        return {}
    core: Any = getattr(np, "_core", None)  # where NumPy keeps what it found out of the processor
    features = getattr(getattr(core, "_multiarray_umath", None), "__cpu_features__", {})
    return {"xla_cpu_prefer_vector_width": 512} if features.get("AVX512F") else {}


def differentiable(
    plan: Plan, cell: Any, state: State | None, stimulus: Any, dt: Any, count: int, segment: int
) -> tuple[State, Sample]:
    """The same run as one scan for use under a trace: forward and reverse differentiable.

    Reverse mode keeps the carry every `segment` samples and recomputes what lies between.

    Returns:
        The state at the end and the samples, stacked along time, with ``"spikes"`` counted since the sample before.
    """
    drive = drive_of(cell, stimulus)
    carry = start(plan, cell, state, dt)

    def record(carry: Any, t: Any, spikes: Any) -> Sample:
        return sample(plan, cell, carry, t, dt) | ({"spikes": spikes} if plan.spikes else {})

    def one(carry: Any, j: Any) -> tuple[Any, Sample]:
        def step(loop: Any, k: Any) -> tuple[Any, None]:
            before, count = loop
            after = plan.solver.step(cell, before, (j * plan.every + k) * dt, dt, drive)
            if plan.spikes:
                V0, V1 = plan.solver.voltage(before), plan.solver.voltage(after)
                count = count + spike(V0, V1, jnp.asarray(cell.V_th, V1.dtype))
            return (after, count), None

        inner = (carry, jnp.zeros_like(plan.solver.voltage(carry)))
        if plan.every == 1:
            (carry, spikes), _ = step(inner, 0)
        else:
            (carry, spikes), _ = lax.scan(step, inner, jnp.arange(plan.every))
        return carry, record(carry, (j + 1) * plan.every * dt, spikes)

    first = record(carry, 0.0 * dt, jnp.zeros_like(plan.solver.voltage(carry)))
    whole, rest = divmod(count, segment)
    parts: list[Sample] = [jax.tree.map(lambda x: x[None], first)]
    if whole > 1:
        block = jax.checkpoint(lambda c, js: lax.scan(one, c, js), prevent_cse=False)  # pyright: ignore
        carry, out = lax.scan(block, carry, jnp.arange(whole * segment).reshape(whole, segment))
        parts.append(jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), out))
    elif whole:
        rest, whole = count, 0
    if rest:
        carry, out = lax.scan(one, carry, whole * segment + jnp.arange(rest))
        parts.append(out)
    return plan.solver.state(cell, carry, count * plan.every * dt, dt), jax.tree.map(
        lambda *xs: jnp.concatenate(xs), *parts
    )


@functools.partial(jax.jit, static_argnums=(0,))
def find_fault(
    plan: Plan, cell: Any, carry: Any, stimulus: Any, dt: Any, begin: Any, count: Any
) -> tuple[Array, State, State]:
    """The first step after `begin` at which the state is not finite, with the states before and after it."""
    drive = drive_of(cell, stimulus)

    def state_of(number: Any, carry: Any) -> State:
        return plan.solver.state(cell, carry, number * dt, dt)

    def going(loop: Any) -> Array:
        number, _, after = loop
        leaves = jax.tree.leaves((after, state_of(number, after)))
        return (number < begin + count) & jnp.all(jnp.asarray([jnp.all(jnp.isfinite(x)) for x in leaves]))

    def step(loop: Any) -> Any:
        number, _, now = loop
        return number + 1, now, plan.solver.step(cell, now, number * dt, dt, drive)

    number, before, after = lax.while_loop(going, step, (jnp.asarray(begin), carry, carry))
    return number, state_of(number - 1, before), state_of(number, after)
