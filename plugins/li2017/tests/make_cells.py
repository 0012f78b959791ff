"""The four cells once more, written in NumPy apart from the packs and integrated by SciPy to 1e-10: writes cells.json.

Run as a program. Currents in uA/cm^2, V in mV, t in ms, calcium in mM, at 36 degC.
"""

import json
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

exp = np.exp
DURATION = 2000.0
T_UP = (36 - 24) / 10  # tens of degrees above the recordings of the calcium currents
SHEET = 10 / (2 * 96485.33212)  # mM/ms of calcium for 1 uA/cm^2 into a shell of 1 um
NERNST = 1e3 * 8.31446261815324 * (36 + 273.15) / (2 * 96485.33212)


def linoid(x, k):
    return k if abs(x) < 1e-9 else x / np.expm1(x / k)


def sigmoid(x):
    return 1 / (1 + exp(-x))


def fast_rates(u):
    """Rates of m, h and n of Traub and Miles (1991), as Bazhenov et al. (2002) use them."""
    m = 0.32 * linoid(13 - u, 4), 0.28 * linoid(u - 40, 5)
    h = 0.128 * exp((17 - u) / 18), 4 * sigmoid((u - 40) / 5)
    n = 0.032 * linoid(15 - u, 5), 0.5 * exp((10 - u) / 40)
    return m, h, n


def t_current(u):
    """Huguenard & McCormick (1992): inf and tau of p and q."""
    tau_q = exp((u + 467) / 66.6) if u < -80 else 28 + exp(-(u + 22) / 10.5)
    p = sigmoid((u + 59) / 6.2), (0.612 + 1 / (exp(-(u + 132) / 16.7) + exp((u + 16.8) / 18.2))) / 3.55**T_UP
    return p, (sigmoid(-(u + 83) / 4), tau_q / 3**T_UP)


def t_current_reticular(u):
    """Huguenard & Prince (1992)."""
    p = sigmoid((u + 52) / 7.4), (3 + 1 / (exp((u + 27) / 10) + exp(-(u + 102) / 15))) / 5**T_UP
    q = sigmoid(-(u + 80) / 5), (85 + 1 / (exp((u + 48) / 4) + exp(-(u + 407) / 50))) / 3**T_UP
    return p, q


def l_current(u):
    """As published with Inoue & Strowbridge (2008) in the simulators."""
    p = sigmoid((u + 10) / 4), (0.4 + 0.7 / (exp(-(u + 5) / 15) + exp((u + 5) / 15))) / 3.55**T_UP
    q = sigmoid(-(u + 25) / 2), (300 + 100 / (exp((u + 40) / 9.5) + exp(-(u + 40) / 9.5))) / 3**T_UP
    return p, q


CALCIUM = {
    "ICaT": lambda V: t_current(V + 3),
    "ICaHT": lambda V: t_current(V - 25),
    "ICaL": l_current,
    "ICaTr": lambda V: t_current_reticular(V + 3),
}

CELLS = {
    "HTC": {"V": -65, "area": 2.9e-4, "EL": -70, "tau": 10, "shift": -30, "phi": 0.25, "Ih": 0.01, "IAHP": 0.3, "ICaN": 0.5}
    | {"ICaL": 0.5, "ICaT": 2.1, "ICaHT": 3.0},
    "RTC": {"V": -65, "area": 2.9e-4, "EL": -70, "tau": 10, "shift": -40, "phi": 0.25, "Ih": 0.01, "IAHP": 0.1, "ICaN": 0.6}
    | {"ICaL": 0.3, "ICaT": 2.1, "ICaHT": 0.6},
    "IN": {"V": -70, "area": 1.7e-4, "EL": -60, "tau": 10, "shift": -30, "phi": 0.25, "Ih": 0.05, "IAHP": 0.2, "ICaN": 0.1}
    | {"ICaHT": 2.5},
    "TRN": {"V": -70, "area": 1.43e-4, "EL": -60, "tau": 100, "shift": -40, "phi": 1.0, "Ih": 0.0, "IAHP": 0.2, "ICaN": 0.2}
    | {"ICaTr": 1.3},
}  # fmt: skip


def relaxations(cell, V, C):
    """``(inf, tau)`` of every gate, in the order of the state."""
    (am, bm), (ah, bh), (an, bn) = fast_rates(V - cell["shift"])
    aC = 48 * C**2
    pairs = [(am / (am + bm), 1 / (am + bm)), (ah / (ah + bh), 1 / (ah + bh))]
    pairs += [(an / (an + bn), 1 / (an + bn) / cell["phi"])]
    pairs += [(sigmoid(-(V + 75) / 5.5), 1 / (exp(-0.086 * V - 14.59) + exp(0.0701 * V - 1.87)))]
    pairs += [(sigmoid((V + 43) / 5.2), 1.6 + 2.7 / (exp(-(V + 55) / 15) + exp((V + 55) / 15)))]
    pairs += [(aC / (aC + 0.03), 1 / (aC + 0.03))]
    for name, curves in CALCIUM.items():
        if name in cell:
            pairs += list(curves(V))
    return np.array(pairs).T


def slope(t, y, cell, I):
    V, C, gates = y[0], y[1], y[2:]
    m, h, n, r, c, a = gates[:6]
    E_Ca = NERNST * np.log(2 / C)
    I_Ca, k = 0.0, 6
    for name in CALCIUM:
        if name in cell:
            I_Ca += cell[name] * gates[k] ** 2 * gates[k + 1] * (V - E_Ca)
            k += 2
    out = 0.01 * (V - cell["EL"]) + 0.01 * (V + 90) + 90 * m**3 * h * (V - 50) + 10 * n**4 * (V + 90)
    out += (
        cell["Ih"] * r * (V + 43) + cell["ICaN"] * C / (C + 0.2) * c * (V - 10) + cell["IAHP"] * a**2 * (V + 90) + I_Ca
    )
    inf, tau = relaxations(cell, V, C)
    dC = max(0.0, -SHEET * I_Ca / 0.5) + (5e-5 - C) / cell["tau"]
    return np.concatenate([[I - out, dC], (inf - gates) / tau])


def run(name, picoampere, threshold=20.0, **changes):
    """Spike times and the calcium every 0.05 ms."""
    cell = CELLS[name] | changes
    I = picoampere * 1e-6 / cell["area"]
    start = np.concatenate([[cell["V"], 5e-5], relaxations(cell, cell["V"], 5e-5)[0]])

    def crossing(t, y, cell, I):
        return y[0] - threshold

    crossing.direction = 1
    grid = np.linspace(0, DURATION, 40_001)
    # kinks (the influx's max, tau_q's branches) are smooth enough for Radau once its steps are bounded
    out = solve_ivp(
        slope, (0, DURATION), start, "Radau", args=(cell, I), events=crossing, t_eval=grid, rtol=1e-10, atol=1e-12
    )
    assert out.success, out.message
    return out.t_events[0], out.y[1]


if __name__ == "__main__":
    cases = []
    wanted = [("HTC", -30), ("HTC", -100), ("HTC", 100), ("RTC", -100), ("IN", 100), ("TRN", 100)]
    for name, current in wanted:
        spikes, calcium = run(name, current)
        print(name, current, spikes.size, spikes[:5], calcium.max())
        cases.append({"cell": f"{name}_Li2017", "stimulus": f"{current} pA", "spikes": spikes.round(6).tolist(), "peak": float(calcium.max()), "calcium": [float(f"{x:.8g}") for x in calcium[::200]]})  # fmt: skip
    rows = ",\n".join(json.dumps(case) for case in cases)
    Path(__file__).with_name("cells.json").write_text(f"[\n{rows}\n]\n", encoding="utf-8")
