"""Cells under voltage clamp: what is asked of a clamp, how V follows a stiff one, and the current that flows through it."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

from ..cells import MultiCompartment
from ..cells.protocol import Inject
from ..cells.record import Probe
from ..errors import ModelError, UnitError, UnknownName
from ..mechanisms.kinetics import Rule
from ..mechanisms.rules import lag
from ..mechanisms.transmission import Coupling
from ..state import State
from ..stimuli.clamp import RESISTANCE, Clamp, CountedClamp
from ..stimuli.places import Spots
from ..streams import Stream
from .drive import Drive
from .model import Model
from .placed import clamp_of, nodes_at
from .request import UM2_NA_TO_DENSITY
from .solvers.pinned import Pin

PROBE = "clamp.current"

# ---- asked ---------------------------------------------------------------------------------------------------------


def checked_clamp(
    cell: Any, clamp: Clamp, dt: float, dtype: Any, *, solver: Any, first: int, steps: int | None, stream: Stream
) -> CountedClamp:
    """The clamp of a cell in steps of `dt` ms.

    Args:
        first, steps: number of the run's first step, and how many there are.
        stream: what is random in the command without a seed follows from.
    """
    command = clamp.command
    command.check_step(dt, "the clamp's command")
    _check_span(command, first * dt, (first + (steps or 0)) * dt, dt)
    if clamp.resistance is not None and clamp.unit == RESISTANCE and cell.area is None:
        raise UnitError(
            "the clamp's series resistance is that of an electrode, in Mohm, but the cell has no area: give it area=..., or the "
            "resistance times an area, such as '0.5 kohm*cm^2'."
        )
    counted = clamp.counted(cell, dt, dtype, first, stream)
    R: Any = clamp.resistance
    for what, shape in (("command", counted.command.shape), ("series resistance", np.shape(R))):
        if shape not in ((), cell.size):
            raise ModelError(f"the clamp's {what} has the shape {shape}, but the population has {cell.size}.")
    if not counted.ideal and getattr(solver, "slow_clamps", ""):
        _check_stiffness(cell, counted, dt, solver.slow_clamps)
    return counted


def checked_clamp_at(
    cell: MultiCompartment,
    spots: Spots | Clamp,
    dt: float,
    dtype: Any,
    *,
    solver: Any,
    first: int,
    steps: int | None,
    stream: Stream,
) -> CountedClamp:
    """As `checked_clamp`, of a clamp at a place: its conductance is a density over the nodes, 0 where it is not."""
    if isinstance(spots, Clamp):
        raise ModelError("a clamp of a cell with compartments is at a place: stimulus=at('soma', voltage_clamp(...)).")
    spot = clamp_of(cell, spots)
    assert spot is not None
    node = nodes_at(cell, spot.place)[0]
    area = float(cell.compartments.tree.area[node])
    if spot.what.unit != RESISTANCE:
        raise UnitError(
            f"a clamp at '{spot.place}' is an electrode, whose series resistance is in Mohm, not in {spot.what.unit}."
        )
    electrode = SimpleNamespace(size=cell.size, area=area, pointwise=True)
    counted = checked_clamp(electrode, spot.what, dt, dtype, solver=None, first=first, steps=steps, stream=stream)
    if counted.ideal:
        _check_pinned(solver)
        return counted
    shape = (len(cell.compartments.tree), *cell.size)
    density = jnp.zeros(shape, dtype).at[node].set(counted.conductance)
    return dataclasses.replace(counted, conductance=density)


def _check_pinned(solver: Any) -> None:
    if not getattr(solver, "by_mean", False):
        raise ModelError(
            f"{type(solver).__name__} cannot hold a place of a cell ideally: take solver='staggered', of second order, or 'backward_euler', or "
            f"give the clamp a series resistance."
        )


def _check_span(command: Any, begin: float, end: float, dt: float) -> None:
    first, last = command.span
    near = 1e-6 * dt
    if first > begin + near:
        raise ModelError(
            f"the clamp's command begins at {first:g} ms, and the run at {begin:g} ms: say what is held until then, "
            f"command(hold, ..., start=...)."
        )
    if last < end - near:
        raise ModelError(
            f"the clamp's command ends at {last:g} ms, and the run at {end:g} ms: say what is held from then on, command(hold, ...), "
            f"or run as long as it lasts."
        )


def _check_stiffness(cell: Any, clamp: CountedClamp, dt: float, name: str) -> None:
    """Methods that would blow up, or ring between two values for ever, where the clamp is faster than the step."""
    if isinstance(clamp.conductance, Tracer) or isinstance(cell.C, Tracer):
        return
    tau = float(np.min(np.asarray(cell.C) / np.asarray(clamp.conductance)))
    if dt > 2 * tau:
        raise ModelError(
            f"the clamp charges the cell within {tau:.3g} ms (series resistance times capacitance), which {name} does not cross in steps "
            f"of {dt:g} ms: take dt of at most {2 * tau:.3g} ms, or solver='staggered', which takes any."
        )


def check_places(model: Model, clamps: dict[str, Any]) -> None:
    """Raise for clamps where they cannot be."""
    for label, path in model.projections.items():
        for end in (path.wiring.pre, path.wiring.post):
            if isinstance(path.synapse, Coupling) and end in clamps:
                raise ModelError(
                    f"'{end}' cannot be clamped: the gap junctions '{label}' share its charge. Clamp a population without them."
                )


def probe(label: str, cell: Any, clamped: bool) -> Probe:
    """The current of a cell's clamp: absolute where the cell has an area.

    Raises:
        UnknownName: where nothing clamps it.
    """
    if not clamped:
        whose = f"'{label}'" if label else "this cell"
        raise UnknownName(f"there is no '{PROBE}' to record: {whose} is not clamped. Give stimulus=voltage_clamp(...).")
    return Probe(
        PROBE, "uA/cm^2" if cell.area is None else "nA", "clamp", "current"
    )  # of compartments: through the electrode


# ---- one step ------------------------------------------------------------------------------------------------------


class Led:
    """A cell whose membrane, in a step, follows the command of a clamp that is faster than the step; see `lag`."""

    def __init__(self, cell: Any, drive: Drive) -> None:
        self._cell, self._drive = cell, drive

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cell, name)

    def advance(self, state: State, inject: Inject, dt: Any, rule: Rule, **implicit: Any) -> State:
        clamp, n = self._drive.clamp, self._drive.n
        assert clamp is not None
        g, to_go = clamp.conductance, clamp.command.at(n, 1.0) - clamp.command.mean(n)
        if not self._cell.pointwise:
            ahead = g * self._cell.lead(g, dt) * to_go
            return self._cell.advance(state, lambda V: inject(V) + ahead, dt, rule, **implicit)
        rate = -jax.jvp(
            lambda V: self._cell.derivative(state._replace(V=V), inject).V, (state.V,), (jnp.ones_like(state.V),)
        )[1]
        ahead = g * lag(rule.gain, dt * jnp.maximum(rate, g / self._cell.C / 2)) * to_go
        return self._cell.advance(state, lambda V: inject(V) + ahead, dt, rule, **implicit)


def led(cell: Any, drive: Drive, solver: Any) -> Any:
    """The cell for its step: as it is, or `Led` where the solver takes the mean of the command over the whole of it."""
    follows = drive.command is not None and getattr(solver, "by_mean", False)
    return Led(cell, drive) if follows else cell


def _at_pin(cell: Any, drive: Drive, state: State, node: int, dt: Any) -> Array:
    """The current of an ideal clamp at a node: through its membrane, along its branches, and what charges it; nA."""
    assert drive.clamp is not None
    inject = drive._replace(clamp=None).at(0.0)
    density = (cell.outward(state) - inject(state.V))[node]
    charging = cell.capacity[node] * drive.clamp.slope(drive.n, dt)
    return density * cell.area[node] / UM2_NA_TO_DENSITY + cell.links.outflow(state.V)[node] + charging


def current(cell: Any, drive: Drive, state: State, solver: Any, dt: Any, pin: Pin | None = None) -> Array:
    """The current through the clamp at the beginning of a step, outward through the membrane positive, as `probe` says.

    An ideal clamp supplies what flows through the membrane, ``C dV/dt`` of the command's slope included (at a kink the mean of
    its two slopes); the charge of a jump, which takes no time, is left out. Through a resistance flows ``(command - V) / R``.
    Where it charges the cell in less than half a step, V follows the gates of the middle of the step, and part of the current
    is taken as what flows through the membrane, as much as cancels that lag.
    """
    clamp = drive.clamp
    assert clamp is not None
    if pin is not None:
        return _at_pin(cell, drive, state, pin.node, dt)
    if not cell.pointwise:
        apart = clamp.conductance * (clamp.command.at(drive.n, 0.0) - state.V)
        return jnp.sum(apart * cell.area, axis=0) / UM2_NA_TO_DENSITY
    inject = drive._replace(clamp=None).at(0.0)
    free, slope = jax.jvp(
        lambda V: cell.derivative(state._replace(V=V), inject).V, (state.V,), (jnp.ones_like(state.V),)
    )
    moves = clamp.slope(drive.n, dt)
    if clamp.ideal:
        through = cell.C * (moves - free)
    else:
        g = clamp.conductance
        rate = jnp.maximum(g / cell.C - slope, g / cell.C / 2)
        holds = g / (cell.C * rate)
        lags = (dt * g / cell.C > 2) & getattr(solver, "middle_gates", False)
        share = jnp.where(lags, jnp.clip(holds * (1 - 2 / (dt * rate)), 0, 1), 0.0)
        through = (1 - share) * g * (clamp.command.at(drive.n, 0.0) - state.V) + share * cell.C * (holds * moves - free)
    through = jnp.broadcast_to(through, state.V.shape)
    return through if cell.area is None else through * (cell.area / UM2_NA_TO_DENSITY)
