"""What a new user stumbles over with cells of compartments: names that are the cell's own, stimuli at places, the estimate of a run."""

import re
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
import pytest
from cases import each_is_named

import channelome as ch

MORPH = ch.Morphology.soma("20 um").branch("dend", length="200 um", diameter="2 um")
CUT = MORPH.discretise(ch.max_length("50 um"))


matplotlib.use("Agg")


def test_the_ten_lines_that_a_modeller_writes_run_as_they_stand(tmp_path, monkeypatch: pytest.MonkeyPatch):
    """Word for word as the design has them, but for the file of the morphology and the duration."""
    monkeypatch.chdir(tmp_path)
    morph = ch.Morphology.example()
    cell = ch.MultiCompartment(
        morph, "SodiumFixed", ch.ion("PotassiumFixed", E="-77 mV"),
        INa=ch.on("soma | axon", "INa_HH1952"),
        IK="IK_HH1952",
        Ih=ch.on("apical", "Ih_HM1992", g_max=ch.by_distance(lambda x: 0.02 * jnp.exp(x / 300), "mS/cm^2")),
        ca=ch.on("dend | apical", "CalciumDetailed"),
        Ra="100 ohm cm", C="1 uF/cm^2", celsius=6.3, discretise=ch.max_length("20 um"),
    )  # fmt: skip
    traces = ch.simulate(cell, "2 ms", dt="0.025 ms", stimulus=ch.at("soma", ch.step("0.5 nA")), record=["soma.V", "apical[3](0.5).V", "soma.INa.m"])  # fmt: skip
    cell.plot(color="Ih.g_max"); traces.plot_movie("v.html")  # fmt: skip  # noqa: E702
    assert traces["apical[3](0.5).V"].shape == (81,) and (tmp_path / "v.html").stat().st_size > 10_000


def build(**parts: Any) -> ch.MultiCompartment:
    return ch.MultiCompartment(CUT, **{"IL": "IL", **parts})


@pytest.mark.parametrize(
    ("label", "value", "says"),
    [
        ("V0", "-65 mV", "The initial voltage is V="),
        ("V0", -65.0, "The initial voltage is V="),
        ("cm", (np.ones(2), "uF/cm^2"), "The capacitance is C="),
        ("Ri", "100 ohm*cm", "The axial resistivity is Ra="),
        ("area", "100 um^2", "Its own are size .*Ra .*spikes_at"),
    ],
)
def test_a_quantity_under_a_name_that_the_cell_has_not_is_told_the_name_that_it_has(label: str, value: Any, says: str):
    with pytest.raises(ch.ModelError, match=rf"'{label}' is no parameter of the cell.*{says}"):
        build(**{label: value})


OWN = ["size", "C", "V", "V_th", "celsius", "Ra", "discretise", "spikes_at"]


@pytest.mark.parametrize("own", OWN)
@pytest.mark.parametrize(
    "part",
    ["IL", ch.channel("IL"), ch.on("soma", "IL"), [ch.on("soma", "IL"), ch.on("dend", "IL")]],
    ids=["name", "instance", "in a region", "in regions"],
)
def test_a_channel_under_a_name_that_is_the_cells_own_is_told_so(own: str, part: Any):
    with pytest.raises(ch.ModelError, match=rf"'{own}' is the .* of the cell, and cannot be the label of the channel"):
        build(**{own: part})


def test_replace_tells_both_too():
    with pytest.raises(ch.ModelError, match="'Ra' is the axial resistivity of the cell"):
        build().replace(Ra="IL")
    with pytest.raises(ch.ModelError, match=r"the cell has no 'V0'\. The initial voltage is V="):
        build().replace(V0="-65 mV")


def V(stimulus: Any) -> np.ndarray:
    return ch.simulate(build(), "2 ms", dt="0.1 ms", stimulus=stimulus, record="soma.V")["soma.V"]


def test_stimuli_at_places_are_scaled_subtracted_and_summed():
    s, more = ch.at("soma", ch.step("0.2 nA")), ch.at("dend(1)", "0.1 nA")
    for same in (s * 2, 2 * s, s / 0.5, s + s, sum([s, s]), (s, s), 3 * s - s, np.float64(2) * s):
        np.testing.assert_allclose(V(same), V(ch.at("soma", "0.4 nA")), rtol=1e-12)
    both = ch.at("soma", "0.4 nA") + ch.at("dend(1)", "-0.2 nA")
    np.testing.assert_allclose(V(2 * (s - more)), V(both), rtol=1e-12)
    with pytest.raises(ch.ModelError, match="multiply or subtract its command"):
        -ch.at("soma", ch.voltage_clamp("-70 mV"))


def test_a_run_under_a_clamp_at_a_place_has_an_estimate():
    clamp = ch.at("soma", ch.voltage_clamp(ch.command("-65 mV", ("-60 mV", "2 ms"), start="1 ms")))
    estimate = ch.estimate_error(build(), "4 ms", dt="0.1 ms", stimulus=clamp)
    fine = ch.simulate(build(), "4 ms", dt="0.005 ms", every=20, stimulus=clamp, record="V")["V"]
    coarse = ch.simulate(build(), "4 ms", dt="0.1 ms", stimulus=clamp, record="V")["V"]
    assert estimate.order == 2 and np.abs(fine - coarse).max() < 2 * estimate.V_error


def test_places_that_share_a_compartment_count_each():
    """As two electrodes in one segment of NEURON do: what is put in and asked for does not depend on how the cell is cut."""
    cell = ch.MultiCompartment(MORPH.discretise(ch.per_branch(1)), IL="IL")
    two = ch.at("dend[0](0.3), dend[0](0.4)", "0.1 nA")
    record = ["dend[0](0.3), dend[0](0.4), soma.V", "soma.V"]
    run, one = (
        ch.simulate(cell, "2 ms", dt="0.1 ms", stimulus=stimulus, record=record)
        for stimulus in (two, ch.at("dend[0](0.3)", "0.2 nA"))
    )
    shown = run[record[0]]
    assert shown.shape == (21, 3)
    np.testing.assert_array_equal(shown[:, 0], shown[:, 1])
    np.testing.assert_array_equal(shown[:, 2], run["soma.V"])
    np.testing.assert_allclose(run["soma.V"], one["soma.V"], rtol=1e-12)
    assert run.where(record[0]).labels == ("dend[0](0.5)", "dend[0](0.5)", "soma[0](0.5)")


def test_synapses_are_spread_over_places_however_many_a_compartment_holds():
    places = "dend[0](0.2), dend[0](0.3), dend[0](0.4), soma"
    pyr = ch.MultiCompartment(MORPH.discretise(ch.per_branch(1)), IL="IL", size=100)
    net = ch.Network(noise=ch.Poisson(100, rate="5 Hz"), pyr=pyr, exc=ch.Projection("noise", f"pyr.{places}", "Expon", ch.all_to_all(), weight="1 nS"))  # fmt: skip
    landing = net.projections["exc"].wiring.landing
    in_dend = np.mean(np.asarray(landing.compartments)[landing.which] == 1)
    assert in_dend == pytest.approx(0.75, abs=0.02)  # 10,000 synapses


def test_a_number_that_is_none_is_no_name_of_a_channel():
    for own, given in {"Ra": "inf ohm cm", "V": "nan mV", "C": "NaN uF/cm^2"}.items():
        with pytest.raises(
            ch.UnitError, match=rf"{own} of MultiCompartment: cannot read '{re.escape(given)}' as a number with a unit"
        ):
            build(**{own: given})


def test_values_by_compartment_may_be_a_list_of_what_is_traced():
    """As those who come from Jaxley write what is trained: slopes as of one array."""

    def loss(p, given):
        g = (
            [p[0], 2 * p[1], *[0.3] * (len(CUT) - 2)]
            if given is list
            else jnp.array([p[0], 2 * p[1], *[0.3] * (len(CUT) - 2)])
        )
        cell = build(IL=ch.channel("IL", g_max=(g, "mS/cm^2"), E="-50 mV"))
        return ch.simulate(cell, "2 ms", dt="0.1 ms", record="soma.V")["soma.V"].mean()

    p = jnp.array([0.1, 0.2])
    slopes = [jax.grad(loss)(p, kind) for kind in (list, tuple)]
    np.testing.assert_allclose(*slopes, rtol=1e-12)
    assert np.all(np.asarray(slopes[0]) > 0)


NET = {"pyr": build(size=2), "src": ch.SpikeSource(1, times=([1.0], "ms"), neurons=[0])}


def go(stimulus: Any = None, record: Any = "soma.V", model: Any = None):
    return ch.simulate(build() if model is None else model, "1 ms", dt="0.1 ms", stimulus=stimulus, record=record)


def into(stimulus: Any):
    return go(stimulus, "pyr.soma.V", ch.Network(**NET))


def onto(post: str):
    return ch.Network(**NET, exc=ch.Projection("src", post, "Expon", ch.all_to_all(), weight="1 nS"))


test_what_others_would_write_is_told_how_it_is_written_here = each_is_named({
    "a mechanism before its region": (lambda: build(IK=ch.on("IK_HH1952", "soma")), r"'IK': the region comes first, on\('soma', 'IK_HH1952'\)"),
    "two rules of an ion": (
        lambda: build(ca=[ch.on("soma", "CalciumFixed"), ch.on("dend", "CalciumDetailed")], celsius=36),
        r"'ca' is CalciumFixed in one region and CalciumDetailed in another: a cell has one ion of each species, so take one",
    ),
    "a threshold along the cell": (
        lambda: build(V_th=ch.by_distance(lambda x: -x, "mV")),
        r"V_th is one number for a cell, or one by cell: by_distance\(\) is of C, Ra, V",
    ),
    "a temperature along the cell": (
        lambda: build().replace(celsius=ch.by_distance(lambda x: x, "degC")),
        r"celsius is one number for a cell",
    ),
    "a shape that is traced": (
        lambda: jax.jit(lambda x: MORPH.branch("dend", length=(x, "um"), diameter="1 um").areas)(1.0),
        r"the length of branch 'dend' is being traced by JAX: cells are shaped and cut outside jit",
    ),
    "points that are traced": (
        lambda: jax.jit(lambda x: MORPH.branch("dend", points=(x, "um")).areas)(np.ones((2, 4))),
        r"points= of branch 'dend' is being traced by JAX",
    ),
    "a cut that is traced": (
        lambda: jax.jit(lambda x: MORPH.discretise(ch.max_length((x, "um"))).area)(1.0),
        r"max_length is being traced by JAX",
    ),
    "a cut by what is traced": (
        lambda: jax.grad(lambda x: ch.MultiCompartment(MORPH, Ra=(x, "ohm*cm"), discretise=ch.d_lambda(0.1)).area)(100.0),
        r"Ra is being traced by JAX",
    ),
    "ions in a list": (lambda: ch.MultiCompartment(CUT, ["SodiumFixed"], IL="IL"), r"^an ion must be .* Ions are given one after another, not in a list"),
    "NEURON's v": (lambda: go(record="soma.v"), r"nothing named 'soma.v'.*Did you mean '...V'"),
    "a channel alone": (lambda: go(record="soma.IL"), r"Of IL there are IL.current\."),
    "spikes at a place": (lambda: go(record="dend(1).spikes"), r"Spikes are detected at 'soma\[0\]\(0.5\)', which spikes_at= of the cell says: record 'spikes'"),
    "a part that is spelt otherwise": (lambda: build().replace(Il="IL"), r"the cell has no 'Il'. Did you mean 'IL'\? It has"),
    "a parameter of such a part": (lambda: build().replace(**{"il.g_max": "1 mS/cm^2"}), r"Did you mean 'IL.g_max'"),
    "another place for spikes": (lambda: build().replace(spikes_at="dend(1)"), r"'spikes_at' is said when a cell is made, and not replaced"),
    "a table of places": (lambda: go({"soma": ch.step("1 nA")}), r"a table with 'soma': by population it is given to networks; of one cell write at\('soma', "),
    "a place beside its stimulus": (lambda: go(("dend(1)", ch.step("1 nA"))), r"a stimulus at a place is written at\('dend\(1\)', step"),
    "a table of places in a network": (lambda: into({"pyr": {"soma": "1 nA"}}), r"the stimulus of 'pyr': the stimulus is a table with 'soma'"),
    "a place that a population lacks": (lambda: into({"pyr": ch.at("axon", "1 nA")}), r"the stimulus of 'pyr': .*axon"),
    "a stimulus for some cells": (lambda: into({"pyr[0]": ch.at("soma", "1 nA")}), r"the stimulus of 'pyr\[0\]': .*one current for each cell, 0 for those that are to have none"),
    "a stimulus for nobody": (lambda: into(ch.at("soma", "1 nA")), r"given by population: stimulus=\{'pyr': "),
    "synapses nowhere": (lambda: onto("pyr.dend(2)"), r"the projection 'exc': place not understood"),
    "synapses on no region": (lambda: onto("pyr.spread(axon)"), r"the projection 'exc': the region 'axon'"),
})  # fmt: skip
