"""The M current: Yamada, Koch & Adams (1989), in Koch & Segev (eds), Methods in Neuronal Modeling, ISBN 0-262-11133-0."""

from channelome.authoring import Array, Conductance, Factor, Gate, Ohmic, PositiveTime, Voltage, exp, param, sigmoid


class IKNI_Ya1989(Ohmic, ion="k"):
    """Slow, non-inactivating (M) potassium current.

    `tau_max` sets the scale of the time constant; its peak is 0.275 of it. Destexhe's IM.mod (ModelDB 3817) has a tau_max of
    1000 ms at 36 degC and ``phi = Q10(2.3, 36)``.
    """

    g_max: Conductance = param(0.004, source="Pospischil2008")
    V_sh: Voltage = param(0.0, source="Ya1989")
    tau_max: PositiveTime = param(4000.0, source="Pospischil2008")
    phi: Factor = param(1.0, source="BrainPy 2.8.2")

    def p(self, V: Array) -> Gate:
        v = V - self.V_sh
        tau = self.tau_max / (3.3 * exp((v + 35) / 20) + exp(-(v + 35) / 20))
        return Gate(inf=sigmoid(v + 35, 10), tau=tau / self.phi)

    def conductance(self, p: Array) -> Array:
        return self.g_max * p
