"""``where`` that is right in slope as well: in the branch that is not taken nothing may be divided by 0 or grow beyond all bounds."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from . import expression as x
from .expression import Formula
from .numeric import values

_DANGER = {"/": 1, "^": 0, "log": 0, "log10": 0, "sqrt": 0, "exp": 0, "asin": 0, "acos": 0}
"""Operations that may give what is no number, and which of their arguments makes them."""
_V = np.linspace(-250.0, 250.0, 2001)
_GREATEST = 80.0
"""The largest exponent whose exponential is a number in float32, and its square nearly."""
_LARGEST = 1e30
"""The largest power that is a number in float32, with room."""


class Guarded:
    """Puts 1 in the place of what would be dangerous where a branch is not taken, if it can be at any voltage.

    Args:
        at: numbers of all symbols but ``v``.
    """

    def __init__(self, at: Mapping[str, float]) -> None:
        self.at: dict[str, Any] = {**at, "v": _V}
        self._done: dict[tuple[int, int], Formula] = {}
        self._harmless: dict[int, bool] = {}

    def safe(self, f: Formula, guard: Formula | None = None) -> Formula:
        """`f`, of which a part is used only where `guard` holds."""
        key = id(f), id(guard)
        if key not in self._done:
            self._done[key] = self._safe(f, guard)
        return self._done[key]

    def _safe(self, f: Formula, guard: Formula | None) -> Formula:
        if not f.args:
            return f
        if f.op == "where":
            test = self.safe(f.args[0], guard)
            other = x.negated(test)
            one, two = (test, other) if guard is None else (x.both(guard, test), x.both(guard, other))
            return x.where(test, self.safe(f.args[1], one), self.safe(f.args[2], two))
        args = [self.safe(arg, guard) for arg in f.args]
        i = _DANGER.get(f.op)
        if guard is not None and i is not None and not self._is_harmless(f):
            args[i] = x.where(guard, args[i], x.number(1))
        return x.build(f.op, tuple(args))

    def _is_harmless(self, f: Formula) -> bool:
        if id(f) not in self._harmless:
            operand = f.args[_DANGER[f.op]]
            (found,) = values([operand], {name: self.at.get(name, 0.5) for name in operand.symbols})
            least, most = float(np.min(found)), float(np.max(found))
            if f.op == "exp":
                good = most < _GREATEST
            elif f.op == "^" and _is_count(f.args[1]):
                good = max(abs(least), abs(most)) < _LARGEST ** (1 / f.args[1].value)
            elif f.op in ("asin", "acos"):
                good = least > -1 and most < 1
            else:
                good = least > 0 or (most < 0 and f.op == "/")
                good = good and float(np.min(np.abs(found))) > 1e-3 * min(1.0, float(np.max(np.abs(found))))
            self._harmless[id(f)] = bool(good and np.all(np.isfinite(found)))
        return self._harmless[id(f)]


def _is_count(f: Formula) -> bool:
    """Whether it is a whole number from 1 on, and small: a power that has a slope everywhere."""
    return x.is_number(f) and f.value in range(1, 17)
