"""A channel's portrait: steady states, time constants and voltage-clamp currents in one figure."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..cells.parts import build_channel, build_ion
from ..drawing import pyplot
from ..mechanisms.channels import Channel
from ..mechanisms.ions import Ion
from ..units import Unit, convert
from .clamp import DEFAULT_IONS, curves, rests_on, voltage_clamp

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_V = np.linspace(-120.0, 60.0, 361)
_C = np.geomspace(1e-5, 1.0, 361)
_TEST = np.arange(-100.0, 61.0, 10.0)
_TIMES = np.geomspace(1e-2, 1e4, 241)
_SAMPLES = 500


class _Gates(NamedTuple):
    """Gates drawn over one thing: its values and its name, steady states and time constants by gate."""

    x: np.ndarray
    label: str
    steady_state: dict[str, Any]
    tau: dict[str, Any]


def portrait(
    channel: Any, *, celsius: Any = None, hold: Any = "-90 mV", ions: Iterable[Any] | None = None, title: str = ""
) -> "Figure":
    """Draw a channel's gates over the voltage, from -120 to 60 mV, and its currents after jumps to -100 .. 60 mV.

    Gates that know the concentration of an ion and not the voltage are drawn over it, from 10 nM to 1 mM.

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
    gates = _all_gates(built, given)
    t = _time_axis(np.asarray(voltage_clamp(built, (_TEST, "mV"), (_TIMES, "ms"), hold=hold, **given)))
    I = np.asarray(voltage_clamp(built, (_TEST, "mV"), (t, "ms"), hold=hold, **given))
    with pyplot() as plt:
        figure = plt.figure(figsize=(9.0, 4.6), layout="constrained")
        figure.suptitle(_title(built, title, at), x=0.01, ha="left", fontsize="medium")
        columns = figure.add_gridspec(1, 2, width_ratios=(1.0, 1.25)) if gates else None
        if columns is not None:
            left = columns[0].subgridspec(sum(2 if group.tau else 1 for group in gates), 1)
            axes = [figure.add_subplot(cell) for cell in left]
            _draw(plt, axes, gates, (*built.gates, *built.occupancies))
        _family(plt, figure, figure.add_subplot(columns[1] if columns is not None else 111), t, I, hold)
    return figure


def _title(channel: Channel, title: str, celsius: Any) -> str:
    said = (type(channel).__doc__ or "").strip().partition("\n")[0].rstrip(".")
    warmth = f"   {float(celsius):g} degC" if channel.needs_celsius else ""
    return f"{title or type(channel).__name__}   {said}{warmth}"


def _all_gates(channel: Channel, given: dict[str, Any]) -> list[_Gates]:
    """The gates over the voltage, and those that do not know it over the concentration that they know."""
    shown = curves(channel, (_V, "mV"), **given)
    over: dict[str, list[str]] = {}
    for gate in channel.gates:
        known = rests_on(channel, gate) - {"celsius"}
        species = next(iter(known), "V")
        if len(known) == 1 and species != "V" and _at_concentrations(species, given) is not None:
            over.setdefault(species, []).append(gate)
    still = {gate for names in over.values() for gate in names}
    groups = [_Gates(_V, "V (mV)", *({n: x for n, x in part.items() if n not in still} for part in shown[1:]))]
    for species, names in over.items():
        ions = [ion for ion in given["ions"] if build_ion(ion).species != species]
        at = curves(channel, (np.zeros_like(_C), "mV"), **given | {"ions": [*ions, _at_concentrations(species, given)]})
        label = f"C_in of {species} (mM)"
        groups.append(_Gates(_C, label, *({n: part[n] for n in names} for part in (at.steady_state, at.tau))))
    return [group for group in groups if group.steady_state]


def _at_concentrations(species: str, given: dict[str, Any]) -> Ion | None:
    """The ion of the clamp at a range of concentrations, or None where it has no constant one."""
    ions = [ion for ion in map(build_ion, given["ions"]) if ion.species == species]
    ions += [build_ion(DEFAULT_IONS[species])] if species in DEFAULT_IONS else []
    return ions[0].replace(C_in=(_C, "mM")) if ions and "C_in" in ions[0].parameters else None


def _draw(plt: Any, axes: "list[Axes]", groups: list[_Gates], names: tuple[str, ...]) -> None:
    palette = plt.get_cmap("Dark2").colors
    shade = {name: palette[k % len(palette)] for k, name in enumerate(names)}
    rows = iter(axes)
    for group in groups:
        last = top = next(rows)
        _lines(top, group, group.steady_state, shade, lambda name, tau=group.tau: _symbol(name, name in tau))
        top.set(ylabel="steady state", ylim=(-0.03, 1.03))
        if group.tau:
            last = next(rows)
            _lines(last, group, group.tau, shade, lambda name: f"$\\tau_{{{name}}}$")
            spread = [float(np.max(tau) / max(float(np.min(tau)), 1e-12)) for tau in group.tau.values()]
            peak = [float(np.max(tau)) for tau in group.tau.values()]
            wide = max(spread) > 100 or max(peak) > 20 * min(peak)
            last.set(ylabel="time constant (ms)", **({"yscale": "log"} if wide else {"ylim": (0.0, None)}))
            top.sharex(last)
            top.tick_params(labelbottom=False)
        last.set(xlabel=group.label, xscale="log" if group.x is _C else "linear")


def _symbol(name: str, gate: bool) -> str:
    return f"${{{name}}}_\\infty$" if gate else name


def _lines(axes: "Axes", group: _Gates, values: Mapping[str, Any], shade: Mapping[str, Any], label: Any) -> None:
    for name in shade:  # in the class's order: JAX sorts the names of its results
        if name in values:
            axes.plot(group.x, values[name], color=shade[name], linewidth=1.6, label=label(name))
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
