"""Sodium current of the squid giant axon: Hodgkin & Huxley (1952), doi:10.1113/jphysiol.1952.sp004764."""

from channelome.authoring import Q10, Array, Conductance, Factor, Ohmic, Rates, Voltage, exp, linoid, param, rates


class INa_HH1952(Ohmic, ion="na"):
    """Sodium current of the squid giant axon.

    The paper counts V from rest, with the sign reversed; here ``v = V - V_sh`` is -20 mV at its rest, at -65 mV.
    """

    g_max: Conductance = param(120.0, source="HH1952")
    V_sh: Voltage = param(-45.0, source="HH1952, with rest at -65 mV")
    phi: Factor = param(Q10(3.0, 6.3), source="HH1952")

    def m(self, V: Array) -> Rates:
        v = V - self.V_sh
        return rates(alpha=0.1 * linoid(5 - v, 10), beta=4 * exp(-(v + 20) / 18), phi=self.phi)

    def h(self, V: Array) -> Rates:
        v = V - self.V_sh
        return rates(alpha=0.07 * exp(-(v + 20) / 20), beta=1 / (1 + exp((10 - v) / 10)), phi=self.phi)

    def conductance(self, m: Array, h: Array) -> Array:
        return self.g_max * m**3 * h
