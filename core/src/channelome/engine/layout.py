"""Where the parts of a model lie in the arrays of a run: populations in blocks, projections in the lanes of paths.

Populations of one structure become one array, and projections of one kind of synapse onto it one path, so that a step costs
what its neurons and synapses cost and a program what its kinds cost, however many labels there are. Labels find their part
again by a `Layout`: records, spikes and states come back under the names that were given.

Projections onto one population whose synapses have the same parameters are added up, since their equations are linear; unless
a state of theirs is recorded. Such a sum stands in a state under the labels of all, ``"exc+more"``.
"""

import math
import os
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from ..cells.cable import nodes_last
from ..cells.forest import Stand, forest_of, kind
from ..mechanisms.transmission import Coupling, Followed
from ..networks.projection import Pathway
from ..networks.wiring import Wiring
from .blocks import same_numbers, structure
from .delivery import WORD, n_words
from .plan import is_point, is_source


class Place(NamedTuple):
    """A population in its block: number of its first neuron there, its shape, and the shape of the whole block.

    Attributes:
        cell: where it has compartments; arrays over its nodes have these first in a run, and last outside.
        stand: where its nodes are among those of cells of other shapes, if they are one block.
    """

    block: str
    first: int
    size: tuple[int, ...]
    whole: tuple[int, ...]
    cell: Any = None
    stand: Stand | None = None

    @property
    def n(self) -> int:
        return math.prod(self.size)

    @property
    def pointwise(self) -> bool:
        return self.cell is None

    @property
    def alone(self) -> bool:
        return self.size == self.whole

    @property
    def across(self) -> int:
        """How many cells lie beside one another at each node of a block of cells with compartments."""
        return self.n if self.stand is None else self.n // self.stand.rows.shape[1]

    @property
    def own(self) -> "Place":
        """The population as if it were a block: synapses at places of its cells have arrays over it alone."""
        return self._replace(first=0, whole=self.size)

    def state(self, state: Any) -> Any:
        """Of the state of the block that of the population, nodes last."""
        if self.stand is not None:
            return self.stand.cut(state)
        return jax.tree.map(self.cut if self.pointwise else nodes_last, state)

    def cut(self, x: Any) -> Any:
        """The population's part of an array over the neurons of the block; what is no such array is the same for all."""
        if self.alone or np.ndim(x) == 0:
            return x
        return self.flat(x)[self.first : self.first + self.n].reshape(self.size)

    def flat(self, x: Any) -> Any:
        """An array over the block with its neurons along one axis."""
        return x.reshape(-1, *x.shape[len(self.whole) :])


class Lane(NamedTuple):
    """The place of a projection's states: its path, the lane in it (-1 where the states have no such axis), and its label there."""

    path: str
    lane: int
    label: str


class Member(NamedTuple):
    """A projection of a path, with its label, its delay in steps (None where synapses have their own), the longest, and its lane; of one
    that lands on places of cells the first of its lanes, where these are those of several projections."""

    label: str
    pathway: Pathway
    delay: int | None
    longest: int
    lane: int


class Bundle(NamedTuple):
    """The projections that one path holds, and the number of its lanes.

    Projections onto places of cells lie one after another: of each place a lane for each tree of the target, as wide as the cells that lie
    `across` a node.
    """

    members: tuple[Member, ...]
    lanes: int
    pre: tuple[str, ...]
    post: str
    several: bool
    """Whether its sources may send several spikes in one step; those of cells have paths of their own."""
    across: int = 0
    """Cells of a lane, where several projections land on places; else 0."""

    @property
    def spread(self) -> bool:
        """Whether its lanes are places on each target, and all of one projection."""
        return self.lanes > 1 and not self.across and self.members[0].pathway.wiring.landing is not None

    def span(self, member: Member, places: Mapping[str, Place]) -> tuple[int, int]:
        """The lanes of one of several projections that land on places: the first, and that after the last."""
        wiring = member.pathway.wiring
        return member.lane, member.lane + _places_of(wiring) * places[wiring.post].n // self.across


class Layout(NamedTuple):
    """Populations, projections and, by path, what it holds; for steps of `dt` ms, on so many devices."""

    dt: float
    devices: int
    places: dict[str, Place]
    lanes: dict[str, Lane]
    bundles: dict[str, Bundle]

    @property
    def members(self) -> dict[str, list[str]]:
        """The labels of each block's populations, in their order there."""
        found: dict[str, list[str]] = {}
        for label, place in self.places.items():
            found.setdefault(place.block, []).append(label)
        return found

    @property
    def counts(self) -> dict[str, int]:
        """How many neurons each block has."""
        return {place.block: math.prod(place.whole) for place in self.places.values()}


def layout_of(
    populations: Mapping[str, Any],
    projections: Mapping[str, Pathway],
    dt: float,
    *,
    recorded: set[str],
    together: bool,
    apart: Collection[str] = (),
    devices: int = 1,
) -> Layout:
    """Where everything lies.

    Args:
        recorded: projections of which a state is recorded.
        together: whether to merge at all: not under a trace.
        apart: populations that have a block each, whatever their structure.
    """
    places = _places(populations, projections, together, apart, devices)
    sources = {label for label, population in populations.items() if is_source(population)}
    bundles: dict[str, Bundle] = {}
    for group in _groups(projections, places, sources, dt, together):
        bundle = _bundle(group, places, sources, recorded)
        bundles[group[0][0]] = bundle
    lanes = {}
    for name, bundle in bundles.items():
        by_state: dict[tuple[str, int], list[str]] = {}
        for member in bundle.members:
            by_state.setdefault((member.pathway.wiring.post, member.lane), []).append(member.label)
        for (_, lane), labels in by_state.items():
            joined = "+".join(labels)
            lane = lane if bundle.lanes > 1 and not (bundle.spread or bundle.across) else -1
            lanes |= {label: Lane(name, lane, joined) for label in labels}
    return Layout(dt, devices, places, lanes, bundles)


def _places(
    populations: Mapping[str, Any],
    projections: Mapping[str, Pathway],
    together: bool,
    apart: Collection[str],
    devices: int,
) -> dict[str, Place]:
    rows = _in_rows(devices)
    alone = set(apart) | {
        end
        for path in projections.values()
        if isinstance(path.synapse, Coupling)
        for end in (path.wiring.pre, path.wiring.post)
    }
    blocks: dict[Any, list[str]] = {}
    for label, population in populations.items():
        key: Any = label
        if together and label not in alone and not is_source(population):
            key = structure(population) if is_point(population) else kind(population)
        blocks.setdefault(key, []).append(label)
    places = {}
    for key, labels in blocks.items():
        first_of = populations[labels[0]]
        forest = len(labels) > 1 and not is_point(first_of)
        stands = forest_of([populations[label] for label in labels]).stands if forest else [None] * len(labels)
        total = sum(math.prod(populations[label].size) for label in labels)
        first, whole = 0, first_of.size if len(labels) == 1 else (total,)
        if is_point(first_of) and not isinstance(key, str):
            if rows and total >= ROWS:
                whole = (-(-total // ROW), ROW)
            elif len(whole) > 1 and devices == 1:
                whole = (total,)  # XLA makes vectors along the last axis alone, which of a sheet is short
        for label, stand in zip(labels, stands, strict=True):
            size = populations[label].size
            cell = None if is_source(populations[label]) or is_point(populations[label]) else populations[label]
            places[label] = Place(labels[0], first, size, whole, cell, stand)
            first += math.prod(size)
    return {label: places[label] for label in populations}


ROW, ROWS = 64, 2048
"""Neurons of a row, and how many there are at least in a block that lies in rows."""


def _in_rows(devices: int) -> bool:
    """Whether large blocks lie in rows, the last of which is filled up with neurons that are nobody's.

    XLA shares the neurons of such blocks among the processor's threads; of a number that it cannot divide evenly it leaves out vector
    instructions, and a step takes five to ten times as long. Rows are divided, and each is whole.
    """
    return devices == 1 and jax.default_backend() == "cpu" and _threads() > 1


def _threads() -> int:
    """Among how many threads XLA shares a step, as far as can be seen from outside."""
    asked = os.environ.get("PJRT_NPROC") or os.environ.get("NPROC") or ""
    if asked.isdecimal():
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _groups(
    projections: Mapping[str, Pathway], places: Mapping[str, Place], sources: set[str], dt: float, together: bool
) -> list[list[tuple[str, Pathway, Any]]]:
    """The projections that share a path, with their delays in steps."""
    groups: dict[Any, list[tuple[str, Pathway, Any]]] = {}
    for label, path in projections.items():
        if isinstance(path.synapse, Coupling):
            continue
        plain = not isinstance(path.synapse, Followed) and path.plasticity is None
        block = places[path.wiring.post].block
        kind = (block, jax.tree.structure(path.synapse), path.unit.symbol, path.frozen, path.wiring.pre in sources)
        delay, longest = path.wiring.longest(dt, label)
        on = () if path.wiring.landing is None else (delay,)  # so that what is under way is kept as that of each apart
        groups.setdefault((kind, on) if together and plain else label, []).append((label, path, (delay, longest)))
    return [part for group in groups.values() for part in _alike(group)]


FEW = 4
"""Sets of parameters of one kind of synapse that have a path each: numbers are cheaper than arrays of them."""


def _alike(group: list[tuple[str, Pathway, Any]]) -> list[list[tuple[str, Pathway, Any]]]:
    """The projections whose synapses have the same parameters, apart from the others; all together where these are many."""
    parts: list[list[tuple[str, Pathway, Any]]] = []
    for one in group:
        mine = next((part for part in parts if same_numbers(part[0][1].synapse, one[1].synapse)), None)
        if mine is not None:
            mine.append(one)
        elif len(parts) < FEW:
            parts.append([one])
        else:
            return [group]
    return parts


def _bundle(
    group: list[tuple[str, Pathway, Any]], places: Mapping[str, Place], sources: set[str], recorded: set[str]
) -> Bundle:
    """Each projection in the first lane of its target that it may share, or in a new one; of several onto places each in lanes of its own."""
    if len(group) > 1 and group[0][1].wiring.landing is not None:
        return _landing(group, places, sources)
    used: dict[str, list[tuple[Any, bool]]] = {}
    members = []
    for label, path, (delay, longest) in group:
        lanes = used.setdefault(path.wiring.post, [])
        own = label in recorded
        fits = (
            i for i, (synapse, taken) in enumerate(lanes) if not (taken or own) and same_numbers(synapse, path.synapse)
        )
        lane = next(fits, len(lanes))
        if lane == len(lanes):
            lanes.append((path.synapse, own))
        members.append(Member(label, path, delay, longest, lane))
    pre = tuple(dict.fromkeys(places[member.pathway.wiring.pre].block for member in members))
    landing = members[0].pathway.wiring.landing
    post = places[members[0].pathway.wiring.post].block
    several = members[0].pathway.wiring.pre in sources
    lanes = max(len(lanes) for lanes in used.values()) if landing is None else len(landing.compartments)
    return Bundle(tuple(members), lanes, pre, post, several)


def _landing(group: list[tuple[str, Pathway, Any]], places: Mapping[str, Place], sources: set[str]) -> Bundle:
    """Projections onto places of the cells of one block."""
    target = places[group[0][1].wiring.post]
    members, lanes = list[Member](), 0
    for label, path, (delay, longest) in group:
        members.append(Member(label, path, delay, longest, lanes))
        lanes += _places_of(path.wiring) * places[path.wiring.post].n // target.across
    pre = tuple(dict.fromkeys(places[member.pathway.wiring.pre].block for member in members))
    return Bundle(tuple(members), lanes, pre, target.block, group[0][1].wiring.pre in sources, target.across)


def _places_of(wiring: Wiring) -> int:
    """On how many places of each target synapses land."""
    assert wiring.landing is not None
    return len(wiring.landing.compartments)


def numbers(layout: Layout, bundle: Bundle) -> int:
    """How many numbers the sources of a bundle have: of several blocks whole words, of which each device has its own."""
    counts = layout.counts
    if len(bundle.pre) == 1 and layout.devices == 1:
        return counts[bundle.pre[0]]
    return sum(layout.devices * n_words(counts[name] // layout.devices) * WORD for name in bundle.pre)


def in_words(layout: Layout, bundle: Bundle, block: str) -> np.ndarray:
    """The number of each neuron of a block among the sources of a bundle, as their words stand one after another."""
    counts, n = layout.counts, layout.devices
    before = sum(n * n_words(counts[name] // n) * WORD for name in bundle.pre[: bundle.pre.index(block)])
    device, inside = np.divmod(np.arange(counts[block], dtype=np.int32), counts[block] // n)
    return (before + device * (n_words(counts[block] // n) * WORD) + inside).astype(np.int32)


def delay_of(bundle: Bundle) -> tuple[int | None, int]:
    """The one delay in steps, or None for delays that differ, and the longest."""
    delays = {member.delay for member in bundle.members}
    longest = max(member.longest for member in bundle.members)
    return (longest if None not in delays and len(delays) == 1 else None), longest
