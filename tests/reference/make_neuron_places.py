"""Squid axons with a dendrite, joined by gap junctions, and clamped at a place, in NEURON: writes neuron_places.json beside itself.

    nrnivmodl tests/reference/mod                       # in a folder of its own
    PYTHONPATH=tests python tests/reference/make_neuron_places.py THAT_FOLDER

The ball and stick of cable_cases.py with NEURON's own hh. Two of them are joined between dendrites, and a compartment of 1,000 um^2 to the soma of
the second; 0.5 nA into the first soma from 1 ms on. Then one is held in the middle of its dendrite by SEClamp through almost no resistance: by
levels, and along a ramp and an action potential's outline, between whose points NEURON goes on straight lines. V and the electrode's current are CVODE's at
two tolerances, and through two resistances, so that it is seen how far from converged, and from ideal, they are.
"""

import json
import sys
from pathlib import Path

import neuron
from cable_cases import BALL_AND_STICK, LONGEST, RA, V0, C
from neuron import h

h.load_file("stdrun.hoc")
JOINED = {"dendrites": 0.02, "point": 0.002}
"""uS."""
PLACES = ["a.soma[0](0.5)", "a.dend[0](0.5)", "b.dend[0](0.98)", "b.soma[0](0.5)", "p"]
TIMES = [0.125 + 0.25 * k for k in range(100)]
LEVELS, DURATIONS = (-65.0, 0.0, -50.0), (2.0, 12.0, 11.0)
TRACE = (
    [0.0, 1.0, 6.0, 10.0, 10.5, 11.0, 12.0, 14.0, 26.0],
    [-65.0, -65.0, -40.0, -40.0, 20.0, 30.0, -75.0, -65.0, -65.0],
)
HELD = ["soma[0](0.5)", "dend[0](0.1)", "dend[0](0.5)", "dend[0](0.98)"]
RESISTANCES = (1e-3, 1e-4)
"""Mohm."""


def squid(section):
    section.Ra, section.cm = RA, C
    section.insert("hh")
    section.el_hh = -54.387  # as in the paper; hh itself has -54.3
    section.ena, section.ek = 50.0, -77.0
    return section


def ball_and_stick(name):
    soma, dend = h.Section(name=f"{name}.soma[0]"), h.Section(name=f"{name}.dend[0]")
    soma.L = soma.diam = BALL_AND_STICK["soma"]
    dend.L, dend.diam = BALL_AND_STICK["length"], BALL_AND_STICK["diameter"]
    dend.nseg = round(dend.L / LONGEST)
    dend.connect(soma(0.5))
    return {"soma[0]": squid(soma), "dend[0]": squid(dend)}


def at(sections, place):
    name, x = place.rstrip(")").split("(")
    return sections[name](float(x))


def junction(one, other, g):
    ends = h.Gap(one), h.Gap(other)
    for end, there in zip(ends, (other, one), strict=True):
        end.g = g
        h.setpointer(there._ref_v, "vgap", end)
    return ends


def go(records, atol):
    h.celsius, h.usetable_hh = 6.3, 0
    h.cvode.active(True)
    h.cvode.rtol(0)
    h.cvode.atol(atol)
    times = h.Vector(TIMES)
    found = [h.Vector().record(record, times) for record in records]
    h.finitialize(V0)
    h.continuerun(TIMES[-1] + 0.5)
    return [[round(x, 7) for x in one] for one in found]


def joined(atol):
    """V at PLACES."""
    a, b = ball_and_stick("a"), ball_and_stick("b")
    p = squid(h.Section(name="p"))
    p.L, p.diam = 10.0, 100 / 3.141592653589793
    pulse = h.IClamp(a["soma[0]"](0.5))
    pulse.delay, pulse.dur, pulse.amp = 1.0, 1e9, 0.5
    kept = junction(at(a, "dend[0](0.5)"), at(b, "dend[0](0.98)"), JOINED["dendrites"])
    kept += junction(at(b, "soma[0](0.5)"), p(0.5), JOINED["point"])
    cells = {f"{name}.{key}": section for name, cell in (("a", a), ("b", b)) for key, section in cell.items()}
    segments = [p(0.5) if place == "p" else at(cells, place) for place in PLACES]
    return go([segment._ref_v for segment in segments], atol)


def held(kind, resistance, atol):
    """V at HELD, and the electrode's current in nA."""
    cell = ball_and_stick("a")
    clamp = h.SEClamp(at(cell, "dend[0](0.5)"))
    clamp.rs = resistance
    if kind == "levels":
        clamp.dur1, clamp.dur2, clamp.dur3 = DURATIONS
        clamp.amp1, clamp.amp2, clamp.amp3 = LEVELS
    else:
        clamp.dur1 = 1e9
        t, V = (h.Vector(x) for x in TRACE)
        V.play(clamp._ref_amp1, t, True)
    return go([*(at(cell, place)._ref_v for place in HELD), clamp._ref_i], atol)


neuron.load_mechanisms(str(Path(sys.argv[1]).resolve()))
found = {
    "by": f"NEURON {neuron.__version__}, hh with el_hh = -54.387",
    "times": TIMES, "places": PLACES, "junctions": JOINED, "held": HELD, "levels": LEVELS, "durations": DURATIONS, "trace": TRACE,
    "joined": {str(atol): joined(atol) for atol in (1e-7, 1e-9)},
    "clamped": {
        f"{kind}, {R} Mohm, {atol}": held(kind, R, atol)
        for kind in ("levels", "trace") for R, atol in ((RESISTANCES[0], 1e-9), (RESISTANCES[1], 1e-9), (RESISTANCES[1], 1e-7))
    },
}  # fmt: skip
Path(__file__).with_name("neuron_places.json").write_text(json.dumps(found) + "\n", encoding="utf-8")
