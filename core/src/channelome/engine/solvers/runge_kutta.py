"""Explicit Runge-Kutta methods on the whole state at once, so that their order holds for composed models."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ...cells.protocol import Cell
from ...mechanisms.channels import Channel
from ...mechanisms.ions import Ion
from ...state import State
from ..protocols import Drive


@dataclass(frozen=True)
class RungeKutta:
    """An explicit method given by its Butcher tableau.

    Attributes:
        order: of convergence.
        nodes: time of each stage, in steps.
        stages: for each stage but the first, the weights of the slopes before it.
        weights: of the slopes in the step.
    """

    order: int
    nodes: tuple[float, ...]
    stages: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]
    slow_clamps: str = "an explicit solver"
    points_only: str = "it is explicit, and fine branches would need far shorter steps"

    def start(self, cell: Cell, state: State, dt: Any) -> tuple[State, int]:
        return state.at_once(), 0

    def step(self, cell: Cell, carry: State, n: Any, dt: Any, drive: Drive) -> State:
        first, *later = drive.stages(self.nodes, self.weights)
        slopes = [cell.derivative(carry, first)]
        for inject, weights in zip(later, self.stages, strict=True):
            slopes.append(cell.derivative(_move(carry, dt, weights, slopes), inject))
        return confined(cell, _move(carry, dt, self.weights, slopes))

    def voltage(self, carry: State) -> Array:
        return carry.V

    def state(self, cell: Cell, carry: State, n: Any, dt: Any) -> State:
        return carry


def _move(state: State, dt: Any, weights: tuple[float, ...], slopes: list[State]) -> State:
    def moved(y: Any, *dys: Any) -> Any:
        return y + dt * sum(w * dy for w, dy in zip(weights, dys, strict=True) if w)

    return jax.tree.map(moved, state, *slopes)


def confined(cell: Cell, state: State) -> State:
    """The state with gates in [0, 1], occupancies summing to 1 and concentrations not negative.

    It is a projection onto what can be, so it keeps the order of a method. What diffuses is left alone: to lift it here without taking it
    from elsewhere would make some out of nothing.
    """
    return State(
        state.V,
        {label: _confined(gates, cell.channels[label]) for label, gates in state.channels.items()},
        {species: _not_negative(pool, cell.ions[species]) for species, pool in state.ions.items()},
    )


def _not_negative(pool: dict[str, Array], ion: Ion) -> dict[str, Array]:
    moves = ion.diffusing(1.0)
    return {name: x if name in moves else jnp.maximum(x, 0.0) for name, x in pool.items()}


def _confined(gates: dict[str, Array], channel: Channel) -> dict[str, Array]:
    occupancies = channel.occupancies
    inside = {name: x if name in channel.variables else jnp.clip(x, 0.0, 1.0) for name, x in gates.items()}
    if not occupancies:
        return inside
    total = sum(inside[name] for name in occupancies)
    lost = total <= 0  # a step far too long has emptied every state
    share = {
        name: jnp.where(lost, 1 / len(occupancies), inside[name] / jnp.where(lost, 1.0, total)) for name in occupancies
    }
    return inside | share
