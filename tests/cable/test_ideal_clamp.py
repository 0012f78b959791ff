"""A place of a cell held ideally: closed forms, dense solutions of the same equations, all ways of running."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import each_is_named, some_of
from dense_cable import IONS, MORPH, SQUID, conductances, held_squid
from scipy.integrate import solve_ivp

import channelome as ch

CUT = MORPH.discretise(ch.max_length("30 um"))
ON, OFF = 1.0337, 4.2119
LEVELS = ch.command("-65 mV", ("-10 mV", (OFF - ON, "ms")), ("-50 mV", "9 ms"), start=(ON, "ms"))
RAMP = ch.command("-65 mV", ("-65 mV", "1 ms"), ("-65 mV", "0 mV", "4 ms"), ("0 mV", "9 ms"))
NAMES = ["V", "clamp.current"]


def axon(cut=CUT, **given):
    return ch.MultiCompartment(cut, *IONS, **SQUID, **given)


def leaky(cut=CUT, g="0.1 mS/cm^2", **given):
    return ch.MultiCompartment(cut, IL=ch.channel("IL", g_max=g, E="-65 mV"), **given)


def held(command, place="apical[0](0.5)"):
    return ch.at(place, ch.voltage_clamp(command))


def go(cell, command, duration="6 ms", dt=0.025, place="apical[0](0.5)", record=NAMES, **given):
    return ch.simulate(cell, duration, dt=(dt, "ms"), stimulus=held(command, place), record=record, **given)


def levels(t):
    return np.select([t < ON, t < OFF], [-65.0, -10.0], -50.0)


def ramp(t):
    return -65 + np.clip((t - 1) / 4, 0, 1) * 65


# ---- what is held --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["soma", "apical[0](0.5)", "apical[2](1)", "dend(0)"])
@pytest.mark.parametrize("dt", [0.01, 0.1, 0.7])
def test_the_place_is_where_the_command_is_at_any_step(place, dt):
    """After a jump what it jumps to; a root, a branch point's neighbour, a tip."""
    for command, at in ((LEVELS, levels), (RAMP, ramp)):
        out = go(axon(), command, "7 ms", dt, place, record=f"{place}.V")
        np.testing.assert_allclose(out[f"{place}.V"], at(out.t + 1e-9), rtol=0, atol=1e-7)


def test_a_sealed_cylinder_held_at_its_end_has_the_closed_form_with_second_order_in_space():
    """V falls as ``cosh((L - x) / lambda)`` from the place on, and the electrode feeds both sides of it."""
    constant = np.sqrt(1 / 0.1e-3 * 2e-4 / (4 * 100)) * 1e4  # lambda in um, with 10 kohm cm^2
    G = 0.1 * np.pi * 2 * constant * 1e-5  # of a cable without end, uS
    errors = []
    for n in (10, 20, 40):
        cable = ch.Morphology.soma("2 um", length="600 um").discretise(ch.per_branch(n))
        out = go(leaky(cable), "-25 mV", "400 ms", 0.5, "soma(0)")
        x = cable.x * 600
        shape = np.cosh((600 - x) / constant) / np.cosh((600 - x[0]) / constant)
        current = 40 * G * (np.tanh((600 - x[0]) / constant) + np.tanh(x[0] / constant))
        errors.append([np.abs(out["V"][-1] + 65 - 40 * shape).max(), abs(out["clamp.current"][-1] / current - 1)])
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2, atol=0.15)
    assert errors[-1][0] < 0.01 and errors[-1][1] < 5e-4, errors


def test_what_the_electrode_supplies_steadily_is_the_input_conductance():
    K = conductances(CUT) + np.diag(0.1 * CUT.area * 1e-5)
    for place in ("soma", "apical[0](0.5)", "apical[2](1)"):
        k = CUT.index(place)
        others = np.arange(len(CUT)) != k
        conductance = K[k, k] - K[k, others] @ np.linalg.solve(K[np.ix_(others, others)], K[others, k])
        out = go(leaky(), "-25 mV", "600 ms", 1.0, place)
        assert out["clamp.current"][-1] == pytest.approx(40 * conductance, rel=1e-9)


def test_without_a_leak_what_was_supplied_is_what_is_held():
    """The charge of a jump itself, which takes no time, is left out, and under a smooth command nothing is."""
    out = go(leaky(g="0 mS/cm^2"), RAMP, "12 ms", 0.025)
    charge = ((out["V"] + 65) * CUT.area * 1e-5).sum(1)
    supplied = np.concatenate([[0], np.cumsum((out["clamp.current"][1:] + out["clamp.current"][:-1]) / 2 * 0.025)])
    np.testing.assert_allclose(supplied, charge, rtol=0, atol=2e-4 * charge.max())


COMMANDS = {"levels": (LEVELS, levels, (ON, OFF)), "ramp": (RAMP, ramp, (1.0, 5.0))}


@functools.cache
def by_scipy(name):
    t = np.arange(0, 8.0001, 0.1)
    return t, *held_squid(CUT, CUT.index("apical[0](0.5)"), t, *COMMANDS[name][1:])


@pytest.mark.parametrize("name", some_of(COMMANDS, *list(COMMANDS)[:1]))
@pytest.mark.parametrize(("solver", "order"), [("staggered", 2), ("backward_euler", 1)])
def test_the_axon_around_it_is_that_of_scipy(name, solver, order):
    """V everywhere and the electrode's current, under jumps that lie between steps and along a ramp; spikes run about."""
    (t, V, current), command = by_scipy(name), COMMANDS[name][0]
    later = (np.abs(t - ON) > 0.3) & (
        np.abs(t - OFF) > 0.3
    )  # a jump of the electrode's current dies away within microseconds
    assert V.max() > 20
    errors = []
    for dt in (0.025, 0.0125, 0.00625):
        out = go(axon(), command, "8 ms", dt, every=round(0.1 / dt), solver=solver)
        errors.append(
            [np.sqrt(np.mean((out["V"] - V) ** 2)), np.sqrt(np.mean((out["clamp.current"] - current)[later] ** 2))]
        )
    orders = np.log2(np.divide(errors[0], errors[2])) / 2  # over both, since jumps lie elsewhere in each step
    np.testing.assert_allclose(orders, order, atol=0.25, err_msg=str(errors))
    if order == 2:
        assert errors[-1][0] < 0.02 and errors[-1][1] < 0.02, errors


def test_nothing_zigzags_after_a_jump():
    """Beside a fine tip that is held, at a long step: V of the neighbours overshoots once by what TR-BDF2 does, and then rises."""
    morph = MORPH.branch("apical", length="30 um", diameter="0.3 um", at="apical[2](1)")
    cell = leaky(morph.discretise(ch.max_length("5 um")))
    for start in ("1 ms", "1.03 ms", "1.058 ms", "1.059 ms", "1.09 ms"):
        V = go(cell, ch.command("-65 mV", ("-25 mV", "9 ms"), start=start), "3 ms", 0.1, "apical[3](1)")["V"]
        falls = np.maximum(-np.diff(V[10:], axis=0), 0).max(1)
        assert falls.max() < 0.12 * 40 and falls[4:].max() < 0.01 and V.max() < -25 + 1e-9, (start, falls, V.max())


def test_its_gates_and_pools_are_those_of_a_point_that_is_held():
    """With branches that conduct nothing the place is a point, whatever jumps between steps."""
    ions, parts = (
        (*IONS, ch.ion("CalciumDetailed", tau="20 ms")),
        {"ICa": ch.channel("ICaHT_Re1993", g_max="1 mS/cm^2")},
    )
    cell = ch.MultiCompartment(CUT, *ions, **parts, **SQUID, Ra="1 Gohm*cm")
    k = CUT.index("apical[0](0.5)")
    point = ch.SingleCompartment(1, *ions, **parts, **SQUID, area=(float(CUT.area[k]), "um^2"))
    fields = ("INa.m", "INa.h", "ca.C_in", "ICa.current")
    there = go(cell, LEVELS, "8 ms", 0.1, record=["clamp.current", *[f"apical[0](0.5).{x}" for x in fields]])
    alone = ch.simulate(
        point, "8 ms", dt="0.1 ms", stimulus=ch.voltage_clamp(LEVELS), record=["clamp.current", *fields]
    )
    for name in fields:
        np.testing.assert_allclose(there[f"apical[0](0.5).{name}"], alone[name][:, 0], rtol=1e-12)
    assert alone["ca.C_in"].max() > 1e-3
    np.testing.assert_allclose(
        there["clamp.current"], alone["clamp.current"][:, 0], rtol=0, atol=5e-6
    )  # 55 mV along the branches


def test_a_part_may_be_where_the_place_is_or_not():
    """Channels in regions, some without the place, some of which are there in one node of several."""
    cell = ch.MultiCompartment(
        CUT, *IONS, INa=ch.on("soma | dend", "INa_HH1952"), IK=ch.on("apical", "IK_HH1952"), IL=ch.channel("IL", g_max="0.1 mS/cm^2", E="-65 mV"),
        celsius=6.3,
    )  # fmt: skip
    for place, own in (("dend(0.5)", "INa.m"), ("apical[1](0.5)", "IK.n")):
        out = go(cell, LEVELS, "6 ms", 0.05, place, record=[f"{place}.{own}", f"{place}.V"])
        name = own.partition(".")[0]
        point = ch.SingleCompartment(1, *IONS, **{name: f"{name}_HH1952"}, celsius=6.3)
        alone = ch.simulate(point, "6 ms", dt="0.05 ms", stimulus=ch.voltage_clamp(LEVELS), record=own)
        np.testing.assert_allclose(out[f"{place}.{own}"], alone[own][:, 0], rtol=1e-12)


def test_what_is_injected_there_the_electrode_takes_out():
    beside = held(LEVELS) + ch.at("apical[0](0.5)", ch.step("0.3 nA", start="2 ms"))
    both = ch.at("apical[0](0.5)", ch.voltage_clamp(LEVELS) + ch.step("0.3 nA", start="2 ms"))
    alone = go(axon(), LEVELS)
    for stimulus in (beside, both):
        out = ch.simulate(axon(), "6 ms", dt="0.025 ms", stimulus=stimulus, record=NAMES)
        np.testing.assert_allclose(out["V"], alone["V"], rtol=0, atol=1e-9)
        np.testing.assert_allclose(out["clamp.current"] - alone["clamp.current"], -0.3 * (out.t > 1.99), atol=1e-9)


def test_a_series_resistance_that_vanishes_leads_to_it():
    ideal = go(axon(), RAMP, dt=0.00625)
    near = ch.at("apical[0](0.5)", ch.voltage_clamp(RAMP, series_resistance="0.0001 Mohm"))
    out = ch.simulate(axon(), "6 ms", dt="0.00625 ms", stimulus=near, record=NAMES)
    assert np.sqrt(np.mean((out["V"] - ideal["V"]) ** 2)) < 0.3
    settled = out.t > 1.1
    np.testing.assert_allclose(out["clamp.current"][settled], ideal["clamp.current"][settled], rtol=0, atol=0.15)


def test_what_diffuses_along_the_cell_does_so_where_it_is_held_too():
    """Against an electrode whose resistance vanishes; of second order, the gate that calcium opens there, too."""
    shells = {"shells": 2, "B": "0.05 mM", "k_on": "80 1/(mM*ms)", "k_off": "0.2 1/ms", "D_B": "0.1 um^2/ms"}
    ca = ch.on("apical", "CalciumShells", D="0.6 um^2/ms", **shells)
    cell = ch.MultiCompartment(
        ch.Morphology.soma("20 um").branch("apical", length="50 um", diameter="2 um").discretise(ch.max_length("5 um")),
        "PotassiumFixed", ca=ca, ICa=ch.on("apical", "ICaHT_Re1993", g_max="0.5 mS/cm^2"), IAHP=ch.on("apical", "IAHP_De1994"),
        IL=ch.channel("IL", g_max="0.1 mS/cm^2", E="-65 mV"), celsius=36,
    )  # fmt: skip
    names = ["ca.C_in", "IAHP.p"]
    fine, half, whole = (go(cell, RAMP, dt=dt, record=names) for dt in (0.00625, 0.025, 0.05))
    near = ch.at("apical[0](0.5)", ch.voltage_clamp(RAMP, series_resistance="0.0001 Mohm"))
    other = ch.simulate(cell, "6 ms", dt="0.00625 ms", stimulus=near, record=names)
    for name in names:
        reached = [np.asarray(run[name][-1]) for run in (fine, half, whole, other)]
        a, b = (np.abs(x - reached[0]).max() for x in reached[1:3])
        assert b > 3 * a > 0
        np.testing.assert_allclose(reached[0], reached[3], rtol=5e-3)
    assert fine["ca.C_in"][-1].min() > 1.1 * fine["ca.C_in"][0].max()


def test_a_population_is_held_beside_others_that_gap_junctions_join():
    alone = go(leaky(), LEVELS, "3 ms")
    net = ch.Network(
        held=leaky(size=1), a=leaky(size=1), b=leaky(size=1),
        g=ch.Projection("a.soma", "b.soma", "GapJunction", ch.one_to_one(), weight="1 nS"),
    )  # fmt: skip
    beside = ch.simulate(
        net, "3 ms", dt="0.025 ms", stimulus={"held": held(LEVELS), "a": ch.at("soma", "0.1 nA")},
        record=["held.V", "held.clamp.current", "b.soma.V"],
    )  # fmt: skip
    for name in NAMES:
        np.testing.assert_allclose(beside[f"held.{name}"][:, 0], alone[name], rtol=1e-12)
    assert beside["b.soma.V"][-1, 0] > -64.9


# ---- ways of running -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["staggered", "backward_euler"])
def test_two_parts_of_a_run_are_the_run_to_the_last_bit(solver):
    record = [*NAMES, "apical[0](0.5).INa.m", "soma.INa.m"]
    whole = go(axon(), LEVELS, record=record, solver=solver)
    first = go(axon(), LEVELS, "3 ms", record=record, solver=solver)
    then = go(axon(), LEVELS, "3 ms", record=record, state=first.final, start="3 ms", solver=solver)
    for name in record:
        np.testing.assert_array_equal(then[name], whole[name][120:])


def test_each_cell_has_its_own_command_and_is_its_run_alone():
    V = np.array([-40.0, 0.0, 20.0])
    command = ch.command("-65 mV", ((V, "mV"), "3 ms"), start="0.51 ms")
    many = go(axon(size=3, C=(np.array([[0.8], [1.0], [1.3]]), "uF/cm^2")), command, "5 ms")
    for i, C in enumerate((0.8, 1.0, 1.3)):
        alone = go(axon(C=(C, "uF/cm^2")), ch.command("-65 mV", ((V[i], "mV"), "3 ms"), start="0.51 ms"), "5 ms")
        np.testing.assert_allclose(many["V"][:, i], alone["V"], rtol=0, atol=1e-8)
        np.testing.assert_allclose(many["clamp.current"][:, i], alone["clamp.current"], rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", some_of(["level", "duration", "Ra", "C", "g", "IK"], "duration", "Ra"))
def test_derivatives_are_those_of_differences(name):
    def loss(p):
        own = {"Ra": {"Ra": (100 * p, "ohm*cm")}, "C": {"C": (p, "uF/cm^2")}, "g": {"IL.g_max": (0.3 * p, "mS/cm^2")}}
        own |= {"IK": {"IK.g_max": (36 * p, "mS/cm^2")}}
        level = (-20 * p, "mV") if name == "level" else "-20 mV"
        length = (2.013 * p, "ms") if name == "duration" else "2.013 ms"
        command = ch.command("-65 mV", (level, length), start="0.51 ms")
        out = go(axon().replace(**own.get(name, {})), command, "4 ms", 0.05, record=["soma.V", "clamp.current"])
        return jnp.mean(out["soma.V"] ** 2) / 100 + jnp.mean(out["clamp.current"][15:] ** 2)

    slope = float(loss(1 + 1e-5) - loss(1 - 1e-5)) / 2e-5
    assert jax.grad(loss)(1.0) == pytest.approx(slope, rel=2e-5)
    assert jax.jvp(loss, (1.0,), (1.0,))[1] == pytest.approx(slope, rel=2e-5)


def test_traced_runs_are_the_run():
    def current(V):
        return go(axon(), ch.command("-65 mV", ((V, "mV"), "3 ms"), start="0.51 ms"), "3 ms")["clamp.current"]

    alone = current(-20.0)
    np.testing.assert_allclose(jax.jit(current)(-20.0), alone, rtol=0, atol=1e-8)
    np.testing.assert_allclose(jax.vmap(current)(jnp.array([-50.0, -20.0]))[1], alone, rtol=0, atol=1e-8)


def test_float32_agrees_with_float64():
    runs = {}
    for x64 in (False, True):
        with jax.enable_x64(x64):
            runs[x64] = go(axon(), LEVELS)
    assert runs[False]["V"].dtype == np.float32
    assert np.abs(runs[False]["V"] - runs[True]["V"]).max() < 0.02
    assert np.abs(runs[False]["clamp.current"] - runs[True]["clamp.current"])[60:].max() < 2e-3


def test_a_clamp_in_a_network_shows_the_synaptic_current():
    """What flows into a dendrite is seen at the soma, less and later: less than at the synapses."""
    cells = leaky(size=2)
    source = ch.SpikeSource(1, times=([1.0], "ms"), neurons=[0])
    net = ch.Network(
        source=source, a=cells, e=ch.Projection("source", "a.apical[1](1)", "Expon", ch.all_to_all(), weight="1 nS")
    )
    out = ch.simulate(
        net,
        "40 ms",
        dt="0.025 ms",
        record=["a.V", "a.clamp.current", "e.current"],
        stimulus={"a": held("-65 mV", "soma")},
    )
    V, supplied, let_in = out["a.V"], -out["a.clamp.current"].sum(0) * 0.025, out["e.current"].sum(0) * 0.025
    assert np.all(V[:, :, CUT.index("soma")] == -65)
    leaked = (0.1 * (V + 65) * CUT.area * 1e-5).sum(-1).sum(0) * 0.025
    np.testing.assert_allclose(supplied + leaked, let_in, rtol=0.01)
    assert np.all(supplied < 0.95 * let_in)


def test_the_pools_and_slopes_of_scipy_hold_for_a_dense_cable_with_a_smooth_command():
    """A leaky cable under a sine: exact, since linear; V of all compartments and the electrode's current, second order."""
    K, area, k = conductances(CUT), CUT.area * 1e-5, CUT.index("apical[0](0.5)")
    others = np.arange(len(CUT)) != k

    def command(t):
        return 15 * np.sin(2 * np.pi * t / 5)

    def slope(t, v):
        return (-K[np.ix_(others, others)] @ v - K[others, k] * command(t)) / area[others] - 0.1 * v

    v = solve_ivp(slope, (0, 8), np.zeros(others.sum()), "LSODA", rtol=1e-10, atol=1e-10).y[:, -1]
    moves = 15 * 2 * np.pi / 5 * np.cos(2 * np.pi * 8 / 5)
    current = area[k] * (moves + 0.1 * command(8)) + K[k, k] * command(8) + K[k, others] @ v
    errors = []
    for dt in (0.025, 0.0125, 0.00625):
        out = go(leaky(), ch.sine("15 mV", period="5 ms", offset="-65 mV"), "8 ms", dt)
        errors.append([np.abs(out["V"][-1][others] + 65 - v).max(), abs(out["clamp.current"][-1] - current)])
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2, atol=0.2, err_msg=str(errors))


# ---- mistakes ------------------------------------------------------------------------------------------------------

MISTAKES = {
    "no place": (lambda: ch.simulate(axon(), "1 ms", dt="0.1 ms", stimulus=ch.voltage_clamp("0 mV")), "is at a place"),
    "several places": (lambda: go(axon(), "0 mV", place="terminals"), "names 3 places, and one is wanted"),
    "a solver that rings": (lambda: go(axon(), "0 mV", solver="crank_nicolson"), "cannot hold a place of a cell ideally"),
    "a solver of equations": (lambda: go(axon(), "0 mV", solver="Kvaerno5_diffrax"), "cannot hold a place of a cell ideally"),
    "two clamps": (
        lambda: ch.simulate(axon(), "1 ms", dt="0.1 ms", stimulus=[held("0 mV"), held("0 mV", "soma")]), "one clamp at most",
    ),
    "a command of another shape": (
        lambda: go(axon(size=3), ch.command("-65 mV", (([0.0, 1.0], "mV"), "3 ms"))), r"has the shape \(2,\), but the population has \(3,\)",
    ),
    "a command that ends": (
        lambda: go(axon(), ch.samples((np.linspace(-65, 0, 11), "mV"), dt="0.1 ms")), "ends at 1 ms",
    ),
    "nothing to record": (
        lambda: ch.simulate(axon(), "1 ms", dt="0.1 ms", record="clamp.current"), "is not clamped",
    ),
}  # fmt: skip


test_a_mistake_is_named_with_the_way_out = each_is_named(MISTAKES)
