"""Calcium that diffuses in NEURON, along a cell and in rings: writes neuron_diffusion.json beside itself, with an interpreter that has NEURON.

    nrnivmodl tests/reference/mod                       # in a folder of its own
    PYTHONPATH=tests python tests/reference/make_neuron_diffusion.py THAT_FOLDER

A cable of one diameter, of three sections in a row, and a tree of cylinders of several diameters, in compartments of 5 um. NEURON has between two
compartments the mean of their cross-sections, and from each daughter a way of its own to the middle of the parent's last compartment; here they are
conductances in a row, and daughters share the parent's half. On the cable the two are the same, on the tree as compartments shrink:
there NEURON's are FINER times as many. Mechanisms are those of mod/, which we wrote. NEURON steps them by backward Euler: what is kept is
extrapolated from steps of 2 and 1 us (``2 b - a``), and how far 1 us, and 0.025 ms, which users take, are from that, is written down.
"""

import json
import sys
from pathlib import Path

import neuron
import numpy as np
from neuron import h

h.load_file("stdrun.hoc")
neuron.load_mechanisms(sys.argv[1])
HERE = Path(__file__).parent
CELLS = {
    "cable": [("soma", 10.0, 1.0, None), ("dend", 60.0, 1.0, 0), ("dend", 50.0, 1.0, 1)],
    "tree": [("soma", 10.0, 8.0, None), ("dend", 60.0, 2.0, 0), ("dend", 40.0, 1.0, 1), ("dend", 50.0, 0.8, 1)],
}
"""Type, um of length and of diameter, and the branch at whose end it begins."""
PLACES = {
    "cable": [(0, 0.75), (1, 0.125), (1, 0.875), (2, 0.05), (2, 0.25)],
    "tree": [(0, 0.75), (1, 0.125), (1, 0.875), (2, 0.0625), (3, 0.15)],
}
"""Branch and x: middles of compartments."""
FINER = {"cable": 1, "tree": 27}
SET = {
    "length": 5.0, "Ra": 100.0, "C": 1.0, "V": -65.0, "celsius": 20.0, "leak": 0.3, "E": -70.0, "current": 0.02, "g": 0.05, "from": 60.0,
    "rest": 2.4e-4, "duration": 20.0, "every": 1.0,
}  # fmt: skip
LAYER = {"D": 0.6, "d": 0.2, "tau": 20.0}
RINGS = {"D": 0.6, "B": 0.05, "kon": 80.0, "koff": 0.2}


def build(name, suffix, values):
    sections = []
    for kind, length, diameter, parent in CELLS[name]:
        section = h.Section(name=f"{kind}{len(sections)}")
        section.L, section.diam, section.nseg = length, diameter, FINER[name] * round(length / SET["length"])
        section.Ra, section.cm = SET["Ra"], SET["C"]
        if parent is not None:
            section.connect(sections[parent](1))
        section.insert("pas")
        section.g_pas, section.e_pas = 1e-3 * SET["leak"], SET["E"]
        section.insert("ca_influx")
        section.e_ca_influx, section.g_ca_influx = SET["from"], 1e-3 * SET["g"] * (len(sections) == 1)
        section.insert(suffix)
        for what, value in values.items():
            setattr(section, f"{what}_{suffix}", value)
        sections.append(section)
    h.celsius, h.cai0_ca_ion, h.cao0_ca_ion = SET["celsius"], SET["rest"], 2.0
    return sections


def run(name, suffix, values, dt, watched):
    sections = build(name, suffix, values)
    clamp = h.IClamp(sections[0](0.25))
    clamp.delay, clamp.dur, clamp.amp = 0.0, 1e9, SET["current"]
    h.cvode.active(False)
    h.dt, h.steps_per_ms, h.secondorder = dt, 1 / dt, 0
    found = {
        what: [h.Vector().record(pointer(sections[b](x)), SET["every"]) for b, x in PLACES[name]]
        for what, pointer in watched.items()
    }
    h.finitialize(SET["V"])
    h.continuerun(SET["duration"] + SET["every"] / 2)
    return {what: np.array([list(trace) for trace in traces]) for what, traces in found.items()}


def both(name, suffix, values, watched):
    """What is kept, by name: shape (places, samples), and how far from it a step of 0.025 ms is, in the same unit."""
    coarse, fine, usual = (run(name, suffix, values, dt, watched) for dt in (0.002, 0.001, 0.025))
    kept = {what: 2 * fine[what] - coarse[what] for what in fine}
    return {
        "values": {what: [[float(f"{v:.8g}") for v in row] for row in x] for what, x in kept.items()},
        "error of 1 us": {what: float(f"{np.abs(fine[what] - x).max():.3g}") for what, x in kept.items()},
        "error of 25 us": {what: float(f"{np.abs(usual[what] - x).max():.3g}") for what, x in kept.items()},
    }


layer = {"V": lambda s: s._ref_v, "C_in": lambda s: s._ref_cai}
rings = layer | {"shell[3]": lambda s: s._ref_free_ca_rings[3], "bound[1]": lambda s: s._ref_bound_ca_rings[1]}
told = {"by": f"NEURON {neuron.__version__}", "set": SET, "layer": LAYER, "rings": RINGS, "cells": {}}
for name, branches in CELLS.items():
    told["cells"][name] = {
        "branches": branches, "places": PLACES[name], "layer": both(name, "ca_layer", LAYER, layer),
        "rings": both(name, "ca_rings", RINGS, rings),
    }  # fmt: skip
(HERE / "neuron_diffusion.json").write_text(json.dumps(told) + "\n", encoding="utf-8")
