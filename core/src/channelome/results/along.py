"""Records over the compartments of a cell: where their values stand, and the value against the way from the soma."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..cells.record import Probe, probes
from ..drawing import pyplot
from ..errors import ModelError, UnknownName
from ..morphology.anatomy import type_name
from ..morphology.compartments import Compartments
from ..morphology.pictures import shade
from ..morphology.points import SOMA
from ..units import Unit, convert

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MS = Unit.parse("ms")


@dataclass(frozen=True)
class Located:
    """The cell that traces are of, and the compartments over which the last axis of its records goes.

    Attributes:
        compartments: of the cell.
        numbers: by the name of a record the numbers of its compartments; records of one place have none.
    """

    compartments: Compartments
    numbers: tuple[tuple[str, tuple[int, ...]], ...]

    def of(self, name: str) -> np.ndarray:
        """Shape (k,), int: the compartments of a record.

        Raises:
            ModelError: for a record that has no values along the cell.
        """
        known = dict(self.numbers)
        if name not in known:
            has = ", ".join(f"'{one}'" for one in known) or "none"
            raise ModelError(
                f"'{name}' is of one place: of the records of these traces {has} go along the cell. Record 'V', of all compartments."
            )
        return np.array(known[name], int)


def located(cell: Any, names: Iterable[str]) -> Located | None:
    """Where on a cell the values of records stand; None for point neurons. What it has not, such as a clamp's current, is left out."""
    if cell.pointwise:
        return None
    found = list[tuple[str, tuple[int, ...]]]()
    for name in names:
        try:
            asked = probes(cell, [name])
        except UnknownName:
            continue
        found += [(name, tuple(_compartments_of(cell, probe).tolist())) for probe in asked if probe.several]
    return Located(cell.compartments, tuple(found))


def _compartments_of(cell: Any, probe: Probe) -> np.ndarray:
    tree, rows = cell.compartments.tree, np.asarray(probe.rows, int)
    if probe.part in dict(cell.regions):
        rows = np.sort(tree.position[cell.numbers(probe.part)])[rows]
    return tree.node[rows]


def sample(t: np.ndarray, time: Any, what: str = "time") -> int:
    """The number of the sample nearest to a time with a unit.

    Raises:
        ModelError: for a time outside the run.
        UnitError: without a unit.
    """
    wanted = float(convert(time, _MS, what))
    room = 0.5 * (t[1] - t[0]) if len(t) > 1 else 0.0
    if not t[0] - room <= wanted <= t[-1] + room:
        raise ModelError(f"{what}={time!r} lies outside these traces, which go from {t[0]:g} to {t[-1]:g} ms.")
    return int(np.argmin(np.abs(t - wanted)))


def of_one(values: np.ndarray, count: int, neuron: int, name: str) -> np.ndarray:
    """Shape (samples, k): the values of one cell of a population, by flat index.

    Raises:
        ModelError: where there is no such cell, or the record has other compartments than `count`.
    """
    if values.ndim < 2 or values.shape[-1] != count:
        raise ModelError(
            f"'{name}' has the shape {values.shape}, and goes along {count} compartments: these traces are of another cell."
        )
    each = values.reshape(len(values), -1, count)
    if not 0 <= neuron < each.shape[1]:
        raise ModelError(f"'{name}' has no cell {neuron}: flat indices go from 0 to {each.shape[1] - 1}.")
    return each[:, neuron]


def profile(
    comps: Compartments, numbers: np.ndarray, values: np.ndarray, times: list[float], label: str, ax: Any
) -> "Figure":
    """Values against the way from the soma, compartments joined as they are on the cell.

    Args:
        values: shape (moments, k); one is drawn in the colours of types, several in shades from early to late.
        times: of the moments, ms.
    """
    pairs = _neighbours(comps, numbers)
    way = comps.distance[numbers]
    with pyplot() as plt:
        from matplotlib.collections import LineCollection

        figure, panel = (ax.figure, ax) if ax is not None else plt.subplots(figsize=(7.0, 3.6), layout="constrained")
        many = plt.get_cmap("viridis")(np.linspace(0.0, 0.88, max(len(times), 1)))
        types = [shade(int(tag)) for tag in comps.tag[numbers]]
        lone = np.setdiff1d(np.arange(len(numbers)), pairs)
        for moment, (row, late) in enumerate(zip(values, many, strict=True)):
            points = np.column_stack([way, row])
            colour: Any = [types[child] for child in pairs[:, 1]] if len(times) == 1 else late
            panel.add_collection(LineCollection(list(points[pairs]), colors=colour, linewidths=1.1, zorder=2 + moment))
            panel.scatter(way[lone], row[lone], color=[types[i] for i in lone] if len(times) == 1 else late, s=9)
        panel.autoscale_view()
        panel.margins(x=0.02, y=0.06)
        panel.set(xlabel=f"way from {origin_of(comps)} (um)", ylabel=label)
        panel.set_title(f"{comps.anatomy.source}, t = {times[0]:g} ms" if len(times) == 1 else comps.anatomy.source)
        if len(times) == 1:
            drawn = [*pairs[:, 1], *lone]
            named = {type_name(tag): shade(tag) for tag in dict.fromkeys(comps.tag[numbers[drawn]].tolist())}
        else:
            named = {f"{t:g} ms": late for t, late in zip(times, many, strict=True)}
        lines = [plt.Line2D([], [], color=colour, label=name) for name, colour in named.items()]
        if len(lines) > 1:
            panel.legend(handles=lines, frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def origin_of(comps: Compartments) -> str:
    """From where ways are counted, in words."""
    branch, x = comps.anatomy.origin
    return "the soma" if comps.anatomy.branches.tag[branch] == SOMA else comps.anatomy.label(branch, x)


def _neighbours(comps: Compartments, numbers: np.ndarray) -> np.ndarray:
    """Shape (pairs, 2): those of `numbers`, by their place in it, that hang together on the cell, parents first."""
    n = len(comps)
    parent = comps.parent[:n]
    parent = np.where(parent >= n, comps.parent[np.maximum(parent, 0)], parent)  # beyond a junction
    place = np.full(n + 1, -1)
    place[numbers] = np.arange(len(numbers))
    above = place[parent[numbers]]  # -1, of the root, finds the last, which is none
    return np.column_stack([above, np.arange(len(numbers))])[above >= 0]
