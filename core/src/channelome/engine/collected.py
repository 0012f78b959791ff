"""What comes back of a network's run: records, spikes unpacked, groups' spikes, and whether it is finite."""

import math
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from ..errors import SimulationError
from ..networks.network import Network
from ..results.archive import fetched
from ..results.spikes import SpikeTrains
from .delivery import unpack
from .loops import Chunk
from .plan import Parts, Plan


class Collected:
    """What has come back of a run so far: records, and spikes as they are unpacked."""

    def __init__(self, network: Network, plan: Plan, devices: int, step_ms: float) -> None:
        self.asked, self.every, self.devices, self.step_ms = plan.records, plan.every, devices, step_ms
        self.sizes = {name: part.size for name, part in network.populations.items()}
        self.data: dict[str, list[np.ndarray]] = {record.name: [] for record in plan.records}
        self.events: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in self.sizes}

    def take(self, out: Chunk, begin: int, count: int) -> None:
        """Put `count` samples of a chunk that began at sample `begin` to what is there."""
        for record in self.asked:
            rows = fetched(out.samples[record.name])[:count]
            if begin == 0:
                rows = np.concatenate([fetched(out.first[record.name])[None], rows])
            whole = self.devices == 1 or (record.first, record.stop, record.by) == (0, rows.shape[1], 1)
            self.data[record.name].append(rows if whole else rows[:, record.first : record.stop : record.by])
        for name, words in out.events.items():
            rows = fetched(words)[:count].reshape(count * self.every, -1)
            steps, neurons = unpack(rows, math.prod(self.sizes[name]) // self.devices)
            self.events[name].append(((begin * self.every + steps + 1) * self.step_ms, neurons))

    def spikes(self) -> dict[str, SpikeTrains]:
        found: dict[str, SpikeTrains] = {}
        for name, parts in self.events.items():
            times, neurons = (np.concatenate(column) for column in zip(*parts, strict=True))
            found[name] = SpikeTrains(times, neurons, self.sizes[name])
        return found


def of_groups(network: Network, spikes: Mapping[str, SpikeTrains]) -> dict[str, SpikeTrains]:
    """The spikes of each group, its neurons numbered from 0."""
    found = {}
    for name, _ in network.groups:
        label, index = network.indices(name)
        whole = spikes[label]
        by = int(index[1] - index[0]) if index.size > 1 else 1
        inside = (whole.neurons >= index[0]) & (whole.neurons <= index[-1])
        if by > 1:
            inside &= (whole.neurons - index[0]) % by == 0
        found[name] = SpikeTrains(whole.times[inside], (whole.neurons[inside] - index[0]) // by, (index.size,))
    return found


def check_finite(plan: Plan, parts: Parts, carry: Any, step_ms: float, begin: int, samples: int) -> None:
    """Raise where the carry at the end of a chunk is not finite, with the first part and neuron that is not."""
    leaves = jax.tree_util.tree_leaves_with_path((carry.cells, carry.synapses))
    if all(np.all(np.isfinite(fetched(x))) for _, x in leaves):
        return
    for path, x in leaves:
        wrong = ~np.isfinite(fetched(x))
        if np.any(wrong):
            first, last = (n * plan.every * step_ms for n in (begin, begin + samples))
            label, *inside = [str(getattr(key, "key", getattr(key, "name", key))) for key in path[1:]]
            where = ".".join(key for key in inside if key not in ("state", "channels", "ions"))
            raise SimulationError(
                f"{label}.{where} of neuron {int(np.argmax(wrong))} became NaN or infinite between t = {first:g} and {last:g} "
                f"ms. The step dt = {step_ms:g} ms may be too long for this solver, or a weight or parameter far off."
            )
