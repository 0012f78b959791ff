"""The class of a mechanism at run time: methods that evaluate formulas with JAX. No text of the file is ever run."""

import inspect
import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import jax.numpy as jnp

from ..authoring import Gate, Linear, exp, linoid, param, rates
from ..units import Bound
from .expression import evaluate
from .plan import Method, Plan

_RETURNS: Mapping[str, Callable[..., Any]] = {"rates": rates, "gate": Gate, "linear": Linear}


def _power(a: Any, b: Any) -> Any:
    return a ** int(b) if isinstance(b, float) and b.is_integer() and abs(b) <= 64 else jnp.power(a, b)


def _where(test: Any, a: Any, b: Any) -> Any:
    return jnp.where(jnp.asarray(test) != 0, a, b)


def _logical(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: function(*(jnp.asarray(arg) != 0 for arg in args))


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b, "neg": lambda a: -a,
    "^": _power, "where": _where, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
    "and": _logical(jnp.logical_and), "or": _logical(jnp.logical_or), "not": _logical(jnp.logical_not),
    "exp": exp, "linoid": linoid, "fabs": jnp.abs, "asin": jnp.arcsin, "acos": jnp.arccos, "atan": jnp.arctan,
    "atan2": jnp.arctan2, "erf": lambda a: __import__("jax").scipy.special.erf(a),
    **{name: getattr(jnp, name) for name in ["log", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "floor", "ceil", "fmod"]},
}  # fmt: skip


def build(plan: Plan[Any], source: str) -> type[Any]:
    """The class.

    Args:
        source: what its parameters say they are from, with ``{line}`` for the line.
    """
    space: dict[str, Any] = {
        "__doc__": docstring(plan),
        "__module__": __name__,
        "__annotations__": {},
        "_read_from": plan.meaning.where,
    }
    for one in plan.fields:
        bound = (Bound(0.0),) if one.name == "g_max" and one.default is not None and one.default >= 0 else ()
        bound = (Bound(0.0, strict=True),) if one.of_place else bound
        space["__annotations__"][one.name] = Annotated[(Any, one.unit, *bound)]  # pyright: ignore
        value = () if one.default is None and not one.of_place else (one.default,)
        space[one.name] = param(*value, source=said(one, source))
    for method in plan.methods:
        space[method.name] = _method(method, plan)
    words: dict[str, Any] = {**plan.keywords, **plan.words}
    if isinstance(plan.ion, tuple):
        words["ion"] = dict.fromkeys(plan.ion)
    elif plan.ion is not None:
        words["ion"] = plan.ion
    if plan.reads:
        words["reads"] = plan.reads
    return types.new_class(plan.meaning.name, (plan.base,), words, lambda made: made.update(space))


def said(one: Any, source: str) -> str:
    """Where a parameter is from: file, line, and what it is called there."""
    source = one.quantity.file or source
    line = f"{source}, line {one.quantity.line}" if one.quantity.line else source
    note = f"; {one.quantity.note}" if one.quantity.note else ""
    written = " ".join(one.quantity.written.split())
    unit = "" if one.quantity.unit is not None or not written else f", in ({written})"
    return f"{line}: {one.quantity.name}{unit}{note}"


def docstring(plan: Plan[Any]) -> str:
    return f"The mechanism {plan.meaning.name} of {plan.meaning.where}, read from it."


def _method(method: Method, plan: Plan[Any]) -> Callable[..., Any]:
    names = plan.symbols
    fields = {key: name.partition(".")[2] for key, name in names.items() if name.startswith("self.")}
    held = {key: name[3:-2] for key, name in names.items() if name.startswith('s["')}
    views = {
        key: name.partition(".")[::2] for key, name in names.items() if "." in name and key not in {*fields, *held}
    }
    plain = {key: name for key, name in names.items() if "." not in name and key not in held}
    used = frozenset[str]().union(*(f.symbols for f in method.formulas))

    def method_(self: Any, *arguments: Any) -> Any:
        given = dict(zip(method.arguments, arguments, strict=True))
        values = {key: given[name] for key, name in plain.items() if key in used}
        values |= {key: getattr(self, name) for key, name in fields.items() if key in used}
        values |= {key: given["s"][name] for key, name in held.items() if key in used}
        values |= {key: getattr(given[ion], part) for key, (ion, part) in views.items() if key in used}
        found = evaluate(method.formulas, values, FUNCTIONS)
        if method.returns == "table":
            return dict(zip(method.keys, found, strict=True))
        if method.returns == "pairs":
            return dict(zip(method.keys, zip(found[::2], found[1::2], strict=True), strict=True))
        if method.returns == "sent":
            return dict(zip(method.keys, found[:-1], strict=True)), found[-1]
        return found[0] if method.returns == "value" else _RETURNS[method.returns](*found)

    method_.__name__ = method.name
    method_.__qualname__ = f"{plan.meaning.name}.{method.name}"
    plain_kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    method_.__signature__ = inspect.Signature(  # pyright: ignore[reportFunctionMemberAccess]
        [inspect.Parameter(name, plain_kind) for name in ("self", *method.arguments)]
    )
    return method_
