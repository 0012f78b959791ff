"""What a network's run returns: spikes by population, records by name, and the numbers and pictures of activity."""

import difflib
import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import jax
import numpy as np
from jax import Array
from jax.tree_util import DictKey, GetAttrKey

from ..errors import ModelError, UnknownName
from ..units import Unit, convert
from . import along, archive, exchange, plotting
from .spikes import SpikeTrains, Trains
from .validity import network_state

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MS = Unit.parse("ms")


@jax.tree_util.register_pytree_with_keys_class
@dataclass(frozen=True, eq=False, repr=False)
class Activity:
    """What a network did. ``activity["cells.V"]`` is the array of a record, ``activity.spikes["cells"]`` who spiked.

    A pytree whose leaves are `t`, the records and `final`. Spikes have no fixed number: under a JAX transformation
    `spikes` is empty, and each population has a record instead, ``activity["cells.spikes"]``, of shape (samples, \\*size).

    Attributes:
        t: times in ms, of shape ``(n_samples,)``; sample k of a record is the state at ``t[k]``.
        data: the records by name, bare numbers in the units of `units`: of shape ``(n_samples, *size)`` for a whole
            population, ``(n_samples, n_neurons)`` for a part of one.
        units: of the records, by name.
        spikes: `SpikeTrains` by population and group; times are the ends of the steps in which V crossed the threshold.
        end: the state at ``t[-1]``, or a function that computes it; `final` is the state.
        interrupted: whether the run was stopped before its end.
        provenance: what was run and by which versions.
        places: where on cells of many compartments the records stand; None from a file.
    """

    t: Any
    data: dict[str, Any]
    units: dict[str, str]
    spikes: dict[str, SpikeTrains] = field(default_factory=dict[str, SpikeTrains])
    end: Any = None
    interrupted: bool = False
    provenance: Mapping[str, str] = field(default_factory=dict[str, str])
    places: along.Located | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "spikes", Trains(self.spikes))

    @functools.cached_property
    def final(self) -> Any:
        """The state at ``t[-1]``, to continue from, spikes under way included; computed when it is first asked for."""
        return self.end() if callable(self.end) else self.end

    def __getitem__(self, name: str) -> Array:
        if name not in self.data:
            close = difflib.get_close_matches(str(name), self.data, n=1)
            hint = f"Did you mean '{close[0]}'? " if close else ""
            raise UnknownName(
                f"'{name}' was not recorded; there is {', '.join(self.data) or 'nothing'}. {hint}"
                f"To record more: simulate(..., record={[*self.data, name]})."
            )
        return self.data[name]

    def __contains__(self, name: object) -> bool:
        return name in self.data

    @property
    def duration(self) -> float:
        """In ms."""
        return float(self.t[-1] - self.t[0])

    # ---- numbers ----

    def rates(self, name: str) -> np.ndarray:
        """Mean firing rate in Hz of each neuron of a population or group, of its shape."""
        return self.spikes[name].rates((self.duration, "ms"))

    def rate(self, name: str, width: Any = "1 ms") -> tuple[np.ndarray, np.ndarray]:
        """The population's rate over time: the middles of bins of `width` in ms, and the mean rate in each in Hz.

        Bins are whole: what is left of the run after the last of them is not counted.
        """
        trains, bin_ms = self.spikes[name], float(convert(width, _MS, "the width of bins"))
        if not 0 < bin_ms <= self.duration:
            raise ModelError(
                f"bins must be longer than 0 and no longer than the run, {self.duration:g} ms, got {bin_ms:g} ms."
            )
        # a run of 100 steps of 0.1 ms may be a rounding error shorter than ten bins of 1 ms
        whole = int(self.duration / bin_ms * (1 + 1e-6))
        edges = float(self.t[0]) + bin_ms * np.arange(whole + 1)
        # spikes stand at the ends of steps: a bin holds its right edge, not its left
        counts = np.histogram(trains.times - 1e-9 * bin_ms, edges)[0]
        return (edges[:-1] + edges[1:]) / 2, counts * (1e3 / bin_ms / max(int(np.prod(trains.size)), 1))

    def intervals(self, name: str) -> np.ndarray:
        """All intervals between successive spikes of one neuron, in ms, of a population or group together."""
        return self.spikes[name].intervals()

    def counts(self, name: str) -> np.ndarray:
        """Number of spikes of each neuron of a population or group, of its shape."""
        return self.spikes[name].counts

    def cv(self, name: str) -> np.ndarray:
        """Coefficient of variation of each neuron's intervals, of the population's shape; NaN below 3 spikes."""
        trains = self.spikes[name]
        intervals, owner = trains.owned_intervals()
        n = int(np.prod(trains.size))
        count = np.bincount(owner, minlength=n)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.bincount(owner, intervals, n) / count
            spread = np.sqrt(np.maximum(np.bincount(owner, intervals**2, n) / count - mean**2, 0))
            return np.where(count >= 2, spread / mean, np.nan).reshape(trains.size)

    def where(self, name: str) -> along.Along:
        """Where the last axis of a record goes along the cells, as `Traces.where`.

        Raises:
            UnknownName: for a record that is not there.
            ModelError: for a record that goes along no cell, and of an activity from a file.
        """
        return along.of_one_cell(self.places, archive.concrete(self[name], f"'{name}'"), name, 0)[0]

    # ---- pictures ----

    def plot(self, *names: str, neurons: int | Sequence[int] | None = None, ax: Any = None) -> "Figure":
        """Draw the records `names`, all if none is given, one panel each above a shared time axis.

        Raises:
            UnknownName, ModelError, ImportError: as `Traces.plot`.
        """
        data = {name: archive.concrete(self[name], f"'{name}'") for name in names or self.data}
        if not data:
            raise ModelError('there is nothing to plot: record something, simulate(..., record=["cells[:5].V"]).')
        chosen = [neurons] if isinstance(neurons, int | np.integer) else neurons
        along = () if self.places is None else dict(self.places.records)
        return plotting.panels(np.asarray(self.t), data, self.units, neurons=chosen, ax=ax, along=along)

    def plot_space(self, name: str, *, time: Any = None, neuron: int = 0, ax: Any = None) -> "Figure":
        """Draw a record along cells, ``"pyr.apical.V"``, against the way from the soma, as `Traces.plot_space` does.

        Args:
            neuron: flat index of the cell among those of the record.
        """
        t, data = archive.concrete(self.t, "t"), archive.concrete(self[name], f"'{name}'")
        there, values = along.of_one_cell(self.places, data, name, neuron)
        return along.space_plot(t, there, values, time=time, name=name, unit=self.units[name], ax=ax)

    def plot_raster(self, *names: str, ax: Any = None) -> "Figure":
        """A mark per spike, neuron above time: of the populations or groups `names`, one above the other; all if none."""
        chosen = {name: self.spikes[name] for name in names or self._populations()}
        return plotting.rasters(chosen, (float(self.t[0]), float(self.t[-1])), ax)

    def plot_rate(self, *names: str, width: Any = "1 ms", ax: Any = None) -> "Figure":
        """The rate over time of populations or groups, in bins of `width`."""
        curves = {name: self.rate(name, width) for name in names or self._populations()}
        return plotting.curves(curves, "t (ms)", "rate (Hz)", ax)

    def plot_intervals(self, *names: str, bins: int = 50, ax: Any = None) -> "Figure":
        """Histograms of the intervals between spikes of populations or groups, in bins of equal ratio."""
        values = {name: self.intervals(name) for name in names or self._populations()}
        return plotting.histograms(values, bins, "interval (ms)", ax, log=True)

    def plot_cv(self, *names: str, bins: int = 40, ax: Any = None) -> "Figure":
        """Histograms of the neurons' coefficients of variation."""
        values = {name: self.cv(name).ravel() for name in names or self._populations()}
        return plotting.histograms({name: x[np.isfinite(x)] for name, x in values.items()}, bins, "CV", ax)

    def _populations(self) -> list[str]:
        """Who is drawn if nobody is named: the groups of a population in place of it, where there are any."""
        groups = [name for name in self.spikes if self.provenance.get(f"group {name}")]
        covered = {self.provenance[f"group {name}"].partition("[")[0] for name in groups}
        return [name for name in self.spikes if name not in covered]

    # ---- to keep, and to elsewhere ----

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to `path`: ``.npz`` (NumPy) or ``.nc`` (netCDF, needs xarray and h5netcdf); no pickle.

        Raises:
            ModelError: for another suffix, and for what a file cannot hold.
        """
        contents = archive.Contents(
            t=self.t,
            data=self.data,
            units=self.units,
            spikes=self.spikes,
            final=jax.tree.map(archive.fetched, self.final),
            V_th=None,
            interrupted=self.interrupted,
            provenance=self.provenance,
        )
        archive.write(path, contents)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, max_bytes: int | None = None) -> Self:
        """The activity that `save` wrote to `path`, equal to what was saved, with NumPy arrays.

        Args:
            max_bytes: what its arrays may take, where that is more than 256 MiB and a hundred times the file.

        Raises:
            FileNotFoundError: where there is no such file.
            ModelError: for a file that is broken, foreign, of traces or of an unknown schema, that cannot be a run, or that
                takes more memory than it may or than there is.
        """
        contents: dict[str, Any] = dict(archive.read(path, "activity", network_state, max_bytes))
        del contents["V_th"]
        return cls(end=contents.pop("final"), **contents)

    def to_neo(self) -> Any:
        """A `neo.Block` with a ``SpikeTrain`` per neuron and an ``AnalogSignal`` per record, for Elephant and others.

        A spike train is annotated with its ``population`` (or group) and ``neuron``.

        Raises:
            ImportError: without neo: ``pip install "channelome[neo]"``.
        """
        data = {name: archive.concrete(values, f"'{name}'") for name, values in self.data.items()}
        return exchange.to_neo(archive.concrete(self.t, "t"), data, self.units, self.spikes, self.provenance)

    # ---- to print, as a pytree ----

    def __eq__(self, other: object) -> bool:
        """Whether `other` holds the same, numbers to the last bit, the state at the end too."""
        return archive.alike(self, other) if isinstance(other, Activity) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self.data))

    def __reduce__(self) -> tuple[Any, ...]:
        """As NumPy arrays, with the state at the end computed."""
        return Activity, archive.fields(self)

    def __repr__(self) -> str:
        lines = [
            f"Activity: t = {float(self.t[0]):g} to {float(self.t[-1]):g} ms" + (", interrupted" * self.interrupted)
        ]
        lines += [f"  {name}: {trains}, {np.mean(self.rates(name)):.4g} Hz" for name, trains in self.spikes.items()]
        lines += [f"  {name} ({self.units[name]}): {np.shape(values)}" for name, values in self.data.items()]
        return "\n".join(lines)

    def tree_flatten_with_keys(self) -> tuple[tuple[tuple[Any, Any], ...], tuple[Any, ...]]:
        records = tuple((DictKey(name), values) for name, values in self.data.items())
        static = (tuple(self.units.items()), self.interrupted, tuple(self.provenance.items()), self.places)
        return ((GetAttrKey("t"), self.t), (GetAttrKey("final"), self.final), *records), (tuple(self.data), *static)

    @classmethod
    def tree_unflatten(cls, static: tuple[Any, ...], children: Sequence[Any]) -> "Activity":
        names, units, interrupted, provenance, places = static
        t, final, *records = children
        data = dict(zip(names, records, strict=True))
        return cls(t, data, dict(units), {}, final, interrupted, dict(provenance), places)
