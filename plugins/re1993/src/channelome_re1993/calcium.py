"""Calcium current of neocortical pyramidal cells: Reuveni et al. (1993), doi:10.1523/JNEUROSCI.13-11-04609.1993."""

from channelome.authoring import Q10, Array, Conductance, Factor, Ohmic, Rates, Voltage, exp, linoid, param, rates


class ICaHT_Re1993(Ohmic, ion="ca"):
    """High-voltage-activated calcium current of neocortical pyramidal cells.

    Temperature changes the rates; in Mainen & Sejnowski's ca.mod it also scales the conductance.
    """

    g_max: Conductance = param(1.0, source="BrainPy 2.8.2")
    V_sh: Voltage = param(0.0, source="Re1993")
    phi_p: Factor = param(Q10(2.3, 23.0), source="Mainen1996")
    phi_q: Factor = param(Q10(2.3, 23.0), source="Mainen1996")

    def p(self, V: Array) -> Rates:
        v = V - self.V_sh
        return rates(alpha=0.055 * linoid(-27 - v, 3.8), beta=0.94 * exp((-75 - v) / 17), phi=self.phi_p)

    def q(self, V: Array) -> Rates:
        v = V - self.V_sh
        return rates(alpha=0.000457 * exp((-13 - v) / 50), beta=0.0065 / (exp((-15 - v) / 28) + 1), phi=self.phi_q)

    def conductance(self, p: Array, q: Array) -> Array:
        return self.g_max * p**2 * q
