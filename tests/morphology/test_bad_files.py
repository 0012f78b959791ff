"""What can be wrong in a file: each is an error that names the place and the way out, and what can be mended is, where it is asked for."""

from pathlib import Path

import numpy as np
import pytest

import channelome as ch

GOOD = """1 1 0 0 0 5 -1
2 3 5 0 0 1 1
3 3 50 0 0 0.8 2
4 3 90 10 0 0.5 3
5 3 90 -10 0 0.5 3
"""


def read(tmp_path: Path, text: str | bytes, **options: object) -> ch.Morphology:
    file = tmp_path / "cell.swc"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return ch.Morphology.from_swc(file, **options)  # pyright: ignore[reportArgumentType]


def changed(*changes: tuple[str, str]) -> str:
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


WRONG = {
    "no point": ("# nothing\n\n", r"cell.swc holds no point"),
    "too few columns": (changed(("5 0 0 1 1\n", "5 0 0 1\n")), r"cell.swc, line 2: 6 columns in '2 3 5 0 0 1', expected 'id type x y z radius parent'"),
    "a word": (changed(("50 0 0 0.8", "50 0 zero 0.8")), r"line 3: the z is 'zero', which is no number"),
    "a soma in one place": ("1 1 0 0 0 5 -1\n2 1 0 0 0 5 1\n3 3 0 9 0 1 2\n4 3 0 50 0 1 3\n", r"Delete these points \(the first branch of a cell cannot be left out\)"),
    "Python's digits": (changed(("50 0 0 0.8", "5_0 0 0 0.8")), r"line 3: the x is '5_0', which is no number"),
    "half an id": (changed(("4 3 90", "4.5 3 90")), r"line 4: the id must be a whole number, got 4.5"),
    "NaN as a parent": (changed(("0.5 3\n5", "0.5 nan\n5")), r"line 4: the parent must be a whole number, got nan"),
    "NaN as a coordinate": (changed(("3 3 50 0", "3 3 nan 0")), r"line 3 has coordinates that are no numbers"),
    "infinity as a coordinate": (changed(("3 3 50 0", "3 3 inf 0")), r"line 3 has coordinates that are no numbers"),
    "a coordinate far away": (changed(("3 3 50 0", "3 3 1e300 0")), r"line 3 has coordinates that are no numbers of um"),
    "a radius of an atom": (changed(("0.8 2", "1e-12 2")), r"the radius of line 3 is 1e-12, and must be positive"),
    "no diameter": (changed(("0.8 2", "0 2")), r"the radius of line 3 is 0, and must be positive. With repair='diameters'"),
    "a negative diameter": (changed(("0.8 2", "-0.8 2")), r"the radius of line 3 is -0.8"),
    "NaN as a radius": (changed(("0.8 2", "NaN 2")), r"the radius of line 3 is nan"),
    "an id twice": (changed(("4 3 90", "3 3 90")), r"the id 3 stands in line 3 and again in line 4. With repair='duplicates'"),
    "a missing parent": (changed(("0.5 3\n5", "0.5 33\n5")), r"line 4 has a parent that is missing: 33. With repair='parents'"),
    "0 as a root": (changed(("5 -1", "5 0")), r"line 1 has a parent that is missing: 0 \(a root has the parent -1\)"),
    "a cycle": (changed(("0.8 2", "0.8 4")), r"the parents of line 3 run in a circle: 3 -> 4 -> 3"),
    "its own parent": (changed(("0.8 2", "0.8 3")), r"the parents of line 3 run in a circle: 3 -> 3"),
    "no root": (changed(("5 -1", "5 2")), r"has no root \(no point has the parent -1\), and the parents of line 1 run in a circle: 1 -> 2 -> 1"),
    "two roots": (changed(("0.8 2", "0.8 -1")), r"has 2 roots: lines 1, 3. A cell is one tree. With repair='roots'"),
    "a parent after its child": ("2 3 5 0 0 1 1\n1 1 0 0 0 5 -1\n", r"line 1 stands before the parent. With repair='order'"),
    "commas": (GOOD.replace(" ", ","), r"line 1: 1 columns in '1,1,0,0,0,5,-1', .*: columns are separated by white space, not by ','; replace these"),
    "commas and spaces": (GOOD.replace(" ", ", "), r"line 1: the id is '1,', which is no number: columns are separated by white space, not by ','"),
    "semicolons": (GOOD.replace(" ", ";"), r"line 1: 1 columns in .*: columns are separated by white space, not by ';'"),
    "a decimal comma": (changed(("0.8 2", "0,8 2")), r"line 3: the radius is '0,8', which is no number\.$"),
    "no length": (changed(("4 3 90 10", "4 3 50 0")), r"1 of 4 branches have no length, the first at \(50, 0, 0\) um"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_with_its_line_and_the_way_out(case: str, tmp_path: Path):
    text, message = WRONG[case]
    with pytest.raises(ch.ModelError, match=message):
        read(tmp_path, text)


def test_a_missing_file_is_named():
    with pytest.raises(ch.ModelError, match=r"cannot read 'nowhere.swc': No such file"):
        ch.Morphology.from_swc("nowhere.swc")


def test_a_file_of_another_format_is_refused():
    with pytest.raises(ch.ModelError, match=r"'cell.obj' ends with none of .swc, .nml, .asc, .h5"):
        ch.Morphology.from_file("cell.obj")


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        GOOD.replace(" ", "\t"),
        "\n".join(f"   {line.replace(' ', '   ')}  " for line in GOOD.splitlines()),
        "\ufeff# comment\n\n" + GOOD,
        GOOD + "\n\x1a",
        GOOD.replace("\n", " 17 more columns\n"),
        GOOD.replace("\n", " # said of it\n"),
        GOOD.replace("1 1 0", "1.0 1.0 0"),
        GOOD.rstrip(),
        b"# f\xfcr Latin-1\n" + GOOD.encode(),
    ],
    ids=["Windows", "old Mac", "tabs", "blanks", "BOM", "Ctrl-Z", "columns", "comments", "floats", "no last end", "Latin-1"],
)  # fmt: skip
def test_odd_white_space_line_ends_and_encodings_change_nothing(text: str | bytes, tmp_path: Path):
    assert read(tmp_path, text) == read(tmp_path, GOOD)


REPAIRED = {
    "diameters": (changed(("0.8 2", "0 2")), changed(("0.8 2", "1 2")), "1 point given the diameter of a neighbour: ids 3"),
    "duplicates": (changed(("\n5 3", "\n5 3 90 -10 0 0.5 3\n5 3")), GOOD, "1 point with an id that stood before left out"),
    "parents": (changed(("90 -10 0 0.5 3", "90 -10 0 0.5 77")), changed(("5 3 90 -10 0 0.5 3\n", "")), "1 point without a way to a root left out: ids 5"),
    "roots": (GOOD + "8 3 0 0 0 1 -1\n9 3 1 0 0 1 8\n", GOOD, "1 other trees of together 2 points left out"),
    "order": ("\n".join(reversed(GOOD.splitlines())), changed(("4 3 90 10", "4 3 90 -10"), ("5 3 90 -10", "5 3 90 10")), "points sorted"),
    "lengths": (changed(("4 3 90 10", "4 3 50 0")), changed(("4 3 90 10 0 0.5 3\n", "")), "1 branches without length left out"),
}  # fmt: skip


@pytest.mark.parametrize("repair", REPAIRED)
def test_a_repair_does_what_it_says_and_tells(repair: str, tmp_path: Path):
    broken, mended, note = REPAIRED[repair]
    found = read(tmp_path, broken, repair=repair)
    assert note in found.notes[0]
    assert f"repaired: {found.notes[0]}" in found.report()
    whole = read(tmp_path, mended)
    if repair == "lengths":  # the branch at whose end it was goes on as two, as NEURON would have it with nseg of each
        assert found.lengths.sum() == pytest.approx(whole.lengths.sum())
        assert found.areas.sum() == pytest.approx(whole.areas.sum())
    else:
        assert found == whole


@pytest.mark.parametrize("repair", REPAIRED)
def test_a_repair_that_was_not_asked_for_is_not_made(repair: str, tmp_path: Path):
    others = [name for name in REPAIRED if name != repair]
    with pytest.raises(ch.ModelError, match=f"repair='{repair}'"):
        read(tmp_path, REPAIRED[repair][0], repair=others)


def test_everything_is_repaired_at_once(tmp_path: Path):
    text = "9 3 0 0 0 1 -1\n4 3 90 10 0 0 3\n3 3 50 0 0 0.8 2\n3 3 50 0 0 0.8 2\n2 3 5 0 0 1 1\n1 1 0 0 0 5 -1\n6 3 1 1 1 1 99\n"
    found = read(tmp_path, text, repair="all")
    assert len(found.notes) == 5
    assert found == read(tmp_path, "1 1 0 0 0 5 -1\n2 3 5 0 0 1 1\n3 3 50 0 0 0.8 2\n4 3 90 10 0 0.8 3\n")


def test_a_diameter_at_the_root_is_that_of_the_nearest_point(tmp_path: Path):
    found = read(tmp_path, "1 3 0 0 0 0 -1\n2 3 10 0 0 -1 1\n3 3 20 0 0 0.7 2\n", repair="diameters")
    np.testing.assert_array_equal(found.branches.points[:, 3], 1.4)


def test_without_any_diameter_nothing_can_be_repaired(tmp_path: Path):
    with pytest.raises(ch.ModelError, match="has no root"):
        read(tmp_path, "1 3 0 0 0 1 7\n", repair="all")
    with pytest.raises(ch.ModelError, match="no point has a positive radius"):
        read(tmp_path, "1 3 0 0 0 0 -1\n2 3 10 0 0 0 1\n", repair="all")


def test_what_nothing_repairs_stays_an_error(tmp_path: Path):
    for case in ("a cycle", "its own parent", "NaN as a coordinate", "a word"):
        with pytest.raises(ch.ModelError):
            read(tmp_path, WRONG[case][0], repair="all")


def test_an_unknown_repair_is_refused_with_the_known_ones(tmp_path: Path):
    with pytest.raises(ch.ModelError, match=r"repair='diameter' is none of: duplicates, .*Did you mean 'diameters'"):
        read(tmp_path, GOOD, repair="diameter")


def test_points_out_of_order_can_be_sorted_so_that_branches_are_whole(tmp_path: Path):
    """A file that lists point after point by depth is right, and has a branch per point, until it is sorted."""
    by_depth = "1 3 0 0 0 1 -1\n2 3 10 0 0 1 1\n3 3 20 5 0 1 2\n4 3 20 -5 0 1 2\n5 3 30 5 0 1 3\n6 3 30 -5 0 1 4\n"
    assert len(read(tmp_path, by_depth)) > 3
    assert len(read(tmp_path, by_depth, repair="order")) == 3


def test_a_file_in_utf16_is_read_as_any_other(tmp_path: Path):
    whole = read(tmp_path, GOOD)
    for encoding in ("utf-16", "utf-8-sig"):
        np.testing.assert_array_equal(read(tmp_path, GOOD.encode(encoding)).areas, whole.areas)


@pytest.mark.parametrize("repair", [True, 3, ["order", 3], None])
def test_a_repair_that_is_no_name_is_named(repair: object, tmp_path: Path):
    with pytest.raises(
        ch.ModelError, match=r"repair=.* is none of: duplicates, parents, roots, order, diameters, lengths, all"
    ):
        read(tmp_path, GOOD, repair=repair)


@pytest.mark.parametrize("path", [None, 3, b"cell.swc"])
def test_a_path_that_is_none_is_named(path: object):
    with pytest.raises(ch.ModelError, match=r"a morphology is read from the path of a file, such as 'cell.swc', not "):
        ch.Morphology.from_swc(path)  # pyright: ignore[reportArgumentType]
