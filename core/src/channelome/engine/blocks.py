"""Populations of one structure as one: their numbers, and their stimuli, side by side."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..registry.provenance import About
from ..stimuli.current import Counted, scaled


def structure(population: Any) -> Any:
    """What populations of one block have in common: everything but size, numbers and where they come from."""
    return jax.tree.structure(resized(population, ()))


def resized(cell: Any, size: tuple[int, ...]) -> Any:
    """The cell with another size; its arrays stay as they are."""
    new = object.__new__(type(cell))
    new.__dict__.update(cell.__dict__, size=size, about=About())
    return new


def same_numbers(a: Any, b: Any) -> bool:
    """Whether two pytrees of one structure hold the same numbers."""
    if a is b:
        return True
    return all(
        x is y or (np.shape(x) == np.shape(y) and bool(np.all(np.asarray(x) == np.asarray(y))))
        for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    )


def over_all(values: Sequence[Any], counts: Sequence[int], whole: tuple[int, ...]) -> Any:
    """Of one number for each population, or an array over it, one for the block: a number where all are the same.

    What the block has beyond its populations has the number of the last neuron.
    """
    if all(np.ndim(x) == 0 for x in values) and len({np.asarray(x).tobytes() for x in values}) == 1:
        return values[0]
    each = [np.broadcast_to(np.ravel(x), (n,)) for x, n in zip(values, counts, strict=True)]
    beyond = math.prod(whole) - sum(counts)
    return np.concatenate([*each, np.repeat(each[-1][-1:], beyond)]).reshape(whole)


def together(cells: Sequence[Any], whole: tuple[int, ...]) -> Any:
    """Cells of one structure as one of the shape `whole`."""
    if len(cells) == 1 and cells[0].size == whole:
        return cells[0]
    counts = [math.prod(cell.size) for cell in cells]
    leaves = [
        over_all(column, counts, whole) for column in zip(*(jax.tree.leaves(cell) for cell in cells), strict=True)
    ]
    return jax.tree.unflatten(jax.tree.structure(resized(cells[0], whole)), leaves)


def stimuli_together(
    stimuli: Sequence[Counted | None], counts: Sequence[int], whole: tuple[int, ...], alone: bool, dtype: Any
) -> Any:
    """The stimuli of populations as that of their block, of the shape `whole`; None where nobody has one.

    Where all are of one kind, their numbers stand side by side like parameters. Others are taken one by one.

    Args:
        alone: whether the block is its one population.
    """
    given = [stimulus for stimulus in stimuli if stimulus is not None]
    if not given or alone:
        return given[0] if given else None
    filled = list(stimuli)
    if len(given) < len(stimuli):
        silent = scaled(_of_one(given[0]), 0.0, dtype)
        filled = [silent if x is None else scaled(x, 1.0, dtype) for x in stimuli]
    if len({jax.tree.structure(x) for x in filled}) == 1 and all(x is not None and by_neuron(x) for x in filled):
        axes = jax.tree.leaves(filled[0].neurons())  # pyright: ignore
        columns = list(zip(*(jax.tree.leaves(x) for x in filled), strict=True))
        if all(axis == 0 or _one(column) for axis, column in zip(axes, columns, strict=True)):
            leaves = [over_all(c, counts, whole) if axis == 0 else c[0] for axis, c in zip(axes, columns, strict=True)]
            return jax.tree.unflatten(jax.tree.structure(filled[0]), leaves)
    beyond = math.prod(whole) - sum(counts)
    return (
        Pieces((*stimuli, None), (*counts, beyond), whole) if beyond else Pieces(tuple(stimuli), tuple(counts), whole)
    )


def by_neuron(stimulus: Counted, over_nodes: bool = False) -> bool:
    """Whether its shape is that of its numbers for neurons, and nothing is drawn or given for a population at once; of a tree's nodes it is
    then over these, one for all cells."""
    shape = _of_one(stimulus).shape
    return shape == () or (over_nodes and len(shape) > 1 and shape[1] == 1)


def _of_one(stimulus: Counted) -> Counted:
    """As its first neuron has it."""
    return jax.tree.map(
        lambda axis, x: x.reshape(-1)[0] if axis == 0 and np.ndim(x) else x, stimulus.neurons(), stimulus
    )


def _one(column: Sequence[Any]) -> bool:
    """Whether all hold the same numbers, which are the same for all neurons."""
    return all(
        x is column[0] or (isinstance(x, np.ndarray | np.generic) and same_numbers(x, column[0])) for x in column
    )


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False)
class Pieces:
    """Stimuli of different kinds, each of so many neurons of a block."""

    stimuli: tuple[Counted | None, ...]
    counts: tuple[int, ...]
    whole: tuple[int, ...]

    def mean(self, n: Any, first: Any = 0.0, last: Any = 1.0) -> Any:
        """As `Counted.mean`, over the block."""
        cuts = zip(self.stimuli, self._cut(first), self._cut(last), strict=True)
        return self._over([None if x is None else x.mean(n, a, b) for x, a, b in cuts])

    @property
    def edges(self) -> int:
        """As `Counted.edges`."""
        return max((x.edges for x in self.stimuli if x is not None), default=0)

    def edge(self, n: Any, share: Any) -> Any:
        """As `Counted.edge`, over the block."""
        cuts = zip(self.stimuli, self._cut(share), strict=True)
        return self._over([None if x is None else x.edge(n, part) for x, part in cuts], 1.0)

    def _cut(self, x: Any) -> list[Any]:
        """The parts of an array over the block; what is for all as it is."""
        if jnp.ndim(x) == 0:
            return [x] * len(self.counts)
        return jnp.split(jnp.ravel(x), np.cumsum(self.counts)[:-1])

    def at(self, n: Any, share: Any) -> Any:
        """As `Counted.at`, over the block."""
        return self._over([None if x is None else x.at(n, share) for x in self.stimuli])

    def _over(self, amounts: Sequence[Any], without: float = 0.0) -> Any:
        known = jnp.result_type(*(x for x in amounts if x is not None))
        parts = [
            jnp.broadcast_to(jnp.ravel(jnp.asarray(without if x is None else x, known)), (n,))
            for x, n in zip(amounts, self.counts, strict=True)
        ]
        return jnp.concatenate(parts).reshape(self.whole)

    def neurons(self) -> "Pieces":
        """As `Counted.neurons`: nothing is along the block, each piece is whole on every device."""
        return jax.tree.map(lambda _: -1, self)

    def tree_flatten(self) -> tuple[tuple[Any], tuple[tuple[int, ...], tuple[int, ...]]]:
        return (self.stimuli,), (self.counts, self.whole)

    @classmethod
    def tree_unflatten(cls, shape: tuple[tuple[int, ...], tuple[int, ...]], children: tuple[Any]) -> "Pieces":
        return cls(children[0], *shape)
