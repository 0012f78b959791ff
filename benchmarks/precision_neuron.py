"""NEURON's squid axon, error beside time: with an interpreter that has NEURON, prints JSON for `precision.py`.

The same axon as `precision.py`: 10 uA/cm^2 from 0 ms, from steady state at -65 mV, 6.3 degC, hh with the paper's leak and without
its table of rates.
"""

import json
import sys
import time

import neuron
from neuron import h

h.load_file("stdrun.hoc")
TIMES, REST, REPEATS = (20.0, 40.0, 60.0, 80.0, 100.0), -65.0, 9


def build():
    section = h.Section(name="axon")
    section.L = section.diam = 10.0
    section.cm = 1.0
    section.insert("hh")
    section.el_hh = -54.387
    section.ena, section.ek = 50.0, -77.0
    clamp = h.IClamp(section(0.5))
    clamp.delay, clamp.dur = 0.0, 1e9
    clamp.amp = 10.0 * section(0.5).area() * 1e-5
    return section, clamp


def run(section, *, atol=None, dt=None, second=0):
    """V at `TIMES` in mV, and the seconds that the run takes."""
    h.celsius, h.usetable_hh = 6.3, 0
    h.cvode.active(atol is not None)
    h.secondorder = second
    if atol is not None:
        h.cvode.rtol(0)
        h.cvode.atol(atol)
    else:
        h.dt, h.steps_per_ms = dt, 1 / dt
    h.finitialize(REST)
    found = []
    begin = time.process_time()
    for t in TIMES:
        if atol is not None:
            h.cvode.solve(t)
        else:
            for _ in range(round((t - h.t) / dt)):
                h.fadvance()
        found.append(section(0.5).v)
    return found, time.process_time() - begin


def steps(section, *, dt, second):
    """As `run`, timed without Python between the steps."""
    V, _ = run(section, dt=dt, second=second)
    h.tstop = TIMES[-1]
    h.finitialize(REST)
    begin = time.process_time()
    h.continuerun(TIMES[-1])
    return V, time.process_time() - begin


def main():
    section, _clamp = build()
    rows = []
    for atol in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9):
        runs = [run(section, atol=atol) for _ in range(REPEATS)]
        rows.append({"solver": "NEURON CVode", "at": atol, "V": runs[0][0], "seconds": min(s for _, s in runs)})
    for name, second in (("NEURON, backward Euler", 0), ("NEURON, Crank-Nicolson", 2)):
        for dt in (0.1, 0.05, 0.025, 0.0125, 0.00625):
            runs = [steps(section, dt=dt, second=second) for _ in range(REPEATS)]
            rows.append({"solver": name, "at": dt, "V": runs[0][0], "seconds": min(s for _, s in runs)})
    json.dump({"by": f"NEURON {neuron.__version__}", "rows": rows}, sys.stdout)


main()
