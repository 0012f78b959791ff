"""Golden data of this pack, from the formulas alone: see tests/golden_data.py for how to run it."""

from golden_data import L, case, exp, from_rates, mpf, write


def rates_of_traub_and_miles(V_sh, phi):
    def u(V):
        return V - V_sh

    m = from_rates(lambda V: L("0.32", u(V) - 13, "4"), lambda V: L("0.28", 40 - u(V), "5"), phi)
    h = from_rates(lambda V: mpf("0.128") * exp((17 - u(V)) / 18), lambda V: 4 / (1 + exp((40 - u(V)) / 5)), phi)
    n = from_rates(lambda V: L("0.032", u(V) - 15, "5"), lambda V: exp((10 - u(V)) / 40) / 2, phi)
    return m, h, n


def cases(celsius):
    m, h, n = rates_of_traub_and_miles(-50, mpf(3) ** ((mpf(celsius) - 36) / 10))
    sodium, potassium = {"SodiumFixed": {"E": "50 mV"}}, {"PotassiumFixed": {"E": "-95 mV"}}
    around = {"celsius": celsius, "singular": [-37, -10, -35]}
    yield case("INa_Ba2002", {"m": m, "h": h}, lambda V, m, h: 90 * m**3 * h * (V - 50), ions=sodium, **around)
    yield case("IKDR_Ba2002", {"n": n}, lambda V, n: 10 * n**4 * (V + 95), ions=potassium, **around)


def shifted_and_slowed():
    """The relay cell of Li et al. (2017): V_sh -30 mV and a number for phi."""
    _, _, n = rates_of_traub_and_miles(-30, mpf("0.25"))
    parameters, ions = {"V_sh": "-30 mV", "phi": 0.25}, {"PotassiumFixed": {"E": "-90 mV"}}
    return case("IKDR_Ba2002", {"n": n}, lambda V, n: 10 * n**4 * (V + 90), parameters=parameters, ions=ions)


write(__file__, [*(one for celsius in (24, 36) for one in cases(celsius)), shifted_and_slowed()])
