"""The four experiments of a channel's portrait: their times, chosen after the channel, and their panels."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..mechanisms.channels import Channel
from ..units import Unit, convert
from . import protocols
from .clamp import curves, voltage_clamp
from .protocols import Sweeps

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TEST = np.arange(-100.0, 61.0, 10.0)
_PREPULSES = np.arange(-120.0, 61.0, 5.0)
_V = np.linspace(-120.0, 60.0, 360)
"""With the holding potential as many as `portrait` draws, so that both are one program."""
_TIMES = np.geomspace(1e-2, 1e4, 241)
_SAMPLES = _TIMES.size
"""Times of every trace, so that one compiled program finds how long it shall be and then draws it."""
_BEFORE = 0.1
"""Share of what follows that is shown before a jump."""
_LONGEST = 1e5


class Jumps(NamedTuple):
    """Currents (uA/cm^2, time along the first axis) at `t` ms after jumps."""

    t: np.ndarray
    I: np.ndarray


class Experiments(NamedTuple):
    """What the four find, and the levels (mV) and times (ms) that they were done with."""

    activation: Jumps
    inactivation: Sweeps
    tails: Jumps
    recovery: Sweeps
    hold: float
    test: float
    prepulse: float
    width: float


def jumps(channel: Channel, hold: Any, given: dict[str, Any]) -> Jumps:
    """Currents after jumps from `hold`, until all have settled."""
    t = _time_axis(np.asarray(voltage_clamp(channel, (_TEST, "mV"), (_TIMES, "ms"), hold=hold, **given)))
    return Jumps(t, np.asarray(voltage_clamp(channel, (_TEST, "mV"), (t, "ms"), hold=hold, **given)))


def experiments(channel: Channel, hold: Any, given: dict[str, Any]) -> Experiments:
    """All four, with the level that opens most, each with times that the channel's own currents and time constants ask for."""
    rest = float(convert(hold, Unit.parse("mV"), "the holding potential"))
    family = jumps(channel, hold, given)
    size = np.abs(family.I)
    grows = size.max(axis=0) - size[0]  # what is opened, and not what is open and driven harder
    sweep = int(np.argmax(grows if grows.max() > 1e-3 * size.max() else size.max(axis=0)))
    test, width = float(_TEST[sweep]), float(family.t[-1])
    opening = max(float(family.t[np.argmax(np.abs(family.I[:, sweep]))]), width / _SAMPLES)
    shown = curves(channel, (np.append(_V, rest), "mV"), **given)
    slowest = max((float(np.max(tau)) for tau in shown.tau.values()), default=0.0)
    at_rest = max((float(tau[-1]) for tau in shown.tau.values()), default=0.0)
    prepulse = min(max(5 * slowest, width), _LONGEST) if slowest else 10 * width
    gaps = np.geomspace(0.01, 8, 41) * min(at_rest or width, _LONGEST)
    test_level, none = (test, "mV"), {"before": "0 ms", "after": "0 ms"}
    tested = protocols.inactivation(
        hold, (_PREPULSES, "mV"), test_level, prepulse=(prepulse, "ms"), width=(width, "ms"), **none
    )
    twice = protocols.recovery(hold, (gaps, "ms"), test_level, width=(width, "ms"), **none)
    return Experiments(
        family, tested.on(channel, samples=120, **given), _tails(channel, hold, test, opening, given),
        twice.on(channel, samples=120, **given), rest, test, prepulse, width,
    )  # fmt: skip


def _tails(channel: Channel, hold: Any, test: float, opening: float, given: dict[str, Any]) -> Jumps:
    tails = protocols.deactivation(
        hold, (_TEST, "mV"), (test, "mV"), pulse=(opening, "ms"), width=(2 * float(_TIMES[-1]), "ms"),
        before="0 ms", after="0 ms",
    )  # fmt: skip

    def currents(t: np.ndarray) -> np.ndarray:
        return np.asarray(voltage_clamp(channel, tails.command, (t + opening, "ms"), **given))

    end, n = float(_time_axis(currents(_TIMES))[-1]), _SAMPLES // 6
    before = np.linspace(-min(opening, _BEFORE * end), 0.0, n, endpoint=False)
    shown = np.concatenate([before, np.linspace(0.0, end, _SAMPLES - n)])
    return Jumps(shown, currents(shown))


# ---- drawn ---------------------------------------------------------------------------------------------------------


def draw_jumps(plt: Any, figure: "Figure", axes: "Axes", found: Jumps, hold: Any) -> None:
    """Currents after jumps from `hold`, coloured by where they go."""
    _family(plt, axes, found, "t after the jump (ms)")
    rest = convert(hold, Unit.parse("mV"), "the holding potential")
    axes.set_title(f"voltage clamp from {rest:g} mV")
    _colours(plt, figure, [axes])


def draw_experiments(plt: Any, figure: "Figure", axes: "list[Axes]", found: Experiments) -> None:
    """Activation and inactivation above, deactivation and recovery below."""
    up, left, down, back = axes
    _family(plt, up, found.activation, "t after the jump (ms)")
    up.set_title(f"activation: from {found.hold:g} mV to V")
    _family(plt, down, found.tails, "t after the step back (ms)")
    down.set_title(f"deactivation: from {found.test:g} mV to V")
    _colours(plt, figure, [up, down])
    _fraction(left, found.inactivation, "prepulse (mV)")
    left.set_title(f"inactivation: {_time(found.prepulse)} at V, then {found.test:g} mV")
    _fraction(back, found.recovery, "interval (ms)")
    back.set(xscale="log")
    back.set_title(f"recovery at {found.hold:g} mV: twice {_time(found.width)} at {found.test:g} mV")
    if np.all(found.recovery.compared > 0.95):
        back.text(0.5, 0.5, "does not inactivate", transform=back.transAxes, ha="center", color="0.5", fontsize="small")


def _fraction(axes: "Axes", found: Sweeps, label: str) -> None:
    axes.plot(found.varied, found.compared, color="#1f3b5c", linewidth=1.4, marker="o", markersize=3)
    low, high = min(0.0, float(found.compared.min())), max(1.0, float(found.compared.max()))
    axes.set(xlabel=label, ylabel="peak, relative", ylim=(low - 0.03, high + 0.05))


def _family(plt: Any, axes: "Axes", found: Jumps, label: str) -> None:
    shades = plt.get_cmap("viridis")(np.linspace(0.0, 0.92, _TEST.size))
    for current, shade in zip(found.I.T, shades, strict=True):
        axes.plot(found.t, current, color=shade, linewidth=1.2)
    axes.axhline(0.0, color="0.75", linewidth=0.7, zorder=0)
    axes.set(xlabel=label, ylabel="I (µA/cm²), outward positive", xlim=(found.t[0], found.t[-1]))


def _colours(plt: Any, figure: "Figure", axes: "list[Axes]") -> None:
    norm = plt.Normalize(_TEST[0], _TEST[-1])
    figure.colorbar(plt.cm.ScalarMappable(norm, "viridis"), ax=axes, label="V (mV)", aspect=30 * len(axes), pad=0.02)


def _time(ms: float) -> str:
    return f"{ms:.3g} ms" if ms < 1000 else f"{ms / 1000:.3g} s"


def _time_axis(I: np.ndarray) -> np.ndarray:
    """Times from the jump until all currents stay within 3 % of the largest from where they end, rounded up."""
    away = np.abs(I - I[-1]).max(axis=1) > 0.03 * max(float(np.abs(I).max()), 1e-12)
    settled = _TIMES[min(int(np.flatnonzero(away)[-1]) + 1, _TIMES.size - 1)] if away.any() else 1.0
    decade = 10.0 ** np.floor(np.log10(settled))
    end = next(step * decade for step in (1, 2, 3, 5, 10) if step * decade >= settled * (1 - 1e-9))
    return np.linspace(0.0, end, _SAMPLES)
