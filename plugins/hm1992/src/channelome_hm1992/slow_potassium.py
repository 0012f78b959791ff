"""K2 current of thalamic relay neurons: Huguenard & McCormick (1992), doi:10.1152/jn.1992.68.4.1373."""

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


class SlowPotassium(Ohmic, ion="k"):
    """The equations of the K2 current; its two components differ in their inactivation above -70 mV, `tau_slow`.

    The programs that follow the paper most closely (Ermentrout's for XPP, Dervinis' IK2.mod for NEURON) raise ``p_inf`` to
    its fourth power: ``power=4`` makes ours theirs. Later thalamic models, BrainPy and braincell do not, and neither do we
    by default, as we have not seen the paper itself.
    """

    g_max: Conductance = param(10.0, source="BrainPy 2.8.2")
    V_sh: Voltage = param(0.0, source="BrainPy 2.8.2")
    phi_p: Factor = param(1.0, source="BrainPy 2.8.2")
    phi_q: Factor = param(1.0, source="BrainPy 2.8.2")
    power: Factor = param(1.0, source="BrainPy 2.8.2")
    tau_slow: PositiveTime = param(None, source="HM1992: only the second component has it")

    def p(self, V: Array) -> Gate:
        v = V - self.V_sh
        tau = 9.9 + 1 / (exp((v - 81) / 25.6) + exp(-(v + 132) / 18))
        return Gate(inf=sigmoid(v + 43, 17) ** self.power, tau=tau / self.phi_p)

    def q(self, V: Array) -> Gate:
        v = V - self.V_sh
        tau = 120 + 1 / (exp((v - 1329) / 200) + exp(-(v + 130) / 7.1))
        if self.tau_slow is not None:
            tau = where(v < -70, tau, self.tau_slow)
        return Gate(inf=sigmoid(-(v + 58), 10.6), tau=tau / self.phi_q)

    def conductance(self, p: Array, q: Array) -> Array:
        return self.g_max * p * q


class IKK2A_HM1992(SlowPotassium):
    """First component of the K2 current of thalamic relay neurons: slow potassium.

    The 120 ms belong to the time constant of inactivation: they stand in both programs named above and in
    braincell. BrainPy's docstring has them, its code lost them.
    """


class IKK2B_HM1992(SlowPotassium):
    """Second component of the K2 current of thalamic relay neurons: inactivates within seconds above -70 mV.

    That is 8.9 s: IK2.mod holds 8900 ms, Ermentrout's program 8930 ms. BrainPy and braincell took the 8.9 for milliseconds,
    which makes the slow component the fastest; give ``tau_slow="8.9 ms"`` to compare with them.
    """

    tau_slow: PositiveTime = param(8900.0, source="HM1992")
