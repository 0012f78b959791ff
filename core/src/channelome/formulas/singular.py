"""``x / (exp(x/k) - 1)`` in all the ways in which it is written, guarded or not, made `linoid`: right in value and in slope."""

from collections.abc import Mapping

import numpy as np

from . import expression as x
from .expression import Formula
from .numeric import same, values


class Singular:
    """Takes the singular quotients out of formulas.

    Attributes:
        findings: what is wrong with the file's own way round them, each once.
    """

    def __init__(self, defaults: Mapping[str, float]) -> None:
        self.defaults = defaults
        self.findings: dict[str, None] = {}

    def removed(self, f: Formula) -> Formula:
        """`f` with `linoid` in the place of each quotient that is 0/0 somewhere, and without guards that are not needed then."""
        return x.rebuilt(f, self._part)

    def _part(self, f: Formula, args: tuple[Formula, ...]) -> Formula:
        f = f if args == f.args else x.build(f.op, args)
        if f.op == "/":
            return self._quotient(f)
        return self._unguarded(_unclipped(f)) if f.op == "where" else f

    # ---- quotients ----

    def _quotient(self, f: Formula) -> Formula:
        top, bottom = f.args
        extra, bottom = _split(bottom)
        inner = _exponent(bottom)
        if inner is None or inner[0].op == "number":
            return f
        E, turned = inner
        found = self._proportional(top, E)
        if found is None:
            return f
        rest, whole, k = found
        # linoid(x, k) = -linoid(-x, -k), written with k > 0; turned: 1 - exp(E) = -(exp(E) - 1)
        falls = k.op == "neg" or (k.op == "number" and k.value < 0)
        made = x.call("linoid", x.neg(whole), x.neg(k)) if falls else x.call("linoid", whole, k)
        made = x.mul(rest, made if turned == falls else x.neg(made))
        return made if extra is None else x.div(made, extra)

    def _proportional(self, top: Formula, E: Formula) -> tuple[Formula, Formula, Formula] | None:
        """The rest of a numerator, the factor of it that is k times `E`, and that k."""
        for rest, factor in reversed(factors(top)):
            if factor is E:
                return rest, factor, x.number(1)
            for name in sorted(E.symbols & factor.symbols):
                a, b = x.linear(factor, name), x.linear(E, name)
                if a is None or b is None or x.is_number(b[1], 0) or x.is_number(a[1], 0):
                    continue
                k = x.div(a[1], b[1])
                if same(factor, x.mul(k, E), self.defaults, rtol=1e-8):
                    return rest, factor, k
        return None

    # ---- guards ----

    def _unguarded(self, f: Formula) -> Formula:
        if f.op != "where":
            return f
        test, a, b = f.args
        if test.op in ("not",):
            test, a, b = test.args[0], b, a
        if test.op in ("!=", ">", ">="):
            near, far = b, a
        elif test.op in ("==", "<", "<="):
            near, far = a, b
        else:
            return f
        point = self._point(test)
        if point is None:
            return f
        name, where, width = point
        if self._is_nudge(near, far):
            return far
        if not any(part.op == "linoid" for part in x.walk([far])):
            return f
        symbols = near.symbols | far.symbols | where.symbols | width.symbols | {name}
        at = {s: self._plain(s) for s in symbols}
        (centre,) = values([where], at)
        size = float(values([width], at)[0])
        for shift, tolerance in ((0.0, 1e-3), (size, 1e-3), (-size, 1e-3)):
            one, other = values([near, far], at | {name: centre + shift})
            if not np.all(np.abs(one - other) <= tolerance * np.abs(other) + 1e-12):
                if shift == 0.0:
                    said = f"at {name} = {float(centre):g} the file's guard gives {float(one):.4g}, the limit is {float(other):.4g}"
                    self.findings[said] = None
                return f
        return far

    def _plain(self, name: str) -> float:
        if name == "celsius":
            return 25.0
        return self.defaults.get(name, -40.0 if name == "v" else 0.5)

    def _point(self, test: Formula) -> tuple[str, Formula, Formula] | None:
        """The symbol, where the guard's condition centres, and how far from there it reaches."""
        a, b = test.args
        if test.op in (">", ">=") and a.op != "fabs" and b.op == "fabs":
            a, b = b, a
        inner, width = (
            (a.args[0], b) if a.op == "fabs" else (x.sub(a, b), x.number(0)) if test.op in ("==", "!=") else (None, b)
        )
        if inner is None:
            return None
        for name in sorted(inner.symbols, key=lambda s: s != "v"):
            part = x.linear(inner, name)
            if part is not None and not x.is_number(part[1], 0) and name not in width.symbols:
                return name, x.neg(x.div(part[0], part[1])), x.call("fabs", x.div(width, part[1]))
        return None

    def _is_nudge(self, near: Formula, far: Formula) -> bool:
        """Whether one is the other, moved a little: ``if (v == -40) { v = v + 0.0001 }``."""
        difference = x.sub(near, far)
        if near.symbols != far.symbols or not near.symbols:
            return False
        symbols = {s: self._plain(s) for s in near.symbols}
        found = [
            float(values([difference], symbols | {s: symbols[s] + step})[0])
            for s in near.symbols
            for step in (0.0, 7.0)
        ]
        return 0 < abs(found[0]) <= 0.01 and bool(np.allclose(found, found[0], rtol=1e-6, atol=1e-12))


def _unclipped(f: Formula) -> Formula:
    """``if (x < -100) { 0 } else { exp(x) }`` is ``exp(x)``: what is cut off is less than 1e-17."""
    test, a, b = f.args
    if test.op in ("<", "<=") and x.is_number(a, 0) and b.op == "exp" and test.args[0] is b.args[0]:
        return b if x.is_number(test.args[1]) and test.args[1].value <= -40 else f
    return f


def _split(bottom: Formula) -> tuple[Formula | None, Formula]:
    """A denominator's plain factor and the factor that may be ``exp(E) - 1``."""
    if bottom.op == "*":
        for one, other in (bottom.args, bottom.args[::-1]):
            if _exponent(other) is not None:
                return one, other
    return None, bottom


def _exponent(f: Formula) -> tuple[Formula, bool] | None:
    """`E` of ``exp(E) - 1``, or of ``1 - exp(E)`` and then True."""
    if f.op == "neg" and (inner := _exponent(f.args[0])) is not None:
        return inner[0], not inner[1]
    if f.op != "-":
        return None
    a, b = f.args
    if x.is_number(b, 1) and (E := _of_exp(a)) is not None:
        return E, False
    if x.is_number(a, 1) and (other := _of_exp(b)) is not None:
        return other, True
    return None


def _of_exp(f: Formula) -> Formula | None:
    if f.op == "exp":
        return f.args[0]
    if f.op == "/" and x.is_number(f.args[0], 1) and f.args[1].op == "exp":
        return x.neg(f.args[1].args[0])
    return None


def factors(f: Formula) -> list[tuple[Formula, Formula]]:
    """Each way to write `f` as ``rest * factor``."""
    found = [(x.number(1), f)]
    if f.op == "*":
        a, b = f.args
        found += [(x.mul(rest, b), factor) for rest, factor in factors(a)]
        found += [(x.mul(a, rest), factor) for rest, factor in factors(b)]
    elif f.op == "/":
        found += [(x.div(rest, f.args[1]), factor) for rest, factor in factors(f.args[0])]
    elif f.op == "neg":
        found += [(x.neg(rest), factor) for rest, factor in factors(f.args[0])]
    return found
