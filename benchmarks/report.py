"""The measurements as markdown. Nothing here names a path or a host."""

import datetime
import importlib.metadata
import platform
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]


def header(peers: dict[str, str], quick: bool) -> str:
    """Where, when and with which versions."""
    ours = {name: importlib.metadata.version(name) for name in ("channelome", "jax", "jaxlib", "numpy")}
    versions = ", ".join(f"{name} {version}" for name, version in (ours | peers).items())
    note = " Quick mode: fewer rounds and steps." if quick else ""
    return (
        f"# Benchmark results\n\nWritten by `python benchmarks/run.py --write` on {datetime.date.today()}; what is measured and "
        f"how: `README.md`. {cpu_model()}, Python {platform.python_version()}, {versions}.{note}\n"
    )


def cpu_model() -> str:
    """The processor's name as the system gives it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    wide = any(line.startswith("flags") and " avx512f" in line for line in lines)
    return f"{named[0] if named else platform.processor()}{' with AVX-512' if wide else ''}"


def speed(rows: Rows) -> str:
    """One line for each contender, one column for each size."""
    words = (
        "TM1991 neuron, dt 0.1 ms, float32, one pinned core. In brackets: how much faster channelome as it ships is."
    )
    return _by_size("Speed", words, rows)


def recorded(rows: Rows) -> str:
    """The same of runs whose V is recorded."""
    words = "Whole calls with V of every step, all as on this machine by default; `simulate` finds the spikes as well."
    return _by_size("V recorded", words, rows)


def _by_size(title: str, words: str, rows: Rows) -> str:
    sizes = list(dict.fromkeys(row["n"] for row in rows))
    cells = {(row["name"], row["n"]): row for row in rows}
    lines = [
        f"## {title}",
        "",
        words,
        "",
        table_line(["ns per neuron and step", *(f"N = {n:,}" for n in sizes)]),
        table_line(["---"] * (len(sizes) + 1)),
    ]
    for name in dict.fromkeys(row["name"] for row in rows):
        found = [cells.get((name, n)) for n in sizes]
        lines.append(
            table_line(
                [name, *("-" if row is None else f"{row['ns']:.2f} ({1 / row['default_to_it']:.2f}x)" for row in found)]
            )
        )
    return "\n".join(lines) + "\n"


def targets(rows: Rows) -> str:
    """Each target beside what was measured, with and without the compiler option."""
    bars = {"jnp, same scheme": ("at most", 1.1), "jnp, exponential Euler": ("at most", 0.75)}
    lines = [
        "## Targets",
        "",
        table_line(["time of channelome over", "target", "N", "measured"]),
        table_line(["---"] * 4),
    ]
    for row in rows:
        name = row["name"].removesuffix(" (512-bit)")
        if name in bars:
            lines.append(
                table_line(
                    [row["name"], f"{bars[name][0]} {bars[name][1]}", f"{row['n']:,}", f"{row['ours_to_it']:.2f}"]
                )
            )
    factors = {"BrainPy": (2.2, 3.0), "braincell": (2.7, 3.5)}
    lines += [
        "",
        table_line(["channelome faster than", "N", "target", "measured", "target (512-bit)", "measured"]),
        table_line(["---"] * 6),
    ]
    for row in rows:
        if row["name"] in factors:
            plain, wide = factors[row["name"]]
            got = [f"{1 / row['ours_to_it']:.2f}x", f"{wide}x", f"{1 / row['default_to_it']:.2f}x"]
            lines.append(table_line([row["name"], f"{row['n']:,}", f"{plain}x", *got]))
    return "\n".join(lines) + "\n"


TARGETS = {
    4_000: {"BrainPy": 2.0, "braincell": 2.5, "Brian2": 8.0, "Brian2, vectorised": 1.5},
    40_000: {"braincell": 2.0},
}
"""How many times faster than a peer channelome's network is to be."""


def networks(found: dict[str, Any]) -> str:
    """The network beside the peers', what it costs, and ways of delivery."""
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    pages = [
        "## Networks",
        "",
        "COBAHH (Brette et al. 2007) at dt 0.1 ms, one pinned core; whole calls of `simulate`, spikes recorded. How fast a simulator is "
        "depends on the rate, so that is given too. Brian2 computes in float64, all others in float32."
        + (f" {versions}." if versions else ""),
    ]
    for what in dict.fromkeys(row["what"] for row in found["rows"]):
        pages += ["", f"### {what}", ""]
        pages += [
            table_line(["", "N", "steps/s", "rate, Hz", "channelome is faster", "target"]),
            table_line(["---"] * 6),
        ]
        for row in (row for row in found["rows"] if row["what"] == what):
            target = TARGETS.get(row["n"], {}).get(row["name"])
            rate = "-" if row["rate"] is None else f"{row['rate']:.1f}"
            faster = f"{row['ours_faster']:.2f}x"
            pages.append(
                table_line(
                    [
                        row["name"],
                        f"{row['n']:,}",
                        f"{row['steps_per_s']:,.0f}",
                        rate,
                        faster,
                        f"{target}x" if target else "",
                    ]
                )
            )
    pages += ["", "### By neurons, by rate", "", "80 inputs each.", ""]
    pages += [table_line(["N", "steps/s", "ns per neuron and step", "rate, Hz"]), table_line(["---"] * 4)]
    pages += [
        table_line([f"{row['n']:,}", f"{row['steps_per_s']:,.0f}", f"{row['ns']:.2f}", f"{row['rate']:.1f}"])
        for row in found["by_size"]
    ]
    pages += ["", "4,000 silent neurons, 4,000 Poisson sources with 80 synapses each.", ""]
    pages += [table_line(["rate of the sources, Hz", "steps/s"]), table_line(["---"] * 2)]
    pages += [table_line([str(row["rate"]), f"{row['steps_per_s']:,.0f}"]) for row in found["by_rate"]]
    pages += ["", "### Building, compiling, memory", ""]
    pages += [
        "Each in a process of its own, after a network of 100 neurons, so without imports. The first call compiles, and lays the synapses "
        "out in rows. The most memory that the process held has everything in it, JAX too.",
        "",
    ]
    heads = [
        "",
        "N",
        "synapses",
        "build, s",
        "first call, s",
        "second, s",
        "bytes per synapse",
        "of it in rows",
        "most memory, GiB",
    ]
    pages += [table_line(heads), table_line(["---"] * len(heads))]
    for row in found["costs"]:
        seconds = [f"{row[key]:.2f}" for key in ("build", "first_call", "second_call")]
        bytes_each = f"{max(0.0, row['bytes_built']) + row['bytes_rows']:.1f}"
        pages.append(
            table_line(
                [row["name"], f"{row['n']:,}", f"{row['synapses']:,}", *seconds, bytes_each, f"{row['bytes_rows']:.1f}",
                 f"{row['peak'] / 2**30:.2f}"]
            )
        )  # fmt: skip
    pages += [
        "",
        "### Ways of delivery",
        "",
        "Microseconds per step, 4,000 sources with 80 synapses each, by spikes per step.",
        "",
    ]
    counts = list(dict.fromkeys(row["spikes"] for row in found["deliveries"]))
    pages += [table_line(["", *map(str, counts)]), table_line(["---"] * (len(counts) + 1))]
    for name in dict.fromkeys(row["name"] for row in found["deliveries"]):
        us = [f"{row['us']:.1f}" for row in found["deliveries"] if row["name"] == name]
        pages.append(table_line([name, *us]))
    return "\n".join(pages) + "\n"


def delays(found: dict[str, Any]) -> str:
    """What delays cost, and to build many synapses."""
    rows = found["rows"]
    cases = list(dict.fromkeys(row["case"] for row in rows))
    pages = [
        "## Delays",
        "",
        "Microseconds a step, dt 0.1 ms, one pinned core; synapses without delay, with one of 1.5 ms, and with delays of their own from 0.5 to "
        "5 ms, which weigh the same or each its own. They are so weak that they move nothing, so all cases have one rate; 80 inputs each, 100 for "
        "100,000. In brackets: the time over that of ours without delay; at most 1.4 is asked of own delays."
        + (f" Brian2 {', '.join(found['versions'])}, float64, vectorised." if found["versions"] else ""),
        "",
        table_line(["N, rate", *cases]),
        table_line(["---"] * (len(cases) + 1)),
    ]
    for n, asked in dict.fromkeys((row["n"], row["asked"]) for row in rows):
        here = {row["case"]: row for row in rows if (row["n"], row["asked"]) == (n, asked)}
        rate = here["none"]["rate"]
        cells = [f"{here[c]['us']:.1f} ({here[c]['to_none']:.2f})" if c in here else "-" for c in cases]
        pages.append(table_line([f"{n:,}, {rate:.1f} Hz", *cells]))
    heads = [
        "synapses",
        "build, s",
        "first call, s",
        "second, s",
        "bytes per synapse",
        "at most while building",
        "held once laid out",
        "together with all else",
        "most memory, GiB",
    ]
    pages += [
        "",
        "100,000 neurons, weights and delays of their own; calls of ten steps, each size in a process of its own.",
        "",
    ]
    pages += [table_line(heads), table_line(["---"] * len(heads))]
    for row in found["built"]:
        seconds = [f"{row[key]:.2f}" for key in ("build", "first", "second")]
        sizes = [f"{row[key]:.1f}" for key in ("bytes_built", "peak_built", "bytes_held", "bytes")]
        pages.append(table_line([f"{row['synapses']:,}", *seconds, *sizes, f"{row['peak'] / 2**30:.2f}"]))
    return "\n".join(pages) + "\n"


def overhead(milliseconds: dict[str, float]) -> str:
    lines = ["## Whole calls of `simulate`, compiled before", "", table_line(["call", "ms"]), table_line(["---"] * 2)]
    return "\n".join([*lines, *(table_line([name, f"{ms:.2f}"]) for name, ms in milliseconds.items())]) + "\n"


def startup(times: dict[str, dict[str, float]]) -> str:
    lines = [
        "## Start-up",
        "",
        "A whole process, on all cores.",
        "",
        table_line(["", "wall, s", "CPU, s"]),
        table_line(["---"] * 3),
    ]
    return (
        "\n".join([*lines, *(table_line([name, f"{t['wall']:.3f}", f"{t['cpu']:.3f}"]) for name, t in times.items())])
        + "\n"
    )


def populations(rows: dict[str, dict[str, float]]) -> str:
    """What labels cost."""
    columns = ("synapses", "build", "first", "us per step", "another duration", "rate", "GiB")
    lines = [
        "## Populations and projections",
        "",
        "`PointNeuron_Brette2007`, projections between random pairs with probability 0.1 and a delay of 1 ms, a stimulus for every "
        "population, dt 0.1 ms, one pinned core; then the microcircuit of docs/examples at a tenth of its neurons. Seconds to build, of "
        "the first call of 100 ms, and of a call of another duration; microseconds a step of a later call.",
        "",
        "|  | synapses | build, s | first call, s | us per step | another duration, s | rate, Hz | GiB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join(_cells(row, columns)) + " |")
    return "\n".join([*lines, ""])


def cable(rows: dict[str, dict[str, float]]) -> str:
    """What a step of a reconstructed cell costs."""
    lines = [
        "## Reconstructed cells",
        "",
        "The pyramidal cell of the package, the squid's channels everywhere, 1 nA at the soma, dt 0.025 ms, one pinned core, each case a "
        "process of its own: microseconds a step, the difference of runs of 25 and 5 ms. Ours by TR-BDF2, of second order; Arbor, NEURON "
        "and Jaxley of first. Gradients by three conductances over 20 ms, in forward runs.",
        "",
    ]
    for name, row in rows.items():
        lines.append(f"- {name}: " + ", ".join(f"{what} {value:.4g}" for what, value in row.items()))
    return "\n".join([*lines, ""])


def _cells(row: dict[str, float], columns: tuple[str, ...]) -> list[str]:
    return [f"{row[c]:,.0f}" if c == "synapses" and c in row else f"{row[c]:.3g}" if c in row else "-" for c in columns]


def compile_cost(rows: Rows) -> str:
    heads = [
        "cell",
        "first call, s",
        "of it tracing, s",
        "compiling, s",
        "second call, s",
        "HLO lines",
        "fusions",
        "fusions in the step",
        "copies in the step",
    ]
    lines = ["## Compiling", "", table_line(heads), table_line(["---"] * len(heads))]
    for row in rows:
        seconds = [f"{row[key]:.3f}" for key in ("first_call", "trace", "compile", "second_call")]
        lines.append(
            table_line(
                [row["cell"], *seconds, *(str(row[key]) for key in ("lines", "fusions", "step_fusions", "step_copies"))]
            )
        )
    return "\n".join(lines) + "\n"


def accuracy(rows: Rows) -> str:
    lines = [
        "## Accuracy and cost",
        "",
        "Error of a late spike in ms against a converged SciPy run, and ns per neuron and step, float64; N = 1,000 (adaptive: 1).",
    ]
    for model in dict.fromkeys(row["model"] for row in rows):
        ours = [row for row in rows if row["model"] == model]
        steps = list(dict.fromkeys(row["dt"] for row in ours))
        lines += [
            "",
            f"### {model}",
            "",
            table_line(["solver", "order", *(f"dt {dt}" for dt in steps), "ns"]),
            table_line(["---"] * (len(steps) + 3)),
        ]
        for solver in dict.fromkeys(row["solver"] for row in ours):
            found = {row["dt"]: row for row in ours if row["solver"] == solver}
            errors = ["" if dt not in found else _error(found[dt]) for dt in steps]
            costs = [row["ns"] for row in found.values() if row["ns"] is not None]
            order = next(iter(found.values()))["order"]
            lines.append(table_line([solver, str(order), *errors, f"{costs[0]:.1f}" if costs else "-"]))
    return "\n".join(lines) + "\n"


def _error(row: dict[str, Any]) -> str:
    if row["error"] is None:
        return "diverges" if row["spikes"] is None else f"{row['spikes']} spikes"
    return f"{row['error']:+.2g}"


def table_line(fields: list[str]) -> str:
    return f"| {' | '.join(fields)} |"
