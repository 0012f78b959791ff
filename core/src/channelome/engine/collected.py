"""What comes back of a run chunk by chunk: records, and spikes unpacked under the labels of their populations."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..networks import Network
from ..results.archive import fetched
from ..results.spikes import SpikeTrains
from .delivery import several, unpack
from .layout import Layout
from .loops import Chunk
from .plan import Plan, count_of

_Events = dict[int, tuple[np.ndarray, np.ndarray]]
"""By the number of the chunk's first sample: a chunk that is put away twice counts once."""


class Collected:
    """What has come back of a run so far.

    Args:
        plan: of the whole, also where `devices` share it.
        devices: how many share it; None where it is not shared.
        count: samples that the run is to have after the first.
        length: samples in one chunk.
    """

    def __init__(self, plan: Plan, layout: Layout, devices: int | None, dt: float, count: int, length: int) -> None:
        self.plan, self.layout, self.dt = plan, layout, dt
        self.shared, self.devices = devices is not None, devices or 1
        self.count, self.length = count, length
        self.data: dict[str, np.ndarray] = {}
        self.words: dict[str, _Events] = {name: {} for name in plan.events}
        self.shares: dict[str, _Events] = {name: {} for name in plan.shares}
        self.numbers: dict[str, _Events] = {name: {} for name in plan.numbers}

    def take(self, out: Chunk, first: int, now: int) -> None:
        """Put `now` samples of a chunk that began at sample `first` to what is there."""
        for record in self.plan.records:
            rows = fetched(out.samples[record.name])[: now + 1]
            if self.shared:
                rows = record.of_all(rows)
            if self.count <= self.length:  # without a copy, unless that would hold on to much more than it shows
                self.data[record.name] = rows if now > self.length // 2 else rows.copy()
                continue
            if first == 0:
                self.data[record.name] = np.empty((self.count + 1, *record.shape), rows.dtype)
            again = int(first > 0)  # the chunk before ends where this one begins, and rounds as all within a loop are
            self.data[record.name][first + again : first + now + 1] = rows[again:]
        for name, words in out.words.items():
            rows = fetched(words)[:now].reshape(now * self.plan.every, -1)
            steps, neurons = unpack(rows, count_of(dict(self.plan.sizes)[name]) // self.devices)
            self.words[name][first] = first * self.plan.every + steps + 1, neurons
        for name, numbers in out.numbers.items():
            rows = fetched(numbers)[:now].reshape(now * self.plan.every, -1)
            steps, neurons = several(rows)
            self.numbers[name][first] = first * self.plan.every + steps + 1, neurons
        for name, shares in out.shares.items():
            flat = fetched(shares)[:now].reshape(-1)
            where = np.flatnonzero(flat != 0)  # of flags, which is many times as fast as of floats
            steps, neurons = np.divmod(where, max(flat.size // (now * self.plan.every), 1))
            self.shares[name][first] = first * self.plan.every + steps + flat[where].astype(float), neurons

    def spikes(self, origin: int) -> dict[str, SpikeTrains]:
        """Spikes by population, in the order of time, of a run whose first step has the number `origin`."""
        found: dict[str, SpikeTrains] = {}
        for name, parts in (self.words | self.shares | self.numbers).items():
            steps, neurons = (
                (np.concatenate(column) for column in zip(*parts.values(), strict=True))
                if parts
                else (np.zeros(0), np.zeros(0, int))
            )
            times = (origin + steps) * self.dt
            if name in self.shares:
                order = np.argsort(times, kind="stable")
                times, neurons = times[order], neurons[order]
            found |= self._by_label(name, times, neurons)
        return {label: found[label] for label in self.layout.places if label in found}

    def _by_label(self, block: str, times: np.ndarray, neurons: np.ndarray) -> dict[str, SpikeTrains]:
        inside = [(label, place) for label, place in self.layout.places.items() if place.block == block]
        there = sum(place.n for _, place in inside)
        if there < self.layout.counts[block]:  # the others are nobody's
            times, neurons = times[neurons < there], neurons[neurons < there]
        if len(inside) == 1:
            return {inside[0][0]: SpikeTrains(times, neurons, inside[0][1].size)}
        begins = np.asarray([place.first for _, place in inside])
        owner = np.searchsorted(begins, neurons, side="right") - 1
        order = np.argsort(owner, kind="stable")
        cuts = np.searchsorted(owner[order], np.arange(len(inside) + 1))
        found = {}
        for (label, place), a, b in zip(inside, cuts[:-1], cuts[1:], strict=True):
            mine = order[a:b]
            found[label] = SpikeTrains(times[mine], neurons[mine] - place.first, place.size)
        return found


def of_groups(network: Network, spikes: Mapping[str, SpikeTrains]) -> dict[str, SpikeTrains]:
    """The spikes of each group, its neurons numbered from 0."""
    found = {}
    for name, _ in network.groups:
        label, index = network.indices(name)
        whole = spikes[label]
        number = np.full(math.prod(whole.size), -1)
        number[index] = np.arange(index.size)
        mine = number[whole.neurons]
        found[name] = SpikeTrains(whole.times[mine >= 0], mine[mine >= 0], (index.size,))
    return found


def counts_of(spikes: SpikeTrains, t: np.ndarray, size: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Spikes since the sample before, of the shape (samples, *size)."""
    counts = np.zeros((t.size, math.prod(size)), dtype)
    rows = np.searchsorted(t, spikes.times - 1e-9 * (t[1] - t[0] if t.size > 1 else 1.0))
    np.add.at(counts, (np.minimum(rows, t.size - 1), spikes.neurons), 1)
    return counts.reshape(t.size, *size)
