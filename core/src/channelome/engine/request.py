"""What is asked of a run, checked before anything is traced: times, stimulus, state, precision."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ..clock import MOST_STEPS
from ..errors import ModelError, UnitError
from ..state import State
from ..stimuli.amounts import DENSITY, RATE, VOLTAGE
from ..stimuli.clamp import Clamp
from ..stimuli.current import Counted, Current, scaled
from ..stimuli.edges import step
from ..stimuli.places import Spots
from ..streams import Stream
from ..units import Unit, convert

UM2_NA_TO_DENSITY = 1e5
"""From nA/um^2 to uA/cm^2."""


def whole_steps(duration: Any, dt: Any, every: int) -> tuple[float, int]:
    """The step in ms and the number of samples after the first."""
    ms = Unit.parse("ms")
    length, step_ms = convert(duration, ms, "the duration"), convert(dt, ms, "the step dt")
    for what, value in (("the duration", length), ("the step dt", step_ms)):
        if isinstance(value, Tracer) or np.ndim(value) or not np.isfinite(value) or value <= 0:
            raise ModelError(f"{what} must be one positive number that is known before the run, got {value}.")
    every = at_least_one("every", every, "a whole number of steps")
    _check_most(length / step_ms, step_ms)
    count = round(length / (step_ms * every))
    if count < 1 or abs(count * step_ms * every - length) > 1e-6 * step_ms + 1e-12 * length:
        near = max(count, 1) * step_ms * every
        raise ModelError(
            f"a duration of {length:g} ms is not a whole number of {'steps' if every == 1 else f'{every} steps'} of {step_ms:g} ms: "
            f"take {near:g} ms, or another dt."
        )
    return float(step_ms), count


def at_least_one(name: str, value: Any, what: str) -> int:
    """An option that is a whole number, and 1 or more; `what` it is, for the error."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ModelError(f"{name} must be {what}, at least 1, got {value!r}.")
    return int(value)


def _check_most(steps: float, dt: float) -> None:
    if steps > MOST_STEPS + 0.5:
        raise ModelError(
            f"a run of {_many(steps)} steps of {dt:g} ms is longer than one can be, {MOST_STEPS:,}: go on from its end, state=run.final, or take a "
            f"longer dt."
        )


def first_step(start: Any, dt: float, steps: int) -> int:
    """The number of the step with which a run begins that starts at the time `start`."""
    if start is None:
        return 0
    begin = convert(start, Unit.parse("ms"), "the start of the run")
    if isinstance(begin, Tracer) or np.ndim(begin) or not np.isfinite(begin) or begin < 0:
        raise ModelError(f"the start of a run must be one time of at least 0 ms that is known before it, got {begin}.")
    if begin / dt > MOST_STEPS:
        raise _beyond(begin / dt + steps)
    number = round(begin / dt)
    if abs(number * dt - begin) > 1e-6 * dt * max(1.0, number * 1e-6):
        raise ModelError(
            f"the start of {begin:g} ms is not a whole number of steps of {dt:g} ms: take {number * dt:g} ms, or another dt."
        )
    if number + steps > MOST_STEPS:
        raise _beyond(number + steps)
    return number


def _beyond(steps: float) -> ModelError:
    return ModelError(
        f"the run would end after {_many(steps)} steps, and times are known for {MOST_STEPS:,}: take a longer dt."
    )


def _many(steps: float) -> str:
    return f"{steps:,.0f}" if steps < 1e15 else f"{steps:g}"


def checked_stimulus(cell: Any, stimulus: Any, dt: float, dtype: Any, stream: Stream) -> Counted | None:
    """The stimulus of a cell, as a density and in steps of `dt` ms; None if there is none.

    Args:
        stream: what is random in it without a seed follows from.
    """
    if stimulus is None:
        return None
    if isinstance(stimulus, Spots):
        raise ModelError(f"a point neuron has no places: give the stimulus without at(), {stimulus[0].what!r}.")
    current, counted = checked_current(stimulus, cell.size, dt, dtype, stream)
    if current.unit == DENSITY:
        return counted
    if cell.area is None:
        raise UnitError(
            f"the stimulus is an absolute current ({current.unit}), but the cell has no area: give it area=..., or a density."
        )
    return scaled(counted, UM2_NA_TO_DENSITY / cell.area, dtype)


def checked_current(
    stimulus: Any, size: tuple[int, ...], dt: float, dtype: Any, stream: Stream
) -> tuple[Current, Counted]:
    """What is injected into cells of this shape, as it is given and in steps of `dt` ms, in its own unit."""
    if callable(stimulus) and not isinstance(stimulus, Current):
        raise ModelError(
            "a function cannot be a stimulus as it is, since its unit is not known: write function(f, unit='nA')."
        )
    if isinstance(stimulus, tuple) and len(stimulus) == 2 and isinstance(stimulus[0], str):
        raise ModelError(f"a stimulus at a place is written at({stimulus[0]!r}, {stimulus[1]!r}).")
    if isinstance(stimulus, list | tuple) and any(isinstance(x, Current | Clamp) for x in stimulus):
        raise ModelError(
            "a cell has one stimulus and at most one clamp: add currents, one + another; two clamps cannot be."
        )
    given = ""
    if not isinstance(stimulus, Current):
        stimulus, given = _constant(stimulus), _OVER_TIME
    if stimulus.unit == RATE:
        raise UnitError("the stimulus is a frequency, which is for the rate of a source: Poisson(size, rate=...).")
    if stimulus.unit == VOLTAGE:
        raise UnitError(
            f"a voltage cannot be injected, {stimulus!r}: give a current density (such as '2 uA/cm^2') or a current (such as '0.2 nA'), "
            f"or clamp the cell to the voltage, stimulus=voltage_clamp(...)."
        )
    stimulus.check_step(dt, "the stimulus")
    counted = stimulus.counted(dt, dtype, stream)
    shape = counted.shape
    if shape not in ((), size):
        raise ModelError(f"the stimulus has the shape {shape}, but the population has {size}.{given}")
    return stimulus, counted


_OVER_TIME = " For one current for each neuron it must have the population's shape; a current over time is samples((values, 'nA'), dt='0.1 ms')."


def _constant(value: Any) -> Current:
    """The constant current that a value stands for."""
    if isinstance(value, Mapping) and not {"value", "unit"} <= value.keys():
        raise ModelError(
            f"the stimulus is a table with {', '.join(map(repr, list(value)[:3]))}: by population it is given to networks; of one cell write "
            f"at('soma', step('0.1 nA')) for a place, or the stimulus itself."
        )
    pair = isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], str)
    if isinstance(value, list | tuple) and not value:
        raise ModelError(
            "the stimulus is empty, as a list of what goes in at places cannot be: leave stimulus= away where nothing does."
        )
    if not pair and isinstance(value, list | tuple | np.ndarray | jax.Array) and np.ndim(value):
        raise UnitError(
            f"the stimulus is an array of shape {np.shape(value)} without a unit and a time: a current over time is "
            f"samples((values, 'nA'), dt='0.1 ms'), a constant one for each neuron (values, 'nA')."
        )
    return step(value)


def checked_state(cell: Any, state: Any, dtype: Any) -> Any:
    if state is None:
        return None
    if not isinstance(state, State):
        raise ModelError(
            f"state must be a State, as of traces.final or cell.initial_state(), not {type(state).__name__}."
        )
    expected = jax.eval_shape(cell.initial_state)
    if state.behind is not None:
        expected = expected._replace(behind=expected.channels, lag=jax.ShapeDtypeStruct((), expected.V.dtype))
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


def in_precision(tree: Any, dtype: Any) -> Any:
    """Every number of `tree` in the precision that JAX runs in, so that no value's type compiles anew."""

    def leaf(x: Any) -> Any:
        if isinstance(x, jax.Array):
            return x if not jnp.issubdtype(x.dtype, jnp.floating) or x.dtype == dtype else x.astype(dtype)
        return x if getattr(x, "dtype", None) in (np.int32, np.uint32) else np.asarray(x, dtype)

    return jax.tree.map(leaf, tree)


def is_tracing() -> bool:
    """Whether a trace of the user's is under way; the one question to JAX that has no public answer."""
    from jax._src.core import trace_state_clean

    return not trace_state_clean()
