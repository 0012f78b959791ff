"""A channel's portrait: steady states, time constants, and what four voltage-clamp protocols find, in one figure."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..cells.parts import build_channel, build_ion
from ..drawing import pyplot
from ..mechanisms.channels import Channel
from ..mechanisms.ions import Ion
from ..units import Unit, convert
from .clamp import curves
from .experiments import draw_experiments, draw_jumps, experiments, jumps
from .patch import DEFAULT_IONS, rests_on

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_V = np.linspace(-120.0, 60.0, 361)
_C = np.geomspace(1e-5, 1.0, 361)


class _Gates(NamedTuple):
    """Gates drawn over one thing: its values and its name, steady states and time constants by gate."""

    x: np.ndarray
    label: str
    steady_state: dict[str, Any]
    tau: dict[str, Any]


def portrait(
    channel: Any, *, celsius: Any = None, hold: Any = "-90 mV", ions: Iterable[Any] | None = None, title: str = ""
) -> "Figure":
    """Draw a channel's gates over the voltage, from -120 to 60 mV, and the four experiments of `channelome.protocols`.

    Activation: currents after jumps to -100 .. 60 mV. Inactivation: what is left after long prepulses at the level that
    opens most. Deactivation: tail currents after that level. Recovery: the second of two pulses to it over the first. All times
    follow from the channel's own. Gates that know the concentration of an ion and not the voltage are drawn over it,
    from 10 nM to 1 mM.

    Args:
        channel: a registered name, a class or an instance.
        celsius: temperature in degC; for a channel that depends on it, by default the one at which it was measured.
        hold: potential before the jumps, with a unit.
        ions: as of `voltage_clamp`.
        title: the class's name if empty.

    Returns:
        A matplotlib figure: only currents after jumps for a channel that the voltage does not move.

    Raises:
        UnknownName, UnitError, ModelError: as `voltage_clamp`.
        ImportError: without matplotlib.
    """
    built = build_channel(channel, "channel")
    measured = built.measured_at if built.needs_celsius else None
    at = measured if celsius is None else convert(celsius, Unit.parse("degC"), "the temperature")
    given = {"celsius": at, "ions": list(ions or ())}
    gates = _all_gates(built, given)
    with pyplot() as plt:
        moved = bool(built.occupancies) or any("V" in rests_on(built, gate) for gate in built.gates)
        figure = plt.figure(figsize=(11.5, 5.4) if moved else (9.0, 4.6), layout="constrained")
        figure.suptitle(_title(built, title, at), x=0.01, ha="left", fontsize="medium")
        columns = figure.add_gridspec(1, 2, width_ratios=(1.0, 2.1 if moved else 1.25)) if gates else None
        if columns is not None:
            left = columns[0].subgridspec(sum(2 if group.tau else 1 for group in gates), 1)
            axes = [figure.add_subplot(cell) for cell in left]
            _draw(plt, axes, gates, (*built.gates, *built.occupancies))
        slot = columns[1] if columns is not None else figure.add_gridspec(1, 1)[0]
        if moved:
            four = slot.subgridspec(2, 2, width_ratios=(1.25, 1.0))
            draw_experiments(plt, figure, [figure.add_subplot(cell) for cell in four], experiments(built, hold, given))
        else:
            draw_jumps(plt, figure, figure.add_subplot(slot), jumps(built, hold, given), hold)
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
    axes.legend(
        frameon=False, fontsize="small", handlelength=1.2, loc="best"
    )  # said, so that a busy machine is no reason to warn
