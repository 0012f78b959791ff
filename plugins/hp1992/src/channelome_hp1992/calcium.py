"""T current of thalamic reticular neurons: Huguenard & Prince (1992), doi:10.1523/JNEUROSCI.12-10-03804.1992."""

from channelome.authoring import Q10, Array, Conductance, Factor, Gate, Ohmic, Voltage, exp, param, sigmoid


class ICaT_HP1992(Ohmic, ion="ca"):
    """Low-threshold, slowly inactivating calcium current of thalamic reticular neurons.

    The constants hold for 2 mM of calcium outside: 2 mV, by which it shifts the curves, are in them, as in Destexhe's
    IT2.mod (ModelDB 3670). `V_sh` comes on top of that.
    """

    g_max: Conductance = param(1.75, source="IT2.mod, ModelDB 3670")
    V_sh: Voltage = param(-3.0, source="BrainPy 2.8.2")
    phi_p: Factor = param(Q10(5.0, 24.0), source="IT2.mod, ModelDB 3670")
    phi_q: Factor = param(Q10(3.0, 24.0), source="IT2.mod, ModelDB 3670")

    def p(self, V: Array) -> Gate:
        v = V - self.V_sh
        tau = 3 + 1 / (exp((v + 27) / 10) + exp(-(v + 102) / 15))
        return Gate(inf=sigmoid(v + 52, 7.4), tau=tau / self.phi_p)

    def q(self, V: Array) -> Gate:
        v = V - self.V_sh
        tau = 85 + 1 / (exp((v + 48) / 4) + exp(-(v + 407) / 50))
        return Gate(inf=sigmoid(-(v + 80), 5), tau=tau / self.phi_q)

    def conductance(self, p: Array, q: Array) -> Array:
        return self.g_max * p**2 * q
