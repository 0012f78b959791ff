"""The trapezoid rule on the whole state, second order: half a step forward Euler, half a step backward Euler.

Crank & Nicolson (1947), doi:10.1017/S0305004100023197.
"""

from dataclasses import dataclass
from typing import Any

import jax
from jax import Array

from ...cells.protocol import Cell
from ...state import State
from ..protocols import Drive
from .backward_euler import implicit_step
from .runge_kutta import confined


@dataclass(frozen=True)
class CrankNicolson:
    order: int = 2
    slow_clamps: str = "crank_nicolson"

    def start(self, cell: Cell, state: State, dt: Any) -> tuple[State, int]:
        return state.at_once(), 0

    def step(self, cell: Cell, carry: State, n: Any, dt: Any, drive: Drive) -> State:
        begin, end = drive.stages((0.0, 1.0), (0.5, 0.5))
        slope = cell.derivative(carry, begin)
        half = confined(cell, jax.tree.map(lambda y, dy: y + dt / 2 * dy, carry, slope))
        return confined(cell, implicit_step(cell, half, dt / 2, end))

    def voltage(self, carry: State) -> Array:
        return carry.V

    def state(self, cell: Cell, carry: State, n: Any, dt: Any) -> State:
        return carry


CRANK_NICOLSON = CrankNicolson()
