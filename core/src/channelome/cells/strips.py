"""The equations of one tree by strips: a few nodes side by side whose parents stand side by side too.

What a processor does for one node it does for a strip with its vectors, and a sweep takes as many turns as there are strips. A lane of a strip
that no node goes with goes with the root, whose weight to its parent is 0: it reads and writes what it finds, and changes nothing.
"""

import functools
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from .stages import FLOWS, Sides, passed_on

WIDTH = 4
"""Nodes of a strip: more lanes are rarely filled."""
WORTH = 2.5
"""Nodes that strips must hold in the mean; where they hold fewer a sweep from node to node is as fast."""


class Strips(NamedTuple):
    """Strips in the order in which substitution goes from the root to the leaves.

    Attributes:
        first: of shape (k,), the node of the first lane of each, whether that goes with it or not.
        above: of shape (k,), the parent of what goes with the first lane; those of the other lanes are the nodes after that.
        nodes: of shape (k, `WIDTH`), the node of each lane; the root, 0, for none.
    """

    first: Any
    above: Any
    nodes: Any


def strips_of(parent: np.ndarray) -> Strips | None:
    """The strips of a tree of nodes breadth first, parents before their children; None where they would not be worth it."""
    return _strips_of(np.asarray(parent, np.int32).tobytes())


@functools.lru_cache(maxsize=64)
def _strips_of(parent: bytes) -> Strips | None:
    above = np.frombuffer(parent, np.int32).tolist()
    n, depth = len(above), [0] * len(above)
    found: list[tuple[int, int]] = []
    level, begin = 0, 1
    while begin < n:
        depth[begin] = depth[above[begin]] + 1
        if depth[begin] > depth[begin - 1]:
            level = len(found)
        end = begin + 1
        while end < min(n, begin + WIDTH) and _goes_on(above, depth, begin, end):
            depth[end] = depth[begin]
            end += 1
        # The last of a level comes first: its idle lanes reach into what the level below begins with, and a read of what was
        # written in another cut waits for memory.
        found.insert(level, (begin, end))
        begin = end
    if len(found) * WORTH >= n - 1:
        return None
    begins, ends = np.array(found, np.int32).T
    first = np.minimum(begins, n - WIDTH)  # no lane lies beyond the last node
    parents = np.array(above, np.int32)[begins] - (begins - first)
    nodes = first[:, None] + np.arange(WIDTH, dtype=np.int32)
    goes = (begins[:, None] <= nodes) & (nodes < ends[:, None])
    return None if parents.min() < 0 else Strips(first, parents, np.where(goes, nodes, 0))


def _goes_on(above: list[int], depth: list[int], begin: int, end: int) -> bool:
    """Whether the node `end` belongs to the strip that begins with another."""
    return above[end] == above[begin] + end - begin and depth[above[end]] == depth[above[begin]]


def swept(strips: Strips, off: Array, sides: Sides) -> tuple[Array, ...]:
    """As `sweeps.solutions`, of arrays of shape (m,)."""
    count = strips.first.shape[0]
    begins, above = (jnp.asarray(x).astype(jnp.uint32) for x in (strips.first, strips.above))
    across = off.at[jnp.asarray(strips.nodes).ravel()].get(mode="promise_in_bounds")[:, None]
    V: Any = None if sides.V is None else sides.V[:, None]

    def at(x: Array, i: Any) -> Array:
        return lax.dynamic_slice(x, (i, jnp.uint32(0)), (WIDTH, 1))

    def put(x: Array, strip: Array, i: Any) -> Array:
        return lax.dynamic_update_slice(x, strip, (i, jnp.uint32(0)))

    def sweep(body: Any, loop: Any, upward: bool) -> Any:
        def one(k: Any, loop: Any) -> Any:
            k = jnp.uint32(count) - k if upward else k
            here, there = (lax.dynamic_slice(x, (k,), (1,))[0] for x in (begins, above))
            return body(loop, at(across, k * jnp.uint32(WIDTH)), here, there)

        begin = int(upward)
        return lax.fori_loop(jnp.uint32(begin), jnp.uint32(count + begin), one, loop)

    def apart(here: Any, there: Any) -> Array:
        return FLOWS * (at(V, here) - at(V, there))

    def eliminate(loop: Any, g: Array, here: Any, there: Any) -> Any:
        d, b = loop
        share, own = g / at(d, here), at(b, here)
        more = share * own if V is None else passed_on(share, own, g * apart(here, there))
        return put(d, at(d, there) - share * g, there), put(b, at(b, there) + more, there)

    def substitute(x: Array, g: Array, here: Any, there: Any, flows: bool = False) -> Array:
        above = at(x, there) - apart(here, there) if flows else at(x, there)
        return put(x, at(x, here) + g * at(inverse, here) * above, here)

    def again(b: Array, g: Array, here: Any, there: Any) -> Array:
        return put(b, at(b, there) + g * at(inverse, here) * at(b, here), there)

    # Within sweeps arrays have a last axis of one, as those of `sweeps._blockwise`.
    if sides.factors is None:
        d, b = sweep(eliminate, (sides.d[:, None], sides.first[:, None]), upward=True)
        inverse = 1 / d
    else:
        inverse = sides.factors[:, None]
        b = sweep(again, sides.first[:, None], upward=True)
    x = sweep(lambda *given: substitute(*given, flows=V is not None), b * inverse, upward=False)[:, 0]
    second = sides.then(x)
    if second is None:
        return x, inverse[:, 0]
    b = sweep(again, second[:, None], upward=True)
    return x, sweep(substitute, b * inverse, upward=False)[:, 0], inverse[:, 0]
