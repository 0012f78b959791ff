"""Golden data of this pack, from the formulas alone: see tests/golden_data.py for how to run it."""

from golden_data import L, case, exp, from_rates, mpf, write


def cases(celsius):
    phi = mpf(3) ** ((mpf(celsius) - mpf("6.3")) / 10)

    def u(V):
        return V + 45

    m = from_rates(lambda V: L("0.1", u(V) - 5, "10"), lambda V: 4 * exp(-(u(V) + 20) / 18), phi)
    h = from_rates(lambda V: mpf("0.07") * exp(-(u(V) + 20) / 20), lambda V: 1 / (1 + exp(-(u(V) - 10) / 10)), phi)
    n = from_rates(lambda V: L("0.01", u(V) + 10, "10"), lambda V: exp(-(u(V) + 20) / 80) / 8, phi)
    sodium, potassium = {"SodiumFixed": {"E": "50 mV"}}, {"PotassiumFixed": {"E": "-77 mV"}}
    around = {"celsius": celsius, "singular": [-40, -55]}
    yield case("INa_HH1952", {"m": m, "h": h}, lambda V, m, h: 120 * m**3 * h * (V - 50), ions=sodium, **around)
    yield case("IK_HH1952", {"n": n}, lambda V, n: 36 * n**4 * (V + 77), ions=potassium, **around)


write(__file__, [one for celsius in (6.3, 24.0, 36.0) for one in cases(celsius)])
