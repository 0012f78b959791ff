"""The equations of a tree solved: elimination from the leaves to the root and substitution back, in the way that is fastest here.

A loop whose body touches little becomes one machine function; many cells at once are therefore swept in blocks of lanes, and one cell of
long branches by `strips` of nodes. Processors with many lanes eliminate in rounds instead, `rounds`.
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from .rounds import Rounds, eliminated, solved
from .stages import FLOWS, Sides, passed_on
from .strips import Strips, swept
from .tangents import of_some

ROW = 64
"""Bytes of a row that the loop takes at once."""


def solutions(rounds: Rounds | None, strips: Strips | None, parent: Array, off: Array, sides: Sides) -> tuple[Any, ...]:
    """The x and, where there is a second equation, the y of `sides`, and the factors of the matrix, whatever the processor and the batch.

    Args:
        rounds: in which to eliminate on processors with many lanes; None for sweeps.
        strips: of nodes, from which to which the equations of one cell are swept; None for single nodes.
        parent: of shape (m,), of each node, less than its own number; 0 for the root.
        off: of shape (m,) or that of `sides`, the weight between each node and its parent; 0 for the root.
    """
    if strips is not None and sides.d.ndim == 1:
        return _strips(strips, parent, off, sides.alike())
    if rounds is None:
        return _blockwise(parent, off, sides.alike())
    known = sides.factors
    factors = eliminated(rounds, jnp.broadcast_to(off, sides.d.shape), sides.d) if known is None else known
    first = sides.first if sides.V is None else sides.first - FLOWS * flow(parent, off, sides.V)
    x = solved(rounds, factors, first)
    second = sides.then(x)
    return (x, factors) if second is None else (x, solved(rounds, factors, second), factors)


def flow(parent: Array, off: Array, x: Array) -> Array:
    """What flows from each node to its neighbours, of shape (m, ...) as x; the root's own is 0."""
    away = off * (x - x.at[parent].get(mode="promise_in_bounds"))
    return away.at[parent].add(-away, mode="promise_in_bounds")


def _blockwise(parent: Array, off: Array, sides: Sides) -> tuple[Array, ...]:
    """`solutions` from node to node, cells in blocks of lanes. Weights to the parents that all cells share stay one for each node."""
    shape, dtype = sides.d.shape, sides.d.dtype
    if len(shape) == 1:
        return _loops(parent, off, sides)
    m, cells = shape[0], sides.d[0].size
    if off.size > m and sides.V is not None:  # the loop would touch more than one whose body is small
        sides = sides._replace(first=sides.first - FLOWS * flow(parent, jnp.broadcast_to(off, shape), sides.V), V=None)
    missing = -cells % _blocks(cells, dtype)

    def in_rows(x: Array) -> Array:
        rows = jnp.pad(x.reshape(m, cells), [(0, 0), (0, missing)], constant_values=1)
        return rows[..., None]  # of a last axis LLVM unrolls the loop before it looks for vectors, and finds none

    off = off.reshape(m, 1, 1) if off.size == m else in_rows(jnp.broadcast_to(off, shape))
    return tuple(x[:, :cells].reshape(shape) for x in _loops(parent, off, jax.tree.map(in_rows, sides)))


def _blocks(cells: int, dtype: Any) -> int:
    """In how many blocks so many cells are swept."""
    return -(-cells // (ROW // dtype.itemsize))


@jax.custom_batching.custom_vmap
def _loops(parent: Array, off: Array, sides: Sides) -> tuple[Array, ...]:
    """`solutions` from node to node; arrays of shape (m,) or (m, cells, 1), `off` (m, 1, 1) too."""
    m, cells = sides.d.shape[0], sides.d[0].size
    V: Any = sides.V
    blocks = _blocks(cells, sides.d.dtype)
    rows = _Rows(parent.astype(jnp.uint32), cells // blocks)

    def sweep(body: Any, loop: Any, first: int, downward: bool) -> Any:
        def block(k: Any, loop: Any) -> Any:
            column = k * jnp.uint32(rows.width)

            def one(i: Any, loop: Any) -> Any:
                return body(loop, jnp.uint32(m) - i if downward else i, column)

            return lax.fori_loop(jnp.uint32(first), jnp.uint32(m), one, loop)

        return (
            block(jnp.uint32(0), loop) if blocks == 1 else lax.fori_loop(jnp.uint32(0), jnp.uint32(blocks), block, loop)
        )

    def apart(i: Any, column: Any) -> Array:
        return FLOWS * (rows.at(V, i, column) - rows.at(V, rows.above(i), column))

    def eliminate(loop: Any, i: Any, column: Any) -> Any:
        d, b = loop
        above, across = rows.above(i), rows.at(off, i, column)
        share, own = across / rows.at(d, i, column), rows.at(b, i, column)
        more = share * own if V is None else passed_on(share, own, across * apart(i, column))
        return rows.added(d, above, column, -share * across), rows.added(b, above, column, more)

    def substitute(x: Array, i: Any, column: Any, flows: bool = False) -> Array:
        """Of the root `off` is 0. What is read of other arrays is put together here: to do it before costs a pass over memory each."""
        above = rows.at(x, rows.above(i), column)
        from_above = rows.at(off, i, column) * (above - apart(i, column) if flows else above)
        return rows.put(x, (rows.at(x, i, column) + from_above) * rows.at(inverse, i, column), i, column)

    def again(b: Array, i: Any, column: Any) -> Array:
        share = rows.at(off, i, column) * rows.at(inverse, i, column)
        return rows.added(b, rows.above(i), column, share * rows.at(b, i, column))

    if (inverse := sides.factors) is None:
        d, b = sweep(eliminate, (sides.d, sides.first), 1, downward=True)
        inverse = 1 / d
    else:
        b = sweep(again, sides.first, 1, downward=True)
    x = sweep(lambda *given: substitute(*given, flows=V is not None), b, 0, downward=False)
    second = sides.then(x)
    if second is None:
        return x, inverse
    return x, sweep(substitute, sweep(again, second, 1, downward=True), 0, downward=False), inverse


class _Rows(NamedTuple):
    """What a sweep does at a node, of one cell or of `width` side by side; unsigned numbers are not asked whether they count from the end."""

    parent: Array
    width: int

    def above(self, i: Any) -> Array:
        return lax.dynamic_slice(self.parent, (i,), (1,))[0]

    def at(self, x: Array, i: Any, column: Any) -> Array:
        if x.ndim == 1:
            return lax.dynamic_slice(x, (i,), (1,))
        first, width = (column, self.width) if x.shape[1] > 1 else (jnp.uint32(0), 1)  # one for all cells
        return lax.dynamic_slice(x, (i, first, jnp.uint32(0)), (1, width, 1))

    def put(self, x: Array, row: Array, i: Any, column: Any) -> Array:
        return lax.dynamic_update_slice(x, row, (i,) if x.ndim == 1 else (i, column, jnp.uint32(0)))

    def added(self, x: Array, i: Any, column: Any, row: Array) -> Array:
        return self.put(x, self.at(x, i, column) + row, i, column)


FEW = 4
"""As many trees as are swept one after the other where strips take each: side by side they fill no row."""


@_loops.def_vmap
def _batched(axis_size: int, in_batched: Any, parent: Array, off: Array, sides: Sides) -> tuple[Any, Any]:
    """Trees of one form: side by side, as cells are, or one after the other where each fills rows with cells of its own."""
    both = zip(jax.tree.leaves(sides), jax.tree.leaves(in_batched[2]), strict=True)
    cells = max(math.prod(x.shape[1 + moves :]) for x, moves in both)
    if in_batched[0] or cells * sides.d.dtype.itemsize >= ROW:
        return _in_turn(_loops, in_batched, parent, off, sides)

    def last(x: Array, batched: bool) -> Array:
        return jnp.moveaxis(x, 0, -1) if batched else x[..., None]

    off, sides = jax.tree.map(last, (off, sides), tuple(in_batched[1:]))
    sides = sides._replace(d=jnp.broadcast_to(sides.d, (*sides.d.shape[:-1], axis_size)))
    found = _blockwise(parent, off, sides.alike())
    return tuple(jnp.moveaxis(x, -1, 0) for x in found), (True,) * len(found)


@jax.custom_batching.custom_vmap
def _strips(strips: Strips, parent: Array, off: Array, sides: Sides) -> tuple[Array, ...]:
    """`solutions` of one cell from strip to strip."""
    return swept(strips, off, sides)


@_strips.def_vmap
def _batched_strips(axis_size: int, in_batched: Any, strips: Strips, *arrays: Any) -> tuple[Any, Any]:
    if axis_size <= FEW:
        return _in_turn(_strips, in_batched, strips, *arrays)
    return _batched(axis_size, in_batched[1:], *arrays)


def _in_turn(f: Any, in_batched: Any, *given: Any) -> tuple[Any, Any]:
    """One after the other, what they share as it is: not even a pass over memory is made to bring them beside one another."""
    leaves, structure = jax.tree.flatten(given)
    moving = [i for i, moves in enumerate(jax.tree.leaves(in_batched)) if moves]
    one = of_some(lambda *leaves: f(*structure.unflatten(leaves)), leaves, moving)
    found = lax.map(lambda some: one(*some), [leaves[i] for i in moving])
    return found, (True,) * len(found)
