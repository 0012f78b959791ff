"""Golden data of this pack from the IM.mod that Destexhe wrote in 1995: see tests/neuron_data.py for how to run it."""

from neuron_data import Patch, case, clamp, curves, h, load, mS, write

SOURCE = "IM.mod of Destexhe, ModelDB 3817"
EK = -95.0


def cases():
    for celsius in (24.0, 36.0):
        found = Patch("im", current="ik", celsius=celsius, section={"ek": EK}, tables=True)
        phi = 2.3 ** ((celsius - 36) / 10)  # as the file has it
        parameters = {"g_max": mS(found.at.gkbar), "tau_max": [h.taumax_im, "ms"], "phi": phi}
        around = {"celsius": celsius, "ions": {"PotassiumFixed": {"E": [EK, "mV"]}}, "parameters": parameters}
        yield case("IKNI_Ya1989", SOURCE, curves(found, {"p": "m"}), clamp(found), **around)


load()
write(__file__, list(cases()))
