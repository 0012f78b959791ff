"""What networks with delays are made of, and Brian2's: `python delay_peers.py NAME` is a process of its own for `delays.py`.

How much a step costs goes by how many spikes there are, so activity must not depend on delays: neurons fire by constant currents of their
own, and synapses are so weak that they move nothing.
"""

import functools
import sys
import tempfile
from collections.abc import Callable

import network_peers
import numpy as np
from peers import DT, serve

RATES = {1: (-0.06, -0.0237), 10: (-0.031, 0.011)}
"""Between which two numbers, in nA, currents are drawn for a mean rate in Hz."""
DELAYS = {"none": 0.0, "one": 1.5, "own": (0.5, 5.0), "own, and weights": (0.5, 5.0)}
"""In ms: of all synapses, or drawn evenly for each; in the last case a weight is drawn for each, too."""
NAMES = {f"Brian2, {case}": case for case in ("none", "own", "own, and weights")}
"""Contenders, and which case each runs."""
WEIGHT = 1e-3
"""In nS, of all synapses or on the mean."""
WARM = 3_000
"""Steps before those that are measured, after which neurons no longer fire together."""
AREA = 20_000


def currents(n: int, rate: int) -> np.ndarray:
    """One for each neuron, in nA."""
    return np.random.default_rng(rate).uniform(*RATES[rate], n)


def voltages(n: int) -> np.ndarray:
    """At the start, in mV."""
    return np.random.default_rng(7).uniform(-75, -50, n)


def brian2(delays: str, n: int, steps: int, rate: int, inputs: int) -> Callable[[], dict[str, float]]:
    """C++ standalone with flags that vectorise, float64; the seconds of its second `run`, which it reports itself."""
    import brian2 as b

    flags = b.prefs.codegen.cpp.extra_compile_args_gcc
    b.prefs.codegen.cpp.extra_compile_args_gcc = list(dict.fromkeys([*flags, *network_peers.VECTORS]))
    b.prefs.devices.cpp_standalone.extra_make_args_unix = [
        "-j2"
    ]  # its "-j" starts a compiler for each projection at once
    b.set_device("cpp_standalone", build_on_run=False)
    b.device.reinit()
    b.device.activate(build_on_run=False)
    b.defaultclock.dt = DT * b.ms
    S = b.msiemens / b.cm**2
    equations = network_peers.EQUATIONS.replace("gi*(-80*mV - v)", "I").replace("dgi/dt = -gi/(10*ms) : siemens/metre**2", "I : amp/metre**2")  # fmt: skip
    names = {"S": S, "C": b.ufarad / b.cm**2, "g_L": 0.05 * S}
    cells = b.NeuronGroup(n, equations, threshold="v > -20*mV", refractory=3*b.ms, method="exponential_euler", namespace=names)  # fmt: skip
    cells.v = voltages(n) * b.mV
    cells.I = currents(n, rate) * b.nA / (AREA * b.um**2)
    for gate in "mhn":
        setattr(cells, gate, f"a_{gate}/(a_{gate} + b_{gate})")
    weight = WEIGHT * 100 / AREA
    own = "weights" in delays
    synapses = b.Synapses(cells, cells, "w : siemens/metre**2" if own else "", on_pre="ge += w", namespace={} if own else {"w": weight * S})  # fmt: skip
    synapses.connect(p=inputs / n)
    if own:
        synapses.w = f"{2 * weight} * rand() * msiemens/cm**2"
    given = DELAYS[delays]
    if isinstance(given, tuple):
        synapses.delay = f"({given[0]} + {given[1] - given[0]}*rand())*ms"
    elif given:
        synapses.delay = given * b.ms
    monitor = b.SpikeMonitor(cells, record=False)
    net = b.Network(cells, synapses, monitor)
    monitor.active = False
    net.run(WARM * DT * b.ms)
    monitor.active = True
    net.run(steps * DT * b.ms)
    folder = tempfile.mkdtemp()
    b.device.build(directory=folder, compile=True, run=False, with_output=False)

    def run() -> dict[str, float]:
        b.device.run(folder, with_output=False)
        return {"seconds": float(b.device._last_run_time), "rate": monitor.num_spikes / n / (steps * DT * 1e-3)}

    return run


if __name__ == "__main__":
    serve("brian2", functools.partial(brian2, NAMES[sys.argv[1]]))
