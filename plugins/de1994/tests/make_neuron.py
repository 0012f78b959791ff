"""Golden data of this pack from the authors' IAHP.mod, run in NEURON: see tests/neuron_data.py for how to run it.

IAHP.mod keeps the time constant above 0.1 ms, so the grid of calcium ends where that would begin to tell.
"""

from neuron_data import Patch, case, clamp, load, mS, write

SOURCE = "IAHP.mod of Destexhe, ModelDB 3670"
CALCIUM = [float(f"{10 ** (-6 + k / 8):.6e}") for k in range(42)]
"""1e-6 .. 0.13 mM."""
EK = -95.0


def patch(celsius):
    return Patch("iahp", current="ik", celsius=celsius, section={"ek": EK, "cai": 2.4e-4})


def around(found, celsius, C_in):
    phi = 3 ** ((celsius - 22) / 10)  # as the file has it: Q10 3, at 22 degC
    return {
        "parameters": {"g_max": mS(found.at.gkbar), "phi": phi},
        "celsius": celsius,
        "ions": {"PotassiumFixed": {"E": [EK, "mV"]}, "CalciumFixed": {"C_in": [C_in, "mM"]}},
    }


def over_calcium(celsius, V=-65.0):
    found, inf, tau = patch(celsius), [], []
    for C in CALCIUM:
        found.section.cai = C
        inf.append(found.steady_state(V, "m"))
        tau.append(found.tau(V, "m"))
    tables = {"V": [V] * len(CALCIUM), "steady_state": {"p": inf}, "tau": {"p": tau}}
    return case("IAHP_De1994", SOURCE, tables, **around(found, celsius, CALCIUM))


def currents(C, celsius=36.0):
    found = patch(celsius)
    found.section.cai = C
    return case("IAHP_De1994", SOURCE, clamp(found, [0.0, 10.0]), **around(found, celsius, C))


load()
write(__file__, [over_calcium(24.0), over_calcium(36.0), currents(2.4e-4), currents(0.025)])
