"""Whether a function is linear, as far as its trace says."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array


def bends(f: Callable[[Array], Array], x: Array) -> bool:
    """Whether the slope of the elementwise `f` depends on where it is taken; False only where it surely does not."""

    def slope(at: Any) -> Any:
        return jax.jvp(f, (at,), (jnp.ones_like(x),))[1]

    traced = jax.make_jaxpr(slope)(jax.ShapeDtypeStruct(x.shape, x.dtype)).jaxpr
    depending = {id(variable) for variable in traced.invars}
    for equation in traced.eqns:
        if any(id(variable) in depending for variable in equation.invars):
            depending |= {id(variable) for variable in equation.outvars}
    return any(id(variable) in depending for variable in traced.outvars)
