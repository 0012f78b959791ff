"""Fast sodium current of hippocampal pyramidal neurons: Traub & Miles (1991), doi:10.1017/CBO9780511895401."""

from channelome.authoring import Array, Conductance, Ohmic, Rates, Voltage, exp, linoid, param, rates


class INa_TM1991(Ohmic, ion="na"):
    """Fast sodium current of hippocampal pyramidal neurons."""

    g_max: Conductance = param(120.0, source="BrainPy 2.8.2")
    V_sh: Voltage = param(-63.0, source="Brette2007")

    def m(self, V: Array) -> Rates:
        v = V - self.V_sh
        return rates(alpha=0.32 * linoid(13 - v, 4), beta=0.28 * linoid(v - 40, 5))

    def h(self, V: Array) -> Rates:
        v = V - self.V_sh
        return rates(alpha=0.128 * exp((17 - v) / 18), beta=4 / (1 + exp((40 - v) / 5)))

    def conductance(self, m: Array, h: Array) -> Array:
        return self.g_max * m**3 * h
