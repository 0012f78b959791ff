"""Pictures are drawn, of what was asked, to scale; what cannot be drawn says why. They were looked at as well: docs/morphologies.png."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest

import channelome as ch
from channelome.morphology.pictures import shade

matplotlib.use("Agg")
CELLS = sorted((Path(__file__).parent / "cells").glob("*.swc"))
MORPH = ch.Morphology.from_swc(Path(__file__).parent / "cells/pyramidal.swc")
COMPS = MORPH.discretise(ch.max_length("40 um"))


def outlines(figure) -> np.ndarray:
    """The quadrilaterals of a picture from one side, shape (n, 4, 2)."""
    from matplotlib.collections import PolyCollection

    (found,) = [one for one in figure.axes[0].collections if isinstance(one, PolyCollection)]
    return np.array([path.vertices[:4] for path in found.get_paths()])


def area(outline: np.ndarray) -> float:
    x, y = outline.T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def test_frusta_are_drawn_in_their_size():
    """In the plane of a flat cell the outlines' areas are length times diameter."""
    flat = ch.Morphology.soma("20 um", length="30 um").branch("dend", length="100 um", diameter=("4 um", "2 um"))
    drawn = outlines(flat.plot())
    assert sum(map(area, drawn)) == pytest.approx(20 * 30 + 3 * 100, rel=1e-9)


def test_a_spherical_soma_is_a_disc():
    panel = ch.Morphology.ball_and_stick(soma="20 um").plot().axes[0]
    (disc,) = panel.patches
    assert disc.radius == 10


@pytest.mark.parametrize("file", CELLS, ids=lambda file: file.stem)
@pytest.mark.parametrize("projection", ["xy", "zy", "3d"])
def test_every_cell_can_be_drawn(file: Path, projection: str):
    figure = ch.Morphology.from_swc(file).plot(projection=projection)
    figure.canvas.draw()
    assert file.name in [figure.axes[0].get_title(loc=side) for side in ("left", "center")]


@pytest.mark.parametrize("file", CELLS, ids=lambda file: file.stem)
def test_every_cell_has_a_dendrogram_as_long_as_its_way(file: Path):
    morph = ch.Morphology.from_swc(file)
    figure = morph.plot_dendrogram()
    figure.canvas.draw()
    left, right = figure.axes[0].get_xlim()
    assert left <= 0
    assert right == pytest.approx(morph.distances.max(), rel=0.1)


def test_types_of_ones_own_have_colours_of_their_own():
    assert len({shade(tag) for tag in range(8)}) == 8


def test_compartments_are_coloured_by_their_values():
    figure = COMPS.plot(COMPS.distance, label="way (um)")
    panel, scale = figure.axes
    assert scale.get_ylabel() == "way (um)"
    assert scale.get_ylim() == pytest.approx((COMPS.distance.min(), COMPS.distance.max()))
    assert len(panel.patches) == 1  # the soma


def test_compartments_in_turn_are_told_apart():
    figure = COMPS.plot()
    shades = {tuple(np.round(shade, 3)) for one in figure.axes[0].collections[1:] for shade in one.get_facecolors()}
    assert len(shades) == 6  # three types with two shades; the soma is a disc


def test_values_that_are_no_numbers_are_grey():
    values = COMPS.distance.copy()
    values[1:5] = np.nan
    shades = COMPS.plot(values).axes[0].collections[1].get_facecolors()
    assert (np.abs(shades - [0.85, 0.85, 0.85, 1.0]).max(axis=1) < 1e-6).sum() >= 4


def test_axes_can_be_given():
    import matplotlib.pyplot as plt

    figure, (one, other) = plt.subplots(1, 2)
    assert MORPH.plot(ax=one) is figure
    assert MORPH.plot_dendrogram(ax=other) is figure


def test_what_cannot_be_drawn_says_why():
    import matplotlib.pyplot as plt

    with pytest.raises(ch.ModelError, match=r"projection='xw': name two of x, y, z, such as 'xy', or '3d'"):
        MORPH.plot(projection="xw")
    with pytest.raises(
        ch.ModelError, match=rf"values to draw have the shape \(3,\); one for each of the {len(COMPS)} compartments"
    ):
        COMPS.plot(np.zeros(3))
    with pytest.raises(ch.ModelError, match=r"projection=None: name two of x, y, z"):
        MORPH.plot(projection=None)  # pyright: ignore[reportArgumentType]
    for values in ("distance", np.ones(len(COMPS)) * 1j):
        with pytest.raises(ch.ModelError, match=r"values to draw are an array of shape \(\d+,\), such as "):
            COMPS.plot(values)
    with pytest.raises(ch.ModelError, match=r"needs axes made with projection='3d'"):
        MORPH.plot(projection="3d", ax=plt.subplots()[1])


def test_a_soma_alone_is_drawn_in_space():
    figure = ch.Morphology.soma("20 um").plot(projection="3d")
    figure.canvas.draw()
    (dot,) = figure.axes[0].lines
    assert np.asarray(dot.get_data_3d()).ravel().tolist() == [0, 0, 0]


@pytest.mark.parametrize("draw", [MORPH.plot, MORPH.plot_dendrogram, COMPS.plot])
def test_axes_that_do_not_fit_are_told(draw):
    import matplotlib.pyplot as plt

    with pytest.raises(ch.ModelError, match=r"ax must be axes of matplotlib, as plt.subplots\(\) gives them, not 5"):
        draw(ax=5)
    with pytest.raises(ch.ModelError, match=r"these axes are in space, and this picture is flat"):
        draw(ax=plt.figure().add_subplot(projection="3d"))


def test_the_example_draws_any_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    code = (Path(__file__).parents[2] / "docs/examples/morphology.py").read_text()
    scope: dict[str, object] = {"__name__": "example"}
    exec(code, scope)
    scope["main"](str(CELLS[0]), str(tmp_path / "cell.png"))  # pyright: ignore[reportCallIssue]
    assert (tmp_path / "cell.png").stat().st_size > 10_000
    assert CELLS[0].name in capsys.readouterr().out
