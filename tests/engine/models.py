"""The cells that engine tests run: squid axon, hippocampal neuron, and one with a calcium pool and a Markov scheme."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from channelome_hh1952 import IK_HH1952, INa_HH1952
from channelome_tm1991 import IK_TM1991, INa_TM1991
from jax.flatten_util import ravel_pytree
from scipy.integrate import solve_ivp

import channelome as ch
from channelome.authoring import (
    Array,
    Conductance,
    Gate,
    IonView,
    Markov,
    Ohmic,
    Permeability,
    Permeable,
    Rates,
    Transitions,
    exp,
    linoid,
    rates,
    sigmoid,
)
from channelome.mechanisms.ions import PotassiumFixed, SodiumFixed
from channelome.mechanisms.leak import IL

SOLVERS = {
    "euler": 1, "midpoint": 2, "heun": 2, "ralston": 2, "rk3": 3, "ssprk3": 3, "rk4": 4,
    "exp_euler": 1, "backward_euler": 1, "crank_nicolson": 2, "staggered": 2, "staggered4": 4,
}  # fmt: skip
"""Every solver of core and its order."""
EXPLICIT = ("euler", "midpoint", "heun", "ralston", "rk3", "ssprk3", "rk4")


class ICa(Ohmic, ion="ca"):
    """A calcium current that activates above -50 mV."""

    g_max: Conductance = 0.3

    def m(self, V: Array) -> Rates:
        return rates(alpha=0.3 * linoid(-(V + 25), 8), beta=0.4 * exp(-(V + 40) / 30))

    def conductance(self, m: Array) -> Array:
        return self.g_max * m**2


class ICaP(Permeable, ion="ca"):
    """A calcium current by the GHK equation."""

    p_max: Permeability = 2e-5

    def m(self, V: Array) -> Gate:
        return Gate(sigmoid(V + 30, 7), 0.8 + 2 * sigmoid(-(V + 30), 10))

    def permeability(self, m: Array) -> Array:
        return self.p_max * m**2


class KCa(Markov, ion="k", states=("C1", "C2", "O")):
    """A potassium channel that calcium and depolarisation open, in three states."""

    g_max: Conductance = 1.0

    def transitions(self, V: Array, ca: IonView) -> Transitions:
        return {
            ("C1", "C2"): 1e3 * ca.C_in * exp(V / 60),
            ("C2", "C1"): 2 * exp(-V / 60),
            ("C2", "O"): 5 * exp(V / 40),
            ("O", "C2"): 1 * exp(-V / 40),
        }

    def conductance(self, O: Array) -> Array:
        return self.g_max * O


def squid(size: Any = 1, **more: Any) -> ch.SingleCompartment:
    """Hodgkin and Huxley's axon at 6.3 degC."""
    ions = SodiumFixed(E="50 mV"), PotassiumFixed(E="-77 mV")
    leak = IL(g_max="0.3 mS/cm^2", E="-54.387 mV")
    return ch.SingleCompartment(
        size, *ions, **{"INa": INa_HH1952(phi=1.0), "IK": IK_HH1952(phi=1.0), "IL": leak} | more
    )


def hippocampal(size: Any = 1, **more: Any) -> ch.SingleCompartment:
    """The point neuron of Brette et al. 2007."""
    ions = SodiumFixed(E="50 mV"), PotassiumFixed(E="-90 mV")
    leak = IL(g_max="0.05 mS/cm^2", E="-60 mV")
    channels = {"INa": INa_TM1991(g_max="100 mS/cm^2"), "IK": IK_TM1991, "IL": leak}
    own = {"area": "20000 um^2", "V_th": "-20 mV", "V": "-65 mV"}
    return ch.SingleCompartment(size, *ions, **own | channels | more)


def calcium(size: Any = 1, **more: Any) -> ch.SingleCompartment:
    """A calcium current into a pool, which gates a Markov scheme."""
    channels = {"ICa": ICaP, "KCa": KCa, "IL": IL(g_max="0.1 mS/cm^2", E="-62 mV")}
    ions = "CalciumDetailed", PotassiumFixed(E="-90 mV")
    return ch.SingleCompartment(size, *ions, **{"celsius": 36.0} | channels | more)


MODELS: dict[str, Callable[..., ch.SingleCompartment]] = {
    "squid": squid,
    "hippocampal": hippocampal,
    "calcium": calcium,
}


def bump(t: Any) -> Any:
    """A smooth current in uA/cm^2, strongest at 2 ms, that elicits no spike."""
    return 2.0 * jnp.exp(-(((t - 2.0) / 0.8) ** 2))


BUMP = ch.function(bump, unit="uA/cm^2")


@functools.cache
def model(name: str) -> ch.SingleCompartment:
    return MODELS[name]()


@functools.cache
def converged(name: str, times: tuple[float, ...]) -> np.ndarray:
    """V of the model at `times` (ms) under `bump`, by SciPy's Dormand-Prince of order 8, to 1e-12."""
    cell = model(name)
    start, unravel = ravel_pytree(cell.initial_state())

    @jax.jit
    def slope(t: Any, y: Any) -> Any:
        return ravel_pytree(cell.derivative(unravel(y), lambda V: bump(t)))[0]

    span, accuracy = (0.0, times[-1]), {"rtol": 1e-12, "atol": 1e-13}
    answer = solve_ivp(slope, span, np.asarray(start), t_eval=times, method="DOP853", **accuracy)
    return np.array([unravel(y).V for y in answer.y.T])


def everything(cell: Any) -> list[str]:
    """Names of V and of all gates and occupancies of a cell."""
    return ["V", *(f"{label}.{x}" for label, c in cell.channels.items() for x in (*c.gates, *c.occupancies))]


ROOM = 1024
"""Samples that `run` makes room for: runs of up to so many share one compiled program."""


def run(name: str, solver: str, dt: float, steps: int, stimulus: Any = BUMP, **more: Any) -> ch.Traces:
    cell = model(name)
    options = {"record": everything(cell), "chunk": ROOM} | more
    return ch.simulate(cell, (dt * steps, "ms"), dt=(dt, "ms"), stimulus=stimulus, solver=solver, **options)
