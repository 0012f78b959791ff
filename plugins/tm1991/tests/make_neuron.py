"""Golden data of this pack from the HH_traub.mod that Destexhe wrote in 1992, run in NEURON: see tests/neuron_data.py for how to run it."""

from neuron_data import Patch, case, clamp, curves, load, mS, write

SOURCE = "HH_traub.mod of Destexhe, ModelDB 123623"


def cases():
    for celsius in (36.0,):
        potentials = {"ena": 50.0, "ek": -90.0}
        na, k = (Patch("hh2", current=i, celsius=celsius, section=potentials) for i in ("ina", "ik"))
        for name, found, ion, gates, g in (
            ("INa_TM1991", na, {"SodiumFixed": {"E": [50.0, "mV"]}}, {"m": "m", "h": "h"}, na.at.gnabar),
            ("IK_TM1991", k, {"PotassiumFixed": {"E": [-90.0, "mV"]}}, {"n": "n"}, k.at.gkbar),
        ):
            parameters = {"g_max": mS(g), "V_sh": [found.at.vtraub, "mV"]}
            yield case(
                name, SOURCE, curves(found, gates), clamp(found), celsius=celsius, ions=ion, parameters=parameters
            )


load()
write(__file__, list(cases()))
