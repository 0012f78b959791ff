"""What `make demo` runs, by name: a squid axon, a population of hippocampal neurons, a reconstructed cell, a network; pictures in
demo-output/, and a page on which the cell can be turned while it spikes.

The cells come from installed packs. Nothing here is special to the demo: every line could stand in a script of yours.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import channelome as ch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OUTPUT = Path("demo-output")
NEURONS = 1_000
DRIVE = np.linspace(0.0, 0.5, NEURONS)  # nA, weakest first
SHOWN = (400, 1600, 3500)
"""Neurons of the network whose voltage is drawn."""
STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "axes.titlelocation": "left",
    "axes.xmargin": 0.0,
    "legend.frameon": False,
    "legend.fontsize": "small",
    "lines.linewidth": 1.2,
}


class Row(NamedTuple):
    """One line of the summary; times in seconds."""

    model: str
    neurons: int
    simulated: str
    spikes: int
    rate: float
    build: float
    first: float
    again: float


Model = ch.SingleCompartment | ch.MultiCompartment | ch.Network
Run = ch.Traces | ch.Activity


def squid_axon(amplitude: str = "10 uA/cm^2") -> tuple[ch.SingleCompartment, Callable[[bool], ch.Traces]]:
    axon = ch.cell("SquidAxon_HH1952")
    record = ["V", "INa.m", "INa.h", "IK.n", "INa.current", "IK.current", "IL.current"]
    stimulus = ch.step(amplitude, start="5 ms")

    def run(progress: bool) -> ch.Traces:
        return ch.simulate(axon, "100 ms", dt="0.01 ms", stimulus=stimulus, record=record, progress=progress)

    return axon, run


def population() -> tuple[ch.SingleCompartment, Callable[[bool], ch.Traces]]:
    neurons = ch.SingleCompartment(
        NEURONS,
        ch.ion("SodiumFixed", E="50 mV"),
        ch.ion("PotassiumFixed", E="-90 mV"),
        INa=ch.channel("INa_TM1991", g_max=ch.normal("100 mS/cm^2", "5 mS/cm^2", seed=1)),
        IK=ch.channel("IK_TM1991", g_max=ch.normal("30 mS/cm^2", "2 mS/cm^2", seed=2)),
        IL=ch.channel("IL", g_max="0.05 mS/cm^2", E="-65 mV"),
        V=ch.normal("-65 mV", "3 mV", seed=3),
        V_th="-20 mV",
        area="20000 um^2",
    )
    drive = ch.step((DRIVE, "nA"), start="100 ms", stop="500 ms")
    noise = ch.noise("0 nA", "0.15 nA", key=0, dt="0.5 ms", size=NEURONS)

    def run(progress: bool) -> ch.Traces:
        return ch.simulate(
            neurons, "600 ms", dt="0.1 ms", stimulus=drive + noise, record=["V", "spikes"], every=2, progress=progress
        )

    return neurons, run


def reconstruction() -> tuple[ch.MultiCompartment, Callable[[bool], ch.Traces]]:
    cell = ch.MultiCompartment(
        ch.Morphology.example(),
        ch.ion("SodiumFixed", E="50 mV"),
        ch.ion("PotassiumFixed", E="-90 mV"),
        INa=[
            ch.on("soma | axon", "INa_TM1991", g_max="100 mS/cm^2"),
            ch.on("dend | apical", "INa_TM1991", g_max="15 mS/cm^2"),
        ],
        IK=[
            ch.on("soma | axon", "IK_TM1991", g_max="30 mS/cm^2"),
            ch.on("dend | apical", "IK_TM1991", g_max="5 mS/cm^2"),
        ],
        IL=ch.channel("IL", g_max="0.05 mS/cm^2", E="-65 mV"),
        Ra="150 ohm cm",
        V_th="-20 mV",
    )
    stimulus = ch.at("soma", ch.step("1 nA", start="5 ms", stop="55 ms"))

    def run(progress: bool) -> ch.Traces:
        return ch.simulate(cell, "80 ms", dt="0.025 ms", stimulus=stimulus, record=["V"], progress=progress)

    return cell, run


def network() -> tuple[ch.Network, Callable[[bool], ch.Activity]]:
    neurons = ch.network("COBAHH_Brette2007")
    record = [f"cells[{neuron}].V" for neuron in SHOWN]

    def run(progress: bool) -> ch.Activity:
        return ch.simulate(neurons, "1000 ms", dt="0.1 ms", record=record, progress=progress)

    return neurons, run


def draw_axon(traces: ch.Traces) -> "Figure":
    t = np.asarray(traces.t)
    figure, axes = plt.subplots(3, 1, figsize=(9, 7), sharex=True, layout="constrained", height_ratios=(3, 2, 2))
    axes[0].plot(t, traces["V"], color="black")
    axes[0].plot(
        traces.spikes.times, np.full(len(traces.spikes), 48.0), "v", color="tab:red", markersize=5, label="spikes"
    )
    axes[0].set(ylabel="V (mV)", ylim=(-85, 55))
    axes[0].set_title(f"Squid giant axon, SquidAxon_HH1952, 10 µA/cm² from 5 ms: {len(traces.spikes)} spikes")
    for gate, shade in (("INa.m", "tab:orange"), ("INa.h", "tab:brown"), ("IK.n", "tab:blue")):
        axes[1].plot(t, traces[gate], color=shade, label=gate)
    axes[1].set(ylabel="gates", ylim=(-0.03, 1.03))
    for current, shade in (("INa.current", "tab:orange"), ("IK.current", "tab:blue"), ("IL.current", "tab:gray")):
        axes[2].plot(t, traces[current], color=shade, label=current)
    axes[2].set(ylabel="I (µA/cm²)", xlabel="t (ms)")
    for panel in axes[1:]:
        panel.legend(ncols=3, loc="lower right", bbox_to_anchor=(1.0, 0.97), borderaxespad=0.0)
    figure.align_ylabels(axes)
    return figure


def draw_population(traces: ch.Traces) -> "Figure":
    t, spikes = np.asarray(traces.t), traces.spikes
    figure, axes = plt.subplots(
        5, 1, figsize=(9, 9), sharex=True, layout="constrained", height_ratios=(5, 1.6, 1.2, 1.2, 1.2)
    )
    axes[0].plot(spikes.times, spikes.neurons, ".", color="black", markersize=1.2, markeredgewidth=0, rasterized=True)
    axes[0].set(ylabel="neuron, weakest drive first", ylim=(0, NEURONS))
    axes[0].set_title(
        f"{NEURONS:,} TM1991 neurons, noise and from 100 to 500 ms a step of 0 to {DRIVE[-1]:g} nA: {len(spikes):,} spikes"
    )
    width = 4.0  # ms
    counts, edges = np.histogram(spikes.times, np.arange(0.0, t[-1] + width / 2, width))
    axes[1].stairs(counts / NEURONS / width * 1e3, edges, fill=True, color="0.4")
    axes[1].set(ylabel="rate (Hz)", ylim=(0, None))
    shades = plt.get_cmap("viridis")((0.05, 0.4, 0.7))
    for panel, place, shade in zip(axes[2:], (0.95, 0.5, 0.15), shades, strict=True):
        neuron = int(place * NEURONS)
        axes[0].plot(t[-1], neuron, "<", color=shade, markersize=8, clip_on=False)
        panel.plot(t, traces["V"][:, neuron], color=shade, linewidth=0.8)
        panel.set(ylim=(-95, 60), ylabel="V (mV)")
        panel.set_title(f"neuron {neuron}, {DRIVE[neuron]:.2f} nA: {len(spikes.of(neuron))} spikes", fontsize="small")
    axes[-1].set_xlabel("t (ms)")
    figure.align_ylabels(axes)
    return figure


def draw_reconstruction(traces: ch.Traces) -> "Figure":
    comps, t, V = traces.where("V").compartments, np.asarray(traces.t), np.asarray(traces["V"])
    figure = plt.figure(figsize=(11, 7.5), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(1, 1.15))
    left, courses, space = (figure.add_subplot(place) for place in (grid[:, 0], grid[0, 1], grid[1, 1]))
    spike = float(traces.spikes.times[0])
    moments = [round(spike + after, 1) for after in (0.0, 0.5, 1.0, 2.0)]
    shown = int(np.argmin(abs(t - moments[2])))
    comps.plot(V[shown], label="V (mV)", ax=left)
    left.set_title(f"{len(comps)} compartments, {t[shown] - spike:.0f} ms after the first spike began")
    trunk = np.flatnonzero(comps.mask("apical & diameter > 1.5 um"))
    middle, tip = trunk[np.argmin(abs(comps.distance[trunk] - 200))], int(np.argmax(comps.distance))
    places = {"soma": comps.index("soma"), **{f"apical, {comps.distance[k]:.0f} um": k for k in (middle, tip)}}
    for (name, k), shade in zip(places.items(), ("black", "#b3432b", "#1f3b5c"), strict=True):
        courses.plot(t, V[:, k], color=shade, label=name)
        left.plot(*comps.xyz[k, :2], "o", markersize=9, markerfacecolor="none", markeredgecolor=shade, zorder=4)
    courses.set(xlabel="t (ms)", ylabel="V (mV)")
    courses.set_title(f"TM1991 channels, 1 nA into the soma from 5 to 55 ms: {len(traces.spikes)} spikes")
    courses.legend(loc="upper right")
    traces.plot_space("V", time=[(moment, "ms") for moment in moments], ax=space)
    space.set_title("The first spike runs into the dendrites")
    return figure


def draw_network(activity: ch.Activity) -> "Figure":
    figure, axes = plt.subplots(
        6, 1, figsize=(9, 11), sharex=True, layout="constrained", height_ratios=(6, 2, 0.9, 0.9, 0.9, 0.1)
    )
    shades = {"E": "#1f3b5c", "I": "#b3432b"}
    for first, (name, shade) in zip((0, 3200), shades.items(), strict=True):
        spikes = activity.spikes[name]
        axes[0].plot(
            spikes.times, spikes.neurons + first, ".", color=shade, markersize=1.1, markeredgewidth=0, rasterized=True
        )
        axes[1].plot(
            *activity.rate(name, "4 ms"), color=shade, label=f"{name}, mean {activity.rates(name).mean():.1f} Hz"
        )
    axes[0].set(ylabel="neuron", ylim=(0, 4000), yticks=(0, 1600, 3200, 3600), yticklabels=("0", "E", "3200", "I"))
    axes[0].set_title(
        f"COBAHH_Brette2007: 4,000 neurons, about 80 inputs each: {len(activity.spikes['cells']):,} spikes, "
        f"CV of intervals {np.nanmean(activity.cv('cells')):.1f}"
    )
    axes[1].set(ylabel="rate (Hz)", ylim=(0, None))
    axes[1].legend(ncols=2, loc="lower right")
    for panel, neuron in zip(axes[2:5], SHOWN, strict=True):
        shade = shades["E" if neuron < 3200 else "I"]
        axes[0].plot(activity.t[-1], neuron, "<", color=shade, markersize=8, clip_on=False)
        panel.plot(activity.t, activity[f"cells[{neuron}].V"], color=shade, linewidth=0.7)
        panel.set(ylim=(-95, 60), ylabel="V (mV)")
        panel.set_title(f"neuron {neuron}: {len(activity.spikes['cells'].of(neuron))} spikes", fontsize="small")
    axes[4].set_xlabel("t (ms)")
    axes[4].tick_params(labelbottom=True)
    axes[5].axis("off")
    figure.align_ylabels(axes)
    return figure


def add_timing(figure: "Figure", row: Row) -> None:
    """The network's line of the summary, under its picture."""
    steps = 10_000 / row.again
    figure.axes[-1].text(
        0, 0, f"1,000 ms at 0.1 ms: built in {row.build:.2f} s, compiled in {max(row.first - row.again, 0):.1f} s, "
        f"run in {row.again:.2f} s: {steps:,.0f} steps per second", fontsize="small", transform=figure.axes[-1].transAxes,
    )  # fmt: skip


def measure(title: str, make: Callable[[], tuple[Model, Callable[[bool], Run]]]) -> tuple[Row, Run]:
    """Build, run with a progress bar, and run again: what is over after the first run is compilation."""
    print(f"\n{title}")
    began = time.perf_counter()
    model, run = make()
    built = time.perf_counter()
    print(model)
    started = time.perf_counter()
    result = run(True)
    ran = time.perf_counter()
    run(False)
    again = time.perf_counter() - ran
    spikes = result.spikes["cells"] if isinstance(result, ch.Activity) else result.spikes
    count, neurons, length = len(spikes), int(np.prod(spikes.size)), float(result.t[-1])
    rate = 1e3 * count / (neurons * length)
    return Row(title, neurons, f"{length:.0f} ms", count, rate, built - began, ran - started, again), result


def summary(rows: list[Row]) -> str:
    head = ("model", "neurons", "time", "spikes", "mean rate", "build", "compile", "run")
    lines = [
        (
            row.model, f"{row.neurons:,}", row.simulated, f"{row.spikes:,}", f"{row.rate:.1f} Hz",
            f"{1e3 * row.build:.0f} ms", f"{1e3 * max(row.first - row.again, 0):.0f} ms", f"{1e3 * row.again:.0f} ms",
        )
        for row in rows
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    return "\n".join(
        "  ".join(
            text.ljust(width) if k == 0 else text.rjust(width)
            for k, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in (head, tuple("-" * width for width in widths), *lines)
    )


def main() -> None:
    OUTPUT.mkdir(exist_ok=True)
    rows: list[Row] = []
    files: list[Path] = []
    parts = (
        ("squid axon", "squid_axon.png", squid_axon, draw_axon),
        ("TM1991 population", "population.png", population, draw_population),
        ("reconstructed cell", "reconstructed_cell.png", reconstruction, draw_reconstruction),
        ("COBAHH network", "network.png", network, draw_network),
    )
    with plt.rc_context(STYLE):
        for title, name, make, draw in parts:
            row, result = measure(title, make)
            rows.append(row)
            files.append(OUTPUT / name)
            figure = draw(result)
            if make is network:
                add_timing(figure, row)
            figure.savefig(files[-1], dpi=150)
            if make is reconstruction:
                files.append(OUTPUT / "reconstructed_cell.html")
                result.plot_movie(files[-1], stop="25 ms")
    print(f"\n{summary(rows)}\n")
    for file in files:
        print(f"wrote {file}")


if __name__ == "__main__":
    main()
