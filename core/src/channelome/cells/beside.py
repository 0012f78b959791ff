"""Ions that diffuse in cells of different shapes, as one: the ways along all trees of a forest side by side."""

import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from .diffusion import Diffusion
from .paths import parents, with_junctions
from .rounds import rounds_of
from .tree import Links


def side_by_side(
    each: Sequence[Diffusion],
    places: Sequence[tuple[Any, np.ndarray]],
    stands: Sequence[tuple[tuple[int, ...], np.ndarray]],
    there: np.ndarray,
) -> Diffusion:
    """How one ion diffuses along the trees of a forest, nothing from one to another.

    Args:
        each: how it does in a cell of each population.
        places: of each population its tree, and at which nodes of it the ion is.
        stands: of each its shape, and of shape (m, trees) the row of the forest that each node of its tree has in each of its trees.
        there: shape (k,): the rows of the forest where the ion is, in order.
    """
    own = [with_junctions(tree, nodes) for tree, nodes in places]
    rows = [of[nodes] for (_, of), nodes in zip(stands, own, strict=True)]
    whole = np.sort(np.concatenate([each.ravel() for each in rows]))
    at = [np.searchsorted(whole, of) for of in rows]
    parent = np.arange(len(whole), dtype=np.int32)
    for (tree, _), nodes, where in zip(places, own, at, strict=True):
        above = parents(tree, nodes)
        parent[where[above >= 0]] = where[above[above >= 0]]
    names = each[0].names

    def over(arrays: Sequence[Any]) -> np.ndarray:
        return _over(arrays, [size for size, _ in stands], at, len(whole), kinds=len(names))

    below = np.where(parent == np.arange(len(parent)), 0, parent)  # rounds take it for one tree
    links = Links(
        parent,  # pyright: ignore[reportArgumentType]
        over([one.links.g for one in each]),  # pyright: ignore[reportArgumentType]
        over([one.links.total for one in each]),  # pyright: ignore[reportArgumentType]
        rounds_of(below) if jax.default_backend() != "cpu" else None,
    )
    inside = None if len(there) == len(whole) else np.searchsorted(whole, there).astype(np.int32)
    fastest = over([one.fastest for one in each])
    return Diffusion(
        over([one.volume for one in each]), links, fastest, inside, names, any(one.branched for one in each)
    )


def _over(
    arrays: Sequence[Any], sizes: Sequence[tuple[int, ...]], at: Sequence[np.ndarray], count: int, *, kinds: int
) -> np.ndarray:
    """Of arrays with nodes first, cells of the population's shape or one for all, and a last axis over what diffuses where it is several,
    one over the rows `at` which they stand."""
    tail = (kinds,) if kinds > 1 else ()
    flat = [np.asarray(x) for x in arrays]
    flat = [x.reshape(x.shape[0], -1, *tail) for x in flat]
    lanes = math.prod(sizes[0]) // at[0].shape[1] if any(x.shape[1] > 1 for x in flat) else 1
    out = np.empty((count, lanes, *tail), np.result_type(*flat))
    for x, size, where in zip(flat, sizes, at, strict=True):
        nodes, trees = where.shape
        if x.shape[1] > 1:
            x = np.broadcast_to(x, (nodes, math.prod(size), *tail)).reshape(nodes, trees, lanes, *tail)
        else:
            x = x[:, None]
        out[where] = x
    return out
