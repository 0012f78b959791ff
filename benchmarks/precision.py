"""Work against precision: the error of V of one squid axon beside the time per simulated ms, for every solver, in float64.

    python benchmarks/precision.py [PYTHON_WITH_NEURON]    measures, writes docs/precision.json and draws docs/precision.svg
    python benchmarks/precision.py --draw                   draws what was measured

One neuron, 100 ms at 10 uA/cm^2, seven spikes. The error is the root mean square over 20, 40, 60, 80 and 100 ms of V against
SciPy's DOP853 (rtol 1e-12), so that no interpolation enters. The time is what the compiled loop alone takes of one core, the least of several runs.
"""

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import timing

timing.pin()

import jax  # noqa: E402

jax.config.update("jax_enable_x64", True)

import accuracy  # noqa: E402
import channelome_cell  # noqa: E402
import numpy as np  # noqa: E402
from scipy.integrate import solve_ivp  # noqa: E402

import channelome as ch  # noqa: E402

DOCS = Path(__file__).parents[1] / "docs"
TIMES, DURATION, REPEATS = (20.0, 40.0, 60.0, 80.0, 100.0), 100.0, 9
FIXED = ("staggered", "staggered4", "exp_euler", "rk4", "backward_euler", "crank_nicolson")
ADAPTIVE = ("Tsit5", "Dopri8", "Kvaerno5")
STEPS = (0.4, 0.2, 0.1, 0.05, 0.025, 0.0125, 0.00625)
TOLERANCES = (1e-3, 1e-4, 1e-6, 1e-8, 1e-10)


def reference(cell: Any) -> np.ndarray:
    state = cell.initial_state()
    gates = {gate: float(x[0]) for gates in state.channels.values() for gate, x in gates.items()}
    start = [float(state.V[0]), *(gates[gate] for gate in "mhn")]
    return solve_ivp(accuracy.squid_axon, (0, DURATION), start, "DOP853", t_eval=TIMES, rtol=1e-12, atol=1e-13).y[0]


def row(cell: Any, name: str, solver: Any, at: float, dt: float, exact: np.ndarray) -> dict[str, Any] | None:
    def run(record: tuple[str, ...]) -> Any:
        options = {"stimulus": "10 uA/cm^2", "solver": solver, "progress": False}
        return ch.simulate(cell, (DURATION, "ms"), dt=(dt, "ms"), record=record, **options)

    try:
        V = run(("V",))["V"][:: round(20.0 / dt), 0][1:]
    except ch.SimulationError:
        return None
    record = ("V",) if dt == TIMES[0] else ()  # of five samples the program is the same, and compiled
    loop = channelome_cell.stepping(lambda: run(record), options=True)
    seconds = min(processor_time(loop) for _ in range(REPEATS + 1))
    error = float(np.sqrt(np.mean((np.asarray(V) - exact) ** 2)))
    return {"solver": name, "at": at, "error_mV": error, "us_per_ms": seconds / DURATION * 1e6}


def processor_time(loop: Callable[[], Any]) -> float:
    """Of one pinned core: others on the machine do not count, as they would by the clock."""
    begin = time.process_time()
    jax.block_until_ready(loop())
    return time.process_time() - begin


def fixed(cell: Any, exact: np.ndarray, names: Sequence[str]) -> Iterator[dict[str, Any] | None]:
    for name in names:
        for dt in STEPS:
            yield row(cell, name, name, dt, dt, exact)


def adaptive(cell: Any, exact: np.ndarray) -> Iterator[dict[str, Any] | None]:
    import diffrax
    from channelome_diffrax import Adaptive

    for name in ADAPTIVE:
        for tolerance in TOLERANCES:
            order = getattr(ch.solver(f"{name}_diffrax"), "order")  # noqa: B009
            solver = Adaptive(getattr(diffrax, name), order, rtol=tolerance, atol=tolerance / 10)
            yield row(cell, f"diffrax {name}", solver, tolerance, TIMES[0], exact)


def by_neuron(python: str, exact: np.ndarray) -> tuple[str, list[dict[str, Any]]]:
    script = Path(__file__).with_name("precision_neuron.py")
    said = subprocess.run([python, str(script)], capture_output=True, text=True, check=True)
    peer, found = json.loads(said.stdout[said.stdout.index("{") :]), []
    for x in peer["rows"]:
        error = float(np.sqrt(np.mean((np.array(x["V"]) - exact) ** 2)))
        us = x["seconds"] / DURATION * 1e6
        found.append({"solver": x["solver"], "at": x["at"], "error_mV": error, "us_per_ms": us})
    return peer["by"], found


ONE_KERNEL = "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=8192"
"""Lets XLA make a single kernel of the loops of longer steps too; a flag of the process, which no program can set for itself."""


def in_one_kernel() -> list[dict[str, Any]]:
    """The fixed steps that are several kernels by default, in a process that has the flag."""
    environment = os.environ | {"XLA_FLAGS": ONE_KERNEL}
    command = [sys.executable, __file__, "--only", "staggered4", "rk4"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    return [x | {"solver": f"{x['solver']}, in one kernel"} for x in map(json.loads, said.splitlines())]


def measure(neuron: str | None) -> dict[str, Any]:
    cell = ch.cell("SquidAxon_HH1952", size=1)
    exact = reference(cell)
    found: dict[str, Any] = {"jax": jax.__version__, "rows": []}
    if neuron is not None:
        found["neuron"], more = by_neuron(neuron, exact)
        found["rows"] += more
    found["rows"] += in_one_kernel()
    for x in itertools.chain(fixed(cell, exact, FIXED), adaptive(cell, exact)):
        if x is not None:
            found["rows"].append(x)
            print(x, flush=True)
    return found


COLOURS = {
    "staggered": "#d62728", "staggered4": "#000000", "exp_euler": "#ff7f0e", "rk4": "#2ca02c",
    "backward_euler": "#8c564b", "crank_nicolson": "#e377c2",
}  # fmt: skip


def draw(found: dict[str, Any]) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "precision"  # the same picture of the same numbers
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8.5, 6), layout="constrained")
    blues = iter(("#1f77b4", "#17becf", "#4a3fb5", "#6baed6"))
    for name in dict.fromkeys(x["solver"] for x in found["rows"]):
        points = [(x["us_per_ms"], x["error_mV"]) for x in found["rows"] if x["solver"] == name and x["error_mV"] < 30]
        if not points:
            continue
        peer, adaptive = name.startswith("NEURON"), name.startswith("diffrax")
        colour = COLOURS.get(name.partition(",")[0]) or (next(blues) if adaptive else "#7f7f7f")
        mark = (
            "^"
            if adaptive
            else {"NEURON CVode": "D", "NEURON, backward Euler": "s"}.get(name, "o" if not peer else "v")
        )
        width = 2.5 if name in ("staggered", "staggered4") else 1.2
        axes.plot(
            *zip(*points, strict=True),
            marker=mark,
            ms=5,
            lw=width,
            color=colour,
            ls=":" if "kernel" in name else "--" if peer else "-",
            label=name,
        )
    axes.set(
        xscale="log", yscale="log", xlabel="time per simulated ms (µs), one neuron, one core",
        ylabel="error of V (mV), rms over 20, 40 ... 100 ms", title="Squid axon, seven spikes in 100 ms, float64",
    )  # fmt: skip
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, ncols=2, loc="lower left")
    figure.savefig(DOCS / "precision.svg", metadata={"Date": None})


if __name__ == "__main__":
    data = DOCS / "precision.json"
    if sys.argv[1:2] == ["--only"]:
        axon = ch.cell("SquidAxon_HH1952", size=1)
        for one in fixed(axon, reference(axon), sys.argv[2:]):
            if one is not None:
                print(json.dumps(one))
        sys.exit()
    if sys.argv[1:] != ["--draw"]:
        found = measure(sys.argv[1] if len(sys.argv) > 1 else None)
        data.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    draw(json.loads(data.read_text(encoding="utf-8")))
