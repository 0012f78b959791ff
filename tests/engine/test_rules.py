"""The factors that stand for the exponential of a step, against their closed forms."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from channelome.mechanisms.rules import CLIPPED_PADE, EXACT

Z = np.concatenate([[0.0], np.geomspace(1e-6, 1e6, 241)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_clipped_pade_step_is_that_of_its_closed_form_and_keeps_gates_between_0_and_1(dtype: Any) -> None:
    x, rest, z = (a.ravel().astype(dtype) for a in np.meshgrid(np.linspace(0, 1, 13), np.linspace(0, 1, 11), Z))
    with jax.enable_x64(dtype == np.float64):
        after = jax.jit(CLIPPED_PADE.cross)(jnp.asarray(x), jnp.asarray(rest * z), jnp.asarray(z))
    x, source, z = (np.asarray(a, np.float64) for a in (x, rest * z, z))
    true = (np.maximum(1 - z / 2, 0) * x + source) / np.maximum(1 + z / 2, z)
    np.testing.assert_allclose(after, true, rtol=0, atol=3 * np.finfo(dtype).eps)
    assert np.all((after >= 0) & (after <= 1))


@pytest.mark.parametrize(
    ("z", "kept"), [(0.0, -0.5), (0.3, -0.5), (1.99, -0.5), (2.01, 0.0), (7.0, 0.0), (1e6, 0.0), (-0.4, -0.5)]
)
def test_the_slopes_of_the_clipped_pade_step_are_those_of_its_closed_form(z: float, kept: float) -> None:
    """They are written in terms of the step's own result; `kept` is how what is kept of x changes with z."""
    x, source = np.array([0.0, 0.3, 1.0]), 0.7 * z + 0.1
    with jax.enable_x64(True):
        given = jnp.asarray(x), jnp.full(3, source), jnp.full(3, z)
        found = jax.vmap(jax.grad(CLIPPED_PADE.cross, argnums=(0, 1, 2)))(*given)
        along = jax.jvp(CLIPPED_PADE.cross, given, tuple(jnp.full(3, t) for t in (1.0, 2.0, 3.0)))[1]
    share = max(1 - z / 2, 0.0)
    y = (share * x + source) / (share + z)
    true = np.stack([share + 0 * x, 1 + 0 * x, kept * x - (kept + 1) * y]) / (share + z)
    np.testing.assert_allclose(np.stack(found), true, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(along, np.array([1.0, 2.0, 3.0]) @ true, rtol=1e-13, atol=1e-15)


def test_the_gain_of_v_is_that_of_its_closed_form_and_finite_at_any_slope() -> None:
    z = jnp.asarray(np.concatenate([-Z[::-1], Z]))
    np.testing.assert_allclose(CLIPPED_PADE.gain(z), 1 / np.maximum(1 + z / 2, np.maximum(z, 0.5)), rtol=4e-16)
    slopes = jax.vmap(jax.grad(CLIPPED_PADE.gain))(jnp.asarray([-3.0, 0.5, 5.0]))
    np.testing.assert_allclose(slopes, [0.0, -0.5 / 1.25**2, -1 / 25], rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_exact_step_is_the_exponential(dtype: Any) -> None:
    z = Z[Z < 700].astype(dtype)
    with jax.enable_x64(dtype == np.float64):
        after = EXACT.cross(jnp.asarray(0.9, dtype), jnp.asarray(0.2 * z, dtype), jnp.asarray(z))
    z = z.astype(np.float64)
    np.testing.assert_allclose(after, 0.9 * np.exp(-z) - 0.2 * np.expm1(-z), rtol=6 * np.finfo(dtype).eps)
