"""What stands for ``exp(-z)`` over one step of a linear equation, z = rate * dt: exact, Pade, implicit."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ..maths import bernoulli, exp
from .kinetics import Rule


def _exact(x: Any, source: Any, z: Any) -> Array:
    return exp(-jnp.asarray(z)) * x + source * _exact_gain(z)


def _exact_gain(z: Any) -> Array:
    return 1 / bernoulli(-jnp.asarray(z))


@jax.custom_jvp
def _clipped_pade(x: Any, source: Any, z: Any) -> Array:
    kept = 1 - jnp.minimum(z / 2, 1.0)
    return (kept * x + source) / (kept + z)


@_clipped_pade.defjvp
def _clipped_pade_slope(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Array, Array]:
    """In terms of one quotient, which alone is kept of what the rates cost; the share that is kept of x is ``2 share - 1``."""
    (x, source, z), (dx, dsource, dz) = primals, tangents
    share = 1 / (1 - jnp.minimum(z / 2, 1.0) + z)
    y = _clipped_pade(x, source, z)
    middle = jnp.where(share > 0.5, (x + y) / 2, y)
    return y, jnp.maximum(2 * share - 1, 0.0) * dx + share * (dsource - middle * dz)


def _clipped_pade_gain(z: Any) -> Array:
    z = jnp.maximum(z, -1.0)
    return 1 / (1 - jnp.minimum(z / 2, 1.0) + z)


def _implicit(x: Any, source: Any, z: Any) -> Array:
    return (x + source) / (1 + z)


def _implicit_gain(z: Any) -> Array:
    return 1 / jnp.maximum(1 + z, 0.1)


def _positive_theta(z: Array) -> Array:
    """The smallest implicit share, from one half on, that leaves the explicit part positive."""
    return jnp.maximum(0.5, 1 - 1 / jnp.maximum(z, 1.0))


EXACT = Rule(_exact, _exact_gain, _positive_theta)
"""The exponential. Coupled schemes, which have no elementwise exponential, take the positive theta step."""

CLIPPED_PADE = Rule(_clipped_pade, _clipped_pade_gain, _positive_theta)
"""``(1 - z/2) / (1 + z/2)``, second order like the exponential's midpoint, cut off at z = 2 where it would overshoot."""

IMPLICIT = Rule(_implicit, _implicit_gain, jnp.ones_like)
"""``1 / (1 + z)``: backward Euler."""


def lag(gain: Callable[[Any], Any], z: Any) -> Any:
    """By which share the end of a step stands for its mean, so that V follows a command however fast the clamp: in [0, 1].

    A membrane that relaxes to a ramp with ``z = dt / tau`` keeps a constant distance to it, tau times its slope, if what it
    relaxes to is ``(1 - lag) mean + lag end``. For the exponential that is Langevin's ``coth(z/2) - 2/z``.
    """
    return jnp.clip(2 * (1 / gain(z) - 1) / z - 1, 0, 1)
