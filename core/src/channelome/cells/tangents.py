"""Derivatives along what moves alone: what a function with a derivative of its own is asked for, of some of its arguments."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.custom_derivatives import SymbolicZero


def along(f: Callable[..., Any], leaves: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """What ``f(*leaves)`` is, and how it changes along those tangents that are no symbolic zeros: what belongs to the others is not differentiated.

    Args:
        leaves, tangents: arrays, as a rule of `jax.custom_jvp` with symbolic zeros is given them.
    """
    moving = {i: one for i, one in enumerate(tangents) if not isinstance(one, SymbolicZero)}

    def of_some(*some: Any) -> Any:
        given = dict(zip(moving, some, strict=True))
        return f(*[given.get(i, one) for i, one in enumerate(leaves)])

    return jax.jvp(of_some, [leaves[i] for i in moving], [*moving.values()])
