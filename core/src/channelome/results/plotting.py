"""Pictures: records in panels above a shared time axis, rasters of spikes, curves, histograms."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..drawing import ONE, SEVERAL, on_a_plane, pyplot
from ..errors import ModelError
from .spikes import SpikeTrains

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LINES = 10


def panels(
    t: np.ndarray, data: Mapping[str, np.ndarray], units: Mapping[str, str], *, neurons: Sequence[int] | None, ax: Any,
    along: Collection[str] = (),
) -> "Figure":  # fmt: skip
    """One panel per record of `data`, arrays of shape ``(n_samples, *size)`` at the times `t` in ms.

    Args:
        neurons: flat indices of those to draw; the first ten if None.
        ax: axes to draw in, one per record; a new figure if None.
        along: records whose last axis goes over compartments.
    """
    with pyplot() as plt:
        figure, axes = _axes(plt, len(data), ax)
        for panel, (name, values) in zip(axes, data.items(), strict=True):
            flat = values.reshape(len(t), -1)
            chosen = _chosen(name, flat.shape[1], neurons)
            _lines(plt, panel, t, flat, chosen)
            panel.set_ylabel(labelled(name, units[name]))
            if neurons is None and flat.shape[1] > len(chosen) and panel is axes[0]:
                what = "compartments" if name in along else "neurons"
                panel.set_title(f"the first {len(chosen)} of {flat.shape[1]:,} {what}")
        if ax is None:
            figure.align_ylabels(axes)
        axes[-1].set_xlabel("t (ms)")
    return figure


def labelled(name: str, unit: str) -> str:
    """A record as an axis is labelled."""
    return name if unit == "1" else f"{name} ({unit})"


def raster(spikes: SpikeTrains, span: tuple[float, float], ax: Any) -> "Figure":
    """A mark per spike: time in ms to the right over `span`, flat index of the neuron upward."""
    with pyplot() as plt:
        figure, (panel,) = _axes(plt, 1, ax)
        n = max(int(np.prod(spikes.size)), 1)
        points = panel.get_window_extent().height * 72 / figure.dpi
        # a mark is as high as a neuron's row, within what can be seen
        height = float(np.clip(0.8 * points / n, 3.0, 12.0))
        panel.plot(
            spikes.times, spikes.neurons, linestyle="none", marker="|", color=ONE, markersize=height,
            markeredgewidth=0.8, rasterized=len(spikes) > 20_000,
        )  # fmt: skip
        panel.set(xlim=span if span[1] > span[0] else None, ylim=(-0.5, n - 0.5), xlabel="t (ms)", ylabel="neuron")
        panel.locator_params(axis="y", integer=True)
        panel.set_title(f"{len(spikes):,} spikes of {n:,} {'neuron' if n == 1 else 'neurons'}")
    return figure


def rasters(groups: Mapping[str, SpikeTrains], span: tuple[float, float], ax: Any) -> "Figure":
    """A mark per spike of several groups of neurons, one group above the other."""
    if len(groups) == 1:
        return raster(next(iter(groups.values())), span, ax)
    sizes = [max(int(np.prod(trains.size)), 1) for trains in groups.values()]
    ends = np.cumsum(sizes)
    starts = ends - sizes
    with pyplot() as plt:
        figure, (panel,) = _axes(plt, 1, ax, height=4.0)
        points = panel.get_window_extent().height * 72 / figure.dpi
        size = float(np.clip(points / ends[-1], 1.0, 4.0))
        for trains, first, shade in zip(groups.values(), starts, _shades(plt, len(groups)), strict=True):
            panel.plot(
                trains.times, trains.neurons + first, linestyle="none", marker=".", color=shade, markersize=size,
                markeredgewidth=0, rasterized=len(trains) > 5_000,
            )  # fmt: skip
        for place in ends[:-1]:
            panel.axhline(place - 0.5, color="0.8", linewidth=0.6, zorder=0)
        named = [f"{name}\n{size:,}" for name, size in zip(groups, sizes, strict=True)]
        panel.set_yticks((starts + ends - 1) / 2, named)
        panel.tick_params(axis="y", length=0)
        panel.set(xlim=span if span[1] > span[0] else None, ylim=(-0.5, ends[-1] - 0.5), xlabel="t (ms)")
        panel.set_title(f"{sum(map(len, groups.values())):,} spikes of {ends[-1]:,} neurons")
    return figure


def curves(lines: Mapping[str, tuple[np.ndarray, np.ndarray]], x: str, y: str, ax: Any) -> "Figure":
    """Curves over one axis: abscissa and ordinate by name; `x` and `y` are the axes' labels."""
    with pyplot() as plt:
        figure, (panel,) = _axes(plt, 1, ax)
        for (name, (at, values)), shade in zip(lines.items(), _shades(plt, len(lines)), strict=True):
            panel.plot(at, values, color=shade, label=name)
        panel.set(xlabel=x, ylabel=y, ylim=(0, None))
        _named(panel, lines)
    return figure


def histograms(values: Mapping[str, np.ndarray], bins: int, x: str, ax: Any, *, log: bool = False) -> "Figure":
    """How often each value occurs, by name, in bins that all share; `x` is the axis' label.

    Args:
        log: bins of equal ratio, for positive values that span decades.
    """
    with pyplot() as plt:
        figure, (panel,) = _axes(plt, 1, ax)
        everything = np.concatenate([np.ravel(one) for one in values.values()])
        low, high = (everything.min(), everything.max()) if everything.size else (1.0, 2.0)
        if low == high:
            low, high = 0.9 * low - 1e-9, 1.1 * high + 1e-9
        edges = (np.geomspace if log else np.linspace)(low, high, bins + 1)
        for (name, one), shade in zip(values.items(), _shades(plt, len(values)), strict=True):
            panel.stairs(np.histogram(one, edges)[0], edges, color=shade, label=f"{name}: {one.size:,}", linewidth=1.2)
        panel.set(xlabel=x, ylabel="count", ylim=(0, None), xscale="log" if log else "linear")
        if log:
            panel.xaxis.set_major_formatter("{x:g}")
        _named(panel, values)
    return figure


def _axes(plt: Any, n: int, ax: Any, height: float | None = None) -> "tuple[Figure, list[Axes]]":
    if ax is not None:
        axes = [on_a_plane(plt, one) for one in np.ravel(np.asarray(ax, dtype=object))]
        if len(axes) != n:
            raise ModelError(f"{n} records need {n} axes, got {len(axes)}: name the records to draw, or leave ax out.")
        return axes[0].figure, axes
    height = height or (2.6 if n == 1 else 1.0 + 1.5 * n)
    figure, grid = plt.subplots(n, 1, sharex=True, squeeze=False, figsize=(7.0, height), layout="constrained")
    return figure, list(grid[:, 0])


def _shades(plt: Any, n: int) -> Sequence[Any]:
    return SEVERAL[:n] if n <= len(SEVERAL) else plt.get_cmap("viridis")(np.linspace(0.0, 0.85, n))


def _named(panel: "Axes", names: Mapping[str, Any]) -> None:
    """A title for one, a legend for several."""
    if len(names) == 1:
        panel.set_title(next(iter(names)))
    else:
        panel.legend(
            frameon=False, fontsize="small", loc="upper right"
        )  # the best place is slow to find among long traces


def _chosen(name: str, n: int, neurons: Sequence[int] | None) -> list[int]:
    if neurons is None:
        return list(range(min(n, MOST_LINES)))
    wrong = [i for i in neurons if not 0 <= i < n]
    if wrong:
        raise ModelError(f"'{name}' has no neuron {wrong[0]}: flat indices go from 0 to {n - 1}.")
    return list(neurons)


def _lines(plt: Any, panel: "Axes", t: np.ndarray, flat: np.ndarray, chosen: list[int]) -> None:
    shades = [ONE] if len(chosen) == 1 else plt.get_cmap("viridis")(np.linspace(0.0, 0.85, max(len(chosen), 1)))
    for shade, i in zip(shades, chosen, strict=False):
        panel.plot(t, flat[:, i], color=shade, label=str(i))
