"""Golden data of this pack from the HH2.mod that Destexhe wrote in 1992, run in NEURON: see tests/neuron_data.py for how to run it."""

from neuron_data import Patch, case, clamp, curves, load, mS, write

SOURCE = "HH2.mod of Destexhe, ModelDB 3670"


def cases():
    for celsius in (24.0, 36.0):
        potentials = {"ena": 50.0, "ek": -90.0}
        na, k = (Patch("hh2", current=i, celsius=celsius, section=potentials, vtraub=-50.0) for i in ("ina", "ik"))
        for name, found, ion, gates, g in (
            ("INa_Ba2002", na, {"SodiumFixed": {"E": [50.0, "mV"]}}, {"m": "m", "h": "h"}, na.at.gnabar),
            ("IKDR_Ba2002", k, {"PotassiumFixed": {"E": [-90.0, "mV"]}}, {"n": "n"}, k.at.gkbar),
        ):
            parameters = {"g_max": mS(g), "V_sh": [found.at.vtraub, "mV"]}
            yield case(
                name, SOURCE, curves(found, gates), clamp(found), celsius=celsius, ions=ion, parameters=parameters
            )


load()
write(__file__, list(cases()))
