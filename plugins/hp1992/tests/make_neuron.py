"""Golden data of this pack from the IT2.mod that Destexhe wrote in 1992: see tests/neuron_data.py for how to run it.

Its shift of 2 mV, for 2 mM of calcium outside, is in the constants of ours, so V_sh is 0.
"""

from neuron_data import Patch, case, clamp, curves, load, mS, nernst, write


def cases():
    for celsius in (24.0, 36.0):
        found = Patch("it2", current="ica", celsius=celsius, section={"cai": 2.4e-4, "cao": 2.0})
        parameters = {"g_max": mS(found.at.gcabar), "V_sh": [2.0 - found.at.shift, "mV"]}
        around = {"celsius": celsius, "ions": {"CalciumFixed": {"E": [nernst(found), "mV"]}}, "parameters": parameters}
        tables = curves(found, {"p": "m", "q": "h"}), clamp(found)
        yield case("ICaT_HP1992", "IT2.mod of Destexhe, ModelDB 3670", *tables, **around)


load()
write(__file__, list(cases()))
