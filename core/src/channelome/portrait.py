"""A channel's portrait: steady states, time constants and voltage-clamp currents in one figure."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .cells.parts import build_channel
from .channels import Channel
from .clamp import Curves, curves, voltage_clamp
from .plotting import pyplot
from .units import Unit, convert

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_V = np.linspace(-120.0, 60.0, 361)
_TEST = np.arange(-100.0, 61.0, 10.0)
_TIMES = np.geomspace(1e-2, 1e4, 241)
_SAMPLES = 500


def portrait(
    channel: Any, *, celsius: Any = None, hold: Any = "-90 mV", ions: Iterable[Any] | None = None, title: str = ""
) -> "Figure":
    """Draw a channel's gates over the voltage, from -120 to 60 mV, and its currents after jumps to -100 .. 60 mV.

    Args:
        channel: a registered name, a class or an instance.
        celsius: temperature in degC; for a channel that depends on it, by default the one at which it was measured.
        hold: potential before the jumps, with a unit.
        ions: as of `voltage_clamp`.
        title: the class's name if empty.

    Returns:
        A matplotlib figure: the currents alone for a channel without gates.

    Raises:
        UnknownName, UnitError, ModelError: as `voltage_clamp`.
        ImportError: without matplotlib.
    """
    built = build_channel(channel, "channel")
    at = built.measured_at if celsius is None and built.needs_celsius else celsius
    given = {"celsius": at, "ions": list(ions or ())}
    gates = curves(built, (_V, "mV"), **given)
    t = _time_axis(np.asarray(voltage_clamp(built, (_TEST, "mV"), (_TIMES, "ms"), hold=hold, **given)))
    I = np.asarray(voltage_clamp(built, (_TEST, "mV"), (t, "ms"), hold=hold, **given))
    with pyplot() as plt:
        figure = plt.figure(figsize=(9.0, 4.6), layout="constrained")
        figure.suptitle(_title(built, title, at), x=0.01, ha="left", fontsize="medium")
        columns = figure.add_gridspec(1, 2, width_ratios=(1.0, 1.25)) if gates.steady_state else None
        if columns is not None:
            left = columns[0].subgridspec(2 if gates.tau else 1, 1)
            axes = [figure.add_subplot(cell) for cell in left]
            _gates(plt, axes, gates, (*built.gates, *built.occupancies))
        _family(plt, figure, figure.add_subplot(columns[1] if columns is not None else 111), t, I, hold)
    return figure


def _title(channel: Channel, title: str, celsius: Any) -> str:
    said = (type(channel).__doc__ or "").strip().partition("\n")[0].rstrip(".")
    warmth = f"   {float(celsius):g} degC" if channel.needs_celsius else ""
    return f"{title or type(channel).__name__}   {said}{warmth}"


def _gates(plt: Any, axes: "list[Axes]", gates: Curves, names: tuple[str, ...]) -> None:
    palette = plt.get_cmap("Dark2").colors
    shade = {name: palette[k % len(palette)] for k, name in enumerate(names)}
    _over_voltage(axes[0], gates.steady_state, shade, lambda name: f"${name}_\\infty$" if name in gates.tau else name)
    axes[0].set(ylabel="steady state", ylim=(-0.03, 1.03))
    if gates.tau:
        _over_voltage(axes[1], gates.tau, shade, lambda name: f"$\\tau_{{{name}}}$")
        spread = [float(np.max(tau) / max(float(np.min(tau)), 1e-12)) for tau in gates.tau.values()]
        peak = [float(np.max(tau)) for tau in gates.tau.values()]
        wide = max(spread) > 100 or max(peak) > 20 * min(peak)
        axes[1].set(ylabel="time constant (ms)", **({"yscale": "log"} if wide else {"ylim": (0.0, None)}))
        axes[0].sharex(axes[1])
        axes[0].tick_params(labelbottom=False)
    axes[-1].set_xlabel("V (mV)")


def _over_voltage(axes: "Axes", values: Mapping[str, Any], shade: Mapping[str, Any], label: Any) -> None:
    for name in shade:  # in the class's order: JAX sorts the names of its results
        if name in values:
            axes.plot(_V, values[name], color=shade[name], linewidth=1.6, label=label(name))
    axes.legend(frameon=False, fontsize="small", handlelength=1.2)


def _family(plt: Any, figure: "Figure", axes: "Axes", t: np.ndarray, I: np.ndarray, hold: Any) -> None:
    shades = plt.get_cmap("viridis")(np.linspace(0.0, 0.92, _TEST.size))
    for current, shade in zip(I.T, shades, strict=True):
        axes.plot(t, current, color=shade, linewidth=1.2)
    axes.axhline(0.0, color="0.75", linewidth=0.7, zorder=0)
    axes.set(xlabel="t after the jump (ms)", ylabel="I (µA/cm²), outward positive", xlim=(0.0, t[-1]))
    axes.set_title(f"voltage clamp from {convert(hold, Unit.parse('mV'), 'the holding potential'):g} mV")
    norm = plt.Normalize(_TEST[0], _TEST[-1])
    figure.colorbar(plt.cm.ScalarMappable(norm, "viridis"), ax=axes, label="to V (mV)", aspect=30, pad=0.02)


def _time_axis(I: np.ndarray) -> np.ndarray:
    """Times from the jump until all currents stay within 3 % of the largest from where they end, rounded up."""
    away = np.abs(I - I[-1]).max(axis=1) > 0.03 * max(float(np.abs(I).max()), 1e-12)
    settled = _TIMES[min(int(np.flatnonzero(away)[-1]) + 1, _TIMES.size - 1)] if away.any() else 1.0
    decade = 10.0 ** np.floor(np.log10(settled))
    end = next(step * decade for step in (1, 2, 3, 5, 10) if step * decade >= settled * (1 - 1e-9))
    return np.linspace(0.0, end, _SAMPLES)
