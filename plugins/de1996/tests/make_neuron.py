"""Golden data of this pack from the authors' Ih.mod of 1995: see tests/neuron_data.py for how to run it.

NEURON solves the scheme with implicit steps, which are of first order: `currents` halves its step and extrapolates.
"""

from itertools import pairwise

from neuron_data import GRID, HOLD, Patch, case, load, mS, write

SOURCE = "Ih.mod of Destexhe, ModelDB 3343"
STATES = {"P1": "p1", "C": "c1", "O": "o1", "OL": "o2"}
PULSES, TIMES = [-120.0, -100.0, -60.0, -30.0, 20.0], [0.0, 50.0, 300.0, 1500.0]
EH = -40.0


def patch(celsius, C):
    return Patch("iar", current="ih", celsius=celsius, section={"eh": EH, "cai": C})


def around(found, celsius, C):
    phi = 3.0 ** ((celsius - 36) / 10)  # as the file has it: Q10 3, at 36 degC
    parameters = {"g_max": mS(found.at.ghbar), "E": [EH, "mV"], "phi": phi}
    return {"celsius": celsius, "ions": {"CalciumFixed": {"C_in": [C, "mM"]}}, "parameters": parameters}


def relaxation(found, V, dt=1e3):
    """Time constant of P1 in ms: of a displacement an implicit step leaves ``1 / (1 + dt/tau)``."""
    inf = found.steady_state(V, "p1")
    found.at.p0, found.at.p1 = 0.0, 1.0
    found.step(V, dt)
    left = (found.at.p1 - inf) / (1 - inf)
    return dt * left / (1 - left)


def over_voltage(celsius, C):
    found = patch(celsius, C)
    rest = {ours: [found.steady_state(V, state) for V in GRID] for ours, state in STATES.items()}
    tables = {"V": GRID, "steady_state": rest, "tau": {"P1": [relaxation(found, V) for V in GRID]}}
    return case("Ih_De1996", SOURCE, tables, **around(found, celsius, C))


def stepped(found, V, dt):
    found.settle(HOLD)
    currents = [found.now(V)]
    for start, end in pairwise(TIMES):
        for _ in range(round((end - start) / dt)):
            found.step(V, dt)
        currents.append(found.now(V))
    return currents


def extrapolated(found, V, dt=0.1):
    """Two extrapolations, which leave an error of third order."""
    coarse, middle, fine = (stepped(found, V, dt / k) for k in (1, 2, 4))
    once = [(2 * b - a, 2 * c - b) for a, b, c in zip(coarse, middle, fine, strict=True)]
    return [(4 * second - first) / 3 for first, second in once]


def currents(celsius, C):
    found = patch(celsius, C)
    rows = zip(*(extrapolated(found, V) for V in PULSES), strict=True)
    tables = {"hold": HOLD, "pulses": PULSES, "t": TIMES, "current": [list(row) for row in rows]}
    return case("Ih_De1996", SOURCE, tables, **around(found, celsius, C))


load()
write(__file__, [over_voltage(24.0, 2e-4), over_voltage(36.0, 1e-3), currents(36.0, 2e-4), currents(36.0, 1e-3)])
