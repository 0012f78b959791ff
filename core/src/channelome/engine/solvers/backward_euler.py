"""Backward Euler on the whole state, first order and stable at any step.

For a given V every gate's implicit equation is linear and solved at once, so Newton's method runs on V alone, with the
response of the gates in its slope. Pools follow from one iteration to the next.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from ...cells.protocol import Cell
from ...mechanisms.rules import EXACT, IMPLICIT
from ...state import State
from ..protocols import Drive

ITERATIONS = 40
LONGEST = 15.0  # mV that V may move in one iteration: keeps Newton's method on the near solution


@dataclass(frozen=True)
class BackwardEuler:
    order: int = 1
    by_mean: bool = True

    def start(self, cell: Cell, state: State, dt: Any) -> tuple[State, int]:
        return state.at_once(), 0

    def step(self, cell: Cell, carry: State, n: Any, dt: Any, drive: Drive) -> State:
        return implicit_step(cell, carry, dt, drive.mean(synapses=1.0))

    def voltage(self, carry: State) -> Array:
        return carry.V

    def state(self, cell: Cell, carry: State, n: Any, dt: Any) -> State:
        return carry


def implicit_step(cell: Cell, start: State, dt: Any, inject: Any) -> State:
    """The state y with ``y = start + dt f(y)``; V is NaN where Newton's method does not find it."""

    def follow(state: State) -> State:
        return cell.relax(state._replace(channels=start.channels), dt, IMPLICIT)

    def newton(guess: State) -> State:
        return cell.advance(start, inject, dt, IMPLICIT, guess=guess, follow=follow)

    def unfinished(loop: tuple[Array, State, Array]) -> Array:
        count, _, change = loop
        return (count < ITERATIONS) & (change > tolerance)

    def iterate(loop: tuple[Array, State, Array]) -> tuple[Array, State, Array]:
        count, guess, _ = loop
        new = search(guess, *closed_over)
        V = guess.V + jnp.clip(new.V - guess.V, -LONGEST, LONGEST)
        return count + 1, new._replace(V=V), jnp.max(jnp.abs(V - guess.V))

    tolerance = 1e4 * jnp.finfo(start.V.dtype).eps  # mV; the last step below makes it exact to rounding
    first = cell.advance(start, inject, dt, EXACT)
    # The loop is not differentiated: at the solution, one more Newton step carries the whole derivative.
    search, closed_over = jax.closure_convert(newton, first)
    closed_over, first = lax.stop_gradient((closed_over, first))
    opening = (jnp.asarray(0), first, jnp.asarray(jnp.inf, start.V.dtype))
    _, guess, change = lax.while_loop(unfinished, iterate, opening)
    end = follow(newton(guess))
    return end._replace(V=jnp.where(change > tolerance, jnp.nan, end.V))


BACKWARD_EULER = BackwardEuler()
