"""Cells of different shapes in one network run as one block: the same results, states and records as apart, in one program."""

import jax
import numpy as np
import pytest
from cases import some_of

import channelome as ch

SHAPES = [
    ch.Morphology.soma("20 um")
    .branch("dend", length="200 um", diameter="2 um")
    .branch("apical", length=(200.0 + 30 * i, "um"), diameter="1 um", at="dend(1)")
    .branch("apical", length="150 um", diameter=(0.6 + 0.1 * i, "um"), at="dend(1)")
    for i in range(3)
] + [ch.Morphology.soma("15 um").branch("apical", length="300 um", diameter="2 um"), ch.Morphology.soma("30 um")]
IONS = ("SodiumFixed", ch.ion("PotassiumFixed", E="-77 mV"))


def build(shape, size, length="40 um", **given):
    parts = {
        "INa": ch.on("soma", "INa_HH1952"), "IK": "IK_HH1952", "IL": ch.channel("IL", g_max="0.3 mS/cm^2", E="-54.387 mV"),
        "ca": ch.on("apical" if SHAPES.index(shape) < 4 else "soma", "CalciumDetailed", tau="20 ms"),
        "ICa": ch.on("apical" if SHAPES.index(shape) < 4 else "soma", "ICaHT_Re1993", g_max="0.5 mS/cm^2"),
    }  # fmt: skip
    cut = shape.discretise(ch.max_length(length))
    return ch.MultiCompartment(cut, *IONS, celsius=6.3, size=size, **(parts | given))


def populations():
    """Sizes that have 2 in common; parameters along the cell, by cell and by both, thresholds and starts of their own."""
    a, b, c = (build(SHAPES[i], n) for i, n in ((0, 4), (3, 2), (4, 6)))
    n = len(a.compartments)
    return {
        "a": a.replace(Ra="150 ohm*cm", **{"IK.g_max": (np.linspace(20, 40, n), "mS/cm^2")}),
        "b": b.replace(V="-70 mV", V_th="-10 mV", **{"INa.g_max": (np.array([[90.0], [140.0]]), "mS/cm^2")}),
        "c": c.replace(**{"IL.g_max": ch.uniform("0.2 mS/cm^2", "0.4 mS/cm^2", seed=3)}),
    }


INTO = {
    "a": ch.at("soma", ch.step("0.8 nA", start="0.513 ms")),
    "b": ch.at("soma", ch.step("0.8 nA", start="0.513 ms")),
    "c": ch.step("30 uA/cm^2", start="1 ms"),
}
RECORD = [
    "{}.V",
    "{}.soma.V",
    "{}.soma.INa.m",
    "{}.IK.n",
    "{}.ca.C_in",
    "{}.ICa.current",
    "{}.soma.ca.E",
    "{}[1].soma.V",
]


def names(label):
    return [x.format(label) for x in RECORD if label == "c" or "soma.ca" not in x]


def go(net, duration="4 ms", **given):
    labels = [label for label in net.populations if label in "abc"]
    record = [x for label in labels for x in names(label)]
    stimulus = {label: INTO[label] for label in labels}
    return ch.simulate(net, duration, dt="0.025 ms", stimulus=stimulus, record=given.pop("record", record), **given)


def blocks(net):
    from channelome.engine.model import Model
    from channelome.engine.prepare import prepared

    run = prepared(
        Model.of(net),
        solver=ch.solver("staggered"),
        stimulus=None,
        names=[],
        every=1,
        dt=0.025,
        origin=0,
        state=None,
        mesh=None,
    )
    return list(run.parts.blocks)


def test_populations_of_different_shapes_are_their_runs_apart():
    net = ch.Network(**populations())
    assert blocks(net) == ["a"]
    whole = go(net)
    for label, cell in populations().items():
        alone = go(ch.Network(**{label: cell}))
        for name in names(label):
            np.testing.assert_allclose(whole[name], alone[name], rtol=1e-11, atol=1e-12, err_msg=name)
        np.testing.assert_allclose(whole.spikes[label].times, alone.spikes[label].times, rtol=1e-12)
        np.testing.assert_array_equal(whole.spikes[label].neurons, alone.spikes[label].neurons)
    assert min(len(whole.spikes[label]) for label in "abc") > 0


@pytest.mark.parametrize("solver", some_of(["backward_euler", "crank_nicolson"], "backward_euler"))
def test_other_solvers_do_the_same(solver):
    whole = go(ch.Network(**populations()), "2 ms", solver=solver)
    for label, cell in populations().items():
        alone = go(ch.Network(**{label: cell}), "2 ms", solver=solver)
        np.testing.assert_allclose(whole[f"{label}.V"], alone[f"{label}.V"], rtol=1e-9, atol=1e-9)


def wired():
    cells = populations()
    return ch.Network(
        **cells,
        noise=ch.Poisson(30, rate="100 Hz"),
        points=ch.cell("PointNeuron_Brette2007", size=5),
        na=ch.Projection("noise", "a.spread(apical)", "Expon", ch.fixed_probability(0.5), weight="1 nS", delay="1 ms"),
        nb=ch.Projection("noise", "b.soma", "Expon", ch.fixed_probability(0.5), weight="2 nS", delay=ch.uniform("0.5 ms", "2 ms")),
        ab=ch.Projection("a", "b.apical(0.5)", ch.synapse("Expon", E="-80 mV"), ch.all_to_all(), weight="3 nS", delay="0.5 ms"),
        bc=ch.Projection("b[1]", "c.soma", "NMDA", ch.all_to_all(), weight="1 nS", delay=ch.uniform("0.5 ms", "1 ms")),
        cp=ch.Projection("c", "points", "Expon", ch.all_to_all(), weight="5 nS", delay="0.5 ms", plasticity="TsodyksMarkram"),
        pc=ch.Projection("points", "c.terminals", "Alpha", ch.all_to_all(), weight="1 nS", delay="0.5 ms"),
    )  # fmt: skip


SYNAPSES = ["na.g", "na.current", "nb.g", "ab.current", "bc.current", "cp.u", "cp.g", "ab[1].g", "points.V"]


def apart(monkeypatch):
    """As if no two populations were alike."""
    from channelome.engine import layout

    monkeypatch.setattr(layout, "kind", lambda cell: object())


def test_networks_of_them_are_the_same_and_go_on(monkeypatch):
    record = [*SYNAPSES, *(name for label in "abc" for name in names(label))]
    assert blocks(wired()) == ["a", "noise", "points"]
    whole = go(wired(), "8 ms", record=record)
    first = go(wired(), "4 ms", record=record)
    then = go(wired(), "4 ms", record=record, state=first.final, start="4 ms")
    for name in record:
        np.testing.assert_array_equal(then[name], whole[name][160:], err_msg=name)
    with monkeypatch.context() as patch:
        apart(patch)
        other = go(wired(), "8 ms", record=record)
        after = go(wired(), "4 ms", record=record, state=first.final, start="4 ms")  # a state knows of no blocks
    for name in record:
        np.testing.assert_allclose(whole[name], other[name], rtol=1e-9, atol=1e-9, err_msg=name)
        np.testing.assert_allclose(then[name], after[name], rtol=1e-9, atol=1e-9, err_msg=name)
    for leaf, own in zip(jax.tree.leaves(whole.final.cells), jax.tree.leaves(other.final.cells), strict=True):
        np.testing.assert_allclose(leaf, own, rtol=1e-9, atol=1e-9)
    for label in "abc":
        np.testing.assert_array_equal(whole.spikes[label].neurons, other.spikes[label].neurons)
    assert whole["na.g"].max() > 0 and whole["ab.current"].min() < 0 and whole["points.V"].max() > -60


def test_a_state_travels_through_a_file(tmp_path):
    run = go(wired(), "2 ms", record=["a.V"])
    run.save(tmp_path / "run.npz")
    read = ch.Activity.load(tmp_path / "run.npz")
    on = [go(wired(), "2 ms", record=["a.V"], state=x.final, start="2 ms")["a.V"] for x in (run, read)]
    np.testing.assert_array_equal(*on)


def test_traced_runs_and_derivatives_are_those_of_the_run():
    def last(g):
        net = ch.Network(**populations()).replace(**{"a.IL.g_max": (g, "mS/cm^2")})
        return go(net, "2 ms", record=["a.V", "b.V"])["a.V"][-1].mean()

    slope = float(last(0.30001) - last(0.29999)) / 0.00002
    assert jax.grad(last)(0.3) == pytest.approx(slope, rel=1e-5)
    assert jax.jit(last)(0.3) == pytest.approx(float(last(0.3)), rel=1e-12)


BUFFER = {"B": "0.05 mM", "k_on": "80 1/(mM*ms)", "k_off": "0.2 1/ms", "D_B": "0.08 um^2/ms"}
DIFFUSING = {
    "a pool": ("CalciumDetailed", {"tau": "20 ms"}),
    "shells with a buffer that moves": ("CalciumShells", {"shells": 3, **BUFFER}),
}


@pytest.mark.parametrize("case", some_of(DIFFUSING, "shells with a buffer that moves"))
def test_ions_that_diffuse_along_cells_of_different_shapes_do_so_as_in_each_alone(case, monkeypatch):
    """In regions of their own, with a D by cell and one for all; over branch points, and in one compartment, which has no way along."""
    name, given = DIFFUSING[case]

    def net():
        own = {"a": (np.array([[0.1], [0.3], [0.5], [0.9]]), "um^2/ms"), "b": "0.7 um^2/ms", "c": "0.2 um^2/ms"}
        where = {"a": "apical", "b": "apical", "c": "soma"}
        cells = populations()
        return ch.Network(**{x: cells[x].replace(ca=ch.on(where[x], name, **given, D=own[x])) for x in "abc"})

    record = [f"{x}.{of}" for x in "abc" for of in ("V", "ca.C_in")]
    record += ["a.ca.shell[2]", "b.ca.bound[1]"] if "shells" in given else []
    assert blocks(net()) == ["a"]
    whole = go(net(), "3 ms", record=record)
    on = go(net(), "1 ms", record=record, state=go(net(), "2 ms", record=record).final, start="2 ms")
    apart(monkeypatch)
    other = go(net(), "3 ms", record=record)
    for name in record:
        np.testing.assert_allclose(whole[name], other[name], rtol=1e-10, atol=1e-12, err_msg=name)
        np.testing.assert_array_equal(on[name], whole[name][80:], err_msg=name)
    assert np.ptp(whole["a.ca.C_in"]) > 0 and np.ptp(whole["b.ca.C_in"]) > 1e-5


def of_shapes(count, size=2):
    cells = [build(SHAPES[0], size, (40.0 - i, "um")) if i > 2 else build(SHAPES[i], size) for i in range(count)]
    return ch.Network(**{f"p{i}": cell for i, cell in enumerate(cells)})


def test_the_program_does_not_grow_with_the_number_of_shapes():
    from engine.test_compile_cost import lines_of

    made = {}
    for count in (1, 2, 8):
        into = {f"p{i}": ch.at("soma", ch.step("0.5 nA", start="1 ms")) for i in range(count)}
        made[count] = lines_of(of_shapes(count), stimulus=into, optimised=True)
    assert made[8] <= 1.05 * made[2] <= 1.3 * made[1], made


def test_one_compilation_serves_any_number_of_shapes():
    """As many as for one; and other numbers compile nothing."""
    compiled = []

    def listen(name, *_, **__):
        if "backend_compile" in name:
            compiled.append(name)

    counts = []
    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        for count in (1, 2, 8):
            net, before = of_shapes(count), len(compiled)
            into = {f"p{i}": ch.at("soma", ch.step("0.5 nA", start="1 ms")) for i in range(count)}
            ch.simulate(net, "1 ms", dt="0.1 ms", stimulus=into)
            counts.append(len(compiled) - before)
            ch.simulate(net.replace(**{"p0.IK.g_max": "30 mS/cm^2"}), "1 ms", dt="0.1 ms", stimulus=into)
            again = len(compiled)  # a number for one population alone is now an array over all: another structure, once
            ch.simulate(net.replace(**{"p0.IK.g_max": "31 mS/cm^2"}), "1 ms", dt="0.1 ms", stimulus=into)
            assert len(compiled) == again
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    assert counts[1] <= counts[0] and counts[2] <= counts[0], counts


def test_what_is_not_alike_stays_apart():
    a, b = populations()["a"], populations()["b"]
    assert blocks(ch.Network(a=a, b=b)) == ["a"]
    assert blocks(ch.Network(a=a, b=b.replace(celsius=20))) == ["a", "b"]
    more = build(SHAPES[3], 2, Ih=ch.channel("Ih_HM1992", phi=1.0))
    assert blocks(ch.Network(a=a, b=more)) == ["a", "b"]
    along = [part.replace(**{"ca.D": (0.2, "um^2/ms")}) for part in (a, b)]
    assert blocks(ch.Network(a=along[0], b=along[1])) == ["a"]
    assert blocks(ch.Network(a=along[0], b=b)) == ["a", "b"]  # one that diffuses, and one that does not
    joined = ch.Projection("a.soma", "a.soma", "GapJunction", ch.all_to_all(), weight="1 nS")
    assert blocks(ch.Network(a=a, b=b, c=populations()["c"], gap=joined)) == ["a", "b"]
    clamp = {"a": ch.at("soma", ch.voltage_clamp("-65 mV"))}
    run = ch.simulate(ch.Network(a=a, b=b), "1 ms", dt="0.1 ms", stimulus=clamp, record=["a.soma.V", "b.soma.V"])
    assert np.all(run["a.soma.V"] == -65)


def test_a_fault_is_named_with_its_population_and_cell():
    net = ch.Network(**populations())
    with pytest.raises(
        ch.SimulationError,
        match=r"b\.V became NaN in all compartments at once.* of neuron 0\. A stimulus may be far off",
    ):
        ch.simulate(net, "1 ms", dt="0.1 ms", stimulus={"b": ch.at("apical(1)", ch.step("1e308 nA"))})
