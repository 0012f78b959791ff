"""What labels cost: the same neurons and synapses in one population or in many, and a cortical microcircuit beside Brian2.

``python populations.py CASE`` measures one case in a process of its own and prints it as JSON; run.py calls them in turn.
"""

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import timing

HERE = Path(__file__).resolve().parent
CASES = {
    "1 population, 1 projection, 100 neurons": (1, 1, 100),
    "10 populations, 20 projections, 1,000 neurons": (10, 20, 100),
    "10 populations, 100 projections, 1,000 neurons": (10, 100, 100),
    "50 populations, 100 projections, 5,000 neurons": (50, 100, 100),
    "1 population, 1 projection, 5,000 neurons, as many synapses": (1, 0, 5000),
    "200 populations, 2,000 projections, 20,000 neurons": (200, 2000, 100),
}
SCALE = 0.1
STEPS = 1000


def network(populations: int, projections: int, size: int) -> tuple[Any, dict[str, Any]]:
    """Populations of `size`, projections between random pairs of them, and a stimulus for each population.

    Without projections one that holds as many synapses as a hundred between populations of a hundred.
    """
    import channelome as ch

    rng = np.random.default_rng(0)
    cell = ch.cell("PointNeuron_Brette2007", size=size, V=ch.uniform("-75 mV", "-55 mV", seed=1))
    parts: dict[str, Any] = {f"p{i}": cell for i in range(populations)}
    ends = rng.integers(0, populations, (projections or 1, 2))
    rule = ch.fixed_probability(0.1 if projections else 100_000 / size**2)
    for j, (pre, post) in enumerate(ends):
        parts[f"j{j}"] = ch.Projection(f"p{pre}", f"p{post}", "Expon", rule, weight="2 nS", delay="1 ms")
    return ch.Network(**parts), {f"p{i}": ch.step("0.25 nA") for i in range(populations)}


def circuit() -> tuple[Any, dict[str, Any]]:
    sys.path.insert(0, str(HERE.parent / "docs/examples"))
    from microcircuit import microcircuit, stimulus

    return microcircuit(SCALE), stimulus()


def measured(make: Callable[[], tuple[Any, dict[str, Any]]], rounds: int = 5) -> dict[str, float]:
    """Seconds to build and of the first call, microseconds a step of later ones, seconds of another duration, memory."""
    import channelome as ch

    def call(duration: str) -> Any:
        return ch.simulate(net, duration, dt="0.1 ms", stimulus=stimulus, progress=False)

    begin = time.perf_counter()
    net, stimulus = make()
    built = time.perf_counter()
    call("100 ms")
    first = time.perf_counter()
    call("37 ms")  # may be the first with small records
    call("13 ms")
    seconds, run = [], None
    for _ in range(rounds):
        before = time.perf_counter()
        run = call("100 ms")
        seconds.append(time.perf_counter() - before)
    before = time.perf_counter()
    call("57 ms")
    other = time.perf_counter() - before
    spikes = sum(len(trains) for trains in run.spikes.values())
    return {
        "neurons": net.size, "synapses": sum(path.wiring.edges.n for path in net.projections.values()),
        "build": built - begin, "first": first - built, "us per step": statistics.median(seconds) / STEPS * 1e6,
        "another duration": other, "rate": spikes / net.size / 0.1,
        "GiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }  # fmt: skip


def brian2() -> dict[str, float]:
    """The microcircuit in Brian2's C++ standalone mode with flags that let its loop vectorise; float64, exponential Euler."""
    import tempfile

    import brian2 as b

    sys.path.insert(0, str(HERE.parent / "docs/examples"))
    flags = ["-O3", "-ffast-math", "-march=native", "--param=vect-max-version-for-alias-checks=200"]
    b.prefs.codegen.cpp.extra_compile_args_gcc = [*b.prefs.codegen.cpp.extra_compile_args_gcc, *flags]
    b.prefs.devices.cpp_standalone.extra_make_args_unix = [
        "-j2"
    ]  # its "-j" starts a compiler for each projection at once
    b.set_device("cpp_standalone", build_on_run=False)
    b.defaultclock.dt = 0.1 * b.ms
    table = json.loads(sys.argv[2])
    sizes = [round(n * SCALE) for n in table["neurons"].values()]
    firsts = np.concatenate([[0], np.cumsum(sizes)])
    equations = """
    dv/dt = (g_L*(-60*mV - v) + (ge*(-v) + gi*(-80*mV - v) + I)/A + 100*S*m**3*h*(50*mV - v) + 30*S*n**4*(-90*mV - v))/C : volt
    dm/dt = a_m*(1 - m) - b_m*m : 1
    dh/dt = a_h*(1 - h) - b_h*h : 1
    dn/dt = a_n*(1 - n) - b_n*n : 1
    dge/dt = -ge/(2*ms) : siemens
    dgi/dt = -gi/(8*ms) : siemens
    I : amp
    x = v/mV + 63 : 1
    a_m = 0.32*(13 - x)/(exp((13 - x)/4) - 1)/ms : Hz
    b_m = 0.28*(x - 40)/(exp((x - 40)/5) - 1)/ms : Hz
    a_h = 0.128*exp((17 - x)/18)/ms : Hz
    b_h = 4/(1 + exp((40 - x)/5))/ms : Hz
    a_n = 0.032*(15 - x)/(exp((15 - x)/5) - 1)/ms : Hz
    b_n = 0.5*exp((10 - x)/40)/ms : Hz
    """
    S = b.msiemens / b.cm**2
    names = {"S": S, "C": b.ufarad / b.cm**2, "g_L": 0.05 * S, "A": 20000 * b.um**2}
    begin = time.perf_counter()
    cells = b.NeuronGroup(sum(sizes), equations, threshold="v > -20*mV", refractory="v > -20*mV", method="exponential_euler", namespace=names)  # fmt: skip
    cells.v = "(5*randn() - 65)*mV"
    for gate in "mhn":
        setattr(cells, gate, f"a_{gate}/(a_{gate} + b_{gate})")
    currents = np.repeat([table["current"] * k for k in table["outside"].values()], sizes)
    cells.I = currents * b.nA
    keep: list[Any] = [cells]
    labels = list(table["neurons"])
    for t, target in enumerate(labels):
        for s, source in enumerate(labels):
            p = table["probability"][target][s]
            if not p:
                continue
            kind = source[-1]
            weight = table["weights"][kind] * (2 if (source, target) == ("L4E", "L23E") else 1)
            synapses = b.Synapses(
                cells[firsts[s] : firsts[s + 1]], cells[firsts[t] : firsts[t + 1]],
                on_pre=f"g{kind.lower()} += w", namespace={"w": weight * b.nS}, delay=(1.5 if kind == "E" else 0.8) * b.ms,
            )  # fmt: skip
            synapses.connect(p=p)
            keep.append(synapses)
    monitor = b.SpikeMonitor(cells, record=False)
    net = b.Network(*keep, monitor)
    net.run(STEPS * 0.1 * b.ms)
    folder = tempfile.mkdtemp()
    b.device.build(directory=folder, compile=True, run=False, with_output=False)
    ready = time.perf_counter()
    seconds = []
    for _ in range(3):
        b.device.run(folder, with_output=False)
        seconds.append(float(b.device._last_run_time))
    return {
        "neurons": sum(sizes), "build": ready - begin, "us per step": statistics.median(seconds) / STEPS * 1e6,
        "rate": monitor.num_spikes / sum(sizes) / 0.1,
    }  # fmt: skip


def measure(peer_python: str | None) -> dict[str, dict[str, float]]:
    """All cases, each in a process of its own; Brian2's where an interpreter has it."""
    rows = {name: _in_process(sys.executable, name) for name in CASES}
    rows["microcircuit"] = _in_process(sys.executable, "microcircuit")
    if peer_python:
        sys.path.insert(0, str(HERE.parent / "docs/examples"))
        import microcircuit as m

        table = {
            "neurons": m.NEURONS, "probability": m.PROBABILITY, "outside": m.FROM_OUTSIDE, "weights": m.WEIGHTS, "current": m.CURRENT,
        }  # fmt: skip
        try:
            rows["microcircuit in Brian2"] = _in_process(peer_python, "brian2", json.dumps(table))
        except subprocess.CalledProcessError as error:
            print(f"Brian2 did not run the microcircuit: {error}", file=sys.stderr)
    return rows


def _in_process(python: str, *arguments: str) -> dict[str, float]:
    done = subprocess.run(
        [python, str(HERE / "populations.py"), *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def main(case: str) -> None:
    """The case of a process."""
    if case == "brian2":
        found = brian2()
    else:
        found = measured(circuit if case == "microcircuit" else lambda: network(*CASES[case]))
    print(json.dumps(found))


if __name__ == "__main__":
    timing.pin()  # before JAX counts the cores: run.py's processes are pinned by it
    main(sys.argv[1])
