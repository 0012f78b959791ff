"""From what diffuses of an ion to the nodes and conductances of its diffusion, where the ion is."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..mechanisms.ions import Diffusing
from ..morphology.compartments import Compartments, Tree
from .diffusion import Diffusion
from .rounds import rounds_of
from .tree import Links


def paths(comps: Compartments, nodes: np.ndarray, moves: Mapping[str, Diffusing], bare: tuple[int, ...]) -> Diffusion:
    """Of an ion at these nodes.

    Args:
        nodes: shape (k,): in the order of the tree.
        moves: by state; arrays have the nodes first.
        bare: the shape (m, 1, ...) of an array over the tree that is the same for all cells of a population.

    At the border of its region, and at the ends of the cell, nothing flows. Compartments hold what the cylinder of the same length and
    membrane holds.
    """
    tree = comps.tree
    volume = np.concatenate([comps.area * comps.diameter / 4, np.zeros(comps.junctions)])[tree.node]
    whole = with_junctions(tree, nodes)
    inside = np.searchsorted(whole, nodes).astype(np.int32)
    parent = parents(tree, whole)
    bare = (len(whole), *bare[1:])
    near, far = (np.where(parent >= 0, x[whole], 0).reshape(bare) for x in (tree.near, tree.far))
    parent = np.maximum(parent, 0).astype(np.int32)
    names = tuple(moves)
    found = [_conductance(moves[name], near, far, parent, inside) for name in names]
    volumes = [_rows(moves[name].share, inside, bare) * volume[whole].reshape(bare) for name in names]
    g, held = _stacked(found), _stacked(volumes)
    rounds = rounds_of(parent) if jax.default_backend() != "cpu" else None
    links = _links(parent, g, rounds)
    holds = volume[whole].reshape(*bare, *(1,) * (np.ndim(held) - len(bare))) > 0
    of: Any = jnp if isinstance(g, jax.Array) or isinstance(held, jax.Array) else np
    fastest = of.max(of.where(holds, links.total / of.where(holds, held, 1), 0), axis=0, keepdims=True)
    alone = len(whole) == len(nodes)
    return Diffusion(held, links, fastest, None if alone else inside, names, bool(np.any(volume[whole] == 0)))


def with_junctions(tree: Tree, nodes: np.ndarray) -> np.ndarray:
    """The nodes with the junctions between them, in the order of the tree."""
    there = np.zeros(len(tree), bool)
    there[nodes] = True
    neighbours = np.zeros(len(tree), int)
    child = np.flatnonzero(tree.parent >= 0)
    np.add.at(neighbours, tree.parent[child], there[child])
    neighbours[child] += there[tree.parent[child]]
    return np.flatnonzero(there | ((tree.area == 0) & (neighbours > 1)))


def parents(tree: Tree, whole: np.ndarray) -> np.ndarray:
    """Of each of some nodes which of them is its parent; -1 where none is."""
    number = np.full(len(tree) + 1, -1)
    number[whole] = np.arange(len(whole))
    return number[tree.parent[whole]]


def _rows(x: Any, inside: np.ndarray, bare: tuple[int, ...]) -> Any:
    """A value of the places of an ion at all nodes: 1 at junctions beside them."""
    if np.ndim(x) == 0 or np.shape(x)[0] == 1 != len(inside) or len(inside) == bare[0]:
        return x
    if isinstance(x, jax.Array):
        return jnp.ones((bare[0], *x.shape[1:]), x.dtype).at[inside].set(x)
    rows = np.ones((bare[0], *np.shape(x)[1:]))
    rows[inside] = x
    return rows


def _conductance(moves: Diffusing, near: np.ndarray, far: np.ndarray, parent: np.ndarray, inside: np.ndarray) -> Any:
    """um^3/ms, from each node to its parent: two halves of a way in a row, each through its own cross-section."""
    easy = _rows(moves.D * moves.share, inside, near.shape)
    whole = np.ndim(easy) and np.shape(easy)[0] == len(parent)
    of: Any = jnp if isinstance(easy, jax.Array) else np
    own = of.where(near > 0, easy, easy[parent]) if whole else easy  # a junction has no way of its own
    above = of.where(far > 0, easy[parent], easy) if whole else easy
    way = near * above + far * own
    linked = near + far > 0
    return of.where(linked, own * above / of.where(linked, way, 1), 0)


def _stacked(each: list[Any]) -> Any:
    """With a last axis over what diffuses, where it is several."""
    if len(each) == 1:
        return each[0]
    of: Any = jnp if any(isinstance(x, jax.Array) for x in each) else np
    return of.stack(of.broadcast_arrays(*each), -1)


def _links(parent: np.ndarray, g: Any, rounds: Any) -> Links:
    """As `Links.of`, in NumPy where the conductances are known."""
    if isinstance(g, jax.Array):
        return Links(jnp.asarray(parent), g, g.at[parent].add(g), rounds)
    total = np.array(g)
    np.add.at(total, parent, g)
    return Links(parent, g, total, rounds)  # pyright: ignore[reportArgumentType]
