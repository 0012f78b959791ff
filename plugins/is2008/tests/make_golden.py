"""Golden data of this pack, from the formulas alone: see tests/golden_data.py for how to run it."""

from golden_data import boltzmann, case, exp, mpf, write


def calcium(celsius):
    phi_p, phi_q = (mpf(q10) ** ((mpf(celsius) - 24) / 10) for q10 in ("3.55", 3))

    def tau_p(V):
        return (mpf("0.4") + mpf("0.7") / (exp(-(V + 5) / 15) + exp((V + 5) / 15))) / phi_p

    def tau_q(V):
        return (300 + 100 / (exp((V + 40) / mpf("9.5")) + exp(-(V + 40) / mpf("9.5")))) / phi_q

    gates = {"p": (lambda V: boltzmann(-(V + 10) / 4), tau_p), "q": (lambda V: boltzmann((V + 25) / 2), tau_q)}
    ions = {"CalciumFixed": {"E": "120 mV", "C_in": "2.4e-4 mM"}}
    return case("ICaL_IS2008", gates, lambda V, p, q: p**2 * q * (V - 120), celsius=celsius, ions=ions)


def cation(C_in):
    C = mpf(C_in)

    def tau(V):
        return mpf("1.6") + mpf("2.7") / (exp(-(V + 55) / 15) + exp((V + 55) / 15))

    gates = {"p": (lambda V: boltzmann(-(V + 43) / mpf("5.2")), tau)}
    ions = {"CalciumFixed": {"E": "120 mV", "C_in": f"{C_in} mM"}}
    return case("ICaN_IS2008", gates, lambda V, p: C / (C + mpf("0.2")) * p * (V - 10), ions=ions)


write(__file__, [calcium(24), calcium(36), cation("2.4e-4"), cation("0.05")])
