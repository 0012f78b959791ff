"""Golden data of this pack, from the formulas alone: see tests/golden_data.py for how to run it."""

from golden_data import boltzmann, case, exp, mpf, write


def m_current(V_sh=0, tau_max=4000, phi=1):
    def tau(V):
        u = V - V_sh + 35
        return tau_max / (mpf("3.3") * exp(u / 20) + exp(-u / 20)) / phi

    return {"p": (lambda V: boltzmann(-(V - V_sh + 35) / 10), tau)}


def current(V, p):
    return mpf("0.004") * p * (V + 95)


def cases():
    ions = {"PotassiumFixed": {"E": "-95 mV"}}
    for celsius in (24, 36):
        yield case("IKNI_Ya1989", m_current(), current, celsius=celsius, ions=ions)
    parameters = {"V_sh": "-5 mV", "tau_max": "1 s", "phi": 2}
    yield case("IKNI_Ya1989", m_current(-5, 1000, 2), current, parameters=parameters, ions=ions)


write(__file__, list(cases()))
