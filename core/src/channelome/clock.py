"""Exact time: a moment is a whole number of steps and a share of one, and a rhythm is a fraction of 96 bits.

A float32 holds no time beyond 10^5 ms to the tenth of a step. So times are turned into steps and shares in float64 when a
run is prepared, steps are counted in integers, and what repeats every so many steps is found by multiplying integers.
"""

from fractions import Fraction
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.core import Tracer

MOST_STEPS = 2**31 - 2**22
"""Steps that a run, and all that came before it, may have: their numbers, and differences of them, fit 32 bits."""
EARLIEST = -(2**20)
"""Before it nothing is told apart: what began earlier began there."""
_NEVER = 2**31 - 1


class Moment(NamedTuple):
    """A time in steps: the whole `step` (int32) and the `share` of the next one, from 0 to 1; of any shape."""

    step: Any
    share: Any

    def within(self, n: Any, first: Any, last: Any) -> Array:
        """The share of step `n` at which it comes, cut off at `first` and `last`."""
        return jnp.clip(_float(self.step - n, self.share) + self.share, first, last)

    def since(self, n: Any, share: Any) -> Array:
        """Steps from it to `share` of step `n`; rounded where they are very many."""
        return _float(n - self.step, self.share) + (share - self.share)

    def passed(self, n: Any, share: Any) -> Array:
        """Whether it lies at or before `share` of step `n`."""
        return (self.step < n) | ((self.step == n) & (self.share <= share))


def moment(t: Any, dt: float, dtype: Any) -> Moment:
    """The times `t` (ms, infinity for never) in steps of `dt` ms.

    A time within the rounding of float64 of a whole number of steps is that: 0.3 ms are three steps of 0.1.
    """
    if isinstance(t, Tracer):
        return _traced_moment(jnp.asarray(t, dtype), dt)
    steps = np.clip(np.asarray(t, float) / dt, EARLIEST, _NEVER)
    nearest = np.rint(steps)
    near = np.abs(steps - nearest) <= 4 * np.finfo(float).eps * np.abs(steps)
    steps = np.where(near, nearest, steps)
    whole = np.floor(steps)
    return Moment(whole.astype(np.int32), (steps - whole).astype(dtype))


def _traced_moment(t: Array, dt: float) -> Moment:
    """In the precision of `t`, without adding to its rounding: the remainder of a division is exact."""
    long = jnp.asarray(dt, t.dtype)
    rest = float(dt) - float(np.asarray(dt, t.dtype))  # what the precision leaves out of dt
    never = (t / long) >= _NEVER
    t = jnp.where(never, 0.0, t)
    over = lax.rem(t, long)
    whole = lax.stop_gradient(jnp.rint((t - over) / long))
    share = (over - whole * rest) / long
    carried = lax.stop_gradient(jnp.floor(share))
    step = jnp.maximum(whole + carried, EARLIEST).astype(jnp.int32)
    return Moment(jnp.where(never, _NEVER, step), jnp.where(never, 0.0, share - carried))


class Rhythm(NamedTuple):
    """Where step n stands in something that repeats: ``n ratio - offset``, whole periods and the share of the next.

    Attributes:
        whole, high, low: the periods in one step: a whole number and 64 bits of fraction.
        ratio: the same as a float, for derivatives and parts of a step.
        offset: where step 0 stands before period 0.
    """

    whole: Any
    high: Any
    low: Any
    ratio: Any
    offset: Moment

    def at(self, n: Any) -> tuple[Array, Array]:
        """The period at the beginning of step `n`, and the share of it that has passed, in [0, 1]."""
        count = jnp.maximum(n, 0).astype(jnp.uint32)
        middle = count * self.high
        above = middle + _upper(count, self.low)
        period = _upper(count, self.high) + (above < middle).astype(jnp.uint32) + count * self.whole
        share = (_float(above, self.ratio) + _float(count * self.low, self.ratio) * 2.0**-32) * 2.0**-32
        smooth = _float(n, self.ratio) * self.ratio  # the same number, rounded: it has the derivative
        share = share + (smooth - lax.stop_gradient(smooth)) + _float(jnp.minimum(n, 0), self.ratio) * self.ratio
        share = share - self.offset.share
        turned = lax.stop_gradient(jnp.floor(share))
        return period.astype(jnp.int32) - self.offset.step + turned.astype(jnp.int32), share - turned


def rhythm(dt: float, period: Any, start: Any, dtype: Any) -> Rhythm:
    """The rhythm of steps of `dt` ms in what has the `period` (ms) and begins at `start` (ms)."""
    if isinstance(period, Tracer) or np.ndim(period):
        ratio, words = _parts(dt, period, dtype)
    else:
        # As people write them, 0.1 ms go five times into 0.5 ms, whatever their floats do.
        exact = Fraction(repr(float(dt))) / Fraction(repr(float(period)))
        bits = -int(-exact * 2**64 // 1)
        ratio = np.asarray(float(exact), dtype)
        words = [np.uint32(x) for x in (bits >> 64, (bits >> 32) & 0xFFFFFFFF, bits & 0xFFFFFFFF)]
    whole, high, low = words
    return Rhythm(whole, high, low, ratio, moment(start / period, 1.0, dtype))


def _parts(dt: float, period: Any, dtype: Any) -> tuple[Any, list[Any]]:
    """The ratio, and its whole part and 64 bits of fraction as far as its precision goes."""
    if isinstance(period, Tracer):
        ratio = dt / jnp.asarray(period, dtype)
        xp, exact = jnp, lax.stop_gradient(ratio)
    else:
        exact = dt / np.asarray(period, float)
        xp, ratio = np, exact.astype(dtype)
    whole = xp.floor(exact)
    high = xp.floor((exact - whole) * 2.0**32)
    low = xp.floor(((exact - whole) * 2.0**32 - high) * 2.0**32)
    return ratio, [x.astype(xp.uint32) for x in (whole, high, low)]


def _upper(a: Any, b: Any) -> Array:
    """The upper 32 of the 64 bits of a product of two words."""
    a_high, a_low, b_high, b_low = a >> 16, a & 0xFFFF, b >> 16, b & 0xFFFF
    low = a_low * b_low
    one = a_high * b_low + (low >> 16)
    two = a_low * b_high + (one & 0xFFFF)
    return a_high * b_high + (one >> 16) + (two >> 16)


def _float(x: Any, like: Any) -> Array:
    """Integers in the precision of `like`."""
    return jnp.asarray(x).astype(jnp.result_type(like))
