"""Compartments against closed forms, and what must hold of them on any cell."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import channelome as ch

CELLS = sorted((Path(__file__).parent / "cells").glob("*.swc"))
CONE = (
    ch.Morphology.soma("20 um")
    .branch("dend", length="300 um", diameter=("6 um", "1.5 um"))
    .branch("axon", length="60 um", diameter="1 um", at="dend[0](1)")
)
RULES = [ch.per_branch(1), ch.per_branch(4, soma=1), ch.max_length("7 um"), ch.d_lambda(0.05)]


def discretised(morph: ch.Morphology, rule: object) -> ch.Compartments:
    return morph.discretise(rule, Ra="150 ohm cm", C="0.9 uF/cm^2")  # pyright: ignore[reportArgumentType]


def test_a_cone_cut_in_pieces_is_exact():
    """Lateral area, volume and the integral of 1/(pi r^2) of each piece of a cone, from its formulas."""
    comps = CONE.discretise(ch.per_branch(5, soma=1, axon=1))
    r = np.linspace(3.0, 0.75, 11)[::2]  # at the borders
    m = np.linspace(3.0, 0.75, 11)[1::2]  # in the middles
    h = 60.0
    slant = np.hypot(h, r[1] - r[0])
    cone = slice(1, 6)
    np.testing.assert_allclose(comps.area[cone], np.pi * (r[:-1] + r[1:]) * slant, rtol=1e-13)
    np.testing.assert_allclose(
        comps.volume[cone], np.pi * h / 3 * (r[:-1] ** 2 + r[:-1] * r[1:] + r[1:] ** 2), rtol=1e-13
    )
    near, far = h / 2 / (np.pi * r[:-1] * m), h / 2 / (np.pi * m * r[1:])
    np.testing.assert_allclose(comps.near[cone], near, rtol=1e-13)
    np.testing.assert_allclose(comps.far[2:6], far[:-1], rtol=1e-13)
    assert comps.far[1] == 0.0  # to the middle of the soma, at no cost
    assert comps.far[6] == pytest.approx(far[-1], rel=1e-13)  # the axon alone goes on: no junction
    assert comps.parent.tolist() == [-1, 0, 1, 2, 3, 4, 5]
    assert comps.junctions == 0


def test_a_cylinder_is_what_it_is():
    comps = CONE.discretise(ch.per_branch(3, soma=1))
    axon = comps.mask("axon")
    np.testing.assert_allclose(comps.area[axon], np.pi * 1.0 * 20.0, rtol=1e-13)
    np.testing.assert_allclose(comps.volume[axon], np.pi * 0.25 * 20.0, rtol=1e-13)
    np.testing.assert_allclose(comps.diameter[axon], 1.0, rtol=1e-13)
    inside = np.flatnonzero(axon)[1:]
    Ra = 150.0  # ohm cm; 20 um of a cylinder of 1 um: Ra L / (pi r^2) = 38.2 Mohm
    np.testing.assert_allclose(comps.axial_resistance(Ra)[inside], 0.01 * Ra * 20.0 / (np.pi * 0.25), rtol=1e-13)
    assert comps.axial_resistance(Ra)[0] == np.inf


def test_a_soma_has_the_membrane_of_its_sphere():
    comps = CONE.discretise(ch.per_branch(1))
    assert comps.area[0] == pytest.approx(np.pi * 20.0**2, rel=1e-13)


def test_each_compartment_has_its_own_resistivity():
    """Half of the way to the parent lies in each."""
    comps = CONE.discretise(ch.per_branch(2, soma=1))
    Ra = np.array([100.0, 100.0, 200.0, 300.0, 300.0])
    R = comps.axial_resistance(Ra)
    assert R[2] == pytest.approx(0.01 * (200 * comps.near[2] + 100 * comps.far[2]), rel=1e-14)
    np.testing.assert_allclose(
        comps.axial_resistance(150.0), 0.01 * 150 * (comps.near + comps.far) + [np.inf, 0, 0, 0, 0]
    )


def test_a_branch_point_is_a_node_without_membrane():
    morph = ch.Morphology.soma("20 um").branch("dend", length="100 um", diameter="2 um")
    for _ in range(3):
        morph = morph.branch("dend", length="50 um", diameter="1 um", at="dend[0](1)")
    comps = morph.discretise(ch.per_branch(2, soma=1))
    assert (len(comps), comps.junctions) == (9, 1)
    assert comps.parent[[3, 5, 7]].tolist() == [9, 9, 9]
    assert comps.parent[9] == 2
    half = 25.0 / (np.pi * 1.0)
    assert comps.near[9] == 0.0
    assert comps.far[9] == pytest.approx(half, rel=1e-13)
    np.testing.assert_allclose(comps.near[[3, 5, 7]], 12.5 / (np.pi * 0.25), rtol=1e-13)
    np.testing.assert_array_equal(comps.far[[3, 5, 7]], 0.0)
    assert comps.tree.area[comps.tree.position[9]] == 0.0


def test_several_dendrites_at_the_middle_of_a_soma_need_no_junction():
    morph = ch.Morphology.soma("20 um")
    for _ in range(4):
        morph = morph.branch("dend", length="100 um", diameter="2 um")
    comps = morph.discretise(ch.per_branch(3))
    assert comps.junctions == 0
    assert comps.parent[comps.first[1:-1]].tolist() == [1, 1, 1, 1]  # the middle one of three


@pytest.mark.parametrize("file", CELLS, ids=lambda file: file.stem)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_nothing_is_lost_however_a_cell_is_cut(file: Path, rule: object):
    morph = ch.Morphology.from_swc(file)
    comps = discretised(morph, rule)
    per_branch = np.add.reduceat(comps.area, comps.first[:-1])
    np.testing.assert_allclose(per_branch, morph.areas, rtol=1e-12)
    np.testing.assert_allclose(np.add.reduceat(comps.volume, comps.first[:-1]), morph.volumes, rtol=1e-12)
    np.testing.assert_allclose(np.add.reduceat(comps.length, comps.first[:-1]), morph.lengths, rtol=1e-12)
    assert (comps.area > 0).all()
    assert (comps.near[1 : len(comps)] > 0).all()
    assert (comps.far >= 0).all()


@pytest.mark.parametrize("file", CELLS, ids=lambda file: file.stem)
def test_resistance_between_two_places_does_not_depend_on_the_cut(file: Path):
    """From the root to the last branch's end: the sum along the way is the integral of 1/(pi r^2), to the middle of the last piece."""
    morph = ch.Morphology.from_swc(file)

    def way(n: int) -> float:
        comps = morph.discretise(ch.per_branch(n))
        at, total = comps.index(f"branch[{len(morph) - 1}](0.5)"), 0.0
        while comps.parent[at] >= 0:
            total += comps.near[at] + comps.far[at]
            at = comps.parent[at]
        return total - _from_middle(morph, comps)

    assert way(1) == pytest.approx(way(27), rel=1e-12)


def _from_middle(morph: ch.Morphology, comps: ch.Compartments) -> float:
    """What the way from the root compartment to the middle of the root branch has too much or lacks."""
    joined = morph.branches.attach[_first_on_the_way(morph, len(morph) - 1)]
    begin, end = (morph.anatomy.frusta.at(np.array([0]), np.array([x])).factor[0] for x in (comps.x[0], joined))
    return float(abs(end - begin))


def _first_on_the_way(morph: ch.Morphology, branch: int) -> int:
    while morph.branches.parent[branch] > 0:
        branch = int(morph.branches.parent[branch])
    return branch


@pytest.mark.parametrize("file", CELLS, ids=lambda file: file.stem)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_the_tree_is_one_breadth_first_from_its_middle(file: Path, rule: object):
    comps = discretised(ch.Morphology.from_swc(file), rule)
    tree = comps.tree
    m = len(comps.parent)
    assert len(tree) == m == len(comps) + comps.junctions
    np.testing.assert_array_equal(np.sort(tree.node), np.arange(m))
    np.testing.assert_array_equal(tree.node[tree.position], np.arange(m))
    assert tree.parent[0] == -1
    assert (tree.parent[1:] < np.arange(1, m)).all()
    assert (np.diff(tree.depth) >= 0).all()
    np.testing.assert_array_equal(tree.depth[1:], tree.depth[tree.parent[1:]] + 1)
    np.testing.assert_array_equal(tree.area > 0, tree.node < len(comps))
    ways = {(i, p): (comps.near[i], comps.far[i]) for i, p in enumerate(comps.parent.tolist()) if p >= 0}
    for node, above, near, far in zip(
        tree.node[1:], tree.node[tree.parent[1:]], tree.near[1:], tree.far[1:], strict=True
    ):
        assert (near, far) == (ways[node, above] if (node, above) in ways else ways[above, node][::-1])
    assert tree.depth.max() == -(-_longest_way(comps.parent) // 2)


def _longest_way(parent: np.ndarray) -> int:
    """The links of the longest way through a tree."""
    reach, longest, n = [0] * len(parent), 0, len(parent)
    order = sorted(range(n), key=lambda i: -_above(parent, i))
    for i in order[:-1]:
        p = int(parent[i])
        longest = max(longest, reach[p] + reach[i] + 1)
        reach[p] = max(reach[p], reach[i] + 1)
    return longest


def _above(parent: np.ndarray, node: int) -> int:
    return 0 if parent[node] < 0 else 1 + _above(parent, int(parent[node]))


def test_max_length_keeps_to_it_with_as_few_as_can_be():
    comps = CONE.discretise(ch.max_length("20 um"))
    assert np.diff(comps.first).tolist() == [1, 15, 3]
    assert CONE.discretise(ch.max_length("0.1 mm")).length.max() <= 100.0


def test_d_lambda_follows_resistivity_and_capacitance():
    few = CONE.discretise(ch.d_lambda(0.1), Ra="50 ohm cm", C="1 uF/cm^2")
    many = CONE.discretise(ch.d_lambda(0.1), Ra="200 ohm cm", C="2 uF/cm^2")
    assert len(few) < len(many)
    finer = CONE.discretise(ch.d_lambda(0.1, frequency="1 kHz"), Ra="50 ohm cm", C="1 uF/cm^2")
    assert len(few) < len(finer)
    each = CONE.discretise(ch.d_lambda(0.1), Ra=([50.0, 50.0, 200.0], "ohm cm"), C=([1.0, 1.0, 2.0], "uF/cm^2"))
    counts = np.diff(each.first)
    assert counts[1] == np.diff(few.first)[1]
    assert counts[2] == np.diff(many.first)[2]


def test_numbers_of_compartments_may_be_an_array():
    np.testing.assert_array_equal(np.diff(CONE.discretise(ch.per_branch(np.array([1, 4, 2]))).first), [1, 4, 2])
    with pytest.raises(ch.ModelError, match="count must be a whole number of at least 1, not "):
        ch.per_branch(np.array([1.5, 2]))


BAD = {
    "no rule": (lambda: CONE.discretise(5), r"5 does not say how to cut branches: use per_branch\(5\)"),
    "no compartments": (lambda: ch.per_branch(0), r"count must be a whole number of at least 1, not 0"),
    "half a compartment": (lambda: ch.per_branch(2, soma=1.5), r"soma must be a whole number"),
    "an unknown region": (lambda: CONE.discretise(ch.per_branch(2, smoa=1)), r"called 'smoa'. Did you mean 'soma'"),
    "no unit": (lambda: ch.max_length(20), r"max_length needs a unit: got 20, expected for instance '20 um'"),
    "another unit": (lambda: ch.max_length("20 ms"), r"max_length is in um"),
    "no length": (lambda: ch.max_length("0 um"), r"max_length must be one positive number"),
    "a negative frequency": (lambda: ch.d_lambda(0.1, frequency="-1 Hz"), r"the frequency of d_lambda must be one positive number"),
    "no Ra": (lambda: CONE.discretise(ch.d_lambda(0.1)), r"d_lambda needs Ra and C: morph.discretise"),
    "Ra without unit": (lambda: CONE.discretise(ch.d_lambda(), Ra=100, C="1 uF/cm^2"), r"Ra needs a unit"),
    "negative Ra": (lambda: CONE.discretise(ch.d_lambda(), Ra="-100 ohm cm", C="1 uF/cm^2"), r"Ra must be positive"),
    "Ra of another shape": (lambda: CONE.discretise(ch.d_lambda(), Ra=([1.0, 2.0], "ohm cm"), C="1 uF/cm^2"), r"each of the 3 branches"),
    "Ra by distance": (lambda: CONE.discretise(ch.d_lambda(), Ra=ch.by_distance(lambda x: 100 + x, "ohm cm"), C="1 uF/cm^2"), r"Ra needs a unit: got ByDistance.* To cut by it, give one number, or one for each of the 3 branches"),
    "infinitely many": (lambda: CONE.discretise(ch.max_length("1e-320 um")), r"into inf compartments"),
    "more than integers count": (lambda: CONE.discretise(ch.d_lambda(1e-30), Ra="100 ohm cm", C="1 uF/cm^2"), r"into \S+e\+\d+ compartments; at most 10,000,000"),
    "too many": (lambda: CONE.discretise(ch.max_length("1 pm")), r"would cut a cell built by hand into 3.8e\+08 compartments"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_cut_says_why(case: str):
    make, message = BAD[case]
    with pytest.raises(ch.ChannelomeError, match=message):
        make()


def test_compartments_say_what_they_are():
    assert repr(CONE.discretise(ch.max_length("20 um"))) == (
        "Compartments(a cell built by hand: 19 of 20 to 20 um on 3 branches, 0 junctions)"
    )


def test_a_morphology_and_its_compartments_travel():
    again = pickle.loads(pickle.dumps(CONE))
    assert not again.branches.points.flags.writeable
    assert again == CONE
    assert hash(again) == hash(CONE)
    comps = pickle.loads(pickle.dumps(CONE.discretise(ch.per_branch(2))))
    np.testing.assert_array_equal(comps.area, CONE.discretise(ch.per_branch(2)).area)


def test_a_morphology_cannot_be_changed():
    with pytest.raises(AttributeError, match="make the next one"):
        CONE.anatomy = None
    with pytest.raises(ValueError, match="read-only"):
        CONE.branches.points[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        CONE.discretise(ch.per_branch(2)).area[0] = 1.0


def test_ten_thousand_points_are_ready_in_half_a_second(tmp_path: Path):
    """In a process of its own that imports no JAX: read, checked, cut, numbered, with regions. The bound is that of the issue, on 2 cores."""
    random = np.random.default_rng(3)
    lines, place = ["1 1 0 0 0 8 -1"], {1: np.zeros(3)}
    for i in range(2, 10_001):
        parent = i - 1 if i % 20 else int(random.integers(1, i))
        place[i] = place[parent] + random.normal(size=3) * 3
        lines.append(f"{i} {3 if i < 5000 else 4} {place[i][0]:.3f} {place[i][1]:.3f} {place[i][2]:.3f} 0.5 {parent}")
    file = tmp_path / "large.swc"
    file.write_text("\n".join(lines))
    code = (
        "import sys, time, channelome as ch; ch.Morphology;"
        "t = time.perf_counter();"
        f"comps = ch.Morphology.from_swc({str(file)!r}, repair='order').discretise(ch.max_length('10 um'));"
        "comps.tree; comps.mask('dend & distance > 100 um'); comps.indices('terminals');"
        "print(time.perf_counter() - t, len(comps), 'jax' in sys.modules)"
    )
    seconds = []
    for _ in range(3):
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        assert int(out[1]) > 5_000
        assert out[2] == "False"
        seconds.append(float(out[0]))
    assert min(seconds) < 0.5
    print(seconds)
