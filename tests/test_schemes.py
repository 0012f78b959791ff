"""Kinetic schemes of many states: elimination in an order that makes few new transitions, against dense linear algebra."""

import itertools
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from channelome.authoring import Array, Conductance, Factor, Markov, Transitions, exp, param
from channelome.mechanisms.kinetics import Scheme, _sparse  # pyright: ignore[reportPrivateUsage]
from channelome.mechanisms.rules import IMPLICIT
from channelome.testing.checks import programs
from channelome.testing.subjects import ChannelSubject


def ladder(rungs: int, seed: int, *, back: bool = True):
    """Two rows of states with rungs between them, named in no order, with rates between 0.1 and 10 per ms."""
    draw = np.random.default_rng(seed)
    names = [f"s{i:02d}" for i in draw.permutation(2 * rungs)]
    rows = names[:rungs], names[rungs:]
    pairs = [pair for row in rows for pair in itertools.pairwise(row)] + list(zip(*rows, strict=True))
    ways = [*pairs, *((b, a) for a, b in pairs)] if back else pairs
    return tuple(sorted(names)), {pair: float(10 ** draw.uniform(-1, 1)) for pair in ways}


def matrix(states, rates):
    """dp/dt = A p."""
    A = np.zeros((len(states), len(states)))
    for (a, b), rate in rates.items():
        i, j = states.index(a), states.index(b)
        A[j, i] += rate
        A[i, i] -= rate
    return A


@pytest.mark.parametrize("rungs", [1, 3, 20])
def test_a_scheme_comes_to_rest_and_moves_as_dense_algebra_says(rungs: int):
    states, rates = ladder(rungs, 7)
    with jax.enable_x64(True):
        scheme = Scheme(states, {pair: jnp.asarray(rate) for pair, rate in rates.items()})
        rest, start = scheme.steady_state(), {name: jnp.asarray(float(i == 0)) for i, name in enumerate(states)}
        moved = scheme.relax(start, 0.3, IMPLICIT)
    A = matrix(states, rates)
    assert np.abs(A @ [float(rest[name]) for name in states]).max() < 1e-13
    np.testing.assert_allclose(sum(map(float, rest.values())), 1, rtol=1e-14)
    one = np.eye(len(states))
    np.testing.assert_allclose([float(moved[n]) for n in states], np.linalg.solve(one - 0.3 * A, one[0]), rtol=1e-12)


def made(order, rates) -> int:
    """How many transitions elimination in an order adds."""
    pairs = {*rates}
    count = 0
    for k, state in enumerate(order):
        into, out = (
            [one for one in order[k + 1 :] if pair(one) in pairs]
            for pair in (lambda o, s=state: (o, s), lambda o, s=state: (s, o))
        )
        new = {(a, b) for a in into for b in out if a != b} - pairs
        count += len(new)
        pairs |= new
    return count


def test_few_transitions_are_added_and_none_to_a_chain():
    states, rates = ladder(20, 7)
    assert made(_sparse(states, rates), rates) <= 40 < 150 < made(states, rates)
    chain = {pair: 1.0 for a, b in itertools.pairwise("abcdef") for pair in ((a, b), (b, a))}
    assert _sparse(tuple("abcdef"), chain) == tuple("abcdef")
    assert made(_sparse(tuple("cafebd"), chain), chain) == 0


def test_states_without_a_way_back_keep_their_order():
    states, rates = ladder(3, 7, back=False)
    assert _sparse(states, rates) == states


STATES, RATES = ladder(11, 3)


class Ladder(Markov, ion="k", states=STATES):
    """A scheme of two rows of eleven states, with rates that rise with V."""

    g_max: Conductance = param(1.0, source="our choice")
    speed: Factor = param(1.0, source="our choice")

    def transitions(self, V: Array) -> Transitions:
        return {pair: self.speed * rate * exp(V / (60 + i % 3)) for i, (pair, rate) in enumerate(RATES.items())}

    def conductance(self, s00: Array) -> Array:
        return self.g_max * s00


class Wrong(Ladder):
    """The same, but half of the conductance is a constant to derivatives."""

    def conductance(self, s00: Array) -> Array:
        g = self.g_max * s00
        return (g + lax.stop_gradient(g)) / 2


def test_the_kit_asks_a_large_scheme_for_its_gradient_too():
    problems = list(programs.compiled.problems(ChannelSubject(Wrong, "Wrong", registered=False)))
    assert [problem.partition(" is ")[0] for problem in problems] == [
        "the gradient of the current over g_max",
        "the gradient of the current over speed",
    ]


def exact(states: str, rates: dict[tuple[str, str], float], start: list[float]) -> list[Fraction]:
    """A step of 1 ms of backward Euler in fractions, by elimination."""
    n, number = len(states), {name: i for i, name in enumerate(states)}
    rows = [[Fraction(int(i == j)) for j in range(n)] + [Fraction(start[i])] for i in range(n)]
    for (a, b), rate in rates.items():
        rows[number[a]][number[a]] += Fraction(rate)
        rows[number[b]][number[a]] -= Fraction(rate)
    for k in range(n):
        for i in range(n):
            if i != k:
                share = rows[i][k] / rows[k][k]
                rows[i] = [x - share * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [rows[i][n] / rows[i][i] for i in range(n)]


@pytest.mark.parametrize("scale", [1, 5, 10, 14])
def test_a_step_in_float32_keeps_its_digits_however_fast_the_rates(scale: int) -> None:
    """Rates from 0.01 to 10^scale per ms: where the diagonal was eliminated itself, 1 beside it was lost, and so were all digits at 10^8."""
    draw = np.random.default_rng(scale)
    states = "abcdef"
    ways = [(a, b) for x, y in itertools.pairwise(states) for a, b in ((x, y), (y, x))]
    rates = {way: float(np.float32(10 ** draw.uniform(-2, scale))) for way in ways}
    start = [float(x) for x in draw.dirichlet(np.ones(6)).astype(np.float32)]
    given = {k: jnp.float32(v) for k, v in rates.items()}, dict(zip(states, map(jnp.float32, start), strict=True))
    found = Scheme(tuple(states), given[0]).relax(given[1], jnp.float32(1), IMPLICIT)
    wanted = exact(states, rates, start)
    for name, x in zip(states, wanted, strict=True):
        assert abs(float(found[name]) * float(sum(wanted)) / float(x) - 1) < 1e-6
