"""Linear relaxation: what every gate, pool and kinetic scheme is once the voltage is held for one step.

A gate obeys ``x' = source - rate * x``. Authors write it as the paper does, `Rates` or `Gate`; solvers advance it with a
`Rule`, which says what stands for ``exp(-z)`` over one step of ``z = rate * dt``.
"""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array, lax


class Rule(NamedTuple):
    """How a solver crosses one step of a linear equation ``x' = source - rate * x``.

    Attributes:
        cross: from x, ``dt * source`` and ``z = dt * rate >= 0`` the x after the step. Exact is
            ``exp(-z) x + (1 - exp(-z)) / z * dt * source``.
        gain: the factor of ``dt * source`` in it, from z. For V, whose slope may be negative, also below z = 0, where
            it may not reach a pole.
        theta: the implicit share of a step of a coupled scheme, from the largest z in it. Occupancies stay positive
            where ``(1 - theta) z <= 1``.
    """

    cross: Callable[[Any, Any, Any], Array]
    gain: Callable[[Array], Array]
    theta: Callable[[Array], Array]


class Rates(NamedTuple):
    """Opening rate `alpha` and closing rate `beta` of a gate, both in 1/ms: ``x' = alpha (1 - x) - beta x``."""

    alpha: Any
    beta: Any

    @property
    def steady_state(self) -> Array:
        return self.alpha / (self.alpha + self.beta)

    @property
    def tau(self) -> Array:
        return 1 / (self.alpha + self.beta)

    def slope(self, x: Array) -> Array:
        return self.alpha - (self.alpha + self.beta) * x

    def relax(self, x: Array, dt: Any, rule: Rule) -> Array:
        return rule.cross(x, dt * self.alpha, dt * (self.alpha + self.beta))


class Gate(NamedTuple):
    """Steady state `inf` and time constant `tau` in ms of a gate or pool: ``x' = (inf - x) / tau``."""

    inf: Any
    tau: Any

    @property
    def steady_state(self) -> Array:
        return self.inf

    def slope(self, x: Array) -> Array:
        return (self.inf - x) / self.tau

    def relax(self, x: Array, dt: Any, rule: Rule) -> Array:
        z = dt / self.tau
        return rule.cross(x, z * self.inf, z)


class Linear(NamedTuple):
    """`source` (units of x per ms) and `rate` (1/ms) of a pool: ``x' = source - rate * x``."""

    source: Any
    rate: Any

    @property
    def steady_state(self) -> Array:
        return self.source / self.rate

    @property
    def tau(self) -> Array:
        return 1 / self.rate

    def slope(self, x: Array) -> Array:
        return self.source - self.rate * x

    def relax(self, x: Array, dt: Any, rule: Rule) -> Array:
        return rule.cross(x, dt * self.source, dt * self.rate)


Relaxation = Rates | Gate | Linear


def rates(alpha: Any, beta: Any, phi: Any = None) -> Rates:
    """The gate with opening rate `alpha` and closing rate `beta` (1/ms), both `phi` times faster if given."""
    return Rates(alpha, beta) if phi is None else Rates(phi * alpha, phi * beta)


Transitions = Mapping[tuple[str, str], Any]
"""Rate in 1/ms of each transition ``(from, to)`` of a kinetic scheme."""


class Scheme:
    """A Markov scheme at one voltage: its states and the rates between them.

    Elimination runs over the states one by one, elementwise over neurons, and never subtracts two positive numbers:
    the matrices are M-matrices. Occupancies are arrays of the shape of V, by state name.
    """

    def __init__(self, states: tuple[str, ...], transitions: Transitions) -> None:
        self.states = states
        self.transitions = transitions

    def _leaving(self, state: str) -> Any:
        return sum((rate for (source, _), rate in self.transitions.items() if source == state), 0.0)

    def steady_state(self) -> dict[str, Array]:
        """Stationary occupancies, by state reduction (Grassmann, Taksar & Heyman 1985, doi:10.1287/opre.33.5.1107)."""
        q: dict[tuple[str, str], Any] = dict(self.transitions)
        states = _sparse(self.states[::-1], self.transitions)[::-1]
        for k in range(len(states) - 1, 0, -1):
            last, kept = states[k], states[:k]
            out = sum((q[last, j] for j in kept if (last, j) in q), 0.0)
            for i in kept:
                if (i, last) not in q:
                    continue
                q[i, last] = q[i, last] / out
                for j in kept:
                    if j != i and (last, j) in q:
                        q[i, j] = q.get((i, j), 0.0) + q[i, last] * q[last, j]
        weight: dict[str, Any] = {states[0]: 1.0}
        for k in range(1, len(states)):
            state = states[k]
            weight[state] = sum((weight[i] * q[i, state] for i in states[:k] if (i, state) in q), 0.0)
        # ratios of occupancies may be so large that the square of their sum, of which gradients are made, overflows
        largest = lax.stop_gradient(functools.reduce(jnp.maximum, weight.values()))
        weight = {state: w / largest for state, w in weight.items()}
        total = sum(weight.values())
        return {state: jnp.asarray(w / total) for state, w in weight.items()}

    def slope(self, p: Mapping[str, Array]) -> dict[str, Array]:
        """Rate of change of the occupancies, 1/ms: sums to zero."""
        change: dict[str, Any] = dict.fromkeys(self.states, 0.0)
        for (source, target), rate in self.transitions.items():
            flow = rate * p[source]
            change[source] = change[source] - flow
            change[target] = change[target] + flow
        return change

    def relax(self, p: Mapping[str, Array], dt: Any, rule: Rule) -> dict[str, Array]:
        """Occupancies after `dt` at constant voltage: positive and summing to 1 for any `dt`."""
        leaving = {state: self._leaving(state) for state in self.states}
        fastest = jnp.asarray(0.0)
        for out in leaving.values():
            fastest = jnp.maximum(fastest, dt * out)
        theta = rule.theta(fastest)
        start: dict[str, Any] = {
            state: jnp.maximum(1 - (1 - theta) * dt * leaving[state], 0.0) * p[state] for state in self.states
        }
        for (source, target), rate in self.transitions.items():
            start[target] = start[target] + (1 - theta) * dt * rate * p[source]
        off = {(target, source): theta * dt * rate for (source, target), rate in self.transitions.items()}
        diagonal = {state: 1 + theta * dt * leaving[state] for state in self.states}
        end = _solve(_sparse(self.states, self.transitions), diagonal, off, start)
        total = sum(end.values())
        return {state: occupancy / total for state, occupancy in end.items()}


def _sparse(states: tuple[str, ...], transitions: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The order in which elimination makes few new transitions: next is always a state that the fewest are left beside (Tinney & Walker 1967,
    doi:10.1109/PROC.1967.6011). States from which there is no way back keep the order that they have.
    """
    pairs = {*transitions}
    if any((target, source) not in pairs for source, target in pairs):
        return states
    beside = {state: {target for source, target in pairs if source == state} for state in states}
    order = list[str]()
    while beside:
        state = min(beside, key=lambda one: len(beside[one]))
        around = beside.pop(state)
        for one in around:
            beside[one] |= around - {one}
            beside[one].discard(state)
        order.append(state)
    return tuple(order)


def _solve(
    names: tuple[str, ...], diagonal: dict[str, Any], off: dict[tuple[str, str], Any], right: dict[str, Any]
) -> dict[str, Any]:
    """Solve ``diagonal[i] x[i] - sum_j off[i, j] x[j] = right[i]`` by elimination that skips what is zero."""
    for k, pivot in enumerate(names):
        later = names[k + 1 :]
        for i in later:
            if (i, pivot) not in off:
                continue
            share = off[i, pivot] / diagonal[pivot]
            right[i] = right[i] + share * right[pivot]
            for j in later:
                if (pivot, j) not in off:
                    continue
                if i == j:
                    diagonal[i] = diagonal[i] - share * off[pivot, j]
                else:
                    off[i, j] = off.get((i, j), 0.0) + share * off[pivot, j]
    for k in range(len(names) - 1, -1, -1):
        pivot = names[k]
        for j in names[k + 1 :]:
            if (pivot, j) in off:
                right[pivot] = right[pivot] + off[pivot, j] * right[j]
        right[pivot] = right[pivot] / diagonal[pivot]
    return right
