"""The synapses of core: exponential, dual exponential and alpha; AMPA, GABAa, NMDA and GABAb; short-term plasticity."""

from typing import Annotated, Any

import jax.numpy as jnp
from jax import Array

from .module import param
from .transmission import Release, S, Synapse
from .units import Concentration, Factor, PositiveTime, Rate, Unit, Voltage

_BINDING = Annotated[Any, Unit.parse("1/(mM*ms)")]
_KINETICS = "Destexhe, Mainen & Sejnowski 1998, in Koch & Segev, Methods in Neuronal Modeling, 2nd ed., ch. 1"
_TM = "Tsodyks, Pawelzik & Markram 1998, doi:10.1162/089976698300017502"


class Expon(Synapse, states=("g",)):
    """Jumps by the weight at a spike and decays exponentially."""

    tau: PositiveTime = param(5.0, source="our choice: the excitatory synapse of Brette et al. 2007")
    E: Voltage = param(0.0, source="our choice")

    def flow(self, s: S, dt: Any) -> S:
        return {"g": s["g"] * jnp.exp(-dt / self.tau)}

    def receive(self, s: S, arrived: Any) -> S:
        return {"g": s["g"] + arrived}

    def conductance(self, s: S, V: Array) -> Array:
        return s["g"]


class DualExpon(Synapse, states=("rise", "decay")):
    """Difference of two exponentials; a spike's conductance peaks at the weight. NEURON's Exp2Syn."""

    tau_rise: PositiveTime = param(1.0, source="our choice")
    tau_decay: PositiveTime = param(10.0, source="our choice")
    E: Voltage = param(0.0, source="our choice")

    def flow(self, s: S, dt: Any) -> S:
        return {"rise": s["rise"] * jnp.exp(-dt / self.tau_rise), "decay": s["decay"] * jnp.exp(-dt / self.tau_decay)}

    def receive(self, s: S, arrived: Any) -> S:
        return {"rise": s["rise"] + arrived, "decay": s["decay"] + arrived}

    def conductance(self, s: S, V: Array) -> Array:
        ratio = jnp.log(self.tau_decay / self.tau_rise)
        peak = ratio * self.tau_rise * self.tau_decay / (self.tau_decay - self.tau_rise)
        height = jnp.exp(-peak / self.tau_decay) - jnp.exp(-peak / self.tau_rise)
        return (s["decay"] - s["rise"]) / height


class Alpha(Synapse, states=("rise", "g")):
    """``t/tau exp(1 - t/tau)`` after a spike: the conductance peaks at the weight, `tau` after it. NEURON's AlphaSynapse."""

    tau: PositiveTime = param(2.0, source="our choice")
    E: Voltage = param(0.0, source="our choice")

    def flow(self, s: S, dt: Any) -> S:
        decay = jnp.exp(-dt / self.tau)
        return {"rise": s["rise"] * decay, "g": (s["g"] + s["rise"] * (dt / self.tau)) * decay}

    def receive(self, s: S, arrived: Any) -> S:
        return {"rise": s["rise"] + arrived * jnp.e, "g": s["g"]}

    def conductance(self, s: S, V: Array) -> Array:
        return s["g"]


class Pulsed(Synapse, states=("bound", "unbound", "active")):
    """Receptors that bind transmitter in pulses: ``s' = alpha T (1 - s) - beta s``, T is `T_max` for `T_dur` after a spike.

    The bound share s of a source's synapses is the same for all, so it is followed at the source; what the targets hold
    is the sum over sources in a pulse (`bound`, with the weight of those, `active`) and of the others (`unbound`), each of
    which is linear (Lytton 1996, doi:10.1162/neco.1996.8.3.501). A spike in a pulse makes the pulse longer.
    """

    alpha: _BINDING
    beta: Rate
    T_max: Concentration = param(1.0, source=_KINETICS)
    T_dur: PositiveTime = param(1.0, source=_KINETICS)

    def _bound(self, s: Any, dt: Any, weight: Any) -> Any:
        rate = self.alpha * self.T_max + self.beta
        end = self.alpha * self.T_max / rate
        return end * weight + (s - end * weight) * jnp.exp(-rate * dt)

    def flow(self, s: S, dt: Any) -> S:
        bound = self._bound(s["bound"], dt, s["active"])
        return {"bound": bound, "unbound": s["unbound"] * jnp.exp(-self.beta * dt), "active": s["active"]}

    def receive(self, s: S, arrived: Any) -> S:
        share, one = arrived[..., 0], arrived[..., 1]
        return {"bound": s["bound"] + share, "unbound": s["unbound"] - share, "active": s["active"] + one}

    def conductance(self, s: S, V: Array) -> Array:
        return s["bound"] + s["unbound"]

    # ---- at the source ----

    def source_initial(self, size: tuple[int, ...], dtype: Any) -> S:
        return {name: jnp.zeros(size, dtype) for name in ("s", "on", "left")}

    def source_flow(self, s: S, dt: Any) -> S:
        """The bound share of a source in a pulse (`on` is 1) or not, and the time left of the pulse."""
        share = jnp.where(s["on"] > 0, self._bound(s["s"], dt, 1.0), s["s"] * jnp.exp(-self.beta * dt))
        return {"s": share, "on": s["on"], "left": s["left"] - dt}

    def source_emit(self, s: S, spiked: Array, dt: Any) -> tuple[S, Array, Array]:
        """What changes now: +1 where a pulse begins, -1 where one ends, and the bound share that moves with it."""
        over = s["on"] * (s["left"] < dt / 2)  # pulses end on steps
        begins, ends = spiked * (1 - s["on"]), (1 - spiked) * over
        left = jnp.where(spiked > 0, self.T_dur, s["left"])
        return (
            {"s": s["s"], "on": s["on"] + begins - ends, "left": left},
            begins - ends,
            jnp.stack([s["s"], jnp.ones_like(s["s"])], -1),
        )


class AMPA(Pulsed):
    """Fast glutamate receptor."""

    alpha: _BINDING = param(1.1, source=_KINETICS)
    beta: Rate = param(0.19, source=_KINETICS)
    E: Voltage = param(0.0, source=_KINETICS)


class GABAa(Pulsed):
    """Fast inhibitory receptor."""

    alpha: _BINDING = param(5.0, source=_KINETICS)
    beta: Rate = param(0.18, source=_KINETICS)
    E: Voltage = param(-80.0, source=_KINETICS)


class NMDA(Pulsed):
    """Slow glutamate receptor, blocked by magnesium: Jahr & Stevens 1990, doi:10.1523/JNEUROSCI.10-09-03178.1990."""

    alpha: _BINDING = param(0.072, source=_KINETICS)
    beta: Rate = param(0.0066, source=_KINETICS)
    E: Voltage = param(0.0, source=_KINETICS)
    Mg: Concentration = param(1.0, source="our choice: the physiological range is 1-2 mM")

    def conductance(self, s: S, V: Array) -> Array:
        return (s["bound"] + s["unbound"]) / (1 + jnp.exp(-0.062 * V) * self.Mg / 3.57)


class TsodyksMarkram(Release, states={"u": 0.0, "x": 1.0}):
    """Short-term depression and facilitation: each spike sends ``u x``.

    ``u' = -u / tau_fac``, ``x' = (1 - x) / tau_rec``; at a spike u rises by ``U (1 - u)``, then x falls by ``u x``. Without
    facilitation (`tau_fac` much shorter than the intervals) every spike sends ``U x``.
    """

    U: Factor = param(0.5, source=_TM)
    tau_rec: PositiveTime = param(800.0, source=_TM)
    tau_fac: PositiveTime = param(1e-3, source="our choice: no facilitation")

    def flow(self, s: S, dt: Any) -> S:
        return {"u": s["u"] * jnp.exp(-dt / self.tau_fac), "x": 1 - (1 - s["x"]) * jnp.exp(-dt / self.tau_rec)}

    def release(self, s: S, spiked: Array) -> tuple[S, Array]:
        u = s["u"] + self.U * (1 - s["u"])
        sent = u * s["x"]
        return {"u": jnp.where(spiked > 0, u, s["u"]), "x": s["x"] - spiked * sent}, sent
