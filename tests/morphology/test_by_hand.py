"""Cells built branch by branch."""

import numpy as np
import pytest

import channelome as ch


def test_ball_and_stick_is_a_ball_and_a_stick():
    morph = ch.Morphology.ball_and_stick(soma="20 um", length="500 um", diameter="2 um")
    assert morph.labels == ["soma[0]", "dend[0]"]
    np.testing.assert_allclose(morph.areas, [np.pi * 400, np.pi * 1000], rtol=1e-13)
    np.testing.assert_allclose(morph.lengths, [20, 500], rtol=1e-13)
    np.testing.assert_allclose(morph.distances, [[10, 10], [0, 500]])
    assert morph.branches.attach.tolist() == [0.0, 0.5]


def test_a_soma_may_be_a_cylinder():
    morph = ch.Morphology.soma("10 um", length="30 um")
    assert morph.areas[0] == pytest.approx(np.pi * 300)


def test_branches_are_where_they_were_put():
    morph = (
        ch.Morphology.soma("10 um")
        .branch("axon", length="40 um", diameter="1 um", at="soma(1)")
        .branch("dend", length="100 um", diameter=("3 um", "1 um"))
        .branch("oblique", length="50 um", diameter="1 um", type="apical", at="dend[0](0.3)")
        .branch("spine", length="2 um", diameter="0.3 um", at="oblique(1)")
        .branch("odd", length="5 um", diameter="1 um", type=7, at="branch[1](1)")
    )
    assert morph.labels == ["soma[0]", "axon[0]", "dend[0]", "apical[0]", "dend[1]", "tag7[0]"]
    assert morph.branches.parent.tolist() == [-1, 0, 0, 2, 3, 1]
    assert morph.branches.attach.tolist() == [0.0, 1.0, 0.5, 0.3, 1.0, 1.0]
    np.testing.assert_allclose(morph.lengths, [10, 40, 100, 50, 2, 5], rtol=1e-12)
    np.testing.assert_allclose(morph.distances[:, 0], [5, 5, 0, 30, 80, 45])
    assert morph.orders.tolist() == [0, 1, 1, 1, 1, 1]
    comps = morph.discretise(ch.per_branch(3))
    np.testing.assert_array_equal(comps.mask("spine"), comps.mask("dend[1]"))
    np.testing.assert_array_equal(comps.mask("odd"), comps.mask("tag7"))
    assert comps.parent[comps.first[3]] == comps.first[2]  # at 0.3 of three: the first
    assert comps.far[comps.first[3]] == 0.0


def test_points_in_space_can_be_given():
    points = np.array([[0, 10, 0, 2.0], [0, 20, 0, 2.0], [10, 20, 0, 1.0]])
    morph = ch.Morphology.soma("20 um").branch("dend", points=(points, "um"))
    np.testing.assert_array_equal(morph.branches.points[3:], points)
    assert morph.lengths[1] == 20


def test_a_direction_can_be_given_and_else_branches_spread():
    morph = ch.Morphology.soma("20 um").branch("dend", length="100 um", diameter="2 um", direction=(0, 0, 2))
    np.testing.assert_allclose(morph.branches.points[-1, :3], [0, 0, 110])
    for _ in range(3):
        morph = morph.branch("dend", length="100 um", diameter="1 um", at="dend[0](1)")
    tips = morph.branches.points[morph.branches.first[1:] - 1, :3][2:]
    assert all(np.linalg.norm(a - b) > 10 for i, a in enumerate(tips) for b in tips[:i])


def test_a_copy_is_made_and_the_first_stays():
    first = ch.Morphology.soma("20 um")
    second = first.branch("dend", length="100 um", diameter="2 um")
    assert (len(first), len(second)) == (1, 2)
    assert first != second
    assert second == first.branch("dend", length=(100.0, "um"), diameter=(2.0, "um"))


BALL = ch.Morphology.ball_and_stick()
WRONG = {
    "no unit": (lambda: ch.Morphology.soma(20), r"the diameter of the soma needs a unit"),
    "no diameter": (lambda: ch.Morphology.soma("0 um"), r"the diameter of the soma must be one positive length"),
    "no length": (lambda: BALL.branch("dend", diameter="1 um"), r"branch 'dend' needs length= and diameter=, or points="),
    "a negative length": (lambda: BALL.branch("dend", length="-5 um", diameter="1 um"), r"the length of branch 'dend' must be one positive length"),
    "three diameters": (lambda: BALL.branch("dend", length="5 um", diameter=("1 um", "2 um", "3 um")), r"branch 'dend': diameter= is one, or those of its beginning and its end, not 3"),
    "both shapes": (lambda: BALL.branch("dend", length="5 um", points=([[0, 0, 0, 1], [1, 0, 0, 1]], "um")), r"give points, or length and diameter, not both"),
    "three columns": (lambda: BALL.branch("dend", points=([[0, 0, 0], [1, 0, 0]], "um")), r"must be x, y, z, diameter in rows of four"),
    "points in one place": (lambda: BALL.branch("dend", points=([[0, 0, 0, 1], [0, 0, 0, 1]], "um")), r"branch 'dend' has no length"),
    "a diameter of 0": (lambda: BALL.branch("dend", points=([[0, 0, 0, 1], [1, 0, 0, 0]], "um")), r"with positive diameters"),
    "nowhere": (lambda: BALL.branch("dend", length="5 um", diameter="1 um", at="dend[4](1)"), r"has no dend\[4\], but dend\[0\]\."),
    "in two places": (lambda: BALL.branch("dend", length="5 um", diameter="1 um", at="soma, dend"), r"at='soma, dend' names 2 places; say which"),
    "an unknown type": (lambda: BALL.branch("trunk", length="5 um", diameter="1 um", type="apicl"), r"the type must be one of soma, axon, dend, apical or a number, not 'apicl'"),
    "two types": (lambda: BALL.branch("dend", length="5 um", diameter="1 um", type="axon"), r"branch 'dend': this name says the type already; leave type='axon' out"),
    "a word with a meaning": (lambda: BALL.branch("all", length="5 um", diameter="1 um"), r"'all' cannot name a branch: it has a meaning in regions and places"),
    "no direction": (lambda: BALL.branch("dend", length="5 um", diameter="1 um", direction=(0, 0, 0)), r"direction must be three numbers, not all zero"),
    "a branch without a name": (lambda: BALL.branch(3, length="5 um", diameter="1 um"), r"a branch is called by a word, such as 'dend', not 3"),  # pyright: ignore
    "a direction in words": (lambda: BALL.branch("dend", length="5 um", diameter="1 um", direction="up"), r"direction must be three numbers, .* got 'up'"),  # pyright: ignore
    "a type that no file holds": (lambda: BALL.branch("tuft", length="5 um", diameter="1 um", type=2**80), r"the type must be one of soma, axon, dend, apical or a number"),
    "rows of other lengths": (lambda: BALL.branch("dend", points=([[0, 0, 0, 1], [1, 0, 0]], "um")), r"points of branch 'dend': its rows must be equally long"),
    "a soma as wide as the sky": (lambda: ch.Morphology.soma("1e300 um"), r"the diameter of the soma is '1e300 um', and that of a neuron lies between"),
    "a soma of nothing": (lambda: ch.Morphology.soma("1e-300 um"), r"the diameter of the soma is '1e-300 um', and that of a neuron lies between"),
    "a branch to the stars": (lambda: BALL.branch("dend", length="1e200 um", diameter="1 um"), r"the length of branch 'dend' is '1e200 um', and that"),
    "points beyond the stars": (lambda: BALL.branch("dend", points=([[0, 0, 0, 1], [1e300, 0, 0, 1]], "um")), r"those of a neuron: within 1e\+09 um"),
    "a file in place of a cell": (lambda: ch.Morphology("cell.swc"), r"read from a file, Morphology.from_swc\('cell.swc'\) .* not made of 'cell.swc'"),  # pyright: ignore
    "a file in place of points": (lambda: ch.Morphology.from_points("cell.swc"), r"from_points\(\) takes Points, .* a file is read by from_swc"),  # pyright: ignore
    "a region's name": (lambda: BALL.named(far="distance > 100 um").branch("far", length="5 um", diameter="1 um"), r"this name stands for the region 'distance > 100 um' already"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_built_says_why(case: str):
    make, message = WRONG[case]
    with pytest.raises(ch.ChannelomeError, match=message):
        make()


def test_measures_of_a_cell_known_by_heart():
    """Branch orders: what begins at the soma has 1, each branch point adds one, going on alone does not."""
    morph = ch.Morphology.soma("10 um").branch("dend", length="100 um", diameter="2 um")
    morph = morph.branch("dend", length="10 um", diameter="2 um", at="dend[0](1)")  # goes on alone
    morph = morph.branch("dend", length="10 um", diameter="1 um", at="dend[1](1)").branch(
        "dend", length="10 um", diameter="1 um", at="dend[1](1)"
    )
    assert morph.orders.tolist() == [0, 1, 1, 2, 2]
    text = morph.report()
    assert "dend              4       130.0       754.0" in text
    assert "farthest from soma[0](0.5): dend[2](1), 120.0 um along the branches" in text
    assert "look at: all points lie in one plane" in text


def test_a_report_says_what_deserves_a_look(tmp_path):
    file = tmp_path / "odd.swc"
    file.write_text("1 3 0 0 0 1 -1\n2 3 10 0 1 1 1\n3 3 10 0 1 1 2\n4 3 20 0 2 0.04 3\n")
    text = ch.Morphology.from_swc(file).report()
    for words in (
        "1 points thinner than 0.1 um",
        "1 points lie on the one before them",
        "more than fivefold",
        "there is no soma",
    ):
        assert words in text
    file.write_text("1 1 0 0 0 1 -1\n2 3 10 0 1 1 1\n3 3 10 5 1 1 2\n")
    assert "every diameter is 2 um, so none was measured" in ch.Morphology.from_swc(file).report()
