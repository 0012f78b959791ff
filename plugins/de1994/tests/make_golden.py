"""Golden data of this pack, from the formulas alone: see tests/golden_data.py for how to run it."""

from golden_data import mpf, write

CALCIUM = [float(f"{10 ** (-6 + k / 8):.6e}") for k in range(57)]
"""1e-6 .. 10 mM."""


def gate(C, n=2, phi=1):
    """Steady state and time constant in ms of p at C (mM)."""
    alpha, beta = 48 * mpf(C) ** n, mpf("0.03")
    return alpha / (alpha + beta), 1 / (phi * (alpha + beta))


def over_calcium(celsius, **parameters):
    at = [gate(C, **parameters) for C in CALCIUM]
    return {
        "channel": "IAHP_De1994",
        "parameters": parameters,
        "celsius": celsius,
        "ions": {"PotassiumFixed": {"E": "-95 mV"}, "CalciumFixed": {"C_in": [CALCIUM, "mM"]}},
        "V": [-65.0] * len(CALCIUM),
        "steady_state": {"p": [float(inf) for inf, _ in at]},
        "tau": {"p": [float(tau) for _, tau in at]},
    }


def clamp(C):
    """The gate does not know the voltage: the currents are there at once and stay."""
    times, pulses = [0.0, 10.0, 1000.0], [-120.0, -95.0, -65.0, -40.0, 0.0, 40.0]
    current = [float(10 * gate(C)[0] ** 2 * (mpf(V) + 95)) for V in pulses]
    return {
        "channel": "IAHP_De1994",
        "ions": {"PotassiumFixed": {"E": "-95 mV"}, "CalciumFixed": {"C_in": f"{C} mM"}},
        "hold": -65.0,
        "pulses": pulses,
        "t": times,
        "current": [current for _ in times],
    }


write(__file__, [over_calcium(24), over_calcium(36), over_calcium(36, n=3, phi=2), clamp("2.4e-4"), clamp("0.025")])
