"""Gap junctions: neurons that share charge, advanced by an implicit step of their own before and after the cells' step.

Junctions are linear, and stiff where they are strong, while a cell's own step is pointwise. Half a step of junctions on
each side of it (Strang splitting) keeps second order. That half step is ``1 / (1 + zA + (zA)^2 / 2)`` for ``exp(-zA)``:
second order, no overshoot and full damping at any strength. The matrix is symmetric, so conjugate gradients solve it, and
their derivative is the solution of the same system.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.scipy.sparse.linalg import cg

from ..cells.protocol import Inject
from ..errors import ModelError
from ..mechanisms.kinetics import Rule
from ..mechanisms.transmission import Coupling
from ..state import State
from .protocols import Solver

Voltages = dict[str, Array]
_PICOFARAD = 0.01
"""From uF/cm^2 times um^2 to pF, so that nS and mV give mV/ms."""


class Junctions(NamedTuple):
    """What is static of an electrical projection."""

    label: str
    pre: str
    post: str


def shared(
    junctions: tuple[Junctions, ...], parts: Any, cells: dict[str, Any], dt: Any, solver: Solver, axis: str | None, devices: int
) -> dict[str, Any]:  # fmt: skip
    """The solvers' carries by population after `dt` ms of junctions alone."""
    names = sorted({name for j in junctions for name in (j.pre, j.post)})
    own = {name: solver.voltage(cells[name]) for name in names}
    roots = {name: jnp.sqrt(_capacity(parts.blocks[name], own[name])) for name in names}
    if axis is not None:  # every device solves for all neurons, then keeps its own
        own, roots = ({name: lax.all_gather(x, axis, tiled=True) for name, x in of.items()} for of in (own, roots))

    def matrix(u: Voltages) -> Voltages:
        """``dt A u``, symmetric, of ``u = sqrt(C) V``."""
        V = {name: u[name].ravel() / roots[name].ravel() for name in names}
        out = {name: jnp.zeros_like(x) for name, x in V.items()}
        for j in junctions:
            pairs, weight = parts.synapses[j.label], parts.pathways[j.label][2]
            g = pairs.weights if weight is None else weight
            flow = jnp.asarray(g, V[j.pre].dtype) * (V[j.pre][pairs.sources] - V[j.post][pairs.targets])
            out[j.pre] = out[j.pre].at[pairs.sources].add(flow)
            out[j.post] = out[j.post].at[pairs.targets].add(-flow)
        return {name: dt * out[name].reshape(u[name].shape) / roots[name] for name in names}

    def beyond(u: Voltages) -> Voltages:
        once = matrix(u)
        return jax.tree.map(lambda x, y: x + y / 2, once, matrix(once))

    u = {name: roots[name] * own[name] for name in names}
    tol = 1e-5 if next(iter(u.values())).dtype.itemsize <= 4 else 1e-10
    change, _ = cg(lambda x: jax.tree.map(jnp.add, x, beyond(x)), jax.tree.map(jnp.negative, beyond(u)), tol=tol)
    after = dict(cells)
    for name in names:
        V = own[name] + change[name] / roots[name]
        if axis is not None:
            each = V.shape[0] // devices
            V = lax.dynamic_slice_in_dim(V, lax.axis_index(axis) * each, each)
        after[name] = _with_voltage(cells[name], V, solver)
    return after


class Halfway:
    """A cell of which the membrane starts its step from the V after half a step of junctions, while the gates see V itself.

    The default solver keeps gates half a step from V and moves them with V as it is at their midpoint; with the V of half
    a step of junctions later the whole would be first order.
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


def junctions_of(projections: Any) -> tuple[Junctions, ...]:
    """The electrical projections that have a junction."""
    return tuple(
        Junctions(label, path.wiring.pre, path.wiring.post)
        for label, path in projections.items()
        if isinstance(path.synapse, Coupling) and np.size(path.wiring.edges.targets)
    )
