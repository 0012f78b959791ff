"""The functions of channel papers: values and slopes at 0, around it and far out, in both precisions."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from channelome.maths import FARADAY, GAS, exp, ghk, linoid, nernst, q10, sigmoid

mpmath.mp.dps = 50
AROUND_0 = [0.0, *(s * x for x in (1e-300, 1e-30, 1e-12, 1e-8, 1e-5, 1e-3, 0.02, 0.1, 0.5, 1.0) for s in (1, -1))]
FAR = [s * x for x in (5.0, 20.0, 60.0, 85.0) for s in (1, -1)]
PRECISIONS = [(np.float64, 4e-15), (np.float32, 2e-6)]
KT_PER_MV = float(1e3 * GAS * 309.15 / FARADAY)


def precise(f: Callable[[Any], Any], x: float, n: int = 0) -> float:
    """`f` or its n-th derivative by mpmath with 50 digits; at a removable singularity from the limit."""
    at = mpmath.mpf(x) if abs(x) > 1e-25 else mpmath.mpf("1e-25")
    return float(mpmath.diff(f, at, n, h=mpmath.mpf("1e-12") * max(abs(at), mpmath.mpf("1e-3"))) if n else f(at))


def values_and_slopes(f: Callable[[Any], Any], x: list[float], dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    with jax.enable_x64(dtype == np.float64):
        points = jnp.asarray(np.array(x, dtype))
        values, slopes = jax.jit(jax.vmap(jax.value_and_grad(f)))(points)
        assert values.dtype == slopes.dtype == dtype
        return np.asarray(values), np.asarray(slopes)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_linoid_and_its_slope_are_those_of_50_digits(dtype: Any, tolerance: float) -> None:
    x = [float(dtype(v)) for v in AROUND_0 + FAR]
    values, slopes = values_and_slopes(linoid, x, dtype)
    true = [precise(lambda y: y / mpmath.expm1(y), v) for v in x]
    np.testing.assert_allclose(values, true, rtol=tolerance, atol=0)
    true_slopes = [precise(lambda y: (mpmath.expm1(y) - y * mpmath.exp(y)) / mpmath.expm1(y) ** 2, v) for v in x]
    np.testing.assert_allclose(slopes, true_slopes, rtol=300 * tolerance, atol=2 * tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_linoid_has_value_k_and_slope_minus_half_at_0(dtype: Any, tolerance: float) -> None:
    for k in (4.0, 10.0, -5.0):
        values, slopes = values_and_slopes(lambda x, k=k: linoid(x, k), [0.0], dtype)
        assert values[0] == dtype(k)
        assert slopes[0] == dtype(-0.5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("f", [linoid, sigmoid, lambda x: ghk(x, 1e-4, 2.0, 2, 36.0)], ids=["linoid", "sigmoid", "ghk"])
def test_tails_are_finite_in_value_and_two_slopes(f: Callable[[Any], Any], dtype: Any) -> None:
    with jax.enable_x64(dtype == np.float64):
        x = jnp.asarray(np.array([*AROUND_0, *FAR, 500.0, -500.0, 2000.0, -2000.0, 1e5, -1e5], dtype))
        for derivative in (f, jax.grad(f), jax.grad(jax.grad(f))):
            assert np.all(np.isfinite(jax.jit(jax.vmap(derivative))(x)))


def test_the_second_derivative_of_linoid_at_0_is_a_sixth() -> None:
    curvature = jax.jit(jax.vmap(jax.grad(jax.grad(linoid))))(jnp.asarray([0.0, 1e-5, -1e-5, 1e-3, -1e-3, 0.1]))
    np.testing.assert_allclose(curvature, [1 / 6] * 5 + [1 / 6 - 0.01 / 60], rtol=2e-4)


@pytest.mark.parametrize("k", [4.0, 5.0, 10.0, 3.8])
def test_slope_and_central_difference_agree_at_every_half_millivolt(k: float) -> None:
    V = np.arange(-120, 60.5, 0.5)
    rate = lambda V: 0.1 * linoid(-40.0 - V, k)  # noqa: E731
    slopes = jax.jit(jax.vmap(jax.grad(rate)))(jnp.asarray(V))
    h = 1e-4
    np.testing.assert_allclose(slopes, (rate(V + h) - rate(V - h)) / (2 * h), rtol=1e-6, atol=1e-10)


def test_the_alpha_of_hodgkin_and_huxley_has_slope_a_twentieth_at_its_singular_point() -> None:
    alpha_m = lambda V: 0.1 * linoid(-40.0 - V, 10.0)  # noqa: E731
    assert float(alpha_m(-40.0)) == 1.0
    assert float(jax.grad(alpha_m)(-40.0)) == pytest.approx(0.05, rel=1e-14)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_sigmoid_and_its_slope_are_those_of_50_digits(dtype: Any, tolerance: float) -> None:
    x = [float(dtype(v)) for v in AROUND_0 + FAR]
    values, slopes = values_and_slopes(lambda v: sigmoid(v, 2.5), x, dtype)
    true = [precise(lambda y: 1 / (1 + mpmath.exp(-y / 2.5)), v) for v in x]
    np.testing.assert_allclose(values, true, rtol=10 * tolerance)
    true = [precise(lambda y: 1 / (2 + 2 * mpmath.cosh(y / 2.5)) / 2.5, v) for v in x]
    np.testing.assert_allclose(slopes, true, rtol=50 * tolerance, atol=tolerance)


def flux(valence: int, C_in: float, C_out: float) -> Callable[[Any], Any]:
    def current(V: Any) -> Any:
        F = mpmath.mpf(FARADAY)
        v = valence * F * V / 1000 / (mpmath.mpf(GAS) * mpmath.mpf("309.15"))
        return valence * F * v * (C_in - C_out * mpmath.exp(-v)) / -mpmath.expm1(-v)

    return current


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize(
    ("valence", "C_in", "C_out"), [(2, 2.4e-4, 2.0), (1, 10.0, 140.0), (-1, 7.0, 110.0), (1, 140.0, 3.5)]
)
def test_ghk_and_its_slope_are_those_of_50_digits(
    valence: int, C_in: float, C_out: float, dtype: Any, tolerance: float
) -> None:
    V = [float(dtype(v)) for v in (0.0, 1e-9, -1e-9, 1e-4, -1e-4, 0.1, -0.1, 1.0, -1.0, 20.0, -65.0, 60.0, -120.0)]
    values, slopes = values_and_slopes(lambda v: ghk(v, C_in, C_out, valence, 36.0), V, dtype)
    scale = FARADAY * max(C_in, C_out) * abs(valence)
    true = flux(valence, C_in, C_out)
    np.testing.assert_allclose(values, [precise(true, v) for v in V], rtol=20 * tolerance, atol=20 * tolerance * scale)
    expected = [precise(true, v, n=1) for v in V]
    np.testing.assert_allclose(slopes, expected, rtol=100 * tolerance + 1e-9, atol=300 * tolerance * scale / 25)


def test_ghk_is_zero_at_the_nernst_potential_and_inward_below_it() -> None:
    E = nernst(2.4e-4, 2.0, 2, 36.0)
    assert float(ghk(E, 2.4e-4, 2.0, 2, 36.0)) == pytest.approx(0, abs=1e-9)
    assert float(ghk(-65.0, 2.4e-4, 2.0, 2, 36.0)) < 0


def test_the_nernst_potential_of_calcium_is_120_mv_at_36_degrees() -> None:
    assert float(nernst(2.4e-4, 2.0, 2, 36.0)) == pytest.approx(120.3, abs=0.05)
    assert float(nernst(5e-5, 2.0, 2, 36.0)) == pytest.approx(141.1, abs=0.05)
    assert float(nernst(2.4e-4, 2.0, 2, 36.0)) == pytest.approx(KT_PER_MV / 2 * np.log(2.0 / 2.4e-4), rel=1e-14)


@pytest.mark.parametrize(("C_in", "C_out"), [(0.0, 2.0), (2.0, 0.0), (0.0, 0.0)])
def test_the_nernst_potential_of_an_emptied_pool_is_finite(C_in: float, C_out: float) -> None:
    value, slope = jax.value_and_grad(lambda c: nernst(c, C_out, 2, 36.0))(C_in)
    assert np.isfinite(value) and np.isfinite(slope)


def test_an_anion_has_the_nernst_potential_of_the_other_sign() -> None:
    assert float(nernst(7.0, 110.0, -1, 36.0)) == -float(nernst(7.0, 110.0, 1, 36.0))


def test_q10_is_the_factor_for_each_10_degrees() -> None:
    assert float(q10(16.3, 6.3, 3.0)) == 3.0
    assert float(q10(36.0, 6.3, 3.0)) == pytest.approx(3**2.97, rel=1e-14)
    assert float(q10(6.3, 6.3, 3.0)) == 1.0
    assert float(exp(1.0)) == pytest.approx(np.e)
