"""Linear equations on a tree: the one place where compartments depend on one another within a step.

The matrix is ``diag(d)`` less a weight between each node and its parent, symmetric. Nodes are numbered so that parents stand
before their children, and breadth first: what a sweep does at neighbours in memory is then independent, and a processor does
it at once (twice as fast as depth first). The sweep is a loop over nodes, so that a program is as long for ten thousand
compartments as for ten.

A loop whose body touches little becomes one machine function; many cells at once are therefore swept in blocks of lanes, and one cell of
long branches by `strips` of nodes. Processors with many lanes eliminate in rounds instead, `rounds`.
"""

from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax import Array, lax

from .rounds import Rounds, eliminated, solved
from .strips import Strips, swept

GAMMA = 2 - 2**0.5
"""Share of a step of TR-BDF2 that the trapezoid rule crosses; with this one both stages have the same matrix."""
WEIGHT = (1 - GAMMA) / (2 - GAMMA)
AGAIN = WEIGHT / GAMMA
"""Share of what the force does in the first stage that it does in the second."""
_MIDDLE = 1 / (GAMMA * (2 - GAMMA))
ROW = 64
"""Bytes of a row that the loop takes at once."""


class Links(NamedTuple):
    """How nodes hang together.

    Attributes:
        parent: of shape (m,), the number of each node's parent, less than its own; 0 for the root, node 0.
        g: of shape (m,) or (m, cells), conductance to the parent in uS; 0 for the root.
        total: of the same shape, the sum of the conductances at each node.
        rounds: in which to eliminate on processors with many lanes; None for a sweep from node to node.
        strips: of nodes, from which to which the equations of one cell are swept; None for single nodes.
    """

    parent: Array
    g: Any
    total: Any
    rounds: Rounds | None = None
    strips: Strips | None = None

    @classmethod
    def of(cls, parent: Array, g: Any, rounds: Rounds | None = None, strips: Strips | None = None) -> "Links":
        g = jnp.asarray(g).at[0].set(0.0)
        return cls(parent, g, g.at[parent].add(g, mode="promise_in_bounds"), rounds, strips)

    def outflow(self, x: Array) -> Array:
        """What flows from each node to its neighbours, in nA of mV."""
        flow = self._g(x) * (x - x.at[self.parent].get(mode="promise_in_bounds"))
        return flow.at[self.parent].add(-flow, mode="promise_in_bounds")  # the root's own is 0

    def pair(self, held: Array, passed: Array, first: Array, second: Array, weight: float) -> tuple[Array, Array]:
        """The x and y with ``(held + weight K) x = first`` and ``(held + weight K) y = second + passed x``, K being the outflow.

        Differentiated by the solution of the same equations, in the other order for reverse mode.
        """
        d = held + weight * self.totals(held)
        off = weight * self._g(held)

        def matrix(pair: tuple[Array, Array]) -> tuple[Array, Array]:
            x, y = pair
            return _times(self.parent, d, off, x), _times(self.parent, d, off, y) - passed * x

        def solve(_: Any, right: tuple[Array, Array]) -> tuple[Array, Array]:
            x, y = _sweeps(self, off, d, right[0], passed, right[1])
            return x, y

        return solved_pair(matrix, solve, (first, second))

    def once(self, held: Array, force: Array, weight: float) -> Array:
        """The x with ``(held + weight K) x = force``."""
        d, off = held + weight * self.totals(held), weight * self._g(held)

        def solve(_: Any, right: Array) -> Array:
            return _sweeps(self, off, d, right)[0]

        return lax.custom_linear_solve(lambda x: _times(self.parent, d, off, x), force, solve, symmetric=True)

    def swept(self, held: Array, first: Array, second: Array, weight: float) -> tuple[Array, Array]:
        """The solutions of two right sides that do not depend on one another, not to be differentiated."""
        d = held + weight * self.totals(held)
        x, y = _sweeps(self, weight * self._g(held), d, first, jnp.zeros_like(d), second)
        return x, y

    def _g(self, x: Array) -> Array:
        return jnp.asarray(self.g, x.dtype).reshape(*self.g.shape, *(1,) * (x.ndim - self.g.ndim))

    def totals(self, x: Array) -> Array:
        """The sum of the conductances at each node, for an array of the shape of x."""
        return jnp.asarray(self.total, x.dtype).reshape(*self.total.shape, *(1,) * (x.ndim - self.total.ndim))


class Linked(Protocol):
    """Equations of places that are coupled: of a tree, or of several that are joined."""

    def pair(self, held: Array, passed: Array, first: Array, second: Array, weight: float) -> tuple[Array, Array]: ...

    def once(self, held: Array, force: Array, weight: float) -> Array: ...


def solved_pair(matrix: Any, solve: Any, right: tuple[Array, Array]) -> tuple[Array, Array]:
    """What `solve` finds for a symmetric `matrix` with the second of a pair after the first, as `Links.pair` has it, with its derivatives."""

    def transposed(_: Any, right: tuple[Array, Array]) -> tuple[Array, Array]:
        y, x = solve(_, right[::-1])
        return x, y

    return lax.custom_linear_solve(matrix, right, solve, transpose_solve=transposed)


def implicit(links: Linked, held: Array, force: Array) -> Array:
    """The x with ``held x + K x = force``, K being the outflow: one step of backward Euler for an increment.

    Args:
        held: of shape (m, ...), uS: capacity over the step and the membrane's conductance.
        force: of that shape, nA.
    """
    return links.once(held, force, 1.0)


def tr_bdf2(links: Linked, capacity: Array, slope: Array, force: Array) -> Array:
    """By how much V changes in one step of TR-BDF2: second order, and what is stiff is forgotten at once.

    Bank et al. (1985), doi:10.1109/T-ED.1985.22232; Hosea & Shampine (1996), doi:10.1016/0168-9274(95)00115-8.

    Args:
        capacity: of shape (m, ...), uS: over the step; 0 for junctions.
        slope: uS, of the current through the membrane by V.
        force: nA, what would charge the nodes if V stayed.
    """
    held, passed = capacity + WEIGHT * slope, _MIDDLE * capacity
    # in JAX's eyes this 0 follows from the force, as a right side that is transposed must
    nothing = jnp.where(False, force, 0)
    middle, rest = links.pair(held, passed, GAMMA * force, nothing, WEIGHT)
    return AGAIN * middle + rest


def gain(z: Any) -> Any:
    """What stands for ``(1 - exp(-z)) / z`` in a step of TR-BDF2 of one equation, z being its rate over the step."""
    z = 1 + WEIGHT * z
    return (_MIDDLE * GAMMA / z + WEIGHT) / z


def _times(parent: Array, d: Array, off: Array, x: Array) -> Array:
    """The matrix times x."""
    from_parent = off * x.at[parent].get(mode="promise_in_bounds")
    to_parent = jnp.zeros_like(x).at[parent].add(off * x, mode="promise_in_bounds")
    return d * x - from_parent - to_parent


def _sweeps(links: Links, off: Array, d: Array, first: Array, *then: Array) -> tuple[Array, ...]:
    """The x with ``matrix x = first``, and, `then` being `passed` and `second` of `Links.pair`, its y; whatever the processor and the batch."""
    if links.strips is not None and d.ndim == 1:
        return _strips(links.strips, links.parent, off, *jnp.broadcast_arrays(d, first, *then))
    if links.rounds is None:
        return _blockwise(links.parent, off, d, first, *then)
    factors = eliminated(links.rounds, jnp.broadcast_to(off, d.shape), d)
    x = solved(links.rounds, factors, first)
    return (x, solved(links.rounds, factors, then[1] + then[0] * x)) if then else (x,)


def _blockwise(parent: Array, off: Array, *arrays: Array) -> tuple[Array, ...]:
    """`_sweeps` from node to node, cells in blocks of lanes. Weights to the parents that all cells share stay one for each node."""
    arrays = tuple(jnp.broadcast_arrays(*arrays))
    shape, dtype = arrays[0].shape, arrays[0].dtype
    if len(shape) == 1:
        return _loops(parent, off, *arrays)
    m, cells = shape[0], arrays[0][0].size
    missing = -cells % _blocks(cells, dtype)

    def in_rows(x: Array) -> Array:
        rows = jnp.pad(x.reshape(m, cells), [(0, 0), (0, missing)], constant_values=1)
        return rows[..., None]  # of a last axis LLVM unrolls the loop before it looks for vectors, and finds none

    off = off.reshape(m, 1, 1) if off.size == m else in_rows(jnp.broadcast_to(off, shape))
    return tuple(x[:, :cells].reshape(shape) for x in _loops(parent, off, *map(in_rows, arrays)))


def _blocks(cells: int, dtype: Any) -> int:
    """In how many blocks so many cells are swept."""
    return -(-cells // (ROW // dtype.itemsize))


@jax.custom_batching.custom_vmap
def _loops(parent: Array, off: Array, d: Array, first: Array, *then: Array) -> tuple[Array, ...]:
    """`_sweeps` by elimination from the leaves to the root, and substitution back; arrays of shape (m,) or (m, cells, 1), `off` (m, 1, 1) too."""
    m, cells = d.shape[0], d[0].size
    blocks = _blocks(cells, d.dtype)
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

    def eliminate(loop: Any, i: Any, column: Any) -> Any:
        d, b = loop
        above, across = rows.above(i), rows.at(off, i, column)
        share = across / rows.at(d, i, column)
        return rows.added(d, above, column, -share * across), rows.added(
            b, above, column, share * rows.at(b, i, column)
        )

    def substitute(x: Array, i: Any, column: Any) -> Array:
        """Of the root `off` is 0. What is read of other arrays is put together here: to do it before costs a pass over memory each."""
        from_above = rows.at(off, i, column) * rows.at(x, rows.above(i), column)
        return rows.put(x, (rows.at(x, i, column) + from_above) * rows.at(inverse, i, column), i, column)

    def again(b: Array, i: Any, column: Any) -> Array:
        share = rows.at(off, i, column) * rows.at(inverse, i, column)
        return rows.added(b, rows.above(i), column, share * rows.at(b, i, column))

    d, b = sweep(eliminate, (d, first), 1, downward=True)
    inverse = 1 / d
    x = sweep(substitute, b, 0, downward=False)
    if not then:
        return (x,)
    passed, second = then
    b = sweep(again, second + passed * x, 1, downward=True)
    return x, sweep(substitute, b, 0, downward=False)


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


@_loops.def_vmap
def _batched(axis_size: int, in_batched: Any, parent: Array, off: Array, *arrays: Array) -> tuple[Any, Any]:
    """Trees of one form side by side, as cells are."""
    if in_batched[0]:
        axes = [0 if batched else None for batched in in_batched]
        each = [
            jnp.broadcast_to(x, (axis_size, *x.shape)) if axis is None else x
            for x, axis in zip((parent, off, *arrays), axes, strict=True)
        ]
        found = lax.map(lambda one: _loops(*one), tuple(each))
        return found, (True,) * len(found)

    def last(x: Array, batched: bool) -> Array:
        return jnp.moveaxis(x, 0, -1) if batched else x[..., None]

    off, *rows = (last(x, batched) for x, batched in zip((off, *arrays), in_batched[1:], strict=True))
    shape = (*jnp.broadcast_shapes(*(x.shape for x in rows))[:-1], axis_size)
    found = _blockwise(parent, off, *(jnp.broadcast_to(x, shape) for x in rows))
    return tuple(jnp.moveaxis(x, -1, 0) for x in found), (True,) * len(found)


@jax.custom_batching.custom_vmap
def _strips(strips: Strips, parent: Array, off: Array, *arrays: Array) -> tuple[Array, ...]:
    """`_sweeps` of one cell from strip to strip."""
    return swept(strips, off, *arrays)


@_strips.def_vmap
def _batched_strips(axis_size: int, in_batched: Any, _: Strips, *arrays: Array) -> tuple[Any, Any]:
    return _batched(axis_size, in_batched[1:], *arrays)
