"""The functions that channel papers are written with, right in value and in slope wherever they are used.

All are elementwise over JAX arrays, keep the precision they are given and stay finite and differentiable at their
removable singularities and far out on their tails.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from . import exponential

FARADAY = 96485.33212
"""Faraday constant in C/mol (CODATA 2018, exact)."""
GAS = 8.314462618
"""Molar gas constant in J/(mol K) (CODATA 2018, exact)."""
ZERO_CELSIUS = 273.15
"""0 degC in K."""


def exp(x: Any) -> Array:
    """The exponential function; on CPUs it ends at the least and the greatest normal number, neither 0 nor infinite."""
    return exponential.exp(x) if exponential.is_for(x) else jnp.exp(x)


def sigmoid(x: Any, k: Any = 1.0) -> Array:
    """Boltzmann curve ``1 / (1 + exp(-x/k))``: rises with `x` for positive `k`, 1/2 at 0."""
    y = jnp.asarray(x / k)
    return exponential.logistic(y) if exponential.is_for(y) else lax.logistic(y)


def linoid(x: Any, k: Any = 1.0) -> Array:
    """``x / (exp(x/k) - 1)``, with its limit `k` and slope -1/2 at ``x = 0``; in the unit of `x`.

    Hodgkin and Huxley's rate ``a (V - b) / (1 - exp(-(V - b)/k))`` is ``a * linoid(b - V, k)``.
    """
    return k * bernoulli(jnp.asarray(x / k))


@jax.custom_jvp
def bernoulli(y: Array) -> Array:
    """``y / (exp(y) - 1)``, 1 at 0: smooth everywhere, 0 towards +inf and ``-y`` towards -inf."""
    return exponential.bernoulli(y) if exponential.is_for(y) else exponential.quotient(y)


@bernoulli.defjvp
def _bernoulli_slope(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (y,), (dy,) = primals, tangents
    b = bernoulli(y)
    near = jnp.abs(y) < (0.02 if y.dtype.itemsize <= 4 else 2e-4)
    slope = jnp.where(near, y / 6 - 1 / 2, b * (1 - y - b) / jnp.where(near, 1.0, y))
    return b, slope * dy


def q10(celsius: Any, reference: Any, factor: Any) -> Array:
    """How much faster a process runs at `celsius` than at `reference` (degC) if 10 degC make it `factor` times faster."""
    return jnp.asarray(factor) ** ((celsius - reference) / 10)


def nernst(C_in: Any, C_out: Any, valence: int, celsius: Any) -> Array:
    """Equilibrium potential in mV of an ion, from its concentrations (any one unit) and the temperature in degC.

    Concentrations below 1e-12 mM count as 1e-12 mM, so that an emptied pool has a finite potential.
    """
    floor = 1e-12
    ratio = jnp.maximum(C_out, floor) / jnp.maximum(C_in, floor)
    return 1e3 * GAS * (celsius + ZERO_CELSIUS) / (valence * FARADAY) * jnp.log(ratio)


def ghk(V: Any, C_in: Any, C_out: Any, valence: int, celsius: Any) -> Array:
    """Goldman-Hodgkin-Katz current density per unit of permeability: uA/cm^2 for each cm/s, outward positive.

    ``z F (C_in B(-v) - C_out B(v))`` with ``v = z F V / (R T)`` and ``B(v) = v / (exp(v) - 1)``; V in mV,
    concentrations in mM, temperature in degC. Smooth through V = 0. Hodgkin & Katz (1949),
    doi:10.1113/jphysiol.1949.sp004310.
    """
    v = jnp.asarray(V * (1e-3 * valence * FARADAY / GAS) / (celsius + ZERO_CELSIUS))
    return valence * FARADAY * (C_in * bernoulli(-v) - C_out * bernoulli(v))
