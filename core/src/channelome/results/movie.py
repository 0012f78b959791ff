"""A cell in colour over time: a page to look at it from all sides, that needs nothing else, or a film by matplotlib."""

import base64
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ..drawing import ONE, SEVERAL, pyplot
from ..errors import ModelError
from ..morphology.compartments import Compartments
from ..morphology.painted import ball_of, pieces_of
from ..morphology.pictures import drawn, scale_over, shades_of
from .along import Along, origin_of, sample
from .plotting import labelled

_STEPS = 65_534
"""Levels that a value has in a page; 65,535 stands for none."""
_WRITERS = {".gif": "pillow", ".mp4": "ffmpeg"}


@dataclass(frozen=True)
class Moving:
    """Values of all compartments over time.

    Attributes:
        t: shape (samples,), ms.
        values: shape (samples, n); what no compartment has is NaN.
        frames: shape (frames,), int: the samples that are shown.
    """

    compartments: Compartments
    t: np.ndarray
    values: np.ndarray
    frames: np.ndarray
    name: str
    unit: str

    @property
    def label(self) -> str:
        return labelled(self.name, self.unit)

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        finite = self.values[np.isfinite(self.values)]
        return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)

    @property
    def shown(self) -> list[int]:
        """The compartments whose courses are drawn: the nearest to the soma and the farthest from it."""
        there = np.flatnonzero(np.isfinite(self.values).any(axis=0))
        way = self.compartments.distance[there]
        return list(dict.fromkeys(int(there[k]) for k in (np.argmin(way), np.argmax(way))))


def moving(
    there: Along, t: np.ndarray, values: np.ndarray, *, name: str, unit: str, start: Any, stop: Any, frames: int
) -> Moving:
    """The values of one cell, of shape (samples, k), from a time to another, of which at most so many moments are shown.

    Raises:
        ModelError: for less than two.
    """
    first = 0 if start is None else sample(t, start, "start")
    last = len(t) - 1 if stop is None else sample(t, stop, "stop")
    if not isinstance(frames, int | np.integer):
        raise ModelError(f"frames= is how many moments are shown at most, a whole number, not {frames!r}.")
    if frames < 2 or last <= first:
        raise ModelError(
            f"a movie has two frames at least: frames={frames}, {max(last - first + 1, 0)} samples from {t[first]:g} to {t[last]:g} ms."
        )
    t, values = t[first : last + 1], values[first : last + 1]
    whole = np.full((len(t), len(there.compartments)), np.nan)
    whole[:, there.numbers] = values
    shown = np.unique(np.round(np.linspace(0, len(t) - 1, min(frames, len(t)))).astype(int))
    return Moving(there.compartments, t, whole, shown, name, unit)


def check_movie(given: Any, fps: Any) -> Path:
    """The path of a movie; refuses what cannot be written, before it is drawn.

    Raises:
        ModelError: for another suffix, a folder that is none; for a film that nothing here can write.
        ImportError: without matplotlib.
    """
    if not isinstance(given, str | os.PathLike):
        raise ModelError(f"a movie is written to the path of a file, such as 'v.html', not {given!r}.")
    path = Path(given)
    if isinstance(fps, bool) or not isinstance(fps, int | float | np.number) or not 0 < fps < 1e3:
        raise ModelError(f"fps= is how many frames are shown in a second, more than 0, not {fps!r}.")
    if path.suffix not in (".html", *_WRITERS):
        raise ModelError(
            f"{path}: movies are .html, .gif or .mp4 files, not '{path.suffix}'. Name it {path.stem}.html."
        )
    if not path.parent.is_dir():
        raise ModelError(f"{path}: there is no folder '{path.parent}' to write the movie to.")
    with pyplot():
        from matplotlib.animation import writers

        if path.suffix in _WRITERS and not writers.is_available(_WRITERS[path.suffix]):
            raise ModelError(
                f"{path}: {path.suffix} is written by {_WRITERS[path.suffix]}, which is not installed here. Name it {path.stem}.html, which "
                f"needs nothing."
            )
    return path


def write_movie(path: Path, moving: Moving, *, fps: int, projection: str) -> None:
    """Write it to a path that `check_movie` has passed."""
    if path.suffix == ".html":
        path.write_text(page(moving, fps), encoding="utf-8")
    else:
        _film(path, moving, fps, projection)


# ---- a film --------------------------------------------------------------------------------------------------------


def _film(path: Path, moving: Moving, fps: int, projection: str) -> None:
    with pyplot() as plt:
        from matplotlib.animation import FuncAnimation

        figure = plt.figure(figsize=(6.4, 7.6), layout="constrained")
        grid = figure.add_gridspec(2, 1, height_ratios=(4.5, 1))
        above = figure.add_subplot(grid[0], projection="3d" if projection == "3d" else None)
        below = figure.add_subplot(grid[1])
        scale = scale_over(*moving.span)
        _, painted = drawn(
            moving.compartments, shades_of(scale, moving.values[0]), projection=projection, ax=above, scale=scale,
            label=moving.label,
        )  # fmt: skip
        cursor = _courses(below, moving)
        source = moving.compartments.anatomy.source
        title = above.set_title(f"{source}, t = {moving.t[-1]:.2f} ms", loc="left")
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # or the picture would breathe with the width of its title

        def show(frame: int) -> Sequence[Any]:
            k = moving.frames[frame]
            painted.paint(shades_of(scale, moving.values[k]))
            cursor.set_xdata([moving.t[k]] * 2)
            title.set_text(f"{source}, t = {moving.t[k]:.2f} ms")
            return [painted.frusta, cursor, title]

        film = FuncAnimation(figure, show, frames=len(moving.frames))  # pyright: ignore[reportArgumentType]
        film.save(path, writer=_WRITERS[path.suffix], fps=fps, dpi=100)
        plt.close(figure)


def _courses(panel: Any, moving: Moving) -> Any:
    """The courses of the compartments shown, and the line that marks the moment."""
    for k, shade in zip(moving.shown, SEVERAL, strict=False):
        panel.plot(moving.t, moving.values[:, k], color=shade, label=moving.compartments.label(k))
    panel.set(xlabel="t (ms)", ylabel=moving.label, xlim=(moving.t[0], moving.t[-1]))
    panel.legend(
        frameon=False, fontsize="small", loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=2, borderaxespad=0
    )
    return panel.axvline(moving.t[0], color="0.5", linewidth=0.8)


# ---- a page --------------------------------------------------------------------------------------------------------


def page(moving: Moving, fps: int) -> str:
    """The page as text: the cell in space, to turn and to ask, with a slider for time; all that it needs is in it."""
    content = json.dumps(_content(moving, fps), separators=(",", ":")).replace("</", "<\\/")
    return (files("channelome.results") / "movie.html").read_text(encoding="utf-8").replace("{content}", content)


def _content(moving: Moving, fps: int) -> dict[str, Any]:
    comps, (low, high) = moving.compartments, moving.span
    pieces, ball = pieces_of(comps), ball_of(comps)
    shown = pieces.compartment != 0 if ball else np.ones(len(pieces.compartment), bool)
    begin, end, whose = pieces.begin[shown], pieces.end[shown], pieces.compartment[shown]
    radii = pieces.radii[shown].mean(axis=1)
    if ball:  # a line without length, round at its ends
        begin, end = np.vstack([begin, ball[0]]), np.vstack([end, ball[0]])
        whose, radii = np.append(whose, 0), np.append(radii, ball[1])
    t, values = moving.t[moving.frames], moving.values[moving.frames]
    scale = (values - low) / ((high - low) or 1.0)
    levels = np.where(np.isfinite(scale), np.round(np.nan_to_num(scale) * _STEPS), _STEPS + 1).astype("<u2")
    with pyplot() as plt:
        colours = plt.get_cmap("viridis")(np.linspace(0, 1, 256), bytes=True)[:, :3]
    return {
        "title": comps.anatomy.source, "name": moving.name, "unit": "" if moving.unit == "1" else moving.unit,
        "low": low, "high": high, "steps": _STEPS, "fps": fps, "shades": list(SEVERAL), "ink": ONE,
        "t": np.round(t, 6).tolist(), "labels": list(comps.labels),
        "way": np.round(comps.distance, 1).tolist(), "from": origin_of(comps),
        "lines": np.round(np.column_stack([begin, end, radii]), 3).ravel().tolist(), "whose": whose.tolist(),
        "chosen": moving.shown, "colours": ["#" + bytes(c).hex() for c in colours.tolist()],
        "levels": base64.b64encode(levels.tobytes()).decode("ascii"),
    }  # fmt: skip
