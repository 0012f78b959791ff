"""Golden data of this pack from two .mod files that carry its paper: see tests/neuron_data.py for how to run it.

Mainen's has the temperature, which in it also scales the conductance; Destexhe's holds for 36 degC and writes out the rates.
"""

from neuron_data import Patch, case, clamp, curves, load, mS, nernst, write

GATES = {"p": "m", "q": "h"}


def mainen():
    for celsius in (23.0, 37.0):
        found = Patch("ca", current="ica", celsius=celsius, section={"eca": 120.0}, tables=True)
        density = 1e-4 * found.at.gbar  # pS/um^2 to S/cm^2
        parameters = {"g_max": mS(density * 2.3 ** ((celsius - 23) / 10))}
        around = {"celsius": celsius, "ions": {"CalciumFixed": {"E": [120.0, "mV"]}}, "parameters": parameters}
        yield case("ICaHT_Re1993", "ca.mod of Mainen, ModelDB 2488", curves(found, GATES), clamp(found), **around)


def destexhe():
    # It works out a reversal potential of its own from cai and cao, whose defaults are those of the file.
    found = Patch("ical", current="ica", celsius=36.0, section={"cai": 2.4e-4, "cao": 2.0})
    E = nernst(found)
    parameters = {"g_max": mS(found.at.gcabar), "phi_p": 1.0, "phi_q": 1.0}
    around = {"ions": {"CalciumFixed": {"E": [E, "mV"]}}, "parameters": parameters}
    source = "IL_gutnick.mod of Destexhe, ModelDB 123623"
    yield case("ICaHT_Re1993", source, curves(found, GATES), clamp(found), **around)


load()
write(__file__, [*mainen(), *destexhe()])
