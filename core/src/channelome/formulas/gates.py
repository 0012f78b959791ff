"""Rates of change that are those of gates: where each comes to rest, and how fast."""

from . import expression as x
from .expression import Formula
from .singular import factors


def steady_state(rate: Formula, name: str) -> Formula | None:
    """Where a state's rate is 0, if that is linear in it."""
    found = as_gate(rate, name)
    if found is not None:
        kind, a, b = found
        return a if kind == "gate" else x.div(a, x.add(a, b)) if kind == "rates" else x.div(a, b)
    return None


def as_gate(rate: Formula, name: str) -> tuple[str, Formula, Formula] | None:
    """``("gate", inf, tau)``, ``("rates", alpha, beta)`` or ``("linear", source, rate)``; None where it is not linear."""
    found = _relaxing(rate, name)
    if found is not None:
        return _of_rates(found[1], found[2]) or found
    return _opening(rate, name) or _linear(rate, name)


def _of_rates(inf: Formula, tau: Formula) -> tuple[str, Formula, Formula] | None:
    """Opening and closing rate of ``inf = a / (a + b)`` and ``tau = 1 / (phi (a + b))``."""
    if inf.op != "/" or inf.args[1].op != "+" or inf.args[0] not in inf.args[1].args:
        return None
    alpha, both = inf.args
    beta = both.args[1] if both.args[0] is alpha else both.args[0]
    speed = x.number(1)
    while tau.op == "/":
        speed, tau = x.mul(speed, tau.args[1]), tau.args[0]
    for phi, factor in factors(speed):
        if factor is both:
            phi = x.div(phi, tau)
            return "rates", x.mul(phi, alpha), x.mul(phi, beta)
    return None


def _relaxing(rate: Formula, name: str) -> tuple[str, Formula, Formula] | None:
    """``(inf - x) / tau``, or that times or over what is not of x."""
    scale, f, over = x.number(1), rate, x.number(1)
    while True:
        if f.op == "/" and name not in f.args[1].symbols:
            over, f = x.mul(over, f.args[1]), f.args[0]
        elif f.op == "*" and name not in f.args[0].symbols:
            scale, f = x.mul(scale, f.args[0]), f.args[1]
        elif f.op == "*" and name not in f.args[1].symbols:
            scale, f = x.mul(scale, f.args[1]), f.args[0]
        elif f.op == "neg" and f.args[0].op == "-":
            f = x.sub(f.args[0].args[1], f.args[0].args[0])
        elif f.op == "neg":
            scale, f = x.neg(scale), f.args[0]
        else:
            break
    if f.op != "-":
        return None
    a, b = f.args
    if x.is_symbol(b, name) and name not in a.symbols:
        return "gate", a, x.div(over, scale)
    if x.is_symbol(a, name) and name not in b.symbols:
        return "gate", b, x.div(over, x.neg(scale))
    return None


def _opening(rate: Formula, name: str) -> tuple[str, Formula, Formula] | None:
    """``alpha (1 - x) - beta x``."""
    if rate.op != "-":
        return None
    one, other = rate.args
    beta = x.linear(other, name)
    open_ = x.linear(one, name)
    if beta is None or open_ is None or not x.is_number(beta[0], 0) or name in beta[1].symbols:
        return None
    alpha = None
    if one.op == "*":
        for factor, rest in (one.args, one.args[::-1]):
            falls = rest.op == "-" and x.is_number(rest.args[0], 1) and x.is_symbol(rest.args[1], name)
            if falls and name not in factor.symbols:
                alpha = factor
    return None if alpha is None else ("rates", alpha, beta[1])


def _linear(rate: Formula, name: str) -> tuple[str, Formula, Formula] | None:
    found = x.linear(rate, name)
    if found is None or x.is_number(found[1], 0):
        return None
    return "linear", found[0], x.neg(found[1])
