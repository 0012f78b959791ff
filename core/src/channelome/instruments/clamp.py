"""A channel on its own, as its paper shows it: currents under voltage clamp, steady states and time constants.

At a held voltage every gate relaxes exponentially and every kinetic scheme is linear, so currents follow in closed form
from the states at the holding potential, whatever the times asked for.
"""

import functools
from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.core import Tracer

from ..cells import SingleCompartment
from ..cells.parts import build_channel, build_ion
from ..errors import ModelError
from ..mechanisms.channels import Channel, Markov
from ..mechanisms.rules import EXACT
from ..registry.hooks import building
from ..state import State
from ..units import Unit, convert

_MS, _MV = Unit.parse("ms"), Unit.parse("mV")
DEFAULT_IONS = {"na": "SodiumFixed", "k": "PotassiumFixed", "ca": "CalciumFixed"}
"""What stands for a species that is needed and not given."""
_SUBSTEPS = 32


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


def voltage_clamp(
    channel: Any, V: Any, t: Any, *, hold: Any, celsius: Any = None, ions: Iterable[Any] | None = None
) -> Array:
    """Current density of one channel after its voltage jumps from `hold` to `V`, exact at any `t`.

    Where a gate depends on another one that moves there is no closed form; it is then integrated in 32 steps between each
    two of the times, second order.

    Args:
        channel: a registered name, a class or an instance.
        V: potentials of the test pulses with a unit, of any shape: one run for each, all in one program.
        t: times after the jump with a unit, not decreasing, of shape (time,).
        hold: potential before it with a unit, a scalar or of the shape of `V`; gates are at steady state there.
        celsius: temperature in degC; needed where the channel depends on it.
        ions: names, classes or instances; SodiumFixed, PotassiumFixed and CalciumFixed where a species is needed and
            not given. Concentrations stay at rest.

    Returns:
        Current in uA/cm^2, outward positive, of shape (time, *V.shape).

    Raises:
        UnknownName: for a name that no installed pack provides.
        UnitError: for a missing or wrong unit.
        ModelError: for an ion or a temperature that is needed and not given, and for times that run backward.
    """
    test = jnp.asarray(convert(V, _MV, "the potential of the clamp"), float)
    rest = jnp.broadcast_to(jnp.asarray(convert(hold, _MV, "the holding potential"), float), test.shape)
    times = jnp.asarray(convert(t, _MS, "the times of the clamp"), float)
    if times.ndim != 1:
        raise ModelError(f"the times of the clamp must be of shape (time,), got {times.shape}.")
    if not isinstance(times, Tracer) and (np.any(np.diff(times) < 0) or np.any(np.asarray(times) < 0)):
        raise ModelError("the times of the clamp are after the jump: they start at 0 or later and do not decrease.")
    return _currents(_patch(channel, test.shape, celsius, ions), test, rest, times)


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
    return _curves(_patch(channel, potential.shape, celsius, ions), potential)


def _patch(channel: Any, shape: tuple[int, ...], celsius: Any, ions: Iterable[Any] | None) -> SingleCompartment:
    """A population of the shape of V with the one channel and the ions that it needs: finds what is missing."""
    built = build_channel(channel, channel if isinstance(channel, str) else "channel")
    given = [build_ion(ion) for ion in ions or ()]
    species = {ion.species for ion in given}
    needed = [name for name in dict.fromkeys((*built.carries, *built.reads)) if name not in species]
    given += [build_ion(DEFAULT_IONS[name]) for name in needed if name in DEFAULT_IONS]
    with building():  # a tool of ours, and no model of the user's
        return SingleCompartment(shape, *given, celsius=celsius, **{_label(built): built})


def _label(channel: Channel) -> str:
    name = type(channel).__name__
    return name if name.isidentifier() and name not in SingleCompartment.parameters else "channel"


def _only(cell: SingleCompartment) -> tuple[str, Channel]:
    ((label, channel),) = cell.channels.items()
    return label, channel.at(cell.celsius)


@jax.jit
def _currents(cell: SingleCompartment, V: Array, hold: Array, t: Array) -> Array:
    label, channel = _only(cell)
    start = cell.initial_state(hold)._replace(V=V)
    if _coupled(channel):
        states = _stepped(cell, start, t)
    elif isinstance(channel, Markov):
        states = jax.vmap(functools.partial(_scheme_after, cell, start))(t)
    else:
        states = jax.vmap(lambda after: cell.relax(start, after, EXACT))(t)
    return jax.vmap(lambda state: cell.currents(state)[label])(states)


def rests_on(channel: Channel, method: str) -> frozenset[str]:
    """What a gate, or ``transitions``, depends on in the end: ``V``, ``celsius`` and ions by species."""
    asked = channel._arguments[method]
    own = {name for name in asked if name not in channel.gates}
    return frozenset(own).union(*(rests_on(channel, name) for name in asked if name in channel.gates))


def _coupled(channel: Channel) -> bool:
    """Whether a gate, or a rate of the kinetic scheme, depends on another gate that moves when the voltage does."""
    moving = {gate for gate in channel.gates if "V" in rests_on(channel, gate)}
    methods = (*channel.gates, *(("transitions",) if isinstance(channel, Markov) else ()))
    return any(moving.intersection(channel._arguments[method]) for method in methods)


def _scheme_after(cell: SingleCompartment, start: State, t: Array) -> State:
    """The state `t` ms after `start` with the gates relaxed and the occupancies by the matrix exponential."""
    label, channel = _only(cell)
    env = {"V": start.V, "celsius": cell.celsius, **cell.views(start)}
    states, names = start.channels[label], channel.occupancies
    generator = jnp.stack([_column(channel, states, env, name) for name in names], axis=-1)
    before = jnp.stack([states[name] for name in names], axis=-1)
    after = jnp.einsum("...ij,...j->...i", jax.scipy.linalg.expm(generator * t, max_squarings=48), before)
    moved = cell.relax(start, t, EXACT).channels[label] | {name: after[..., i] for i, name in enumerate(names)}
    return start._replace(channels={label: moved})


def _column(channel: Channel, states: dict[str, Array], env: dict[str, Any], name: str) -> Array:
    """Rates of change of all occupancies per occupancy of `name`: a column of the scheme's matrix."""
    unit = states | {other: jnp.full_like(states[other], float(other == name)) for other in channel.occupancies}
    slope = channel.slope(unit, env)
    return jnp.stack([jnp.broadcast_to(slope[other], jnp.shape(env["V"])) for other in channel.occupancies], axis=-1)


def _stepped(cell: SingleCompartment, start: State, t: Array) -> State:
    def interval(state: State, length: Array) -> tuple[State, State]:
        dt = length / _SUBSTEPS
        state = lax.fori_loop(0, _SUBSTEPS, lambda _, now: cell.relax(now, dt, EXACT), state)
        return state, state

    _, states = lax.scan(interval, start, jnp.diff(t, prepend=0.0))
    return states


@jax.jit
def _curves(cell: SingleCompartment, V: Array) -> Curves:
    label, channel = _only(cell)
    state = cell.initial_state(V)
    env = {"V": V, "celsius": cell.celsius, **cell.views(state)}
    steady = state.channels[label]

    def tau(gate: str) -> Array:
        """From two slopes, which is exact as they are linear in the gate."""
        closed = channel.slope(steady | {gate: jnp.zeros_like(V)}, env)[gate]
        opened = channel.slope(steady | {gate: jnp.ones_like(V)}, env)[gate]
        return jnp.broadcast_to(1 / (closed - opened), V.shape)

    return Curves(V, steady, {gate: tau(gate) for gate in channel.gates})
