"""Where a function divides by zero on the way, found in its program: the voltages at which rates go wrong."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

_SIZE = 1024
_CALLS = {"jit", "pjit", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call", "checkpoint", "remat"}


def singular_points(function: Callable[[Any], Any], grid: np.ndarray) -> np.ndarray:
    """Points within `grid` where a denominator of `function` changes its sign, to the last digit, but those of `grid`.

    At each of them the function has a pole or, more likely, a removable singularity: ``x / (exp(x) - 1)`` at 0.
    """
    with jax.enable_x64(True):
        x = jnp.asarray(np.concatenate([grid, np.full(_SIZE - grid.size, grid[-1])]))
        program = jax.make_jaxpr(function)(x)
        signs = np.sign(np.array(_denominators(program, x)).reshape(-1, _SIZE)[:, : grid.size])
        which, left = np.nonzero(signs[:, :-1] * signs[:, 1:] < 0)
        if not which.size:
            return np.empty(0)
        which, low, high = which[: _SIZE // 4], grid[left[: _SIZE // 4]], grid[left[: _SIZE // 4] + 1]
        while np.any(high - low > 4 * np.spacing(np.abs(low) + 1.0)):
            low, high = _narrowed(program, which, low, high)
    found = np.unique(np.round((low + high) / 2, 12))
    return found[np.min(np.abs(found[:, None] - grid), axis=1) > 1e-9]


def _narrowed(program: Any, which: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each bracket cut into as many parts as one evaluation has room for, and the part with the change of sign."""
    parts = _SIZE // which.size
    inner = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, parts)
    x = np.concatenate([inner.ravel(), np.full(_SIZE - inner.size, high[-1])])
    values = np.array(_denominators(program, jnp.asarray(x)))
    signs = np.sign(
        values[which][:, : inner.size].reshape(which.size, which.size, parts)[
            np.arange(which.size), np.arange(which.size)
        ]
    )
    at = np.argmax(signs[:, 1:] != signs[:, :1], axis=1)
    rows = np.arange(which.size)
    return inner[rows, at], inner[rows, at + 1]


def _denominators(program: Any, x: Any) -> list[np.ndarray]:
    """All denominators, each of the shape of `x`, while the program runs operation by operation."""
    found: list[np.ndarray] = []

    def run(jaxpr: Any, constants: Any, arguments: Any) -> list[Any]:
        known = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*constants, *arguments], strict=True))

        def read(variable: Any) -> Any:
            return variable.val if isinstance(variable, Literal) else known[variable]

        for equation in jaxpr.eqns:
            given = [read(variable) for variable in equation.invars]
            inner = equation.params.get("jaxpr", equation.params.get("call_jaxpr"))
            if equation.primitive.name in _CALLS and inner is not None:
                results = run(getattr(inner, "jaxpr", inner), getattr(inner, "consts", ()), given)
            else:
                if equation.primitive.name == "div" and np.shape(given[1]) == x.shape:
                    found.append(np.asarray(given[1]))
                results = equation.primitive.bind(*given, **equation.params)
                results = results if equation.primitive.multiple_results else [results]
            known.update(zip(equation.outvars, results, strict=True))
        return [read(variable) for variable in jaxpr.outvars]

    run(program.jaxpr, program.consts, [x])
    return found
