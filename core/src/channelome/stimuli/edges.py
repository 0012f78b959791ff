"""Currents with edges: steps, ramps, pulses. An edge may lie anywhere in a step: charge and order are kept."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ..clock import EARLIEST, Moment, moment
from ..errors import ModelError
from .amounts import alike, amplitude_of, bounds_of, finite, length_of, number, one_time, time_of
from .current import Current
from .form import Form, Named, Numbers

_TIMES = {"start": "ms", "stop": "ms", "times": "ms", "width": "ms"}


def step(amplitude: Any, *, start: Any = "0 ms", stop: Any = None) -> Current:
    """A constant current from `start` to `stop` (to the end if None).

    Args:
        amplitude: a density or an absolute current, scalar or of the population's shape.
    """
    unit, value = amplitude_of(amplitude)
    begin, end = time_of(start, "start"), math.inf if stop is None else time_of(stop, "stop")
    _ordered(begin, end)
    return Current(unit, STEP, {"amplitude": value, "start": begin, "stop": end}, length_of(begin, end))


def after(share: Any, places: Any) -> Any:
    """Of edges at `places` those that come after `share` and before the end of the step by more than rounding; others at 1."""
    place = jnp.asarray(places)
    near = 100 * jnp.finfo(place.dtype).eps
    return jnp.where((place > share + near) & (place < 1 - near), place, jnp.ones_like(place))


class Edgeless:
    """The part of a form that has no edge inside any step."""

    def edges(self, numbers: Numbers) -> int:
        return 0

    def edge(self, numbers: Numbers, n: Any, share: Any) -> Any:
        return jnp.ones_like(share)


@dataclass(frozen=True)
class _Step(Named):
    def counted(self, numbers: Numbers, dt: float, dtype: Any) -> tuple[Form, Numbers]:
        edges = {name: moment(numbers[name], dt, dtype) for name in ("start", "stop")}
        amplitude = number(numbers["amplitude"], dtype)
        if _on_steps(edges):
            return ON_STEPS, {"amplitude": amplitude, **{name: x.step for name, x in edges.items()}}
        return self, {"amplitude": amplitude, **edges}

    def mean(self, numbers: Numbers, n: Any, first: Any, last: Any) -> Any:
        start, stop = (numbers[name].within(n, first, last) for name in ("start", "stop"))
        return numbers["amplitude"] * ((stop - start) / (last - first))

    def at(self, numbers: Numbers, n: Any, share: Any) -> Any:
        on = numbers["start"].passed(n, share) & ~numbers["stop"].passed(n, share)
        return jnp.where(on, numbers["amplitude"], 0.0)

    def span(self, numbers: Numbers) -> tuple[float, float]:
        return bounds_of(numbers["start"], numbers["stop"])

    def edges(self, numbers: Numbers) -> int:
        return 1  # a step of current is no shorter than one of time

    def edge(self, numbers: Numbers, n: Any, share: Any) -> Any:
        return _first_of(numbers, n, share)


@dataclass(frozen=True)
class _OnSteps(Edgeless, Named):
    """A step whose edges lie between two steps of the run, which is worth a form of its own: few neurons cost little more."""

    def counted(self, numbers: Numbers, dt: float, dtype: Any) -> tuple[Form, Numbers]:
        raise NotImplementedError("it is counted already")

    def mean(self, numbers: Numbers, n: Any, first: Any, last: Any) -> Any:
        return jnp.where((n >= numbers["start"]) & (n < numbers["stop"]), numbers["amplitude"], 0.0)

    def at(self, numbers: Numbers, n: Any, share: Any) -> Any:
        return self.mean(numbers, n, 0.0, 1.0) + jnp.zeros_like(share)

    def span(self, numbers: Numbers) -> tuple[float, float]:
        raise NotImplementedError("it is counted already")


def _on_steps(edges: Mapping[str, Moment]) -> bool:
    """Whether all edges are known to lie between two steps."""
    return all(isinstance(x.share, np.ndarray | np.generic) and not np.any(x.share) for x in edges.values())


def _first_of(numbers: Numbers, n: Any, share: Any) -> Any:
    """The first of the edges `start` and `stop` after `share` of step `n`."""
    start, stop = (
        after(share, jnp.where(numbers[name].step == n, numbers[name].share, 1.0)) for name in ("start", "stop")
    )
    return jnp.minimum(start, stop)


_AXES = (("amplitude", 0), ("start", 0), ("stop", 0))
STEP, ON_STEPS = _Step("step", _AXES, _TIMES), _OnSteps("step", _AXES, _TIMES)


def ramp(first: Any, last: Any, *, start: Any = "0 ms", stop: Any) -> Current:
    """A current that goes linearly from `first` at `start` to `last` at `stop`, and is 0 outside."""
    unit, a = amplitude_of(first)
    b = alike(last, unit, "the last value of the ramp")
    begin, end = (finite(time_of(t, name), f"the {name} of the ramp") for t, name in ((start, "start"), (stop, "stop")))
    _ordered(begin, end)
    return Current(unit, RAMP, {"first": a, "last": b, "start": begin, "stop": end}, length_of(begin, end))


@dataclass(frozen=True)
class _Ramp(Named):
    """Attributes:
    inside: whether its ends may lie inside a step.
    """

    inside: bool = True

    def counted(self, numbers: Numbers, dt: float, dtype: Any) -> tuple[Form, Numbers]:
        edges = {name: moment(numbers[name], dt, dtype) for name in ("start", "stop")}
        begin, first = begun(numbers["start"], numbers["stop"], numbers["first"], numbers["last"], dt)
        length = number((numbers["stop"] - begin) / dt, dtype)
        ends = {"first": number(first, dtype), "last": number(numbers["last"], dtype)}
        form = _Ramp(self.name, self.axes, self.units, not _on_steps(edges))
        return form, {**ends, **edges, "length": length}

    def mean(self, numbers: Numbers, n: Any, first: Any, last: Any) -> Any:
        start, stop = (numbers[name].within(n, first, last) for name in ("start", "stop"))
        return self._value(numbers, n, (start + stop) / 2) * ((stop - start) / (last - first))

    def at(self, numbers: Numbers, n: Any, share: Any) -> Any:
        on = numbers["start"].passed(n, share) & ~numbers["stop"].passed(n, share)
        return jnp.where(on, self._value(numbers, n, share), 0.0)

    def span(self, numbers: Numbers) -> tuple[float, float]:
        return bounds_of(numbers["start"], numbers["stop"])

    def edges(self, numbers: Numbers) -> int:
        return int(self.inside)

    def edge(self, numbers: Numbers, n: Any, share: Any) -> Any:
        return _first_of(numbers, n, share)

    def _value(self, numbers: Numbers, n: Any, share: Any) -> Any:
        way = numbers["start"].since(n, share) / numbers["length"]
        return numbers["first"] + way * (numbers["last"] - numbers["first"])


def begun(start: Any, stop: Any, first: Any, last: Any, dt: float) -> tuple[Any, Any]:
    """Of a ramp that began before times are told apart, where it is from then on: that time, and its value there."""
    if isinstance(start, Tracer) or isinstance(stop, Tracer) or np.all(start >= EARLIEST * dt):
        return start, first
    begin = np.where(stop > EARLIEST * dt, np.maximum(start, EARLIEST * dt), start)
    return begin, first + (begin - start) / (stop - start) * (last - first)


RAMP = _Ramp("ramp", (("first", 0), ("last", 0), ("start", 0), ("stop", 0), ("length", 0)), _TIMES)


def pulses(amplitude: Any, *, times: Any, width: Any) -> Current:
    """Rectangular pulses of one `width`, each beginning at one of `times`; where they overlap they add up."""
    unit, value = amplitude_of(amplitude)
    given = time_of(times, "times")
    if np.ndim(given) > 1:
        raise ModelError(f"the times of the pulses are one list, for all neurons, not of the shape {np.shape(given)}.")
    begins = jnp.sort(jnp.atleast_1d(given)) if isinstance(given, Tracer) else np.sort(np.atleast_1d(np.asarray(given)))
    length = one_time(width, "width", "the width of the pulses")
    return Current(unit, PULSES, {"amplitude": value, "times": begins, "width": length}, length_of(0.0, length))


@dataclass(frozen=True)
class _Pulses(Named):
    """All edges in their order, up and down. Before step n as many are passed as a search says; those in it are summed.

    Attributes:
        most: edges in one step, at most.
        inside: of these not at its beginning.
    """

    most: int = 0
    inside: int = 0

    def counted(self, numbers: Numbers, dt: float, dtype: Any) -> tuple[Form, Numbers]:
        times, width = numbers["times"], numbers["width"]
        traced = isinstance(times, Tracer) or isinstance(width, Tracer)
        xp: Any = jnp if traced else np
        when = xp.concatenate([xp.asarray(times), xp.asarray(times) + width])
        rises = np.repeat([1, -1], when.shape[0] // 2).astype(np.int32)
        order = xp.argsort(when)
        edges, sign = moment(when[order], dt, dtype), rises[order] if not traced else jnp.asarray(rises)[order]
        most = (
            when.shape[0]
            if traced
            else int(np.bincount(edges.step - edges.step.min(initial=0)).max(initial=0))
            if when.size
            else 0
        )
        level = xp.concatenate([np.zeros(1, np.int32), xp.cumsum(sign, dtype=np.int32)])
        within = edges.step[edges.share > 0] if not traced else edges.step
        inside = (
            most if traced else int(np.bincount(within - within.min(initial=0)).max(initial=0)) if within.size else 0
        )
        kind = _Pulses(self.name, self.axes, self.units, most, inside)
        return kind, {"amplitude": number(numbers["amplitude"], dtype), "edges": edges, "sign": sign, "level": level}

    def mean(self, numbers: Numbers, n: Any, first: Any, last: Any) -> Any:
        level, rising, edges = self._here(numbers, n)
        over = max(jnp.ndim(first), jnp.ndim(last))  # shares may be by neuron
        rising, step, share = (x.reshape(-1, *[1] * over) for x in (rising, *edges))
        first, last = (jnp.expand_dims(x, 0) if jnp.ndim(x) else x for x in (first, last))
        lasting = (last - Moment(step, share).within(n, first, last)) / (last - first)
        return numbers["amplitude"] * (level + jnp.sum(rising * lasting, axis=0))

    def at(self, numbers: Numbers, n: Any, share: Any) -> Any:
        level, rising, edges = self._here(numbers, n)
        return numbers["amplitude"] * (level + jnp.sum(jnp.where(edges.passed(n, share), rising, 0.0)))

    def span(self, numbers: Numbers) -> tuple[float, float]:
        return bounds_of(numbers["times"], numbers["times"] + numbers["width"])

    def edges(self, numbers: Numbers) -> int:
        return self.inside

    def edge(self, numbers: Numbers, n: Any, share: Any) -> Any:
        _, rising, edges = self._here(numbers, n)
        there = (rising != 0) & (edges.step == n)
        step, place = (x.reshape(-1, *[1] * jnp.ndim(share)) for x in (there, edges.share))
        share = jnp.expand_dims(share, 0) if jnp.ndim(share) else share
        return jnp.min(after(share, jnp.where(step, place, 1.0)), axis=0, initial=1.0)

    def _here(self, numbers: Numbers, n: Any) -> tuple[Any, Any, Any]:
        """How many pulses are on when step `n` begins, and its edges; those that come later change nothing in it."""
        edges, dtype = numbers["edges"], numbers["edges"].share.dtype
        steps = jnp.asarray(edges.step)
        passed = jnp.searchsorted(steps, n, side="left")
        index = passed + jnp.arange(self.most)
        there = index < steps.shape[0]
        index = jnp.minimum(index, steps.shape[0] - 1)
        rising = jnp.where(there, jnp.asarray(numbers["sign"])[index], 0).astype(dtype)
        level = jnp.asarray(numbers["level"])[passed].astype(dtype)
        return level, rising, type(edges)(steps[index], jnp.asarray(edges.share)[index])


PULSES = _Pulses("pulses", (("amplitude", 0),), _TIMES)


def positive(value: Any, what: str) -> None:
    if not isinstance(value, Tracer) and not np.all(np.asarray(value) > 0):
        raise ModelError(f"{what} must be positive, got {value} ms.")


def _ordered(start: Any, stop: Any) -> None:
    if not isinstance(start, Tracer) and not isinstance(stop, Tracer) and np.any(stop <= start):
        raise ModelError(f"the stimulus stops at {stop} ms, which is not after its start at {start} ms.")
