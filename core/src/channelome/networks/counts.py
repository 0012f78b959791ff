"""Poisson numbers by counter: what step n draws is a function of a key and of n, in any precision, on any device.

The words are those of Threefry-2x32 with 20 rounds (Salmon et al. 2011, doi:10.1145/2063384.2063405), which JAX's own keys
use; here both words of a call are used. All arithmetic is in float32, so that float64 draws the same.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

_F, _U = np.float32, np.uint32
MOST = 32.0
"""The mean that is drawn at once. More is drawn as the sum of as many parts as it takes."""
FEW = 0.125
"""Spikes per source and step below which all sources are drawn together."""


def threefry(key: tuple[Any, Any], first: Any, second: Any) -> tuple[Array, Array]:
    """Two random words for each pair of counters; all of uint32, counters of any one shape."""
    keys = (key[0], key[1], key[0] ^ key[1] ^ _U(0x1BD11BDA))
    a, b = first + keys[0], second + keys[1]
    for group in range(5):
        for bits in ((13, 15, 26, 6), (17, 29, 16, 24))[group % 2]:
            a = a + b
            b = ((b << _U(bits)) | (b >> _U(32 - bits))) ^ a
        a, b = a + keys[(group + 1) % 3], b + keys[(group + 2) % 3] + _U(group + 1)
    return a, b


def key_of(pieces: Any) -> tuple[Array, Array]:
    """From the floats of `streams.in_floats` the words of a key."""
    words = jnp.asarray(pieces).astype(jnp.uint32)
    return words[0] | words[1] << _U(16), words[2] | words[3] << _U(16)


def poisson(key: tuple[Any, Any], n: Any, mean: Array, size: int) -> Array:
    """Independent Poisson numbers of step `n`, int32 of shape (size,).

    Where all are small, their sum is drawn, and then to whom each of it belongs: that costs what there is. Else each is drawn.

    Args:
        n: number of the step, uint32.
        mean: float32, of shape () or (size,), at least 0.
    """
    highest = jnp.max(mean)
    return lax.cond(
        highest < _F(FEW),
        lambda: _together(key, n, mean, highest, size),
        lambda: _each(key, n, mean, highest, size),
    )


def _together(key: tuple[Any, Any], n: Any, mean: Array, highest: Array, size: int) -> Array:
    """As many as `size` sources of the highest mean have, each to one drawn evenly; of those with less a share is dropped."""
    total = highest * _F(size)
    parts, one = _parts(total)

    def add(part: Any, count: Array) -> Array:
        a, b = threefry(key, n, part.astype(jnp.uint32))
        fine = (a.astype(jnp.float32) + (b.astype(jnp.float32) + _F(0.5)) * _F(2.0**-32)) * _F(2.0**-32)
        return count + _inverse(fine, one)

    def give(k: Any, out: Array) -> Array:
        a, b = threefry(key, n, k.astype(jnp.uint32) | _U(1 << 31))
        index = _scaled(a, size)
        more = jnp.ones(1, jnp.int32)
        if mean.ndim:
            kept = b.astype(jnp.float32) * _F(2.0**-32) * highest < lax.dynamic_index_in_dim(
                mean, index, keepdims=False
            )
            more = kept.astype(jnp.int32)[None]
        # slices and no scatter, so that the loop is one function of the machine
        return lax.dynamic_update_slice(out, lax.dynamic_slice(out, (index,), (1,)) + more, (index,))

    count = lax.fori_loop(0, parts, add, jnp.zeros((), jnp.int32))
    return lax.fori_loop(0, count, give, jnp.zeros(size, jnp.int32))


def _each(key: tuple[Any, Any], n: Any, mean: Array, highest: Array, size: int) -> Array:
    parts, _ = _parts(highest)
    one = mean / parts.astype(jnp.float32)
    half = (size + 1) // 2
    place = jnp.arange(half, dtype=jnp.uint32)

    def add(part: Any, counts: Array) -> Array:
        words = threefry(key, jnp.broadcast_to(n, (half,)), place + part.astype(jnp.uint32) * _U(half))
        even = (jnp.concatenate(words)[:size].astype(jnp.float32) + _F(0.5)) * _F(2.0**-32)
        return counts + _inverse(even, one)

    return lax.fori_loop(0, parts, add, jnp.zeros(size, jnp.int32))


def _parts(mean: Array) -> tuple[Array, Array]:
    """In how many parts a mean is drawn, and the mean of one."""
    parts = jnp.maximum(jnp.ceil(mean / _F(MOST)), _F(1)).astype(jnp.int32)
    return parts, mean / parts.astype(jnp.float32)


def _inverse(even: Array, mean: Array) -> Array:
    """Poisson numbers by inversion: how many of the chances ``P(X > k)`` are above a number that is even in (0, 1).

    Chances of more than k, and not of k at most: small rates keep all their digits.
    """
    over, next_one = -jnp.expm1(-mean), mean * jnp.exp(-mean)

    def four(loop: Any) -> Any:
        over, exactly, k, counts = loop
        for _ in range(4):
            counts = counts + (even < over).astype(jnp.int32)
            after = exactly * (mean * (_F(1) / (k + _F(2))))
            over = over - exactly
            # beyond twice the mean, what is left is between its first term and twice that: no rounding is left over
            over = jnp.where(k + _F(3) >= 2 * mean, jnp.clip(over, after, 2 * after), over)
            exactly, k = after, k + _F(1)
        return over, exactly, k, counts

    start = over, next_one, jnp.zeros((), jnp.float32), jnp.zeros(jnp.shape(even), jnp.int32)
    return lax.while_loop(lambda loop: jnp.any(even < loop[0]), four, start)[-1]


def _scaled(word: Array, size: int) -> Array:
    """A whole number below `size` (less than 2^31) from a random word: the upper word of their product."""
    n = _U(size)
    high, low = word >> _U(16), word & _U(0xFFFF)
    top, bottom = n >> _U(16), n & _U(0xFFFF)
    middle = high * bottom + ((low * bottom) >> _U(16))
    rest = low * top + (middle & _U(0xFFFF))
    return (high * top + (middle >> _U(16)) + (rest >> _U(16))).astype(jnp.int32)
