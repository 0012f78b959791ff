"""Stimuli of cells of different shapes that are one block."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..cells import MultiCompartment
from ..cells.forest import Forest, forest_of
from ..stimuli.current import Counted
from .blocks import same_numbers
from .spread import SomeNodes


def over_trees(cells: Sequence[MultiCompartment], stimuli: Sequence[Counted | None]) -> Any:
    """The stimuli of populations as that of their block; None where nobody has one.

    The same stimulus at places of each, whatever their shapes, is one: a program does not grow with them.
    """
    if all(x is None for x in stimuli):
        return None
    forest, shapes = forest_of(cells), tuple((len(cell.compartments.tree), *cell.size) for cell in cells)
    return _as_one(forest, stimuli) or Trees(tuple(stimuli), forest, shapes)


def _as_one(forest: Forest, stimuli: Sequence[Counted | None]) -> Counted | None:
    """The one stimulus that goes in at places of several populations; None where they are not alike."""
    given = [(x.form, x.numbers, stand) for x, stand in zip(stimuli, forest.stands, strict=True) if x is not None]
    unit = next(x.unit for x in stimuli if x is not None)
    first, numbers, _ = given[0]
    if not isinstance(first, SomeNodes):
        return None
    own = numbers["inner"]
    if Counted(unit, first.inner, own).shape != ():
        return None
    rows, factors = [], []
    for form, of, stand in given:
        if not isinstance(form, SomeNodes) or form.inner != first.inner:
            return None
        if jax.tree.structure(of["inner"]) != jax.tree.structure(own) or not same_numbers(of["inner"], own):
            return None
        rows.append(stand.rows[of["nodes"]])
        factors.append(np.repeat(of["factor"], stand.rows.shape[1]))
    form = SomeNodes(first.inner, (len(forest.parent), 1))
    nodes = np.concatenate([x.ravel() for x in rows]).astype(np.int32)
    return Counted(unit, form, {"inner": own, "nodes": nodes, "factor": np.concatenate(factors)})


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False)
class Trees:
    """Stimuli of different kinds, each of a population of a forest; `shapes` with nodes first."""

    stimuli: tuple[Counted | None, ...]
    forest: Forest
    shapes: tuple[tuple[int, ...], ...]

    def mean(self, n: Any, first: Any = 0.0, last: Any = 1.0) -> Array:
        """As `Counted.mean`, over the rows of the forest."""
        return self._over([None if x is None else x.mean(n, first, last) for x in self.stimuli])

    def at(self, n: Any, share: Any) -> Array:
        """As `Counted.at`."""
        return self._over([None if x is None else x.at(n, share) for x in self.stimuli])

    @property
    def edges(self) -> int:
        """As `Counted.edges`."""
        return max(x.edges for x in self.stimuli if x is not None)

    def _over(self, amounts: Sequence[Any]) -> Array:
        forest = self.forest
        out = jnp.zeros((len(forest.parent), forest.lanes), jnp.result_type(*(x for x in amounts if x is not None)))
        for x, stand, shape in zip(amounts, forest.stands, self.shapes, strict=True):
            if x is not None:
                whole = jnp.broadcast_to(
                    jnp.reshape(x, (1, *jnp.shape(x))) if jnp.ndim(x) and jnp.ndim(x) < len(shape) else x, shape
                )
                out = out.at[stand.rows].set(whole.reshape(*stand.rows.shape, forest.lanes))
        return out

    def tree_flatten(self) -> tuple[Any, Any]:
        return (self.stimuli,), (self.forest, self.shapes)

    @classmethod
    def tree_unflatten(cls, static: Any, children: Any) -> "Trees":
        return cls(children[0], *static)
