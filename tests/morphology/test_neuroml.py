"""NeuroML: the same cell as an SWC file that NEURON has read, and what can be wrong."""

from pathlib import Path

import numpy as np
import pytest

import channelome as ch

CELLS = Path(__file__).parent / "cells"


def end(name: str, point: np.ndarray) -> str:
    x, y, z, diameter = (float(value) for value in point)
    return f'<{name} x="{x!r}" y="{y!r}" z="{z!r}" diameter="{diameter!r}"/>'


def written(morph: ch.Morphology) -> str:
    """A NeuroML file of a morphology whose soma has three points: a segment for each frustum, a group for each type."""
    segments: list[str] = []
    groups: dict[int, list[str]] = {1: [], 2: [], 3: [], 4: []}
    last = np.empty(len(morph), int)
    for i, (parent, attach) in enumerate(zip(morph.branches.parent, morph.branches.attach, strict=True)):
        points = morph.branches.points[morph.branches.first[i] : morph.branches.first[i + 1]]
        for k in range(len(points) - 1):
            number = len(segments)
            above = (
                number - 1 if k else 0 if attach == 0.5 else last[parent]
            )  # the end of segment 0 is the middle of the soma
            up = "" if number == 0 else f'<parent segment="{above}"/>'
            begin = "" if k else end("proximal", points[0])
            segments.append(f'<segment id="{number}">{up}{begin}{end("distal", points[k + 1])}</segment>')
            groups[int(morph.branches.tag[i])].append(f'<member segment="{number}"/>')
        last[i] = len(segments) - 1
    names = {1: "soma_group", 2: "axon_group", 3: "basal_group", 4: "apical_group"}
    members = "".join(
        f'<segmentGroup id="{names[tag]}">{"".join(ids)}</segmentGroup>' for tag, ids in groups.items() if ids
    )
    return f"<neuroml><cell><morphology>{''.join(segments)}{members}</morphology></cell></neuroml>"


def read(tmp_path: Path, text: str) -> ch.Morphology:
    file = tmp_path / "cell.cell.nml"
    file.write_text(text)
    return ch.Morphology.from_file(file)


@pytest.mark.parametrize("name", ["pyramidal", "soma_sphere"])
def test_a_cell_is_the_same_from_neuroml_as_from_swc(name: str, tmp_path: Path):
    swc = ch.Morphology.from_swc(CELLS / f"{name}.swc")
    nml = read(tmp_path, written(swc))
    assert nml.labels == swc.labels
    np.testing.assert_allclose(nml.lengths, swc.lengths, rtol=1e-12)
    np.testing.assert_allclose(nml.areas, swc.areas, rtol=1e-12)
    a, b = (morph.discretise(ch.per_branch(3)) for morph in (nml, swc))
    np.testing.assert_allclose(a.axial_resistance(100.0), b.axial_resistance(100.0), rtol=1e-12)
    np.testing.assert_array_equal(a.parent, b.parent)
    np.testing.assert_array_equal(a.mask("soma_group | basal_group"), b.mask("soma | dend"))


HAND = """<?xml version="1.0"?>
<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="n"><cell id="c"><morphology id="m">
<segment id="0" name="soma"><proximal x="0" y="0" z="0" diameter="10"/><distal x="0" y="0" z="0" diameter="10"/></segment>
<segment id="1" name="dend_a"><parent segment="0" fractionAlong="0.5"/><proximal x="5" y="0" z="0" diameter="2"/><distal x="55" y="0" z="0" diameter="1"/></segment>
<segment id="2" name="dend_a2"><parent segment="1"/><distal x="105" y="0" z="0" diameter="1"/></segment>
<segment id="3" name="apic_b"><parent segment="0"/><proximal x="0" y="5" z="0" diameter="3"/><distal x="0" y="85" z="0" diameter="2"/></segment>
<segment id="4" name="apic_c"><parent segment="3" fractionAlong="0.25"/><distal x="20" y="25" z="0" diameter="1"/></segment>
<segmentGroup id="Thin"><member segment="2"/><member segment="4"/></segmentGroup>
<segmentGroup id="Both"><include segmentGroup="Thin"/><member segment="3"/></segmentGroup>
</morphology></cell></neuroml>"""


def test_groups_become_names_and_break_branches_where_they_begin(tmp_path: Path):
    morph = read(tmp_path, HAND)
    assert morph.labels == ["soma[0]", "dend[0]", "dend[1]", "apical[0]", "apical[1]"]
    assert morph.branches.attach.tolist() == [0.0, 0.5, 1.0, 1.0, 0.25]
    np.testing.assert_allclose(morph.lengths, [10, 50, 50, 80, 20])
    assert morph.areas[0] == pytest.approx(np.pi * 100)  # a sphere
    np.testing.assert_allclose(morph.branches.points[-2], [0, 25, 0, 2.75])  # a quarter along
    comps = morph.discretise(ch.per_branch(1))
    assert comps.mask("Thin").tolist() == [False, False, True, False, True]
    assert comps.mask("Both").tolist() == [False, False, True, True, True]


def test_a_group_may_include_one_that_follows(tmp_path: Path):
    thin = '<segmentGroup id="Thin"><member segment="2"/><member segment="4"/></segmentGroup>'
    both = '<segmentGroup id="Both"><include segmentGroup="Thin"/><member segment="3"/></segmentGroup>'
    turned = read(tmp_path, HAND.replace(f"{thin}\n{both}", f"{both}\n{thin}"))
    assert turned.anatomy.groups == read(tmp_path, HAND).anatomy.groups == {"Thin": (2, 4), "Both": (2, 3, 4)}


def test_depth_is_no_limit(tmp_path: Path):
    """Neither that of segments which begin on one another, nor that of groups of groups."""
    n = 1500
    ends = [f'<distal x="{i}" y="{i % 7}" z="0" diameter="1"/></segment>' for i in range(1, n + 1)]
    begin = '<segment id="0"><proximal x="0" y="0" z="0" diameter="1"/>' + ends[0]
    others = [f'<segment id="{i}"><parent segment="{i - 1}" fractionAlong="0.5"/>{ends[i]}' for i in range(1, n)]
    groups = [f'<segmentGroup id="g{i}"><include segmentGroup="g{i + 1}"/></segmentGroup>' for i in range(n)]
    last = f'<segmentGroup id="g{n}"><member segment="{n - 1}"/></segmentGroup>'
    text = f"<neuroml><morphology>{begin}{''.join((*others, *groups, last))}</morphology></neuroml>"
    morph = read(tmp_path, text)
    assert len(morph) == n and morph.anatomy.groups["g0"] == (n - 1,)


WRONG = {
    "not XML": ("<neuroml", r"cell.cell.nml is not XML"),
    "entities": ('<!DOCTYPE x [<!ENTITY a "b">]><neuroml/>', r"declares a document type or entities"),
    "no morphology": ("<neuroml/>", r"holds 0 morphologies"),
    "no segment": ("<neuroml><morphology/></neuroml>", r"holds no segment"),
    "an id twice": (HAND.replace('id="2" name', 'id="1" name'), r"the segment id 1 stands twice"),
    "no id": (HAND.replace('id="2" name', 'name'), r"segment None: its id must be the number of a segment\.$"),
    "a missing parent": (HAND.replace('<parent segment="1"/>', '<parent segment="9"/>'), r"the parent 9 of segment 2 is missing"),
    "two roots": (HAND.replace('<parent segment="1"/>', '<proximal x="0" y="0" z="0" diameter="1"/>'), r"has 2 segments without a parent"),
    "a cycle": (HAND.replace('<parent segment="0" fractionAlong="0.5"/>', '<parent segment="2"/>'), r"the parents of segment 1 run in a circle"),
    "no distal end": (HAND.replace('<distal x="105" y="0" z="0" diameter="1"/>', ""), r"segment 2 has no distal end"),
    "no diameter": (HAND.replace('x="105" y="0" z="0" diameter="1"', 'x="105" y="0" z="0"'), r"an end needs x, y, z and diameter as numbers"),
    "a diameter of 0": (HAND.replace('x="105" y="0" z="0" diameter="1"', 'x="105" y="0" z="0" diameter="0"'), r"^[^,]*, segment 2: ends must be finite, with a positive diameter"),
    "beyond the parent": (HAND.replace('fractionAlong="0.25"', 'fractionAlong="1.25"'), r"fractionAlong of segment 4 is 1.25; it goes from 0 to 1"),
    "a root without beginning": (HAND.replace('<proximal x="0" y="0" z="0" diameter="10"/>', ""), r"segment 0 is the root and has no proximal end"),
    "an unknown group": (HAND.replace('segmentGroup="Thin"', 'segmentGroup="Thick"'), r"the group 'Both' includes 'Thick', which the file does not have"),
    "an unknown member": (HAND.replace('<member segment="4"/>', '<member segment="44"/>'), r"the group '\w+' has the segment 44, which is missing"),
    "a group of itself": (HAND.replace('<member segment="4"/>', '<include segmentGroup="Both"/>'), r"the group '(Thin|Both)' includes itself, by way of '(Both|Thin)'"),
    "a member that is no number": (HAND.replace('<member segment="4"/>', '<member segment="four"/>'), r"the group 'Thin': its member must be the number of a segment, not 'four'"),
    "a member without one": (HAND.replace('<member segment="4"/>', "<member/>"), r"the group 'Thin': its member must be the number of a segment\.$"),
    "a parent that is no number": (HAND.replace('<parent segment="1"/>', '<parent segment="dend"/>'), r"segment 2: its parent must be the number of a segment, not 'dend'"),
    "a place that is no number": (HAND.replace('fractionAlong="0.25"', 'fractionAlong="half"'), r"segment 4: fractionAlong is 'half', and must be a number from 0 to 1"),
    "a point beyond the stars": (HAND.replace('x="105"', 'x="1e300"'), r"segment 2: ends must be finite"),
    "a path": (HAND.replace('<member segment="4"/>', "<path/>"), r"is given by a path; only members and includes are read"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told(case: str, tmp_path: Path):
    text, message = WRONG[case]
    with pytest.raises(ch.ModelError, match=message):
        read(tmp_path, text)
