"""Voltage-clamp protocols by the names that experimenters give them: families of commands, and what is read from each sweep."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..equality import compared
from ..errors import ModelError
from ..stimuli import command
from ..stimuli.current import Current
from ..units import Unit, convert
from .clamp import voltage_clamp

_MV, _MS = Unit.parse("mV"), Unit.parse("ms")


@compared
class Sweeps(NamedTuple):
    """What a protocol finds.

    Attributes:
        t: times in ms, of shape (time,).
        I: current density in uA/cm^2, outward positive, of shape (time, sweeps).
        varied: what differs from sweep to sweep, in the protocol's unit.
        peak: the current in the protocol's window that is farthest from 0, in uA/cm^2, of shape (sweeps,).
        compared: the same over its value of reference: that of the sweep of the largest, or of the first of two pulses.
    """

    t: np.ndarray
    I: np.ndarray
    varied: np.ndarray
    peak: np.ndarray
    compared: np.ndarray


@compared
class Protocol(NamedTuple):
    """A family of commands, one sweep for each value that is varied. Made by `activation` and the others of this module.

    Attributes:
        name: of the experiment.
        command: waveform in mV, of shape (sweeps,): for `voltage_clamp` of a population of so many cells, or of a channel.
        varied: the levels in mV, or intervals in ms.
        unit: of `varied`.
        window: of each sweep when the current is read, from and to, in ms, of shape (sweeps, 2).
        reference: of each sweep when the current is read that it is compared with; None for the largest of all sweeps.
        length: of a sweep in ms.
    """

    name: str
    command: Current
    varied: np.ndarray
    unit: str
    window: np.ndarray
    reference: np.ndarray | None
    length: float

    def on(self, channel: Any, *, celsius: Any = None, ions: Iterable[Any] | None = None, samples: int = 400) -> Sweeps:
        """Do it with a channel alone.

        Args:
            channel, celsius, ions: as of `voltage_clamp`.
            samples: times in each window, denser at its beginning, and as many in the whole.
        """
        windows = self.window if self.reference is None else np.concatenate([self.window, self.reference])
        early = np.linspace(0.0, 1.0, samples) ** 2  # denser where channels open
        inside = [begin + (end - begin) * early for begin, end in np.unique(windows, axis=0)]
        t = np.unique(np.concatenate([np.linspace(0.0, self.length, samples), *inside]))
        I = np.asarray(voltage_clamp(channel, self.command, (t, "ms"), celsius=celsius, ions=ions))
        return self.read(t, I)

    def read(self, t: Any, I: Any) -> Sweeps:
        """What the protocol reads from currents at the times `t` (ms), of shape (time, sweeps): of a channel, or of a cell.

        Raises:
            ModelError: for another number of sweeps, or times that miss a window.
        """
        times, currents = np.asarray(t, float), np.asarray(I)
        if currents.shape != (times.size, self.varied.size):
            raise ModelError(
                f"the protocol '{self.name}' has {self.varied.size} sweeps: currents must be of shape ({times.size}, "
                f"{self.varied.size}), got {currents.shape}."
            )
        peak = _peaks(times, currents, self.window, self.name)
        if self.reference is not None:
            first = _peaks(times, currents, self.reference, self.name)
        else:
            first = np.full_like(peak, peak[np.argmax(np.abs(peak))])
        compared = np.divide(peak, first, out=np.zeros_like(peak), where=first != 0)
        return Sweeps(times, currents, self.varied, peak, compared)


def activation(hold: Any, levels: Any, *, width: Any, before: Any = "5 ms", after: Any = "5 ms") -> Protocol:
    """From `hold` to each of `levels` for `width`: the I-V curve. Read is the peak during the step."""
    V, (rest, on, begin, end) = _levels(levels), _numbers(hold, width, before, after)
    wave = command((rest, "mV"), ((V, "mV"), (on, "ms")), start=(begin, "ms"))
    return _protocol("activation", wave, V, "mV", begin, on, None, begin + on + end)


def inactivation(
    hold: Any, levels: Any, test: Any, *, prepulse: Any, width: Any, before: Any = "5 ms", after: Any = "5 ms"
) -> Protocol:
    """From `hold` to each of `levels` for the time `prepulse`, then to `test` for `width`: what is left to be activated.

    Read is the peak during the test.
    """
    V, (rest, on, begin, end) = _levels(levels), _numbers(hold, width, before, after)
    long, tested = convert(prepulse, _MS, "the prepulse"), convert(test, _MV, "the test level")
    wave = command((rest, "mV"), ((V, "mV"), (long, "ms")), ((tested, "mV"), (on, "ms")), start=(begin, "ms"))
    return _protocol("inactivation", wave, V, "mV", begin + long, on, None, begin + long + on + end)


def deactivation(
    hold: Any, levels: Any, test: Any, *, pulse: Any, width: Any, before: Any = "5 ms", after: Any = "5 ms"
) -> Protocol:
    """From `hold` to `test` for the time `pulse`, then back to each of `levels` for `width`: tail currents. Read are these."""
    V, (rest, on, begin, end) = _levels(levels), _numbers(hold, width, before, after)
    short, tested = convert(pulse, _MS, "the pulse"), convert(test, _MV, "the test level")
    wave = command((rest, "mV"), ((tested, "mV"), (short, "ms")), ((V, "mV"), (on, "ms")), start=(begin, "ms"))
    return _protocol("deactivation", wave, V, "mV", begin + short, on, None, begin + short + on + end)


def recovery(
    hold: Any, intervals: Any, test: Any, *, width: Any, before: Any = "5 ms", after: Any = "5 ms"
) -> Protocol:
    """From `hold` twice to `test` for `width`, with each of `intervals` at `hold` between: the second peak over the first."""
    gaps = np.atleast_1d(np.asarray(convert(intervals, _MS, "the intervals"), float))
    rest, on, begin, end = _numbers(hold, width, before, after)
    level = (convert(test, _MV, "the test level"), "mV")
    wave = command(
        (rest, "mV"), (level, (on, "ms")), ((rest, "mV"), (gaps, "ms")), (level, (on, "ms")), start=(begin, "ms")
    )
    first = np.broadcast_to([begin, begin + on], (gaps.size, 2))
    return _protocol(
        "recovery", wave, gaps, "ms", begin + on + gaps, on, first, begin + 2 * on + float(gaps.max()) + end
    )


def _levels(levels: Any) -> np.ndarray:
    return np.atleast_1d(np.asarray(convert(levels, _MV, "the levels"), float))


def _numbers(hold: Any, width: Any, before: Any, after: Any) -> tuple[float, ...]:
    times = {"the width": width, "the time before": before, "the time after": after}
    return (convert(hold, _MV, "the holding level"), *(convert(x, _MS, what) for what, x in times.items()))


def _protocol(
    name: str, wave: Current, varied: np.ndarray, unit: str, begin: Any, width: float, first: Any, length: float
) -> Protocol:
    begins = np.broadcast_to(begin, varied.shape)
    window = np.stack([begins, begins + width], axis=-1)
    return Protocol(name, wave, varied, unit, window, first, length)


def _peaks(t: np.ndarray, I: np.ndarray, window: np.ndarray, name: str) -> np.ndarray:
    """Of each sweep the current farthest from 0 within its window; the moment at which that ends is the next level's."""
    near = 1e-9 * float(np.max(window))
    inside = (t[:, None] >= window[:, 0] - near) & (t[:, None] < window[:, 1] - near)
    if not np.all(inside.any(axis=0)):
        raise ModelError(f"no time lies in the window of the protocol '{name}': {window[~inside.any(axis=0)][0]} ms.")
    at = np.argmax(np.where(inside, np.abs(I), -1.0), axis=0)
    return np.take_along_axis(I, at[None], axis=0)[0]
