"""Channels with mistakes that shipped simulators make, or that the checks are there for."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from kit.planted import Defect, collector, stated

from channelome.authoring import (
    FARADAY,
    GAS,
    Q10,
    Array,
    Conductance,
    Factor,
    Gate,
    General,
    IonView,
    Markov,
    Ohmic,
    Permeability,
    Permeable,
    Rates,
    Temperature,
    Transitions,
    Voltage,
    exp,
    linoid,
    log,
    param,
    rates,
    sigmoid,
    where,
)

CHANNELS: list[Defect] = []
planted = collector("channel", CHANNELS)


class Plain(Ohmic, ion="na"):
    """A sodium current that is right: what the mistakes below are mistakes in."""

    g_max: Conductance = stated(120.0)
    V_sh: Voltage = stated(-40.0)

    def m(self, V: Array) -> Rates:
        return rates(alpha=0.1 * linoid(self.V_sh - V, 10), beta=4 * exp(-(V + 65) / 18))

    def conductance(self, m: Array) -> Array:
        return self.g_max * m**3


# ---- rates at singular points --------------------------------------------------------------------------------------


@planted("0/0 at -40 mV", "finite", "Jaxley")
class Naive(Plain):
    """A quotient as the paper prints it."""

    def m(self, V: Array) -> Rates:
        v = V - self.V_sh
        return rates(alpha=0.1 * v / (1 - exp(-v / 10)), beta=4 * exp(-(V + 65) / 18))


@planted("slope exactly 0 at the removable singularity: where(x == 0, ...)", "slopes", "jaxley-mech")
class Guarded(Plain):
    """A quotient with the value of its limit, whose slope is then that of a constant."""

    def m(self, V: Array) -> Rates:
        v = V - self.V_sh
        safe = where(v == 0, 1.0, v)
        return rates(alpha=where(v == 0, 1.0, 0.1 * safe / (1 - exp(-safe / 10))), beta=4 * exp(-(V + 65) / 18))


@planted("gradient NaN at the removable singularity: where around the quotient", "gradients", "braincell")
class HalfGuarded(Plain):
    """A quotient whose branch not taken is still differentiated."""

    def m(self, V: Array) -> Rates:
        v = V - self.V_sh
        return rates(alpha=where(v == 0, 1 + v / 20, 0.1 * v / (1 - exp(-v / 10))), beta=4 * exp(-(V + 65) / 18))


@planted("+ 1e-6 in the denominator", "slopes")
class Shifted(Plain):
    """A quotient kept from 0/0 by moving its pole."""

    def m(self, V: Array) -> Rates:
        v = V - self.V_sh
        return rates(alpha=abs(0.1 * v / (1 - exp(-v / 10) + 1e-6)), beta=4 * exp(-(V + 65) / 18))


@planted("another value near the singularity than beside it", "smooth")
class Jumping(Plain):
    """A quotient with a wrong limit."""

    def m(self, V: Array) -> Rates:
        v = V - self.V_sh
        return rates(alpha=where(abs(v) < 1e-6, 0.1, 0.1 * linoid(-v, 10)), beta=4 * exp(-(V + 65) / 18))


@planted("GHK flux whose gradient is NaN at V = 0", "finite", "braincell")
class Flux(Permeable, ion="ca"):
    """A GHK current written out."""

    p_max: Permeability = stated(1e-4)

    def m(self, V: Array) -> Gate:
        return Gate(inf=sigmoid(V + 20, 5), tau=1.0)

    def permeability(self, m: Array) -> Array:
        return self.p_max * m

    def current(self, states: Any, env: Any) -> Array:
        ca = env["ca"]
        z = 2 * env["V"] * FARADAY / (GAS * 1e3 * (env["celsius"] + 273.15))
        flux = where(z == 0, ca.C_in - ca.C_out, z * (ca.C_in - ca.C_out * exp(-z)) / (1 - exp(-z)))
        return self.permeability(states["m"]) * 2 * FARADAY * 1e-3 * 1e3 * flux


@planted("a table of rates", "no tables", "NEURON")
class Tabled(Plain):
    """A steady state that is looked up."""

    def m(self, V: Array) -> Gate:
        x = np.linspace(-150.0, 150.0, 301)
        return Gate(inf=jnp.interp(V, x, 1 / (1 + np.exp(-(x + 40) / 5))), tau=1.0)


@jax.custom_jvp
def _differenced(V: Array) -> Array:
    return 1 / (1 + jnp.exp(-(V + 40) / 5))


@_differenced.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (V,), (dV,) = primals, tangents
    return _differenced(V), dV * (_differenced(V + 1e-3) - _differenced(V)) / 1e-3


@planted("a slope by finite differences: 1.8 % off in float32", "single precision", "Jaxley")
class Differenced(Plain):
    """A rate whose derivative is a difference quotient."""

    def m(self, V: Array) -> Gate:
        return Gate(inf=_differenced(V), tau=1.0)


@planted("a difference of large numbers", "single precision")
class Cancelling(Plain):
    """A time constant whose digits are gone in float32."""

    def m(self, V: Array) -> Gate:
        return Gate(inf=sigmoid(V + 40, 5), tau=1e5 + 1.0 + 0.01 * V**2 - 1e5)


@planted("a steady state above 1", "ranges")
class Overfull(Plain):
    """A Boltzmann curve with a factor left in."""

    def m(self, V: Array) -> Gate:
        return Gate(inf=1.1 * sigmoid(V + 40, 5), tau=1.0)


@planted("a rate that is negative", "ranges")
class Negative(Plain):
    """A rate with the sign of its argument lost."""

    def m(self, V: Array) -> Rates:
        return rates(alpha=0.01 * (V + 100), beta=4 * exp(-(V + 65) / 18))


@planted("no calcium, no number: a logarithm of the concentration", "concentrations")
class Logarithm(Ohmic, ion="k"):
    """A potassium current gated by the order of magnitude of calcium."""

    g_max: Conductance = stated(1.0)

    def p(self, ca: IonView) -> Gate:
        return Gate(inf=sigmoid(log(ca.C_in - 1e-5), 1), tau=10.0)

    def conductance(self, p: Array) -> Array:
        return self.g_max * p


# ---- parameters and temperature ------------------------------------------------------------------------------------


@planted("V_sh has no effect", "parameters", "braincell")
class Inert(Plain):
    """A shift that no rate reads."""

    def m(self, V: Array) -> Rates:
        return rates(alpha=0.1 * linoid(-40 - V, 10), beta=4 * exp(-(V + 65) / 18))


@planted("temperature as a field: that of the cell does not reach it", "temperature", "braincell")
class Warm(Plain):
    """A current with a temperature of its own."""

    temp: Temperature = stated(36.0)

    def m(self, V: Array) -> Rates:
        phi = 3.0 ** ((self.temp - 36) / 10)
        return rates(alpha=phi * 0.1 * linoid(self.V_sh - V, 10), beta=phi * 4 * exp(-(V + 65) / 18))


@planted("the temperature is asked for and has no effect", "temperature")
class Unmoved(Plain):
    """A gate with an argument that it does not use."""

    def m(self, V: Array, celsius: Any) -> Rates:
        return rates(alpha=0.1 * linoid(self.V_sh - V, 10), beta=4 * exp(-(V + 65) / 18))


@planted("slower when it is warmer", "temperature")
class Inverted(Plain):
    """A time constant that Q10 multiplies."""

    phi: Factor = param(Q10(3.0, 6.3), source="our choice")

    def m(self, V: Array) -> Gate:
        return Gate(inf=sigmoid(V + 40, 5), tau=self.phi * 2.0)


@planted("slower when it is warmer, by the temperature that a gate asks for", "temperature")
class Chilled(Plain):
    """A time constant that the factor multiplies in place of dividing it."""

    def m(self, V: Array, celsius: Any) -> Gate:
        return Gate(inf=sigmoid(V + 40, 5), tau=2.0 * 3.0 ** ((celsius - 22) / 10))


@planted("factor and reference of a Q10 swapped", "temperature")
class Swapped(Plain):
    """A gate that is 36 times faster at 13 than at 3 degC."""

    phi: Factor = param(Q10(36.0, 3.0), source="our choice")

    def m(self, V: Array) -> Gate:
        return Gate(inf=sigmoid(V + 40, 5), tau=2.0 / self.phi)


@planted("the defaults are out of bounds: it cannot be built with them", "defaults", "braincell")
class Unbuildable(Plain):
    """A current whose constructor has no default for what it needs."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        raise ValueError("g_max is smaller than its lower bound")


@planted("a parameter in another unit than its name says", "units")
class Misnamed(Plain):
    """A potential that is a number."""

    E_half: Factor = stated(-40.0)
    V_half: Factor = stated(-40.0)

    def m(self, V: Array) -> Gate:
        return Gate(inf=sigmoid(V - self.V_half - 0.0 * self.E_half, 5), tau=1.0)


@planted("a default of no known source", "sources")
class Sourceless(Plain):
    """A current with a number from nowhere."""

    E: Voltage = 43.0


@planted("a placeholder left in", "placeholders")
class Unfinished(Plain):
    """A current as the scaffold leaves it."""

    g_max: Conductance = param(1.0, source="placeholder")


@planted("no docstring", "docstring")
class Undocumented(Plain):
    g_max: Conductance = stated(1.0)


# ---- what the current is -------------------------------------------------------------------------------------------


@planted("inward positive", "current")
class Inward(Plain):
    """A current with the sign of another program."""

    def current(self, states: Any, env: Any) -> Array:
        return -super().current(states, env)


@planted("the whole current of a joint channel counts for both ions", "charge", "BrainPy")
class Joint(Ohmic, ion={"k": "k_share", "ca": "ca_share"}):
    """A potassium current credited to calcium too."""

    g_max: Conductance = stated(1.0)
    E: Voltage = stated(-43.0)
    k_share: Factor = stated(1.0)
    ca_share: Factor = stated(1.0)

    def p(self, ca: IonView) -> Gate:
        return Gate(inf=ca.C_in / (ca.C_in + 1e-3), tau=10.0)

    def conductance(self, p: Array) -> Array:
        return self.g_max * p


# ---- gates in time -------------------------------------------------------------------------------------------------


@planted("gates start at 0, not at their steady state", "fixed point", "BrainPy")
class AtZero(Plain):
    """A current whose cell starts with all gates closed."""

    def steady_state(self, env: Any) -> Any:
        return {"m": jnp.zeros_like(env["V"])}


@planted("the steady state is not where the gates go", "reached")
class Elsewhere(Plain):
    """A current that settles half way."""

    def relax(self, states: Any, env: Any, dt: Any, rule: Any) -> Any:
        return {"m": jnp.maximum(super().relax(states, env, dt, rule)["m"], 0.5)}


@planted("one step of 5 ms takes gates out of [0, 1]", "steps")
class Explicit(Plain):
    """A gate stepped by forward Euler."""

    def relax(self, states: Any, env: Any, dt: Any, rule: Any) -> Any:
        return {"m": states["m"] + dt * self.slope(states, env)["m"]}


@planted("each part is integrated alone: first order", "order")
class FirstOrder(Plain):
    """A gate stepped by backward Euler whatever the rule."""

    def relax(self, states: Any, env: Any, dt: Any, rule: Any) -> Any:
        gate = self._gate("m", {**env, **states})
        return {"m": (states["m"] + dt * self.steady_state(env)["m"] / gate.tau) / (1 + dt / gate.tau)}


@planted("a kinetic scheme that loses channels", "conserved")
class Leaking(Markov, ion="k", states=("C", "O")):
    """Two states, and a way out."""

    g_max: Conductance = stated(1.0)

    def transitions(self, V: Array) -> Transitions:
        return {("C", "O"): exp(V / 30), ("O", "C"): exp(-V / 30)}

    def conductance(self, O: Array) -> Array:
        return self.g_max * O

    def slope(self, states: Any, env: Any) -> Any:
        slope = super().slope(states, env)
        return slope | {"O": slope["O"] - 0.1 * states["O"]}


class Mixed(General, ion="k", states=("C", "O"), variables=("x",)):
    """A scheme, and a variable that is no gate, in a current that is not ohmic: right, for the mistakes below."""

    g_max: Conductance = stated(1.0)
    V_sh: Voltage = stated(-40.0)

    def transitions(self, V: Array) -> Transitions:
        return {("C", "O"): 0.1 * linoid(V - self.V_sh, 10), ("O", "C"): exp(-V / 30)}

    def rest(self, V: Array) -> dict[str, Array]:
        return {"x": sigmoid((V + 60) / 9)}

    def derivatives(self, V: Array, x: Array) -> dict[str, Array]:
        return {"x": (sigmoid((V + 60) / 9) - x) * (1 + x) / (2 + exp(-V / 50))}

    def density(self, V: Array, k: IonView, O: Array, x: Array) -> Array:
        return self.g_max * O * x * (V - k.E)


@planted("a rate of a scheme that is 0/0, in a current that is not ohmic", "finite")
class NaiveScheme(Mixed):
    """The occupancies at rest are 0/0 there too; where one of them is not asked for, only the rate says it."""

    def transitions(self, V: Array) -> Transitions:
        v = V - self.V_sh
        return {("C", "O"): 0.1 * v / (1 - exp(-v / 10)), ("O", "C"): exp(-V / 30)}

    def density(self, V: Array, k: IonView, x: Array) -> Array:
        return self.g_max * x * (V - k.E)


@planted("a rate of a scheme whose slope is that of a constant, in a current that is not ohmic", "slopes")
class GuardedScheme(NaiveScheme):
    """As a gate's, where the quotient is given its value and not its slope."""

    def transitions(self, V: Array) -> Transitions:
        v = V - self.V_sh
        safe = where(v == 0, 1.0, v)
        return {("C", "O"): where(v == 0, 1.0, 0.1 * safe / (1 - exp(-safe / 10))), ("O", "C"): exp(-V / 30)}


@planted("the change of a variable that is 0/0", "finite")
class NaiveVariable(Mixed):
    """What starts elsewhere shows nothing at rest."""

    def derivatives(self, V: Array, x: Array) -> dict[str, Array]:
        v = V - self.V_sh
        return {"x": 0.1 * v / (1 - exp(-v / 10)) * (1 - x) - x}


# ---- classes and programs ------------------------------------------------------------------------------------------


@planted("metadata that instances change: Na().META['ion'] says 'K' after K() was built", "frozen", "jaxley-mech")
class Mutable(Plain):
    """A current with a dictionary on its class."""

    META: ClassVar[dict[str, str]] = {"ion": "na"}


_first: dict[str, float] = {}


@planted("a value set after the first run is ignored: captured as a constant", "parameters", "braincell, Jaxley")
class Captured(Plain):
    """A current that remembers the first conductance it had."""

    def conductance(self, m: Array) -> Array:
        return float(_first.setdefault("g_max", 120.0)) * m**3 + 0.0 * self.g_max


@planted("a parameter made a Python number: no jit, or a program for every value", "compiled")
class Converted(Plain):
    """A current that turns its conductance into a float."""

    def conductance(self, m: Array) -> Array:
        return float(self.g_max) * m**3


_kept: dict[str, Any] = {}


@planted("a traced value stays behind", "traced")
class Remembering(Plain):
    """A current that keeps what it computed."""

    def m(self, V: Array) -> Rates:
        _kept["V"] = V
        return super().m(V)


@planted("the batch is taken for one neuron", "batched")
class Averaging(Plain):
    """A conductance of the mean gate: right for one neuron only."""

    def conductance(self, m: Array) -> Array:
        return self.g_max * jnp.sum(jnp.atleast_1d(m)) ** 3 / jnp.size(m) ** 2
