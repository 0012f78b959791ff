"""Every parameter of every shipped channel and ion does something, and the temperature reaches all that depend on it."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from channelome.mechanisms.channels import Channel
from channelome.mechanisms.ions import VALENCE, Fixed, Ion, IonView, Nernst
from channelome.mechanisms.shells import CalciumShells, IonShells
from channelome.module import Q10
from channelome.registry import registry

CHANNELS = {entry.name: registry.load(entry.name, "channel") for entry in registry.entries(kind="channel")}
IONS = {entry.name: registry.load(entry.name, "ion") for entry in registry.entries(kind="ion")}
SHELLS: dict[str, Any] = {
    "diameter": "4 um", "depth": "0.2 um", "B": "0.1 mM", "k_on": (100, "1/(mM*ms)"), "k_off": (0.2, "1/ms"), "v": (0.01, "mM*um/ms"), "K": "1e-3 mM",
}  # fmt: skip
GENERIC: dict[type[Ion], dict[str, Any]] = {
    Fixed: {"species": "cl", "E": "-80 mV", "C_in": "7 mM", "C_out": "110 mM"},
    Nernst: {"species": "mg", "C_in": "0.5 mM", "C_out": "1 mM"},
    CalciumShells: SHELLS,
    IonShells: SHELLS
    | {
        "species": "mg",
        "v": (10, "mM*um/ms"),
        "K": "0.3 mM",
        "D": (0.5, "um^2/ms"),
        "C_rest": "0.5 mM",
        "C_out": "1 mM",
    },
}
V = np.arange(-119.5, 60.0)


def environment(celsius: float) -> dict[str, Any]:
    views = {s: IonView(s, z, 1e-3 * (1 + i), 2.0 + i, 20.0 + i) for i, (s, z) in enumerate(VALENCE.items())}
    return {"V": jnp.asarray(V), "celsius": celsius, **views}


def behaviour(channel: Channel, celsius: float = 20.0) -> np.ndarray:
    """Steady states, slopes away from them and currents, at several voltages, in one array."""
    env, channel = environment(celsius), channel.at(celsius)
    steady = channel.steady_state(env)
    away = {name: 0.3 + 0.4 * x for name, x in steady.items()}
    shares = [getattr(channel, share) for share in channel.carries.values() if share is not None]
    parts = [*steady.values(), *channel.slope(away, env).values(), channel.current(away, env), *shares]
    return np.concatenate([np.broadcast_to(part, V.shape) for part in parts])


def moved(value: Any) -> Any:
    return 1.1 * value if value else 1.0


def perturbed(part: Any, name: str) -> list[Any]:
    """The channel or ion with one parameter moved; one for each number of a parameter that follows the temperature."""
    value = getattr(part, name)
    leaves, tree = jax.tree.flatten(value)
    values = [tree.unflatten([moved(x) if i == j else x for i, x in enumerate(leaves)]) for j in range(len(leaves))]
    unit = type(part).parameters[name].unit.symbol
    return [part.replace(**{name: v if isinstance(v, Q10) else (v, unit)}) for v in values]


@pytest.mark.parametrize(("name", "parameter"), [(n, p) for n, cls in CHANNELS.items() for p in cls.parameters])
def test_every_parameter_of_every_channel_changes_something(name: str, parameter: str) -> None:
    channel = CHANNELS[name]()
    before = behaviour(channel)
    for other in perturbed(channel, parameter):
        assert np.any(np.abs(behaviour(other) - before) > 1e-4 * np.abs(before))


@pytest.mark.parametrize("name", CHANNELS)
def test_the_temperature_reaches_every_channel_that_says_so(name: str) -> None:
    channel = CHANNELS[name]()
    warm, cold = behaviour(channel, 30.0), behaviour(channel, 10.0)
    assert np.any(warm != cold) == CHANNELS[name].needs_celsius


@pytest.mark.parametrize("name", CHANNELS)
def test_every_channel_is_finite_in_value_and_slope_at_every_half_millivolt(name: str) -> None:
    channel = CHANNELS[name]().at(20.0)
    env = environment(20.0) | {"V": jnp.arange(-150, 100.5, 0.5)}

    def all_of_it(V: Any) -> Any:
        at = env | {"V": V}
        states = channel.steady_state(at)
        return states, channel.slope({n: jnp.full_like(V, 0.3) for n in states}, at), channel.current(states, at)

    for leaf in jax.tree.leaves(jax.jvp(all_of_it, (env["V"],), (jnp.ones_like(env["V"]),))):
        assert np.all(np.isfinite(leaf))
    for x in jax.tree.leaves(channel.steady_state(env)):
        assert x.min() >= 0 and x.max() <= 1


def ion_behaviour(ion: Ion, celsius: float = 20.0) -> np.ndarray:
    states = {name: jnp.asarray(value) for name, value in ion.initial().items()}
    away = {name: (3 + i) * x for i, (name, x) in enumerate(states.items())}
    view = ion.view(away, celsius)
    moved = ion.slope(away, jnp.asarray(-1.0))
    return np.array([float(x) for x in (view.C_in, view.C_out, view.E, *states.values(), *moved.values())])


@pytest.mark.parametrize(("name", "parameter"), [(n, p) for n, cls in IONS.items() for p in cls.parameters])
def test_every_parameter_of_every_ion_changes_something(name: str, parameter: str) -> None:
    ion = IONS[name](**GENERIC.get(IONS[name], {}))
    before = ion_behaviour(ion)
    for other in perturbed(ion, parameter):
        assert np.max(np.abs(ion_behaviour(other) / before - 1)) > 1e-6


@pytest.mark.parametrize("name", IONS)
def test_the_temperature_reaches_every_ion_that_says_so(name: str) -> None:
    ion = IONS[name](**GENERIC.get(IONS[name], {}))
    warm, cold = ion_behaviour(ion, 36.0), ion_behaviour(ion, 6.0)
    assert np.any(warm != cold) == IONS[name].needs_celsius
