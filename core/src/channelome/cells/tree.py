"""Linear equations on a tree: the one place where compartments depend on one another within a step.

The matrix is ``diag(d)`` less a weight between each node and its parent, symmetric. Nodes are numbered so that parents stand
before their children, and breadth first: what a sweep does at neighbours in memory is then independent, and a processor does
it at once (twice as fast as depth first). The sweep is a loop over nodes, so that a program is as long for ten thousand
compartments as for ten.

A loop whose body touches little becomes one machine function; many cells at once are therefore swept in blocks of lanes.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

GAMMA = 2 - 2**0.5
"""Share of a step of TR-BDF2 that the trapezoid rule crosses; with this one both stages have the same matrix."""
WEIGHT = (1 - GAMMA) / (2 - GAMMA)
_MIDDLE = 1 / (GAMMA * (2 - GAMMA))
LANES = 64
"""Bytes of a row that the loop takes at once."""


class Links(NamedTuple):
    """How nodes hang together.

    Attributes:
        parent: of shape (m,), the number of each node's parent, less than its own; 0 for the root, node 0.
        g: of shape (m,) or (m, cells), conductance to the parent in uS; 0 for the root.
        total: of the same shape, the sum of the conductances at each node.
    """

    parent: Array
    g: Any
    total: Any

    @classmethod
    def of(cls, parent: Array, g: Any) -> "Links":
        g = jnp.asarray(g).at[0].set(0.0)
        return cls(parent, g, g.at[parent].add(g, mode="promise_in_bounds"))

    def outflow(self, x: Array) -> Array:
        """What flows from each node to its neighbours, in nA of mV."""
        flow = self._g(x) * (x - x.at[self.parent].get(mode="promise_in_bounds"))
        return flow.at[self.parent].add(-flow, mode="promise_in_bounds")  # the root's own is 0

    def _g(self, x: Array) -> Array:
        return jnp.asarray(self.g, x.dtype).reshape(*self.g.shape, *(1,) * (x.ndim - self.g.ndim))

    def _total(self, x: Array) -> Array:
        return jnp.asarray(self.total, x.dtype).reshape(*self.total.shape, *(1,) * (x.ndim - self.total.ndim))


def implicit(links: Links, held: Array, force: Array) -> Array:
    """The x with ``held x + K x = force``, K being the outflow: one step of backward Euler for an increment.

    Args:
        held: of shape (m, ...), uS: capacity over the step and the membrane's conductance.
        force: of that shape, nA.
    """
    x, _ = _pair(links, held, jnp.zeros_like(held), force, jnp.zeros_like(force), 1.0)
    return x


def tr_bdf2(links: Links, capacity: Array, slope: Array, force: Array) -> Array:
    """By how much V changes in one step of TR-BDF2: second order, and what is stiff is forgotten at once.

    Bank et al. (1985), doi:10.1109/T-ED.1985.22232; Hosea & Shampine (1996), doi:10.1016/0168-9274(95)00115-8.

    Args:
        capacity: of shape (m, ...), uS: over the step; 0 for junctions.
        slope: uS, of the current through the membrane by V.
        force: nA, what would charge the nodes if V stayed.
    """
    _, change = _pair(links, capacity + WEIGHT * slope, _MIDDLE * capacity, GAMMA * force, WEIGHT * force, WEIGHT)
    return change


def gain(z: Any) -> Any:
    """What stands for ``(1 - exp(-z)) / z`` in a step of TR-BDF2 of one equation, z being its rate over the step."""
    z = 1 + WEIGHT * z
    return (_MIDDLE * GAMMA / z + WEIGHT) / z


def _pair(links: Links, held: Array, passed: Array, first: Array, second: Array, weight: float) -> tuple[Array, Array]:
    """The x and y with ``(held + weight K) x = first`` and ``(held + weight K) y = second + passed x``.

    Differentiated by the solution of the same equations, in the other order for reverse mode.
    """
    d = held + weight * links._total(held)
    off = weight * links._g(held)

    def matrix(pair: tuple[Array, Array]) -> tuple[Array, Array]:
        x, y = pair
        return _times(links.parent, d, off, x), _times(links.parent, d, off, y) - passed * x

    def solve(_: Any, right: tuple[Array, Array]) -> tuple[Array, Array]:
        return _sweeps(links.parent, off, d, passed, *right)

    def transposed(_: Any, right: tuple[Array, Array]) -> tuple[Array, Array]:
        y, x = _sweeps(links.parent, off, d, passed, right[1], right[0])
        return x, y

    return lax.custom_linear_solve(matrix, (first, second), solve, transpose_solve=transposed)


def _times(parent: Array, d: Array, off: Array, x: Array) -> Array:
    """The matrix times x."""
    from_parent = off * x.at[parent].get(mode="promise_in_bounds")
    to_parent = jnp.zeros_like(x).at[parent].add(off * x, mode="promise_in_bounds")
    return d * x - from_parent - to_parent


def _sweeps(parent: Array, off: Array, d: Array, passed: Array, first: Array, second: Array) -> tuple[Array, Array]:
    """`_pair` solved, whatever the batch: cells side by side in rows of as many as a loop takes at once."""
    arrays = jnp.broadcast_arrays(off, d, passed, first, second)
    if d.ndim == 1:
        return _loops(parent, *arrays)
    m, cells = d.shape[0], d[0].size
    lanes = min(LANES // d.dtype.itemsize, cells)
    count = -(-cells // lanes)

    def cut(x: Array) -> Array:
        rows = jnp.pad(x.reshape(m, cells), [(0, 0), (0, count * lanes - cells)], constant_values=1)
        return jnp.moveaxis(rows.reshape(m, count, lanes), 1, 0)

    def joined(x: Array) -> Array:
        return jnp.moveaxis(x, 0, 1).reshape(m, count * lanes)[:, :cells].reshape(d.shape)

    if count == 1:
        x, y = _loops(parent, *(x.reshape(m, cells) for x in arrays))
        return x.reshape(d.shape), y.reshape(d.shape)
    x, y = lax.map(lambda block: _loops(parent, *block), tuple(cut(x) for x in arrays))
    return joined(x), joined(y)


@jax.custom_batching.custom_vmap
def _loops(parent: Array, off: Array, d: Array, passed: Array, first: Array, second: Array) -> tuple[Array, Array]:
    """`_pair` solved by elimination from the leaves to the root, and substitution back."""
    parent = parent.astype(jnp.uint32)
    first_, last = (
        jnp.uint32(1),
        jnp.uint32(d.shape[0] - 1),
    )  # unsigned: no number counts from the end, which is not asked for then

    def eliminate(k: Any, loop: Any) -> Any:
        d, b = loop
        i = last - k
        p, across = _index(parent, i), _at(off, i)
        share = across / _at(d, i)
        return _added(d, p, -share * across), _added(b, p, share * _at(b, i))

    def substitute(i: Any, x: Array) -> Array:
        return _added(x, i, _at(shares, i) * _at(x, _index(parent, i)))

    def again(k: Any, b: Array) -> Array:
        i = last - k
        return _added(b, _index(parent, i), _at(shares, i) * _at(b, i))

    d, b = lax.fori_loop(jnp.uint32(0), last, eliminate, (d, first))
    inverse = 1 / d
    shares = off * inverse
    x = lax.fori_loop(first_, last + 1, substitute, b * inverse)
    b = lax.fori_loop(jnp.uint32(0), last, again, second + passed * x)
    return x, lax.fori_loop(first_, last + 1, substitute, b * inverse)


def _index(parent: Array, i: Any) -> Array:
    return lax.dynamic_slice(parent, (i,), (1,))[0]


def _at(x: Array, i: Any) -> Array:
    """A number, or a row."""
    start = (i, *(jnp.uint32(0),) * (x.ndim - 1))
    return lax.dynamic_slice(x, start, (1, *x.shape[1:]))


def _put(x: Array, i: Any, row: Array) -> Array:
    return lax.dynamic_update_slice(x, row, (i, *(jnp.uint32(0),) * (x.ndim - 1)))


def _added(x: Array, i: Any, row: Array) -> Array:
    return _put(x, i, _at(x, i) + row)


@_loops.def_vmap
def _batched(axis_size: int, in_batched: Any, parent: Array, *arrays: Array) -> tuple[Any, Any]:
    """Trees of one form side by side, as cells are."""
    if in_batched[0]:
        axes = [0 if batched else None for batched in in_batched]
        each = [
            jnp.broadcast_to(x, (axis_size, *x.shape)) if axis is None else x
            for x, axis in zip((parent, *arrays), axes, strict=True)
        ]
        return lax.map(lambda one: _loops(*one), tuple(each)), (True, True)
    last = [
        jnp.moveaxis(x, 0, -1) if batched else jnp.broadcast_to(x[..., None], (*x.shape, axis_size))
        for x, batched in zip(arrays, in_batched[1:], strict=True)
    ]
    x, y = _sweeps(parent, *last)
    return (jnp.moveaxis(x, -1, 0), jnp.moveaxis(y, -1, 0)), (True, True)
