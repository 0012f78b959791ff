"""The cell that solvers are tried on: composed of gates, a calcium pool and a kinetic scheme that calcium drives."""

import functools
from typing import Any

import jax.numpy as jnp

from ..authoring import (
    Array,
    Conductance,
    Factor,
    IonView,
    Markov,
    Ohmic,
    Rates,
    Transitions,
    Voltage,
    exp,
    linoid,
    param,
    rates,
)
from ..cells import SingleCompartment
from ..mechanisms.leak import IL
from ..stimuli import function

_SOURCE = "our choice: a patient of the kit, of no paper"


class Calcium(Ohmic, ion="ca"):
    """A calcium current that activates above -50 mV."""

    g_max: Conductance = param(0.3, source=_SOURCE)
    V_half: Voltage = param(-25.0, source=_SOURCE)

    def m(self, V: Array) -> Rates:
        return rates(alpha=0.3 * linoid(self.V_half - V, 8), beta=0.4 * exp(-(V + 40) / 30))

    def conductance(self, m: Array) -> Array:
        return self.g_max * m**2


class Rectifier(Ohmic, ion="k"):
    """A delayed rectifier."""

    g_max: Conductance = param(8.0, source=_SOURCE)

    def n(self, V: Array) -> Rates:
        return rates(alpha=0.03 * linoid(-(V + 50), 5), beta=0.5 * exp(-(V + 55) / 40))

    def conductance(self, n: Array) -> Array:
        return self.g_max * n**4


class CalciumGated(Markov, ion="k", states=("C1", "C2", "O")):
    """A potassium channel that calcium and depolarisation open, in three states."""

    g_max: Conductance = param(1.0, source=_SOURCE)
    speed: Factor = param(1.0, source=_SOURCE)

    def transitions(self, V: Array, ca: IonView) -> Transitions:
        return {
            ("C1", "C2"): self.speed * 1e3 * ca.C_in * exp(V / 60),
            ("C2", "C1"): self.speed * 2 * exp(-V / 60),
            ("C2", "O"): self.speed * 5 * exp(V / 40),
            ("O", "C2"): self.speed * exp(-V / 40),
        }

    def conductance(self, O: Array) -> Array:
        return self.g_max * O


@functools.cache
def patient() -> SingleCompartment:
    """A point neuron with the three, a leak and a pool, at 36 degC."""
    channels: dict[str, Any] = {"ICa": Calcium, "IK": Rectifier, "KCa": CalciumGated}
    leak = IL(g_max="0.1 mS/cm^2", E="-62 mV")
    return SingleCompartment(1, "CalciumDetailed", "PotassiumFixed", celsius=36.0, IL=leak, **channels)


def bump(t: Any) -> Any:
    """A smooth current in uA/cm^2, strongest at 2 ms, that elicits no spike."""
    return 2.0 * jnp.exp(-(((t - 2.0) / 0.8) ** 2))


BUMP = function(bump, unit="uA/cm^2")
