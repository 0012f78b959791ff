"""Equations of kinetic schemes, eliminated state by state in operations that are written out, and their derivatives by those equations.

A compiler for CPUs takes cheap operations again wherever what they give is used, but no division. Derivatives are therefore divided on their
way from state to state: their programs then grow with the transitions of a scheme, and not with their square.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.custom_derivatives import SymbolicZero

Pairs = Mapping[tuple[str, str], Any]


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def solution(
    names: tuple[str, ...], excess: Mapping[str, Any], off: Pairs, right: Mapping[str, Any]
) -> dict[str, Array]:
    """The x with ``(excess[i] + sum_j off[j, i]) x[i] - sum_j off[i, j] x[j] = right[i]``, by elimination in the order of `names` that skips what is zero.

    Nothing is subtracted where all that is given is positive: what each column has in excess of what it sends on is kept in place of
    the diagonal, whose digits it would lose where rates are fast.
    Differentiated by the same equations, whose right side is then what x as it is leaves of them.
    """
    return _substituted(names, _eliminated(names, dict(excess), dict(off)), right)


def _solution_slope(names: tuple[str, ...], primals: Any, tangents: Any) -> Any:
    excess, off, _ = primals
    x = solution(names, *primals)
    moving, beside, left = (_moving(tangent) for tangent in tangents)
    for i, slope in moving.items():
        left[i] = left.get(i, 0.0) - slope * x[i]
    for (i, j), slope in beside.items():
        left[i] = left.get(i, 0.0) + slope * x[j]
        left[j] = left.get(j, 0.0) - slope * x[j]
    right = {i: _like(left.get(i, 0.0), x[i]) for i in names}
    factors = _eliminated(names, *lax.stop_gradient((excess, off)))

    def matrix(x: Any) -> Any:
        product = {i: excess[i] * x[i] for i in names}
        for (i, j), weight in off.items():
            flow = weight * x[j]
            product[i], product[j] = product[i] - flow, product[j] + flow
        return product

    def solve(_: Any, right: Any) -> Any:
        return _substituted(names, factors, right)

    def transposed(_: Any, right: Any) -> Any:
        return jax.linear_transpose(lambda right: _substituted(names, factors, right), right)(right)[0]

    return x, lax.custom_linear_solve(matrix, right, solve, transpose_solve=transposed)


solution.defjvp(_solution_slope, symbolic_zeros=True)


def _eliminated(names: tuple[str, ...], excess: dict[str, Any], off: dict[tuple[str, str], Any]) -> Any:
    """The pivots, and what is beside them, below in their columns and above in their rows."""
    pivots = {}
    for k, pivot in enumerate(names):
        later = names[k + 1 :]
        below = {i: off[i, pivot] for i in later if (i, pivot) in off}
        pivots[pivot] = functools.reduce(jnp.add, below.values(), excess[pivot])
        above = {j: off[pivot, j] / pivots[pivot] for j in later if (pivot, j) in off}
        for j, share in above.items():
            excess[j] = excess[j] + excess[pivot] * share
            for i, weight in below.items():
                if i != j:
                    off[i, j] = off.get((i, j), 0.0) + weight * share
    return pivots, off


def _substituted(names: tuple[str, ...], factors: Any, right: Mapping[str, Any]) -> dict[str, Any]:
    pivots, beside = factors
    x = dict(right)
    for k, pivot in enumerate(names):
        x[pivot] = x[pivot] / pivots[pivot]
        for i in names[k + 1 :]:
            if (i, pivot) in beside:
                x[i] = x[i] + beside[i, pivot] * x[pivot]
    for k in range(len(names) - 1, -1, -1):
        pivot = names[k]
        if above := [beside[pivot, j] * x[j] for j in names[k + 1 :] if (pivot, j) in beside]:
            x[pivot] = x[pivot] + functools.reduce(jnp.add, above) / pivots[pivot]
    return x


def at_rest(states: tuple[str, ...], rates: Pairs) -> dict[str, Array]:
    """Stationary occupancies, by state reduction (Grassmann, Taksar & Heyman 1985, doi:10.1287/opre.33.5.1107).

    Args:
        states: of which the last is reduced first.
        rates: of each transition ``(from, to)``.
    """
    q = {
        pair: rate if jnp.issubdtype(jnp.result_type(rate), jnp.inexact) else 1.0 * rate for pair, rate in rates.items()
    }
    into, sums, _ = _reduced(states, q)
    weight: dict[str, Any] = {states[0]: 1.0}
    for k in range(1, len(states)):
        state = states[k]
        coming = [weight[i] * into[i, state] for i in states[:k] if (i, state) in into]
        weight[state] = quotient(functools.reduce(jnp.add, coming), sums[state]) if coming else 0.0
    # of occupancies whose ratio is almost no float neither is the inverse
    largest = lax.stop_gradient(8.0 / functools.reduce(jnp.maximum, weight.values()))
    weight = {state: w / 8.0 * largest for state, w in weight.items()}
    share = quotient(1.0, sum(weight.values()))
    return {state: w * share for state, w in weight.items()}


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _reduced(states: tuple[str, ...], rates: Any) -> Any:
    """Of each state, when it is reduced: the rates into it, the sum of those out of it, and these."""
    q, into, sums, away = dict(rates), {}, {}, {}
    for k in range(len(states) - 1, 0, -1):
        last, kept = states[k], states[:k]
        out = {j: q[last, j] for j in kept if (last, j) in q}
        sums[last] = sum(out.values(), 0.0)
        away |= {(last, j): rate for j, rate in out.items()}
        for i in kept:
            if (i, last) not in q:
                continue
            into[i, last] = q[i, last]
            share = q[i, last] / sums[last]
            for j, rate in out.items():
                if j != i:
                    q[i, j] = q.get((i, j), 0.0) + share * rate
    return into, sums, away


def _reduced_slope(states: tuple[str, ...], primals: Any, tangents: Any) -> Any:
    """As the rates themselves are reduced: what is left of the equations would lose what is slow beside what is fast."""
    into, sums, away = reduced = _reduced(states, *primals)
    q = _moving(tangents[0])
    into_slopes, sums_slopes, away_slopes = {}, {}, {}
    for k in range(len(states) - 1, 0, -1):
        last, kept = states[k], states[:k]
        away_slopes |= {(last, j): q[last, j] for j in kept if (last, j) in q}
        out = {j: q[last, j] / sums[last] for j in kept if (last, j) in q}
        total = sum(out.values(), 0.0)
        sums_slopes[last] = total * sums[last]
        for i in kept:
            if (i, last) not in into:
                continue
            share = -into[i, last] / sums[last] * total
            if (i, last) in q:
                into_slopes[i, last] = q[i, last]
                share = share + q[i, last] / sums[last]
            for j in kept:
                if j != i and (last, j) in away:
                    more = share * away[last, j] + (into[i, last] * out[j] if j in out else 0.0)
                    q[i, j] = q.get((i, j), 0.0) + more
    slopes = zip((into_slopes, sums_slopes, away_slopes), reduced, strict=True)
    return reduced, tuple({name: _like(moved.get(name, 0.0), x) for name, x in of.items()} for moved, of in slopes)


_reduced.defjvp(_reduced_slope, symbolic_zeros=True)


@jax.custom_jvp
def quotient(a: Any, b: Any) -> Array:
    """a / b, whose derivative is a quotient too, and takes no square of b."""
    return a / b


def _quotient_slope(primals: Any, tangents: Any) -> Any:
    y, b = quotient(*primals), primals[1]
    da, db = (None if isinstance(one, SymbolicZero) else one for one in tangents)
    if db is None:
        return y, _like(da / b, y)
    return y, _like((-y * db if da is None else da - y * db) / b, y)


quotient.defjvp(_quotient_slope, symbolic_zeros=True)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def of_largest(f: Callable[[Array], Array], numbers: list[Any]) -> Array:
    """`f` of the largest of `numbers`, or of 0. Of several that are largest, each has its part in the derivative."""
    return f(functools.reduce(jnp.maximum, numbers, jnp.asarray(0.0)))


def _of_largest_slope(f: Callable[[Array], Array], primals: Any, tangents: Any) -> Any:
    (numbers,), (slopes,) = primals, tangents
    stacked = jnp.stack(jnp.broadcast_arrays(*numbers))
    largest = jnp.max(stacked, 0, initial=0.0)
    slopes = [0.0 if isinstance(slope, SymbolicZero) else slope for slope in slopes]
    moved = jnp.stack([_like(slope, largest) for slope in slopes])
    is_largest = stacked == largest[None]
    parts = jnp.maximum(jnp.sum(is_largest, 0, dtype=largest.dtype), 1)
    return jax.jvp(f, (largest,), (jnp.sum(jnp.where(is_largest, moved, 0), 0) / parts,))


of_largest.defjvp(_of_largest_slope, symbolic_zeros=True)


def _moving(tangents: Mapping[Any, Any]) -> dict[Any, Any]:
    return {name: slope for name, slope in tangents.items() if not isinstance(slope, SymbolicZero)}


def _like(slope: Any, x: Any) -> Array:
    return jnp.broadcast_to(jnp.asarray(slope, jnp.result_type(x)), jnp.shape(x))
