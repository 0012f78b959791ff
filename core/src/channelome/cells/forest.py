"""Cells of different shapes as one: their trees side by side in one array of nodes, swept at once.

Nodes of all trees stand in the order of their depth, so that a sweep is the loop over nodes that it is for one tree; every root hangs on itself by no conductance at
all, so that nothing of one tree, a NaN neither, gets into another. As many cells as the sizes of the populations have in common lie beside one another at each node, and a population of more is as many trees.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..registry.provenance import About
from ..state import State
from .beside import side_by_side
from .cable import Cable, Everywhere, Where, nodes_first, nodes_last
from .diffusion import Diffusion
from .laid import laid_out, nodes_of, standing_at
from .rounds import rounds_of
from .tree import Links

if TYPE_CHECKING:
    from ..morphology import Compartments
    from .multi import MultiCompartment


def kind(cell: "MultiCompartment") -> Any:
    """What cells of one forest have in common: their mechanisms by label, their temperature."""
    bare = object.__new__(type(cell))
    same = {"compartments": None, "regions": (), "spikes_at": "", "size": (), "about": About()}
    bare.__dict__.update(cell.__dict__, **same)
    celsius = cell.celsius
    return jax.tree.structure(bare), None if celsius is None else float(celsius) if np.ndim(celsius) == 0 else object()


@dataclass(frozen=True, eq=False)
class Stand:
    """Where a population stands in a forest.

    Attributes:
        size: its shape.
        rows: of shape (m, trees): the row of each of its nodes, in the order of its own tree, in each of its trees.
        parts: the same of each part, among the rows of the part.
    """

    size: tuple[int, ...]
    rows: np.ndarray
    parts: Mapping[str, np.ndarray]

    def of(self, label: str) -> np.ndarray:
        """The rows of a part, or of V."""
        return self.parts.get(label, self.rows)

    def cut(self, state: State) -> State:
        """The population's state, nodes last, from that of the forest."""

        def one(x: Array, rows: np.ndarray) -> Array:
            return nodes_last(x[rows].reshape(rows.shape[0], *self.size))

        return _each(state, lambda label, x: one(x, self.of(label)))

    def shaped(self, state: State, stands: Sequence["Stand"]) -> State:
        """A state of the forest, empty, for states like this one."""

        def one(label: str, x: Array) -> Array:
            rows = sum(stand.of(label).size for stand in stands)
            return jnp.zeros((rows, math.prod(self.size) // self.rows.shape[1]), x.dtype)

        return _each(state, one)

    def put(self, whole: State, state: State) -> State:
        """The state of the forest with that of the population, nodes last, in it."""

        def one(label: str, x: Array, own: Array) -> Array:
            rows = self.of(label)
            return x.at[rows].set(nodes_first(own).reshape(*rows.shape, -1).astype(x.dtype))

        return _each(whole, one, state)


def _each(state: State, f: Any, *others: State) -> State:
    """A state with `f` of each array, and of those of other states."""

    def over(name: str) -> Any:
        return {
            label: {k: f(label, x, *(getattr(other, name)[label][k] for other in others)) for k, x in of.items()}
            for label, of in getattr(state, name).items()
        }

    behind = None if state.behind is None else over("behind")
    V = f("", state.V, *(other.V for other in others))
    return State(V, over("channels"), over("ions"), behind, state.lag)


class Forest:
    """How cells of several shapes, so many of each, stand in one array of nodes.

    Attributes:
        lanes: cells beside one another at each node.
        parent, order: of each row its parent's; the place of each in what populations give, one after another.
        stands: by population.
        where: of each part.
        tables: as those of `Cable`.
    """

    def __init__(
        self, cuts: Sequence["Compartments"], sizes: Sequence[tuple[int, ...]], inside: Mapping[str, Sequence[Any]]
    ) -> None:
        counts = [math.prod(size) for size in sizes]
        self.lanes = math.gcd(*counts)
        trees = [n // self.lanes for n in counts]
        spans = [len(cut.tree) * t for cut, t in zip(cuts, trees, strict=True)]
        begins = np.concatenate([[0], np.cumsum(spans)])
        numbers = [begin + np.arange(span).reshape(-1, t) for begin, span, t in zip(begins, spans, trees, strict=False)]
        depth = np.concatenate([np.repeat(cut.tree.depth, t) for cut, t in zip(cuts, trees, strict=True)])
        self.order = np.argsort(depth, kind="stable")
        position = np.empty_like(self.order)
        position[self.order] = np.arange(len(depth))
        above = np.concatenate([own[cut.tree.parent].ravel() for own, cut in zip(numbers, cuts, strict=True)])
        roots = depth[self.order] == depth.min()
        self.parent = np.where(roots, np.arange(len(depth)), position[above[self.order]]).astype(np.int32)
        rows = [position[own].astype(np.int32) for own in numbers]
        self.tables: dict[str, Any] = {}
        self.where: dict[str, Where] = {}
        parts: list[dict[str, np.ndarray]] = [{} for _ in cuts]
        for label, masks in inside.items():
            if all(mask is None for mask in masks):
                self.where[label] = Everywhere()
                continue
            there = [own if mask is None else own[mask] for own, mask in zip(rows, masks, strict=True)]
            nodes = np.sort(np.concatenate([own.ravel() for own in there]))
            self.where[label] = standing_at(nodes, len(depth), self.tables)
            for mine, own in zip(parts, there, strict=True):
                mine[label] = np.searchsorted(nodes, own).astype(np.int32)
        self.stands = [Stand(size, own, of) for size, own, of in zip(sizes, rows, parts, strict=True)]


def forest_of(cells: Sequence["MultiCompartment"]) -> Forest:
    """The forest of populations, found once for their shapes."""
    return _forest(
        tuple(cell.compartments for cell in cells), tuple(c.size for c in cells), tuple(_places(c) for c in cells)
    )


def _places(cell: "MultiCompartment") -> tuple[tuple[str, str | None], ...]:
    return tuple((label, dict(cell.regions).get(label)) for label in (*cell.ions, *cell.channels))


@functools.lru_cache(maxsize=32)
def _forest(cuts: Any, sizes: Any, places: Any) -> Forest:
    inside: dict[str, list[Any]] = {}
    for cut, of in zip(cuts, places, strict=True):
        for label, region in of:
            mask = None
            if region is not None:
                mask = np.zeros(len(cut.tree), bool)
                mask[cut.tree.position[cut.numbers(region)]] = True
            inside.setdefault(label, []).append(mask)
    return Forest(cuts, sizes, inside)


def grown(cells: Sequence["MultiCompartment"]) -> Cable:
    """Populations of one kind as one cell in the order of the forest."""
    forest, own = forest_of(cells), [laid_out(cell) for cell in cells]

    def over(label: str, values: Sequence[Any]) -> Any:
        return _over(label, values, forest)

    def parts(name: str) -> dict[str, Any]:
        of = [getattr(cable, name) for cable in own]
        return {
            label: jax.tree.map(lambda *values, label=label: over(label, values), *(one[label] for one in of))
            for label in of[0]
        }

    spikes = [stand.rows[int(cable.tables["spikes"])] for stand, cable in zip(forest.stands, own, strict=True)]
    g, total = (over("", [np.asarray(getattr(cable.links, name)) for cable in own]) for name in ("g", "total"))
    counts = [math.prod(cell.size) for cell in cells]
    below = np.where(forest.parent == np.arange(len(forest.parent)), 0, forest.parent)  # rounds take it for one tree
    rounds = rounds_of(below) if jax.default_backend() != "cpu" else None
    return Cable(
        channels=parts("channels"),
        ions=parts("ions"),
        celsius=own[0].celsius,
        V=over("", [cable.V for cable in own]),
        V_th=_by_cell([cable.V_th for cable in own], counts),
        area=over("", [cable.area for cable in own]),
        capacity=over("", [cable.capacity for cable in own]),
        links=Links(forest.parent, g, total, rounds),  # pyright: ignore[reportArgumentType]
        tables={**forest.tables, "spikes": np.concatenate(spikes).astype(np.int32)},
        diffusion=_diffusion(cells, own, forest),
        size=(sum(counts),),
        where=tuple(forest.where.items()),
        width=(forest.lanes,),
    )


def _diffusion(cells: Sequence["MultiCompartment"], own: Sequence[Cable], forest: Forest) -> dict[str, Diffusion]:
    stands = [(stand.size, stand.rows) for stand in forest.stands]
    found = {}
    for label in own[0].diffusion:
        places = [(cell.compartments.tree, nodes_of(cell, label)) for cell in cells]
        there = [of[nodes].ravel() for (_, of), (_, nodes) in zip(stands, places, strict=True)]
        each = [cable.diffusion[label] for cable in own]
        found[label] = side_by_side(each, places, stands, np.sort(np.concatenate(there)))
    return found


def _over(label: str, values: Sequence[Any], forest: Forest) -> Any:
    """Of numbers or arrays with nodes first, one for each population, one array over the rows of a part; a number where all are the same."""
    values = [np.asarray(x) for x in values]
    if all(x.ndim == 0 and x == values[0] for x in values):
        return values[0]
    by_cell = any(math.prod(x.shape[1:]) > 1 for x in values)
    stands = [(stand.size, stand.of(label)) for stand in forest.stands]
    out = np.empty((sum(rows.size for _, rows in stands), forest.lanes if by_cell else 1), np.result_type(*values))
    for x, (size, rows) in zip(values, stands, strict=True):
        if math.prod(x.shape[1:]) <= 1:
            out[rows] = x.reshape(-1, 1, 1)
        else:
            out[rows] = np.broadcast_to(x, (x.shape[0], *size)).reshape(x.shape[0], rows.shape[1], forest.lanes)
    return out


def _by_cell(values: Sequence[Any], counts: Sequence[int]) -> Any:
    if all(np.ndim(x) == 0 and x == values[0] for x in values):
        return values[0]
    return np.concatenate([np.broadcast_to(np.ravel(x), (n,)) for x, n in zip(values, counts, strict=True)])
