"""Rallpack 1 and 3 in NEURON: writes neuron_rallpack.npz and neuron_rallpack.json beside itself, with an interpreter that has NEURON.

    PYTHONPATH=tests python tests/reference/make_neuron_rallpack.py

Of Rallpack 3, NEURON's own hh: V at both ends every 0.1 ms (float32) and spike times, by CVODE at an absolute tolerance of 1e-9. How far
NEURON's fixed steps of many lengths are from that, by backward Euler and by second order, is written down, and for Rallpack 1 how far they
are from the closed form. Spikes of fixed steps are found on straight lines between the steps.
"""

import json
from pathlib import Path

import neuron
import numpy as np
from cable_cases import RALLPACK, THRESHOLD, upward
from morphology.cable_closed_forms import Cable
from neuron import h

h.load_file("stdrun.hoc")
HERE = Path(__file__).parent
DURATION, INTERVAL = RALLPACK["duration"], 0.1
SAMPLES = np.arange(round(DURATION / INTERVAL) + 1) * INTERVAL
STEPS = (0.001, 0.005, 0.0125, 0.025, 0.05, 0.1, 0.25, 0.5)
ENDS = (0.5 / RALLPACK["compartments"], 1 - 0.5 / RALLPACK["compartments"])
"""Where the first and the last compartment have their middles."""


def cable(squid):
    section = h.Section(name="cable")
    section.L, section.diam, section.nseg = RALLPACK["length"], RALLPACK["diameter"], RALLPACK["compartments"]
    section.Ra, section.cm = RALLPACK["Ra"], RALLPACK["C"]
    section.insert("pas")
    section.g_pas, section.e_pas = 1e-3 * RALLPACK["leak"], RALLPACK["rest"]
    if squid:
        h.celsius, h.usetable_hh = 6.3, 0
        section.insert("hh")
        section.gl_hh, section.ena, section.ek = 0.0, 50.0, -77.0
    return section


def run(squid, *, dt=None, order=0):
    """V at both ends at the times SAMPLES, or at each step, with these times; and spikes, where CVODE finds them."""
    section = cable(squid)
    clamp = h.IClamp(section(ENDS[0]))
    clamp.delay, clamp.dur, clamp.amp = 0.0, 1e9, RALLPACK["current"]
    h.cvode.active(dt is None)
    if dt:
        h.dt, h.steps_per_ms, h.secondorder = dt, 1 / dt, order
    else:
        h.cvode.rtol(0)
        h.cvode.atol(1e-9)
        h.cvode.condition_order(2)
    grid = [] if dt else [h.Vector(SAMPLES)]
    V = [h.Vector().record(section(x)._ref_v, *grid) for x in ENDS]
    times = [h.Vector() for _ in ENDS]
    detectors = [h.NetCon(section(x)._ref_v, None, sec=section) for x in ENDS]
    for detector, found in zip(detectors, times, strict=True):
        detector.threshold = THRESHOLD
        detector.record(found)
    h.finitialize(RALLPACK["rest"])
    h.continuerun(DURATION + 0.6)  # past the last sample
    traces = np.array([list(trace) for trace in V])
    t = np.arange(traces.shape[1]) * dt if dt else SAMPLES
    return t, traces, [upward(t, trace) for trace in traces] if dt else [np.array(found) for found in times]


def late(dt, order, expected):
    """Largest difference of spike times at both ends, ms; None where their number differs."""
    _, _, spikes = run(True, dt=dt, order=order)
    pairs = zip(spikes, expected, strict=True)
    return [float(f"{np.abs(a - b).max():.4g}") if len(a) == len(b) else None for a, b in pairs]


def off(dt, order):
    """Root mean square of the difference to the closed form over that of the closed form, at both ends."""
    t, V, _ = run(False, dt=dt, order=order)
    theory = Cable(RALLPACK["diameter"], RALLPACK["Ra"], RALLPACK["leak"], RALLPACK["C"])
    found = []
    for x, trace in zip((0.0, RALLPACK["length"]), V, strict=True):
        exact = theory.step_sealed(x, t[1:], RALLPACK["current"], RALLPACK["length"])
        error = trace[1:] - RALLPACK["rest"] - exact
        found.append(float(f"{np.sqrt(np.mean(error**2) / np.mean(exact**2)):.4g}"))
    return found


_, V, spikes = run(True)
told = {
    "by": f"NEURON {neuron.__version__}",
    "spikes": [[round(float(t), 7) for t in end] for end in spikes],
    "rallpack 1": {f"order {1 + order // 2}": {dt: off(dt, order) for dt in STEPS} for order in (0, 2)},
    "rallpack 3": {f"order {1 + order // 2}": {dt: late(dt, order, spikes) for dt in STEPS} for order in (0, 2)},
}
np.savez_compressed(HERE / "neuron_rallpack.npz", V=V.astype(np.float32))
(HERE / "neuron_rallpack.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
