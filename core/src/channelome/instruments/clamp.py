"""A channel on its own, as its paper shows it: currents under voltage clamp, steady states and time constants.

At a held voltage every gate relaxes exponentially and every kinetic scheme is linear, so currents follow in closed form
from the states at the holding potential, whatever the times asked for.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple, overload

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

from ..cells import SingleCompartment
from ..equality import compared
from ..errors import ModelError, UnitError
from ..stimuli import command
from ..stimuli.amounts import VOLTAGE
from ..stimuli.clamp import Clamp, clamp
from ..stimuli.current import Current
from ..stimuli.epochs import levels_of
from ..units import Unit, convert
from .patch import coupled, only, patch
from .relaxation import under_command, under_levels

_MS, _MV = Unit.parse("ms"), Unit.parse("mV")


@compared
class Curves(NamedTuple):
    """Gates of a channel over the voltage.

    Attributes:
        V: in mV.
        steady_state: of each gate and each state of a kinetic scheme, by name, of the shape of V.
        tau: time constant of each gate in ms, by name, of the shape of V. A kinetic scheme has no single one.
    """

    V: Array
    steady_state: dict[str, Array]
    tau: dict[str, Array]


@overload
def voltage_clamp(command: Any, /, *, series_resistance: Any = None) -> Clamp: ...
@overload
def voltage_clamp(
    channel: Any, V: Any, t: Any, *, hold: Any = None, celsius: Any = None, ions: Iterable[Any] | None = None
) -> Array: ...
def voltage_clamp(
    channel: Any,
    V: Any = None,
    t: Any = None,
    *,
    hold: Any = None,
    celsius: Any = None,
    ions: Iterable[Any] | None = None,
    series_resistance: Any = None,
) -> Any:
    """A voltage clamp: of a cell, ``voltage_clamp(command)``, or of one channel alone, ``voltage_clamp(channel, V, t)``.

    Of a cell it is a stimulus of `simulate`. An ideal clamp holds V at the command; through a series resistance R_s flows
    ``(command - V) / R_s``. Record the current as ``"clamp.current"``. The cell begins at rest at what is held before the run.

    Of a channel alone it is the current density, at once. Where the command jumps between levels it is exact at any `t`. Under
    ramps and recorded traces, and where a gate depends on another one that moves, steps are halved until the currents are
    right to 1e-6 of the largest.

    Args:
        channel: the command of a clamp, of `command` or another waveform in mV, or a voltage with a unit; or, with `V` and
            `t`, the channel: a registered name, a class or an instance.
        V: a command; or the potentials that V jumps to from `hold` at t = 0, with a unit, of any shape: one run for each, all
            in one program.
        t: times with a unit, from 0 on and not decreasing, of shape (time,).
        hold: potential before the jump with a unit, a scalar or of the shape of `V`; gates are at steady state there. A
            command brings its own.
        celsius: temperature in degC; needed where the channel depends on it.
        ions: names, classes or instances; SodiumFixed, PotassiumFixed and CalciumFixed where a species is needed and
            not given. Concentrations stay at rest.
        series_resistance: of the electrode, such as ``"5 Mohm"``; for a cell without an area times an area,
            ``"0.5 kohm*cm^2"``. None for an ideal clamp.

    Returns:
        A stimulus; or the current in uA/cm^2, outward positive, of shape (time, *sweeps), the sweeps being those of `V`.

    Raises:
        UnknownName: for a name that no installed pack provides.
        UnitError: for a missing or wrong unit.
        ModelError: for a series resistance of 0 or below, an ion or a temperature that is needed and not given, times that
            run backward or for which the command says nothing.
    """
    if V is None and t is None:
        if any(x is not None for x in (hold, celsius, ions)):
            raise ModelError(
                "the clamp of a cell has a command alone; hold, celsius and ions are for voltage_clamp(channel, V, t)."
            )
        return clamp(channel, series_resistance)
    if V is None or t is None or series_resistance is not None:
        raise ModelError(
            "the clamp of a channel alone is voltage_clamp(channel, V, t), that of a cell voltage_clamp(command, series_resistance=...)."
        )
    times = _times(t)
    if isinstance(V, Current):
        return _under(channel, _checked(V, hold, times), times, celsius, ions)
    if hold is None:
        raise ModelError(
            "say from where V jumps, hold='-70 mV', or give a command, command('-70 mV', ('10 mV', '20 ms'))."
        )
    test = jnp.asarray(convert(V, _MV, "the potential of the clamp"), float)
    rest = jnp.broadcast_to(jnp.asarray(convert(hold, _MV, "the holding potential"), float), test.shape)
    cell = patch(channel, test.shape, celsius, ions)
    if coupled(only(cell)[1]):
        return under_command(cell, command((test, "mV")), rest, times)
    return under_levels(cell, [rest, test], [0.0], times)


def _times(t: Any) -> Array:
    times = jnp.asarray(convert(t, _MS, "the times of the clamp"), float)
    if times.ndim != 1:
        raise ModelError(f"the times of the clamp must be of shape (time,), got {times.shape}.")
    if not isinstance(times, Tracer) and (np.any(np.diff(times) < 0) or np.any(np.asarray(times) < 0)):
        raise ModelError("the times of the clamp are after the jump: they start at 0 or later and do not decrease.")
    return times


def _checked(waveform: Current, hold: Any, times: Array) -> Current:
    if waveform.unit != VOLTAGE:
        raise UnitError(f"the command of a voltage clamp is a voltage, in mV, and not in {waveform.unit}.")
    if hold is not None:
        raise ModelError("a command says itself what is held: leave out hold, or give it to command(hold, ...).")
    first, last = waveform.span
    if first > 0 or (not isinstance(times, Tracer) and times.size and last < float(times[-1]) * (1 - 1e-9)):
        raise ModelError(
            f"the command lasts from {first:g} to {last:g} ms, and currents are asked for from 0 to {times[-1]:g} ms: say what is "
            f"held before and after, command(hold, ...)."
        )
    return waveform


def _under(channel: Any, waveform: Current, times: Array, celsius: Any, ions: Iterable[Any] | None) -> Array:
    cell = patch(channel, waveform.counted(1.0, times.dtype).shape, celsius, ions)
    levels = None if coupled(only(cell)[1]) else levels_of(waveform)
    if levels is not None:
        return under_levels(cell, *levels, times)
    return under_command(cell, waveform, waveform.before(), times)


def curves(channel: Any, V: Any, *, celsius: Any = None, ions: Iterable[Any] | None = None) -> Curves:
    """Steady states and time constants of a channel's gates.

    A gate that depends on another one is shown with the other at its steady state.

    Args:
        channel: a registered name, a class or an instance.
        V: potentials with a unit, of any shape. For curves over a concentration give an ion whose ``C_in`` is an array
            of this shape.
        celsius, ions: as of `voltage_clamp`.

    Raises:
        UnknownName, UnitError, ModelError: as `voltage_clamp`.
    """
    potential = jnp.asarray(convert(V, _MV, "the potential of the curves"), float)
    return _curves(patch(channel, potential.shape, celsius, ions), potential)


@jax.jit
def _curves(cell: SingleCompartment, V: Array) -> Curves:
    label, channel = only(cell)
    state = cell.initial_state(V)
    env = {"V": V, "celsius": cell.celsius, **cell.views(state)}
    steady = state.channels[label]

    def tau(gate: str) -> Array:
        """From two slopes, which is exact as they are linear in the gate."""
        closed = channel.slope(steady | {gate: jnp.zeros_like(V)}, env)[gate]
        opened = channel.slope(steady | {gate: jnp.ones_like(V)}, env)[gate]
        return jnp.broadcast_to(1 / (closed - opened), V.shape)

    return Curves(V, steady, {gate: tau(gate) for gate in channel.gates})
