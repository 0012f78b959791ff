"""Spike times of a population: what a run finds, and how to find them in a recorded voltage."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..equality import same
from ..errors import ModelError, UnknownName
from ..units import Unit, convert
from .dataset import to_dataset

_MS = Unit.parse("ms")


@dataclass(frozen=True, eq=False)
class SpikeTrains:
    """Who spiked when, one entry per spike, in the order of time.

    Attributes:
        times: in ms, of shape ``(n_spikes,)``, interpolated between the samples on both sides of the crossing.
        neurons: flat index of the neuron of each, in the same order.
        size: shape of the population; ``()`` for one cell without an axis.
    """

    times: np.ndarray
    neurons: np.ndarray
    size: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.times)

    def of(self, neuron: int | tuple[int, ...]) -> np.ndarray:
        """Spike times in ms of one neuron, by flat index or by one index per axis of `size`.

        Raises:
            ModelError: where the population has no such neuron.
        """
        index = (neuron,) if isinstance(neuron, int | np.integer) else tuple(neuron)
        shape = (int(np.prod(self.size)),) if len(index) == 1 else self.size
        if len(index) != len(shape) or not all(-n <= i < n for i, n in zip(index, shape, strict=True)):
            raise ModelError(
                f"no neuron {neuron} in a population of size {self.size}: give a flat index or one per axis."
            )
        flat = np.ravel_multi_index([i % n for i, n in zip(index, shape, strict=True)], shape)
        return self.times[self.neurons == flat]

    @property
    def counts(self) -> np.ndarray:
        """Number of spikes of each neuron, of shape `size`."""
        return np.bincount(self.neurons, minlength=int(np.prod(self.size))).reshape(self.size)

    def rates(self, duration: Any) -> np.ndarray:
        """Mean firing rates in Hz, of shape `size`, over a `duration` with a unit: ``rates("100 ms")``.

        Raises:
            UnitError: for a duration without a unit of time.
            ModelError: for one that is not positive.
        """
        milliseconds = float(convert(duration, _MS, "duration of rates()"))
        if not milliseconds > 0:
            raise ModelError(f"duration of rates() must be more than 0 ms, got {milliseconds:g} ms.")
        return self.counts * (1e3 / milliseconds)

    def intervals(self) -> np.ndarray:
        """All intervals between successive spikes of one neuron, in ms, of all neurons together."""
        return self.owned_intervals()[0]

    def owned_intervals(self) -> tuple[np.ndarray, np.ndarray]:
        """The intervals, and the flat index of the neuron of each."""
        order = np.lexsort((self.times, self.neurons))
        times, owner = self.times[order], self.neurons[order]
        same_neuron = owner[1:] == owner[:-1]
        return np.diff(times)[same_neuron], owner[1:][same_neuron]

    def to_xarray(self) -> Any:
        """An `xarray.Dataset` of a row for each spike: ``spike_time`` in ms and ``spike_neuron``, over ``spike``."""
        return to_dataset(
            {"spikes/times": self.times, "spikes/neurons": self.neurons},
            units={},
            size=self.size,
            metadata="",
            attributes={},
        )

    def __eq__(self, other: object) -> bool:
        return same(self, other) if isinstance(other, SpikeTrains) else NotImplemented

    def __hash__(self) -> int:
        return hash((len(self), self.size))

    def __repr__(self) -> str:
        return f"SpikeTrains({len(self)} spikes, size={self.size})"


class Trains(dict[str, SpikeTrains]):
    """Spike trains by population and group."""

    def __missing__(self, name: str) -> SpikeTrains:
        raise UnknownName(f"there are no spikes of '{name}'; there are those of {', '.join(self) or 'nobody'}.")


def crossings(t: Any, V: Any, V_th: Any, *, cubic: bool = False) -> SpikeTrains:
    """The spikes in a recorded voltage: upward crossings, ``V[k-1] < V_th <= V[k]``, interpolated linearly.

    Args:
        t: times of the samples in ms, of shape ``(n_samples,)``.
        V: voltage in mV, of shape ``(n_samples, *size)``.
        V_th: threshold in mV, one for all or of shape `size`.
        cubic: interpolate by the cubic through the four samples about the crossing, which is of fourth order: for solvers of more
            than second order.

    Raises:
        ModelError: where the shapes do not belong together.
    """
    time, voltage = np.asarray(t, float), np.asarray(V)
    if time.ndim != 1 or voltage.ndim < 1 or len(voltage) != len(time):
        raise ModelError(
            f"crossings() needs one sample of V per time: t has the shape {time.shape}, V {voltage.shape}."
        )
    size = voltage.shape[1:]
    try:
        threshold = np.broadcast_to(np.asarray(V_th, float), size)
    except ValueError:
        raise ModelError(f"V_th of shape {np.shape(V_th)} does not fit a population of size {size}.") from None
    flat, threshold = voltage.reshape(len(time), -1), threshold.ravel()
    level = threshold.astype(flat.dtype)  # V may be large: it is compared once, as it is, without a copy
    above = flat >= (level[0] if level.size and (level == level[0]).all() else level)
    before, neurons = np.divmod(np.flatnonzero(above[1:] > above[:-1]), max(flat.shape[1], 1))
    known = flat[before, neurons] < level[neurons]  # NaN is not below either
    before, neurons = before[known], neurons[known]
    V_0, V_1 = flat[before, neurons].astype(float), flat[before + 1, neurons].astype(float)
    fraction = (threshold[neurons] - V_0) / (V_1 - V_0)
    if cubic and len(time) > 3:
        fraction = _on_cubics(time, flat, before, neurons, threshold[neurons])
    times = time[before] + fraction * (time[before + 1] - time[before])
    order = np.argsort(times, kind="stable")  # they are nearly in order; of one time, neurons are
    return SpikeTrains(times[order], neurons[order], size)


def _on_cubics(t: np.ndarray, V: np.ndarray, before: np.ndarray, neurons: np.ndarray, level: np.ndarray) -> np.ndarray:
    """The share of each interval, which begins with sample `before`, at which the cubic through four samples is at `level`."""
    first = np.clip(before - 1, 0, len(t) - 4)
    rows = first + np.arange(4)[:, None]
    length = t[before + 1] - t[before]
    nodes, values = (t[rows] - t[before]) / length, V[rows, neurons].astype(float) - level
    low, high = np.zeros(len(before)), np.ones(len(before))
    for _ in range(54):  # halves: the cubic is below at one end and not at the other
        middle = (low + high) / 2
        total = np.zeros(len(before))
        for i in range(4):
            others = [j for j in range(4) if j != i]
            total += values[i] * np.prod([(middle - nodes[j]) / (nodes[i] - nodes[j]) for j in others], axis=0)
        low, high = np.where(total < 0, middle, low), np.where(total < 0, high, middle)
    return high
