"""The exponential and ``y / (exp(y) - 1)`` on CPUs: of a step of cells with rates of the voltage the greater part.

XLA's own exponential for CPUs takes a fifth longer in float32 and a third in float64, its ``exp(y) - 1`` more than twice as
long. Here ``y = n ln 2 + r`` with a whole n: 2^n is written into the exponent of a number, ``exp(r) - 1`` is a polynomial.
Errors are below 2 units in the last place. Other devices have an instruction, and what XLA makes of it.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax


class _Format(NamedTuple):
    """What an exponential takes in one format of floats.

    Attributes:
        integer: integers of the same size.
        mantissa: bits of the mantissa; those of the exponent stand above.
        one: the bits of 1.
        whole: a sum with it has a whole number in its last bits; a conversion would ask whether there is room for it.
        lowest, highest: from the one to the other exp(y) and 2^n are normal numbers.
        log2_e: ``1 / ln 2``.
        ln_2: in two parts: the first has so few digits that its product with n is exact.
        polynomial: of ``(exp(r) - 1 - r) / r^2`` for ``abs(r) <= ln(2) / 2``, r^0 first: mpmath's `chebyfit`.
    """

    integer: Any
    mantissa: int
    one: Any
    whole: Any
    lowest: Any
    highest: Any
    log2_e: Any
    ln_2: tuple[Any, Any]
    polynomial: tuple[Any, ...]


def _format(
    real: Any, integer: Any, mantissa: int, range: tuple[float, float], ln_2: tuple[float, float], polynomial: list[float]
) -> _Format:  # fmt: skip
    parts = real(ln_2[0]), real(ln_2[1])
    return _Format(
        integer, mantissa, real(1).view(integer), real(1.5 * 2**mantissa), real(range[0]), real(range[1]),
        real(1.4426950408889634), parts, tuple(real(c) for c in polynomial),
    )  # fmt: skip


_FORMATS = {
    np.dtype(np.float32): _format(
        np.float32, np.int32, 23, (-87.33654, 88.0), (0.693145751953125, 1.428606820309417e-06),
        [0.5, 0.1666657691786797, 0.04166655452747222, 0.008363191010945651, 0.001392619852552151],
    ),
    np.dtype(np.float64): _format(
        np.float64, np.int64, 52, (-708.396, 709.0), (6.93147180369123816490e-01, 1.90821492927058770002e-10),
        [
            0.5, 0.1666666666666667, 0.04166666666666667, 0.008333333333326124, 0.001388888888888374,
            0.0001984126987486092, 2.4801587325576518e-05, 2.7557255349103387e-06, 2.755727360661718e-07,
            2.5105238269450053e-08, 2.091470215337808e-09,
        ],
    ),
}  # fmt: skip


def is_for(x: Any) -> bool:
    """Whether `x` is an array of a format that these functions know."""
    return isinstance(x, Array) and x.dtype in _FORMATS


@jax.custom_jvp
@jax.jit
def exp(y: Array) -> Array:
    """The exponential; on CPUs where it is a normal number, beyond the least and the greatest such, not 0 and not infinite."""
    return lax.platform_dependent(y, cpu=_exp, default=lax.exp)


@exp.defjvp
def _exp_slope(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    e = exp(*primals)
    return e, e * tangents[0]


@jax.custom_jvp
@jax.jit
def logistic(y: Array) -> Array:
    """``1 / (1 + exp(-y))``."""
    return lax.platform_dependent(y, cpu=lambda y: 1 / (1 + _exp(-y)), default=lax.logistic)


@logistic.defjvp
def _logistic_slope(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    s = logistic(*primals)
    return s, s * (1 - s) * tangents[0]


@jax.jit
def bernoulli(y: Array) -> Array:
    """``y / (exp(y) - 1)``, 1 at 0. Not for differentiation: `maths.bernoulli` is."""
    return lax.platform_dependent(y, cpu=_bernoulli, default=quotient)


def quotient(y: Array) -> Array:
    """`bernoulli` by XLA's ``exp(y) - 1``."""
    y = jnp.where(jnp.abs(y) < jnp.finfo(y.dtype).tiny, jnp.finfo(y.dtype).tiny, y)  # keeps 0/0 out
    return y / jnp.expm1(y)


def _exp(y: Array) -> Array:
    exponent, more = _parts(y)
    return _bits(_bits(1 + more, exponent.dtype) + exponent, y.dtype)


def _bernoulli(y: Array) -> Array:
    form = _FORMATS[y.dtype]
    exponent, more = _parts(y)
    power = _bits(exponent + form.one, y.dtype)
    below = (power - 1) + power * more  # exp(y) - 1: near 0 the first part is 0, and no digit is lost
    return jnp.where(below == 0, jnp.ones_like(y), jnp.minimum(y, form.highest) / below)


def _parts(y: Array) -> tuple[Array, Array]:
    """Of ``y = n ln 2 + r`` what multiplies by 2^n when it is added to a number's bits, and ``exp(r) - 1``."""
    form = _FORMATS[y.dtype]
    y = jnp.maximum(jnp.minimum(y, form.highest), form.lowest)
    n = lax.round(y * form.log2_e, lax.RoundingMethod.TO_NEAREST_EVEN)
    r = y - n * form.ln_2[0] - n * form.ln_2[1]
    more = r + r * r * _polynomial(list(form.polynomial), r)
    return _bits(n + form.whole, form.integer) << form.mantissa, more


def _polynomial(c: list[Any], x: Array) -> Array:
    """By pairs of terms, pairs of pairs and so on: each waits for fewer operations than in Horner's order."""
    while len(c) > 1:
        c, x = [a + b * x for a, b in zip(c[::2], c[1::2], strict=False)] + c[len(c) & ~1 :], x * x
    return c[0]


def _bits(x: Array, dtype: Any) -> Array:
    return lax.bitcast_convert_type(x, dtype)
