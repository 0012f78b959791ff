"""The TM1991 neuron as one writes it by hand in jax.numpy: one `lax.scan`, parameters as arguments, float32.

Two schemes: exponential Euler, as all JAX peers have it, and channelome's default, staggered steps with clipped Pade
factors. Two ways to write the rate ``x / (exp(x/k) - 1)``: with `expm1` as one would, and with a series near 0, which is faster.
Both are safe at 0/0.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

DT = 0.1
PARAMETERS = {
    "C": 1.0,
    "V_sh": -63.0,
    "g_Na": 100.0,
    "g_K": 30.0,
    "g_L": 0.05,
    "E_Na": 50.0,
    "E_K": -90.0,
    "E_L": -60.0,
}
CURRENT = 2.0  # uA/cm^2: fires at about 85 Hz

Linoid = Callable[[Any, float], Any]


def linoid_expm1(x: Any, k: float) -> Any:
    y = jnp.where(jnp.abs(x) < 1e-6, 1e-6, x / k)
    return k * y / jnp.expm1(y)


def linoid_series(x: Any, k: float) -> Any:
    y = x / k
    y = jnp.where(jnp.abs(y) < 1e-30, 1e-30, y)
    y2 = y * y
    series = 1 - y / 2 + y2 * (1 / 12 + y2 * (-1 / 720 + y2 * (1 / 30240)))
    return k * jnp.where(jnp.abs(y) < 0.5, series, y / (jnp.exp(y) - 1))


def rates(V: Any, p: Any, linoid: Linoid) -> tuple[tuple[Any, Any], ...]:
    v = V - p["V_sh"]
    return (
        (0.32 * linoid(13 - v, 4.0), 0.28 * linoid(v - 40, 5.0)),
        (0.128 * jnp.exp((17 - v) / 18), 4 / (1 + jnp.exp((40 - v) / 5))),
        (0.032 * linoid(15 - v, 5.0), 0.5 * jnp.exp((10 - v) / 40)),
    )


def conductances(m: Any, h: Any, n: Any, p: Any) -> tuple[Any, Any, Any]:
    """Of sodium and potassium, and of all."""
    g_Na, g_K = p["g_Na"] * m**3 * h, p["g_K"] * n**4
    return g_Na, g_K, g_Na + g_K + p["g_L"]


def exp_euler(state: Any, p: Any, dt: Any, I: Any, linoid: Linoid) -> Any:
    V, *gates = state
    after = []
    for x, (alpha, beta) in zip(gates, rates(V, p, linoid), strict=True):
        rest = alpha / (alpha + beta)
        after.append(rest + (x - rest) * jnp.exp(-dt * (alpha + beta)))
    g_Na, g_K, G = conductances(*gates, p)
    rest = (I + g_Na * p["E_Na"] + g_K * p["E_K"] + p["g_L"] * p["E_L"]) / G
    return rest + (V - rest) * jnp.exp(-dt * G / p["C"]), *after


def staggered(state: Any, p: Any, dt: Any, I: Any, linoid: Linoid) -> Any:
    V, *gates = state
    after = []
    for x, (alpha, beta) in zip(gates, rates(V, p, linoid), strict=True):
        z = dt * (alpha + beta)
        after.append((jnp.maximum(1 - z / 2, 0.0) * x + dt * alpha) / jnp.maximum(1 + z / 2, z))
    g_Na, g_K, G = conductances(*after, p)
    inward = I - g_Na * (V - p["E_Na"]) - g_K * (V - p["E_K"]) - p["g_L"] * (V - p["E_L"])
    z = dt * G / p["C"]
    return V + dt / p["C"] * inward / jnp.maximum(1 + z / 2, z), *after


def prepare(
    n: int, steps: int, step: Any, linoid: Linoid, options: dict[str, Any], *, record: bool = False
) -> tuple[Callable[[], Any], Any, tuple[Any, ...]]:
    """The run as a function without arguments, the jitted function, and its arguments; it returns V of all steps if asked."""

    def run(state: Any, p: Any, dt: Any, I: Any) -> Any:
        def one(s: Any, _: Any) -> Any:
            after = step(s, p, dt, I, linoid)
            return after, after[0] if record else None

        end, V = jax.lax.scan(one, state, None, length=steps)
        return V if record else end

    jitted = jax.jit(run, compiler_options=options)
    p = {name: np.float32(value) for name, value in PARAMETERS.items()}
    state = tuple(np.full(n, x, np.float32) for x in (-65.0, 0.02, 0.99, 0.03))
    arguments = (jax.device_put(state), p, np.float32(DT), np.float32(CURRENT))
    return lambda: jitted(*arguments), jitted, arguments
