"""Ions and synapses of .mod files: what they are, how they run in a cell and a network, what is refused."""

from pathlib import Path

import numpy as np
import pytest
from channelome_nmodl.clamped import given
from channelome_nmodl.load import load_all, understood
from channelome_nmodl.text import NmodlError, source
from scipy.integrate import solve_ivp

import channelome as ch
from channelome.maths import FARADAY

MODS = Path(__file__).parent / "mods"
TEXT = {
    name: (MODS / f"{name}.mod").read_text(encoding="utf-8") for name in ("shell", "pump", "both", "expsyn", "plastic")
}


def changed(name: str, old: str, new: str):
    assert old in TEXT[name]
    return understood(source(TEXT[name].replace(old, new), "it.mod"), MODS)


def test_a_file_with_one_linear_pool_is_a_pool_like_any_other():
    shell = ch.load_ion(MODS / "shell.mod")
    assert (shell.species, shell.__base__.__name__) == ("ca", "Pool")
    assert {n: (p.default, str(p.unit)) for n, p in shell.parameters.items()} == {
        "D": (None, "um^2/ms"), "C_rest": (7e-5, "mM"), "C_out": (2.0, "mM"), "depth": (0.2, "um"), "tau": (35.0, "ms"),
    }  # fmt: skip
    pool = shell()
    assert float(pool.slope({"C_in": 7e-5}, -5.0)["C_in"]) == pytest.approx(10 * 5.0 / (2 * FARADAY * 0.2), rel=1e-9)
    assert float(pool.slope({"C_in": 7e-5}, 5.0)["C_in"]) == pytest.approx(0.0, abs=1e-12)


def test_a_channel_and_its_pool_run_together_in_a_cell():
    path = MODS / "both.mod"
    cell = ch.SingleCompartment(
        1,
        ch.load_ion(path),
        ICa=ch.load_channel(path),
        IL=ch.channel("IL", g_max="0.1 mS/cm^2", E="-60 mV"),
        celsius=24,
    )
    run = ch.simulate(cell, "50 ms", dt="0.01 ms", stimulus="3 uA/cm^2", record=["V", "ca.C_in", "ICa.m"])
    V, C, m = (np.asarray(run[name])[:, 0] for name in ("V", "ca.C_in", "ICa.m"))

    def slope(t, y):
        V, C, m = y
        E = 1e3 * 8.31446261815324 * 297.15 / (2 * FARADAY) * np.log(2.0 / C)
        I = 0.3 * m * m * 4e-4 / (4e-4 + C) * (V - E)
        return [3 - I - 0.1 * (V + 60), -0.31e-3 * I - (C - 1e-4) / 90, (1 / (1 + np.exp(-(V + 22) / 6.5)) - m) / 2.3]

    exact = solve_ivp(slope, (0, 50), [V[0], C[0], m[0]], "LSODA", rtol=1e-10, atol=1e-12, t_eval=run.t).y
    assert C[-1] > 2e-4
    np.testing.assert_allclose(V, exact[0], atol=2e-3)
    np.testing.assert_allclose(C, exact[1], rtol=1e-4)


def test_what_a_pool_must_be_given_is_asked_for():
    pump = ch.load_ion(MODS / "pump.mod")
    assert pump.variables == ("free", "bound", "pump", "loaded", "C_in")
    with pytest.raises(ch.ModelError, match="depends on the diameter, and a point neuron has none"):
        ch.SingleCompartment(1, pump(), celsius=24)
    assert float(pump(diameter="2 um").view(pump().initial(), 24.0).C_in) == pytest.approx(6e-5)


def test_an_ion_may_have_its_own_formula_of_its_reversal_potential():
    ion = ch.load_ion(MODS / "twosides.mod")()
    E = ion.view(ion.initial(), 30.0).E
    assert float(E) == pytest.approx(8.6173e-2 * (30 + 273.15) * np.log(3 / 120))


def test_a_synapse_runs_in_a_network_and_its_plasticity_with_it():
    """Spikes at known times into a cell that is held: the conductance is that of the closed form."""
    times = [2.0, 9.0, 30.0]
    cell = ch.SingleCompartment(1, IL=ch.channel("IL", g_max="0.1 mS/cm^2", E="-60 mV"), V="-60 mV", area="1000 um^2")
    net = ch.Network(
        cells=cell, given=ch.SpikeSource(1, times=(times, "ms"), neurons=[0, 0, 0]),
        syn=ch.Projection(
            "given", "cells", ch.load_synapse(MODS / "plastic.mod")(E="-60 mV"), ch.all_to_all(), weight="1 nS",
            plasticity=ch.load_plasticity(MODS / "plastic.mod"),
        ),
    )  # fmt: skip
    run = ch.simulate(net, "60 ms", dt="0.05 ms", record=["syn.g"])
    t, g = np.asarray(run.t), np.asarray(run["syn.g"])[:, 0]
    R, u, last, expected = 1.0, 0.0, 0.0, np.zeros_like(t)
    for spike in times:
        since = spike - last
        u *= np.exp(-since / 45)
        u += 0.35 * (1 - u)
        R = 1 - (1 - R) * np.exp(-since / 140)
        after = np.maximum(t - spike, 0.0)
        a, b = 1 / 2.7, 1 / 5.4
        expected += R * u * a / (b - a) * (np.exp(-a * after) - np.exp(-b * after)) * (t > spike)
        R, last = R - R * u, spike
    assert expected.max() > 0.1
    np.testing.assert_allclose(g, expected, atol=2e-3 * expected.max())


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("shell", "cai' = inflow", "cai' = inflow + 0*v", None),
        ("shell", "cai' = inflow", "cai' = inflow*v", "its pool depends on v"),
        ("shell", "cai' = inflow", "cai' = inflow*t", r"its pool depends on time itself \(t\)"),
        ("shell", "READ ica, cai", "READ cai", "uses ica without READ"),
        ("shell", "INITIAL { cai = rest }", "INITIAL { cai = -ica }", "starts from the current"),
        ("shell", "INITIAL { cai = rest }", "INITIAL { rest = ica cai = 1e-4 }", "rest is set once, in INITIAL, from ica"),
        ("shell", "SOLVE fill METHOD cnexp", "SOLVE fill METHOD cnexp if (cai < 1e-5) { cai = 1e-5 }", "BREAKPOINT sets the state cai"),
        ("shell", "DERIVATIVE fill {", "DERIVATIVE fill { if (ica > 0) { cai' = 0 }", "stands in an if"),
        ("pump", "COMPARTMENT PI", "LONGITUDINAL_DIFFUSION PI*diam*ca { ca }\nCOMPARTMENT PI", "line 18: LONGITUDINAL_DIFFUSION of ca"),
        ("pump", "READ cao, ica WRITE cai", "READ cao, ica WRITE cai USEION na READ nai", None),
        ("pump", "  cai = ca }", "  cai = ca + bound }", "cai is no multiple of one state but made of bound, ca"),
        ("expsyn", "NET_RECEIVE(w (uS))", "NET_RECEIVE(w (uS), w)", "NET_RECEIVE has two arguments of one name: w, w"),
        ("pump", "cai = ca }", "cai = ca + 0*twice(1, 2) }\nFUNCTION twice(x, x) { twice = x }", "line 16: twice has two arguments of one name"),
        ("expsyn", "g = g + w", "g = g + w*(1 - g)", "what is no multiple of the weight"),
        ("expsyn", "g = g + w", "g = g + w  net_send(1, 1)", r"net_send\(\) makes events of its own"),
        ("expsyn", "g = g + w", "g = g + w*t", "depends on time itself"),
        ("expsyn", "g = g + w", "g = g + w  w = 2*w", "weights that spikes change are not read"),
        ("expsyn", "g' = -g/tau", "g' = -g*g/tau", "does not change in proportion"),
        ("expsyn", "g' = -g/tau", "g' = -g/tau + 1", "g changes without a spike"),
        ("expsyn", "g' = -g/tau", "g' = -g/tau*exp(v/30)", "its states move with v"),
        ("expsyn", "i = g*(v - e)", "i = g", r"its current is not g\*\(v - e\)"),
        ("expsyn", "i = g*(v - e)", "i = g^2*(v - e)", "not proportional to its states"),
        ("expsyn", "INITIAL { g = 0 }", "INITIAL { g = 1 }", "does not start from 0"),
        ("expsyn", "NET_RECEIVE(w (uS)) { g = g + w }", "", "no spike reaches it"),
        ("expsyn", "NONSPECIFIC_CURRENT i", "USEION ca WRITE ica NONSPECIFIC_CURRENT i", "a synapse here is carried by no ion"),
        ("expsyn", "NONSPECIFIC_CURRENT i", "POINTER pre NONSPECIFIC_CURRENT i", "POINTER pre"),
        ("plastic", "R = R - R*u", "R = R - R*u*weight", "a source remembers depends on the weight"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_the_reason(name: str, old: str, new: str, reason: str | None):
    if reason is None:
        assert changed(name, old, new)
        return
    with pytest.raises(NmodlError, match=reason):
        changed(name, old, new)


def test_each_kind_is_loaded_by_its_own_function():
    with pytest.raises(ch.ModelError, match=r"shell\.mod holds no channel, but the ion 'ca', shell \(ion: load_ion\)"):
        ch.load_channel(MODS / "shell.mod")
    with pytest.raises(ch.ModelError, match="holds no plasticity, but onedecay"):
        ch.load_plasticity(MODS / "expsyn.mod")
    assert ch.load_ion(MODS / "shell.mod", species="ca") is ch.load_ion(MODS / "shell.mod")


def test_a_start_that_takes_a_step_is_that_of_a_step_of_no_length():
    text = (MODS / "stepped.mod").read_text(encoding="utf-8").replace("m = minf  h = hinf", "m = .2  h = .7  states()")
    (one,) = understood(source(text, "it.mod"), MODS)
    start = one.cls().steady_state({"V": np.asarray([-70.0]), "celsius": 22.0})
    assert {name: float(x[0]) for name, x in start.items()} == pytest.approx({"m": 0.2, "h": 0.7})
    assert "INITIAL takes a step of dt" in " ".join(one.plan.meaning.findings)


def test_a_linear_block_that_is_not_the_steady_state_is_solved():
    text = (
        (MODS / "scheme.mod")
        .read_text(encoding="utf-8")
        .replace("SOLVE kin STEADYSTATE sparse", "rates(v) SOLVE begin")
    )
    text += "LINEAR begin {\n ~ c1 = 0.5\n ~ c2 = 2*c3\n ~ c3 + 0*c1 = 0.1\n ~ o = c3\n ~ i + c1 + c2 + c3 + o = 1 }\n"
    (one,) = understood(source(text, "it.mod"), MODS)
    start = one.cls().steady_state({"V": np.asarray([-70.0]), "celsius": None})
    assert {name: round(float(x[0]), 12) for name, x in start.items()} == {
        "c1": 0.5,
        "c2": 0.2,
        "c3": 0.1,
        "o": 0.1,
        "i": 0.1,
    }
    assert "does not give the steady state" in " ".join(one.plan.meaning.findings)


def test_shells_without_diffusion_along_are_followed():
    text = (MODS / "shell.mod").read_text(encoding="utf-8")
    text = (
        text[: text.index("STATE")]
        + """
    DEFINE N 3
    STATE { c[N] (mM) }
    INITIAL { FROM k = 0 TO N-1 { c[k] = rest*(k + 1) }  cai = c[0] }
    BREAKPOINT { SOLVE s METHOD sparse }
    KINETIC s {
      COMPARTMENT j, 2*(j + 1) { c }
      ~ c[0] << (-(1e4)*ica/(2*F*depth))
      FROM k = 0 TO N-2 { ~ c[k] <-> c[k+1] (0.3, 0.3) }
      cai = c[0] }
    """
    )
    (one,) = understood(source(text, "it.mod"), MODS)
    ion = one.cls()
    states = ion.initial()
    moved = ion.slope(states, -4.0)
    c0, c1, c2 = 7e-5, 1.4e-4, 2.1e-4
    assert [float(moved[name]) for name in ("C_in", "c_1", "c_2")] == pytest.approx(
        [(1e4 * 4e-3 / (2 * FARADAY * 0.2) + 0.3 * (c1 - c0)) / 2, 0.3 * (c0 + c2 - 2 * c1) / 4, 0.3 * (c1 - c2) / 6],
        rel=1e-9,
    )
    assert load_all(MODS / "shell.mod")[0].cls is not one.cls


def test_what_initial_makes_of_a_concentration_that_the_file_keeps_stays_as_it_began():
    """The balance of a pump is that of where the sodium began, in the channel and in the ion, wherever the sodium goes."""
    channel, ion = (given(one.cls) for one in load_all(MODS / "balanced.mod"))
    assert channel.parameters["nai0_na_ion"].default == ion.parameters["nai0_na_ion"].default == 10.0
    pump = ion.initial()["pump"]
    moved = {**ion.initial(), "C_in": 30.0}
    k1, k2, k3, k4, held = 0.02, 0.05, 0.3, 10 * 0.02 * 0.3 / (140 * 0.05), 2e-12 - pump
    expected = -k1 * 30 * pump + k2 * held + k3 * held - k4 * 140 * pump
    assert float(ion.slope(moved, 0.0)["pump"]) == pytest.approx(float(expected), rel=1e-9)
    env = {"V": np.asarray([-65.0]), "celsius": 24.0, "na": ion.view(moved, 24.0)}
    own = {"pump": np.asarray([float(pump)]), "held": np.asarray([float(held)])}
    assert float(channel.slope(own, env)["pump"][0]) == pytest.approx(float(expected), rel=1e-9)


def test_what_initial_makes_of_an_ion_of_the_cell_follows_it_here_and_that_is_said():
    text = (MODS / "kv.mod").read_text(encoding="utf-8")
    text = text.replace("INITIAL {", "INITIAL { sh = (ek + 77)/10 ").replace("ninf ntau", "sh ninf ntau")
    (one,) = understood(source(text.replace("v - vh)", "v - vh - sh)"), "it.mod"), MODS)
    assert one.plan.meaning.findings == [
        "sh is set once, in INITIAL, from ek, and stays so in NEURON; here it follows what that is"
    ]
    (plain,) = understood(source(text, "it.mod"), MODS)
    assert plain.plan.meaning.findings == []


def test_of_two_blocks_of_initial_or_breakpoint_the_second_goes_on_from_the_first():
    text = (MODS / "kv.mod").read_text(encoding="utf-8")
    text += "INITIAL { n = n/2 }\nBREAKPOINT { ik = ik + 1e-3*gbar*n*v }\n"
    (one,) = understood(source(text, "it.mod"), MODS)
    channel, env = one.cls(), {"V": np.asarray([-40.0]), "celsius": 6.3}
    ek, env["k"] = -77.0, ch.ion("PotassiumFixed", E="-77 mV").view({}, 6.3)
    a, b = 0.01 * 15 / (1 - np.exp(-1.5)), 0.125 * np.exp(-25 / 80)
    n = a / (a + b) / 2
    start = channel.steady_state(env)
    assert float(start["n"][0]) == pytest.approx(n, rel=1e-9)
    assert float(channel.current(start, env)[0]) == pytest.approx(36 * n**4 * (-40 - ek) + 0.036 * n * -40, rel=1e-9)


def test_an_included_file_may_have_an_initial_block_too():
    text = (MODS / "kv.mod").read_text(encoding="utf-8")
    env = {"V": np.asarray([-40.0]), "celsius": 6.3, "k": ch.ion("PotassiumFixed", E="-77 mV").view({}, 6.3)}
    plain = float(understood(source(text, "it.mod"), MODS)[0].cls().steady_state(env)["n"][0])
    beside = {"more.inc": "INITIAL { n = 0.25*vh/vh }\n"}
    first = understood(source(text.replace("UNITS {", 'INCLUDE "more.inc"\nUNITS {', 1), "it.mod"), None, beside)
    last = understood(source(f'{text}INCLUDE "more.inc"\n', "it.mod"), None, beside)
    assert float(first[0].cls().steady_state(env)["n"][0]) == plain
    assert float(last[0].cls().steady_state(env)["n"][0]) == 0.25
