"""Delayed-rectifier potassium current of hippocampal pyramidal neurons: Traub & Miles (1991), doi:10.1017/CBO9780511895401."""

from channelome.authoring import Array, Conductance, Ohmic, Rates, Voltage, exp, linoid, param, rates


class IK_TM1991(Ohmic, ion="k"):
    """Delayed-rectifier potassium current of hippocampal pyramidal neurons.

    `V_sh` is that of the sodium current, -63 mV, as in Brette et al. (2007) and in Destexhe's HH_traub.mod (ModelDB 123623),
    which shifts both currents by one number. BrainPy has -63 mV in its documentation and -60 mV in its code.
    """

    g_max: Conductance = param(30.0, source="Brette2007")
    V_sh: Voltage = param(-63.0, source="Brette2007")

    def n(self, V: Array) -> Rates:
        v = V - self.V_sh
        return rates(alpha=0.032 * linoid(15 - v, 5), beta=0.5 * exp((10 - v) / 40))

    def conductance(self, n: Array) -> Array:
        return self.g_max * n**4
