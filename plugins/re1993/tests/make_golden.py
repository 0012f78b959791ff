"""Golden data of this pack, from the formulas alone: see tests/golden_data.py for how to run it."""

from golden_data import L, case, exp, from_rates, mpf, write


def high_threshold(celsius, V_sh=0, phi=None):
    def u(V):
        return V - V_sh

    phi = mpf("2.3") ** (mpf(celsius - 23) / 10) if phi is None else phi
    p = from_rates(lambda V: L("0.055", u(V) + 27, "3.8"), lambda V: mpf("0.94") * exp(-(u(V) + 75) / 17), phi)
    q = from_rates(
        lambda V: mpf("0.000457") * exp(-(u(V) + 13) / 50),
        lambda V: mpf("0.0065") / (1 + exp(-(u(V) + 15) / 28)),
        phi,
    )
    ions, singular = {"CalciumFixed": {"E": "120 mV"}}, [V_sh - 27 + d for d in (-0.001, -1e-6, 0, 1e-6, 0.001)]
    return {"p": p, "q": q}, lambda V, p, q: p**2 * q * (V - 120), {"ions": ions, "singular": singular}


def cases():
    for celsius in (24, 36):
        gates, current, around = high_threshold(celsius)
        yield case("ICaHT_Re1993", gates, current, celsius=celsius, **around)
    gates, current, around = high_threshold(36, V_sh=10, phi=2)
    parameters = {"V_sh": "10 mV", "phi_p": 2, "phi_q": 2}
    yield case("ICaHT_Re1993", gates, current, parameters=parameters, **around)


write(__file__, list(cases()))
