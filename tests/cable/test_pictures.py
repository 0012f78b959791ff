"""Pictures of cells: what is shown in colour, along the cell, over time; what cannot be drawn says why. They were looked at as well."""

import base64
import json
import pickle
import shutil
import subprocess
from pathlib import Path

import jax
import matplotlib
import numpy as np
import pytest

import channelome as ch

matplotlib.use("Agg")
GREY = [0.85, 0.85, 0.85, 1.0]


def cell(**given) -> ch.MultiCompartment:
    morph = ch.Morphology.soma("20 um").branch("dend", length="100 um", diameter="2 um")
    morph = morph.branch("apical", length="300 um", diameter=("4 um", "1 um"))
    return ch.MultiCompartment(
        morph,
        *("SodiumFixed", "PotassiumFixed"),
        INa=ch.on("soma", "INa_HH1952"),
        IK="IK_HH1952",
        Ih=ch.on("apical", "Ih_HM1992", g_max=ch.by_distance(lambda x: 0.02 * np.exp(x / 300), "mS/cm^2")),
        IL=ch.channel("IL", g_max="0.3 mS/cm^2", E="-54.4 mV"),
        celsius=6.3,
        **given,
    )


CELL = cell()
COMPS = CELL.compartments


def shades(figure) -> np.ndarray:
    """The colour of each compartment but the soma's, from a picture from one side; shape (n - 1, 4)."""
    from matplotlib.collections import PolyCollection

    (found,) = [one for one in figure.axes[0].collections if isinstance(one, PolyCollection)]
    return np.asarray(found.get_facecolor())


def disc(figure) -> tuple[float, ...]:
    (soma,) = figure.axes[0].patches
    return soma.get_facecolor()


def named(panel) -> list[str]:
    """The words of a legend."""
    return [text.get_text() for text in panel.get_legend().get_texts()]


def grey(colours: np.ndarray) -> int:
    return int((np.abs(colours - GREY).max(axis=1) < 1e-6).sum())


# ---- in colour ----


def test_a_parameter_is_shown_where_its_part_is_and_the_rest_is_grey():
    figure = CELL.plot(color="Ih.g_max")
    _, scale = figure.axes
    assert scale.get_ylabel() == "Ih.g_max (mS/cm^2)"
    values = 0.02 * np.exp(COMPS.distance[COMPS.mask("apical")] / 300)
    assert scale.get_ylim() == pytest.approx((values.min(), values.max()))
    apical = int(COMPS.mask("apical").sum())
    drawn = shades(figure)
    assert grey(drawn) == len(drawn) - apical
    assert disc(figure) == pytest.approx(GREY)


@pytest.mark.parametrize(
    ("color", "label"),
    [("Ra", "Ra (ohm*cm)"), ("C", "C (uF/cm^2)"), ("area", "area (um^2)"), ("IL.E", "IL.E (mV)"), ("k.E", "k.E (mV)"), ("distance", "distance (um)")],
)  # fmt: skip
@pytest.mark.parametrize("projection", ["xy", "3d"])
def test_parameters_of_the_cell_and_measures_have_a_scale_with_a_unit(color: str, label: str, projection: str):
    figure = CELL.plot(color=color, projection=projection)
    figure.canvas.draw()
    assert figure.axes[1].get_ylabel() == label


def test_a_region_is_shown_by_type_and_so_is_where_a_part_is():
    figure = CELL.plot(color="apical & distance > 100 um")
    inside = int(COMPS.mask("apical & distance > 100 um").sum())
    drawn = shades(figure)
    assert grey(drawn) == len(drawn) - inside
    assert named(figure.axes[0]) == ["apical", "the rest"]
    assert grey(shades(CELL.plot(color="INa"))) == len(COMPS) - 1  # all but the soma
    assert disc(CELL.plot(color="INa")) != pytest.approx(GREY)


def test_an_array_over_the_compartments_is_shown():
    figure = CELL.plot(color=np.linspace(0, 1, len(COMPS)), label="share")
    assert figure.axes[1].get_ylabel() == "share"


def test_of_several_cells_one_is_shown():
    two = cell(size=2).replace(Ra=(np.array([[100.0], [200.0]]), "ohm*cm"))
    low, high = two.plot(color="Ra", neuron=1).axes[1].get_ylim()
    assert low < 200 < high
    with pytest.raises(ch.ModelError, match="there is no cell 2: flat indices go from 0 to 1"):
        two.plot(color="Ra", neuron=2)


def test_what_a_cell_has_not_cannot_be_shown():
    with pytest.raises(ch.ModelError, match=r"'Ih' \(Ih_HM1992\) has no parameter 'gmax': did you mean 'Ih.g_max'\?"):
        CELL.plot(color="Ih.gmax")
    with pytest.raises(
        ch.ModelError, match=r"color='aria' is no parameter.*Ra.*area.*INa.*nothing of .* is called 'aria'"
    ):
        CELL.plot(color="aria")
    with pytest.raises(ch.ModelError, match=r"values to draw have the shape \(3,\); one for each of the"):
        CELL.plot(color=np.zeros(3))


# ---- along the cell and over time ----


@pytest.fixture(scope="module")
def traces() -> ch.Traces:
    stimulus = ch.at("soma", ch.step("0.5 nA", start="1 ms"))
    return ch.simulate(
        CELL,
        "6 ms",
        dt="0.025 ms",
        stimulus=stimulus,
        record=["V", "soma.V", "Ih.p", "soma, apical[0](0.5), apical[0](1).V"],
    )


def joined(figure) -> np.ndarray:
    """The lines of a space plot, shape (lines, 2, 2)."""
    from matplotlib.collections import LineCollection

    found = [one for one in figure.axes[0].collections if isinstance(one, LineCollection)]
    return np.concatenate([one.get_segments() for one in found])


def test_a_space_plot_joins_neighbours_and_shows_the_values_of_a_moment(traces: ch.Traces):
    figure = traces.plot_space("V", time="3 ms")
    panel, lines = figure.axes[0], joined(figure)
    V = np.asarray(traces["V"])[120]
    assert len(lines) == len(COMPS) - 1  # a tree
    shown = {tuple(np.round(point, 4)) for line in lines for point in line}
    assert shown == {tuple(np.round(point, 4)) for point in zip(COMPS.distance, V, strict=True)}
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("way from the soma (um)", "V (mV)")
    assert panel.get_title(loc="left").endswith("t = 3 ms")


def test_V_of_the_whole_cell_is_found_again_for_pictures_where_places_were_recorded(traces: ch.Traces, tmp_path: Path):
    stimulus = ch.at("soma", ch.step("0.5 nA", start="1 ms"))
    run = ch.simulate(CELL, "6 ms", dt="0.025 ms", stimulus=stimulus, record=["soma.V", "Ih.p"])
    run.plot_movie(tmp_path / "some.html", frames=5)
    traces.plot_movie(tmp_path / "all.html", frames=5)
    assert (tmp_path / "some.html").read_text() == (tmp_path / "all.html").read_text()
    np.testing.assert_array_equal(joined(run.plot_space(time="3 ms")), joined(traces.plot_space(time="3 ms")))
    assert list(run) == ["soma.V", "Ih.p"]
    later = ch.simulate(CELL, "1 ms", dt="0.025 ms", state=run.final, start="6 ms", record="soma.V")
    assert later.plot_space(time="6 ms").axes[0].get_title("left").endswith("t = 6 ms")
    with pytest.raises(ch.UnknownName, match="'V' was not recorded"):
        pickle.loads(pickle.dumps(run)).plot_space()


def test_a_space_plot_joins_what_hangs_together_beyond_junctions():
    """Every line goes from a compartment to the nearest one on its way to the soma, that is no longer than two half compartments."""
    cell = ch.MultiCompartment(ch.Morphology.example(), IL=ch.channel("IL", g_max="0.1 mS/cm^2", E="-60 mV"))
    lines = joined(ch.simulate(cell, "1 ms", dt="0.1 ms").plot_space())
    assert len(lines) == len(cell.compartments) - 1
    assert (np.diff(lines[:, :, 0]) > 0).all()
    assert np.diff(lines[:, :, 0]).max() < 2 * cell.compartments.length.max()


def test_several_moments_have_a_legend_and_a_region_has_its_compartments_only(traces: ch.Traces):
    figure = traces.plot_space("Ih.p", time=["2 ms", (4.0, "ms")])
    assert named(figure.axes[0]) == ["2 ms", "4 ms"]
    assert len(joined(figure)) == 2 * (int(COMPS.mask("apical").sum()) - 1)
    gate = traces.plot_space("Ih.p", time="3 ms")
    assert joined(gate)[:, :, 0].min() == pytest.approx(COMPS.distance[COMPS.mask("apical")].min())
    assert gate.axes[0].get_ylabel() == "Ih.p"


def test_places_that_do_not_hang_together_are_points(traces: ch.Traces):
    from matplotlib.collections import PathCollection

    panel = traces.plot_space("soma, apical[0](0.5), apical[0](1).V", time="3 ms").axes[0]
    (points,) = [one for one in panel.collections if isinstance(one, PathCollection)]
    asked = COMPS.indices("soma, apical[0](0.5), apical[0](1)")
    np.testing.assert_allclose(
        np.asarray(points.get_offsets()),
        np.column_stack([COMPS.distance[asked], np.asarray(traces["V"])[120, asked]]),
        rtol=1e-6,
    )
    assert named(panel) == ["soma", "apical"]


def test_without_a_time_the_moment_is_that_of_the_largest_value_at_the_soma(traces: ch.Traces):
    peak = float(traces.t[int(np.argmax(traces["soma.V"]))])
    assert traces.plot_space().axes[0].get_title(loc="left").endswith(f"t = {peak:g} ms")


def content(page: str) -> dict:
    start = page.index('type="application/json">') + len('type="application/json">')
    return json.loads(page[start : page.index("</script>", start)])


def test_a_page_holds_the_values_of_its_frames_and_needs_nothing_else(traces: ch.Traces, tmp_path: Path):
    traces.plot_movie(tmp_path / "v.html", start="1 ms", stop="5 ms", frames=41)
    page = (tmp_path / "v.html").read_text(encoding="utf-8")
    assert "http" not in page and "src=" not in page
    held = content(page)
    levels = np.frombuffer(base64.b64decode(held["levels"]), "<u2").reshape(41, len(COMPS))
    V = np.asarray(traces["V"])[40:201:4]
    np.testing.assert_allclose(held["t"], np.asarray(traces.t)[40:201:4], atol=1e-6)
    shown = held["low"] + (held["high"] - held["low"]) * levels / held["steps"]
    np.testing.assert_allclose(shown, V, atol=0.51 * (held["high"] - held["low"]) / held["steps"])
    assert held["labels"] == list(COMPS.labels)
    assert max(held["whose"]) == len(COMPS) - 1


def test_compartments_without_a_value_are_none_in_a_page(traces: ch.Traces, tmp_path: Path):
    traces.plot_movie(tmp_path / "p.html", "Ih.p", frames=3)
    held = content((tmp_path / "p.html").read_text(encoding="utf-8"))
    levels = np.frombuffer(base64.b64decode(held["levels"]), "<u2").reshape(3, len(COMPS))
    assert ((levels == held["steps"] + 1) == ~COMPS.mask("apical")).all()


def test_the_script_of_a_page_is_sound(traces: ch.Traces, tmp_path: Path):
    if (node := shutil.which("node")) is None:
        pytest.skip("node is not installed")
    traces.plot_movie(tmp_path / "v.html", frames=3)
    page = (tmp_path / "v.html").read_text(encoding="utf-8")
    (tmp_path / "v.js").write_text(page.rpartition("<script>")[2].partition("</script>")[0], encoding="utf-8")
    subprocess.run([node, "--check", tmp_path / "v.js"], check=True)


@pytest.mark.parametrize("projection", ["xy", "3d"])
def test_a_film_has_its_frames(projection: str, traces: ch.Traces, tmp_path: Path):
    from PIL import Image, ImageSequence

    traces.plot_movie(tmp_path / "v.gif", start="1 ms", frames=3, projection=projection)
    with Image.open(tmp_path / "v.gif") as film:
        frames = [np.asarray(one.convert("RGB"), float) for one in ImageSequence.Iterator(film)]
    assert len(frames) == 3
    assert np.abs(frames[1] - frames[0]).max() > 50  # the cell depolarises


def test_one_cell_of_several_is_drawn(tmp_path: Path):
    two = cell(size=2).replace(V=(np.array([[-65.0], [-60.0]]), "mV"))
    run = ch.simulate(two, "1 ms", dt="0.1 ms")
    drawn = joined(run.plot_space(neuron=1, time="0 ms"))
    np.testing.assert_allclose(drawn[:, :, 1], -60.0)
    with pytest.raises(ch.ModelError, match="'V' has no cell 2: flat indices go from 0 to 1"):
        run.plot_space(neuron=2)


# ---- traces that travel ----


def test_traces_know_their_cell_through_pickles_and_transformations_and_are_told_it_from_a_file(
    traces: ch.Traces, tmp_path: Path
):
    again = pickle.loads(pickle.dumps(traces))
    assert again == traces and again.places == traces.places
    assert jax.tree.map(lambda x: x, traces).places == traces.places
    traces.save(tmp_path / "run.npz")
    loaded = ch.Traces.load(tmp_path / "run.npz")
    assert loaded == traces
    with pytest.raises(ch.ModelError, match=r"do not know the cell along which 'V' goes: .*traces.on\(cell\)"):
        loaded.plot_space()
    np.testing.assert_array_equal(joined(loaded.on(CELL).plot_space()), joined(traces.plot_space()))
    assert loaded.on(CELL).places == traces.places


def test_traces_of_a_run_under_jit_know_their_cell():
    run = jax.jit(lambda cell: ch.simulate(cell, "1 ms", dt="0.1 ms"))(CELL)
    assert len(joined(run.plot_space())) == len(COMPS) - 1


def test_what_cannot_be_drawn_along_a_cell_says_why(traces: ch.Traces, tmp_path: Path):
    with pytest.raises(ch.ModelError, match=r"'soma.V' is not along a cell: of these records 'V', 'Ih.p', "):
        traces.plot_space("soma.V")
    with pytest.raises(ch.UnknownName, match=r"'INa.m' was not recorded"):
        traces.plot_space("INa.m")
    with pytest.raises(ch.ModelError, match=r"time='9 ms' lies outside these traces, which go from 0 to 6 ms"):
        traces.plot_space(time="9 ms")
    with pytest.raises(ch.UnitError, match="time"):
        traces.plot_space(time=3.0)
    with pytest.raises(ch.ModelError, match=r"movies are .html, .gif or .mp4 files, not '.avi'. Name it v.html"):
        traces.plot_movie(tmp_path / "v.avi")
    with pytest.raises(ch.ModelError, match=r"two frames at least: frames=1, "):
        traces.plot_movie(tmp_path / "v.html", frames=1)
    with pytest.raises(ch.ModelError, match=r"two frames at least: .*from 3 to 2 ms"):
        traces.plot_movie(tmp_path / "v.html", start="3 ms", stop="2 ms")
    for given, said in {"frames": 2.5, "fps": 0, "neuron": "first"}.items():
        with pytest.raises(ch.ModelError, match=rf"{given}=|has no cell first"):
            traces.plot_movie(tmp_path / "v.html", **{given: said})  # pyright: ignore[reportArgumentType]
    with pytest.raises(ch.ModelError, match=r"there is no folder '.*none' to write the movie to"):
        traces.plot_movie(tmp_path / "none" / "v.html")
    with pytest.raises(ch.ModelError, match=r"a movie is written to the path of a file, such as 'v.html', not 5"):
        traces.plot_movie(5)  # pyright: ignore[reportArgumentType]
    assert not list(tmp_path.iterdir())
    with pytest.raises(ch.ModelError, match=r"time=\[\] asks for no moment"):
        traces.plot_space(time=[])
    with pytest.raises(ch.ModelError, match=r"time must be one time, such as '4 ms', not \(\[3, 4\], 'ms'\)"):
        traces.plot_space(time=([3, 4], "ms"))
    other = ch.MultiCompartment(ch.Morphology.example(), IL=ch.channel("IL", g_max="0.1 mS/cm^2", E="-60 mV"))
    with pytest.raises(ch.ModelError, match=r"these traces are of another cell"):
        traces.on(other).plot_space()
    point = ch.SingleCompartment(1, IL=ch.channel("IL", g_max="0.1 mS/cm^2", E="-60 mV"))
    with pytest.raises(ch.ModelError, match=r"points have no compartments"):
        ch.simulate(point, "1 ms", dt="0.1 ms").plot_space()
    with pytest.raises(ch.ModelError, match=r"a population of points has no compartments"):
        traces.on(point)


def test_a_film_that_nothing_can_write_names_the_page(
    traces: ch.Traces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from matplotlib.animation import writers

    monkeypatch.setattr(writers, "is_available", lambda name: False)
    with pytest.raises(ch.ModelError, match=r"written by ffmpeg, which is not installed here. Name it v.html"):
        traces.plot_movie(tmp_path / "v.mp4")


def test_lines_over_compartments_are_not_called_neurons():
    cell = ch.MultiCompartment(ch.Morphology.ball_and_stick(), IL=ch.channel("IL", g_max="0.1 mS/cm^2", E="-65 mV"))
    run = ch.simulate(cell, "1 ms", dt="0.1 ms", record="V")
    assert run.plot("V").axes[0].get_title("left") == f"the first 10 of {len(cell.compartments)} compartments"
