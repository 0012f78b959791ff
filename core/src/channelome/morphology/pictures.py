"""Pictures of cells: from one side with every frustum in its size, in space, and as a dendrogram."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..drawing import SEVERAL, pyplot
from ..errors import ModelError
from .anatomy import Anatomy, type_name
from .points import SOMA

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .compartments import Compartments

_SHADES = {1: SEVERAL[0], 2: SEVERAL[3], 3: SEVERAL[1], 4: SEVERAL[2]}
_WIRE = "0.75"
_AXES = "xyz"


@dataclass(frozen=True)
class _Pieces:
    """Frusta cut where compartments end: begin and end of each, shape (n, 3), their radii, and whose they are."""

    begin: np.ndarray
    end: np.ndarray
    radii: np.ndarray
    compartment: np.ndarray


def flat(comps: "Compartments", values: Any, label: str, projection: str, ax: Any) -> "Figure":
    """Each compartment in the colour of its value, or in two shades in turn where there are none; see `Compartments.plot`."""
    if values is None:
        shades = _in_turn(comps)
        return _drawn(comps, shades, projection, ax, _legend_of(comps.anatomy), None, "")
    numbers = np.asarray(values, float)
    if numbers.shape != (len(comps),):
        raise ModelError(
            f"values to draw have the shape {numbers.shape}; one for each of the {len(comps)} compartments is needed."
        )
    with pyplot() as plt:
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        finite = numbers[np.isfinite(numbers)]
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
        scale = ScalarMappable(Normalize(low, high if high > low else low + 1.0), plt.get_cmap("viridis"))
        shades = scale.to_rgba(numbers)
        shades[~np.isfinite(numbers)] = (0.85, 0.85, 0.85, 1.0)
    return _drawn(comps, shades, projection, ax, {}, scale, label)


def cell(comps: "Compartments", projection: str, ax: Any) -> "Figure":
    """Branches in the colours of their types; `comps` has one compartment for each."""
    shades = np.array([_rgba(_shade(int(tag))) for tag in comps.tag])
    return _drawn(comps, shades, projection, ax, _legend_of(comps.anatomy), None, "")


def dendrogram(anatomy: Anatomy, ax: Any) -> "Figure":
    """Branches over the way from the soma; ends are equally far from one another. Thick as they are, the soma a dot."""
    rows = _rows(anatomy)
    with pyplot() as plt:
        from matplotlib.collections import LineCollection

        figure, panel = _axes(plt, ax, (7.0, float(np.clip(1.2 + 0.1 * rows.max(), 2.4, 9.0))))
        lines, widths, shades, stems = [], [], [], []
        first = anatomy.branches.first
        for i, tag in enumerate(anatomy.branches.tag.tolist()):
            inside = slice(first[i], first[i + 1])
            x = anatomy.distance(
                np.full(first[i + 1] - first[i], i), anatomy.frusta.arcs[inside] / anatomy.frusta.lengths[i]
            )
            if tag == SOMA and i == anatomy.origin[0]:
                continue
            lines += [((a, rows[i]), (b, rows[i])) for a, b in pairwise(x)]
            diameters = anatomy.branches.points[inside, 3]
            widths += (0.5 * (diameters[:-1] + diameters[1:])).tolist()
            shades += [_shade(tag)] * (len(x) - 1)
            p = int(anatomy.branches.parent[i])
            if p >= 0:
                at = x[0]
                stems.append(((at, rows[p]), (at, rows[i])))
        thick = np.array(widths)
        panel.add_collection(LineCollection(stems, colors="0.6", linewidths=0.5))
        width = np.clip(thick * 4.0 / max(np.quantile(thick, 0.98), 1e-9), 0.4, 6.0) if len(thick) else thick
        panel.add_collection(LineCollection(lines, colors=shades, linewidths=width, capstyle="butt"))
        if anatomy.branches.tag[anatomy.origin[0]] == SOMA:
            panel.plot(0, rows[anatomy.origin[0]], "o", color=_shade(SOMA), markersize=7, clip_on=False, zorder=3)
        panel.autoscale_view()
        panel.margins(y=0.03)
        panel.set(xlabel=f"way from {anatomy.label(*anatomy.origin)} (um)", yticks=[], title=anatomy.source)
        panel.spines[["left", "top", "right"]].set_visible(False)
        panel.set_xlim(left=min(0.0, panel.get_xlim()[0]))
        _legend(panel, _legend_of(anatomy))
    return figure


def _rows(anatomy: Anatomy) -> np.ndarray:
    """Shape (branches,): how high each stands. Ends are numbered depth first, others lie in the middle of their children."""
    rows, count = np.zeros(len(anatomy)), 0
    order, stack = list[int](), [0]
    while stack:
        order.append(i := stack.pop())
        stack += reversed(anatomy.children[i])
    for i in order:
        if not anatomy.children[i]:
            rows[i], count = count, count + 1
    for i in reversed(order):
        if below := anatomy.children[i]:
            rows[i] = (rows[below].min() + rows[below].max()) / 2
    return rows


def _drawn(
    comps: "Compartments", shades: Any, projection: str, ax: Any, legend: dict[str, str], scale: Any, label: str
) -> "Figure":
    if projection == "3d":
        return _in_space(comps, shades, ax, legend, scale, label)
    if len(projection) != 2 or projection[0] == projection[1] or not set(projection) <= set(_AXES):
        raise ModelError(f"projection='{projection}': name two of x, y, z, such as 'xy', or '3d'.")
    across, up = (_AXES.index(letter) for letter in projection)
    pieces = _pieces(comps)
    with pyplot() as plt:
        from matplotlib.collections import LineCollection, PolyCollection

        span = np.maximum(np.ptp(comps.anatomy.branches.points[:, [across, up]], axis=0), 1.0)
        wide, high = span * min(6.0 / span[0], 7.0 / span[1])
        figure, panel = _axes(plt, ax, (max(wide, 1.5) + 1.3, max(high, 1.5) + 0.7))
        panel.add_collection(
            LineCollection(list(_wires(comps.anatomy)[:, :, [across, up]]), colors=_WIRE, linewidths=0.6, zorder=0)
        )
        order = np.argsort(pieces.radii.max(axis=1), kind="stable")  # the thick above the thin, so that somata are seen
        ball = _ball(comps)
        order = order[pieces.compartment[order] != 0] if ball else order
        corners = _outlines(pieces, across, up)[order]
        faces = np.asarray(shades)[pieces.compartment[order]]
        panel.add_collection(PolyCollection(list(corners), facecolors=faces, edgecolors=faces, linewidths=0.5))
        if ball:
            disc = plt.Circle(ball[0][[across, up]], ball[1], color=np.asarray(shades)[0], zorder=2)
            panel.add_patch(disc)
        panel.autoscale_view()
        panel.set_aspect("equal")
        panel.set_axis_off()
        _bar(panel)
        panel.set_title(comps.anatomy.source, loc="left")
        _legend(panel, legend)
        if scale is not None:
            figure.colorbar(scale, ax=panel, label=label, shrink=0.6)
    return figure


def _in_space(comps: "Compartments", shades: Any, ax: Any, legend: dict[str, str], scale: Any, label: str) -> "Figure":
    pieces = _pieces(comps)
    with pyplot() as plt:
        from mpl_toolkits.mplot3d.art3d import Line3DCollection

        if ax is None:
            figure = plt.figure(figsize=(6.0, 6.5), layout="constrained")
            ax = figure.add_subplot(projection="3d")
        elif getattr(ax, "name", "") != "3d":
            raise ModelError("projection='3d' needs axes made with projection='3d', or none.")
        figure = ax.figure
        points = comps.anatomy.branches.points[:, :3]
        low, span = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1.0)
        width = np.clip(pieces.radii.mean(axis=1) * 2 * 320 / span.max(), 0.4, 14.0)  # of about 320 points of height
        lines = np.stack([pieces.begin, pieces.end], axis=1)[
            :, :, [0, 2, 1]
        ]  # y upward, as in the pictures from one side
        if ball := _ball(comps):
            lines, width = lines[pieces.compartment != 0], width[pieces.compartment != 0]
            pieces = replace(pieces, compartment=pieces.compartment[pieces.compartment != 0])
            points_of = max(2.0, ball[1] * 2 * 320 / span.max())
            ax.plot(*ball[0][[0, 2, 1], None], "o", color=np.asarray(shades)[0], markersize=points_of)
        faces = np.asarray(shades)[pieces.compartment]
        ax.add_collection3d(Line3DCollection(list(lines), colors=faces, linewidths=width, capstyle="round"))
        for set_limit, axis in ((ax.set_xlim, 0), (ax.set_ylim, 2), (ax.set_zlim, 1)):
            set_limit(low[axis], low[axis] + span[axis])
        ax.set_box_aspect(span[[0, 2, 1]] / span.max(), zoom=0.95)
        ax.set(xlabel="x (um)", ylabel="z (um)", zlabel="y (um)", title=comps.anatomy.source)
        ax.locator_params(nbins=4)
        for set_ticks, axis in ((ax.set_xticks, 0), (ax.set_yticks, 2), (ax.set_zticks, 1)):
            if span[axis] < 0.15 * span.max():
                set_ticks([])
        _legend(ax, legend)
        if scale is not None:
            figure.colorbar(scale, ax=ax, label=label, shrink=0.6)
    return figure


def _pieces(comps: "Compartments") -> _Pieces:
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
    return _Pieces(along.xyz[:-1][inner], along.xyz[1:][inner], radii, held)


def _outlines(pieces: _Pieces, across: int, up: int) -> np.ndarray:
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


def _ball(comps: "Compartments") -> tuple[np.ndarray, float] | None:
    """Center and radius of a soma that stands for a sphere, where it is one compartment."""
    points = comps.anatomy.branches.points[: comps.anatomy.branches.first[1]]
    wide = points[0, 3]
    alike = comps.anatomy.branches.tag[0] == SOMA and len(points) == 3 and bool((points[:, 3] == wide).all())
    if not alike or comps.first[1] != 1 or not np.isclose(comps.anatomy.frusta.lengths[0], wide, rtol=1e-6):
        return None
    return points[1, :3], wide / 2


def _in_turn(comps: "Compartments") -> np.ndarray:
    """The colour of the type, and a lighter one for every second compartment of a branch."""
    shades = np.array([_rgba(_shade(int(tag))) for tag in comps.tag])
    second = (np.arange(len(comps)) - comps.first[comps.branch]) % 2 == 1
    shades[second, :3] = 0.45 * shades[second, :3] + 0.55
    return shades


def _shade(tag: int) -> str:
    return _SHADES.get(tag, SEVERAL[4 + tag % 2])


def _rgba(shade: str) -> tuple[float, float, float, float]:
    red, green, blue = (int(shade[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue, 1.0


def _legend_of(anatomy: Anatomy) -> dict[str, str]:
    return {type_name(tag): _shade(tag) for tag in dict.fromkeys(anatomy.branches.tag.tolist())}


def _legend(panel: "Axes", names: dict[str, str]) -> None:
    from matplotlib.lines import Line2D

    if len(names) > 1:
        lines = [Line2D([], [], color=shade, linewidth=3, label=name) for name, shade in names.items()]
        panel.legend(handles=lines, frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _axes(plt: Any, ax: Any, size: tuple[float, float]) -> "tuple[Figure, Axes]":
    if ax is not None:
        return ax.figure, ax
    return plt.subplots(figsize=size, layout="constrained")


def _bar(panel: "Axes") -> None:
    """A scale bar at the lower left, of a round length of about a fifth of the width."""
    (left, right), (low, high) = panel.get_xlim(), panel.get_ylim()
    wanted = max(right - left, high - low) / 5
    size = 10.0 ** np.floor(np.log10(wanted))
    long = float(size * max(step for step in (1, 2, 5) if step * size <= wanted))
    y = low - 0.03 * (high - low)
    panel.plot([left, left + long], [y, y], color="black", linewidth=1.5, solid_capstyle="butt")
    panel.annotate(f"{long:g} um", (left, y), xytext=(0, -3), textcoords="offset points", va="top", fontsize="small")
