"""Functions of some of their arguments, the others as they are: derivatives along what moves alone, batches of what is not shared."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.custom_derivatives import SymbolicZero


def of_some(f: Callable[..., Any], leaves: Sequence[Any], chosen: Sequence[int]) -> Callable[..., Any]:
    """`f` of the `chosen` of its arguments, the others as they stand in `leaves`."""

    def some(*given: Any) -> Any:
        own = dict(zip(chosen, given, strict=True))
        return f(*[own.get(i, one) for i, one in enumerate(leaves)])

    return some


def along(f: Callable[..., Any], leaves: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """What ``f(*leaves)`` is, and how it changes along those tangents that are no symbolic zeros: what belongs to the others is not differentiated.

    Args:
        leaves, tangents: arrays, as a rule of `jax.custom_jvp` with symbolic zeros is given them.
    """
    moving = [i for i, one in enumerate(tangents) if not isinstance(one, SymbolicZero)]
    return jax.jvp(of_some(f, leaves, moving), [leaves[i] for i in moving], [tangents[i] for i in moving])
