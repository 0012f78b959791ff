"""Gap junctions between places of cells, and between these and points: dense solutions of the same equations, closed forms, ways of running."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import each_is_named, some_of
from dense_cable import IONS, SQUID, conductances, joined, squids
from scipy.linalg import expm

import channelome as ch

MORPH = (
    ch.Morphology.soma("20 um")
    .branch("dend", length="200 um", diameter="2 um")
    .branch("apical", length="200 um", diameter="1 um", at="dend(1)")
    .branch("apical", length="150 um", diameter="0.6 um", at="dend(1)")
)
CUT = MORPH.discretise(ch.max_length("25 um"))
STICK = ch.Morphology.ball_and_stick(length="300 um").discretise(ch.max_length("30 um"))


def leaky(cut=CUT, g="0.1 mS/cm^2", **given):
    return ch.MultiCompartment(cut, IL=ch.channel("IL", g_max=g, E="-65 mV"), **given)


def gap(pre, post, rule=None, weight="1 nS", **given):
    return ch.Projection(pre, post, "GapJunction", rule or ch.all_to_all(), weight=weight, **given)


def go(net, duration="5 ms", dt=0.025, record="a.V", **given):
    return ch.simulate(net, duration, dt=(dt, "ms"), record=record, **given)


def three_kinds(weight="1 nS"):
    """Two populations of reconstructed cells and one of points, joined among one another at several places."""
    return ch.Network(
        a=leaky(size=2),
        b=leaky(STICK, size=3),
        points=ch.SingleCompartment(2, area="1000 um^2", IL=ch.channel("IL", g_max="0.1 mS/cm^2", E="-65 mV")),
        ab=gap("a.apical[1](1)", "b.dend(0.5)", ch.from_arrays([0, 1, 1], [2, 0, 1]), weight=(np.array([1.0, 2.0, 3.0]), "nS")),
        aa=gap("a.soma", "a.dend(0.5)", ch.all_to_all(self_connections=True), weight=weight),
        bp=gap("b.soma", "points", ch.from_arrays([0, 2], [0, 1]), weight="2 nS"),
        bb=gap("b.terminals", "b.terminals", ch.all_to_all(), weight="0.5 nS"),
    )  # fmt: skip


def dense(net):
    """Of `three_kinds` its conductances, and areas in 1e-5 um^2: cells of a, of b, then the points."""
    n, m = len(CUT), len(STICK)
    first = {"a": lambda i: i * n, "b": lambda i: 2 * n + i * m, "points": lambda i: 2 * n + 3 * m + i}
    cut = {"a": CUT, "b": STICK}

    def place(name, i, landing, k):
        if landing is None:
            return first[name](i)
        return first[name](i) + landing.compartments[0 if landing.which is None else landing.which[k]]

    pairs = []
    for path in net.projections.values():
        w, g = path.wiring, np.broadcast_to(path.weight, path.wiring.edges.n) * 1e-3
        for k, (i, j) in enumerate(zip(w.sources, w.edges.targets, strict=True)):
            pairs.append((place(w.pre, i, w.leaving, k), place(w.post, j, w.landing, k), g[k]))
    K = joined([conductances(cut[x]) for x in "aabbb"] + [np.zeros((1, 1))] * 2, pairs)
    return K, np.concatenate([cut[x].area for x in "aabbb"] + [np.full(2, 1000.0)]) * 1e-5


def flat(run):
    """V of all compartments in that order."""
    return np.concatenate([x.reshape(len(x), -1) for x in (run["a.V"], run["b.V"], run["points.V"])], axis=1)


ALL = ["a.V", "b.V", "points.V"]


@pytest.mark.parametrize(
    "case",
    some_of([("staggered", 2), ("crank_nicolson", 2), ("backward_euler", 1)], ("staggered", 2)),
    ids=lambda case: case[0],
)
def test_any_junctions_are_the_dense_solution_at_the_order_of_the_solver(case):
    solver, order = case
    net = three_kinds()
    K, area = dense(net)
    assert net["bb"].wiring.edges.n == 3  # of cells of one population each pair once
    assert net["aa"].wiring.edges.n == 4  # a soma to each dendrite, the other way another junction, and within a cell
    into = np.zeros(len(area))
    into[2 * len(CUT) + STICK.index("soma") + np.arange(3) * len(STICK)] = 0.1
    A, V = -K / area[:, None] - 0.1 * np.eye(len(area)), into / area
    exact = np.linalg.solve(A, (expm(4 * A) - np.eye(len(A))) @ V) - 65
    errors = []
    for dt in (0.1, 0.05, 0.025):
        run = go(net, "4 ms", dt, ALL, stimulus={"b": ch.at("soma", ch.step("0.1 nA"))}, solver=solver)
        errors.append(np.abs(flat(run)[-1] - exact).max())
    assert np.log2(errors[1] / errors[2]) == pytest.approx(order, abs=0.3), errors
    assert errors[2] < (0.002 if order == 2 else 0.1), errors  # of up to 40 mV


@pytest.mark.parametrize("solver", ["staggered", "crank_nicolson"])
def test_axons_that_spike_through_a_junction_are_those_of_scipy(solver):
    """One squid axon drives another through junctions between dendrites; spikes cross."""
    axons = ch.MultiCompartment(STICK, *IONS, **SQUID, size=2)
    net = ch.Network(a=axons, gap=gap("a[0].dend(1)", "a[1].dend(0.5)", weight="30 nS"))
    n = len(STICK)
    K = joined([conductances(STICK)] * 2, [(STICK.index("dend(1)"), n + STICK.index("dend(0.5)"), 0.03)])
    t, into = np.arange(0, 8.0001, 0.1), np.zeros(2 * n)
    into[STICK.index("soma")] = 0.8
    exact = squids(K, np.tile(STICK.area, 2) * 1e-5, t, lambda now: into * (now >= 1.0), (1.0,))
    assert exact[:, n + STICK.index("soma")].max() > 20
    start = np.zeros((2,))
    start[0] = 0.8
    errors = []
    for dt in (0.02, 0.01, 0.005):
        into = {"a": ch.at("soma", ch.step((start, "nA"), start="1 ms"))}
        run = go(net, "8 ms", dt, stimulus=into, every=round(0.1 / dt), solver=solver)
        errors.append(np.abs(run["a.V"].reshape(len(t), -1) - exact).max())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.25), errors
    assert np.log2(errors[1] / errors[2]) == pytest.approx(2, abs=0.25), errors
    assert errors[-1] < 0.1, errors  # mV, over the flanks of spikes too


@pytest.mark.parametrize("weight", ["1 nS", "1000000 nS"])
def test_what_leaves_one_end_enters_the_other(weight):
    """Without a leak the charge of all cells stays what it was put in, to rounding, however strong the junctions."""
    cells = leaky(g="0 mS/cm^2", size=4)
    net = ch.Network(a=cells, gap=gap("a.soma", "a.apical[1](1)", weight=weight))
    run = go(
        net, "5 ms", 0.1, stimulus={"a": ch.at("dend(0.5)", ch.step((np.array([0, 0.1, 0.2, 0.0]), "nA"), stop="2 ms"))}
    )
    charge = ((run["a.V"] + 65) * CUT.area * 1e-5).sum((1, 2))
    np.testing.assert_allclose(charge[20:], 0.3 * 2, rtol=1e-11)


def test_no_strength_makes_it_overshoot_or_zigzag():
    """Two thin tips, one cell 30 mV above the other, joined strongly: their V meet, and nothing else is seen."""
    cells = leaky(g="0 mS/cm^2", size=2, V=(np.array([[-50.0], [-80.0]]), "mV"))
    for weight in ("10 nS", "100000 nS"):
        net = ch.Network(a=cells, gap=gap("a[0].apical[1](1)", "a[1].apical[1](1)", weight=weight))
        V = go(net, "3 ms", 0.1)["a.V"]
        tips = V[:, :, CUT.index("apical[1](1)")]
        apart = tips[:, 0] - tips[:, 1]
        assert np.all(np.diff(apart)[3:] < 1e-9) and np.all(apart > -0.01), apart
        np.testing.assert_allclose(tips.sum(1), -130, atol=1e-9)  # both cells are alike
    assert np.all(np.abs(apart[2:]) < 1e-2)


def test_a_steady_state_is_that_of_resistors():
    """Input and coupling: two cells with 5 nS between dendrites, by the inverse of the matrix."""
    n, m = len(CUT), len(STICK)
    net = ch.Network(a=leaky(size=1), b=leaky(STICK, size=1), gap=gap("a.apical[0](0.5)", "b.dend(1)", weight="5 nS"))
    run = go(net, "600 ms", 1.0, ["a.V", "b.V"], stimulus={"a": ch.at("soma", ch.step("0.05 nA"))})
    K = joined(
        [conductances(CUT), conductances(STICK)], [(CUT.index("apical[0](0.5)"), n + STICK.index("dend(1)"), 5e-3)]
    )
    into = np.zeros(n + m)
    into[CUT.index("soma")] = 0.05
    V = np.linalg.solve(K + np.diag(np.concatenate([CUT.area, STICK.area]) * 1e-6), into) - 65
    np.testing.assert_allclose(np.concatenate([run["a.V"][-1, 0], run["b.V"][-1, 0]]), V, rtol=1e-9)


def test_a_cell_of_one_compartment_is_the_point():
    ball = ch.Morphology.soma("20 um").discretise(ch.per_branch(1))
    area = float(ball.area.sum())
    points = ch.SingleCompartment(
        2, area=(area, "um^2"), V=(np.array([-50.0, -80.0]), "mV"), IL=ch.channel("IL", g_max="0.1 mS/cm^2", E="-65 mV")
    )
    one = leaky(ball, size=2, V=(np.array([[-50.0], [-80.0]]), "mV"))
    as_points = go(ch.Network(a=points, gap=gap("a[0]", "a[1]", weight="2 nS")), "10 ms", 0.0125)["a.V"]
    as_cells = go(ch.Network(a=one, gap=gap("a[0].soma", "a[1].soma", weight="2 nS")), "10 ms", 0.0125)["a.V"][:, :, 0]
    np.testing.assert_allclose(as_cells, as_points, atol=2e-4)


def test_junctions_may_be_spread_over_a_region():
    net = ch.Network(
        a=leaky(size=4), b=leaky(STICK, size=4), gap=gap("a.spread(apical)", "b.spread(dend)", weight="1 nS")
    )
    wiring = net["gap"].wiring
    assert set(wiring.leaving.compartments) <= set(CUT.numbers("apical")) and len(wiring.leaving.compartments) > 3
    assert set(wiring.landing.compartments) <= set(STICK.numbers("dend"))
    again = net.replace(seed=0)
    np.testing.assert_array_equal(again["gap"].wiring.leaving.which, wiring.leaving.which)


# ---- ways of running -----------------------------------------------------------------------------------------------


def axons(weight="3 nS"):
    return ch.Network(
        a=ch.MultiCompartment(STICK, *IONS, **SQUID, size=2),
        p=ch.SingleCompartment(2, *IONS, area="1000 um^2", **SQUID),
        gap=gap("a.dend(1)", "p", ch.one_to_one(), weight=weight), own=gap("a.soma", "a.soma", weight=weight),
    )  # fmt: skip


STIMULUS = {"a": ch.at("soma", ch.step((np.array([0.8, 0.0]), "nA"), start="0.5 ms"))}


def test_two_parts_of_a_run_are_the_run_to_the_last_bit():
    whole = go(axons(), "4 ms", record=["a.V", "p.V"], stimulus=STIMULUS)
    first = go(axons(), "2 ms", record=["a.V", "p.V"], stimulus=STIMULUS)
    then = go(axons(), "2 ms", record=["a.V", "p.V"], stimulus=STIMULUS, state=first.final, start="2 ms")
    for name in ("a.V", "p.V"):
        np.testing.assert_array_equal(then[name], whole[name][80:])


def test_traced_runs_are_the_run_and_derivatives_those_of_differences():
    def mean(weight, stimulus=STIMULUS):
        run = go(axons((weight, "nS")), "3 ms", 0.05, ["a.soma.V", "p.V"], stimulus=stimulus)
        return jnp.mean(run["a.soma.V"] ** 2) + jnp.mean(run["p.V"] ** 2)

    assert jax.jit(mean)(3.0) == pytest.approx(float(mean(3.0)), rel=1e-10)
    many = jax.vmap(mean)(jnp.array([1.0, 3.0]))
    np.testing.assert_allclose(many, [float(mean(1.0)), float(mean(3.0))], rtol=1e-10)
    slope = float(mean(3.0001) - mean(2.9999)) / 0.0002
    assert jax.grad(mean)(3.0) == pytest.approx(slope, rel=1e-5)
    assert jax.jvp(mean, (3.0,), (1.0,))[1] == pytest.approx(slope, rel=1e-5)


def test_float32_agrees_with_float64():
    runs = {}
    for x64 in (False, True):
        with jax.enable_x64(x64):
            runs[x64] = go(axons("50 nS"), "5 ms", record=["a.V", "p.V"], stimulus=STIMULUS)
    assert runs[False]["a.V"].dtype == np.float32
    for name in ("a.V", "p.V"):
        assert np.abs(runs[False][name] - runs[True][name]).max() < 0.02


def test_pools_of_calcium_go_along():
    """With junctions of no strength all is as without."""
    cell = ch.MultiCompartment(
        STICK, *IONS, ca=ch.on("dend", "CalciumDetailed", tau="20 ms"), ICa=ch.on("dend", "ICaHT_Re1993", g_max="1 mS/cm^2"),
        **SQUID, size=2,
    )  # fmt: skip
    names = ["a.soma.V", "a.ca.C_in", "a.soma.INa.m"]
    alone = go(ch.Network(a=cell), "5 ms", record=names, stimulus=STIMULUS)
    both = go(
        ch.Network(a=cell, gap=gap("a.soma", "a.dend(1)", weight="0 nS")), "5 ms", record=names, stimulus=STIMULUS
    )
    assert alone["a.ca.C_in"].max() > 1e-3
    for name in names:
        np.testing.assert_allclose(both[name], alone[name], rtol=1e-9, atol=1e-12)


def test_a_network_with_them_is_saved_and_read(tmp_path):
    net = ch.Network(
        a=leaky(size=3), b=leaky(STICK, size=2), gap=gap("a.spread(apical)", "b.dend(1)", ch.fixed_probability(0.9))
    )
    ch.save(net, tmp_path / "net.json")
    read = ch.load(tmp_path / "net.json")
    np.testing.assert_array_equal(read["gap"].wiring.leaving.which, net["gap"].wiring.leaving.which)
    run = [go(x, "2 ms", stimulus={"b": ch.at("soma", ch.step("0.1 nA"))})["a.V"] for x in (net, read)]
    np.testing.assert_array_equal(*run)


def test_the_program_is_no_longer_for_more_cells_or_compartments():
    from engine.test_compile_cost import lines_of

    def made(length, size):
        cell = ch.MultiCompartment(
            ch.Morphology.ball_and_stick(), *IONS, **SQUID, discretise=ch.max_length(length), size=size
        )
        return lines_of(ch.Network(a=cell, gap=gap("a.dend(1)", "a.soma")))

    assert made("20 um", 40) <= 1.02 * made("50 um", 9)


# ---- mistakes ------------------------------------------------------------------------------------------------------

CELLS, POINTS = leaky(size=2), ch.cell("SquidAxon_HH1952", size=2, area="1000 um^2")
MISTAKES = {
    "no place on the sources": (lambda: ch.Network(a=CELLS, g=gap("a", "a.soma")), "'g': the sources have .* compartments: say where"),
    "no place on the targets": (lambda: ch.Network(a=CELLS, g=gap("a.soma", "a")), "'g': the targets have .* compartments: say where"),
    "a place on a point": (lambda: ch.Network(a=CELLS, p=POINTS, g=gap("a.soma", "p.soma")), "the targets are point neurons"),
    "a place on a point that is the source": (lambda: ch.Network(a=CELLS, p=POINTS, g=gap("p.soma", "a.soma")), "the sources are point neurons"),
    "a place that is none": (lambda: ch.Network(a=CELLS, g=gap("a.axon", "a.soma")), "axon"),
    "a density": (lambda: ch.Network(a=CELLS, g=gap("a.soma", "a.soma", weight="1 mS/cm^2")), "absolute conductance"),
    "a point without an area": (
        lambda: ch.Network(a=CELLS, p=ch.cell("SquidAxon_HH1952", size=2), g=gap("a.soma", "p")), "'p' has no area",
    ),
    "spikes from a place": (
        lambda: ch.Network(a=CELLS, g=ch.Projection("a.soma", "a.soma", "Expon", ch.all_to_all(), weight="1 nS")), "spikes_at='soma'",
    ),
    "a clamp": (
        lambda: go(ch.Network(a=CELLS, g=gap("a.soma", "a.soma")), stimulus={"a": ch.at("soma", ch.voltage_clamp("0 mV", series_resistance="1 Mohm"))}),
        "gap junctions 'g'",
    ),
    "a solver that keeps no state": (lambda: go(ch.Network(a=CELLS, g=gap("a.soma", "a.soma")), solver="Kvaerno5_diffrax"), "take another solver"),
}  # fmt: skip


test_a_mistake_is_named_with_the_way_out = each_is_named(MISTAKES)
