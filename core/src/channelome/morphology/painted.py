"""A cell on axes: every frustum in its size, cut where compartments end, in colours that can be changed for those of another moment."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .anatomy import Anatomy
from .points import SOMA

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .compartments import Compartments

_WIRE = "0.75"
_HEIGHT = 320
"""Of a picture in space, in points; lines there are as wide as the cell is thick."""


@dataclass(frozen=True)
class Pieces:
    """Frusta cut where compartments end: begin and end of each, shape (n, 3), their radii, and whose they are."""

    begin: np.ndarray
    end: np.ndarray
    radii: np.ndarray
    compartment: np.ndarray


@dataclass(frozen=True)
class Painted:
    """What was drawn, to be given other colours: the frusta, whose compartment each is of, and the disc of a spherical soma."""

    frusta: Any
    compartment: np.ndarray
    disc: Any

    def paint(self, shades: np.ndarray) -> None:
        """Give each compartment its colour, of shape (n, 4)."""
        faces = shades[self.compartment]
        self.frusta.set_color(faces)
        if self.disc is not None:
            self.disc.set_color(shades[0])


def from_side(panel: "Axes", comps: "Compartments", shades: np.ndarray, across: int, up: int) -> Painted:
    """Outlines of the frusta, seen along the axis that is neither `across` nor `up`."""
    from matplotlib.collections import LineCollection, PolyCollection
    from matplotlib.patches import Circle

    pieces, ball, disc = pieces_of(comps), ball_of(comps), None
    wires = _wires(comps.anatomy)[:, :, [across, up]]
    panel.add_collection(LineCollection(list(wires), colors=_WIRE, linewidths=0.6, zorder=0))
    order = np.argsort(pieces.radii.max(axis=1), kind="stable")  # the thick above the thin, so that somata are seen
    order = order[pieces.compartment[order] != 0] if ball else order
    frusta = PolyCollection(list(_outlines(pieces, across, up)[order]), linewidths=0.5)
    panel.add_collection(frusta)
    if ball:
        disc = Circle((float(ball[0][across]), float(ball[0][up])), ball[1], zorder=2)
        panel.add_patch(disc)
    painted = Painted(frusta, pieces.compartment[order], disc)
    painted.paint(shades)
    return painted


def in_space(ax: Any, comps: "Compartments", shades: np.ndarray) -> Painted:
    """Lines as wide as the frusta; y is upward, as in pictures from one side."""
    from mpl_toolkits.mplot3d.art3d import Line3DCollection

    pieces, ball, dot = pieces_of(comps), ball_of(comps), None
    reach = max(float(np.ptp(comps.anatomy.branches.points[:, :3], axis=0).max()), 1.0)
    shown = pieces.compartment != 0 if ball else np.ones(len(pieces.compartment), bool)
    if ball:
        size = max(2.0, ball[1] * 2 * _HEIGHT / reach)
        (dot,) = ax.plot(*ball[0][[0, 2, 1], None], "o", markersize=size)
    width = np.clip(pieces.radii[shown].mean(axis=1) * 2 * _HEIGHT / reach, 0.4, 14.0)
    lines = np.stack([pieces.begin[shown], pieces.end[shown]], axis=1)[:, :, [0, 2, 1]]
    frusta = Line3DCollection(list(lines), linewidths=width, capstyle="round")
    if len(lines):  # of a soma alone there are none
        ax.add_collection3d(frusta)
    painted = Painted(frusta, pieces.compartment[shown], dot)
    painted.paint(shades)
    return painted


def pieces_of(comps: "Compartments") -> Pieces:
    """The frusta of a cell, cut where its compartments end."""
    anatomy, first = comps.anatomy, comps.anatomy.branches.first
    counts = np.diff(comps.first)
    branches, places = [], []
    for i in range(len(anatomy)):
        own = anatomy.frusta.arcs[first[i] : first[i + 1]] / anatomy.frusta.lengths[i]
        cuts = np.unique(np.concatenate([own, np.arange(counts[i] + 1) / counts[i]]).clip(0.0, 1.0))
        branches.append(np.full(len(cuts), i))
        places.append(cuts)
    branch, x = np.concatenate(branches), np.concatenate(places)
    along = anatomy.frusta.at(branch, x)
    inner = branch[1:] == branch[:-1]
    middle = (x[1:] + x[:-1])[inner] / 2
    of = branch[1:][inner]
    held = comps.first[of] + np.minimum((middle * counts[of]).astype(np.int64), counts[of] - 1)
    radii = np.column_stack([along.diameter[:-1], along.diameter[1:]])[inner] / 2
    return Pieces(along.xyz[:-1][inner], along.xyz[1:][inner], radii, held)


def _outlines(pieces: Pieces, across: int, up: int) -> np.ndarray:
    """Shape (n, 4, 2): the outline of each frustum from the side."""
    a, b = pieces.begin[:, [across, up]], pieces.end[:, [across, up]]
    way = b - a
    long = np.linalg.norm(way, axis=1, keepdims=True)
    side = np.divide(way[:, ::-1] * [-1, 1], long, out=np.tile([1.0, 0.0], (len(a), 1)), where=long > 0)
    r, s = pieces.radii[:, :1], pieces.radii[:, 1:]
    return np.stack([a - r * side, a + r * side, b + s * side, b - s * side], axis=1)


def _wires(anatomy: Anatomy) -> np.ndarray:
    """Shape (n, 2, 3): from the places where branches are connected to where they begin, where these are apart."""
    child = np.flatnonzero(anatomy.branches.parent >= 0)
    begin = anatomy.branches.points[anatomy.branches.first[child], :3]
    end = anatomy.frusta.at(anatomy.branches.parent[child], anatomy.branches.attach[child]).xyz
    apart = np.linalg.norm(begin - end, axis=1) > 1e-6
    return np.stack([end, begin], axis=1)[apart]


def ball_of(comps: "Compartments") -> tuple[np.ndarray, float] | None:
    """Center and radius of a soma that stands for a sphere, where it is one compartment."""
    points = comps.anatomy.branches.points[: comps.anatomy.branches.first[1]]
    wide = points[0, 3]
    alike = comps.anatomy.branches.tag[0] == SOMA and len(points) == 3 and bool((points[:, 3] == wide).all())
    if not alike or comps.first[1] != 1 or not np.isclose(comps.anatomy.frusta.lengths[0], wide, rtol=1e-6):
        return None
    return points[1, :3], wide / 2
