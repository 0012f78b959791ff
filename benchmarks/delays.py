"""What delays cost: the same neurons at the same rate without delay, with one for all synapses, and with one for each, beside Brian2.

``python delays.py SYNAPSES`` builds a network of so many synapses, with weights and delays of their own, in a process of its own.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import delay_peers
import numpy as np
from delay_peers import DELAYS, RATES, WARM, WEIGHT
from peers import DT, Peers
from timing import interleave, ratio, timed

HERE = Path(__file__).resolve().parent
SIZES = {1_000: (80, 10_000), 4_000: (80, 5_000), 100_000: (100, 500)}
"""By neurons the inputs of each, and the steps of one run."""
BUILT = (10_000_000, 100_000_000)


def network(n: int, inputs: int, delays: str) -> Any:
    """Neurons that synapses move by nothing that shows."""
    import channelome as ch

    given = DELAYS[delays]
    delay = ch.uniform(*((x, "ms") for x in given)) if isinstance(given, tuple) else (given, "ms")
    weight = ch.uniform("0 nS", (2 * WEIGHT, "nS")) if "weights" in delays else (WEIGHT, "nS")
    return ch.Network(
        cells=ch.cell("PointNeuron_Brette2007", size=n, V=(delay_peers.voltages(n), "mV")),
        exc=ch.Projection(
            "cells", "cells", ch.synapse("Expon", tau="5 ms", E="0 mV"), ch.fixed_probability(inputs / n), weight=weight, delay=delay
        ),
    )  # fmt: skip


def prepared(n: int, steps: int, rate: int, inputs: int, delays: str) -> Any:
    """A run from a state in which neurons no longer fire together."""
    import channelome as ch

    net = network(n, inputs, delays)
    stimulus = {"cells": (delay_peers.currents(n, rate), "nA")}
    warm = ch.simulate(net, (WARM * DT, "ms"), dt=(DT, "ms"), stimulus=stimulus, progress=False).final

    def run() -> None:
        activity = ch.simulate(net, (steps * DT, "ms"), dt=(DT, "ms"), stimulus=stimulus, state=warm, progress=False)
        run.rate = len(activity.spikes["cells"]) / n / (steps * DT * 1e-3)

    return run


def measure(peers: Peers, *, rounds: int, sizes: Any = None, rates: Any = None) -> list[dict[str, Any]]:
    """A row for each size, rate and case: microseconds a step, and how much more than ours without delay."""
    rows: list[dict[str, Any]] = []
    for n, (inputs, steps) in (sizes or SIZES).items():
        for rate in rates or RATES:
            ours = {case: prepared(n, steps, rate, inputs, case) for case in DELAYS}
            runs = {case: timed(run) for case, run in ours.items()} | peers.prepare(n, steps, rate, inputs)
            seconds = interleave(runs, rounds)
            for case, of in seconds.items():
                rows.append(
                    {
                        "n": n, "asked": rate, "case": case, "us": statistics.median(of) / steps * 1e6,
                        "to_none": ratio(of, seconds["none"]),
                        "rate": ours[case].rate if case in ours else peers.last[case]["rate"],
                    }
                )  # fmt: skip
    return rows


def beside(python: str | None, *, rounds: int, quick: bool) -> dict[str, Any]:
    """What delays cost beside Brian2, where `python` has it, and what building costs."""
    peers = Peers(python, HERE / "delay_peers.py", delay_peers.NAMES)
    sizes = {n: (inputs, steps // 5 if quick else steps) for n, (inputs, steps) in SIZES.items()}
    rows = measure(peers, rounds=rounds, sizes=sizes)
    peers.close()
    return {
        "rows": rows,
        "versions": sorted(set(peers.versions.values())),
        "built": builds(BUILT[:1] if quick else BUILT),
    }


# ---- building ------------------------------------------------------------------------------------------------------


def builds(numbers: tuple[int, ...] = BUILT) -> list[dict[str, Any]]:
    """Seconds and bytes to build networks of so many synapses, each in a process of its own."""
    rows = []
    for synapses in numbers:
        command = [sys.executable, str(Path(__file__).resolve()), str(synapses)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        rows.append(json.loads(done.stdout))
    return rows


def _memory(key: str) -> int:
    """What this process holds (VmRSS), or has held at most (VmHWM), in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(key))


def _built(synapses: int) -> dict[str, Any]:
    """100,000 neurons with weights and delays of their own: built, then run twice, from spikes that come by a stimulus."""
    import channelome as ch

    case, n = "own, and weights", 100_000
    stimulus = {"cells": (delay_peers.currents(n, 10), "nA")}

    def call(net: Any) -> float:
        begin = time.perf_counter()
        ch.simulate(net, (10 * DT, "ms"), dt=(DT, "ms"), stimulus=stimulus, progress=False)
        return time.perf_counter() - begin

    small = network(n, 1, case)
    call(small)  # imports, and what is compiled once for all
    before, begin = _memory("VmRSS"), time.perf_counter()
    net = network(n, synapses // n, case)
    built, held_after, peak_built = time.perf_counter() - begin, _memory("VmRSS"), _memory("VmHWM") - before
    first, second = call(net), call(net)
    path = net.projections["exc"]
    made, laid = path.wiring.edges.n, path.wiring.kept
    rows = (laid["rows"][1].targets, laid["weights"][1][0])
    given = (path.wiring.edges.targets, path.wiring.edges.counts, path.weight, path.wiring.delay)
    own = [x for x in given if isinstance(x, np.ndarray)]
    held = {_address(x): x.nbytes for x in own} | {_address(x): x.nbytes for x in rows}
    return {
        "synapses": made, "build": built, "first": first, "second": second, "bytes_built": (held_after - before) / made,
        "bytes_laid": sum(x.nbytes for x in rows) / made, "bytes_held": sum(held.values()) / made,
        "bytes": (_memory("VmRSS") - before) / made, "peak_built": peak_built / made, "peak": _memory("VmHWM"),
    }  # fmt: skip


def _address(x: Any) -> int:
    """Where an array begins: what shares its memory with another counts once."""
    return x.ctypes.data if isinstance(x, np.ndarray) else x.unsafe_buffer_pointer()


if __name__ == "__main__":
    print(json.dumps(_built(int(sys.argv[1]))))
