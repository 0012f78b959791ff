"""Where on a cell of many compartments NaN began. V of all of them is solved for at once, so that one takes all others with it."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..cells.cable import Cable, nodes_first, nodes_last
from ..state import State

_AHEAD = (0.0, 0.5, 1.0, 2.0)
"""Shares of the step at which the cell is looked at, V going on as it goes."""


def began(cell: Any, before: State, dt: float) -> tuple[str, np.ndarray] | None:
    """What is not finite, and where it is not, shortly after the last state that was.

    Args:
        cell: as the modeller wrote it.
        before: its state as it is handed out, cells first.

    Returns:
        the name, ``"X.m"`` or ``"X.current"``, and the flags over where the part is, cells first; None if all is finite.
    """
    cable = cell.ready()
    now = jax.tree.map(nodes_first, State(before.V, before.channels, before.ions))
    dV = cable.derivative(now, jnp.zeros_like).V
    for share in _AHEAD:
        ahead = now if share == 0 else now._replace(V=now.V + jnp.asarray(share * dt, now.V.dtype) * dV)
        for name, x in _worked_out(cable, ahead):
            if (wrong := ~np.isfinite(np.asarray(nodes_last(x)))).any():
                return name, wrong
    return None


def _worked_out(cable: Cable, state: State) -> Iterator[tuple[str, Array]]:
    """Slopes of gates, currents, their slopes by V, and what changes in ions, in the order in which one follows from another."""
    slopes = cable.slopes(state, jnp.zeros_like(state.V))
    for label, gates in slopes.channels.items():
        yield from ((f"{label}.{gate}", x) for gate, x in gates.items())

    def currents(V: Array) -> dict[str, Array]:
        return cable.currents(state._replace(V=V))

    for found in jax.jvp(currents, (state.V,), (jnp.ones_like(state.V),)):
        yield from ((f"{label}.current", x) for label, x in found.items())
    for species, values in slopes.ions.items():
        yield from ((f"{species}.{name}", x) for name, x in values.items())
