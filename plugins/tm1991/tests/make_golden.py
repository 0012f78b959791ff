"""Golden data of this pack, from the formulas alone: see tests/golden_data.py for how to run it."""

from golden_data import L, case, exp, from_rates, mpf, write


def rates_of_traub_and_miles(V_sh, phi):
    def u(V):
        return V - V_sh

    m = from_rates(lambda V: L("0.32", u(V) - 13, "4"), lambda V: L("0.28", 40 - u(V), "5"), phi)
    h = from_rates(lambda V: mpf("0.128") * exp((17 - u(V)) / 18), lambda V: 4 / (1 + exp((40 - u(V)) / 5)), phi)
    n = from_rates(lambda V: L("0.032", u(V) - 15, "5"), lambda V: exp((10 - u(V)) / 40) / 2, phi)
    return m, h, n


def cases(V_sh):
    m, h, n = rates_of_traub_and_miles(V_sh, 1)
    around = {"parameters": {"V_sh": f"{V_sh} mV"}, "singular": [V_sh + 13, V_sh + 40, V_sh + 15]}
    sodium, potassium = {"SodiumFixed": {"E": "50 mV"}}, {"PotassiumFixed": {"E": "-90 mV"}}
    yield case("INa_TM1991", {"m": m, "h": h}, lambda V, m, h: 120 * m**3 * h * (V - 50), ions=sodium, **around)
    yield case("IK_TM1991", {"n": n}, lambda V, n: 30 * n**4 * (V + 90), ions=potassium, **around)


write(
    __file__, [{key: value for key, value in one.items() if key != "parameters"} for one in cases(-63)] + [*cases(-60)]
)
