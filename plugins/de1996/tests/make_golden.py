"""Golden data of this pack, from the formulas alone: see tests/golden_data.py for how to run it.

The voltage clamp is the exponential of the matrix that O and OL obey, C being 1 - O - OL.
"""

from golden_data import GRID, boltzmann, exp, mpf, write
from mpmath import expm, matrix

CALCIUM = [float(f"{10 ** (-6 + k / 8):.6e}") for k in range(57)]
"""1e-6 .. 10 mM."""
K2, K4, CA_HALF = mpf("4e-4"), mpf("1e-3"), mpf("2e-3")
K1, K3 = K2 / CA_HALF**4, K4 / mpf("0.01")


def opening(V, celsius):
    """Rates in 1/ms of C -> O and O -> C."""
    phi, inf = mpf(3) ** (mpf(celsius - 24) / 10), boltzmann((V + 75) / mpf("5.5"))
    tau = (20 + 1000 / (exp((V + mpf("71.5")) / mpf("14.2")) + exp(-(V + 89) / mpf("11.6")))) / phi
    return inf / tau, (1 - inf) / tau


def start(V, C, celsius):
    """The paper's start: P1, O and OL at rest."""
    a, b = opening(V, celsius)
    P1 = K1 * mpf(C) ** 4 / (K1 * mpf(C) ** 4 + K2)
    O = a / (a + a * K3 * P1 / K4 + b)
    return P1, O, K3 * P1 * O / K4


def curves(celsius, V, C, given):
    rest = [start(v, c, celsius) for v, c in zip(V, C, strict=True)]
    columns = {"P1": [P1 for P1, _, _ in rest], "C": [1 - O - OL for _, O, OL in rest]}
    columns |= {"O": [O for _, O, _ in rest], "OL": [OL for _, _, OL in rest]}
    return {
        "channel": "Ih_De1996",
        "celsius": celsius,
        "ions": {"CalciumFixed": {"C_in": given}},
        "V": [float(v) for v in V],
        "steady_state": {name: [float(x) for x in column] for name, column in columns.items()},
        "tau": {"P1": [float(1 / (K1 * mpf(c) ** 4 + K2)) for c in C]},
    }


def current(V, hold, C, t, celsius):
    """Current in uA/cm^2 t ms after the jump, with g_max 0.02 mS/cm^2, g_inc 2 and E -40 mV."""
    P1, O, OL = start(hold, C, celsius)
    a, b = opening(V, celsius)
    flow = matrix([[-a - b - K3 * P1, K4 - a, a], [K3 * P1, -K4, 0], [0, 0, 0]])
    now = expm(flow * t) * matrix([O, OL, 1])
    return float(mpf("0.02") * (now[0] + 2 * now[1]) * (V + 40))


def clamp(celsius, C):
    times, pulses, hold = [0, 5, 50, 300, 1500, 8000], [-120, -100, -85, -75, -60, -30, 20], -60
    return {
        "channel": "Ih_De1996",
        "celsius": celsius,
        "ions": {"CalciumFixed": {"C_in": f"{C} mM"}},
        "hold": hold,
        "pulses": pulses,
        "t": times,
        "current": [[current(mpf(V), mpf(hold), C, t, celsius) for V in pulses] for t in times],
    }


def cases():
    for celsius in (24, 36):
        yield curves(celsius, GRID, ["2e-4"] * len(GRID), "2e-4 mM")
        yield curves(celsius, [mpf(-70)] * len(CALCIUM), CALCIUM, [CALCIUM, "mM"])
        yield clamp(celsius, "2e-4")
        yield clamp(celsius, "1e-3")


write(__file__, list(cases()))
