"""What a network's run works on: what is static, the numbers, what is carried from step to step, the state in between."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jax import Array

from ..networks.sources import Poisson, SpikeSource
from ..state import NetworkState
from .electrical import Junctions
from .protocols import Solver
from .record import Probe


class Path(NamedTuple):
    """What is static of a projection.

    Attributes:
        first: number of the first source neuron.
        slots: of the ring in which spikes wait: the delay in steps, or one more than the longest of many delays.
        own_delays: whether synapses have delays of their own.
        uniform: whether all synapses have one weight, which is then multiplied once for each target.
        unit: of the weight.
    """

    label: str
    pre: str
    post: str
    first: int
    stop: int
    slots: int
    own_delays: bool
    uniform: bool
    unit: str
    frozen: bool


class Parts(NamedTuple):
    """The arguments of a run: numbers only.

    Attributes:
        populations: cells and sources by label.
        pathways: by label ``(synapse, plasticity, weight, initial)``.
        synapses: `Rows` by label to walk, or `Pairs` for the product.
        stimuli: by population.
    """

    populations: Mapping[str, Any]
    pathways: Mapping[str, Any]
    synapses: Mapping[str, Any]
    stimuli: Mapping[str, Any]


class Record(NamedTuple):
    """One thing to record: a probe of a population's neurons ``first:stop:by``, or a state of a projection's synapses."""

    name: str
    unit: str
    part: str
    probe: Probe | str
    first: int
    stop: int
    by: int

    def read(self, parts: Parts, state: NetworkState) -> Array:
        if isinstance(self.probe, str):
            values = state.synapses[self.part][self.probe]
        else:
            values = self.probe.read(parts.populations[self.part], state.cells[self.part])
        whole = (self.first, self.stop, self.by) == (0, values.size, 1)
        return values if whole else values.reshape(-1)[self.first : self.stop : self.by]


class Plan(NamedTuple):
    """What is static in a run. `sizes` are those of the part of each population that one device holds.

    Attributes:
        lanes: whether the processor has many, so that spikes are delivered in blocks and not one by one.
    """

    solver: Solver
    paths: tuple[Path, ...]
    sizes: tuple[tuple[str, tuple[int, ...]], ...]
    records: tuple["Record", ...]
    every: int
    junctions: tuple[Junctions, ...] = ()
    lanes: bool = False
    axis: str | None = None
    devices: int = 1


class Carry(NamedTuple):
    """Everything that a run advances.

    Attributes:
        cells: the solver's carry by population.
        synapses: states of the targets by projection.
        sources: states of the sources by projection; empty where there are none.
        rings: spikes under way by projection; None without a delay.
        past: steps of the runs before this one, so that what is random does not repeat.
    """

    cells: dict[str, Any]
    synapses: dict[str, dict[str, Array]]
    sources: dict[str, dict[str, Array]]
    rings: dict[str, Any]
    past: Any


def is_source(population: Any) -> bool:
    return isinstance(population, Poisson | SpikeSource)


def count_of(size: tuple[int, ...]) -> int:
    return int(np.prod(size))
