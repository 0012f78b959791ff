"""The synapses of core: exponential, dual exponential, alpha; AMPA, GABAa, NMDA, GABAb; gap junctions; plasticity."""

from typing import Annotated, Any

import jax.numpy as jnp
from jax import Array

from ..maths import bernoulli, exp
from ..module import param
from ..units import Concentration, Factor, PositiveTime, Rate, Share, Unit, Voltage
from .transmission import Coupling, Followed, Release, S, Synapse

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


class DualExpon(Synapse, states=("rise", "g")):
    """Difference of two exponentials; a spike's conductance peaks at the weight. NEURON's Exp2Syn.

    `g` is the conductance, fed by `rise`. With equal time constants it is the limit, the alpha function.
    """

    tau_rise: PositiveTime = param(1.0, source="our choice")
    tau_decay: PositiveTime = param(10.0, source="our choice")
    E: Voltage = param(0.0, source="our choice")

    def flow(self, s: S, dt: Any) -> S:
        """``g' = rise - g / tau_decay`` but for a factor, solved exactly: by no difference that vanishes as the times meet."""
        z = jnp.asarray((1 / self.tau_rise - 1 / self.tau_decay) * dt)
        decay = jnp.exp(-dt / self.tau_decay)
        fed = s["rise"] * (dt * decay / bernoulli(-z) / self._peak())
        return {"rise": s["rise"] * jnp.exp(-dt / self.tau_rise), "g": s["g"] * decay + fed}

    def receive(self, s: S, arrived: Any) -> S:
        return {"rise": s["rise"] + arrived, "g": s["g"]}

    def conductance(self, s: S, V: Array) -> Array:
        return s["g"]

    def _peak(self) -> Array:
        """The height of ``(exp(-t/tau_decay) - exp(-t/tau_rise)) / (1/tau_rise - 1/tau_decay)``, in ms."""
        x = jnp.asarray(self.tau_decay / self.tau_rise - 1.0)
        at = self.tau_decay * _log1p_over(x)
        return at * jnp.exp(-at / self.tau_decay) / bernoulli(-jnp.log1p(x))


def _log1p_over(x: Array) -> Array:
    """``log(1 + x) / x``, 1 at 0."""
    near = jnp.abs(x) < 0.01
    far = jnp.where(near, 1.0, x)
    series = 1 - x * (1 / 2 - x * (1 / 3 - x * (1 / 4 - x * (1 / 5 - x / 6))))
    return jnp.where(near, series, jnp.log1p(far) / far)


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


class Pulsed(Followed):
    """Receptors in a pulse of transmitter, which is at `T_max` for `T_dur` after a spike; a spike in it makes it longer.

    Pulses begin and end on steps, and are one step long at least. Several spikes within a step are one pulse.
    """

    T_max: Concentration = param(1.0, source=_KINETICS)
    T_dur: PositiveTime = param(1.0, source=_KINETICS)

    def longest_step(self) -> Any:
        return self.T_dur

    def owing(self, s: S) -> Array:
        return s["on"]

    def _pulse(self, s: S, spiked: Array, dt: Any) -> tuple[S, Array, Array]:
        """Where a pulse is on (1 or 0) and the time left of it, after the spikes; where one begins; where one ends."""
        over = s["on"] * (s["left"] < dt / 2)
        begins, ends = spiked * (1 - s["on"]), (1 - spiked) * over
        left = jnp.where(spiked > 0, self.T_dur, s["left"])
        return s | {"on": s["on"] + begins - ends, "left": left}, begins, ends


class TwoState(Pulsed, states=("unbound", "bound", "active")):
    """Receptors that bind and open at once: ``s' = alpha T (1 - s) - beta s``.

    The bound share s of a source's synapses is the same for all, so it is followed at the source; what the targets hold
    is the sum over sources in a pulse (`bound`, with the weight of those, `active`) and of the others (`unbound`), each of
    which is linear (Lytton 1996, doi:10.1162/neco.1996.8.3.501).
    """

    alpha: _BINDING
    beta: Rate

    def _bound(self, s: Any, dt: Any, weight: Any) -> Any:
        rate = self.alpha * self.T_max + self.beta
        end = self.alpha * self.T_max / rate
        return end * weight + (s - end * weight) * jnp.exp(-rate * dt)

    def flow(self, s: S, dt: Any) -> S:
        bound = self._bound(s["bound"], dt, s["active"])
        return {"unbound": s["unbound"] * jnp.exp(-self.beta * dt), "bound": bound, "active": s["active"]}

    def receive(self, s: S, arrived: Any) -> S:
        share, one = arrived[..., 0], arrived[..., 1]
        return {"unbound": s["unbound"] - share, "bound": s["bound"] + share, "active": s["active"] + one}

    def conductance(self, s: S, V: Array) -> Array:
        return s["bound"] + s["unbound"]

    def source_initial(self, size: tuple[int, ...], dtype: Any) -> S:
        return {name: jnp.zeros(size, dtype) for name in ("s", "on", "left")}

    def source_flow(self, s: S, dt: Any) -> S:
        share = jnp.where(s["on"] > 0, self._bound(s["s"], dt, 1.0), s["s"] * jnp.exp(-self.beta * dt))
        return {"s": share, "on": s["on"], "left": s["left"] - dt}

    def source_emit(self, s: S, spiked: Array, dt: Any) -> tuple[S, Array, Array]:
        """Sends its bound share where a pulse begins, and takes it back where one ends."""
        after, begins, ends = self._pulse(s, spiked, dt)
        return after, begins - ends, jnp.stack([s["s"], jnp.ones_like(s["s"])], -1)


class AMPA(TwoState):
    """Fast glutamate receptor."""

    alpha: _BINDING = param(1.1, source=_KINETICS)
    beta: Rate = param(0.19, source=_KINETICS)
    E: Voltage = param(0.0, source=_KINETICS)


class GABAa(TwoState):
    """Fast inhibitory receptor."""

    alpha: _BINDING = param(5.0, source=_KINETICS)
    beta: Rate = param(0.18, source=_KINETICS)
    E: Voltage = param(-80.0, source=_KINETICS)


class NMDA(TwoState):
    """Slow glutamate receptor, blocked by magnesium: Jahr & Stevens 1990, doi:10.1523/JNEUROSCI.10-09-03178.1990."""

    alpha: _BINDING = param(0.072, source=_KINETICS)
    beta: Rate = param(0.0066, source=_KINETICS)
    E: Voltage = param(0.0, source=_KINETICS)
    Mg: Concentration = param(1.0, source="our choice: the physiological range is 1-2 mM")

    def conductance(self, s: S, V: Array) -> Array:
        return (s["bound"] + s["unbound"]) / (1 + exp(-0.062 * V) * self.Mg / 3.57)


class GABAb(Pulsed, states=("g", "slope")):
    """Slow inhibitory receptor, which opens potassium channels through G-proteins.

    ``r' = K1 T (1 - r) - K2 r``, ``s' = K3 r - K4 s`` (s in uM), conductance ``s^4 / (s^4 + Kd)``: the weight is the
    conductance with all channels open. Since it is no linear function of the spikes, every source that ever spiked sends
    it, and its slope, to its targets at each step; steps of this synapse cost as much as all their synapses.
    """

    graded = True

    T_max: Concentration = param(0.5, source=_KINETICS)
    T_dur: PositiveTime = param(0.3, source=_KINETICS)
    K1: _BINDING = param(0.09, source=_KINETICS)
    K2: Rate = param(0.0012, source=_KINETICS)
    K3: Rate = param(0.18, source=_KINETICS)
    K4: Rate = param(0.034, source=_KINETICS)
    Kd: Factor = param(100.0, source=_KINETICS)
    E: Voltage = param(-95.0, source=_KINETICS)

    def flow(self, s: S, dt: Any) -> S:
        return {"g": s["g"] + s["slope"] * dt, "slope": s["slope"]}

    def receive(self, s: S, arrived: Any) -> S:
        return {"g": arrived[..., 0], "slope": arrived[..., 1]}

    def conductance(self, s: S, V: Array) -> Array:
        return s["g"]

    def source_initial(self, size: tuple[int, ...], dtype: Any) -> S:
        return {name: jnp.zeros(size, dtype) for name in ("r", "s", "on", "left")}

    def source_flow(self, s: S, dt: Any) -> S:
        """The exact solution of both equations while the transmitter stays."""
        rate = self.K1 * self.T_max * s["on"] + self.K2
        end = self.K1 * self.T_max * s["on"] / rate
        bound = end + (s["r"] - end) * jnp.exp(-rate * dt)
        lag = jnp.exp(-self.K4 * dt) * dt / bernoulli((self.K4 - rate) * dt)
        still = end * -jnp.expm1(-self.K4 * dt) / self.K4
        protein = s["s"] * jnp.exp(-self.K4 * dt) + self.K3 * (still + (s["r"] - end) * lag)
        return {"r": bound, "s": protein, "on": s["on"], "left": s["left"] - dt}

    def source_emit(self, s: S, spiked: Array, dt: Any) -> tuple[S, Array, Array]:
        after, _, _ = self._pulse(s, spiked, dt)
        fourth = s["s"] ** 4
        change = self.K3 * s["r"] - self.K4 * s["s"]
        slope = 4 * s["s"] ** 3 * self.Kd / (fourth + self.Kd) ** 2 * change
        sends = (s["s"] > 0).astype(fourth.dtype)
        return after, sends, jnp.stack([fourth / (fourth + self.Kd), slope], -1)


class GapJunction(Coupling):
    """Electrical synapse. The network integrates it implicitly: see `networks.electrical`."""


class TsodyksMarkram(Release, states={"u": 0.0, "x": 1.0}):
    """Short-term depression and facilitation: each spike sends ``u x``.

    ``u' = -u / tau_fac``, ``x' = (1 - x) / tau_rec``; at a spike u rises by ``U (1 - u)``, then x falls by ``u x``. Without
    facilitation (`tau_fac` much shorter than the intervals) every spike sends ``U x``.
    """

    U: Share = param(0.5, source=_TM)
    tau_rec: PositiveTime = param(800.0, source=_TM)
    tau_fac: PositiveTime = param(1e-3, source="our choice: no facilitation")

    def flow(self, s: S, dt: Any) -> S:
        return {"u": s["u"] * jnp.exp(-dt / self.tau_fac), "x": 1 - (1 - s["x"]) * jnp.exp(-dt / self.tau_rec)}

    def release(self, s: S, spiked: Array) -> tuple[S, Array]:
        u = s["u"] + self.U * (1 - s["u"])
        sent = u * s["x"]
        return {"u": jnp.where(spiked > 0, u, s["u"]), "x": s["x"] - spiked * sent}, sent
