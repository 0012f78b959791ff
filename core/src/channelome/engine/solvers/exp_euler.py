"""Exponential Euler, first order: each equation linearised alone at the start of the step and solved exactly.

Rush & Larsen (1978), doi:10.1109/TBME.1978.326270. BrainPy calls it exp_auto, braincell ind_exp_euler. Gates and V all
go from their old values.
"""

from dataclasses import dataclass
from typing import Any

from jax import Array

from ...cells.protocol import Cell
from ...mechanisms.rules import EXACT
from ...state import State
from ..protocols import Drive


@dataclass(frozen=True)
class ExpEuler:
    order: int = 1
    by_mean: bool = True
    middle_gates: bool = True
    points_only: str = "it crosses each equation alone, and compartments depend on one another"

    def start(self, cell: Cell, state: State, dt: Any) -> tuple[State, int]:
        return state.at_once(), 0

    def step(self, cell: Cell, carry: State, n: Any, dt: Any, drive: Drive) -> State:
        gates = cell.relax(carry, dt, EXACT).channels
        return cell.advance(carry, drive.mean(synapses=0.0), dt, EXACT)._replace(channels=gates)

    def voltage(self, carry: State) -> Array:
        return carry.V

    def state(self, cell: Cell, carry: State, n: Any, dt: Any) -> State:
        return carry


EXP_EULER = ExpEuler()
