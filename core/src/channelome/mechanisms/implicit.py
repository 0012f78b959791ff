"""One linearly implicit step of equations of any form: what variables that are no gates are moved by.

``(1 - theta dt J) dx = dt f(x)``, J the Jacobian at the start: second order for theta = 1/2 (Rosenbrock 1963,
doi:10.1093/comjnl/5.4.329).
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from .kinetics import Rule

States = dict[str, Array]


def real(value: Any, like: Any) -> Array:
    """A number as an array of floats, also where a class says 0 and not 0.0; a float keeps its own precision."""
    return jnp.asarray(value, None if jnp.issubdtype(jnp.result_type(value), jnp.inexact) else jnp.result_type(like))


def stepped(rates: Callable[[States], States], start: States, dt: Array | float, rule: Rule) -> States:
    """Variables after `dt` ms, from the rates of change per ms that they have of each other.

    Args:
        rates: of states by name, each an array of one shape.
        start: the states.
        dt: the same for all, or an array of their shape.
        rule: its theta says how implicit the step is, from the fastest of the variables.
    """
    names = list(start)
    f, push = jax.linearize(rates, start)
    like = start[names[0]]
    one, none = jnp.ones_like(like), jnp.zeros_like(like)
    columns = [push({other: one if other == name else none for other in names}) for name in names]
    fastest = jnp.asarray(0.0, one.dtype)
    for name, column in zip(names, columns, strict=True):
        fastest = jnp.maximum(fastest, -dt * column[name])
    theta = rule.theta(fastest)
    if len(names) == 1:
        (name,) = names
        return {name: start[name] + dt * f[name] / (1 - theta * dt * columns[0][name])}
    J = jnp.stack([jnp.stack([column[name] for column in columns], -1) for name in names], -2)
    size = jnp.eye(len(names), dtype=J.dtype).reshape(*(1,) * (J.ndim - 2), len(names), len(names))
    share = jnp.expand_dims(theta * dt, (-1, -2)) if jnp.ndim(theta * dt) else theta * dt
    right = jnp.stack([dt * f[name] for name in names], -1)
    solved = jnp.linalg.solve(size - share * J, right[..., None])[..., 0]
    return {name: start[name] + solved[..., i] for i, name in enumerate(names)}
