"""Checks of what a current is: its sign, its reversal, the ion that it counts for, its temperature, its parameters."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from ...maths import nernst
from ...mechanisms.channels import Channel, Permeable
from ...mechanisms.general import General
from ...module import Q10, Parameter
from ...units import Unit
from ..kit import Check, Problems, Skip, check
from ..subjects import CELSIUS, ChannelSubject, curves_of, follows_temperature

_DEGREES = Unit.parse("degC").dimension


@check(
    hint="Currents are outward positive, g (V - E): write conductance or permeability and leave current to the base class."
)
def current(subject: ChannelSubject) -> Problems:
    """The current is outward above its reversal potential, inward below, and zero there."""
    channel = subject.at()
    V, C = subject.spread()
    env = subject.env(V, C)
    states = subject.states("half", env)
    E = _reversal(channel, env)
    I = np.asarray(channel.current(states, env))
    if not np.all(np.isfinite(I)):
        yield f"the current is {I[~np.isfinite(I)][0]} at {float(V[int(np.argmax(~np.isfinite(I)))]):.4g} mV"
        return
    if not np.any(I):
        yield "it lets no current through with half of its gates open"
        return
    away = np.asarray(V) - np.broadcast_to(np.asarray(E), I.shape)
    wrong = (np.abs(away) > 0.5) & (np.sign(I) == -np.sign(away))
    if wrong.any():
        i = int(np.argmax(wrong))
        way = "above" if away[i] > 0 else "below"
        yield f"the current is {I[i]:.4g} uA/cm^2 at {float(V[i]):.4g} mV, {abs(away[i]):.4g} mV {way} its reversal potential"
    if isinstance(channel, General):
        return  # it may be any function of V and of concentrations, and is 0 near E only
    there = env | {"V": jnp.broadcast_to(jnp.asarray(E, float), I.shape)}
    rest = np.abs(np.asarray(channel.current(states, there)))
    if np.any(rest > 1e-6 * np.max(np.abs(I))):
        yield f"the current is {rest.max():.4g} uA/cm^2 at its reversal potential"


def _reversal(channel: Channel, env: dict[str, Any]) -> Any:
    if "E" in channel.parameters:
        return getattr(channel, "E")  # noqa: B009
    if channel.ion is None:
        raise Skip("it has no reversal potential")
    view = env[channel.ion]
    if isinstance(channel, Permeable):
        return nernst(view.C_in, view.C_out, view.valence, env["celsius"])
    return view.E


def _parts(subject: ChannelSubject) -> Problems:
    """A current in parts says of each which of its species carries it, and of no other."""
    channel = subject.at()
    env = subject.env(jnp.asarray([-80.0, -20.0]))
    states = subject.states("half", env)
    carried = channel.carried(channel.current(states, env), states, env)
    for species in {*carried} ^ {*subject.cls.carries}:
        yield f"{species} is {'credited, and is not one of its ions' if species in carried else 'one of its ions, and is credited nothing'}"


@check(
    level="quick",
    hint="Give each species its share, ion={'k': 'k_share', 'ca': 'ca_share'}; reading an ion carries none of it.",
)
def charge(subject: ChannelSubject) -> Problems:
    """The shares of the current that species carry are not negative and sum to at most 1."""
    if not subject.cls.carries:
        raise Skip("no species carries it")
    if issubclass(subject.cls, General) and len(subject.cls.carries) > 1:
        yield from _parts(subject)
        return
    shares = {s: 1.0 if name is None else getattr(subject.channel, name) for s, name in subject.cls.carries.items()}
    for species, share in shares.items():
        if not 0 <= share <= 1:
            yield f"{species} carries {share:g} of the current"
    if sum(shares.values()) > 1 + 1e-9:
        said = " and ".join(f"{share:g} to {species}" for species, share in shares.items())
        yield f"the current is credited more than once: {said}"


@check(
    hint="Write phi: Factor = param(Q10(factor, reference)): it follows the cell's temperature. Temperatures are not fields."
)
def temperature(subject: ChannelSubject) -> Problems:
    """Temperature is the cell's, and Q10 is 1 where the channel was measured."""
    channel = subject.channel
    for parameter in subject.cls.parameters.values():
        if parameter.unit.dimension == _DEGREES:
            yield f"the field {parameter.name} is a temperature: that of the cell does not reach the channel"
    following = follows_temperature(channel)
    for name in following:
        q10 = getattr(channel, name)
        swapped = q10.factor > 10 > q10.reference  # some channels of heat and cold have Q10s of 20 and more
        if swapped or not 1 <= q10.factor <= 50 or not 0 <= q10.reference <= 45:
            yield f"{name} is {q10.factor:g} times faster for each 10 degC above {q10.reference:g} degC, which no channel is"
    if not following and not subject.cls.asks_celsius:
        return
    V, C = subject.spread()
    if following:
        reference = subject.cls.measured_at
        assert reference is not None
        plain = channel.replace(**{n: 1.0 for n in following if getattr(channel, n).reference == reference})
        there, one = (curves_of(c.at(reference), subject.env(V, C, reference)) for c in (channel, plain))
        for name, curve in there.items():
            if not np.allclose(curve, one[name], rtol=1e-9, atol=0, equal_nan=True):
                yield f"{name} is not that of phi = 1 at {reference:g} degC, where it was measured"
    cold, warm = (curves_of(channel.at(T), subject.env(V, C, T)) for T in (CELSIUS - 10, CELSIUS))
    if not any(not np.allclose(curve, cold[name], rtol=1e-6, atol=0) for name, curve in warm.items()):
        yield "it asks for the temperature, which has no effect"
    yield from _slower(channel, subject.env(V, C), cold, warm)


_FLATTER = 1.1
"""How much longer a time constant may be in warmth in the middle of voltages: rates of z F V / (R T) are flatter there."""


def _slower(channel: Channel, env: dict[str, Any], cold: dict[str, Any], warm: dict[str, Any]) -> Problems:
    """Time constants that are longer in warmth: by what the fields say at all, by the methods more than physics explains."""
    cool_fields = curves_of(channel.at(CELSIUS - 10), env)
    for name in (name for name in warm if name.startswith("tau of ")):
        by_fields = np.asarray(warm[name] / cool_fields[name])
        by_all = np.asarray(warm[name] / cold[name])
        if np.any(by_fields > 1 + 1e-9) or np.median(by_all) > _FLATTER:
            slower = max(by_fields.max(), np.median(by_all))
            yield f"{name} is {slower:.3g} times longer at {CELSIUS:g} than at {CELSIUS - 10:g} degC"


@check(hint="Read a parameter as self.NAME in the method that it belongs to, or take the field away.")
def parameters(subject: ChannelSubject) -> Problems:
    """Every parameter has an effect."""
    channel = subject.channel
    V, C = subject.spread()
    before = curves_of(channel.at(CELSIUS), subject.env(V, C))
    shares = set(subject.cls.carries.values())
    for parameter in subject.cls.parameters.values():
        value = getattr(channel, parameter.name)
        if value is None or parameter.name in shares:
            continue
        moved = channel.replace(**{parameter.name: (_moved(value, parameter), parameter.unit.symbol)})
        after = curves_of(moved.at(CELSIUS), subject.env(V, C))
        if all(np.allclose(after[name], curve, rtol=1e-7, atol=0, equal_nan=True) for name, curve in before.items()):
            yield f"{parameter.name} has no effect on any gate or on the current"


def _moved(value: Any, parameter: Parameter) -> float:
    if isinstance(value, Q10):
        return 2.0 * float(value.at(CELSIUS))
    return value + 1.5 if parameter.unit.symbol == "mV" or value == 0 else 1.25 * value


PHYSICS: tuple[Check, ...] = (current, charge, temperature, parameters)
