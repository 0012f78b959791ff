"""The COBAHH network of Brette et al. 2007 (doi:10.1007/s10827-007-0038-6): channelome, hand-written jnp and the peers in the same
rounds; then what a step costs by neurons, by rate and by synapses, and what building and compiling cost by size.

Four fifths of the neurons are excitatory; 80 inputs each, no delay, dt 0.1 ms, float32.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from peers import Peers
from plain_jnp import DT
from timing import Run, interleave, ratio, timed

HERE = Path(__file__).resolve().parent
OURS = "channelome"
SIZES = {4_000: 5_000, 40_000: 500}
"""Neurons, and steps of one run."""
LEAKS = {"leak 0.05 mS/cm^2": 0.05, "leak 5 nS/cm^2, as braincell's tutorial writes it": 5e-6}


def network(n: int, inputs: float = 80, leak: float = 0.05) -> Any:
    """The benchmark's network, of so many synapses onto each neuron."""
    import channelome as ch

    first_inhibitory, p = n * 4 // 5, ch.fixed_probability(inputs / n)
    cell = ch.cell("PointNeuron_Brette2007", size=n, V=ch.normal("-65 mV", "5 mV", seed=1))
    return ch.Network(
        cells=cell.replace(**{"IL.g_max": (leak, "mS/cm^2")}),
        E=f"cells[:{first_inhibitory}]",
        I=f"cells[{first_inhibitory}:]",
        exc=ch.Projection(
            "E", "cells", ch.synapse("Expon", tau="5 ms", E="0 mV"), p,
            weight="6 nS", initial=ch.normal("40 nS", "15 nS", seed=2),
        ),
        inh=ch.Projection(
            "I", "cells", ch.synapse("Expon", tau="10 ms", E="-80 mV"), p,
            weight="67 nS", initial=ch.normal("200 nS", "120 nS", seed=3),
        ),
    )  # fmt: skip


def whole_call(net: Any, steps: int, **options: Any) -> Callable[[], Any]:
    """`simulate`, spikes recorded."""
    import channelome as ch

    n = net.populations["cells"].size[0]

    def run() -> Any:
        activity = ch.simulate(net, (steps * DT, "ms"), dt=(DT, "ms"), progress=False, **options)
        run.rate = len(activity.spikes["cells"]) / n / (steps * DT * 1e-3)
        return None

    return run


def contenders(n: int, steps: int, leak: float, peers: Peers) -> tuple[dict[str, Run], dict[str, Callable[[], Any]]]:
    """What is run, by name, and those of ours, which know their rate."""
    import network_peers
    import plain_network

    net = network(n, leak=leak)
    mine = {OURS: whole_call(net, steps), f"{OURS} exp_euler": whole_call(net, steps, solver="exp_euler")}
    tables = [plain_network.table(net.projections[label].wiring) for label in ("exc", "inh")]
    initial = [network_peers.start(kind, n) for kind in "EI"]
    runs = {name: timed(run) for name, run in mine.items()}
    if leak == LEAKS["leak 0.05 mS/cm^2"]:
        runs["jnp, same scheme, `nonzero`"] = timed(plain_network.prepare(n, steps, tables, initial))
        runs["jnp, same scheme, nothing delivered"] = timed(plain_network.prepare(n, steps, [], initial))
    return runs | peers.prepare(n, steps, leak), mine


def measure(peers: Peers, *, rounds: int, quick: bool) -> list[dict[str, Any]]:
    """A row for each leak, size and contender: steps per second, spikes per neuron and second, and ours to it."""
    rows: list[dict[str, Any]] = []
    for label, leak in LEAKS.items():
        for n, full in SIZES.items():
            if leak != 0.05 and n != min(SIZES):
                continue
            steps = full // 2 if quick else full
            runs, mine = contenders(n, steps, leak, peers)
            seconds = interleave(runs, rounds)
            for name, of in seconds.items():
                rate = mine[name].rate if name in mine else peers.last.get(name, {}).get("rate")
                rows.append(
                    {
                        "what": label, "n": n, "name": name, "steps_per_s": steps / statistics.median(of),
                        "rate": rate, "ours_faster": ratio(of, seconds[OURS]),
                    }
                )  # fmt: skip
    return rows


# ---- what it costs -------------------------------------------------------------------------------------------------


def by_size(rounds: int) -> list[dict[str, Any]]:
    """Steps per second of the network of 80 inputs, from 1,000 to 100,000 neurons."""
    rows = []
    for n, steps in {1_000: 10_000, 4_000: 5_000, 10_000: 2_000, 40_000: 500, 100_000: 200}.items():
        run = whole_call(network(n), steps)
        seconds = statistics.median(interleave({OURS: timed(run)}, rounds)[OURS])
        rows.append({"n": n, "steps_per_s": steps / seconds, "ns": seconds / steps / n * 1e9, "rate": run.rate})
    return rows


def by_rate(rounds: int) -> list[dict[str, Any]]:
    """Steps per second of 4,000 silent neurons that 4,000 Poisson sources reach by 80 synapses each, by the sources' rate."""
    import channelome as ch

    rows = []
    for rate in (0, 1, 10, 100):
        net = ch.Network(
            noise=ch.Poisson(4_000, rate=(rate, "Hz")), cells=ch.cell("PointNeuron_Brette2007", size=4_000),
            exc=ch.Projection("noise", "cells", ch.synapse("Expon", tau="5 ms", E="0 mV"), ch.fixed_probability(0.02), weight="1 pS"),
        )  # fmt: skip
        seconds = statistics.median(interleave({OURS: timed(whole_call(net, 5_000))}, rounds)[OURS])
        rows.append({"rate": rate, "steps_per_s": 5_000 / seconds})
    return rows


COSTS = (("COBAHH, 80 inputs", 1_000, 80), ("COBAHH, 80 inputs", 4_000, 80), ("COBAHH, 80 inputs", 100_000, 80), ("1,000 inputs", 100_000, 1_000), ("100 inputs", 1_000_000, 100))  # fmt: skip


def costs() -> list[dict[str, Any]]:
    """Building, compiling and memory by size, each in a process of its own."""
    rows = []
    for name, n, inputs in COSTS:
        command = [sys.executable, str(Path(__file__).resolve()), str(n), str(inputs)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        rows.append({"name": name, **json.loads(done.stdout)})
    return rows


def _memory(key: str = "VmHWM") -> int:
    """The most that this process has held, or with VmRSS what it holds; in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(key))


def _cost(n: int, inputs: int) -> dict[str, Any]:
    import channelome as ch

    ch.simulate(network(100), "1 ms", dt="0.1 ms", progress=False)  # imports, and what is compiled once for all
    before, begin = _memory("VmRSS"), time.perf_counter()
    net = network(n, inputs) if inputs <= 80 else _sparse_activity(n, inputs)
    built, held = time.perf_counter(), _memory("VmRSS")
    steps = 200
    run = whole_call(net, steps)
    run()
    first = time.perf_counter()
    run()
    second = time.perf_counter()
    synapses = sum(path.wiring.edges.n for path in net.projections.values())
    laid = [path.wiring.kept["rows"][1] for path in net.projections.values() if "rows" in path.wiring.kept]
    rows = sum(x.targets.nbytes for x in laid)
    return {
        "n": n, "synapses": synapses, "build": built - begin, "first_call": first - built, "second_call": second - first,
        "compile": (first - built) - (second - first), "bytes_built": (held - before) / synapses, "bytes_rows": rows / synapses,
        "peak": _memory(), "steps_per_s": steps / (second - first),
    }  # fmt: skip


def _sparse_activity(n: int, inputs: int) -> Any:
    """As `network`, with weights so much smaller that activity stays low at many inputs."""
    net = network(n, inputs)
    scale = 80 / inputs
    return net.replace(**{"exc.weight": (6 * scale, "nS"), "inh.weight": (67 * scale, "nS")})


if __name__ == "__main__":
    print(json.dumps(_cost(int(sys.argv[1]), int(sys.argv[2]))))
