"""Pictures of traces: one panel per record above a shared time axis, and the raster of spikes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import ModelError
from .spikes import SpikeTrains

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LINES = 10
_STYLE: dict[Any, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.titlesize": "small",
    "axes.titlelocation": "left",
    "axes.xmargin": 0.0,
    "lines.linewidth": 0.9,
}
_ONE = "#1f3b5c"


def panels(
    t: np.ndarray, data: Mapping[str, np.ndarray], units: Mapping[str, str], *, neurons: Sequence[int] | None, ax: Any
) -> "Figure":
    """One panel per record of `data`, arrays of shape ``(n_samples, *size)`` at the times `t` in ms.

    Args:
        neurons: flat indices of those to draw; the first ten if None.
        ax: axes to draw in, one per record; a new figure if None.
    """
    with pyplot() as plt:
        figure, axes = _axes(plt, len(data), ax)
        for panel, (name, values) in zip(axes, data.items(), strict=True):
            flat = values.reshape(len(t), -1)
            chosen = _chosen(name, flat.shape[1], neurons)
            _lines(plt, panel, t, flat, chosen)
            panel.set_ylabel(name if units[name] == "1" else f"{name} ({units[name]})")
            if neurons is None and flat.shape[1] > len(chosen) and panel is axes[0]:
                panel.set_title(f"the first {len(chosen)} of {flat.shape[1]:,} neurons")
        if ax is None:
            figure.align_ylabels(axes)
        axes[-1].set_xlabel("t (ms)")
    return figure


def raster(spikes: SpikeTrains, span: tuple[float, float], ax: Any) -> "Figure":
    """A mark per spike: time in ms to the right over `span`, flat index of the neuron upward."""
    with pyplot() as plt:
        figure, (panel,) = _axes(plt, 1, ax)
        n = max(int(np.prod(spikes.size)), 1)
        points = panel.get_window_extent().height * 72 / figure.dpi
        # a mark is as high as a neuron's row, within what can be seen
        height = float(np.clip(0.8 * points / n, 3.0, 12.0))
        panel.plot(
            spikes.times, spikes.neurons, linestyle="none", marker="|", color=_ONE, markersize=height,
            markeredgewidth=0.8, rasterized=len(spikes) > 20_000,
        )  # fmt: skip
        panel.set(xlim=span if span[1] > span[0] else None, ylim=(-0.5, n - 0.5), xlabel="t (ms)", ylabel="neuron")
        panel.locator_params(axis="y", integer=True)
        panel.set_title(f"{len(spikes):,} spikes of {n:,} {'neuron' if n == 1 else 'neurons'}")
    return figure


@contextmanager
def pyplot() -> Iterator[Any]:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError('plotting needs matplotlib: pip install "channelome[plot]"') from error
    with plt.rc_context(_STYLE):
        yield plt


def _axes(plt: Any, n: int, ax: Any) -> "tuple[Figure, list[Axes]]":
    if ax is not None:
        axes = list(np.ravel(np.asarray(ax, dtype=object)))
        if len(axes) != n:
            raise ModelError(f"{n} records need {n} axes, got {len(axes)}: name the records to draw, or leave ax out.")
        return axes[0].figure, axes
    height = 2.6 if n == 1 else 1.0 + 1.5 * n
    figure, grid = plt.subplots(n, 1, sharex=True, squeeze=False, figsize=(7.0, height), layout="constrained")
    return figure, list(grid[:, 0])


def _chosen(name: str, n: int, neurons: Sequence[int] | None) -> list[int]:
    if neurons is None:
        return list(range(min(n, MOST_LINES)))
    wrong = [i for i in neurons if not 0 <= i < n]
    if wrong:
        raise ModelError(f"'{name}' has no neuron {wrong[0]}: flat indices go from 0 to {n - 1}.")
    return list(neurons)


def _lines(plt: Any, panel: "Axes", t: np.ndarray, flat: np.ndarray, chosen: list[int]) -> None:
    shades = [_ONE] if len(chosen) == 1 else plt.get_cmap("viridis")(np.linspace(0.0, 0.85, max(len(chosen), 1)))
    for shade, i in zip(shades, chosen, strict=False):
        panel.plot(t, flat[:, i], color=shade, label=str(i))
