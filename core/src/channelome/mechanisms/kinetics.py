"""Linear relaxation: what every gate, pool and kinetic scheme is once the voltage is held for one step.

A gate obeys ``x' = source - rate * x``. Authors write it as the paper does, `Rates` or `Gate`; solvers advance it with a
`Rule`, which says what stands for ``exp(-z)`` over one step of ``z = rate * dt``.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from .elimination import at_rest, of_largest, quotient, solution


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
        """Stationary occupancies."""
        return at_rest(_sparse(self.states[::-1], self.transitions)[::-1], self.transitions)

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
        theta = of_largest(rule.theta, [dt * out for out in leaving.values()])
        start: dict[str, Any] = {
            state: jnp.maximum(1 - (1 - theta) * dt * leaving[state], 0.0) * p[state] for state in self.states
        }
        for (source, target), rate in self.transitions.items():
            start[target] = start[target] + (1 - theta) * dt * rate * p[source]
        off = {(target, source): theta * dt * rate for (source, target), rate in self.transitions.items()}
        end = solution(_sparse(self.states, self.transitions), dict.fromkeys(self.states, 1.0), off, start)
        share = quotient(1.0, sum(end[state] for state in self.states))
        return {state: end[state] * share for state in self.states}


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
