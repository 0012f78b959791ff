"""The COBAHH benchmark by Brian2: writes brian2_cobahh.json beside itself, with an interpreter that has Brian2.

    python tests/reference/make_brian2_cobahh.py

Brette et al. 2007, doi:10.1007/s10827-007-0038-6, as Brian2's own example ``frompapers/Brette_et_al_2007/COBAHH`` writes it, but
for three things: gates start at their steady state, not at 0; a spike is one upward crossing of the threshold, not the end of
3 ms of refractoriness; and no neuron projects to itself. Rates in Hz and CVs of the first second, over several seeds.
"""

import json
from pathlib import Path

import brian2
import numpy as np
from brian2 import cm, ms, msiemens, mV, nS, second, siemens, ufarad, um

CONSTANTS = {
    "area": 20000 * um**2, "C": 1 * ufarad / cm**2 * 20000 * um**2, "gl": 5e-5 * siemens / cm**2 * 20000 * um**2,
    "g_na": 100 * msiemens / cm**2 * 20000 * um**2, "g_kd": 30 * msiemens / cm**2 * 20000 * um**2,
    "El": -60 * mV, "EK": -90 * mV, "ENa": 50 * mV, "VT": -63 * mV, "Ee": 0 * mV, "Ei": -80 * mV,
    "taue": 5 * ms, "taui": 10 * ms, "we": 6 * nS, "wi": 67 * nS,
}  # fmt: skip
EQUATIONS = """
dv/dt = (gl*(El-v) + ge*(Ee-v) + gi*(Ei-v) - g_na*(m*m*m)*h*(v-ENa) - g_kd*(n*n*n*n)*(v-EK))/C : volt
dm/dt = alpha_m*(1-m)-beta_m*m : 1
dn/dt = alpha_n*(1-n)-beta_n*n : 1
dh/dt = alpha_h*(1-h)-beta_h*h : 1
dge/dt = -ge/taue : siemens
dgi/dt = -gi/taui : siemens
alpha_m = 0.32*(mV**-1)*4*mV/exprel((13*mV-v+VT)/(4*mV))/ms : Hz
beta_m = 0.28*(mV**-1)*5*mV/exprel((v-VT-40*mV)/(5*mV))/ms : Hz
alpha_h = 0.128*exp((17*mV-v+VT)/(18*mV))/ms : Hz
beta_h = 4./(1+exp((40*mV-v+VT)/(5*mV)))/ms : Hz
alpha_n = 0.032*(mV**-1)*5*mV/exprel((15*mV-v+VT)/(5*mV))/ms : Hz
beta_n = 0.5*exp((10*mV-v+VT)/(40*mV))/ms : Hz
"""


def run(seed, dt, method="exponential_euler", duration=1.0):
    """Rates of E and I neurons in Hz, and the mean CV of intervals of neurons with at least three spikes."""
    brian2.start_scope()
    brian2.seed(seed)
    brian2.defaultclock.dt = dt * ms
    cells = brian2.NeuronGroup(
        4000, EQUATIONS, threshold="v>-20*mV", refractory="v>-20*mV", method=method, namespace=CONSTANTS
    )
    cells.v = "El + (randn()*5 - 5)*mV"
    cells.ge = "(randn()*1.5 + 4)*10*nS"
    cells.gi = "(randn()*12 + 20)*10*nS"
    for gate in "mnh":
        setattr(cells, gate, f"alpha_{gate}/(alpha_{gate}+beta_{gate})")
    exc = brian2.Synapses(cells[:3200], cells, on_pre="ge += we", namespace=CONSTANTS)
    inh = brian2.Synapses(cells[3200:], cells, on_pre="gi += wi", namespace=CONSTANTS)
    exc.connect("i != j", p=0.02)
    inh.connect("i + 3200 != j", p=0.02)
    spikes = brian2.SpikeMonitor(cells)
    net = brian2.Network(cells, exc, inh, spikes)
    net.run(duration * second)
    counts = np.asarray(spikes.count)
    cv = []
    for times in spikes.spike_trains().values():
        intervals = np.diff(np.asarray(times))
        if intervals.size >= 2:
            cv.append(intervals.std() / intervals.mean())
    found = {"E": counts[:3200].mean() / duration, "I": counts[3200:].mean() / duration, "cv": np.mean(cv)}
    print(method, dt, seed, found, flush=True)
    return {name: round(float(value), 5) for name, value in found.items()}


if __name__ == "__main__":
    seeds = {"exponential_euler 0.1": [run(seed, 0.1) for seed in range(8)]}
    seeds["exponential_euler 0.02"] = [run(seed, 0.02) for seed in range(3)]
    seeds["rk2 0.02"] = [run(seed, 0.02, "rk2") for seed in range(3)]
    summary = {
        name: {
            key: {"mean": float(np.mean([r[key] for r in runs])), "sd": float(np.std([r[key] for r in runs], ddof=1))}
            for key in ("E", "I", "cv")
        }
        for name, runs in seeds.items()
    }
    out = {"by": f"Brian2 {brian2.__version__}, 1 s, 4,000 neurons", "summary": summary, "runs": seeds}
    Path(__file__).with_name("brian2_cobahh.json").write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")
