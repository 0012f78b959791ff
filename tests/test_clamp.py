"""Voltage clamp and curves of one channel, against SciPy and closed forms."""

import importlib

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import channelome as ch
from channelome.authoring import (
    Conductance,
    Gate,
    IonView,
    Markov,
    Ohmic,
    Permeability,
    Permeable,
    Rate,
    Rates,
    Transitions,
    exp,
    param,
    rates,
    sigmoid,
)  # fmt: skip

TEST = np.array([-80.0, -65.0, -40.0, -10.0, 20.0, 60.0])
TIMES = np.array([0.0, 0.1, 0.5, 1.0, 3.0, 10.0])


class IAHP(Ohmic, ion="k"):
    g_max: Conductance = param(10.0)
    beta: Rate = param(0.03)

    def p(self, ca: IonView) -> Rates:
        return rates(alpha=48e4 * ca.C_in**2, beta=self.beta)

    def conductance(self, p):
        return self.g_max * p**2


class ICaT(Permeable, ion="ca"):
    P_max: Permeability = param(1e-4)

    def m(self, V) -> Gate:
        return Gate(inf=sigmoid(V + 59, 6.2), tau=1.0 + 10 * sigmoid(-(V + 60), 5))

    def permeability(self, m):
        return self.P_max * m**2


class IKMarkov(Markov, ion="k", states=("C", "O", "I")):
    g_max: Conductance = param(10.0)

    def transitions(self, V) -> Transitions:
        return {
            ("C", "O"): 0.5 * exp(V / 30), ("O", "C"): 0.2 * exp(-V / 30), ("O", "I"): 0.02 + 0 * V, ("I", "O"): 0.005 + 0 * V,
        }  # fmt: skip

    def conductance(self, O):
        return self.g_max * O


class ICoupled(Ohmic, ion="k"):
    g_max: Conductance = param(10.0)

    def m(self, V) -> Gate:
        return Gate(inf=sigmoid(V + 40, 8), tau=2.0 + 0 * V)

    def h(self, V, m) -> Gate:
        return Gate(inf=1 - m, tau=5.0 + 0 * V)

    def conductance(self, m, h):
        return self.g_max * m * h


def hodgkin_huxley_sodium(V):
    """Rates of the paper in 1/ms, written again by hand; V in mV, away from the singularity at -40."""
    alpha = {"m": 0.1 * (V + 40) / (1 - np.exp(-(V + 40) / 10)), "h": 0.07 * np.exp(-(V + 65) / 20)}
    beta = {"m": 4 * np.exp(-(V + 65) / 18), "h": 1 / (1 + np.exp(-(V + 35) / 10))}
    return alpha, beta


def test_sodium_current_under_clamp_is_that_of_an_independent_integration():
    V, hold = 10.0, -70.0
    alpha, beta = hodgkin_huxley_sodium(V)
    alpha_0, beta_0 = hodgkin_huxley_sodium(hold)
    start = [alpha_0[g] / (alpha_0[g] + beta_0[g]) for g in ("m", "h")]

    def slope(t, x):
        return [alpha[g] * (1 - y) - beta[g] * y for g, y in zip(("m", "h"), x, strict=True)]

    m, h = solve_ivp(slope, (0, 10), start, method="LSODA", t_eval=TIMES, rtol=1e-11, atol=1e-13).y
    found = ch.voltage_clamp("INa_HH1952", (V, "mV"), (TIMES, "ms"), hold=(hold, "mV"), celsius=6.3)
    np.testing.assert_allclose(found, 120 * m**3 * h * (V - 50), rtol=1e-7)


def test_curves_of_the_sodium_current_are_those_of_the_paper():
    V = np.array([-90.3, -65.0, -12.7, 35.0])
    alpha, beta = hodgkin_huxley_sodium(V)
    found = ch.curves("INa_HH1952", (V, "mV"), celsius=6.3)
    for gate in ("m", "h"):
        np.testing.assert_allclose(found.steady_state[gate], alpha[gate] / (alpha[gate] + beta[gate]), rtol=1e-12)
        np.testing.assert_allclose(found.tau[gate], 1 / (alpha[gate] + beta[gate]), rtol=1e-10)


def test_time_constants_follow_the_temperature():
    cold, warm = (ch.curves("IK_HH1952", (TEST, "mV"), celsius=celsius).tau["n"] for celsius in (6.3, 16.3))
    np.testing.assert_allclose(cold / warm, 3.0, rtol=1e-12)


def test_current_has_the_shape_of_times_and_potentials():
    V = (TEST.reshape(2, 3), "mV")
    found = ch.voltage_clamp("IK_TM1991", V, (TIMES, "ms"), hold="-65 mV")
    flat = ch.voltage_clamp("IK_TM1991", (TEST, "mV"), (TIMES, "ms"), hold="-65 mV")
    assert found.shape == (6, 2, 3)
    np.testing.assert_array_equal(found.reshape(6, 6), flat)


def test_a_leak_carries_its_ohmic_current_at_once():
    leak = ch.channel("IL", g_max="0.3 mS/cm^2", E="-54 mV")
    found = ch.voltage_clamp(leak, (TEST, "mV"), (TIMES, "ms"), hold="-65 mV")
    np.testing.assert_allclose(found, np.broadcast_to(0.3 * (TEST + 54), (6, 6)), rtol=1e-12)
    assert ch.curves(leak, (TEST, "mV")).steady_state == {}


def test_a_calcium_gated_channel_sees_the_ions_that_are_given():
    calcium = ch.ion("CalciumFixed", C_in="0.5 uM")
    found = ch.voltage_clamp(IAHP, "-20 mV", (TIMES, "ms"), hold="-65 mV", ions=[calcium])
    alpha, beta = 48e4 * 5e-4**2, 0.03
    p = alpha / (alpha + beta)
    np.testing.assert_allclose(found, 10 * p**2 * (-20 + 95), rtol=1e-12)


def test_curves_over_a_concentration():
    C = np.geomspace(1e-5, 1e-2, 7)
    found = ch.curves(IAHP, (np.full(7, -60.0), "mV"), ions=[ch.ion("CalciumFixed", C_in=(C, "mM"))])
    alpha = 48e4 * C**2
    np.testing.assert_allclose(found.steady_state["p"], alpha / (alpha + 0.03), rtol=1e-12)
    np.testing.assert_allclose(found.tau["p"], 1 / (alpha + 0.03), rtol=1e-9)


def test_a_permeable_channel_follows_the_ghk_equation():
    V, celsius = 20.0, 36.0
    found = ch.voltage_clamp(ICaT, (V, "mV"), ([0.0, 1e4], "ms"), hold="-120 mV", celsius=celsius)
    xi = 2 * 96485.33212 * V * 1e-3 / (8.314462618 * (celsius + 273.15))
    flux = 2 * 96485.33212 * xi * (2.4e-4 - 2.0 * np.exp(-xi)) / (1 - np.exp(-xi))  # per cm/s and mM, in uA/cm^2
    m = 1 / (1 + np.exp(-(V + 59) / 6.2))
    np.testing.assert_allclose(found[1], 1e-4 * m**2 * flux, rtol=1e-6)


def test_a_kinetic_scheme_is_that_of_an_independent_integration():
    V, hold, times = -5.0, -70.0, np.array([0.0, 0.3, 2.0, 20.0, 300.0])

    def matrix(V):
        a, b = 0.5 * np.exp(V / 30), 0.2 * np.exp(-V / 30)
        return np.array([[-a, b, 0.0], [a, -b - 0.02, 0.005], [0.0, 0.02, -0.005]])

    at_rest = np.linalg.svd(matrix(hold))[2][-1]
    Q, start = matrix(V), at_rest / at_rest.sum()
    p = solve_ivp(lambda t, p: Q @ p, (0, 300), start, method="BDF", t_eval=times, rtol=1e-10, atol=1e-13).y
    found = ch.voltage_clamp(IKMarkov, (V, "mV"), (times, "ms"), hold=(hold, "mV"))
    np.testing.assert_allclose(found, 10 * p[1] * (V + 95), rtol=1e-6)


def test_a_scheme_ends_at_its_steady_state_after_any_time():
    found = ch.voltage_clamp(IKMarkov, (TEST, "mV"), ([1e7], "ms"), hold="-65 mV")[0]
    end = ch.curves(IKMarkov, (TEST, "mV")).steady_state
    np.testing.assert_allclose(found, 10 * end["O"] * (TEST + 95), rtol=1e-8)
    np.testing.assert_allclose(sum(end.values()), 1.0, rtol=1e-12)


def test_a_gate_that_depends_on_another_is_integrated():
    V, hold = -30.0, -80.0
    inf = 1 / (1 + np.exp(-(V + 40) / 8))
    m_0 = 1 / (1 + np.exp(-(hold + 40) / 8))

    def slope(t, x):
        return [(inf - x[0]) / 2, (1 - x[0] - x[1]) / 5]

    m, h = solve_ivp(slope, (0, 10), [m_0, 1 - m_0], method="LSODA", t_eval=TIMES, rtol=1e-11, atol=1e-13).y
    found = ch.voltage_clamp(ICoupled, (V, "mV"), (TIMES, "ms"), hold=(hold, "mV"))
    np.testing.assert_allclose(found, 10 * m * h * (V + 95), rtol=1e-4)
    steady = ch.curves(ICoupled, (V, "mV"))
    np.testing.assert_allclose(steady.steady_state["h"], 1 - inf, rtol=1e-12)


@pytest.mark.usefixtures("float32")
def test_float32_stays_float32():
    found = ch.voltage_clamp("INa_TM1991", (TEST, "mV"), (TIMES, "ms"), hold="-65 mV")
    assert found.dtype == jnp.float32
    assert ch.curves(IKMarkov, (TEST, "mV")).steady_state["O"].dtype == jnp.float32


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"V": 10.0}, ch.UnitError, "potential of the clamp needs a unit"),
        ({"celsius": None}, ch.ModelError, "measured at 6.3 degC"),
        ({"t": ([1.0, 0.5], "ms")}, ch.ModelError, "do not decrease"),
        ({"t": ([-1.0, 0.5], "ms")}, ch.ModelError, "start at 0"),
        ({"t": "1 ms"}, ch.ModelError, r"shape \(time,\)"),
        ({"channel": "INa_HH1953"}, ch.UnknownName, "INa_HH1952"),
        ({"channel": 3}, ch.ModelError, "not 3"),
    ],
)
def test_bad_input_is_named(arguments, error, says):
    good = {"channel": "INa_HH1952", "V": "0 mV", "t": (TIMES, "ms"), "hold": "-65 mV", "celsius": 6.3}
    given = good | arguments
    with pytest.raises(error, match=says):
        ch.voltage_clamp(given.pop("channel"), given.pop("V"), given.pop("t"), **given)


def test_a_species_without_a_default_is_asked_for():
    class IMg(Ohmic, ion="mg"):
        def conductance(self):
            return 1.0

    with pytest.raises(ch.ModelError, match="'mg', which the cell lacks"):
        ch.voltage_clamp(IMg, "0 mV", (TIMES, "ms"), hold="-65 mV")
    ion = ch.ion("Fixed", species="mg", E="10 mV")
    assert ch.voltage_clamp(IMg, "0 mV", (TIMES, "ms"), hold="-65 mV", ions=[ion])[0] == -10


@pytest.mark.parametrize("channel", ["INa_HH1952", "IL", IAHP, IKMarkov, ICoupled])
def test_a_portrait_shows_gates_and_currents(channel):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    portrait = importlib.import_module("channelome.instruments.portrait").portrait
    figure = portrait(channel)
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert any("µA/cm²" in label for label in labels)
    assert ("steady state" in labels) == (channel != "IL")
    matplotlib.pyplot.close(figure)


def test_a_gate_that_calcium_alone_moves_is_drawn_over_calcium():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    portrait = importlib.import_module("channelome.instruments.portrait").portrait
    figure = portrait(IAHP)
    below = {axes.get_xlabel(): axes for axes in figure.axes if axes.get_ylabel() == "time constant (ms)"}
    assert list(below) == ["C_in of ca (mM)"]
    (line,) = below["C_in of ca (mM)"].lines
    C, tau = line.get_data()
    np.testing.assert_allclose(tau, 1 / (48e4 * C**2 + 0.03), rtol=1e-12)
    matplotlib.pyplot.close(figure)
