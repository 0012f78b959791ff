"""Delayed rectifier of thalamic and cortical neurons: Bazhenov et al. (2002), doi:10.1523/JNEUROSCI.22-19-08691.2002."""

from channelome.authoring import Q10, Array, Conductance, Factor, Ohmic, Rates, Voltage, exp, linoid, param, rates


class IKDR_Ba2002(Ohmic, ion="k"):
    """Delayed-rectifier potassium current of thalamic and cortical neurons.

    The paper prints no rates: it uses those of Traub & Miles (1991), doi:10.1017/CBO9780511895401.
    """

    g_max: Conductance = param(10.0, source="Ba2002, relay cell")
    V_sh: Voltage = param(-50.0, source="BrainPy 2.8.2")
    phi: Factor = param(Q10(3.0, 36.0), source="BrainPy 2.8.2, as Destexhe's HH2.mod (ModelDB 3670)")

    def n(self, V: Array) -> Rates:
        v = V - self.V_sh
        return rates(alpha=0.032 * linoid(15 - v, 5), beta=0.5 * exp((10 - v) / 40), phi=self.phi)

    def conductance(self, n: Array) -> Array:
        return self.g_max * n**4
