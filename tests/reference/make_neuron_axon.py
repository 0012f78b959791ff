"""Spike times of the squid axon by NEURON's own hh: writes neuron_axon.json beside itself, with an interpreter that has NEURON.

    python tests/reference/make_neuron_axon.py

10 uA/cm^2 from 0 ms, from steady state at -65 mV, 6.3 degC. CVODE chooses its steps; a spike is where V passes 0 mV upwards,
which NEURON finds within them (``condition_order(2)``). The fixed steps are NEURON's default method, backward Euler.
"""

import json
from pathlib import Path

import neuron
from neuron import h

h.load_file("stdrun.hoc")
DURATION, DENSITY, REST = 100.0, 10.0, -65.0


def patch():
    section = h.Section(name="axon")
    section.L = section.diam = 10.0
    section.cm = 1.0
    section.insert("hh")
    section.el_hh = -54.387  # as in the paper; hh itself has -54.3
    section.ena, section.ek = 50.0, -77.0
    return section


def spikes(*, atol=None, dt=None):
    """Times in ms, with CVODE at the tolerance `atol` or with steps of `dt` ms."""
    h.celsius, h.usetable_hh = 6.3, 0
    section = patch()
    clamp = h.IClamp(section(0.5))
    clamp.delay, clamp.dur = 0.0, 1e9
    clamp.amp = DENSITY * section(0.5).area() * 1e-5  # uA/cm^2 over um^2, in nA
    detector = h.NetCon(section(0.5)._ref_v, None, sec=section)
    detector.threshold = 0.0
    times = h.Vector()
    detector.record(times)
    h.cvode.active(atol is not None)
    if atol is not None:
        h.cvode.condition_order(2)
        h.cvode.rtol(0)
        h.cvode.atol(atol)
    else:
        h.dt = dt
        h.steps_per_ms = 1 / dt
    h.finitialize(REST)
    h.continuerun(DURATION)
    return list(times)


found = {
    "by": f"NEURON {neuron.__version__}, hh with el_hh = -54.387",
    "cvode": {str(atol): spikes(atol=atol) for atol in (1e-6, 1e-9)},
    "fixed": {str(dt): spikes(dt=dt) for dt in (0.025, 0.005)},
}
Path(__file__).with_name("neuron_axon.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
