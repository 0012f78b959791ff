"""Records over the compartments of a cell: where their values stand, and the value against the way from the soma."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..cells.record import Probe, probes
from ..drawing import axes_of, pyplot
from ..errors import ModelError, UnknownName
from ..morphology.anatomy import type_name
from ..morphology.compartments import Compartments
from ..morphology.pictures import shade
from ..morphology.points import SOMA
from ..units import Unit, convert
from .plotting import labelled

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure

_MS = Unit.parse("ms")


@dataclass(frozen=True)
class Along:
    """The compartments over which the last axis of one record goes.

    Attributes:
        compartments: of the cell.
        chosen: the numbers of those that the record has.
    """

    compartments: Compartments
    chosen: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.chosen)

    @property
    def numbers(self) -> np.ndarray:
        """Shape (k,), int: which of the cell's compartments they are."""
        return np.array(self.chosen, int)

    @property
    def labels(self) -> tuple[str, ...]:
        """What each is called, ``"apical[3](0.5)"``."""
        return tuple(self.compartments.label(i) for i in self.chosen)

    @property
    def distance(self) -> np.ndarray:
        """Shape (k,), um: the way from the soma to the middle of each."""
        return self.compartments.distance[self.numbers]

    @property
    def xyz(self) -> np.ndarray:
        """Shape (k, 3), um: the middles."""
        return self.compartments.xyz[self.numbers]


@dataclass(frozen=True)
class Located:
    """Where the records of a run stand that go along a cell; those of one place are not among them."""

    records: tuple[tuple[str, Along], ...]

    def of(self, name: str) -> Along:
        """The compartments of a record.

        Raises:
            ModelError: for a record that has no values along a cell.
        """
        known = dict(self.records)
        if name not in known:
            has = ", ".join(f"'{one}'" for one in known) or "none"
            raise ModelError(
                f"'{name}' is not along a cell: of these records {has} are. Record 'V', of all compartments, or a region, 'apical.V'."
            )
        return known[name]


def located(asked: Iterable[tuple[str, Any, str]]) -> Located | None:
    """Where on cells the values of records stand. What goes along none, such as those of points or a clamp's current, is left out; None where
    all cells are points.

    Args:
        asked: the name of each record, the cell that it is of, and what is asked of the cell.
    """
    found, asked = list[tuple[str, Along]](), [one for one in asked if not one[1].pointwise]
    for name, cell, field in asked:
        try:
            probed = probes(cell, [field])
        except UnknownName:
            continue
        found += [(name, Along(cell.compartments, _compartments_of(cell, one))) for one in probed if one.several]
    return Located(tuple(found)) if asked else None


def _compartments_of(cell: Any, probe: Probe) -> tuple[int, ...]:
    tree, rows = cell.compartments.tree, np.asarray(probe.rows, int)
    if probe.part in dict(cell.regions):
        rows = np.sort(tree.position[cell.numbers(probe.part)])[rows]
    return tuple(tree.node[rows].tolist())


def of_one_cell(places: Located | None, values: np.ndarray, name: str, neuron: int) -> tuple[Along, np.ndarray]:
    """Where a record stands, and its values of one cell, shape (samples, compartments).

    Raises:
        ModelError: for a record that goes along no cell, a cell that is not there, and where the cells are not known.
    """
    if places is None:
        raise ModelError(
            f"these traces do not know the cell along which '{name}' goes: points have no compartments, and a file does not hold "
            f"them. Of a MultiCompartment: traces.on(cell)."
        )
    there = places.of(name)
    return there, of_one(values, len(there), neuron, name)


def with_places(dataset: "xarray.Dataset", places: Located | None) -> "xarray.Dataset":
    """A dataset of records in which those along a cell have the names and the ways (um) of their compartments as coordinates."""
    coordinates = {}
    for name, there in () if places is None else places.records:
        axis = dataset[name].dims[-1]
        coordinates[f"{name} compartment"] = (axis, list(there.labels))
        coordinates[f"{name} distance"] = (axis, there.distance, {"units": "um"})
    return dataset.assign_coords(coordinates)


def sample(t: np.ndarray, time: Any, what: str = "time") -> int:
    """The number of the sample nearest to a time with a unit.

    Raises:
        ModelError: for a time outside the run.
        UnitError: without a unit.
    """
    wanted = convert(time, _MS, what)
    if np.ndim(wanted):
        raise ModelError(
            f"{what} must be one time, such as '4 ms', not {time!r}; of several moments give a list of times."
        )
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
    if not isinstance(neuron, int | np.integer) or not 0 <= neuron < each.shape[1]:
        raise ModelError(f"'{name}' has no cell {neuron}: flat indices go from 0 to {each.shape[1] - 1}.")
    return each[:, neuron]


def space_plot(
    t: np.ndarray, there: Along, values: np.ndarray, *, time: Any, name: str, unit: str, ax: Any
) -> "Figure":
    """Values of one cell, shape (samples, k), against the way from the soma at some moments; see `Traces.plot_space`."""
    asked = time if isinstance(time, list | tuple) and not _is_pair(time) else [time]
    if not asked:
        raise ModelError("time=[] asks for no moment: give one, '4 ms', several in a list, or leave it out.")
    peak = int(np.nanargmax(values[:, np.argmin(there.distance)])) if time is None else 0
    moments = [peak] if time is None else [sample(t, one) for one in asked]
    return profile(there.compartments, there.numbers, values[moments], t[moments].tolist(), labelled(name, unit), ax)


def _is_pair(time: Any) -> bool:
    """Whether it is a number with its unit, ``(5.0, "ms")``."""
    return isinstance(time, tuple) and len(time) == 2 and not isinstance(time[0], str) and isinstance(time[1], str)


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

        figure, panel = axes_of(plt, ax, (7.0, 3.6))
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
