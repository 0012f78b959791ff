"""Regions and places: what each way of writing one means on a cell small enough to count on fingers, and how mistakes are told."""

from pathlib import Path

import numpy as np
import pytest

import channelome as ch

PYRAMIDAL = Path(__file__).parent / "cells/pyramidal.swc"

MORPH = (
    ch.Morphology.soma("10 um")
    .branch("axon", length="100 um", diameter="1 um")
    .branch("dend", length="100 um", diameter="2 um")
    .branch("dend", length="100 um", diameter="1 um", at="dend[0](1)")
    .branch("dend", length="100 um", diameter="1 um", at="dend[0](1)")
    .branch("apical", length="200 um", diameter=("4 um", "2 um"))
    .branch("tuft", length="100 um", diameter="1 um", type="apical", at="apical[0](1)")
    .branch("tuft", length="100 um", diameter="1 um", type="apical", at="apical[0](1)")
    .named(far="distance > 200 um", far_dend="far & dend")
)
COMPS = MORPH.discretise(ch.per_branch(4, soma=1))
"""Each compartment is 25 um long, those of apical[0] 50 um. Middles are at 12.5, 37.5, ... from the soma."""


def names(region: str) -> list[str]:
    """The branches that a region has all compartments of, and of others how many."""
    chosen = COMPS.mask(region)
    counts = [
        (MORPH.labels[i], int(chosen[COMPS.first[i] : COMPS.first[i + 1]].sum()), COMPS.first[i + 1] - COMPS.first[i])
        for i in range(len(MORPH))
    ]
    return [label if n == total else f"{label}:{n}" for label, n, total in counts if n]


REGIONS = {
    "soma": ["soma[0]"],
    "axon": ["axon[0]"],
    "dend": ["dend[0]", "dend[1]", "dend[2]"],
    "basal": ["dend[0]", "dend[1]", "dend[2]"],
    "apic": ["apical[0]", "apical[1]", "apical[2]"],
    "tag4 | tag1": ["soma[0]", "apical[0]", "apical[1]", "apical[2]"],
    "all": ["soma[0]", "axon[0]", "dend[0]", "dend[1]", "dend[2]", "apical[0]", "apical[1]", "apical[2]"],
    "soma | axon": ["soma[0]", "axon[0]"],
    "soma|axon|dend[1]": ["soma[0]", "axon[0]", "dend[1]"],
    "dend[1:]": ["dend[1]", "dend[2]"],
    "dend[:2]": ["dend[0]", "dend[1]"],
    "branch[0:2]": ["soma[0]", "axon[0]"],
    "dend - dend[1]": ["dend[0]", "dend[2]"],
    "all - dend - apical - axon": ["soma[0]"],
    "all - (dend | apical)": ["soma[0]", "axon[0]"],
    "soma | all - dend & apical": ["soma[0]", "apical[0]", "apical[1]", "apical[2]"],
    "tuft": ["apical[1]", "apical[2]"],
    "tuft[1]": ["apical[2]"],
    "far": ["apical[1]", "apical[2]"],
    "far | dend[0]": ["dend[0]", "apical[1]", "apical[2]"],
    "subtree(dend[0])": ["dend[0]", "dend[1]", "dend[2]"],
    "subtree(dend[0](0.5))": ["dend[0]:2", "dend[1]", "dend[2]"],
    "subtree(dend[0](1))": ["dend[1]", "dend[2]"],
    "subtree(apical[0]) - tuft": ["apical[0]"],
    "subtree(soma) & axon": ["axon[0]"],
    "distance > 150 um": ["dend[1]:2", "dend[2]:2", "apical[0]:1", "apical[1]", "apical[2]"],
    "distance < 50 um": ["soma[0]", "axon[0]:2", "dend[0]:2", "apical[0]:1"],
    "50 um < distance & axon": ["axon[0]:2"],
    "50 um < distance <= 137.5 um": ["axon[0]:2", "dend[0]:2", "dend[1]:2", "dend[2]:2", "apical[0]:2"],
    "137.5 um > distance >= 112.5 um": ["dend[1]:1", "dend[2]:1", "apical[0]:1"],
    "distance > 0.15 mm & dend": ["dend[1]:2", "dend[2]:2"],
    "diameter > 2 um": ["soma[0]", "apical[0]"],
    "2.25 um <= diameter < 3 um": ["apical[0]:2"],
    "order = 1": ["axon[0]", "dend[0]", "apical[0]"],
    "order >= 2": ["dend[1]", "dend[2]", "apical[1]", "apical[2]"],
    "dend[0](0.25, 0.75)": ["dend[0]:2"],
}


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_is_what_it_says(region: str):
    assert names(region) == REGIONS[region]


PLACES = {
    "soma": ["soma[0](0.5)"],
    "soma(0)": ["soma[0](0)"],
    "apical[2](0.7)": ["apical[2](0.7)"],
    "tuft[0](1)": ["apical[1](1)"],
    "branch[3](0.25)": ["dend[1](0.25)"],
    "tuft(0.5)": ["apical[1](0.5)", "apical[2](0.5)"],
    "axon(1), soma, axon(1)": ["axon[0](1)", "soma[0](0.5)"],
    "terminals": ["axon[0](1)", "dend[1](1)", "dend[2](1)", "apical[1](1)", "apical[2](1)"],
    "terminals in tuft": ["apical[1](1)", "apical[2](1)"],
    "terminals in dend | axon": ["axon[0](1)", "dend[1](1)", "dend[2](1)"],
    "branch_points": ["dend[0](1)", "apical[0](1)"],
    "branch_points in distance > 150 um": ["apical[0](1)"],
    "distance = 150 um": ["dend[1](0.5)", "dend[2](0.5)", "apical[0](0.75)"],
    "distance = 100 um in dend": ["dend[0](1)"],
    "distance = 0 um": ["soma[0](0.5)"],
    "distance = 5 um in soma": ["soma[0](0)", "soma[0](1)"],
    "soma, terminals in axon": ["soma[0](0.5)", "axon[0](1)"],
}


@pytest.mark.parametrize("text", PLACES)
def test_a_place_is_where_it_says(text: str):
    found = COMPS.places(text)
    assert [MORPH.anatomy.label(int(b), float(x)) for b, x in zip(found.branch, found.x, strict=True)] == PLACES[text]


def test_a_place_lies_in_the_compartment_that_holds_it():
    first = COMPS.first[MORPH.labels.index("dend[0]")]
    for x, nth in ((0.0, 0), (0.24, 0), (0.25, 1), (0.5, 2), (0.99, 3), (1.0, 3)):
        assert COMPS.index(f"dend[0]({x})") == first + nth
    assert COMPS.label(first + 1) == "dend[0](0.375)"
    assert list(COMPS.labels)[first] == "dend[0](0.125)"
    np.testing.assert_array_equal(COMPS.indices("dend[0](0.3), dend[0](0.4), soma"), [first + 1, 0])


WRONG = {
    "apicl": r"nothing of a cell built by hand is called 'apicl'. Did you mean 'apical'\? It has soma \(1\), axon \(1\), dend \(3\), apical \(3\). Names of its own: tuft, far, far_dend.\n    apicl\n    \^",
    "soma | dnd": r"called 'dnd'. Did you mean 'dend'.*\n    soma \| dnd\n           \^",
    "dend[3]": r"a cell built by hand has no dend\[3\], but dend\[0\] to dend\[2\]",
    "tag7[0]": r"nothing of a cell built by hand is called 'tag7'",
    "far[0]": r"'far' is a region, and has no numbered branches",
    "all[0]": r"'all' is a region, and has no numbered branches",
    "subtree(terminals)": r"'terminals' are places all over the cell; here a branch or a place on one is wanted",
    "subtree(far)": r"region not understood: 'far' is a region, and has no numbered branches",
    "dend[1.5]": r"branches are numbered 0, 1, 2",
    "dend[": r"branches are numbered",
    "dend[2:1]": r"dend\[2:1\] ends before it begins",
    "soma |": r"expected the name of a region, got nothing.\n    soma \|\n          \^",
    "": r"expected the name of a region, got nothing",
    "(soma": r"expected '\)'",
    "soma)": r"expected \| & - or the end.\n    soma\)\n        \^",
    "soma dend": r"expected \| & - or the end",
    "soma + dend": r"'\+' has no meaning here",
    "soma(0.5)": r"this is a place; a part of a branch is written with both ends",
    "dend[0](0.8, 0.2)": r"the part of a branch ends before it begins",
    "terminals": r"'terminals' are places, not a region",
    "distance": r"say how large: 'distance > 100 um'",
    "distance > 100": r"distance needs a unit: got '100', expected for instance '1 um'",
    "distance > 100 mV": r"distance is in um, but '100 mV' is not",
    "distance > far": r"expected a number",
    "order > 2 um": r"order is a number without a unit.\n    order > 2 um\n            \^",
    "10 um < length": r"expected one of: distance, diameter, order",
    "10 um < distance > 20 um": r"a range has a lower and an upper bound",
    "subtree(soma | dend)": r"expected '\)'",
    "distance > 5000 um": r"the region 'distance > 5000 um' of a cell built by hand is empty: it has soma \(1\).*distances up to 300 um, diameters from 1 to 10 um, orders up to 2",
    "soma & dend": r"the region 'soma & dend' of a cell built by hand is empty",
}  # fmt: skip


@pytest.mark.parametrize("region", WRONG)
def test_a_region_that_is_none_says_why_and_where(region: str):
    with pytest.raises(ch.ModelError, match=WRONG[region]):
        COMPS.mask(region)


WRONG_PLACES = {
    "soma(1.5)": r"place not understood: a place on a branch is a number from 0 \(toward the root\) to 1.\n    soma\(1.5\)\n         \^",
    "soma(-1)": r"a number from 0",
    "dend[9](0.5)": r"has no dend\[9\]",
    "apicl[0](0.5)": r"Did you mean 'apical'",
    "far(0.5)": r"'far' is a region; places in it are written 'terminals in far'",
    "distance > 100 um": r"places at a distance are written 'distance = 100 um'",
    "distance = 9999 um": r"'distance = 9999 um' is nowhere on a cell built by hand: it has .*distances up to 300 um",
    "terminals in soma": r"'terminals in soma' is nowhere",
    "": r"expected a place, got nothing",
    "soma,": r"expected a place, got nothing",
    "soma | axon": r"this is a region, and places are wanted: 'terminals in' it.*\n    soma \| axon\n         \^",
    "subtree(dend[0])": r"this is a region, and places are wanted",
    "soma dend": r"expected a comma, in, or the end",
}


@pytest.mark.parametrize("text", WRONG_PLACES)
def test_a_place_that_is_none_says_why_and_where(text: str):
    with pytest.raises(ch.ModelError, match=WRONG_PLACES[text]):
        COMPS.places(text)


def test_one_place_is_wanted_where_there_are_several():
    with pytest.raises(
        ch.ModelError, match=r"'dend' names 3 places, and one is wanted: say which, dend\[0\]\(0.5\), dend\[1\]\(0.5\)"
    ):
        COMPS.index("dend")


def test_a_region_without_text_is_refused():
    with pytest.raises(
        ch.ModelError, match=r"a region is written as text, such as 'apical & distance > 100 um', not 3"
    ):
        COMPS.mask(3)  # pyright: ignore[reportArgumentType]


def test_names_of_ones_own_are_checked_where_they_are_given():
    with pytest.raises(
        ch.ModelError, match="'dend' cannot name a part of a cell built by hand: it has a meaning already"
    ):
        MORPH.named(dend="soma")
    with pytest.raises(ch.ModelError, match=r"'2nd' cannot name a part of .*: it must be a word"):
        MORPH.named(**{"2nd": "soma"})
    with pytest.raises(ch.ModelError, match="'loop' is defined by itself"):
        MORPH.named(loop="dend | loop")
    with pytest.raises(ch.ModelError, match="nothing of a cell built by hand is called 'apicl'"):
        MORPH.named(some="apicl")


def test_regions_of_a_real_shape_are_consistent():
    """Over a cell with hundreds of compartments, against what NumPy says of their arrays."""
    morph = ch.Morphology.from_swc(PYRAMIDAL)
    comps = morph.discretise(ch.max_length("15 um"))
    np.testing.assert_array_equal(comps.mask("apical & distance > 200 um"), (comps.tag == 4) & (comps.distance > 200))
    np.testing.assert_array_equal(comps.mask("all - soma"), comps.tag != 1)
    np.testing.assert_array_equal(comps.mask("order >= 3"), morph.orders[comps.branch] >= 3)
    np.testing.assert_array_equal(comps.mask("subtree(soma)"), True)
    below = comps.mask("subtree(apical[0](0.5))")
    above = comps.mask("all - subtree(apical[0](0.5))")
    assert (below ^ above).all()
    for i in np.flatnonzero(below):  # each hangs on the one before it, or begins the subtree
        parent = comps.parent[i]
        while parent >= len(comps):
            parent = comps.parent[parent]
        assert below[parent] or comps.branch[i] == morph.labels.index("apical[0]")
    for distance in (50.0, 150.0, 400.0):
        found = comps.places(f"distance = {distance} um")
        np.testing.assert_allclose(morph.anatomy.distance(found.branch, found.x), distance, rtol=1e-12)
        crossing = (morph.distances[:, 0] < distance) & (morph.distances[:, 1] >= distance)
        np.testing.assert_array_equal(np.sort(found.branch), np.flatnonzero(crossing))
