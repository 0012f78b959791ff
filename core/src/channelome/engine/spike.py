"""A spike: an upward crossing of the threshold within a step, and the gradient that it is given."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

BLUR = 20.0
"""Standard deviation in mV of the threshold whose mean crossing has the gradient that a spike is given."""


def crossed(before: Array, after: Array, threshold: Any) -> Array:
    """Whether V crossed the threshold upward."""
    return (before < threshold) & (after >= threshold)


def crossing(before: Array, after: Array, threshold: Any) -> Array:
    """The share of a step after which V crossed the threshold upward, in (0, 1]; 0 where it did not."""
    there = crossed(before, after, threshold)
    rise = jnp.where(there, after - before, 1.0)
    return jnp.where(there, (threshold - before) / rise, 0.0)


@jax.custom_jvp
def spike(before: Array, after: Array, threshold: Array) -> Array:
    """1 where V crossed the threshold upward, else 0. Its gradient is a surrogate, since a step has none.

    It is that of the mean over normally distributed thresholds: of ``F(after) - F(before)`` where V rises, with the normal
    distribution F. Over the steps of a spike the terms cancel, so one that only comes earlier is moved from one step to
    another and not counted anew; what is left are the peaks and troughs of V.
    """
    return crossed(before, after, threshold).astype(after.dtype)


@spike.defjvp
def _spike_surrogate(primals: Any, tangents: Any) -> tuple[Array, Array]:
    before, after, threshold = primals
    d_before, d_after, d_threshold = tangents

    def density(V: Array) -> Array:
        return jnp.exp(-0.5 * ((V - threshold) / BLUR) ** 2) / (BLUR * math.sqrt(2 * math.pi))

    slope = density(after) * (d_after - d_threshold) - density(before) * (d_before - d_threshold)
    return spike(before, after, threshold), jnp.where(after > before, slope, 0.0)
