"""Golden data of this pack, from the formulas alone: see tests/golden_data.py for how to run it."""

from golden_data import boltzmann, case, exp, mpf, write


def calcium(celsius):
    phi_p, phi_q = (mpf(q10) ** ((mpf(celsius) - 24) / 10) for q10 in (5, 3))

    def u(V):
        return V + 3

    def tau_p(V):
        return (3 + 1 / (exp((u(V) + 27) / 10) + exp(-(u(V) + 102) / 15))) / phi_p

    def tau_q(V):
        return (85 + 1 / (exp((u(V) + 48) / 4) + exp(-(u(V) + 407) / 50))) / phi_q

    p = (lambda V: boltzmann(-(u(V) + 52) / mpf("7.4")), tau_p)
    q = (lambda V: boltzmann((u(V) + 80) / 5), tau_q)
    ions = {"CalciumFixed": {"E": "120 mV", "C_in": "2.4e-4 mM"}}
    gates = {"p": p, "q": q}
    return case("ICaT_HP1992", gates, lambda V, p, q: mpf("1.75") * p**2 * q * (V - 120), celsius=celsius, ions=ions)


write(__file__, [calcium(24), calcium(36)])
