"""Channels beside jNeuroML, which knows NeuroML by its own definitions of it: how far each is open after jumps of the voltage.

jLEMS takes explicit Euler steps, and so do these tests, of the classes' own rates of change.
"""

import functools
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from channelome_neuroml.document import Document
from channelome_neuroml.load import Imported, outcomes
from scipy.linalg import expm

import channelome as ch
from channelome.mechanisms.rules import EXACT
from channelome.module import REQUIRED

HERE = Path(__file__).parent
KNOWN = json.loads((HERE / "jneuroml.json").read_text(encoding="utf-8"))
HOLD, PULSES, STEPS, STEP = -81.3, (-101.7, -62.1, -41.3, -19.7, 1.1, 31.9), (10, 60, 200, 800, 4000), 0.005
CELSIUS, CALCIUM = 24.0, 3e-4
"""As in make_jneuroml.py."""
SURROUNDINGS = (
    ch.ion("SodiumFixed", E="-30 mV"),
    ch.ion("PotassiumFixed", E="-30 mV"),
    ch.ion("CalciumFixed", E="-30 mV", C_in=(CALCIUM, "mM")),
)


def imported(key: str) -> Imported:
    file, _, id = key.partition(":")
    (found,) = [one for one in outcomes(Document(HERE / "nml" / file)) if one.element.id == id]
    assert found.imported, found.refusal
    return found.imported[0]


def given(cls):
    """An instance of which the current is how far it is open times V + 30 mV."""
    return cls(g_max="1 mS/cm^2", **({"E": "-30 mV"} if "E" in cls.parameters else {}))


def surrounded(V) -> dict:
    return {"V": V, "celsius": CELSIUS, **{one.species: one.view({}, CELSIUS) for one in SURROUNDINGS}}


@functools.partial(jax.jit, static_argnums=0)
def opened(cls):
    """How far a class is open at the held voltage, and after `STEPS`, of shapes (pulses,) and (steps, pulses)."""
    channel, V = given(cls), jnp.asarray(PULSES)
    held, env = surrounded(jnp.full_like(V, HOLD)), surrounded(V)
    start = channel.steady_state(held)

    def step(states, _):
        slope = channel.slope(states, env)
        moved = {name: x + STEP * slope[name] for name, x in states.items()}
        return moved, channel.current(moved, env) / (V + 30.0)

    _, after = jax.lax.scan(step, start, length=STEPS[-1])
    return channel.current(start, held) / (HOLD + 30.0), after[jnp.asarray(STEPS) - 1]


def moved(cls, ms: float) -> np.ndarray:
    """How far a class with one scheme, or one gate, is open after a time, by matrix exponentials of its rates; shape (pulses,)."""
    channel, found = given(cls), []
    for pulse in PULSES:
        held, env = surrounded(jnp.asarray([HOLD])), surrounded(jnp.asarray([pulse]))
        start = channel.steady_state(held)
        after = channel.relax(start, env, ms, EXACT)
        if cls.occupancies:
            names = list(cls.occupancies)
            matrix = np.zeros((len(names), len(names)))
            for (a, b), rate in channel._call("transitions", env).items():
                i, j = names.index(a), names.index(b)
                matrix[i, i] -= np.squeeze(rate)
                matrix[j, i] += np.squeeze(rate)
            after = dict(zip(names, expm(ms * matrix) @ jnp.stack([start[name] for name in names]), strict=True))
        found.append(float(channel.current(after, env)[0]) / (pulse + 30.0))
    return np.asarray(found)


@pytest.mark.parametrize("key", sorted(KNOWN))
def test_a_channel_opens_as_in_jneuroml(key: str):
    cls = imported(key).cls
    rest, after = opened(cls)
    if key.startswith("schemes"):  # those jLEMS solves exactly
        after = np.asarray([moved(cls, n * STEP) for n in STEPS])
    theirs = np.asarray(KNOWN[key]["open"]).T
    np.testing.assert_allclose(rest, KNOWN[key]["rest"], rtol=2e-7)  # jLEMS prints eight digits
    np.testing.assert_allclose(after, theirs, rtol=0, atol=2e-7 * np.abs(theirs).max())


@pytest.mark.parametrize("key", sorted(KNOWN))
def test_currents_have_a_slope_everywhere(key: str):
    channel = given(imported(key).cls)
    V = jnp.asarray([-75.0, -61.0, -55.0, -50.0, -40.0, -27.0, 0.0, 40.0])

    def total(V):
        env = surrounded(V)
        return jnp.sum(channel.current(channel.steady_state(env), env))

    assert np.all(np.isfinite(jax.grad(total)(V)))


def test_what_a_channel_does_not_say_must_be_given():
    kv = ch.load_channel(HERE / "nml" / "kv.channel.nml")
    assert [name for name, one in kv.parameters.items() if one.default is REQUIRED] == ["g_max"]
    assert kv.ion == "k"
    assert kv.parameters["n_beta_rate"].default == 0.125  # 125 per s, exactly
    assert kv.parameters["n_experimentalTemp"].default == 6.3
    assert kv.parameters["n_alpha_midpoint"].source == "kv.channel.nml, line 7: midpoint of forwardRate"


def test_h_is_no_ion_there(tmp_path: Path):
    (tmp_path / "ih.nml").write_text('<neuroml><ionChannelPassive id="ih" conductance="1pS" species="h"/></neuroml>')
    ih = ch.load_channel(tmp_path / "ih.nml")
    assert ih.ion is None
    assert "E" in ih.parameters


@pytest.mark.parametrize("name", ["self", "dict", "class", "Voltage", "param", "g_max", "E", "ion", "__doc__"])
def test_a_gate_of_any_name_is_a_gate(name: str, tmp_path: Path):
    text = (HERE / "nml" / "kv.channel.nml").read_text(encoding="utf-8")
    assert '"n"' in text
    (tmp_path / "named.nml").write_text(text.replace('"n"', f'"{name}"'), encoding="utf-8")
    V = jnp.asarray([-62.1, -19.7])
    found = [given(ch.load_channel(path)) for path in (tmp_path / "named.nml", HERE / "nml" / "kv.channel.nml")]
    one, other = (channel.current(channel.steady_state(surrounded(V)), surrounded(V)) for channel in found)
    np.testing.assert_allclose(one, other, rtol=1e-12)
