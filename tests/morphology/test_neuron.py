"""Every cell of this folder against NEURON's Import3d: branches, areas, volumes, distances, resistances, numbers of compartments.

NEURON keeps coordinates and diameters in single precision, so numbers agree to about 1e-6, not to the last bit.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import channelome as ch
from channelome.morphology import Compartments

HERE = Path(__file__).parent
NEURON = json.loads((HERE / "neuron.json").read_text())
CELLS = sorted(name for name in NEURON if name != "by")
RTOL = 2e-6


def ours(name: str) -> ch.Morphology:
    return ch.Morphology.from_file(HERE / "cells" / name)


def translated(name: str | None) -> str | None:
    """NEURON's name of a section in our words."""
    return name and name.replace("apic[", "apical[").replace("dend_", "tag").replace("minus_", "minus")


def in_their_order(morph: ch.Morphology, name: str) -> np.ndarray:
    """Where each of our branches stands among NEURON's sections, which are sorted by type."""
    theirs = [translated(section["name"]) for section in NEURON[name]["sections"]]
    return np.array([theirs.index(label) for label in morph.labels])


def per_compartment(morph: ch.Morphology, name: str, what: str) -> np.ndarray:
    return np.array(NEURON[name][what]).reshape(-1, 3)[in_their_order(morph, name)].ravel()


@pytest.mark.parametrize("name", CELLS)
def test_branches_are_those_of_import3d(name: str):
    morph = ours(name)
    sections = NEURON[name]["sections"]
    assert sorted(morph.labels) == sorted(str(translated(section["name"])) for section in sections)
    counts = np.diff(morph.branches.first)
    for i, k in enumerate(in_their_order(morph, name)):
        section, above = sections[k], int(morph.branches.parent[i])
        assert (translated(section["parent"]) or "none") == (morph.labels[above] if above >= 0 else "none"), section
        if above >= 0:
            assert section["x"] == morph.branches.attach[i], section
        assert section["points"] == counts[i], section
        assert section["first_diameter"] == pytest.approx(morph.branches.points[morph.branches.first[i], 3], rel=RTOL)
        assert section["L"] == pytest.approx(morph.lengths[i], rel=RTOL)


@pytest.mark.parametrize("name", CELLS)
def test_areas_and_volumes_are_exact(name: str):
    morph = ours(name)
    comps = morph.discretise(ch.per_branch(3))
    np.testing.assert_allclose(comps.area, per_compartment(morph, name, "area"), rtol=RTOL)
    np.testing.assert_allclose(comps.volume, per_compartment(morph, name, "volume"), rtol=RTOL)


@pytest.mark.parametrize("name", CELLS)
def test_distances_are_those_from_the_middle_of_the_soma(name: str):
    morph = ours(name)
    comps = morph.discretise(ch.per_branch(3))
    np.testing.assert_allclose(comps.distance, per_compartment(morph, name, "distance"), rtol=RTOL, atol=1e-5)


def conductances(comps: Compartments, Ra: float) -> np.ndarray:
    """Shape (m, m), uS: what flows out of each node for potentials of all nodes."""
    matrix = np.zeros((len(comps.parent),) * 2)
    for i, (p, R) in enumerate(zip(comps.parent, comps.axial_resistance(Ra), strict=True)):
        if p >= 0:
            matrix[[i, p, i, p], [i, p, p, i]] += np.array([1, 1, -1, -1]) / R
    return matrix


@pytest.mark.parametrize("name", CELLS)
def test_transfer_resistances_at_rest_are_those_of_neuron(name: str):
    """So every axial resistance is right, and what happens at branch points and at the soma too."""
    morph = ours(name)
    comps = morph.discretise(ch.per_branch(3))
    matrix = conductances(comps, 100.0)
    matrix[np.arange(len(comps)), np.arange(len(comps))] += comps.area * 0.1 * 1e-5  # mS/cm^2 over um^2, in uS
    origin = comps.index("soma[0](0.5)") if "soma" in morph.anatomy.members else comps.index("branch[0](0.5)")
    current = np.zeros(len(matrix))
    current[origin] = 1.0
    transfer = np.linalg.solve(matrix, current)[: len(comps)]
    np.testing.assert_allclose(transfer, per_compartment(morph, name, "transfer"), rtol=5e-6)


@pytest.mark.parametrize("name", CELLS)
def test_d_lambda_asks_for_as_many_compartments(name: str):
    morph = ours(name)
    comps = morph.discretise(ch.d_lambda(0.1), Ra="100 ohm cm", C="1 uF/cm^2")
    theirs = np.array([section["d_lambda"] for section in NEURON[name]["sections"]])
    np.testing.assert_array_equal(np.diff(comps.first), theirs[in_their_order(morph, name)])


FOLDERS = [parent / "shared/data" for parent in HERE.parents if (parent / "shared/data").is_dir()]


@pytest.mark.skipif(not FOLDERS, reason="reconstructions that are not ours to ship")
@pytest.mark.parametrize(
    ("name", "sections", "length", "area", "volume"),
    [
        ("ca1_n120", 156, 11910.0995, 32493.46689, 11950.9649),
        ("allen_485574832", 99, 4210.35863, 6681.89247, 2219.62025),
    ],
)
def test_reconstructions_measure_what_they_do_in_neuron(
    name: str, sections: int, length: float, area: float, volume: float
):
    """The sums over all sections that NEURON 9.0.2 gives after Import3d, as in make_neuron.py; three segments a section."""
    morph = ch.Morphology.from_swc(FOLDERS[0] / f"{name}.swc")
    assert len(morph) == sections
    assert morph.lengths.sum() == pytest.approx(length, rel=1e-6)
    assert morph.areas.sum() == pytest.approx(area, rel=1e-6)
    assert morph.volumes.sum() == pytest.approx(volume, rel=2e-6)
