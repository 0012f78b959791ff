"""Calcium-gated cation current named after Inoue & Strowbridge (2008), doi:10.1152/jn.00526.2007."""

from channelome.authoring import (
    Array,
    Conductance,
    Factor,
    Gate,
    IonView,
    Ohmic,
    Voltage,
    exp,
    param,
    sigmoid,
)


class ICaN_IS2008(Ohmic, ion={"ca": "ca_fraction"}):
    """Calcium-activated non-selective cation current: it reads ca and has its own reversal potential.

    That the paper holds these constants is not confirmed; we take them from BrainPy and braincell. A C++ program of a
    thalamic neuron, whose authors we could not make out, has the same and names the paper as their source. BrainPy and braincell count the whole current as calcium influx;
    here `ca_fraction` of it is, none by default.
    """

    g_max: Conductance = param(1.0, source="BrainPy 2.8.2")
    E: Voltage = param(10.0, source="BrainPy 2.8.2")
    ca_fraction: Factor = param(0.0, source="our choice")
    phi: Factor = param(1.0, source="BrainPy 2.8.2")

    def p(self, V: Array) -> Gate:
        tau = 1.6 + 2.7 / (exp(-(V + 55) / 15) + exp((V + 55) / 15))
        return Gate(inf=sigmoid(V + 43, 5.2), tau=tau / self.phi)

    def conductance(self, p: Array, ca: IonView) -> Array:
        return self.g_max * (ca.C_in / (ca.C_in + 0.2)) * p
