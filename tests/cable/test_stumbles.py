"""What a new user stumbles over with cells of compartments: names that are the cell's own, stimuli at places, the estimate of a run."""

from typing import Any

import jax.numpy as jnp
import matplotlib
import numpy as np
import pytest

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
