"""Derivatives of formulas."""

from ..errors import ModelError
from . import expression as x
from .expression import Formula


def slope(f: Formula, name: str) -> Formula:
    """The derivative of `f` by `name`; a ``where`` has that of its branches.

    Raises:
        ModelError: where `f` has a function whose derivative is not known here.
    """
    done: dict[int, Formula] = {}
    for part in x.walk([f]):
        if name not in part.symbols:
            done[id(part)] = x.number(0)
        elif part.op == "symbol":
            done[id(part)] = x.number(1)
        else:
            done[id(part)] = _slope(part, tuple(done[id(arg)] for arg in part.args))
    return done[id(f)]


def _slope(f: Formula, d: tuple[Formula, ...]) -> Formula:
    a = f.args
    if f.op in x.COMPARE or f.op in ("and", "or", "not"):
        return x.number(0)
    if f.op in ("+", "-", "neg"):
        return x.build(f.op, d)
    if f.op == "*":
        return x.add(x.mul(d[0], a[1]), x.mul(a[0], d[1]))
    if f.op == "/":
        if x.is_number(d[1], 0):
            return x.div(d[0], a[1])
        return x.div(x.sub(x.mul(d[0], a[1]), x.mul(a[0], d[1])), x.mul(a[1], a[1]))
    if f.op == "^" and x.is_number(d[1], 0):
        return x.mul(x.mul(a[1], x.power(a[0], x.sub(a[1], x.number(1)))), d[0])
    if f.op == "^":
        return x.mul(f, x.add(x.mul(d[1], x.call("log", a[0])), x.div(x.mul(a[1], d[0]), a[0])))
    if f.op == "exp":
        return x.mul(f, d[0])
    if f.op == "log":
        return x.div(d[0], a[0])
    if f.op == "where":
        return x.where(a[0], d[1], d[2])
    if f.op == "sqrt":
        return x.div(d[0], x.mul(x.number(2), f))
    raise ModelError(f"the derivative of {f.op}() is needed, and not known here.")
