"""h current of thalamic relay neurons: Huguenard & McCormick (1992), doi:10.1152/jn.1992.68.4.1373."""

from channelome.authoring import Array, Conductance, Factor, Gate, Ohmic, Voltage, exp, param, sigmoid


class Ih_HM1992(Ohmic):
    """Hyperpolarization-activated mixed cation current of thalamic relay neurons.

    It reverses at -43 mV in Ermentrout's program for XPP, in TC_Ih_Bud97.mod of the Blue Brain Project, in iH of ModelDB 3808
    and in the model of Li et al. (2017); models of other cells that take the kinetics have -35 mV (Traub et al. 2003, ModelDB
    20756) and -56 mV (Johnson & McIntyre 2008, ModelDB 114685). BrainPy and braincell default to +43 mV, a slip of the sign.
    """

    g_max: Conductance = param(10.0, source="BrainPy 2.8.2")
    E: Voltage = param(-43.0, source="Li2017, Ermentrout")
    phi: Factor = param(1.0, source="BrainPy 2.8.2")

    def p(self, V: Array) -> Gate:
        tau = 1 / (exp(-0.086 * V - 14.59) + exp(0.0701 * V - 1.87))
        return Gate(inf=sigmoid(-(V + 75), 5.5), tau=tau / self.phi)

    def conductance(self, p: Array) -> Array:
        return self.g_max * p
