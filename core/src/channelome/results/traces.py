"""What a run returns: named arrays with units and times, spikes, and the state to continue from."""

import difflib
import functools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import jax
import numpy as np
from jax import Array
from jax.tree_util import DictKey, GetAttrKey

from ..errors import ModelError, UnknownName
from . import along, archive, movie, plotting, summary
from .spikes import SpikeTrains
from .validity import cell_state

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure


class _Spikes:
    """The field `spikes` of traces: what a run found, or what finds it when it is first asked for, a function."""

    def __get__(self, run: "Traces | None", owner: type) -> SpikeTrains | None:
        if run is None:
            return None  # the default
        found: Any = run.__dict__["spikes"]
        if callable(found):
            run.__dict__["spikes"] = found = found()
        return found

    def __set__(self, run: "Traces", value: Any) -> None:
        run.__dict__["spikes"] = value


@jax.tree_util.register_pytree_with_keys_class
@dataclass(frozen=True, eq=False, repr=False)
class Traces:
    """What a run recorded. ``traces["V"]`` is the array of a record.

    A pytree whose leaves are `t`, the records and `final`, so it passes through ``jit``, ``vmap`` and ``grad``. Spikes
    have no fixed number and do not: what comes out of a transformation, ``jax.tree.map`` too, has ``spikes=None``, and
    `channelome.crossings` finds them again in a recorded V.

    Attributes:
        t: times in ms, of shape ``(n_samples,)``; sample k of a record is the state at ``t[k]``.
        data: the records by name, each of shape ``(n_samples, *size)``, bare numbers in the units of `units`; read-only.
        units: of the records, by name: ``"mV"``, ``"uA/cm^2"``, ``"mM"``, ``"1"``.
        spikes: of every neuron. What was not recorded, and is in no recorded V, is found when it is first asked for, by the
            same run once more. None where it was traced.
        end: the state at ``t[-1]``, or a function that computes it; `final` is the state.
        V_th: threshold of the spikes in mV, if there is one.
        interrupted: whether the run was stopped before its end.
        provenance: what was run and by which versions; values that JSON can hold.
        places: of a cell of many compartments, where on it the records stand; None of points, and from a file, see `on`.
        again: of such a cell, a function that finds V of all compartments by the same run once more, for pictures; it does not travel.
    """

    t: Array
    data: dict[str, Array]
    units: dict[str, str]
    spikes: _Spikes = _Spikes()
    end: Any = None
    V_th: float | None = None
    interrupted: bool = False
    provenance: Mapping[str, str] = field(default_factory=dict[str, str])
    places: along.Located | None = field(default=None, compare=False)
    again: Any = field(default=None, compare=False)

    @functools.cached_property
    def final(self) -> Any:
        """The state at ``t[-1]``, to continue from; computed when it is first asked for."""
        return self.end() if callable(self.end) else self.end

    def __getitem__(self, name: str) -> Array:
        if name not in self.data:
            close = difflib.get_close_matches(str(name), self.data, n=1)
            raise UnknownName(
                f"'{name}' was not recorded; these traces hold {', '.join(self.data) or 'nothing'}. "
                + (f"Did you mean '{close[0]}'? " if close else "")
                + f"To record more: simulate(..., record={[*self.data, name]})."
            )
        return self.data[name]

    def __contains__(self, name: object) -> bool:
        return name in self.data

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def quantity(self, name: str) -> Any:
        """The record `name` as a `brainunit` quantity."""
        import brainunit

        values, unit = self[name], self.units[name]
        if unit == "degC":
            # brainunit knows absolute temperatures only
            return brainunit.Quantity(values + 273.15, unit=brainunit.kelvin)
        return brainunit.Quantity(values, unit=brainunit.parse_unit(unit))

    # ---- spikes ----

    @property
    def duration(self) -> float:
        """In ms."""
        return float(self._time()[-1] - self._time()[0])

    def rates(self) -> np.ndarray:
        """Mean firing rate in Hz of each neuron over the run, of the population's shape."""
        return self._trains().rates((self.duration, "ms"))

    def intervals(self) -> np.ndarray:
        """All intervals between successive spikes of one neuron, in ms, of all neurons together."""
        return self._trains().intervals()

    def counts(self) -> np.ndarray:
        """Number of spikes of each neuron, of the population's shape."""
        return self._trains().counts

    def _trains(self) -> SpikeTrains:
        if self.spikes is None:
            raise ModelError(
                "these traces have no spikes: they were lost in a JAX transformation. Record them there, "
                'simulate(..., record=["spikes"]), or find them in a recorded V: crossings(t, V, V_th).'
            )
        return self.spikes

    # ---- to look at ----

    def plot(self, *names: str, neurons: int | Sequence[int] | None = None, ax: Any = None) -> "Figure":
        """Draw the records `names`, all if none is given, one panel each above a shared time axis.

        Args:
            names: of the records, from top to bottom.
            neurons: flat index or indices of the neurons, or compartments, to draw; the first ten if None.
            ax: matplotlib axes to draw in, one per record; a new figure if None.

        Raises:
            UnknownName: for a record that is not there.
            ModelError: for a neuron that is not there, for a batch of runs, under a JAX transformation.
            ImportError: without matplotlib.
        """
        t = self._time()
        data = {name: archive.concrete(self[name], f"'{name}'") for name in names or self}
        if not data:
            raise ModelError('there is nothing to plot: record something, simulate(..., record=["V"]).')
        chosen = [neurons] if isinstance(neurons, int | np.integer) else neurons
        along = () if self.places is None else dict(self.places.records)
        return plotting.panels(t, data, self.units, neurons=chosen, ax=ax, along=along)

    def plot_raster(self, ax: Any = None) -> "Figure":
        """Draw a mark per spike, neuron above time.

        Raises:
            ModelError: where spikes are not known.
            ImportError: without matplotlib.
        """
        spikes, t = self._trains(), self._time()
        return plotting.raster(spikes, (float(t[0]), float(t[-1])) if len(t) else (0.0, 0.0), ax)

    def plot_space(self, name: str = "V", *, time: Any = None, neuron: int = 0, ax: Any = None) -> "Figure":
        """Draw a record of many compartments against the way from the soma, neighbours joined.

        Args:
            name: of the record; V of all compartments need not be recorded, it is found by the same run once more.
            time: with a unit; several, ``["2 ms", "4 ms"]``, are drawn in shades from early to late. If None, the moment at
                which the compartment nearest to the soma has its largest value.
            neuron: flat index of the cell, of several.
            ax: matplotlib axes to draw in; a new figure if None.

        Raises:
            UnknownName: for a record that is not there.
            ModelError: for a record of one place, a time outside the run, traces that do not know their cell, see `on`.
            ImportError: without matplotlib.
        """
        t, there, values = self._along(name, neuron)
        return along.space_plot(t, there, values, time=time, name=name, unit=self.units.get(name, "mV"), ax=ax)

    def plot_movie(
        self, path: str | os.PathLike[str], name: str = "V", *, start: Any = None, stop: Any = None, neuron: int = 0,
        frames: int | None = None, fps: int = 25, projection: str = "xy",
    ) -> None:  # fmt: skip
        """Write a record of many compartments over time, on the cell, to `path`.

        A page, ``.html``, shows the cell in space, to turn and to zoom, with the course of each compartment that is clicked; it
        needs only a browser. A film, ``.gif`` or ``.mp4`` (by ffmpeg), shows it from one side.

        Args:
            name: of the record; compartments that it has not are grey. V of all is found again as for `plot_space`.
            start, stop: times with units; the whole run if None.
            neuron: flat index of the cell, of several.
            frames: at most so many moments, evenly spaced; 600 of a page, 100 of a film, if None.
            fps: frames in a second.
            projection: of a film two of x, y, z, or ``"3d"``.

        Raises:
            UnknownName: for a record that is not there.
            ModelError: as `plot_space`; for another suffix.
            ImportError: without matplotlib.
        """
        target = movie.check_movie(path, fps)
        t, there, values = self._along(name, neuron)
        most = 600 if target.suffix == ".html" else 100
        frames, unit = most if frames is None else frames, self.units.get(name, "mV")
        shown = movie.moving(there, t, values, name=name, unit=unit, start=start, stop=stop, frames=frames)
        movie.write_movie(target, shown, fps=fps, projection=projection)

    def on(self, cell: Any) -> Self:
        """These traces, which know that they are of this `MultiCompartment`: for traces from a file, which holds no cell.

        Raises:
            ModelError: for point neurons.
        """
        if cell.pointwise:
            raise ModelError("a population of points has no compartments: traces.on(cell) is for a MultiCompartment.")
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__, places=along.located((name, cell, name) for name in self.data))
        return new

    def where(self, name: str) -> along.Along:
        """Where the last axis of a record goes along the cell: ``numbers``, ``labels``, ``distance`` (um) and ``xyz`` of its compartments.

        Raises:
            UnknownName: for a record that is not there.
            ModelError: for a record of one place, traces that do not know their cell, see `on`.
        """
        return self._along(name, 0)[1]

    def _along(self, name: str, neuron: int) -> tuple[np.ndarray, along.Along, np.ndarray]:
        """The times, where the record stands, and its values of one cell, shape (samples, compartments)."""
        found_again = name == "V" and name not in self.data and self.again is not None
        places, values = self._everywhere if found_again else (self.places, archive.concrete(self[name], f"'{name}'"))
        return self._time(), *along.of_one_cell(places, values, name, neuron)

    @functools.cached_property
    def _everywhere(self) -> tuple[along.Located, np.ndarray]:
        """V of all compartments, of a run that recorded something else."""
        return self.again()

    def _time(self) -> np.ndarray:
        t = archive.concrete(self.t, "t")
        if t.ndim != 1:
            raise ModelError(
                f"these are the traces of a batch, t has the shape {t.shape}: "
                f"take one run, jax.tree.map(lambda x: x[0], traces)."
            )
        return t

    # ---- to keep ----

    def to_xarray(self) -> "xarray.Dataset":
        """An `xarray.Dataset`: the records over ``(time, neuron)``, with units as attributes, and ``time`` in ms.

        Several axes of the population are ``neuron_0``, ``neuron_1`` and so on; a record along a cell has the coordinates
        ``"apical.V compartment"`` and ``"apical.V distance"`` (um); provenance is the dataset's attributes. Its
        ``to_dataframe()`` has a row for each sample and neuron. Spikes are a table of their own, ``traces.spikes.to_xarray()``.
        """
        return along.with_places(archive.to_xarray(self._contents()), self.places)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to `path`: ``.npz`` (NumPy) or ``.nc`` (netCDF, needs xarray and h5netcdf); no pickle.

        Raises:
            ModelError: for another suffix, and for what a file cannot hold.
        """
        archive.write(path, self._contents())

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, max_bytes: int | None = None) -> Self:
        """The traces that `save` wrote to `path`, equal to what was saved, with NumPy arrays.

        Args:
            max_bytes: what its arrays may take, where that is more than 256 MiB and a hundred times the file.

        Raises:
            FileNotFoundError: where there is no such file.
            ModelError: for a file that is broken, foreign, a network's or of an unknown schema, that cannot be a run, or that
                takes more memory than it may or than there is.
        """
        contents: dict[str, Any] = dict(archive.read(path, "traces", cell_state, max_bytes))
        return cls(end=contents.pop("final"), **contents)

    def _contents(self) -> archive.Contents:
        return archive.Contents(
            t=self.t,
            data=self.data,
            units=self.units,
            spikes=self.spikes,
            final=self.final,
            V_th=self.V_th,
            interrupted=self.interrupted,
            provenance=self.provenance,
        )

    # ---- to print ----

    def __eq__(self, other: object) -> bool:
        """Whether `other` holds the same, numbers to the last bit, the state at the end too."""
        return archive.alike(self, other) if isinstance(other, Traces) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self.data))

    def __reduce__(self) -> tuple[Any, ...]:
        """As NumPy arrays, with the state at the end computed."""
        return Traces, archive.fields(self)

    def __repr__(self) -> str:
        return summary.text(self._title(), self._rows())

    def _repr_html_(self) -> str:
        return summary.as_html(self._title(), self._rows())

    def _title(self) -> str:
        shape = np.shape(self.t)
        parts = [f"{shape[-1] if shape else 0} samples"]
        if summary.is_concrete(self.t) and len(shape) == 1 and shape[0]:
            parts.append(f"t = {float(self.t[0]):g} to {float(self.t[-1]):g} ms")
        if isinstance(known := self.__dict__["spikes"], SpikeTrains):  # not worth a run of its own
            parts.append(f"{len(known)} spikes")
        if self.interrupted:
            parts.append("interrupted")
        return "Traces: " + ", ".join(parts)

    def _rows(self) -> list[summary.Row]:
        return [summary.row(name, self.units[name], values) for name, values in self.data.items()]

    # ---- as a pytree ----

    def tree_flatten_with_keys(self) -> tuple[tuple[tuple[Any, Any], ...], tuple[Any, ...]]:
        records = tuple((DictKey(name), values) for name, values in self.data.items())
        origins = json.dumps(dict(self.provenance))
        static = (tuple(self.units.items()), self.V_th, self.interrupted, origins, self.places)
        return ((GetAttrKey("t"), self.t), (GetAttrKey("final"), self.final), *records), (tuple(self.data), *static)

    @classmethod
    def tree_unflatten(cls, static: tuple[Any, ...], children: Sequence[Any]) -> Self:
        names, units, V_th, interrupted, provenance, places = static
        t, final, *records = children
        data = dict(zip(names, records, strict=True))
        return cls(t, data, dict(units), None, final, V_th, interrupted, json.loads(provenance), places)
