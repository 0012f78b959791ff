"""What a modeller does with a cell of compartments: regions, parameters, places, results, derivatives, networks, mistakes."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import each_is_named

import channelome as ch

MORPH = (
    ch.Morphology.soma("20 um")
    .branch("dend", length="200 um", diameter="2 um")
    .branch("apical", length="300 um", diameter="3 um")
    .branch("apical", length="200 um", diameter="1 um", at="apical[0](1)")
    .branch("apical", length="200 um", diameter="1 um", at="apical[0](1)")
)
CUT = MORPH.discretise(ch.max_length("50 um"))
STEP = ch.at("soma", ch.step("0.5 nA", start="1 ms"))


def build(morph=CUT, *ions, **given):
    parts = {
        "INa": ch.on("soma", "INa_HH1952"), "IK": ch.on("soma | apical[0]", "IK_HH1952"),
        "IL": ch.channel("IL", g_max="0.3 mS/cm^2", E="-54.387 mV"), "celsius": 6.3,
    }  # fmt: skip
    return ch.MultiCompartment(
        morph, *(ions or ("SodiumFixed", ch.ion("PotassiumFixed", E="-77 mV"))), **{**parts, **given}
    )


def run(cell, duration="5 ms", record="soma.V", stimulus=STEP, **given):
    return ch.simulate(cell, duration, dt="0.025 ms", stimulus=stimulus, record=record, **given)


# ---- regions and parameters ----------------------------------------------------------------------------------------


def test_states_live_where_a_channel_is():
    state = build().initial_state()
    assert state.channels["INa"]["m"].shape == (1,)
    assert state.channels["IK"]["n"].size == len(CUT.numbers("soma | apical[0]"))
    assert state.V.shape == (len(CUT.tree),)


def test_a_channel_in_pieces_is_the_channel_in_one():
    """The same density on every region, given region by region, as arrays, by distance, is the same run."""
    whole = build(IK=ch.on("soma | apical", "IK_HH1952", g_max="30 mS/cm^2"))
    n = len(CUT.numbers("soma | apical"))
    others = [
        build(IK=[ch.on("soma", "IK_HH1952", g_max="30 mS/cm^2"), ch.on("apical", "IK_HH1952", g_max="30 mS/cm^2")]),
        build(IK=ch.on("soma | apical", "IK_HH1952", g_max=(np.full(n, 30.0), "mS/cm^2"))),
        build(IK=ch.on("soma | apical", "IK_HH1952", g_max=ch.by_distance(lambda x: 30 + 0 * x, "mS/cm^2"))),
        build(IK=ch.on("all - dend", "IK_HH1952", g_max="30 mS/cm^2")),
    ]
    V = run(whole, record="V")["V"]
    for other in others:
        np.testing.assert_allclose(run(other, record="V")["V"], V, rtol=0, atol=1e-9)


def test_parameters_by_region_and_by_distance_are_where_they_should_be():
    cell = build(
        IK=[ch.on("soma", "IK_HH1952", g_max="10 mS/cm^2"), ch.on("apical", "IK_HH1952", g_max="20 mS/cm^2")],
        IL=ch.on("dend | apical", "IL", g_max=ch.by_distance(lambda x: 0.1 + x / 1000, "mS/cm^2"), E="-60 mV"),
    )
    at = cell.numbers("IK")
    np.testing.assert_array_equal(cell.channels["IK"].g_max, np.where(CUT.tag[at] == 1, 10.0, 20.0))
    np.testing.assert_allclose(cell.channels["IL"].g_max, 0.1 + CUT.distance[cell.numbers("IL")] / 1000)


def test_the_order_in_which_arrays_are_given_is_that_of_the_compartments():
    """One compartment with another conductance: its own V is the one that moves most."""
    n = len(CUT)
    for changed in (0, 3, n - 1):
        g = np.full(n, 0.3)
        g[changed] = 3.0
        cell = ch.MultiCompartment(CUT, IL=ch.channel("IL", g_max=(g, "mS/cm^2"), E="-50 mV"), Ra="1 Mohm*cm")
        V = run(cell, "2 ms", "V", None)["V"][-1]
        assert np.argmax(V) == changed


def test_a_population_is_its_cells_one_by_one():
    g = np.array([80.0, 120.0, 160.0])
    Ra = np.array([[80.0], [100.0], [150.0]])
    many = build(size=3, INa=ch.on("soma", "INa_HH1952", g_max=(g[:, None], "mS/cm^2")), Ra=(Ra, "ohm*cm"))
    together = run(many, record=["soma.V", "V", "soma.INa.m"])
    assert together["V"].shape == (201, 3, len(CUT)) and together["soma.V"].shape == (201, 3)
    for i in range(3):
        one = build(INa=ch.on("soma", "INa_HH1952", g_max=(g[i], "mS/cm^2")), Ra=(Ra[i, 0], "ohm*cm"))
        alone = run(one, record=["soma.V", "V", "soma.INa.m"])
        for name in ("soma.V", "V", "soma.INa.m"):
            np.testing.assert_allclose(together[name][:, i], alone[name], rtol=0, atol=1e-8)
        mine = together.spikes.times[together.spikes.neurons == i]
        np.testing.assert_allclose(mine, alone.spikes.times, atol=1e-8)


def test_more_cells_than_a_row_holds_are_all_swept():
    many = build(size=19, INa=ch.on("soma", "INa_HH1952", g_max=ch.uniform("90 mS/cm^2", "150 mS/cm^2", seed=3)))
    V = run(many, "3 ms")["soma.V"]
    for i in (0, 7, 8, 18):
        g = float(many.channels["INa"].g_max[i, 0])
        one = run(build(INa=ch.on("soma", "INa_HH1952", g_max=(g, "mS/cm^2"))), "3 ms")["soma.V"]
        np.testing.assert_allclose(V[:, i], one, rtol=0, atol=1e-8)


def test_replace_gives_other_values_in_the_same_places():
    cell = build()
    other = cell.replace(Ra="200 ohm*cm", **{"IK.g_max": "10 mS/cm^2"})
    assert other.regions == cell.regions and other.Ra == 200 and other.channels["IK"].g_max == 10
    moved = cell.replace(INa=ch.on("soma | dend", "INa_HH1952"))
    assert moved.numbers("INa").size == 1 + 4 and cell.numbers("INa").size == 1
    assert cell.replace(INa=ch.channel("INa_HH1952", g_max="1 mS/cm^2")).numbers("INa").size == 1
    with pytest.raises(ch.ModelError, match=r"the cell has no 'IX\.g'"):
        cell.replace(**{"IX.g": 1})


def test_a_cell_travels_and_is_compared():
    cell = build()
    for other in (pickle.loads(pickle.dumps(cell)), copy.deepcopy(cell), build()):
        assert other == cell
    assert cell != cell.replace(Ra="101 ohm*cm")
    assert "on soma" in repr(cell) and f"{len(CUT)} compartments" in repr(cell)
    assert "Hodgkin" in cell.cite()


def test_cells_of_one_structure_are_one_program():
    run(build())
    with jax.log_compiles(False):
        compiled = []
        jax.monitoring.register_event_duration_secs_listener(lambda name, *_, **__: compiled.append(name))
        run(build().replace(Ra="123 ohm*cm", **{"IK.g_max": "33 mS/cm^2"}))
    assert not any("backend_compile" in name for name in compiled)


# ---- ions ----------------------------------------------------------------------------------------------------------


def test_calcium_is_where_its_channel_is_and_kept_there():
    cell = build(
        CUT, "SodiumFixed", ch.ion("PotassiumFixed", E="-77 mV"), ca=ch.on("soma | apical", "CalciumDetailed", tau="20 ms"),
        ICa=ch.on("apical[0]", "ICaHT_Re1993"), celsius=36,
    )  # fmt: skip
    out = run(cell, "10 ms", ["ca.C_in", "apical[0](0.1).ca.C_in", "apical[2](1).ca.C_in", "soma.ca.E"])
    assert out["ca.C_in"].shape == (401, len(CUT.numbers("soma | apical")))
    rises = out["apical[0](0.1).ca.C_in"].max() - out["apical[0](0.1).ca.C_in"][0]
    assert rises > 1e-8  # mM: a channel for high voltages, beside a soma that does not reach them
    np.testing.assert_allclose(out["apical[2](1).ca.C_in"], 2.4e-4, rtol=1e-12)


def test_an_ion_that_is_lacking_somewhere_is_named_with_the_place():
    with pytest.raises(
        ch.ModelError, match=r"needs the ion 'ca' wherever it is; soma\[0\].* and 4 more lack it, which is on 'apical'"
    ):
        build(
            CUT,
            "SodiumFixed",
            ch.ion("PotassiumFixed", E="-77 mV"),
            ca=ch.on("apical", "CalciumFixed"),
            ICa="ICaT_HM1992",
            celsius=36,
        )


# ---- runs ----------------------------------------------------------------------------------------------------------


def test_two_parts_of_a_run_are_the_run_to_the_last_bit():
    cell = build()
    whole = run(cell, record="V")
    first = run(cell, "2.5 ms")
    then = run(cell, "2.5 ms", "V", state=first.final, start="2.5 ms")
    np.testing.assert_array_equal(then["V"], whole["V"][100:])


def test_traced_runs_are_the_run():
    def soma(g):
        return run(build().replace(**{"IK.g_max": (g, "mS/cm^2")}))["soma.V"]

    alone = soma(36.0)
    np.testing.assert_allclose(jax.jit(soma)(36.0), alone, rtol=0, atol=1e-9)
    np.testing.assert_allclose(jax.vmap(soma)(jnp.array([30.0, 36.0]))[1], alone, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["Ra", "C", "g", "profile", "stimulus", "start"])
def test_derivatives_are_those_of_differences(name):
    def loss(p):
        own = {"Ra": (100 * p, "ohm*cm")} if name == "Ra" else {"C": (p, "uF/cm^2")} if name == "C" else {}
        if name == "g":
            own["IK"] = ch.on("soma", "IK_HH1952", g_max=(36 * p, "mS/cm^2"))
        if name == "profile":
            own["IK"] = ch.on(
                "apical", "IK_HH1952", g_max=ch.by_distance(lambda x: 30 * jnp.exp(-p * x / 200), "mS/cm^2")
            )
        amplitude = (0.5 * p, "nA") if name == "stimulus" else "0.5 nA"
        start = (1.0137 * p, "ms") if name == "start" else "1 ms"
        V = run(
            build(**own), stimulus=ch.at("soma", ch.step(amplitude, start=start)), record=["soma.V", "apical[2](1).V"]
        )
        return jnp.mean(V["soma.V"] ** 2) + jnp.mean(V["apical[2](1).V"] ** 2)

    slope = float(loss(1 + 1e-5) - loss(1 - 1e-5)) / 2e-5
    assert jax.grad(loss)(1.0) == pytest.approx(slope, rel=2e-5)
    assert jax.jvp(loss, (1.0,), (1.0,))[1] == pytest.approx(slope, rel=2e-5)


def test_several_stimuli_at_places_add_up():
    cell = build()
    both = [ch.at("soma", ch.step("0.2 nA")), ch.at("apical[2](1)", ch.step("0.1 nA", start="1 ms"))]
    a = run(cell, record="V", stimulus=both)["V"]
    b = run(cell, record="V", stimulus=both[0] + both[1])["V"]
    np.testing.assert_array_equal(a, b)
    everywhere = run(cell, record="V", stimulus=ch.step("1 uA/cm^2"))["V"][-1]
    assert np.ptp(everywhere - run(cell, record="V", stimulus=None)["V"][-1]) < 30


def test_a_clamp_at_a_place_holds_it_and_says_what_flows():
    leak = ch.MultiCompartment(CUT, IL=ch.channel("IL", g_max="0.1 mS/cm^2", E="-65 mV"))
    clamp = ch.at("apical[0](0.5)", ch.voltage_clamp("-40 mV", series_resistance="0.5 Mohm"))
    out = ch.simulate(leak, "300 ms", dt="0.1 ms", stimulus=clamp, record=["apical[0](0.5).V", "clamp.current"])
    from dense_cable import conductances

    node = CUT.index("apical[0](0.5)")
    R = np.linalg.inv(conductances(CUT) + np.diag(0.1 * CUT.area * 1e-5))[node, node]
    current = 25 / (R + 0.5)
    assert out["clamp.current"][-1] == pytest.approx(current, rel=1e-9)
    assert out["apical[0](0.5).V"][-1] == pytest.approx(-40 - 0.5 * current, rel=1e-9)


def test_a_stiff_clamp_follows_a_ramp_without_lag():
    leak = ch.MultiCompartment(CUT, IL=ch.channel("IL", g_max="0.1 mS/cm^2", E="-65 mV"))
    command = ch.command("-65 mV", ("-65 mV", "-15 mV", "10 ms"))
    clamp = ch.at("soma", ch.voltage_clamp(command, series_resistance="0.001 Mohm"))
    for dt in (0.1, 0.025):
        out = ch.simulate(leak, "5 ms", dt=f"{dt} ms", stimulus=clamp, record="soma.V")
        assert np.abs(out["soma.V"][20:] - (-65 + 5 * out.t[20:])).max() < 0.01


def test_thresholds_temperatures_and_densities_may_be_by_cell():
    """Two cells of one population, and each alone."""
    thresholds, degrees, amounts = (-20.0, 10.0), (6.3, 12.0), (20.0, 35.0)
    by_cell = {name: np.reshape(x, (2, 1)) for name, x in (("V_th", thresholds), ("celsius", degrees))}
    both = build(size=2).replace(V_th=(by_cell["V_th"], "mV"), celsius=(by_cell["celsius"], "degC"))
    traces = run(both, "10 ms", stimulus=ch.step((np.asarray(amounts), "uA/cm^2")))
    for i, (V_th, celsius, amount) in enumerate(zip(thresholds, degrees, amounts, strict=True)):
        own = build().replace(V_th=(V_th, "mV"), celsius=(celsius, "degC"))
        alone = run(own, "10 ms", stimulus=ch.step((amount, "uA/cm^2")))
        np.testing.assert_allclose(traces["soma.V"][:, i], alone["soma.V"], rtol=0, atol=1e-9)
        assert alone.spikes.times.size
        np.testing.assert_allclose(traces.spikes.times[traces.spikes.neurons == i], alone.spikes.times, atol=1e-6)


# ---- networks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("post", ["pyr.apical[2](0.5)", "pyr.spread(dend | apical)", "pyr.terminals"])
def test_synapses_land_where_they_are_said_to(post):
    """What arrives at a time is what the same conductances let in at those places: charge against a run without synapses."""
    leak = ch.MultiCompartment(CUT, IL=ch.channel("IL", g_max="0.1 mS/cm^2", E="-65 mV"), size=4)
    source = ch.SpikeSource(6, times=([1.0] * 6, "ms"), neurons=range(6))
    net = ch.Network(
        source=source,
        pyr=leak,
        exc=ch.Projection("source", post, "Expon", ch.all_to_all(), weight="0.5 nS", delay="1 ms"),
    )
    out = ch.simulate(net, "40 ms", dt="0.05 ms", record=["pyr.V", "exc.g", "exc.current"])
    landing = net["exc"].wiring.landing
    assert set(landing.compartments) <= set(CUT.indices("terminals") if post.endswith("terminals") else range(len(CUT)))
    assert out["exc.g"].max() == pytest.approx(6 * 0.5, rel=1e-6)
    held = ((out["pyr.V"][-1] + 65) * CUT.area * 1e-5).sum(-1)  # pC
    leaked = 0.1 * ((out["pyr.V"] + 65) * CUT.area * 1e-5).sum(-1).sum(0) * 0.05
    put_in = out["exc.current"].sum(0) * 0.05
    np.testing.assert_allclose(held + leaked, put_in, rtol=0.02)


def test_cells_with_compartments_in_networks_go_on_and_are_traced_as_others():
    pyr = build(size=5)
    net = ch.Network(
        noise=ch.Poisson(20, rate="50 Hz"), pyr=pyr, cells=ch.cell("PointNeuron_Brette2007", size=10),
        exc=ch.Projection("noise", "pyr.spread(apical)", "Expon", ch.fixed_probability(0.5), weight="2 nS", delay="1 ms"),
        out=ch.Projection("pyr", "cells", "Expon", ch.all_to_all(), weight="6 nS", delay=ch.uniform("0.5 ms", "2 ms")),
        back=ch.Projection("cells", "pyr.dend(0.5)", "Expon", ch.all_to_all(), weight="1 nS", delay=ch.uniform("0.5 ms", "2 ms")),
    )  # fmt: skip

    def go(net, duration="20 ms", **given):
        into = {"pyr": ch.at("soma", ch.step("0.4 nA"))}
        return ch.simulate(
            net, duration, dt="0.1 ms", record=["pyr.soma.V", "pyr[:2].dend(0.5).V"], stimulus=into, **given
        )

    whole, first = go(net), go(net, "10 ms")
    assert whole.spikes["pyr"].times.size and whole["pyr[:2].dend(0.5).V"].shape == (201, 2)
    then = go(net, "10 ms", state=first.final, start="10 ms")
    np.testing.assert_array_equal(then["pyr.soma.V"], whole["pyr.soma.V"][100:])
    traced = jax.jit(lambda g: go(net.replace(**{"pyr.IK.g_max": (g, "mS/cm^2")}))["pyr.soma.V"])(36.0)
    np.testing.assert_allclose(traced, whole["pyr.soma.V"], rtol=0, atol=1e-6)


# ---- mistakes ------------------------------------------------------------------------------------------------------

MISTAKES = {
    "an empty region": (lambda: build(INa=ch.on("axon", "INa_HH1952")), "the region 'axon' .* is empty"),
    "a place off the cell": (lambda: run(build(), record="apical[7](0.5).V"), r"has no apical\[7\]"),
    "two under one label": (lambda: build(IK=[ch.on("soma", "IK_HH1952"), ch.on("all", "IK_HH1952")]), "given twice in soma"),
    "two classes": (lambda: build(IK=[ch.on("soma", "IK_HH1952"), ch.on("dend", "INa_HH1952")]), "a label of its own"),
    "an array of another length": (lambda: build(IK=ch.on("soma", "IK_HH1952", g_max=([1, 2], "mS/cm^2"))), r"has the shape \(2,\)"),
    "an array for the whole cell": (lambda: build(Ra=([1.0, 2.0], "ohm*cm")), "an array over the 1. compartments"),
    "an absolute current anywhere": (lambda: run(build(), stimulus=ch.step("1 nA")), r"at\('soma', "),
    "a place on a point": (lambda: ch.simulate(ch.cell("PointNeuron_Brette2007", size=1), "1 ms", dt="0.1 ms", stimulus=STEP), "no places"),
    "a solver for points": (lambda: run(build(), solver="rk4"), "a solver for point neurons.*explicit"),
    "another one": (lambda: run(build(), solver="staggered4"), "extrapolated"),
    "exponential Euler": (lambda: run(build(), solver="exp_euler"), "backward_euler"),
    "a clamp of no place": (lambda: run(build(), stimulus=ch.voltage_clamp("-40 mV")), "a clamp of a cell with compartments is at a place"),
    "two clamps": (
        lambda: run(build(), stimulus=[ch.at(x, ch.voltage_clamp("0 mV", series_resistance="1 Mohm")) for x in ("soma", "dend(1)")]),
        "one clamp at most",
    ),
    "a record of nothing": (lambda: run(build(), record="soma.W"), "a place and what is asked"),
    "a part that is elsewhere": (lambda: run(build(), record="dend(1).INa.m"), r"'INa' is not in dend\[0\]"),
    "no morphology": (lambda: ch.MultiCompartment("ca1.swc"), "begins with a Morphology"),
    "a label that is an ion": (lambda: build(CUT, "SodiumFixed", k2="PotassiumFixed"), "given under its species"),
    "no place for synapses": (
        lambda: ch.Network(a=ch.Poisson(2, rate="1 Hz"), b=build(), c=ch.Projection("a", "b", "Expon", ch.all_to_all(), weight="1 nS")),
        "say where the synapses are",
    ),
    "no region": (lambda: ch.on(3, "INa_HH1952"), "a region first"),
    "no place": (lambda: ch.at(ch.step("1 nA"), "soma"), "a place first"),
    "by_distance of another shape": (
        lambda: build(IK=ch.on("apical", "IK_HH1952", g_max=ch.by_distance(lambda x: x[:2], "mS/cm^2"))), "gives the shape",
    ),
}  # fmt: skip


test_a_mistake_is_named_with_the_way_out = each_is_named(MISTAKES)


def test_a_stimulus_that_is_far_off_blames_no_compartment():
    cell = build(IL=ch.channel("IL", g_max="0.3 mS/cm^2", E="-54 mV"))
    with pytest.raises(
        ch.SimulationError, match=r"V became NaN in all compartments at once.*A stimulus may be far off"
    ):
        run(cell, stimulus=ch.at("apical[2](1)", ch.step("1e308 nA")))
