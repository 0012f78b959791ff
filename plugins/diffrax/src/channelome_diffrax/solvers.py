"""Adaptive steps: diffrax crosses each step of the run with as many of its own as the tolerances ask for.

Kidger (2021), On Neural Differential Equations, arXiv:2202.02435.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import diffrax
import jax
import jax.numpy as jnp
import optimistix
from jax import Array, lax

from channelome.cells.protocol import Cell
from channelome.engine.protocols import Drive
from channelome.engine.solvers.runge_kutta import confined
from channelome.state import State


class Carry(NamedTuple):
    """The state, and the step in ms with which the next crossing begins."""

    state: State
    first: Array


@dataclass(frozen=True)
class Adaptive:
    """A method of diffrax with its step chosen by a PI controller, one for the whole population: the worst neuron decides.

    Stimuli are seen at all times within a step, so `dt` sets what is recorded and where spikes are looked for, not the
    accuracy. Works under `jit`, `vmap` and reverse-mode `grad`, not under forward mode. ``Adaptive(diffrax.Tsit5, rtol=1e-9)``
    itself goes wherever a solver's name goes.

    Attributes:
        method: a class of diffrax solvers for ordinary differential equations that have an error estimate.
        order: of convergence.
        rtol: relative tolerance of each step; 1e-6 if None, 1e-4 in float32.
        atol: absolute tolerance, in mV, mM and for gates alike; 1e-9 if None, 1e-6 in float32.
        max_steps: within one `dt`. Where they do not suffice V becomes NaN, which `simulate` reports.
    """

    method: type[Any]
    order: int
    rtol: float | None = None
    atol: float | None = None
    max_steps: int = 4096

    def start(self, cell: Cell, state: State, dt: Any) -> tuple[Carry, int]:
        return Carry(state.at_once(), jnp.asarray(dt, state.V.dtype)), 0

    def step(self, cell: Cell, carry: Carry, n: Any, dt: Any, drive: Drive) -> Carry:
        dtype = carry.state.V.dtype
        span = jnp.asarray(dt, dtype)
        # Time counts from the step's start: late in a run float32 would not resolve its parts.
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda s, y, args: cell.derivative(y, drive.at(s / span))),  # pyright: ignore
            self.method(), jnp.zeros_like(span), span, carry.first, carry.state,
            stepsize_controller=self._controller(dtype), max_steps=self.max_steps, throw=False,
        )  # fmt: skip
        assert solution.ys is not None
        end: State = confined(cell, jax.tree.map(lambda x: x[-1], solution.ys))
        V = jnp.where(solution.result == diffrax.RESULTS.successful, end.V, jnp.nan)
        taken = solution.stats["num_accepted_steps"]
        first = span / jnp.maximum(taken - 1, 1).astype(dtype)  # as long as the last ones, or one in all
        return Carry(end._replace(V=V), lax.stop_gradient(first))

    def voltage(self, carry: Carry) -> Array:
        return carry.state.V

    def state(self, cell: Cell, carry: Carry, n: Any, dt: Any) -> State:
        return carry.state

    def _controller(self, dtype: Any) -> diffrax.PIDController:
        double = jnp.finfo(dtype).bits > 32
        rtol = self.rtol if self.rtol is not None else 1e-6 if double else 1e-4
        atol = self.atol if self.atol is not None else 1e-9 if double else 1e-6
        return diffrax.PIDController(rtol=rtol, atol=atol, pcoeff=0.3, icoeff=0.3, norm=optimistix.max_norm)


TSIT5 = Adaptive(diffrax.Tsit5, order=5)
"""Tsitouras (2011), doi:10.1016/j.camwa.2011.06.002: the first choice where nothing is stiff."""

DOPRI5 = Adaptive(diffrax.Dopri5, order=5)
"""Dormand & Prince (1980), doi:10.1016/0771-050X(80)90013-3."""

DOPRI8 = Adaptive(diffrax.Dopri8, order=8)
"""Prince & Dormand (1981), doi:10.1016/0771-050X(81)90010-3: for tolerances near rounding."""

KVAERNO5 = Adaptive(diffrax.Kvaerno5, order=5)
"""Kvaerno (2004), doi:10.1023/B:BITN.0000046811.70614.38: stiff.

It builds the Jacobian of the whole population, so it is for few neurons, or for one under `vmap`.
"""
