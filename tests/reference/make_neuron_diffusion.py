"""Calcium that diffuses in NEURON, along a cell and in rings: writes neuron_diffusion.json beside itself, with an interpreter that has NEURON.

    nrnivmodl tests/reference/mod                       # in a folder of its own
    PYTHONPATH=tests python tests/reference/make_neuron_diffusion.py THAT_FOLDER

A soma, a dendrite at its end and two daughters, all cylinders, in compartments of 5 um, so that both programs have the very same. The mechanisms are
those of mod/, which we wrote. NEURON steps them by backward Euler: what is kept is extrapolated from steps of 2 and 1 us (``2 a - b``), and how
far steps of 0.025 ms, which users take, are from that. NEURON has calcium go from the middle of a segment to a neighbour's by that neighbour's
half and its own, as we do; `tests/reference/test_neuron_diffusion.py` compares.
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
BRANCHES = [("soma", 10.0, 8.0, None), ("dend", 60.0, 2.0, 0), ("dend", 40.0, 1.0, 1), ("dend", 50.0, 0.8, 1)]
"""Type, um of length and of diameter, and the branch at whose end it begins."""
PLACES = [(0, 0.75), (1, 0.125), (1, 0.875), (2, 0.1875), (3, 0.15)]
"""Branch and x: middles of compartments."""
SET = {
    "length": 5.0, "Ra": 100.0, "C": 1.0, "V": -65.0, "celsius": 20.0, "leak": 0.3, "E": -70.0, "current": 0.02, "g": 0.05, "from": 60.0,
    "rest": 2.4e-4, "duration": 20.0, "every": 1.0,
}  # fmt: skip
LAYER = {"D": 0.6, "d": 0.2, "tau": 20.0}
RINGS = {"D": 0.6, "B": 0.05, "kon": 80.0, "koff": 0.2}


def build(suffix, values):
    sections = []
    for kind, length, diameter, parent in BRANCHES:
        section = h.Section(name=f"{kind}{len(sections)}")
        section.L, section.diam, section.nseg = length, diameter, round(length / SET["length"])
        section.Ra, section.cm = SET["Ra"], SET["C"]
        if parent is not None:
            section.connect(sections[parent](1))
        section.insert("pas")
        section.g_pas, section.e_pas = 1e-3 * SET["leak"], SET["E"]
        section.insert("ca_influx")
        section.e_ca_influx, section.g_ca_influx = SET["from"], 1e-3 * SET["g"] * (len(sections) == 1)
        section.insert(suffix)
        for name, value in values.items():
            setattr(section, f"{name}_{suffix}", value)
        sections.append(section)
    h.celsius, h.cai0_ca_ion, h.cao0_ca_ion = SET["celsius"], SET["rest"], 2.0
    return sections


def run(suffix, values, dt, watched):
    sections = build(suffix, values)
    clamp = h.IClamp(sections[0](0.25))
    clamp.delay, clamp.dur, clamp.amp = 0.0, 1e9, SET["current"]
    h.cvode.active(False)
    h.dt, h.steps_per_ms, h.secondorder = dt, 1 / dt, 0
    found = {
        name: [h.Vector().record(pointer(sections[b](x)), SET["every"]) for b, x in PLACES]
        for name, pointer in watched.items()
    }
    h.finitialize(SET["V"])
    h.continuerun(SET["duration"] + SET["every"] / 2)
    return {name: np.array([list(trace) for trace in traces]) for name, traces in found.items()}


def both(suffix, values, watched):
    """What is kept, by name: shape (places, samples), and how far from it a step of 0.025 ms is, in the same unit."""
    coarse, fine, usual = (run(suffix, values, dt, watched) for dt in (0.002, 0.001, 0.025))
    kept = {name: 2 * fine[name] - coarse[name] for name in fine}
    return {
        "values": {name: [[float(f"{v:.8g}") for v in row] for row in x] for name, x in kept.items()},
        "error of 1 us": {name: float(f"{np.abs(fine[name] - x).max():.3g}") for name, x in kept.items()},
        "error of 25 us": {name: float(f"{np.abs(usual[name] - x).max():.3g}") for name, x in kept.items()},
    }


layer = {"V": lambda s: s._ref_v, "C_in": lambda s: s._ref_cai}
rings = layer | {"shell[3]": lambda s: s._ref_free_ca_rings[3], "bound[1]": lambda s: s._ref_bound_ca_rings[1]}
told = {
    "by": f"NEURON {neuron.__version__}", "branches": BRANCHES, "places": PLACES, "set": SET,
    "layer": {"given": LAYER} | both("ca_layer", LAYER, layer),
    "rings": {"given": RINGS} | both("ca_rings", RINGS, rings),
}  # fmt: skip
(HERE / "neuron_diffusion.json").write_text(json.dumps(told) + "\n", encoding="utf-8")
