"""Whether two objects hold the same: structurally, numbers to the last bit. And how functions of JAX travel, which it cannot pickle."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

_T = TypeVar("_T")


def same(a: Any, b: Any) -> bool:
    """Whether `a` and `b` are equal: of one class, with equal parts; arrays of one type and shape with the same bits (NaN too).

    What JAX traces is equal to itself alone.
    """
    if a is b:
        return True
    if isinstance(a, Tracer) or isinstance(b, Tracer):
        return False
    if isinstance(a, np.ndarray | np.generic | jax.Array) or isinstance(b, np.ndarray | np.generic | jax.Array):
        return _same_array(a, b)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(x, b[name]) for name, x in a.items())
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(same, a, b))
    if dataclasses.is_dataclass(a):
        return all(same(getattr(a, field.name), getattr(b, field.name)) for field in dataclasses.fields(a))
    return _same_array(a, b) if isinstance(a, float) else bool(a == b)


def _same_array(a: Any, b: Any) -> bool:
    if any(isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jax.dtypes.prng_key) for x in (a, b)):
        return getattr(a, "dtype", None) == getattr(b, "dtype", 0) and same(
            jax.random.key_data(a), jax.random.key_data(b)
        )
    x, y = np.asarray(a), np.asarray(b)
    return x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()


def compared(cls: type[_T]) -> type[_T]:
    """A class of tuples that hold arrays: two are equal where they hold the `same`, as one answer and not one for each number."""
    methods = {
        "__eq__": lambda self, other: same(self, other),
        "__ne__": lambda self, other: not same(self, other),
        "__hash__": lambda self: hash(cls.__qualname__),  # arrays have none
    }
    for name, method in methods.items():
        setattr(cls, name, method)
    return cls


@dataclasses.dataclass(frozen=True)
class OfJax:
    """A function of jax.numpy on its way: its name there."""

    name: str


def sent(f: Callable[..., Any]) -> Any:
    """What is pickled for a function: of one of jax.numpy the name."""
    name = getattr(f, "__name__", "")
    return OfJax(name) if getattr(jnp, name, None) is f else f


def arrived(f: Any) -> Callable[..., Any]:
    """The reverse of `sent`."""
    return getattr(jnp, f.name) if isinstance(f, OfJax) else f
