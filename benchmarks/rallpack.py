"""Rallpack 3, accuracy beside speed: how late spikes are, and the time that 250 ms take, for steps from 1 us to 0.5 ms, ours and NEURON's.

    python benchmarks/rallpack.py [PYTHON_WITH_NEURON]    measures, writes docs/rallpack.json and draws docs/rallpack.svg
    python benchmarks/rallpack.py --draw                  draws what was measured

A cable of 1,000 compartments with the squid's channels, 0.1 nA into its end. The error is the largest difference of spike times at both ends to those
of NEURON's CVODE at an absolute tolerance of 1e-9 (tests/reference/neuron_rallpack.json); of runs that lose a spike there is none. The time is that of
one core for the whole run, the least of several where it is short; what compiles is left out. NEURON's at short steps, whose cost is the same in
each, is that of the first 25 ms, times ten.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import timing

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT / "tests"))
from cable_cases import RALLPACK, upward  # noqa: E402

STEPS = (0.001, 0.005, 0.0125, 0.025, 0.05, 0.1, 0.25, 0.5)
TOLD = json.loads((ROOT / "tests/reference/neuron_rallpack.json").read_text(encoding="utf-8"))


def repeats(dt: float) -> int:
    return 1 if dt < 0.005 else 3


def least(work: Any, dt: float) -> float:
    """Seconds of one core."""
    found = []
    for _ in range(repeats(dt)):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return min(found)


# ---- ours ----------------------------------------------------------------------------------------------------------


def ours() -> list[dict[str, Any]]:
    import jax
    import numpy as np

    import channelome as ch

    points = [[0.0, 0.0, 0.0, RALLPACK["diameter"]], [RALLPACK["length"], 0.0, 0.0, RALLPACK["diameter"]]]
    cell = ch.MultiCompartment(
        ch.Morphology.from_table({"unit": "um", "branches": [{"type": "dend", "points": points}]}),
        ch.ion("SodiumFixed", E="50 mV"), ch.ion("PotassiumFixed", E="-77 mV"), INa="INa_HH1952", IK="IK_HH1952",
        IL=ch.channel("IL", g_max=(RALLPACK["leak"], "mS/cm^2"), E=(RALLPACK["rest"], "mV")),
        Ra=(RALLPACK["Ra"], "ohm cm"), C=(RALLPACK["C"], "uF/cm^2"), V=(RALLPACK["rest"], "mV"), celsius=6.3,
        discretise=ch.per_branch(RALLPACK["compartments"]),
    )  # fmt: skip
    records, stimulus = ["dend(0).V", "dend(1).V"], ch.at("dend(0)", ch.step((RALLPACK["current"], "nA")))

    def run(dt: float, duration: float = RALLPACK["duration"]) -> Any:
        return ch.simulate(
            cell, (duration, "ms"), dt=(dt, "ms"), stimulus=stimulus, record=records, check=False, progress=False
        )

    name, rows = f"channelome, {'float64' if jax.config.jax_enable_x64 else 'float32'}", []
    for dt in STEPS:
        run(dt) if dt >= 0.005 else run(dt, 5.0)  # compiles
        kept: list[Any] = []
        seconds = least(lambda dt=dt, kept=kept: kept.append(run(dt)), dt)
        traces = kept[-1]
        late = [
            float(np.abs(found - exact).max()) if len(found) == len(exact) else None
            for record, exact in zip(records, TOLD["spikes"], strict=True)
            for found in [upward(np.asarray(traces.t, float), np.ravel(traces[record]).astype(float))]
        ]
        rows.append(row(name, dt, late, seconds))
    return rows


def row(name: str, dt: float, late: list[float | None], seconds: float) -> dict[str, Any]:
    known = [x for x in late if x is not None]
    found = {"by": name, "dt": dt, "late_ms": max(known) if len(known) == 2 else None, "seconds": seconds}
    print(json.dumps(found), flush=True)
    return found


# ---- NEURON, with an interpreter that has it -------------------------------------------------------------------------


def neuron() -> list[dict[str, Any]]:
    from neuron import h

    h.load_file("stdrun.hoc")
    section = h.Section(name="cable")
    section.L, section.diam, section.nseg = RALLPACK["length"], RALLPACK["diameter"], RALLPACK["compartments"]
    section.Ra, section.cm = RALLPACK["Ra"], RALLPACK["C"]
    section.insert("pas")
    section.g_pas, section.e_pas = 1e-3 * RALLPACK["leak"], RALLPACK["rest"]
    section.insert("hh")
    h.celsius, h.usetable_hh, section.gl_hh, section.ena, section.ek = 6.3, 0, 0.0, 50.0, -77.0
    clamp = h.IClamp(section(0.5 / RALLPACK["compartments"]))
    clamp.delay, clamp.dur, clamp.amp = 0.0, 1e9, RALLPACK["current"]
    traces = [h.Vector().record(section(x)._ref_v) for x in (0.0005, 0.9995)]

    def run(duration: float) -> None:
        h.finitialize(RALLPACK["rest"])
        h.continuerun(duration)

    rows = []
    for order, name in ((0, "NEURON, as it is by default"), (2, "NEURON, secondorder=2")):
        for dt in STEPS:
            h.dt, h.steps_per_ms, h.secondorder = dt, 1 / dt, order
            part = 10 if dt < 0.05 else 1
            seconds = part * least(lambda part=part: run(RALLPACK["duration"] / part), dt)
            assert len(traces[0]) > RALLPACK["duration"] / part / dt
            rows.append(row(name, dt, TOLD["rallpack 3"][f"order {1 + order // 2}"][str(dt)], seconds))
    return rows


# ---- all, and the picture --------------------------------------------------------------------------------------------


def elsewhere(python: str, what: str, **environment: str) -> list[dict[str, Any]]:
    said = subprocess.run(
        [python, __file__, what], text=True, check=True, env=os.environ | environment, stdout=subprocess.PIPE
    )
    return [json.loads(line) for line in said.stdout.splitlines() if line.startswith("{")]


COLOURS = {
    "channelome, float64": ("#d62728", "o", "-"), "channelome, float32": ("#ff9896", "o", "-"),
    "NEURON, secondorder=2": ("#1f77b4", "v", "--"), "NEURON, as it is by default": ("#7f7f7f", "s", "--"),
}  # fmt: skip


def draw(rows: list[dict[str, Any]]) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "rallpack"  # the same picture of the same numbers
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8.5, 5.5), layout="constrained")
    for name, (colour, mark, line) in COLOURS.items():
        shown = [x for x in rows if x["by"] == name and x["late_ms"] is not None]
        axes.plot(
            [x["seconds"] for x in shown], [x["late_ms"] for x in shown], color=colour, marker=mark, ls=line, label=name
        )
        for x in shown:
            above = name.startswith("NEURON")
            axes.annotate(
                f"{1e3 * x['dt']:g}", (x["seconds"], x["late_ms"]), xytext=(4, 4) if above else (-4, -9),
                ha="left" if above else "right", textcoords="offset points", fontsize=7, color=colour,
            )  # fmt: skip
    axes.axhline(0.05, color="black", lw=0.8, ls=":")
    axes.set(
        xscale="log", yscale="log", xlabel="time of one core for 250 ms (s)", ylabel="worst spike, of 35 at both ends (ms late or early)",
        title="Rallpack 3, 1,000 compartments; numbers are steps in µs",
    )  # fmt: skip
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(DOCS / "rallpack.svg", metadata={"Date": None})


def main(arguments: list[str]) -> None:
    data = DOCS / "rallpack.json"
    if arguments in (["ours"], ["neuron"]):
        timing.pin()
        ours() if arguments == ["ours"] else neuron()
        return
    if arguments != ["--draw"]:
        rows = elsewhere(sys.executable, "ours", JAX_ENABLE_X64="1")
        rows += elsewhere(sys.executable, "ours", JAX_ENABLE_X64="0")
        rows += elsewhere(arguments[0], "neuron") if arguments else []
        data.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    draw(json.loads(data.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main(sys.argv[1:])
