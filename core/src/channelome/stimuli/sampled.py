"""Currents given at intervals of their own: samples and noise. A step of a run sees the mean of what falls into it."""

import math
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ..clock import EARLIEST, rhythm
from ..errors import ModelError
from ..streams import checked_seed
from .amounts import alike, amplitude_of, bounds_of, finite, length_of, number, one_time, time_of
from .current import Current, key_of
from .edges import after
from .form import Form, Named, Numbers

_UNITS = {"dt": "ms", "start": "ms", "key": ""}


def samples(values: Any, *, dt: Any, start: Any = "0 ms", hold: bool = False) -> Current:
    """A sampled current with its own time: `values[k]` at ``start + k dt``, linear between (or held), 0 outside.

    Args:
        values: array of shape (time,) or (time, *population), with a unit; two in time at least, or one that is held.
        dt: interval between samples.
        hold: keep each value until the next in place of interpolating.
    """
    unit, array = amplitude_of(values, "the samples", " Cut them out or interpolate them (np.interp).")
    if np.ndim(array) == 0:
        raise ModelError("samples needs an array of values along time; for a constant current use step.")
    if len(array) < (1 if hold else 2):
        few = "there is none" if not len(array) else "there is one: give hold=True, or another"
        raise ModelError(f"samples are joined by lines, and {few}.")
    interval, begin = (
        one_time(dt, "dt", "dt of the samples"),
        finite(time_of(start, "start"), "the start of the samples"),
    )
    form = HELD if hold else LINEAR
    return Current(unit, form, {"values": array, "dt": interval, "start": begin}, length_of(0.0, interval))


@dataclass(frozen=True)
class _Samples(Named):
    """`held` keeps a value for its whole interval, the last one too; else between two values lies a line.

    What is `followed` by something else leaves the moment at which it ends to that.
    """

    held: bool = False
    followed: bool = False
    straddles: bool = True

    def options(self) -> dict[str, str]:
        return {"hold": "True"} if self.held else {}

    def counted(self, numbers: Numbers, dt: float, dtype: Any) -> tuple[Form, Numbers]:
        self._check_start(numbers["start"], numbers["dt"])
        place = rhythm(dt, numbers["dt"], numbers["start"], dtype)
        straddles = not (_in_steps(numbers["dt"], dt) and _in_steps(numbers["start"], dt))
        return replace(self, straddles=straddles), {
            "values": number(numbers["values"], dtype),
            "place": place,
        }

    def mean(self, numbers: Numbers, n: Any, first: Any, last: Any) -> Any:
        """Steps are no longer than the interval, so that at most one sample lies within one."""
        k, share = numbers["place"].at(n)
        begin, end = (share + part * numbers["place"].ratio for part in (first, last))
        total = 0.0
        for j, a, b in (
            (k, jnp.minimum(begin, 1), jnp.minimum(end, 1)),
            (k + 1, jnp.maximum(begin - 1, 0), jnp.maximum(end - 1, 0)),
        ):
            total = total + self._between(numbers["values"], j, (a + b) / 2) * (b - a)
        return total / (end - begin)

    def at(self, numbers: Numbers, n: Any, share: Any) -> Any:
        k, passed = numbers["place"].at(n)
        place = passed + share * numbers["place"].ratio
        just_before = (
            jnp.ceil(place - 8 * jnp.finfo(place.dtype).eps) - 1
        )  # the end of a step is on its own side of an edge
        over = jnp.where(jnp.asarray(share) < 1, jnp.floor(place), just_before)
        return self._between(numbers["values"], k + over.astype(jnp.int32), place - over)

    def _check_start(self, start: Any, interval: Any) -> None:
        if not isinstance(start, Tracer) and not isinstance(interval, Tracer) and np.any(start < EARLIEST * interval):
            raise ModelError(
                f"the samples begin at {np.min(start):g} ms, more than {-EARLIEST:,} of them before 0: leave out the first."
            )

    def span(self, numbers: Numbers) -> tuple[float, float]:
        count = np.shape(numbers["values"])[0] - (0 if self.held else 1)
        return bounds_of(numbers["start"], numbers["start"] + count * numbers["dt"])

    def edges(self, numbers: Numbers) -> int:
        return int(self.straddles)

    def edge(self, numbers: Numbers, n: Any, share: Any) -> Any:
        return _next(numbers["place"], n, share)

    def _between(self, values: Any, k: Any, share: Any) -> Any:
        """The value in interval `k`, and past the last sample itself 0."""
        values, count = jnp.asarray(values), values.shape[0]
        here = values[jnp.clip(k, 0, count - 1)]
        if self.held:
            return jnp.where((k >= 0) & (k < count), here, 0.0)
        there = values[jnp.clip(k + 1, 0, count - 1)]
        inside = (k >= 0) & (k < count - 1)
        if not self.followed:
            inside = inside | ((k == count - 1) & (share == 0))
        return jnp.where(inside, here + share * (there - here), 0.0)


def _in_steps(time: Any, dt: float) -> bool:
    """Whether a time is known to be a whole number of steps."""
    if isinstance(time, Tracer):
        return False
    steps = np.asarray(time, float) / dt
    return bool(np.all(np.abs(steps - np.rint(steps)) <= 1e-9 * np.maximum(np.abs(steps), 1.0)))


def _next(place: Any, n: Any, share: Any) -> Any:
    """Where after `share` of step `n` an interval ends; steps are no longer than intervals."""
    _, passed = place.at(n)
    return after(share, (1 - passed) / place.ratio)


LINEAR = _Samples("samples", (("values", 1),), _UNITS)
HELD = _Samples("samples", (("values", 1),), _UNITS, held=True)


def noise(mean: Any, std: Any, *, key: Any = None, dt: Any = "0.1 ms", size: int | tuple[int, ...] = ()) -> Current:
    """Gaussian noise, redrawn every `dt` and held between: the same `key` gives the same current at any step, in any precision.

    Args:
        mean, std: of the current, each a scalar or of the population's shape.
        key: a seed, or a JAX key; if None, the noise follows from the network's seed and the population's label.
        dt: how long each value is held.
        size: shape of independent noise, that of the population; one current for all if left out.
    """
    unit, average = amplitude_of(mean)
    spread = alike(std, unit, "std of the noise")
    if not isinstance(spread, Tracer) and np.any(np.asarray(spread) < 0):
        raise ModelError(f"the std of the noise must be at least 0, got {np.min(spread):g} {unit}.")
    interval, shape = one_time(dt, "dt", "dt of the noise"), _shape(size)
    for name, value in (("mean", average), ("std", spread)):
        if shape and np.shape(value) not in ((), shape):
            raise ModelError(f"the {name} of the noise has the shape {np.shape(value)}, but its size is {shape}.")
    if key is not None and not isinstance(key, Tracer) and not _is_key(key):
        key = key_of(checked_seed(key, "the noise"))
    form = _Noise("noise", (("mean", 0), ("std", 0)), _UNITS, shape)
    return Current(unit, form, {"mean": average, "std": spread, "dt": interval, "key": key}, length_of(0.0, interval))


@dataclass(frozen=True)
class _Noise(Named):
    """Attributes:
    shape: of what is drawn at once.
    straddles: whether an interval may end within a step.
    """

    shape: tuple[int, ...] = ()
    straddles: bool = True

    def options(self) -> dict[str, str]:
        return {"size": str(self.shape[0] if len(self.shape) == 1 else self.shape)} if self.shape else {}

    def counted(self, numbers: Numbers, dt: float, dtype: Any) -> tuple[Form, Numbers]:
        interval = numbers["dt"]
        form = _Noise(self.name, self.axes, self.units, self.shape, not _in_steps(interval, dt))
        amounts = {name: number(numbers[name], dtype) for name in ("mean", "std")}
        return form, {**amounts, "key": numbers["key"], "place": rhythm(dt, interval, 0.0, dtype)}

    def mean(self, numbers: Numbers, n: Any, first: Any, last: Any) -> Any:
        k, share = numbers["place"].at(n)
        if not self.straddles:
            return self._held(numbers, k)
        begin, end = (share + part * numbers["place"].ratio for part in (first, last))
        before = (jnp.minimum(end, 1) - jnp.minimum(begin, 1)) / (end - begin)
        return before * self._held(numbers, k) + (1 - before) * self._held(numbers, k + 1)

    def at(self, numbers: Numbers, n: Any, share: Any) -> Any:
        k, passed = numbers["place"].at(n)
        if not self.straddles:
            return self._held(numbers, k)
        return self._held(numbers, k + jnp.floor(passed + share * numbers["place"].ratio).astype(jnp.int32))

    def span(self, numbers: Numbers) -> tuple[float, float]:
        return -math.inf, math.inf

    def edges(self, numbers: Numbers) -> int:
        return int(self.straddles)

    def edge(self, numbers: Numbers, n: Any, share: Any) -> Any:
        return _next(numbers["place"], n, share)

    def _held(self, numbers: Numbers, k: Any) -> Any:
        drawn = jax.random.normal(jax.random.fold_in(numbers["key"], k), self.shape, jnp.float32)
        return numbers["mean"] + numbers["std"] * drawn.astype(jnp.result_type(numbers["std"]))


def _shape(size: Any) -> tuple[int, ...]:
    shape = tuple(size) if isinstance(size, tuple | list) else (size,)
    if not all(isinstance(n, int | np.integer) and not isinstance(n, bool) and n > 0 for n in shape):
        raise ModelError(f"the size of the noise must be a positive number or a tuple of them, not {size!r}.")
    return tuple(int(n) for n in shape)


def _is_key(x: Any) -> bool:
    return isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jax.dtypes.prng_key)
