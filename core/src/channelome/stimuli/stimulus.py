"""Currents put into cells, as functions of time.

A stimulus is a pytree: its numbers are arguments of the compiled program, so another amplitude does not compile anew. Its
unit says whether it is a current density (uA/cm^2) or an absolute current (nA, which needs the cell's area). It carries
its own time and never depends on the integrator's step. Depolarising currents are positive.
"""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ..errors import ModelError, UnitError
from ..units import Unit, convert

DENSITY, ABSOLUTE = "uA/cm^2", "nA"


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False)
class Current:
    """A current as a function of time: what `step`, `ramp`, `sine`, `noise`, `pulses`, `samples` and `function` make.

    Attributes:
        unit: ``"uA/cm^2"`` or ``"nA"``.
        at: from a time in ms and `numbers` the current, a scalar or of the population's shape. Part of the structure.
        numbers: what `at` computes with: a pytree, by name.
        detail: the shortest feature in time, in ms; steps of integration may not be longer.
    """

    unit: str
    at: Callable[[Any, Any], Any]
    numbers: Any
    detail: float = math.inf

    def __call__(self, t: Any) -> Any:
        """The current at `t` (ms), in `unit`."""
        return self.at(t, self.numbers)

    def __add__(self, other: "Current") -> "Current":
        if self.unit != other.unit:
            raise UnitError(
                f"a stimulus in {self.unit} and one in {other.unit} cannot be added: give both in one unit."
            )
        return Current(
            self.unit, _Sum(self.at, other.at), (self.numbers, other.numbers), min(self.detail, other.detail)
        )

    def tree_flatten(self) -> tuple[tuple[Any], tuple[Any, ...]]:
        return (self.numbers,), (self.unit, self.at)  # detail is for the door: it must not compile anew

    @classmethod
    def tree_unflatten(cls, static: tuple[Any, ...], children: tuple[Any]) -> "Current":
        return cls(*static, numbers=children[0])


@dataclass(frozen=True)
class _Sum:
    first: Callable[[Any, Any], Any]
    second: Callable[[Any, Any], Any]

    def __call__(self, t: Any, numbers: Any) -> Any:
        return self.first(t, numbers[0]) + self.second(t, numbers[1])


def step(amplitude: Any, *, start: Any = "0 ms", stop: Any = None) -> Current:
    """A constant current from `start` to `stop` (to the end if None).

    Args:
        amplitude: a density or an absolute current, scalar or of the population's shape.
    """
    unit, value = _amplitude(amplitude)
    begin, end = _time(start, "start"), math.inf if stop is None else _time(stop, "stop")
    _ordered(begin, end)
    return Current(unit, _step, {"amplitude": value, "start": begin, "stop": end}, _length(begin, end))


def _step(t: Any, n: Any) -> Any:
    t = _rounded_up(t)
    return jnp.where((t >= n["start"]) & (t < n["stop"]), n["amplitude"], 0.0)


def ramp(first: Any, last: Any, *, start: Any = "0 ms", stop: Any) -> Current:
    """A current that goes linearly from `first` at `start` to `last` at `stop`, and is 0 outside."""
    unit, a = _amplitude(first)
    b = convert(last, Unit.parse(unit), "the last value of the ramp")
    begin, end = _time(start, "start"), _time(stop, "stop")
    _ordered(begin, end)
    return Current(unit, _ramp, {"first": a, "last": b, "start": begin, "stop": end}, _length(begin, end))


def _ramp(t: Any, n: Any) -> Any:
    share = (t - n["start"]) / (n["stop"] - n["start"])
    return jnp.where((share >= 0) & (share < 1), n["first"] + share * (n["last"] - n["first"]), 0.0)


def sine(amplitude: Any, *, period: Any, offset: Any = None, phase: float = 0.0) -> Current:
    """``offset + amplitude sin(2 pi t / period + phase)``, phase in radians."""
    unit, value = _amplitude(amplitude)
    mean = 0.0 if offset is None else convert(offset, Unit.parse(unit), "the offset of the sine")
    length = _time(period, "period")
    _positive(length, "the period of the sine")
    return Current(
        unit, _sine, {"amplitude": value, "period": length, "offset": mean, "phase": phase}, _length(0.0, length) / 2
    )


def _sine(t: Any, n: Any) -> Any:
    return n["offset"] + n["amplitude"] * jnp.sin(2 * jnp.pi * t / n["period"] + n["phase"])


def pulses(amplitude: Any, *, times: Any, width: Any) -> Current:
    """Rectangular pulses of one `width`, each beginning at one of `times`; where they overlap they add up."""
    unit, value = _amplitude(amplitude)
    begins = np.sort(np.atleast_1d(np.asarray(_time(times, "times"))))
    length = _time(width, "width")
    _positive(length, "the width of the pulses")
    return Current(unit, _pulses, {"amplitude": value, "times": begins, "width": length}, _length(0.0, length))


def _pulses(t: Any, n: Any) -> Any:
    t = _rounded_up(t)
    running = jnp.searchsorted(n["times"], t, side="right") - jnp.searchsorted(n["times"], t - n["width"], side="right")
    return n["amplitude"] * running


def samples(values: Any, *, dt: Any, start: Any = "0 ms", hold: bool = False) -> Current:
    """A sampled current with its own time: `values[k]` at ``start + k dt``, linear between (or held), 0 outside.

    Args:
        values: array of shape (time,) or (time, *population), with a unit.
        dt: interval between samples.
        hold: keep each value until the next in place of interpolating.
    """
    unit, array = _amplitude(values)
    if np.ndim(array) == 0:
        raise ModelError("samples needs an array of values along time; for a constant current use step.")
    interval, begin = _time(dt, "dt"), _time(start, "start")
    _positive(interval, "dt of the samples")
    at = _held if hold else _interpolated
    return Current(unit, at, {"values": array, "dt": interval, "start": begin}, _length(0.0, interval))


def _held(t: Any, n: Any) -> Any:
    k = jnp.floor((_rounded_up(t) - n["start"]) / n["dt"]).astype(int)
    count = n["values"].shape[0]
    return jnp.where((k >= 0) & (k < count), jnp.asarray(n["values"])[jnp.clip(k, 0, count - 1)], 0.0)


def _interpolated(t: Any, n: Any) -> Any:
    place = (t - n["start"]) / n["dt"]
    values, last = jnp.asarray(n["values"]), n["values"].shape[0] - 1
    k = jnp.clip(jnp.floor(place).astype(int), 0, max(last - 1, 0))
    share = place - k
    between = values[k] + share * (values[jnp.minimum(k + 1, last)] - values[k])
    return jnp.where((place >= 0) & (place <= last), between, 0.0)


def noise(mean: Any, std: Any, *, key: Any, dt: Any = "0.1 ms", size: int | tuple[int, ...] = ()) -> Current:
    """Gaussian noise, redrawn every `dt` and held between: the same `key` gives the same current at any step.

    Args:
        mean, std: of the current, each a scalar or of the population's shape.
        key: a seed, or a JAX key.
        dt: how long each value is held.
        size: shape of independent noise, that of the population; one current for all if left out.
    """
    unit, average = _amplitude(mean)
    spread = convert(std, Unit.parse(unit), "std of the noise")
    interval = _time(dt, "dt")
    _positive(interval, "dt of the noise")
    shape = (size,) if isinstance(size, int) else tuple(size)
    key = jax.random.key(key) if isinstance(key, int) else key
    return Current(
        unit, _Noise(shape), {"mean": average, "std": spread, "dt": interval, "key": key}, _length(0.0, interval)
    )


@dataclass(frozen=True)
class _Noise:
    shape: tuple[int, ...]

    def __call__(self, t: Any, n: Any) -> Any:
        k = jnp.floor(_rounded_up(t) / n["dt"]).astype(int)
        return n["mean"] + n["std"] * jax.random.normal(jax.random.fold_in(n["key"], k), self.shape)


def function(f: Callable[[Any], Any], *, unit: str, detail: Any = None) -> Current:
    """A current given as a function of the time in ms, which JAX can trace, in `unit`.

    Args:
        unit: of what `f` returns, for instance ``"nA"`` or ``"uA/cm^2"``.
        detail: the shortest feature of `f` in time, if steps of integration shall be checked against it.
    """
    if not callable(f) or len(inspect.signature(f).parameters) != 1:
        raise ModelError(f"a stimulus function takes the time in ms, f(t); got {f!r}.")
    own = Unit.parse(unit)
    target = next((u for u in (DENSITY, ABSOLUTE) if Unit.parse(u).dimension == own.dimension), None)
    if target is None:
        raise UnitError(
            f"the unit of a stimulus must be a current or a current density, such as 'nA' or 'uA/cm^2', not '{unit}'."
        )
    scale = own.scale / Unit.parse(target).scale
    return Current(target, _Function(f), {"scale": scale}, math.inf if detail is None else _time(detail, "detail"))


@dataclass(frozen=True)
class _Function:
    f: Callable[[Any], Any]

    def __call__(self, t: Any, n: Any) -> Any:
        return n["scale"] * self.f(t)


def _amplitude(value: Any) -> tuple[str, Any]:
    """Whether `value` is a density or an absolute current, and its number in that unit."""
    try:
        return DENSITY, convert(value, Unit.parse(DENSITY), "the amplitude of the stimulus")
    except UnitError:
        pass
    try:
        return ABSOLUTE, convert(value, Unit.parse(ABSOLUTE), "the amplitude of the stimulus")
    except UnitError as error:
        raise UnitError(
            f"the amplitude of a stimulus must be a current density (such as '2 uA/cm^2') or a current (such as '0.2 nA'), got {value!r}."
        ) from error


def _time(value: Any, what: str) -> Any:
    return convert(value, Unit.parse("ms"), f"{what} of the stimulus")


def _positive(value: Any, what: str) -> None:
    if not isinstance(value, Tracer) and not np.all(np.asarray(value) > 0):
        raise ModelError(f"{what} must be positive, got {value} ms.")


def _ordered(start: Any, stop: Any) -> None:
    if not isinstance(start, Tracer) and not isinstance(stop, Tracer) and np.any(stop <= start):
        raise ModelError(f"the stimulus stops at {stop} ms, which is not after its start at {start} ms.")


def _rounded_up(t: Any) -> Any:
    """`t`, later by what rounding may have taken: the step ``k dt`` at which an edge lies is not to fall before it."""
    return t * (1 + 4 * jnp.finfo(jnp.result_type(t, float)).eps)


def _length(start: Any, stop: Any) -> float:
    if isinstance(start, Tracer) or isinstance(stop, Tracer):
        return math.inf
    return float(np.min(np.asarray(stop) - np.asarray(start)))
