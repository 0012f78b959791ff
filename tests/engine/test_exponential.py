"""The exponential for CPUs: its error in units in the last place, its ends, its slopes, and what other devices take."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from channelome import exponential, maths

FUNCTIONS = {
    "exp": (maths.exp, mpmath.exp, 0.8),
    "bernoulli": (maths.bernoulli, lambda y: y / mpmath.expm1(y), 1.5),
    "sigmoid": (maths.sigmoid, lambda y: 1 / (1 + mpmath.exp(-y)), 1.4),
}
"""Ours, that of 40 digits, and the error that is allowed, in units in the last place of 1."""
ENDS = {np.float32: (-87.3, 87.9), np.float64: (-708.3, 708.9)}


def points(dtype: Any) -> np.ndarray:
    """All over the range, densely around 0, on both sides of where one power of 2 follows the other, and tiny ones."""
    rng = np.random.default_rng(7)
    low, high = ENDS[dtype]
    half = (np.arange(low // np.log(2) + 2, high // np.log(2) - 2) + 0.5) * np.log(2)
    tiny = 10 ** rng.uniform(-30, 0, 100)
    beside = [half * (1 + s * np.finfo(dtype).eps) for s in (-1, 0, 1)]
    x = np.concatenate([rng.uniform(low, high, 1000), rng.uniform(-2, 2, 1000), tiny, -tiny, *beside]).astype(dtype)
    return x[(x > low) & (x < high)]


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "one by one"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_error_is_below_two_units_in_the_last_place(name: str, dtype: Any, compiled: bool) -> None:
    ours, true, bound = FUNCTIONS[name]
    x = points(dtype)
    with jax.enable_x64(dtype == np.float64), jax.disable_jit(not compiled):
        values = jax.jit(ours)(jnp.asarray(x))
    assert values.dtype == dtype
    with mpmath.workdps(40):
        errors = [float(mpmath.mpf(float(v)) / true(mpmath.mpf(float(y))) - 1) for v, y in zip(values, x, strict=True)]
    assert np.max(np.abs(errors)) < bound * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_polynomials_are_the_chebyshev_fits_of_mpmath(dtype: Any) -> None:
    ours = exponential._FORMATS[np.dtype(dtype)].polynomial

    def rest(r: Any) -> Any:
        return (mpmath.expm1(r) - r) / r**2 if abs(r) > 1e-9 else mpmath.mpf(1) / 2 + r / 6

    with mpmath.workdps(60):
        half = mpmath.log(2) / 2 * mpmath.mpf("1.0003")
        fit = mpmath.chebyfit(rest, [-half, half], len(ours), asc=True)
    np.testing.assert_array_equal(ours, np.array([float(c) for c in fit]).astype(dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_out_the_exponential_ends_at_normal_numbers_and_the_rate_at_its_limits(dtype: Any) -> None:
    with jax.enable_x64(dtype == np.float64):
        far = jnp.asarray(np.array([1e4, 1e30, np.inf], dtype))
        highest = np.exp(dtype(exponential._FORMATS[np.dtype(dtype)].highest))
        assert np.finfo(dtype).max / 4 < highest
        np.testing.assert_allclose(maths.exp(far), highest, rtol=1e-6)
        np.testing.assert_allclose(maths.exp(-far), np.finfo(dtype).tiny, rtol=1e-3)
        assert np.all(maths.bernoulli(far) < 1e-35)
        np.testing.assert_array_equal(maths.bernoulli(-far), far)
        np.testing.assert_array_equal(maths.sigmoid(far), 1.0)
        zero = jnp.asarray(np.array([0.0, -0.0, np.nan], dtype))
        np.testing.assert_array_equal(maths.exp(zero), np.array([1, 1, np.nan], dtype))
        np.testing.assert_array_equal(maths.bernoulli(zero), np.array([1, 1, np.nan], dtype))
        np.testing.assert_array_equal(maths.sigmoid(zero), np.array([0.5, 0.5, np.nan], dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_first_three_derivatives_of_the_exponential_are_itself(dtype: Any) -> None:
    with jax.enable_x64(dtype == np.float64):
        x = jnp.asarray(np.linspace(-30, 30, 61, dtype=dtype))
        derivative: Callable[[Any], Any] = maths.exp
        for take in (jax.grad, jax.jacfwd, jax.grad):
            derivative = take(derivative)
            np.testing.assert_array_equal(jax.vmap(derivative)(x), maths.exp(x))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_cpus_take_no_exponential_of_xlas_and_other_devices_no_polynomial(name: str) -> None:
    traced = jax.jit(FUNCTIONS[name][0]).trace(jnp.asarray(points(np.float32)))
    theirs = {
        "exp": "stablehlo.exponential",
        "bernoulli": "stablehlo.exponential_minus_one",
        "sigmoid": "stablehlo.exponential",
    }[name]
    for platform, text in ((p, traced.lower(lowering_platforms=(p,)).as_text()) for p in ("cpu", "cuda")):
        assert (theirs in text) == (platform == "cuda"), text
        assert ("bitcast_convert" in text) == (platform == "cpu"), text


def test_elsewhere_than_on_cpus_the_rate_is_a_quotient_with_the_same_values() -> None:
    y = jnp.asarray(np.concatenate([points(np.float64), [0.0, 1e-300, -1e-300]]))
    np.testing.assert_allclose(exponential.quotient(y), maths.bernoulli(y), rtol=1e-15)


def test_half_precision_and_plain_numbers_are_left_to_xla() -> None:
    assert float(maths.bernoulli(jnp.asarray(0.0, jnp.float16))) == 1.0
    assert maths.exp(jnp.asarray(1.0, jnp.float16)).dtype == jnp.float16
    assert maths.sigmoid(jnp.asarray(0.0, jnp.bfloat16)).dtype == jnp.bfloat16
    assert float(maths.exp(1)) == pytest.approx(np.e)
