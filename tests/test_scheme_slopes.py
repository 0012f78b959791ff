"""Derivatives of kinetic schemes, against dense linear algebra and differences, and the size of their programs."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from test_schemes import ladder, matrix

from channelome.authoring import exp
from channelome.mechanisms.kinetics import Scheme
from channelome.mechanisms.rules import CLIPPED_PADE, IMPLICIT
from channelome.testing.kit import quick

WAYS = {"chain": ("abc", ["ab", "bc"]), "ring": ("abcd", ["ab", "bc", "cd", "da", "ac"])}


def scheme_of(name: str, seed: int, spread: float) -> tuple[tuple[str, ...], dict[tuple[str, str], float]]:
    """Rates between 10**-spread and 10**spread per ms."""
    states, ways = WAYS[name]
    draw = np.random.default_rng(seed)
    return tuple(states), {
        (a, b): float(10 ** draw.uniform(-spread, spread)) for x, y in ways for a, b in ((x, y), (y, x))
    }


def stacked(states: tuple[str, ...], found: Any) -> jax.Array:
    return jnp.stack([found[name] for name in states])


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize(("spread", "dt"), [(1, 1e6), (3, 0.05), (3, 10.0)])
def test_derivatives_by_rates_are_those_of_dense_algebra(name: str, spread: float, dt: float) -> None:
    """x = (1 - dt A)^-1 p and A pi = 0, sum pi = 1: by one rate, whose part of A is E, dx = dt (1 - dt A)^-1 E x and A dpi = -E pi."""
    states, rates = scheme_of(name, 5, spread)
    start = np.random.default_rng(6).dirichlet(np.ones(len(states)))

    def relaxed(rates: Any) -> jax.Array:
        occupancies = dict(zip(states, map(jnp.asarray, start), strict=True))
        return stacked(states, Scheme(states, rates).relax(occupancies, dt, IMPLICIT))

    def rest(rates: Any) -> jax.Array:
        return stacked(states, Scheme(states, rates).steady_state())

    A, one = matrix(states, rates), np.eye(len(states))
    x = np.linalg.solve(one - dt * A, start)
    summed = np.vstack([A, np.ones(len(states))])
    pi = np.linalg.lstsq(summed, np.append(np.zeros(len(states)), 1), rcond=None)[0]
    for f, expected in (
        (relaxed, lambda E: dt * np.linalg.solve(one - dt * A, E @ x)),
        (rest, lambda E: np.linalg.lstsq(summed, np.append(-E @ pi, 0), rcond=None)[0]),
    ):
        forward, reverse = quick(jax.jacfwd(f))(rates), quick(jax.jacrev(f))(rates)
        for pair, rate in rates.items():
            exact = rate * expected(matrix(states, {pair: 1.0}))
            for found in (forward[pair] * rate, reverse[pair] * rate):
                np.testing.assert_allclose(found, exact, rtol=1e-7, atol=1e-10, err_msg=f"{pair}")
                assert abs(float(found.sum())) < 1e-14 * max(1.0, dt * rate)


def moved(name: str, rule: Any, rates: jax.Array, start: jax.Array, dt: Any) -> jax.Array:
    """A number that is not linear in what is found at rest and after a step."""
    states, pairs = scheme_of(name, 5, 1.0)
    scheme = Scheme(states, dict(zip(pairs, rates, strict=True)))
    after = scheme.relax(dict(zip(states, start, strict=True)), dt, rule)
    weights = jnp.arange(1.0, 1.0 + len(states))
    return jnp.sum(weights * (stacked(states, after) ** 2 + stacked(states, scheme.steady_state()) ** 2))


@pytest.mark.parametrize(
    ("rule", "dt", "zero"), [(IMPLICIT, 3.0, False), (CLIPPED_PADE, 0.05, True), (CLIPPED_PADE, 3.0, False)]
)
def test_first_and_second_derivatives_are_quotients_of_differences(rule: Any, dt: float, zero: bool) -> None:
    """By the rates, of which one is 0, the occupancies and dt: where theta is 1/2, where it follows the fastest state."""
    states, pairs = scheme_of("ring", 5, 1.0)
    rates = jnp.asarray([*pairs.values()]).at[2].multiply(0.0 if zero else 1.0)
    start = jnp.asarray(np.random.default_rng(6).dirichlet(np.ones(len(states))))
    at = (rates, start, jnp.asarray(dt))
    along = jax.tree.map(lambda x: jnp.asarray(np.random.default_rng(7).normal(size=x.shape)), at)

    def f(t: Any) -> Any:
        return moved("ring", rule, *jax.tree.map(lambda x, u: x + t * u, at, along))

    slope, bend, h = quick(jax.grad(f)), quick(jax.jacfwd(jax.grad(f))), 1e-5
    np.testing.assert_allclose(slope(0.0), (f(h) - f(-h)) / (2 * h), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(bend(0.0), (slope(h) - slope(-h)) / (2 * h), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(quick(jax.grad(jax.grad(f)))(0.0), bend(0.0), rtol=1e-11)
    np.testing.assert_allclose(jax.jvp(f, (0.0,), (1.0,))[1], slope(0.0), rtol=1e-11)
    by_rates = quick(jax.vmap(jax.grad(lambda r: moved("ring", rule, r, start, dt))))(jnp.stack([rates, 1.1 * rates]))
    np.testing.assert_allclose(
        by_rates[1], jax.grad(lambda r: moved("ring", rule, r, start, dt))(1.1 * rates), rtol=1e-11
    )


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_rates_may_be_numbers_whole_numbers_and_arrays_and_a_state_may_be_left_for_good(dtype: Any) -> None:
    V = jnp.linspace(-1, 1, 3, dtype=dtype)

    def after(speed: Any) -> jax.Array:
        scheme = Scheme(("C", "O", "I"), {("C", "O"): speed * exp(V), ("O", "C"): 1, ("O", "I"): 0.5})
        p = {"C": 0 * V + 1, "O": 0 * V, "I": 0 * V}
        ring = Scheme(("C", "O", "I"), {("C", "O"): speed, ("O", "C"): 1, ("O", "I"): 0.5, ("I", "O"): exp(V)})
        return scheme.relax(p, dtype(0.1), CLIPPED_PADE)["I"] + ring.steady_state()["O"]

    slope = quick(jax.jacrev(after))(dtype(2.0))
    assert slope.shape == V.shape and slope.dtype == dtype
    h, tolerance = (1e-2, 2e-3) if dtype == jnp.float32 else (1e-5, 1e-8)
    np.testing.assert_allclose(slope, (after(dtype(2 + h)) - after(dtype(2 - h))) / (2 * h), rtol=tolerance)


def instructions(function: Any, *given: Any) -> int:
    """Of the compiled program, what is taken more than once included."""
    return quick(function).lower(*given).compile().as_text().count(" = ")


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_programs_of_derivatives_are_a_few_times_as_long_as_those_they_are_of(mode: str) -> None:
    """Of 12 states 2.2 and 1.8 times; with the derivatives of the eliminations themselves both were 5 times as long."""
    states, rates = ladder(6, 3)

    def run(speed: Any, V: Any) -> Any:
        speeds = [speed * exp(V / slope) for slope in (50.0, 60.0, 70.0)]
        scheme = Scheme(states, {pair: rate * speeds[i % 3] for i, (pair, rate) in enumerate(rates.items())})
        step = lambda p, _: (scheme.relax(p, 0.05, CLIPPED_PADE), None)  # noqa: E731
        return jnp.sum(lax.scan(step, scheme.steady_state(), None, length=3)[0][states[0]])

    given = jnp.asarray(1.0), jnp.linspace(-90, 30, 4)
    along = jax.tree.map(jnp.ones_like, given)
    programs: dict[str, Any] = {
        "forward": lambda *x: jax.jvp(run, x, along),
        "reverse": jax.value_and_grad(run, (0, 1)),
    }
    assert instructions(programs[mode], *given) < 3 * instructions(run, *given)
