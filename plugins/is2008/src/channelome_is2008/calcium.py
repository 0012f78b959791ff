"""L-type calcium current named after Inoue & Strowbridge (2008), doi:10.1152/jn.00526.2007."""

from channelome.authoring import Q10, Array, Conductance, Factor, Gate, Ohmic, Voltage, exp, param, sigmoid


class ICaL_IS2008(Ohmic, ion="ca"):
    """High-threshold L-type calcium current.

    That the paper holds these constants is not confirmed; we take them from BrainPy and braincell, which agree. The Q10
    are those of their T current.
    """

    g_max: Conductance = param(1.0, source="BrainPy 2.8.2")
    V_sh: Voltage = param(0.0, source="BrainPy 2.8.2")
    phi_p: Factor = param(Q10(3.55, 24.0), source="BrainPy 2.8.2")
    phi_q: Factor = param(Q10(3.0, 24.0), source="BrainPy 2.8.2")

    def p(self, V: Array) -> Gate:
        v = V - self.V_sh
        tau = 0.4 + 0.7 / (exp(-(v + 5) / 15) + exp((v + 5) / 15))
        return Gate(inf=sigmoid(v + 10, 4), tau=tau / self.phi_p)

    def q(self, V: Array) -> Gate:
        v = V - self.V_sh
        tau = 300 + 100 / (exp((v + 40) / 9.5) + exp(-(v + 40) / 9.5))
        return Gate(inf=sigmoid(-(v + 25), 2), tau=tau / self.phi_q)

    def conductance(self, p: Array, q: Array) -> Array:
        return self.g_max * p**2 * q
