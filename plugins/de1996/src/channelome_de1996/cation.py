"""Calcium-modulated h current of thalamic relay cells: Destexhe et al. (1996), doi:10.1152/jn.1996.76.3.2049."""

from channelome.authoring import (
    Q10,
    Array,
    Concentration,
    Conductance,
    Factor,
    IonView,
    Markov,
    Rate,
    Rates,
    Transitions,
    Voltage,
    exp,
    param,
    rates,
    sigmoid,
)


class Ih_De1996(Markov, states=("C", "O", "OL")):
    """Hyperpolarisation-activated cation current of thalamic relay cells, locked open by calcium.

    The channel goes ``C <-> O`` with the voltage. Four calcium ions turn a regulating factor from P0 to P1, and P1 locks open
    channels, ``O + P1 <-> OL``, whose conductance is `g_inc` times that of O. It reads calcium and is carried by no ion of
    the cell.

    At rest ``OL / O = P1 / P_half``. The time constant ``(20 + 1000/(...)) / phi`` is the paper's ``5.3 + 267/(...)`` ms at
    36 degC; the 1995 Ih.mod has phi = 1 there. `phi` drives the voltage-dependent step only.
    """

    g_max: Conductance = param(0.02, source="De1996, Ih.mod")
    E: Voltage = param(-40.0, source="De1996, Ih.mod")
    g_inc: Factor = param(2.0, source="De1996, Ih.mod")
    Ca_half: Concentration = param(2e-3, source="De1996, Ih.mod: (k2/k1)^(1/4)")
    P_half: Factor = param(0.01, source="De1996, Ih.mod: k4/k3")
    k2: Rate = param(4e-4, source="De1996, Ih.mod")
    k4: Rate = param(1e-3, source="De1996, Ih.mod")
    V_sh: Voltage = param(0.0, source="De1996")
    phi: Factor = param(Q10(3.0, 24.0), source="BrainPy 2.8.2")

    def P1(self, ca: IonView) -> Rates:
        return rates(alpha=self.k2 * (ca.C_in / self.Ca_half) ** 4, beta=self.k2)

    def transitions(self, V: Array, P1: Array) -> Transitions:
        v = V - self.V_sh
        tau = (20 + 1000 / (exp((v + 71.5) / 14.2) + exp(-(v + 89) / 11.6))) / self.phi
        k3 = self.k4 / self.P_half
        return {
            ("C", "O"): sigmoid(-(v + 75), 5.5) / tau,
            ("O", "C"): sigmoid(v + 75, 5.5) / tau,
            ("O", "OL"): k3 * P1,
            ("OL", "O"): self.k4,
        }

    def conductance(self, O: Array, OL: Array) -> Array:
        return self.g_max * (O + self.g_inc * OL)
