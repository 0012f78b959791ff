"""What a run works on: what is static, the numbers, and what is carried from step to step.

The engine knows blocks and paths, not labels. A block is an array of cells of one structure, or of sources; a path is all
synapses of one kind onto one block. `layout` makes them of a model and finds a label's part in them again.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..cells.record import Probe
from ..networks.sources import Poisson, PoissonByStep, SpikesByStep, SpikeSource
from ..state import NetworkState
from .electrical import Junctions
from .joined import Joint
from .protocols import Solver
from .solvers.filled import Filled
from .solvers.held import HELD
from .solvers.pinned import Pin, Pinned


class Path(NamedTuple):
    """What is static of the synapses of one kind onto one block.

    Attributes:
        pre: the blocks whose neurons, one after another, are the sources.
        lanes: how many states of it each target has: projections whose synapses may not be added up have one each.
        first: number of the source that has the first row.
        delay: in steps, of all; None where synapses have delays of their own.
        longest: the longest delay in steps.
        uniform: whether no synapse has a weight of its own; what arrives is then multiplied, once for each target.
        unit: of the weight.
        several: whether a source may send several spikes in one step.
        counts: the type of whole numbers in which what arrives is counted while a run goes on; empty where it is amounts.
        nodes: of targets with compartments the nodes where the synapses are, one lane for each and, of a forest, those of all trees of the
            target lane by lane; empty for points.
        size: of such targets the shape of the population, over which states are.
    """

    label: str
    pre: tuple[str, ...]
    post: str
    lanes: int
    first: int
    delay: int | None
    longest: int
    uniform: bool
    unit: str
    frozen: bool
    several: bool
    counts: str = ""
    nodes: tuple[int, ...] = ()
    size: tuple[int, ...] = ()


class Abreast(NamedTuple):
    """Paths that one walk serves, by label: as if they were one path, with so many `lanes` for each of them."""

    path: Path
    labels: tuple[str, ...]
    lanes: tuple[int, ...]


class Parts(NamedTuple):
    """The arguments of a run: numbers only.

    Attributes:
        blocks: cells and sources by block.
        pathways: by path ``(synapse, plasticity, weight, initial)``.
        synapses: `Rows` or `Flat` by path to walk, or `Pairs` for the product.
        stimuli: by block, densities counted in steps.
        clamps: by block, what holds its cells.
    """

    blocks: Mapping[str, Any]
    pathways: Mapping[str, Any]
    synapses: Mapping[str, Any]
    stimuli: Mapping[str, Any]
    clamps: Mapping[str, Any]


class Let(NamedTuple):
    """What is recorded of a path: a state of its targets or, if `at_source`, of its sources; or what it lets through: without a
    field the conductance, and if `as_current` the current, inward positive."""

    field: str = ""
    at_source: bool = False
    as_current: bool = False


class Record(NamedTuple):
    """One thing to record: a probe of the neurons ``first:stop:by`` of a block, or something of a path in a lane.

    Attributes:
        part: the block or path.
        over: the block whose neurons it has values of.
        listed: numbers of the neurons, where they are no range.
        shape: of one sample.
        nodes: of synapses on compartments, as those of the path; conductances and currents are summed over its `places`.
        span: the first lane of the path that is asked for and that after the last, where several projections land on places.
    """

    name: str
    unit: str
    part: str
    over: str
    probe: Probe | Let
    lane: int
    first: int
    stop: int
    by: int
    listed: tuple[int, ...] | None
    shape: tuple[int, ...]
    nodes: tuple[int, ...] = ()
    places: int = 1
    span: tuple[int, int] | None = None

    def read(self, parts: Parts, state: NetworkState) -> Array:
        if isinstance(self.probe, Probe):
            values = self.probe.read(parts.blocks[self.part], state.cells[self.part])
        elif self.probe.at_source:
            values = state.sources[self.part][self.probe.field]
        else:
            values = self._of_synapses(self.probe, parts, state)
            values = values[self.lane] if self.lane >= 0 else values
        return self.cut(values)

    def _of_synapses(self, probe: Let, parts: Parts, state: NetworkState) -> Array:
        states, synapse = state.synapses[self.part], parts.pathways[self.part][0]
        if self.span is not None:
            inside = slice(*self.span)
            states = {name: x[inside] for name, x in states.items()}
            synapse = jax.tree.map(lambda x: x[inside] if jnp.ndim(x) else x, synapse)
        if probe.field:
            return states[probe.field]
        V = state.cells[self.over].V
        at = V if self.lane < 0 else V.reshape(1, -1)
        if self.nodes:
            at = V[np.asarray(self.nodes)].reshape(next(iter(states.values())).shape)
        amount = synapse.conductance(states, at)
        if probe.as_current:
            amount = amount * (synapse.E - at) * (1e-3 if self.unit == "nA" else 1.0)  # nS times mV are pA
        return jnp.sum(amount.reshape(self.places, -1), axis=0) if self.places > 1 else amount

    def of_all(self, samples: Any) -> Any:
        """What is asked for of samples of all values of a block, as several devices record them."""
        flat = samples.reshape(len(samples), -1)
        listed = slice(self.first, self.stop, self.by) if self.listed is None else np.asarray(self.listed, np.int32)
        return flat[:, listed].reshape(len(samples), *self.shape)

    def cut(self, values: Array) -> Array:
        """Of the values of a block those asked for."""
        if self.listed is not None:
            return values.reshape(-1)[np.asarray(self.listed, np.int32)].reshape(self.shape)
        if (self.first, self.stop, self.by) == (0, values.size, 1):
            return values.reshape(self.shape)
        return values.reshape(-1)[self.first : self.stop : self.by].reshape(self.shape)


class Plan(NamedTuple):
    """What is static in a run: hashable.

    Attributes:
        sizes: by block the shape of its arrays; on several devices of the part that one holds.
        abreast: paths that share a walk; their synapses are under the label of what it is as one path.
        events: blocks of cells whose spikes are recorded, by step.
        numbers: blocks of sources of which is recorded how many spikes each has in a step.
        shares: blocks of which is recorded after what share of a step V crossed the threshold.
        counted: by block, under what name spikes are counted in a differentiable run.
        lanes: whether the processor has many, so that spikes are delivered in blocks and not one by one.
        axis: of the devices, where they are several.
        held: blocks whose V is given, by an ideal clamp.
        pinned: blocks of cells with compartments of which one is held by an ideal clamp, and which.
        filled: blocks of cells with compartments that are filled up, and the shape of the cells beside one another.
        junctions: gap junctions between points; `joints` hold those of cells with compartments.
    """

    solver: Solver
    sizes: tuple[tuple[str, tuple[int, ...]], ...]
    paths: tuple[Path, ...] = ()
    abreast: tuple[Abreast, ...] = ()
    records: tuple[Record, ...] = ()
    every: int = 1
    events: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    shares: tuple[str, ...] = ()
    counted: tuple[tuple[str, str], ...] = ()
    junctions: tuple[Junctions, ...] = ()
    joints: tuple[Joint, ...] = ()
    lanes: bool = False
    axis: str | None = None
    devices: int = 1
    held: tuple[str, ...] = ()
    pinned: tuple[tuple[str, Pin], ...] = ()
    filled: tuple[tuple[str, tuple[int, ...]], ...] = ()

    def pin(self, block: str) -> Pin | None:
        """Where the cells of a block are held."""
        return dict(self.pinned).get(block)

    def method(self, block: str) -> Solver:
        """What advances a block."""
        if block in self.held:
            return HELD
        if pin := self.pin(block):
            return Pinned(self.solver, pin)
        beside = dict(self.filled).get(block)
        return self.solver if beside is None else Filled(self.solver, beside)


class Carry(NamedTuple):
    """Everything that a run advances.

    Attributes:
        cells: the solver's carry by block.
        synapses: states of the targets by path.
        sources: states of the sources by path; empty where there are none.
        rings: spikes under way by path; None without a delay.
        sent: of synapses with delays of their own what the sources sent in the last steps, from which a state's ring is made.
    """

    cells: dict[str, Any]
    synapses: dict[str, dict[str, Array]]
    sources: dict[str, dict[str, Array]]
    rings: dict[str, Any]
    sent: dict[str, Any]


class Times(NamedTuple):
    """How steps are counted; their numbers in a run begin at 0.

    Attributes:
        origin: number of the run's first step for stimuli and given spikes: its time over dt.
        past: steps of the runs that this one continues, so that what is random does not repeat.
        ages: by block, the number that the solver gives to the first step.
    """

    origin: Any
    past: Any
    ages: dict[str, Any]


def is_source(population: Any) -> bool:
    return isinstance(population, Poisson | PoissonByStep | SpikeSource | SpikesByStep)


def is_point(population: Any) -> bool:
    """Whether it is of point neurons."""
    return not is_source(population) and population.pointwise


def count_of(size: tuple[int, ...]) -> int:
    return math.prod(size)
