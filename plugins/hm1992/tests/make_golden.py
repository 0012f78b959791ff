"""Golden data of this pack, from the formulas alone: see tests/golden_data.py for how to run it."""

from golden_data import boltzmann, case, exp, mpf, write

CALCIUM = {"CalciumFixed": {"E": "120 mV", "C_in": "2.4e-4 mM"}}
POTASSIUM = {"PotassiumFixed": {"E": "-95 mV"}}


def calcium(name, V_sh, celsius):
    phi_p, phi_q = (mpf(q10) ** ((mpf(celsius) - 24) / 10) for q10 in ("3.55", 3))

    def u(V):
        return V - V_sh

    def tau_p(V):
        return (mpf("0.612") + 1 / (exp(-(u(V) + 132) / mpf("16.7")) + exp((u(V) + mpf("16.8")) / mpf("18.2")))) / phi_p

    def tau_q(V):
        if u(V) < -80:
            return exp((u(V) + 467) / mpf("66.6")) / phi_q
        return (28 + exp(-(u(V) + 22) / mpf("10.5"))) / phi_q

    p = (lambda V: boltzmann(-(u(V) + 59) / mpf("6.2")), tau_p)
    q = (lambda V: boltzmann((u(V) + 83) / 4), tau_q)
    around = {"celsius": celsius, "ions": CALCIUM, "singular": [V_sh - 80, V_sh - mpf("80.001")]}
    return case(name, {"p": p, "q": q}, lambda V, p, q: 2 * p**2 * q * (V - 120), **around)


def transient_potassium(name, g, p_inf):
    def tau_p(V):
        return mpf("0.37") + 1 / (exp((V + mpf("35.8")) / mpf("19.7")) + exp(-(V + mpf("79.7")) / mpf("12.7")))

    def tau_q(V):
        return 1 / (exp((V + 46) / 5) + exp(-(V + 238) / mpf("37.5"))) if V < -63 else mpf(19)

    gates = {"p": (p_inf, tau_p), "q": (lambda V: boltzmann((V + 78) / 6), tau_q)}
    around = {"ions": POTASSIUM, "singular": [-63, mpf("-63.001")]}
    return case(name, gates, lambda V, p, q: g * p**4 * q * (V + 95), **around)


def slow_potassium(name, slow):
    def tau_p(V):
        return mpf("9.9") + 1 / (exp((V - 81) / mpf("25.6")) + exp(-(V + 132) / 18))

    def tau_q(V):
        if slow and V >= -70:
            return slow
        return 120 + 1 / (exp((V - 1329) / 200) + exp(-(V + 130) / mpf("7.1")))

    p = (lambda V: boltzmann(-(V + 43) / 17), tau_p)
    q = (lambda V: boltzmann((V + 58) / mpf("10.6")), tau_q)
    around = {"ions": POTASSIUM, "singular": [-70, mpf("-70.001")]}
    return case(name, {"p": p, "q": q}, lambda V, p, q: 10 * p * q * (V + 95), **around)


def mixed_cation():
    def tau(V):
        return 1 / (exp(mpf("-0.086") * V - mpf("14.59")) + exp(mpf("0.0701") * V - mpf("1.87")))

    p = (lambda V: boltzmann((V + 75) / mpf("5.5")), tau)
    return case("Ih_HM1992", {"p": p}, lambda V, p: 10 * p * (V + 43))


write(
    __file__,
    [
        *(calcium("ICaT_HM1992", -3, celsius) for celsius in (24, 36)),
        *(calcium("ICaHT_HM1992", 25, celsius) for celsius in (24, 36)),
        transient_potassium("IKA1_HM1992", 30, lambda V: boltzmann(-(V + 60) / mpf("8.5"))),
        transient_potassium("IKA2_HM1992", 20, lambda V: boltzmann(-(V + 36) / 20)),
        slow_potassium("IKK2A_HM1992", None),
        slow_potassium("IKK2B_HM1992", mpf(8900)),
        mixed_cation(),
    ],
)
