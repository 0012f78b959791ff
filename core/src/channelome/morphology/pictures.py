"""Pictures of cells: from one side with every frustum in its size, in space, and as a dendrogram."""

from collections.abc import Mapping
from itertools import pairwise, permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from ..drawing import SEVERAL, axes_of, pyplot
from ..errors import ModelError
from .anatomy import Anatomy, type_name
from .painted import Painted, from_side, in_space
from .points import SOMA

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .compartments import Compartments

_SHADES = {1: SEVERAL[0], 2: SEVERAL[3], 3: SEVERAL[1], 4: SEVERAL[2]}
_OTHERS = (SEVERAL[4], "#c2698e", SEVERAL[5], "#d98532", "#2a9d9d", "#7a5a3f", "#a3a948", "#9b8fd6")
"""The colours of types from 5 on, and of 0."""
_NONE = (0.85, 0.85, 0.85, 1.0)
"""The colour of what has no value."""
_AXES = "xyz"


def flat(comps: "Compartments", values: Any, label: str, projection: str, ax: Any) -> "Figure":
    """Each compartment in the colour of its value, or in two shades in turn where there are none; see `Compartments.plot`."""
    if values is None:
        return drawn(comps, _in_turn(comps), projection=projection, ax=ax, legend=_legend_of(comps.anatomy))[0]
    try:
        numbers = np.asarray(values)
        numbers = numbers.astype(float if numbers.dtype.kind in "fiub" else "no number")
    except (TypeError, ValueError):
        raise ModelError(
            f"values to draw are an array of shape ({len(comps)},), such as compartments.distance, not {values!r}."
        ) from None
    if numbers.shape != (len(comps),):
        raise ModelError(
            f"values to draw have the shape {numbers.shape}; one for each of the {len(comps)} compartments is needed."
        )
    finite = numbers[np.isfinite(numbers)]
    scale = scale_over(*(finite.min(), finite.max()) if finite.size else (0.0, 1.0))
    return drawn(comps, shades_of(scale, numbers), projection=projection, ax=ax, scale=scale, label=label)[0]


def scale_over(low: float, high: float) -> Any:
    """A scale of colours from one value to another, a `matplotlib.cm.ScalarMappable`; of one value, about it.

    Raises:
        ImportError: without matplotlib.
    """
    with pyplot() as plt:
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        if high <= low:
            room = 0.05 * abs(low) or 1.0
            low, high = low - room, high + room
        return ScalarMappable(Normalize(float(low), float(high)), plt.get_cmap("viridis"))


def shades_of(scale: Any, values: np.ndarray) -> np.ndarray:
    """Shape (n, 4): the colours of values on a scale; grey for what is no number."""
    shades = scale.to_rgba(values)
    shades[~np.isfinite(values)] = _NONE
    return shades


def region(comps: "Compartments", mask: np.ndarray, projection: str, ax: Any) -> "Figure":
    """The compartments of `mask`, shape (n,), in the colours of their types, the rest grey."""
    shades = np.where(mask[:, None], [_rgba(shade(int(tag))) for tag in comps.tag], _NONE)
    legend = {type_name(tag): shade(tag) for tag in dict.fromkeys(comps.tag[mask].tolist())}
    return drawn(
        comps, shades, projection=projection, ax=ax, legend=legend | ({} if mask.all() else {"the rest": "0.85"})
    )[0]


def cell(comps: "Compartments", projection: str, ax: Any) -> "Figure":
    """Branches in the colours of their types; `comps` has one compartment for each."""
    shades = np.array([_rgba(shade(int(tag))) for tag in comps.tag])
    return drawn(comps, shades, projection=projection, ax=ax, legend=_legend_of(comps.anatomy))[0]


def dendrogram(anatomy: Anatomy, ax: Any) -> "Figure":
    """Branches over the way from the soma; ends are equally far from one another. Thick as they are, the soma a dot."""
    rows = _rows(anatomy)
    with pyplot() as plt:
        from matplotlib.collections import LineCollection

        figure, panel = axes_of(plt, ax, (7.0, float(np.clip(1.2 + 0.1 * rows.max(), 2.4, 9.0))))
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
            shades += [shade(tag)] * (len(x) - 1)
            p = int(anatomy.branches.parent[i])
            if p >= 0:
                at = x[0]
                stems.append(((at, rows[p]), (at, rows[i])))
        thick = np.array(widths)
        panel.add_collection(LineCollection(stems, colors="0.6", linewidths=0.5))
        width = np.clip(thick * 4.0 / max(np.quantile(thick, 0.98), 1e-9), 0.4, 6.0) if len(thick) else thick
        panel.add_collection(LineCollection(lines, colors=shades, linewidths=width, capstyle="butt"))
        if anatomy.branches.tag[anatomy.origin[0]] == SOMA:
            panel.plot(0, rows[anatomy.origin[0]], "o", color=shade(SOMA), markersize=7, clip_on=False, zorder=3)
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


def drawn(
    comps: "Compartments",
    shades: np.ndarray,
    *,
    projection: str = "xy",
    ax: Any = None,
    legend: Mapping[str, str] | None = None,
    scale: Any = None,
    label: str = "",
) -> "tuple[Figure, Painted]":
    """The cell in the colours `shades`, of shape (n, 4), with a legend or a scale of colours; what can be painted again.

    Raises:
        ModelError: for a projection that is none, or axes that do not fit it.
    """
    with pyplot() as plt:
        figure, panel, painted = (_in_space if projection == "3d" else _from_side)(plt, comps, shades, projection, ax)
        _legend(panel, legend or {})
        if scale is not None:
            figure.colorbar(scale, ax=panel, label=label, shrink=0.6)
    return figure, painted


def _from_side(plt: Any, comps: "Compartments", shades: np.ndarray, projection: str, ax: Any) -> Any:
    if projection not in map("".join, permutations(_AXES, 2)):
        raise ModelError(f"projection={projection!r}: name two of x, y, z, such as 'xy', or '3d'.")
    across, up = (_AXES.index(letter) for letter in projection)
    span = np.maximum(np.ptp(comps.anatomy.branches.points[:, [across, up]], axis=0), 1.0)
    wide, high = span * min(6.0 / span[0], 7.0 / span[1])
    figure, panel = axes_of(plt, ax, (max(wide, 1.5) + 1.3, max(high, 1.5) + 0.7))
    painted = from_side(panel, comps, shades, across, up)
    panel.autoscale_view()
    panel.set_aspect("equal")
    panel.set_axis_off()
    _bar(panel)
    panel.set_title(comps.anatomy.source, loc="left")
    return figure, panel, painted


def _in_space(plt: Any, comps: "Compartments", shades: np.ndarray, projection: str, ax: Any) -> Any:
    if ax is None:
        figure = plt.figure(figsize=(6.0, 6.5), layout="constrained")
        ax = figure.add_subplot(projection="3d")
    elif getattr(ax, "name", "") != "3d":
        raise ModelError("projection='3d' needs axes made with projection='3d', or none.")
    painted = in_space(ax, comps, shades)
    points = comps.anatomy.branches.points[:, :3]
    low, span = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1.0)
    for set_limit, axis in ((ax.set_xlim, 0), (ax.set_ylim, 2), (ax.set_zlim, 1)):
        set_limit(low[axis], low[axis] + span[axis])
    ax.set_box_aspect(span[[0, 2, 1]] / span.max(), zoom=0.95)
    ax.set(xlabel="x (um)", ylabel="z (um)", zlabel="y (um)", title=comps.anatomy.source)
    ax.tick_params(labelsize="small", pad=0)
    ax.zaxis.labelpad = 9  # beside ticks of four characters
    for line, axis in ((ax.xaxis, 0), (ax.yaxis, 2), (ax.zaxis, 1)):
        ax.locator_params(axis=line.axis_name, nbins=4 if span[axis] > 0.5 * span.max() else 2)
        room = 0.1 * span[axis]  # at the corners ticks would meet those of the next axis
        inside = [tick for tick in line.get_ticklocs() if room <= tick - low[axis] <= span[axis] - room]
        line.set_ticks(inside if span[axis] >= 0.15 * span.max() else [])
    return ax.figure, ax, painted


def _in_turn(comps: "Compartments") -> np.ndarray:
    """The colour of the type, and a lighter one for every second compartment of a branch."""
    shades = np.array([_rgba(shade(int(tag))) for tag in comps.tag])
    second = (np.arange(len(comps)) - comps.first[comps.branch]) % 2 == 1
    shades[second, :3] = 0.45 * shades[second, :3] + 0.55
    return shades


def shade(tag: int) -> str:
    """The colour of a type of branch."""
    return _SHADES.get(tag, _OTHERS[(tag - 5) % len(_OTHERS)])


def _rgba(shade: str) -> tuple[float, float, float, float]:
    red, green, blue = (int(shade[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue, 1.0


def _legend_of(anatomy: Anatomy) -> dict[str, str]:
    return {type_name(tag): shade(tag) for tag in dict.fromkeys(anatomy.branches.tag.tolist())}


def _legend(panel: "Axes", names: Mapping[str, str]) -> None:
    from matplotlib.lines import Line2D

    if len(names) > 1:
        lines = [Line2D([], [], color=shade, linewidth=3, label=name) for name, shade in names.items()]
        panel.legend(handles=lines, frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _bar(panel: "Axes") -> None:
    """A scale bar at the lower left, of a round length of about a fifth of the width."""
    (left, right), (low, high) = panel.get_xlim(), panel.get_ylim()
    wanted = max(right - left, high - low) / 5
    size = 10.0 ** np.floor(np.log10(wanted))
    long = float(size * max(step for step in (1, 2, 5) if step * size <= wanted))
    y = low - 0.03 * (high - low)
    panel.plot([left, left + long], [y, y], color="black", linewidth=1.5, solid_capstyle="butt")
    panel.annotate(f"{long:g} um", (left, y), xytext=(0, -3), textcoords="offset points", va="top", fontsize="small")
