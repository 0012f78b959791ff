"""Voltage clamp and curves of one channel, against SciPy and closed forms."""

import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import some_of
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


# ---- commands ------------------------------------------------------------------------------------------------------

COMMAND = ch.command("-70 mV", ("10 mV", "2 ms"), ("-30 mV", "3 ms"), start="0.7 ms")


def test_levels_one_after_another_are_exact_whatever_times_are_asked_for():
    t = np.array([0.0, 0.5, 0.7, 0.71, 2.7, 3.3, 5.7, 9.1, 200.0])
    found = ch.voltage_clamp("INa_HH1952", COMMAND, (t, "ms"), celsius=6.3)
    m, h, exact = None, None, []
    for V, begin, end in ((-70.0, 0.0, 0.7), (10.0, 0.7, 2.7), (-30.0, 2.7, 5.7), (-70.0, 5.7, 1e9)):
        alpha, beta = hodgkin_huxley_sodium(V)
        inf = {g: alpha[g] / (alpha[g] + beta[g]) for g in "mh"}
        m, h = (inf["m"], inf["h"]) if m is None else (m, h)

        def after(x, g, length, alpha=alpha, beta=beta, inf=inf):
            return inf[g] + (x - inf[g]) * np.exp(-(alpha[g] + beta[g]) * length)

        for time in t[(t >= begin) & (t < end)]:
            exact.append(120 * after(m, "m", time - begin) ** 3 * after(h, "h", time - begin) * (V - 50))
        m, h = after(m, "m", end - begin), after(h, "h", end - begin)
    np.testing.assert_allclose(found, exact, rtol=1e-9)


def test_a_command_with_one_level_is_the_jump():
    V = (TEST, "mV")
    for channel in ("IK_TM1991", IKMarkov, ICoupled):
        jump = ch.voltage_clamp(channel, V, (TIMES, "ms"), hold="-65 mV")
        command = ch.voltage_clamp(channel, ch.command("-65 mV", (V, "20 ms")), (TIMES, "ms"))
        np.testing.assert_allclose(command, jump, rtol=1e-5)


def test_a_family_of_sweeps_is_its_sweeps_one_by_one():
    gaps = np.array([0.3, 2.0, 11.0])
    t = ([0.5, 2.6, 5.0, 14.0], "ms")

    def command(gap):
        return ch.command("-80 mV", ("0 mV", "2 ms"), ("-80 mV", (gap, "ms")), ("0 mV", "2 ms"))

    for channel in ("INa_TM1991", IKMarkov):
        together = ch.voltage_clamp(channel, command(gaps), t)
        alone = np.stack([ch.voltage_clamp(channel, command(gap), t) for gap in gaps], axis=-1)
        np.testing.assert_allclose(together, alone, rtol=1e-10)


def scipy_sodium(V, t, hold):
    def rates_of(V):
        alpha, beta = hodgkin_huxley_sodium(V + 1e-7)  # off the 0/0
        return [(alpha[g], beta[g]) for g in "mh"]

    def slope(t, x):
        return [a * (1 - y) - b * y for (a, b), y in zip(rates_of(V(t)), x, strict=True)]

    start = [a / (a + b) for a, b in rates_of(hold)]
    m, h = solve_ivp(slope, (0, t[-1]), start, method="LSODA", t_eval=t, rtol=1e-11, atol=1e-13, max_step=0.02).y
    return 120 * m**3 * h * (np.array([V(x) for x in t]) - 50)


def test_a_ramp_is_that_of_scipy():
    t = np.array([0.0, 1.0, 4.0, 8.33, 12.0, 20.0])
    found = ch.voltage_clamp("INa_HH1952", ch.command("-90 mV", ("-90 mV", "40 mV", "13 ms")), (t, "ms"), celsius=6.3)
    exact = scipy_sodium(lambda t: -90 + 10 * t if t < 13 else -90.0, t, -90.0)
    np.testing.assert_allclose(found, exact, rtol=0, atol=2e-6 * np.abs(exact).max())


def test_a_recorded_trace_is_that_of_scipy():
    at = 0.2 * np.arange(61)
    V = -65 + 90 * np.exp(-(((at - 5) / 0.8) ** 2))
    t = np.array([0.0, 4.4, 5.13, 6.0, 11.9])
    found = ch.voltage_clamp("INa_HH1952", ch.samples((V, "mV"), dt="0.2 ms"), (t, "ms"), celsius=6.3)
    exact = scipy_sodium(lambda t: float(np.interp(t, at, V)), t, V[0])
    np.testing.assert_allclose(found, exact, rtol=0, atol=3e-6 * np.abs(exact).max())


def test_a_smooth_command_moves_a_scheme_as_scipy_says():
    t = np.array([0.0, 3.0, 10.0])

    def matrix(V):
        a, b = 0.5 * np.exp(V / 30), 0.2 * np.exp(-V / 30)
        return np.array([[-a, b, 0.0], [a, -b - 0.02, 0.005], [0.0, 0.02, -0.005]])

    def V(t):
        return -40 + 20 * np.sin(2 * np.pi * t / 5)

    start = np.linalg.svd(matrix(-40))[2][-1]
    p = solve_ivp(lambda t, p: matrix(V(t)) @ p, (0, 10), start / start.sum(), t_eval=t, rtol=1e-11, atol=1e-13).y
    wave = ch.sine("20 mV", period="5 ms", offset="-40 mV")
    found = ch.voltage_clamp(IKMarkov, wave, (t, "ms"))
    np.testing.assert_allclose(found, 10 * p[1] * (V(t) + 95), rtol=0, atol=3e-6 * 30)


def test_currents_under_commands_can_be_differentiated():
    def current(level, command):
        return ch.voltage_clamp("IK_TM1991", command((level, "mV")), ([1.0, 3.0], "ms"))[1]

    for command in (lambda V: ch.command("-70 mV", (V, "2 ms")), lambda V: ch.command("-70 mV", ("-70 mV", V, "4 ms"))):
        slope = jax.jit(jax.grad(lambda level, command=command: current(level, command)))(10.0)
        assert float(slope) == pytest.approx(float(current(10.01, command) - current(9.99, command)) / 0.02, rel=2e-3)


# ---- protocols -----------------------------------------------------------------------------------------------------


def test_activation_is_the_peak_of_every_sweep():
    found = ch.protocols.activation("-90 mV", (TEST, "mV"), width="8 ms").on("INa_HH1952", celsius=6.3)
    t = np.linspace(0, 8, 4001)
    I = np.asarray(ch.voltage_clamp("INa_HH1952", (TEST, "mV"), (t, "ms"), hold="-90 mV", celsius=6.3))
    exact = np.take_along_axis(I, np.abs(I).argmax(axis=0)[None], axis=0)[0]
    np.testing.assert_allclose(found.peak, exact, rtol=2e-3)
    assert found.I.shape == (found.t.size, TEST.size) and found.compared.max() == 1


def test_inactivation_after_a_long_prepulse_is_the_steady_state():
    V = np.array([-120.0, -80.0, -65.0, -50.0, -35.0])
    found = ch.protocols.inactivation("-90 mV", (V, "mV"), "-10 mV", prepulse="200 ms", width="0.5 ms").on(
        "INa_HH1952", celsius=6.3
    )
    alpha, beta = hodgkin_huxley_sodium(V)
    h = alpha["h"] / (alpha["h"] + beta["h"])
    np.testing.assert_allclose(found.compared, h / h.max(), atol=0.04)  # m, open a bit already, adds to it


def test_tails_begin_at_what_was_open():
    V = np.array([-100.0, -60.0, 20.0])
    found = ch.protocols.deactivation("-80 mV", (V, "mV"), "0 mV", pulse="40 ms", width="10 ms").on(
        "IK_HH1952", celsius=6.3
    )
    n = ch.curves("IK_HH1952", "0 mV", celsius=6.3).steady_state["n"]
    tails = 36 * n**4 * (V[:2] - ch.ion("PotassiumFixed").E)
    np.testing.assert_allclose(found.peak[:2], tails, rtol=1e-3)


def test_recovery_follows_the_time_constant_at_rest():
    gaps = np.array([0.5, 2.0, 5.0, 40.0])
    found = ch.protocols.recovery("-90 mV", (gaps, "ms"), "0 mV", width="30 ms").on("INa_HH1952", celsius=6.3)
    tau = float(ch.curves("INa_HH1952", "-90 mV", celsius=6.3).tau["h"])
    np.testing.assert_allclose(found.compared[1:], 1 - np.exp(-gaps[1:] / tau), atol=0.02)
    assert np.all(np.diff(found.compared) > 0)


def test_a_protocol_is_done_with_a_cell_too():
    levels = np.array([-60.0, -20.0, 20.0])
    protocol = ch.protocols.activation("-80 mV", (levels, "mV"), width="5 ms")
    cell = ch.SingleCompartment(3, "SodiumFixed", INa=ch.channel("INa_HH1952", phi=1.0))
    clamp = ch.voltage_clamp(protocol.command)
    run = ch.simulate(cell, (protocol.length, "ms"), dt="0.01 ms", stimulus=clamp, record="clamp.current")
    of_cell, alone = protocol.read(run.t, run["clamp.current"]), protocol.on("INa_HH1952", celsius=6.3)
    np.testing.assert_allclose(of_cell.peak, alone.peak, rtol=1e-3)
    with pytest.raises(ch.ModelError, match="has 3 sweeps: currents must be of shape"):
        protocol.read(run.t, run["clamp.current"][:, :2])
    with pytest.raises(ch.ModelError, match="no time lies in the window of the protocol 'activation'"):
        protocol.read(run.t[:100], run["clamp.current"][:100])


@pytest.mark.usefixtures("float32")
def test_float32_stays_float32():
    assert ch.voltage_clamp("INa_TM1991", COMMAND, (TIMES, "ms")).dtype == jnp.float32
    ramp = ch.voltage_clamp("INa_TM1991", ch.command("-70 mV", ("-70 mV", "20 mV", "9 ms")), (TIMES, "ms"))
    assert ramp.dtype == jnp.float32 and np.all(np.isfinite(ramp))
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
        ({"hold": None}, ch.ModelError, "say from where V jumps, hold='-70 mV'"),
        ({"t": None}, ch.ModelError, r"is voltage_clamp\(channel, V, t\)"),
        ({"V": COMMAND}, ch.ModelError, "leave out hold"),
        ({"V": ch.step("1 nA"), "hold": None}, ch.UnitError, "in mV, and not in nA"),
        (
            {"V": ch.samples(([0.0, 1.0], "mV"), dt="1 ms"), "hold": None},
            ch.ModelError,
            "from 0 to 1 ms, and currents are asked for",
        ),
        ({"series_resistance": "1 Mohm"}, ch.ModelError, "that of a cell voltage_clamp"),
        ({"V": None, "t": None}, ch.ModelError, "clamp of a cell has a command alone"),
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


@pytest.mark.parametrize(
    "channel", some_of(["INa_HH1952", "IL", IAHP, IKMarkov, ICoupled], "INa_HH1952", "IL", ICoupled)
)
def test_a_portrait_shows_gates_and_currents(channel):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    portrait = importlib.import_module("channelome.instruments.portrait").portrait
    figure = portrait(channel)
    titles = [axes.get_title("left").partition(":")[0].partition(" at")[0] for axes in figure.axes]
    four = {"activation", "inactivation", "deactivation", "recovery"}
    assert four.issubset(titles) == (channel in ("INa_HH1952", IKMarkov, ICoupled)) and four.intersection(titles) in (
        four,
        set(),
    )
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
