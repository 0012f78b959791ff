"""The states of a patch under a command: in closed form where it jumps between levels, else in steps that are halved until they suffice."""

import functools
import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.core import Tracer

from ..cells import SingleCompartment
from ..engine.solvers.held import cross
from ..errors import SimulationError
from ..mechanisms.channels import Channel
from ..mechanisms.rules import EXACT
from ..state import State
from ..stimuli.current import Counted, Current
from .patch import only

FEWEST = 32
"""Steps between two times where JAX traces what would say how many it takes."""
MOST = 1 << 23
"""Steps in all, at most."""


# ---- levels --------------------------------------------------------------------------------------------------------


@jax.jit
def under_levels(cell: SingleCompartment, levels: Sequence[Any], edges: Sequence[Any], t: Array) -> Array:
    """Currents at the times `t` (ms) while V jumps through `levels` (mV) at `edges` (ms), at rest before: exact at any `t`."""
    label, _ = only(cell)
    edges = [jnp.broadcast_to(jnp.asarray(edge, t.dtype), cell.size) for edge in edges]
    held = [jnp.broadcast_to(jnp.asarray(level, t.dtype), cell.size) for level in levels]
    state = cell.initial_state(held[0])
    begins = [state, state._replace(V=held[1])]
    for k in range(1, len(edges)):
        begins.append(_after(cell, begins[-1], edges[k] - edges[k - 1])._replace(V=held[k + 1]))
    near = 4 * jnp.finfo(t.dtype).eps

    def at(time: Array) -> Array:
        passed = [time >= edge - near * jnp.abs(edge) for edge in edges]

        def last(values: Sequence[Array]) -> Array:
            return functools.reduce(lambda old, of: jnp.where(of[0], of[1], old), zip(passed, values[1:], strict=True), values[0])  # fmt: skip

        since = last([jnp.zeros_like(edges[0]), *(jnp.maximum(time - edge, 0) for edge in edges)])
        begin = jax.tree.map(lambda *xs: last(xs), *begins)
        return cell.currents(_after(cell, begin, since))[label]

    return jax.vmap(at)(t)


def _after(cell: SingleCompartment, start: State, t: Array) -> State:
    """The state `t` ms after `start` at its voltage."""
    return _scheme_after(cell, start, t) if only(cell)[1].occupancies else cell.relax(start, t, EXACT)


def _scheme_after(cell: SingleCompartment, start: State, t: Array) -> State:
    """The same of a kinetic scheme: gates relaxed, and the occupancies by the matrix exponential."""
    label, channel = only(cell)
    env = {"V": start.V, "celsius": cell.celsius, **cell.views(start)}
    states, names = start.channels[label], channel.occupancies
    generator = jnp.stack([_column(channel, states, env, name) for name in names], axis=-1)
    before = jnp.stack([states[name] for name in names], axis=-1)
    exponent = generator * jnp.expand_dims(t, (-2, -1))
    after = jnp.einsum("...ij,...j->...i", jax.scipy.linalg.expm(exponent, max_squarings=48), before)
    moved = cell.relax(start, t, EXACT).channels[label] | {name: after[..., i] for i, name in enumerate(names)}
    return start._replace(channels={label: moved})


def _column(channel: Channel, states: dict[str, Array], env: dict[str, Any], name: str) -> Array:
    """Rates of change of all occupancies per occupancy of `name`: a column of the scheme's matrix."""
    unit = states | {other: jnp.full_like(states[other], float(other == name)) for other in channel.occupancies}
    slope = channel.slope(unit, env)
    return jnp.stack([jnp.broadcast_to(slope[other], jnp.shape(env["V"])) for other in channel.occupancies], axis=-1)


# ---- any waveform --------------------------------------------------------------------------------------------------


def under_command(cell: SingleCompartment, command: Current, hold: Any, t: Array) -> Array:
    """Currents at the times `t` (ms), not decreasing, under any command (mV), from rest at `hold` (mV).

    Steps are halved until that changes no current by more than 3e-6 of the largest (1e-4 in float32), so that of a method of
    second order 1e-6 is left. What is traced by JAX goes in `FEWEST` steps between two times.

    Raises:
        SimulationError: where `MOST` steps do not suffice.
    """
    unit = min(command.detail, 1.0)
    counted = command.counted(unit, t.dtype)
    leaves = jax.tree.leaves((cell, counted, hold, t))
    if any(isinstance(x, Tracer) for x in leaves):
        longest = 0.0 if isinstance(t, Tracer) else float(np.max(np.diff(np.asarray(t), prepend=0.0)))
        return _walk(cell, counted, unit, hold, t, None, max(FEWEST, math.ceil(longest / unit)))
    lengths = np.diff(np.asarray(t, float), prepend=0.0)
    tolerance = 3e-6 if t.dtype.itemsize > 4 else 1e-4
    counts = np.where(lengths > 0, np.maximum(np.ceil(lengths / unit), 4), 0).astype(np.int32)
    found = _in_steps(cell, counted, unit, hold, t, counts)
    while counts.sum() <= MOST:
        coarse, counts = found, 2 * counts
        found = _in_steps(cell, counted, unit, hold, t, counts)
        if float(jnp.max(jnp.abs(found - coarse))) <= tolerance * float(jnp.max(jnp.abs(found))):
            return found
    raise SimulationError(
        f"the currents under the clamp do not settle in {MOST:,} steps: give a shorter command, or fewer times t."
    )


def _walk(
    cell: SingleCompartment, command: Counted, unit: float, hold: Any, t: Array, counts: Any, count: int | None = None
) -> Array:
    """In so many steps between each two times: `counts` of them, or one `count` that is known before and can be differentiated."""
    label, _ = only(cell)

    def interval(state: State, given: Any) -> tuple[State, Array]:
        begin, length, asked = given
        steps = asked if count is None else count
        dt = length / jnp.maximum(steps, 1).astype(length.dtype)

        def one(j: Any, now: State) -> State:
            return _across(cell, command, unit, now, begin + jnp.asarray(j, dt.dtype) * dt, dt)

        state = lax.fori_loop(0, steps, one, state)
        place = (begin + length) / unit
        whole = jnp.floor(place)
        V = jnp.broadcast_to(command.at(whole.astype(jnp.int32), place - whole), cell.size)
        return state, cell.currents(state._replace(V=V))[label]

    lengths = jnp.diff(t, prepend=jnp.zeros((), t.dtype))
    return lax.scan(interval, cell.initial_state(hold), (t - lengths, lengths, counts))[1]


_in_steps = jax.jit(_walk, static_argnums=2)


def _across(cell: SingleCompartment, command: Counted, unit: float, state: State, begin: Array, dt: Array) -> State:
    """The state `dt` ms after the time `begin`; `dt` is at most a unit, in which the command is counted."""
    place, reach = begin / unit, dt / unit
    whole = jnp.floor(place)
    n, first = whole.astype(jnp.int32), place - whole
    last, over = jnp.minimum(first + reach, 1), jnp.maximum(first + reach - 1, 0)
    tiny = jnp.finfo(dt.dtype).eps
    here = command.mean(n, first, jnp.maximum(last, first + tiny))
    there = command.mean(n + 1, 0.0, jnp.maximum(over, tiny))
    share = over / jnp.maximum(reach, tiny)
    end = jnp.where(over > 0, command.at(n + 1, over), command.at(n, last))
    return cross(cell, state, command.at(n, first), end, (1 - share) * here + share * there, dt)
