"""Gap junctions: neurons that share charge, advanced by a step of their own before or after the cells' step.

Junctions are linear, and stiff where they are strong, while a cell's own step is pointwise. One step of them comes before
the cells' step where its number is even, and after it where it is odd: junctions, cells, cells, junctions is symmetric, and
so of second order, with one step of junctions in each. It is ``1 / (1 + B + B^2 / 2)`` for ``exp(-B)``: second order, no
overshoot and full damping at any strength. The matrix is symmetric, so conjugate gradients solve it, and their derivative is
the solution of the same system. Where junctions are weak it is as exact as, and hardly differs from, ``1 - B + B^2 / 2``, which needs no solution.
"""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ..cells.protocol import Inject
from ..errors import ModelError
from ..mechanisms.kinetics import Rule
from ..mechanisms.transmission import Coupling
from ..networks.projection import Pathway
from ..networks.rows import laid_out, rows_of
from ..state import State
from .protocols import Solver

Voltages = dict[str, Array]
_PICOFARAD = 0.01
"""From uF/cm^2 times um^2 to pF, so that nS and mV give mV/ms."""


WEAK = 0.1
"""The largest eigenvalue of B at which no system is solved: third order differs by none, fourth by a quarter of its power."""


class Junctions(NamedTuple):
    """What is static of an electrical projection."""

    label: str
    pre: str
    post: str


class Side(NamedTuple):
    """The junctions of a population, or of one end of an electrical projection, in rows of equal width, turned.

    Attributes:
        across: of shape (width, rows), the neurons on the other side; 0 in empty places.
        weights: of the same shape, relative to the projection's weight where all weigh the same; 0 in empty places.
        owners: of shape (rows,), the neuron that has a row; None where each has one.
        sums: of the weights, by neuron.
    """

    across: Array | np.ndarray
    weights: Any
    owners: Array | np.ndarray | None
    sums: Any


UNROLLED = 48
"""Up to so wide, columns are gathered one by one: a gather by a list is vectorised, three times as fast as one by a table."""


def sides(pathway: Pathway, sources: np.ndarray, targets: np.ndarray, n_pre: int, n_post: int) -> tuple[Side, ...]:
    """An electrical projection between so many neurons, or places of cells, as its ends see it; as one side within a population."""
    wiring, numbers = pathway.wiring, np.arange(sources.size)
    if wiring.pre == wiring.post:
        own, across = np.concatenate([sources, targets]), np.concatenate([targets, sources])
        return (_side(own, across, np.tile(numbers, 2), n_pre, pathway.weight),)
    return (
        _side(sources, targets, numbers, n_pre, pathway.weight),
        _side(targets, sources, numbers, n_post, pathway.weight),
    )


def _side(own: np.ndarray, across: np.ndarray, numbers: np.ndarray, n: int, weight: Any) -> Side:
    """Of junctions with `own` and `across` ends, which have in `weight` the places `numbers`."""
    order, counts = np.argsort(own, kind="stable"), np.bincount(own, minlength=n)
    shape = rows_of(counts)
    rows = np.ascontiguousarray(laid_out(shape, across[order].astype(np.int32), 0).T)
    owners = None
    if shape.starts is not None:
        owners = np.repeat(np.arange(n, dtype=np.int32), np.diff(shape.starts))
        owners = np.pad(owners, (0, rows.shape[1] - owners.size), mode="edge")
    weights: Any = np.ascontiguousarray(laid_out(shape, np.ones(own.size, np.float32), 0).T)
    if np.ndim(weight):
        weights = weight[laid_out(shape, numbers[order], 0).T] * weights
    return Side(rows, weights, owners, _over_neurons(owners, jnp.sum(jnp.asarray(weights), axis=0), n))


def _over_neurons(owners: Any, rows: Array, n: int) -> Array:
    """Of rows the sum for each neuron."""
    return rows if owners is None else jax.ops.segment_sum(rows, jnp.asarray(owners), n, indices_are_sorted=True)


def flow(side: Side, V: Array, other: Array, unrolled: bool) -> Array:
    """What flows out of each neuron, in the unit of the weights times that of V."""
    mine = V if side.owners is None else V[side.owners]
    across, weights = jnp.asarray(side.across), jnp.asarray(side.weights, V.dtype)

    def apart(own: Array, j: Any) -> Array:
        return weights[j] * (own - other.at[across[j]].get(mode="promise_in_bounds"))

    width = side.across.shape[0]
    if unrolled and width <= UNROLLED:
        rows = functools.reduce(jnp.add, [apart(mine, j) for j in range(width)])
    else:
        rows = jnp.sum(apart(mine[None], slice(None)), axis=0)
    return _over_neurons(side.owners, rows, V.size)


def shared(
    junctions: tuple[Junctions, ...], parts: Any, cells: dict[str, Any], dt: Any, solver: Solver, axis: str | None, devices: int
) -> dict[str, Any]:  # fmt: skip
    """The solvers' carries by population after `dt` ms of junctions alone."""
    names = sorted({name for j in junctions for name in (j.pre, j.post)})
    own = {name: solver.voltage(cells[name]) for name in names}
    roots = {name: jnp.sqrt(_capacity(parts.blocks[name], own[name])) for name in names}
    if axis is not None:  # every device solves for all neurons, then keeps its own
        own, roots = ({name: lax.all_gather(x, axis, tiled=True) for name, x in of.items()} for of in (own, roots))
    ends = []
    for j in junctions:
        weight = parts.pathways[j.label][2]
        for side, here, there in zip(parts.synapses[j.label], (j.pre, j.post), (j.post, j.pre), strict=False):
            ends.append((side, here, there, jnp.asarray(1.0 if weight is None else weight, own[here].dtype)))

    def matrix(u: Voltages, unrolled: bool = False) -> Voltages:
        """``B u``, symmetric, of ``u = sqrt(C) V``."""
        V = {name: u[name].ravel() / roots[name].ravel() for name in names}
        out = {name: jnp.zeros_like(x) for name, x in V.items()}
        for side, here, there, g in ends:
            out[here] = out[here] + g * flow(side, V[here], V[there], unrolled)
        return {name: dt * out[name].reshape(u[name].shape) / roots[name] for name in names}

    sums = {name: jnp.zeros(own[name].size, own[name].dtype) for name in names}
    for side, here, _, g in ends:
        sums[here] = sums[here] + g * jnp.asarray(side.sums, g.dtype)
    diagonal = {name: dt * sums[name].reshape(own[name].shape) / roots[name] ** 2 for name in names}
    change = _change({name: roots[name] * own[name] for name in names}, matrix, diagonal)
    after = dict(cells)
    for name in names:
        V = own[name] + change[name] / roots[name]
        if axis is not None:
            each = V.shape[0] // devices
            V = lax.dynamic_slice_in_dim(V, lax.axis_index(axis) * each, each)
        after[name] = _with_voltage(cells[name], V, solver)
    return after


def _change(u: Voltages, matrix: Any, diagonal: Voltages) -> Voltages:
    """``u / (1 + B + B^2 / 2) - u``; no eigenvalue of B is larger than twice the largest of its diagonal."""
    once = matrix(u, unrolled=True)
    twice = matrix(once, unrolled=True)
    first = jax.tree.map(lambda x, y: y / 2 - x, once, twice)
    bound = 2 * jnp.max(jnp.stack([jnp.max(x) for x in diagonal.values()]))

    def operator(x: Voltages) -> Voltages:
        y = matrix(x)
        return jax.tree.map(lambda x, y, z: x + y + z / 2, x, y, matrix(y))

    def inverse(x: Voltages) -> Voltages:
        return jax.tree.map(lambda x, d: x / (1 + d + d**2 / 2), x, diagonal)

    def solved() -> Voltages:
        from jax.scipy.sparse.linalg import cg  # not above: it brings jax.scipy.special, a twentieth of a start

        right = jax.tree.map(lambda x, y: -x - y / 2, once, twice)
        tol = 1e-5 if bound.dtype.itemsize <= 4 else 1e-10
        return cg(operator, right, x0=lax.stop_gradient(first), tol=tol, M=inverse)[0]

    return lax.cond(lax.stop_gradient(bound) <= WEAK, lambda: first, solved)


class Halfway:
    """A cell of which the membrane starts its step from the V after a step of junctions, while the gates see V itself.

    The default solver keeps gates half a step from V and moves them with V as it is at their midpoint; with the V of a step
    of junctions later the whole would be first order.
    """

    def __init__(self, cell: Any, V: Array) -> None:
        self._cell, self._V = cell, V

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cell, name)

    def advance(self, state: State, inject: Inject, dt: Any, rule: Rule, **implicit: Any) -> State:
        return self._cell.advance(state._replace(V=self._V), inject, dt, rule, **implicit)


def _capacity(cell: Any, V: Array) -> Array:
    return jnp.broadcast_to(jnp.asarray(cell.C * cell.area * _PICOFARAD, V.dtype), V.shape)


def _with_voltage(carry: Any, V: Array, solver: Solver) -> Any:
    found = []

    def put(x: Any) -> Any:
        if not isinstance(x, State):
            return x
        found.append(x)
        return x._replace(V=V)

    after = jax.tree.map(put, carry, is_leaf=lambda x: isinstance(x, State))
    if len(found) != 1:
        raise ModelError(
            f"{type(solver).__name__} keeps no State between steps, which gap junctions need: take another solver."
        )
    return after


def junctions_of(projections: Mapping[str, Pathway]) -> tuple[Junctions, ...]:
    """The electrical projections that have a junction."""
    return tuple(
        Junctions(label, path.wiring.pre, path.wiring.post)
        for label, path in projections.items()
        if isinstance(path.synapse, Coupling) and np.size(path.wiring.edges.targets)
    )
