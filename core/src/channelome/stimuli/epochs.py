"""What an amplifier is told to hold, epoch after epoch: levels, ramps, recorded traces. Of a voltage, or of a current."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ..clock import moment
from ..errors import ModelError
from ..units import Unit, convert
from .amounts import alike, amplitude_of, bounds_of, finite, length_of, number, time_of, written
from .current import Current
from .edges import after, begun
from .form import Form, Named, Numbers
from .sampled import HELD, LINEAR


def command(hold: Any, *epochs: Any, start: Any = "0 ms") -> Current:
    """`hold`, from `start` on the epochs one after another, then `hold` again.

    Args:
        hold: the holding level with a unit: a voltage for `voltage_clamp`, or a current.
        epochs: each ``(level, duration)``, a ramp ``(first, last, duration)``, or what `samples` makes of a recorded trace,
            which lasts as long as it does. Levels and durations are scalars or of the population's shape: one for each cell,
            or for each sweep.
        start: when the first epoch begins.

    Raises:
        UnitError: for a missing unit, and for an epoch whose unit is of another kind than that of `hold`.
        ModelError: for what is no epoch, a duration below 0, a level that is not finite.
    """
    unit, rest = amplitude_of(hold, "the holding level of the command")
    first, last, edges, traces = [], [], [finite(time_of(start, "start"), "the start of the command")], []
    for k, epoch in enumerate(epochs):
        where = f"epoch {k} of the command"
        if isinstance(epoch, Current):
            length = _length_of_trace(epoch, unit, edges[-1], where)
            traces.append(_moved(epoch, edges[-1]))
            ends: tuple[Any, Any] = (0.0, None)
        else:
            ends, length = _read(epoch, unit, where)
        first.append(ends[0])
        last.append(ends[1])
        edges.append(edges[-1] + length)
    numbers = {"hold": rest, "first": tuple(first), "last": tuple(last), "edges": tuple(edges)}
    lengths = [length_of(a, b) for a, b in itertools.pairwise(edges)]
    detail = min([x for x in lengths if x > 0], default=float("inf"))
    whole = Current(unit, EPOCHS, numbers, detail)
    for trace in traces:
        whole = whole + trace
    return whole


def levels_of(waveform: Current) -> tuple[list[Any], list[Any]] | None:
    """The levels of a waveform that only jumps, hold first, and the times (ms) at which each but the first begins; else None."""
    numbers = waveform.numbers
    if waveform.form != EPOCHS or any(x is not None for x in numbers["last"]):
        return None
    return [numbers["hold"], *numbers["first"], numbers["hold"]], list(numbers["edges"])


def _read(epoch: Any, unit: str, where: str) -> tuple[tuple[Any, Any], Any]:
    """Where it begins and ends (None for a level), and its duration."""
    if not isinstance(epoch, Sequence) or isinstance(epoch, str) or len(epoch) not in (2, 3):
        raise ModelError(
            f"{where} must be (level, duration), a ramp (first, last, duration) or samples(...), not {epoch!r}."
        )
    *ends, length = epoch
    values = [alike(x, unit, f"the level of {where}") for x in ends]
    duration = convert(length, Unit.parse("ms"), f"the duration of {where}")
    if not isinstance(duration, Tracer) and not np.all((np.asarray(duration) >= 0) & np.isfinite(duration)):
        raise ModelError(f"the duration of {where} must be 0 ms or more, and finite, got {duration} ms.")
    return (values[0], values[1] if len(values) == 2 else None), duration


def _length_of_trace(trace: Current, unit: str, begin: Any, where: str) -> Any:
    if trace.form not in (LINEAR, HELD) or np.any(np.asarray(trace.numbers["start"]) != 0):
        raise ModelError(f"{where}: a waveform within a command is made by samples(values, dt=...) without a start.")
    if trace.unit != unit:
        raise ModelError(f"{where} is in {trace.unit}, but the holding level is in {unit}.")
    if np.ndim(begin):
        raise ModelError(f"{where}: what comes before recorded samples must last equally long in all cells.")
    intervals = np.shape(trace.numbers["values"])[0] - (0 if trace.form == HELD else 1)
    return intervals * trace.numbers["dt"]


def _moved(trace: Current, begin: Any) -> Current:
    numbers = trace.numbers | {"start": begin}
    return Current(trace.unit, replace(trace.form, followed=True), numbers, trace.detail)  # pyright: ignore


@dataclass(frozen=True)
class _Epochs(Named):
    """Numbers: `hold`, and of K epochs `first` and `last` (None for a level) and the K + 1 `edges`."""

    def counted(self, numbers: Numbers, dt: float, dtype: Any) -> tuple[Form, Numbers]:
        edges = numbers["edges"]
        ends = zip(itertools.pairwise(edges), numbers["first"], numbers["last"], strict=True)
        from_on = [(a, first) if last is None else begun(a, b, first, last, dt) for (a, b), first, last in ends]
        lengths = [number((b - a) / dt, dtype) for (a, _), b in zip(from_on, edges[1:], strict=True)]
        return self, {
            "hold": number(numbers["hold"], dtype),
            "first": tuple(number(x, dtype) for _, x in from_on),
            "last": tuple(None if x is None else number(x, dtype) for x in numbers["last"]),
            "edges": tuple(moment(x, dt, dtype) for x in edges),
            "lengths": tuple(lengths),
        }

    def mean(self, numbers: Numbers, n: Any, first: float, last: float) -> Any:
        within = [edge.within(n, first, last) for edge in numbers["edges"]]
        total, covered = 0.0, 0.0
        for k, (a, b) in enumerate(itertools.pairwise(within)):
            share = (b - a) / (last - first)
            total = total + share * self._value(numbers, k, n, (a + b) / 2)
            covered = covered + share
        return numbers["hold"] * (1 - covered) + total

    def at(self, numbers: Numbers, n: Any, share: Any) -> Any:
        value, edges = numbers["hold"] + jnp.zeros_like(share), numbers["edges"]
        for k in range(len(edges) - 1):
            on = edges[k].passed(n, share) & ~edges[k + 1].passed(n, share)
            value = jnp.where(on, self._value(numbers, k, n, share), value)
        return value

    def span(self, numbers: Numbers) -> tuple[float, float]:
        return bounds_of(-np.inf, np.inf)

    def edges(self, numbers: Numbers) -> int:
        return len(numbers["edges"])

    def edge(self, numbers: Numbers, n: Any, share: Any) -> Any:
        found = jnp.ones_like(share)
        for edge in numbers["edges"]:
            found = jnp.minimum(found, after(share, jnp.where(edge.step == n, edge.share, 1.0)))
        return found

    def text(self, numbers: Numbers, unit: str) -> str:
        edges = numbers["edges"]
        parts = [written(numbers["hold"], unit)]
        for k, (first, last) in enumerate(zip(numbers["first"], numbers["last"], strict=True)):
            ends = [written(x, unit) for x in (first, last) if x is not None]
            parts.append(f"({', '.join([*ends, written(edges[k + 1] - edges[k], 'ms')])})")
        parts.append(f"start={written(edges[0], 'ms')}")
        return f"command({', '.join(parts)})"

    def _value(self, numbers: Numbers, k: int, n: Any, share: Any) -> Any:
        first, last = numbers["first"][k], numbers["last"][k]
        if last is None:
            return first
        length = numbers["lengths"][k]
        way = numbers["edges"][k].since(n, share) / jnp.where(length > 0, length, 1)
        return first + way * (last - first)


EPOCHS = _Epochs("command", tuple((name, 0) for name in ("hold", "first", "last", "edges", "lengths")))
