"""What is left to integrate where V is held by an ideal clamp: gates in closed form, concentrations to second order.

Within a step the command is taken for one jump from where it begins to where it ends, at the moment that gives it its mean:
a jump is crossed exactly wherever it lies, a ramp to second order. Gates follow by the exact rule.
"""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax import Array

from ...cells.protocol import Cell
from ...mechanisms.rules import EXACT
from ...state import State


@dataclass(frozen=True)
class Held:
    """Takes the place of the solver for cells that are clamped ideally. V is the command; after a jump, what it jumps to."""

    order: int = 2

    def start(self, cell: Cell, state: State, dt: Any) -> tuple[State, int]:
        return state.at_once(), 0

    def step(self, cell: Cell, carry: State, n: Any, dt: Any, drive: Any) -> State:
        command, now = drive.clamp.command, drive.n
        ends = command.at(now, 0.0), command.at(now, 1.0)
        end = cross(cell, carry, *ends, command.mean(now), jnp.asarray(dt, carry.V.dtype))
        return end._replace(V=jnp.broadcast_to(command.at(now + 1, 0.0), carry.V.shape))

    def voltage(self, carry: State) -> Array:
        return carry.V

    def state(self, cell: Cell, carry: State, n: Any, dt: Any) -> State:
        return carry


def cross(cell: Any, state: State, begin: Any, end: Any, mean: Any, dt: Any) -> State:
    """The state after `dt` ms in which V goes from `begin` to `end` and has a `mean`."""
    moved = end - begin
    jumps = moved != 0
    share = jnp.where(jumps, jnp.clip((end - mean) / jnp.where(jumps, moved, 1), 0, 1), 0.5).astype(state.V.dtype)
    return _at(cell, _at(cell, state, begin, share * dt), end, (1 - share) * dt)


def _at(cell: Any, state: State, V: Any, dt: Any) -> State:
    """The state after `dt` ms at one voltage."""
    held = jnp.broadcast_to(V, state.V.shape)
    state = state._replace(V=held)
    if not any(state.ions.values()):
        return cell.relax(state, dt, EXACT)
    half = cell.relax(state, dt / 2, EXACT)
    filled = cell.advance(half, jnp.zeros_like, dt, EXACT, follow=lambda now: now._replace(V=held))
    return cell.relax(filled._replace(V=held), dt / 2, EXACT)


HELD = Held()
