"""Names of a file that mean something to Python, to JAX or to a class of ours: the numbers are those of plain names."""

import importlib.util
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from channelome_nmodl.load import understood
from channelome_nmodl.text import NmodlError, source

import channelome as ch
from channelome.formulas.write import module

TEXT = """
NEURON {{ SUFFIX nam  USEION k READ ek WRITE ik  RANGE gbar, {p} }}
PARAMETER {{ gbar = 0.036 (S/cm2)  {p} = -55 (mV)  slow = 2 (ms) }}
ASSIGNED {{ v (mV)  ek (mV)  ik (mA/cm2) }}
STATE {{ {gate} {more} }}
BREAKPOINT {{ SOLVE moving METHOD cnexp  ik = gbar*{gate}^4*(1 + {more}^2)*(v - ek) }}
INITIAL {{ {gate} = 1/(1 + exp(({p} - v)/9))  {more} = 0.3 }}
DERIVATIVE moving {{
  {gate}' = (1/(1 + exp(({p} - v)/9)) - {gate})/slow
  {more}' = {gate}*{gate} - {more}/7
}}
"""
NAMES = [
    "self", "dict", "tuple", "abs", "Voltage", "Time", "Factor", "Array", "Gate", "param", "where", "jnp", "jax", "exp1", "class", "lambda", "None",
    "def", "print", "ion", "reads", "states", "gates", "current", "slope", "rest", "density", "E", "g_max", "V", "k", "s", "parameters", "_hidden", "__doc__",
]  # fmt: skip


def numbers(cls) -> np.ndarray:
    channel, V = cls(), jnp.asarray([-60.3, -20.1])
    env = {"V": V, "celsius": 20.0, "k": ch.ion("PotassiumFixed").view({}, 20.0)}
    moved = {name: 0.8 * x + 0.05 for name, x in channel.steady_state(env).items()}
    return np.sort(np.stack([channel.current(moved, env), *channel.slope(moved, env).values()]), axis=0)


def written(plan, tmp_path: Path):
    file = tmp_path / "written_names.py"
    file.write_text(module({"INam_Test2020": plan}, "0" * 64), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[file.stem] = made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made.INam_Test2020


def read(**names: str):
    text = TEXT.format(**{"p": "vhalf", "gate": "n", "more": "q"} | names)
    (one,) = understood(source(text, "nam.mod"), None)
    return one


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_pythons_or_ours_is_a_name_like_another(name: str, tmp_path: Path):
    plain = numbers(read().cls)
    for place in ("p", "gate", "more"):
        one = read(**{place: name})
        np.testing.assert_allclose(numbers(one.cls), plain, rtol=1e-12)
        np.testing.assert_allclose(numbers(written(one.plan, tmp_path)), plain, rtol=1e-12)


def test_parameters_called_e_and_g_max_beside_what_we_call_so_are_kept_apart():
    text = (
        "NEURON { SUFFIX apart  NONSPECIFIC_CURRENT i  RANGE gbar, E, g_max, er }\n"
        "PARAMETER { gbar = 0.01 (S/cm2)  E = 3  g_max = 2  er = -60 (mV) }\nASSIGNED { v (mV)  i (mA/cm2) }\nSTATE { m }\n"
        "INITIAL { m = 0.5 }\nBREAKPOINT { SOLVE s METHOD cnexp  i = gbar*m*(v - er) }\nDERIVATIVE s { m' = (0.5 - m)/(E + g_max) }\n"
    )
    (one,) = understood(source(text, "apart.mod"), None)
    assert {name: one.default for name, one in one.cls.parameters.items()} == {
        "g_max": 10.0,
        "E": -60.0,
        "E_": 3.0,
        "g_max_": 2.0,
    }
    gate = one.cls().slope({"m": jnp.asarray([0.0])}, {"V": jnp.asarray([-20.0]), "celsius": 20.0})
    assert float(gate["m"][0]) == pytest.approx(0.5 / 5)


@pytest.mark.parametrize("name", ["celsius", "v", "t", "dt", "diam"])
def test_what_is_neurons_is_no_state(name: str):
    with pytest.raises(NmodlError, match=rf"nam.mod, line 5: {name} is NEURON's, and no STATE"):
        read(gate=name)


def test_what_is_of_another_mechanism_is_said_to_be():
    text = "NEURON { SUFFIX x NONSPECIFIC_CURRENT i EXTERNAL g2_other }\nASSIGNED { v (mV) i (mA/cm2) }\nBREAKPOINT { i = g2_other*v }"
    with pytest.raises(NmodlError, match=r"it\.mod, line 3: g2_other is EXTERNAL, of another mechanism"):
        understood(source(text, "it.mod"), None)
