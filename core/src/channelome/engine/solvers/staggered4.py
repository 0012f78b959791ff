"""Fourth order from the default step, steady at steps where Runge-Kutta is not: its symmetric form, extrapolated.

Half a step of gates and concentrations, V, and again half a step is a method S whose error has even powers of the step only
(Strang 1968, doi:10.1137/0705041), so that ``(4 S(dt/2) S(dt/2) - S(dt)) / 3`` is of fourth order (Gragg 1965,
doi:10.1137/0702030). What the two differ by is the error of the second-order result, for nothing. Where an edge of the
stimulus lies inside a step, the step is cut there.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from ...cells.protocol import Inject
from ...mechanisms.rules import CLIPPED_PADE
from ...state import State
from ..protocols import Drive
from .runge_kutta import confined


@dataclass(frozen=True)
class Staggered4:
    """The carry is the state, all of it at one time.

    Attributes:
        points_only: why it is no solver for cells whose V is coupled in space; empty where one is for all.
    """

    order: int = 4
    slow_clamps: str = "staggered4"
    points_only: str = "extrapolated steps of a cable are unstable"

    def start(self, cell: Any, state: State, dt: Any) -> tuple[State, int]:
        return state.at_once(), 0

    def step(self, cell: Any, carry: State, n: Any, dt: Any, drive: Drive) -> State:
        return self.with_error(cell, carry, n, dt, drive)[0]

    def with_error(self, cell: Any, carry: State, n: Any, dt: Any, drive: Drive) -> tuple[State, State]:
        """The carry after step number `n`, and what it corrects the second-order result of two half steps by."""
        if not drive.edges:
            return _extrapolated(cell, carry, dt, drive, 0.0, 1.0)
        share = drive.edge(jnp.zeros((), carry.V.dtype))
        state, error = _extrapolated(cell, carry, dt, drive, jnp.zeros_like(share), share)
        for _ in range(drive.edges):  # no loop of unknown length, which could not be differentiated in reverse
            state, error, share = lax.cond(jnp.any(share < 1), _on(cell, dt, drive), _stay, (state, error, share))
        return state, error

    def voltage(self, carry: State) -> Array:
        return carry.V

    def state(self, cell: Any, carry: State, n: Any, dt: Any) -> State:
        return carry


_Piece = tuple[State, State, Array]


def _on(cell: Any, dt: Any, drive: Drive) -> Any:
    """From one edge to the next, or to the end of the step."""

    def go(piece: _Piece) -> _Piece:
        state, error, share = piece
        next_one = drive.edge(share)
        state, more = _extrapolated(cell, state, dt, drive, share, next_one)
        return state, jax.tree.map(jnp.add, error, more), next_one

    return go


def _stay(piece: _Piece) -> _Piece:
    return piece


def _extrapolated(cell: Any, state: State, dt: Any, drive: Drive, first: Any, last: Any) -> tuple[State, State]:
    """From share `first` of a step to `last`; the state, and its difference from the second-order one."""
    length = (last - first) * dt
    span = jnp.where(last > first, last - first, 1.0) if jnp.ndim(last) else last - first  # no mean over nothing
    one = _symmetric(cell, state, drive.mean(first, first + span), length)
    two = _symmetric(cell, state, drive.mean(first, first + span / 2), length / 2)
    two = _symmetric(cell, two, drive.mean(first + span / 2, first + span), length / 2)
    error = jax.tree.map(lambda a, b: (b - a) / 3, one, two)
    return confined(cell, jax.tree.map(jnp.add, two, error)), error


def _symmetric(cell: Any, state: State, inject: Inject, dt: Any) -> State:
    state = cell.accumulate(cell.relax(state, dt / 2, CLIPPED_PADE), dt / 2)
    state = cell.accumulate(cell.membrane(state, inject, dt), dt / 2)
    return cell.relax(state, dt / 2, CLIPPED_PADE)


STAGGERED4 = Staggered4()
