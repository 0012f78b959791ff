"""Fast sodium current of thalamic and cortical neurons: Bazhenov et al. (2002), doi:10.1523/JNEUROSCI.22-19-08691.2002."""

from channelome.authoring import Q10, Array, Conductance, Factor, Ohmic, Rates, Voltage, exp, linoid, param, rates


class INa_Ba2002(Ohmic, ion="na"):
    """Fast sodium current of thalamic and cortical neurons.

    The paper prints no rates: it uses those of Traub & Miles (1991), doi:10.1017/CBO9780511895401.
    """

    g_max: Conductance = param(90.0, source="Ba2002, relay cell")
    V_sh: Voltage = param(-50.0, source="BrainPy 2.8.2")
    phi: Factor = param(Q10(3.0, 36.0), source="BrainPy 2.8.2, as Destexhe's HH2.mod (ModelDB 3670)")

    def m(self, V: Array) -> Rates:
        v = V - self.V_sh
        return rates(alpha=0.32 * linoid(13 - v, 4), beta=0.28 * linoid(v - 40, 5), phi=self.phi)

    def h(self, V: Array) -> Rates:
        v = V - self.V_sh
        return rates(alpha=0.128 * exp((17 - v) / 18), beta=4 / (1 + exp((40 - v) / 5)), phi=self.phi)

    def conductance(self, m: Array, h: Array) -> Array:
        return self.g_max * m**3 * h
