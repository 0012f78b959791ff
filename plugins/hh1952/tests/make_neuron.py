"""Golden data of this pack from NEURON's own hh mechanism: see tests/neuron_data.py for how to run it; it needs no folder."""

from neuron_data import Patch, case, clamp, curves, mS, write

SOURCE = "hh of NEURON"


def cases():
    for celsius in (6.3, 18.5):
        potentials = {"ena": 50.0, "ek": -77.0}
        na, k = (Patch("hh", current=i, celsius=celsius, section=potentials, tables=True) for i in ("ina", "ik"))
        for name, found, ion, gates, g in (
            ("INa_HH1952", na, {"SodiumFixed": {"E": [50.0, "mV"]}}, {"m": "m", "h": "h"}, na.at.gnabar),
            ("IK_HH1952", k, {"PotassiumFixed": {"E": [-77.0, "mV"]}}, {"n": "n"}, k.at.gkbar),
        ):
            around = {"celsius": celsius, "ions": ion, "parameters": {"g_max": mS(g)}}
            yield case(name, SOURCE, curves(found, gates), clamp(found), **around)


write(__file__, list(cases()))
