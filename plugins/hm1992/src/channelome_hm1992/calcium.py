"""T current of thalamic relay neurons: Huguenard & McCormick (1992), doi:10.1152/jn.1992.68.4.1373."""

from channelome.authoring import Q10, Array, Conductance, Factor, Gate, Ohmic, Voltage, exp, param, sigmoid, where


class TransientCalcium(Ohmic, ion="ca"):
    """The equations of the T current; its presets give `V_sh`.

    The steady states hold for 2 mM of calcium outside: 2 mV, by which it shifts them, are in the constants, as in
    Destexhe's IT.mod (ModelDB 3817). `V_sh` comes on top of that. The time constants are without these 2 mV, in BrainPy and
    braincell as here; Destexhe's ITGHK.mod (ModelDB 279) shifts both alike.
    """

    g_max: Conductance = param(2.0, source="BrainPy 2.8.2")
    V_sh: Voltage
    phi_p: Factor = param(Q10(3.55, 24.0), source="BrainPy 2.8.2")
    phi_q: Factor = param(Q10(3.0, 24.0), source="IT.mod, ModelDB 3817")

    def p(self, V: Array) -> Gate:
        v = V - self.V_sh
        tau = 0.612 + 1 / (exp(-(v + 132) / 16.7) + exp((v + 16.8) / 18.2))
        return Gate(inf=sigmoid(v + 59, 6.2), tau=tau / self.phi_p)

    def q(self, V: Array) -> Gate:
        v = V - self.V_sh
        tau = where(v < -80, exp((v + 467) / 66.6), 28 + exp(-(v + 22) / 10.5))
        return Gate(inf=sigmoid(-(v + 83), 4), tau=tau / self.phi_q)

    def conductance(self, p: Array, q: Array) -> Array:
        return self.g_max * p**2 * q


class ICaT_HM1992(TransientCalcium):
    """Low-threshold, transient calcium current of thalamic relay neurons."""

    V_sh: Voltage = param(-3.0, source="BrainPy 2.8.2")


class ICaHT_HM1992(TransientCalcium):
    """High-threshold calcium current of thalamic neurons: the T current 28 mV higher.

    Huguenard & McCormick (1992) have no such current: it is made of theirs, for models of the thalamus such as Li et al.
    (2017), doi:10.1371/journal.pcbi.1005797.
    """

    V_sh: Voltage = param(25.0, source="BrainPy 2.8.2")
