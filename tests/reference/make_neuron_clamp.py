"""The squid axon under NEURON's SEClamp: writes neuron_clamp.json beside itself, with an interpreter that has NEURON.

    python tests/reference/make_neuron_clamp.py

20,000 um^2 of NEURON's own hh at 6.3 degC, from steady state at what is held first. Levels -70, 10, -40 mV, and an action
potential that NEURON itself has made, sampled every 0.1 ms and played back. CVODE chooses its steps; V and the clamp's current
are taken at times that are no edges. The fixed steps are NEURON's default method, backward Euler.
"""

import json
from pathlib import Path

import neuron
from neuron import h

h.load_file("stdrun.hoc")
HELD, LEVELS, DURATIONS = -70.0, (-70.0, 10.0, -40.0), (2.0, 10.0, 8.0)
TIMES = [0.125 + 0.25 * k for k in range(80)]
INTERVAL, DURATION = 0.1, 20.0


def patch():
    h.celsius, h.usetable_hh = 6.3, 0
    section = h.Section(name="axon")
    section.L = section.diam = (20000 / 3.141592653589793) ** 0.5
    section.cm = 1.0
    section.insert("hh")
    section.el_hh = -54.387  # as in the paper; hh itself has -54.3
    section.ena, section.ek = 50.0, -77.0
    return section


def go(held, *, atol=None, dt=None):
    h.cvode.active(atol is not None)
    if atol is not None:
        h.cvode.rtol(0)
        h.cvode.atol(atol)
    else:
        h.dt = dt
        h.steps_per_ms = 1 / dt
    h.finitialize(held)
    h.continuerun(DURATION)


def action_potential():
    """V every 0.1 ms after a pulse of current, from rest."""
    section = patch()
    pulse = h.IClamp(section(0.5))
    pulse.delay, pulse.dur, pulse.amp = 1.0, 1.0, 4.0
    times = h.Vector([INTERVAL * k for k in range(round(DURATION / INTERVAL) + 1)])
    V = h.Vector().record(section(0.5)._ref_v, times)
    go(-65.0, atol=1e-9)
    return [round(x, 6) for x in V]


def clamped(resistance, trace=None, *, atol=None, dt=None):
    """V in mV and the clamp's current in nA at TIMES."""
    section = patch()
    clamp = h.SEClamp(section(0.5))
    clamp.rs = resistance
    if trace is None:
        clamp.dur1, clamp.dur2, clamp.dur3 = DURATIONS
        clamp.amp1, clamp.amp2, clamp.amp3 = LEVELS
    else:
        clamp.dur1 = 1e9
        played, at = h.Vector(trace), h.Vector([INTERVAL * k for k in range(len(trace))])
        played.play(clamp._ref_amp1, at, True)
    times = h.Vector(TIMES)
    V = h.Vector().record(section(0.5)._ref_v, times)
    current = h.Vector().record(clamp._ref_i, times)
    go(HELD if trace is None else trace[0], atol=atol, dt=dt)
    return {"V": [round(x, 9) for x in V], "i": [round(x, 9) for x in current]}


spike = action_potential()
found = {
    "by": f"NEURON {neuron.__version__}, hh with el_hh = -54.387, SEClamp",
    "levels": LEVELS, "durations": DURATIONS, "times": TIMES, "spike": spike, "interval": INTERVAL,
    "cvode": {
        f"levels, {r} Mohm": {str(atol): clamped(r, atol=atol) for atol in (1e-6, 1e-9)} for r in (5.0, 0.5, 0.02)
    } | {f"spike, {r} Mohm": {str(atol): clamped(r, spike, atol=atol) for atol in (1e-6, 1e-9)} for r in (5.0, 0.02)},
    "fixed": {f"levels, {r} Mohm": {"0.025": clamped(r, dt=0.025)} for r in (5.0, 0.5, 0.02)},
}  # fmt: skip
Path(__file__).with_name("neuron_clamp.json").write_text(json.dumps(found) + "\n", encoding="utf-8")
