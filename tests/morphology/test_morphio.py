"""Files that MorphIO reads, beside the SWC files of the same cells; without MorphIO an error says what to install."""

import sys
from pathlib import Path

import numpy as np
import pytest

import channelome as ch

CELLS = Path(__file__).parent / "cells"
OUTLINE = (CELLS / "outline.asc").read_text()


def read(tmp_path: Path, text: str) -> ch.Morphology:
    file = tmp_path / "cell.asc"
    file.write_text(text)
    return ch.Morphology.from_file(file)


def test_hdf5_holds_what_was_written_to_it(tmp_path: Path):
    """MorphIO itself writes it from the ASC file; single precision."""
    import morphio.mut

    morphio.mut.Morphology(str(CELLS / "outline.asc")).write(str(tmp_path / "cell.h5"))
    asc, h5 = (ch.Morphology.from_file(file) for file in (CELLS / "outline.asc", tmp_path / "cell.h5"))
    assert h5.labels == asc.labels
    np.testing.assert_allclose(h5.areas, asc.areas, rtol=1e-5)


def test_an_outline_of_a_circle_is_nearly_a_sphere(tmp_path: Path):
    """Its cylinders have the sphere's volume within a few per cent, and less than its membrane since the caps are cut."""
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    rows = "\n".join(f"({10 * np.cos(a):.4f} {10 * np.sin(a):.4f} 0 0.1)" for a in angles)
    morph = read(tmp_path, f'("CellBody" (CellBody)\n{rows}\n)\n((Dendrite)\n(10 0 0 2)\n(50 0 0 1)\nNormal\n)\n')
    assert morph.volumes[0] == pytest.approx(4 / 3 * np.pi * 1000, rel=0.03)
    assert morph.areas[0] == pytest.approx(4 * np.pi * 100, rel=0.06)


def test_corners_alone_are_an_outline(tmp_path: Path):
    """Square to the axes, whose edges lie at one level each: NEURON's Import3d makes a cylinder of 9.6 by 10 um of it, too; of the second
    it makes nearly nothing, since the edge from the last corner to the first is no side to it."""

    def soma(*corners: tuple[float, float]) -> ch.Morphology:
        rows = "\n".join(f"({x} {y} 0 0.1)" for x, y in corners)
        return read(tmp_path, f'("CellBody" (CellBody)\n{rows}\n)\n((Dendrite)\n(5 0 0 2)\n(50 0 0 1)\nNormal\n)\n')

    square = soma((-5, -5), (5, -5), (5, 5), (-5, 5))
    assert square.lengths[0] == pytest.approx(9.6, abs=1e-6)
    np.testing.assert_allclose(square.anatomy.branches.points[:21, 3], 10.0, rtol=1e-12)
    wide = soma((9, -5), (9, 5), (-9, 5), (-9, -5))
    assert wide.areas[0] == pytest.approx(np.pi * 18 * 10, rel=0.15)


def test_an_outline_that_ends_across_from_where_it_began_has_two_sides(tmp_path: Path):
    rows = "(0 -10 0 0.1)\n(3 -5 0 0.1)\n(4 0 0 0.1)\n(3 5 0 0.1)\n(0 10 0 0.1)"
    morph = read(tmp_path, f'("CellBody" (CellBody)\n{rows}\n)\n((Dendrite)\n(10 0 0 2)\n(50 0 0 1)\nNormal\n)\n')
    assert 1.0 < morph.branches.points[10, 3] < 6.0


WRONG = {
    "a broken file": (OUTLINE[:200], r"cell.asc is not understood by MorphIO: .*cell.asc:\d+:error"),
    "a soma of several outlines": ('("CellBody" (CellBody)\n(0 0 0 0.1)\n(9 0 0 0.1)\n(9 9 0 0.1)\n)\n' + OUTLINE, r"A soma is already defined.* Of a soma drawn as several outlines keep one"),
    "no soma": (OUTLINE[OUTLINE.index("((Color Blue)") :], r"cell.asc has no soma and 4 neurites"),
    "no diameter": (OUTLINE.replace("40.0  2.0  2.50", "40.0  2.0  0.00"), r"the diameter at \(1, 40, 2\) um is 0, and must be positive"),
    "a line for an outline": ('("CellBody" (CellBody)\n(0 0 0 0.1)\n(1 1 0 0.1)\n(2 2 0 0.1)\n)\n((Dendrite)\n(10 0 0 2)\n(50 0 0 1)\nNormal\n)\n', r"the outline of the soma encloses nothing"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told(case: str, tmp_path: Path):
    text, message = WRONG[case]
    with pytest.raises(ch.ModelError, match=message):
        read(tmp_path, text)


def test_a_missing_file_is_named():
    with pytest.raises(ch.ModelError, match=r"cannot read 'nowhere.asc': there is no such file"):
        ch.Morphology.from_file("nowhere.asc")


def test_without_morphio_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "morphio", None)
    with pytest.raises(ImportError, match=r'.asc files are read by MorphIO: pip install "channelome\[morphology\]"'):
        ch.Morphology.from_file(CELLS / "outline.asc")


def test_a_diameter_is_mended_where_it_is_asked_for_and_no_repair_is_passed_over(tmp_path: Path):
    file = tmp_path / "cell.asc"
    file.write_text(OUTLINE.replace("40.0  2.0  2.50", "40.0  2.0  0.00"))
    mended, whole = ch.Morphology.from_file(file, repair="diameters"), ch.Morphology.from_file(CELLS / "outline.asc")
    assert mended.notes == ("1 point given the diameter of a neighbour",)
    changed = mended.anatomy.branches.points[:, 3] != whole.anatomy.branches.points[:, 3]
    at = int(np.flatnonzero(changed)[0])
    assert changed.sum() == 1
    assert mended.anatomy.branches.points[at, 3] == whole.anatomy.branches.points[at - 1, 3]
    with pytest.raises(
        ch.ModelError, match=r"repair='roots' is for SWC files: of .asc files diameters and lengths can be asked"
    ):
        ch.Morphology.from_file(file, repair=["roots", "diameters"])
    with pytest.raises(ch.ModelError, match="is read from the path of a file"):
        ch.Morphology.from_file(None)  # pyright: ignore[reportArgumentType]
