"""A current of thalamic relay neurons: Huguenard & McCormick (1992), doi:10.1152/jn.1992.68.4.1373."""

from channelome.authoring import (
    Array,
    Conductance,
    Factor,
    Gate,
    Ohmic,
    PositiveTime,
    Voltage,
    exp,
    param,
    sigmoid,
    where,
)


class TransientPotassium(Ohmic, ion="k"):
    """The equations of the A current; its two components differ in their activation, ``V_half`` and ``k``."""

    g_max: Conductance
    V_sh: Voltage = param(0.0, source="BrainPy 2.8.2")
    phi_p: Factor = param(1.0, source="BrainPy 2.8.2")
    phi_q: Factor = param(1.0, source="BrainPy 2.8.2")
    V_half: Voltage
    k: Voltage
    V_slow: Voltage = param(-63.0, source="HM1992")
    tau_slow: PositiveTime = param(19.0, source="HM1992")

    def p(self, V: Array) -> Gate:
        v = V - self.V_sh
        tau = 0.37 + 1 / (exp((v + 35.8) / 19.7) + exp(-(v + 79.7) / 12.7))
        return Gate(inf=sigmoid(v - self.V_half, self.k), tau=tau / self.phi_p)

    def q(self, V: Array) -> Gate:
        v = V - self.V_sh
        tau = where(v < self.V_slow, 1 / (exp((v + 46) / 5) + exp(-(v + 238) / 37.5)), self.tau_slow)
        return Gate(inf=sigmoid(-(v + 78), 6), tau=tau / self.phi_q)

    def conductance(self, p: Array, q: Array) -> Array:
        return self.g_max * p**4 * q


class IKA1_HM1992(TransientPotassium):
    """First component of the A current of thalamic relay neurons: fast, transient potassium."""

    g_max: Conductance = param(30.0, source="BrainPy 2.8.2")
    V_half: Voltage = param(-60.0, source="HM1992")
    k: Voltage = param(8.5, source="HM1992")


class IKA2_HM1992(TransientPotassium):
    """Second component of the A current of thalamic relay neurons: activates at more positive potentials.

    BrainPy and braincell let it inactivate like the first, and so do we by default. Programs that follow the paper more
    closely (Ermentrout's for XPP, Amarillo's TC_iA.mod for NEURON) give it 60 ms above -73 mV: ``V_slow="-73 mV",
    tau_slow="60 ms"`` makes ours theirs.
    """

    g_max: Conductance = param(20.0, source="BrainPy 2.8.2")
    V_half: Voltage = param(-36.0, source="HM1992")
    k: Voltage = param(20.0, source="HM1992")
