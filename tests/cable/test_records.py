"""Records of regions: in what order their values stand, where on the cell, in networks too, and what cannot be asked for."""

import jax
import numpy as np
import pytest

import channelome as ch

MORPH = ch.Morphology.example().named(distal="apical & distance > 200 um")
STEP = ch.at("soma", ch.step("1 nA"))


def cell(morph=MORPH, **given):
    return ch.MultiCompartment(
        morph, "SodiumFixed", "PotassiumFixed", INa="INa_HH1952", IK="IK_HH1952",
        IL=ch.channel("IL", g_max="0.3 mS/cm^2", E="-54.387 mV"),
        Ih=ch.on("apical & distance > 100 um", "Ih_HM1992"), celsius=6.3, **given,
    )  # fmt: skip


CELL = cell()
COMPS = CELL.compartments
REGIONS = (
    "apical", "dend[2]", "apical[1:3]", "soma | axon", "distal", "soma[0]", "apical[0](0.2, 0.8)", "subtree(apical[1])",
    "distance > 100 um & dend", "all", "branch", "(apical - distal)", "apic", "diameter < 1 um",
)  # fmt: skip
PLACES = ("soma", "terminals", "dend(1)", "apical[3](0.5)", "distance = 100 um", "terminals in apical", "soma, dend[2]")


def go(model, record, **given):
    return ch.simulate(model, "1 ms", dt="0.025 ms", record=record, stimulus=STEP, every=4, **given)


@pytest.fixture(scope="module")
def traces() -> ch.Traces:
    asked = [f"{one}.{of}" for one in (*REGIONS, *PLACES) for of in ("V", "IK.n")]
    return go(CELL, [*asked, "V", "IK.n", "distal.Ih.p", "Ih.p"])


@pytest.mark.parametrize("region", REGIONS)
def test_a_record_of_a_region_has_all_its_compartments_in_their_order(region: str, traces: ch.Traces):
    there = COMPS.numbers(region)
    for of in ("V", "IK.n"):
        name = f"{region}.{of}"
        assert traces[name].shape == (11, len(there))
        np.testing.assert_array_equal(traces[name], traces[of][:, there])
        where = traces.where(name)
        np.testing.assert_array_equal(where.numbers, there)
        np.testing.assert_array_equal(where.distance, COMPS.distance[there])
        np.testing.assert_array_equal(where.xyz, COMPS.xyz[there])
        assert where.labels == tuple(COMPS.label(int(i)) for i in there)


@pytest.mark.parametrize("place", PLACES)
def test_a_record_of_places_has_theirs_alone(place: str, traces: ch.Traces):
    """``soma`` alone is its middle, whatever its compartments: one value, without an axis."""
    there = COMPS.indices(place)
    values = traces[f"{place}.V"]
    np.testing.assert_array_equal(values, traces["V"][:, there if len(there) > 1 else there[0]])
    assert values.ndim == (1 if len(there) == 1 else 2)


def test_a_soma_of_many_compartments_is_one_place_and_its_branch_a_region():
    fine = cell(MORPH, discretise=ch.per_branch(5))
    run = go(fine, ["soma.V", "soma[0].V", "soma & all.V"])
    assert run["soma.V"].shape == (11,) and run["soma[0].V"].shape == run["soma & all.V"].shape == (11, 5)
    np.testing.assert_array_equal(run["soma.V"], run["soma[0].V"][:, 2])


def test_a_state_of_a_part_in_a_region_stands_where_the_part_is(traces: ch.Traces):
    own, asked = CELL.numbers("Ih"), COMPS.numbers("distal")
    assert 0 < len(asked) < len(own)
    np.testing.assert_array_equal(traces["distal.Ih.p"], traces["Ih.p"][:, np.searchsorted(own, asked)])
    assert traces.where("distal.Ih.p").labels == tuple(COMPS.label(int(i)) for i in asked)
    np.testing.assert_array_equal(traces.where("Ih.p").numbers, own)


def test_a_region_is_drawn_by_distance_and_labelled_in_tables(traces: ch.Traces):
    pytest.importorskip("matplotlib")
    panel = traces.plot_space("distal.V", time="1 ms").axes[0]
    shown = np.concatenate([one.get_segments() for one in panel.collections if hasattr(one, "get_segments")])
    assert shown[:, :, 0].min() == pytest.approx(COMPS.distance[COMPS.numbers("distal")].min())
    xarray = pytest.importorskip("xarray")
    table = traces.to_xarray()
    assert isinstance(table, xarray.Dataset)
    np.testing.assert_array_equal(table["distal.V distance"], traces.where("distal.V").distance)
    assert tuple(table["distal.V compartment"].values) == traces.where("distal.V").labels
    assert table["distal.V distance"].dims == table["distal.V"].dims[-1:]


def test_records_of_regions_are_those_of_a_traced_run():
    names = ["distal.V", "distal.Ih.p", "dend[2].IK.n"]
    traced, run = jax.jit(lambda cell: go(cell, names))(CELL), go(CELL, names)
    for name in names:
        np.testing.assert_allclose(traced[name], run[name], rtol=1e-12)
        assert traced.where(name) == run.where(name)


# ---- networks ------------------------------------------------------------------------------------------------------


OTHER = cell(
    ch.Morphology.ball_and_stick().branch("apical", length="300 um", diameter="2 um").named(distal="apical(0.5, 1)"),
    size=6,
)


@pytest.mark.parametrize("alone", [False, True])
def test_networks_record_regions_of_all_cells_or_of_some(alone: bool):
    """Cells of two shapes as one block, and each as its own, which a gap junction makes it."""
    parts = {"pyr": cell(size=(2, 2)), "other": OTHER}
    if alone:
        tie = ch.Projection("pyr.soma", "other.soma", "GapJunction", ch.from_arrays([0], [1]), weight="1 nS")
        parts["tie"] = tie
    names = ["pyr.V", "pyr.distal.V", "other.V", "other.distal.V", "other.distal.Ih.p", "other.Ih.p"]
    some = {"pyr[1:3].distal.V": slice(1, 3), "other[::5].distal.V": slice(0, 6, 5), "other[2].dend[0].V": slice(2, 3)}
    run = go_network(ch.Network(**parts), [*names, *some])
    flat = {"pyr": run["pyr.V"].reshape(11, 4, -1), "other": run["other.V"]}
    assert run["pyr.distal.V"].shape[:3] == (11, 2, 2)
    for name in ("pyr.distal.V", "other.distal.V", *some):
        label, region = name.partition(".")[0].partition("[")[0], name.partition(".")[2].removesuffix(".V")
        there = {"pyr": COMPS, "other": OTHER.compartments}[label].numbers(region)
        np.testing.assert_array_equal(run.where(name).numbers, there)
        expected = flat[label][:, some.get(name, slice(None))][..., there]
        np.testing.assert_array_equal(run[name].reshape(expected.shape), expected)
    own = np.searchsorted(OTHER.numbers("Ih"), OTHER.compartments.numbers("distal"))
    np.testing.assert_array_equal(run["other.distal.Ih.p"], run["other.Ih.p"][..., own])


def go_network(net, names):
    at = {"pyr": ch.at("soma", ch.step("1 nA")), "other": ch.at("dend[0](1)", ch.step("0.2 nA"))}
    return ch.simulate(net, "1 ms", dt="0.025 ms", record=names, stimulus=at, every=4)


def test_an_activity_knows_where_its_records_stand_and_draws_them():
    pytest.importorskip("matplotlib")
    point = ch.cell("SquidAxon_HH1952", size=3)
    run = go_network(ch.Network(pyr=cell(size=2), other=OTHER, point=point), ["pyr.distal.V", "pyr.soma.V", "point.V"])
    figure = run.plot_space("pyr.distal.V", time="1 ms", neuron=1)
    assert figure.axes[0].get_ylabel() == "pyr.distal.V (mV)"
    assert run.plot("pyr.distal.V").axes[0].get_title(loc="left").endswith("compartments")
    for name in ("pyr.soma.V", "point.V"):
        with pytest.raises(ch.ModelError, match=f"'{name}' is not along a cell: of these records 'pyr.distal.V' are"):
            run.plot_space(name)
    with pytest.raises(ch.ModelError, match=r"'pyr.distal.V' has no cell 2: flat indices go from 0 to 1"):
        run.plot_space("pyr.distal.V", neuron=2)
    assert jax.tree.map(lambda x: x, run).where("pyr.distal.V") == run.where("pyr.distal.V")


# ---- what cannot be recorded ---------------------------------------------------------------------------------------


WRONG = {
    "apicl.V": r"cannot record 'apicl.V': region not understood: nothing of pyramidal.swc is called 'apicl'. Did you mean 'apical'",
    "apical & soma.V": r"cannot record 'apical & soma.V': the region 'apical & soma' of pyramidal.swc is empty",
    "tag7.V": r"nothing of pyramidal.swc is called 'tag7'",
    "apical.Ih.p": r"'Ih' is not in apical\[0\]\(0.25\) and 8 more, but on 'apical & distance > 100 um': record "
    r"'\(apical\) & \(apical & distance > 100 um\).Ih.p', or 'Ih.p' of all places where it is",
    "soma.Ih.p": r"cannot record 'soma.Ih.p': 'Ih' is not in soma\[0\]\(0.5\), but on 'apical & distance > 100 um'\.",
    "dend[99].V": r"has no dend\[99\], but dend\[0\] to dend\[19\]",
    "apical[3:2].V": r"apical\[3:2\] ends before it begins",
    "soma, apical[3](1.5).V": r"place not understood: a place on a branch is a number from 0",
    "apical &.V": r"region not understood: expected the name of a region, got nothing",
    "terminals & apical.V": r"'terminals' are places, not a region",
    "distance > 9 mm.V": r"the region 'distance > 9 mm' of pyramidal.swc is empty",
    "distance > 9 furlong.V": r"furlong",
    ".V": r"nothing named '.V' can be recorded",
    "apical.INa.q": r"nothing named 'apical.INa.q' can be recorded from this cell.*Did you mean '...INa.m'",
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_recorded_says_why(name: str):
    with pytest.raises((ch.ModelError, ch.UnknownName), match=WRONG[name]):
        go(CELL, name)
    with pytest.raises((ch.ModelError, ch.UnknownName), match=rf"'pyr.*{WRONG[name]}"):
        ch.simulate(ch.Network(pyr=CELL), "1 ms", dt="0.025 ms", record=f"pyr.{name}")
