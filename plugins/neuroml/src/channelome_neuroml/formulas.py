"""LEMS expressions, read into formulas with their dimensions. Text of a file is never run."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from channelome.formulas import expression as x
from channelome.formulas.expression import Formula

from .text import NeuroMLError, Place
from .units import NONE, Dimension, named

DEEPEST = 60
"""Brackets in one another."""
LONGEST = 4000
"""Tokens of one expression."""
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.(?!(?:gt|lt|geq|leq|ge|le|eq|neq|ne|and|or)\.)\d*)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<word>\.[a-z]+\.)|(?P<sign>[-+*/^()])|(?P<end>$))"
)
_COMPARE = {".gt.": ">", ".lt.": "<", ".geq.": ">=", ".leq.": "<=", ".ge.": ">=", ".le.": "<=", ".eq.": "==", ".neq.": "!=", ".ne.": "!="}  # fmt: skip
_FUNCTIONS: Mapping[str, Callable[[Formula], Formula]] = {
    "log": partial(x.call, "log"), "ln": partial(x.call, "log"), "H": lambda a: _step(a),
    **{name: partial(x.call, name) for name in ("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "ceil")},
}  # fmt: skip


class Value(NamedTuple):
    """A formula and its dimension; of a condition the dimension is None."""

    formula: Formula
    dimension: Dimension | None


def number(value: float) -> Value:
    return Value(x.number(value), NONE)


def read(text: str, known: Callable[[str], Value | None], place: Place) -> Value:
    """What an expression of LEMS amounts to.

    Args:
        known: what a name stands for; None where it stands for nothing.

    Raises:
        NeuroMLError: for what is no expression, a name that stands for nothing, and dimensions that do not fit.
    """
    return _Reader(text, known, place).whole()


class _Reader:
    def __init__(self, text: str, known: Callable[[str], Value | None], place: Place) -> None:
        self.said = text if len(text) <= 80 else text[:77] + "..."
        self.known, self.place, self.depth, self.at = known, place, 0, 0
        self.tokens = self._split(text)

    def whole(self) -> Value:
        found = self._either()
        if self._next() != "":
            raise self._wrong(f"'{self._next()}' stands where an operator should")
        return found

    def _split(self, text: str) -> list[tuple[str, str]]:
        tokens, at = list[tuple[str, str]](), 0
        while not tokens or tokens[-1][0] != "end":
            found = _TOKEN.match(text, at)
            if found is None:
                raise self._wrong(f"'{text[at:].strip()[:20]}' is no part of an expression")
            kind = found.lastgroup or "end"
            tokens.append((kind, found[kind]))
            at = found.end()
            if len(tokens) > LONGEST:
                raise self._wrong("it is longer than expressions are")
        return tokens

    def _wrong(self, reason: str) -> NeuroMLError:
        return self.place.refuse(f"the expression '{self.said}' cannot be read: {reason}.")

    def _next(self) -> str:
        return self.tokens[self.at][1]

    def _take(self) -> tuple[str, str]:
        self.at += 1
        return self.tokens[self.at - 1]

    # ---- conditions ----

    def _either(self) -> Value:
        found = self._both()
        while self._next() == ".or.":
            self._take()
            found = Value(x.either(self._test(found), self._test(self._both())), None)
        return found

    def _both(self) -> Value:
        found = self._compared()
        while self._next() == ".and.":
            self._take()
            found = Value(x.both(self._test(found), self._test(self._compared())), None)
        return found

    def _test(self, one: Value) -> Formula:
        if one.dimension is not None:
            raise self._wrong("a number stands where a condition should")
        return one.formula

    def _compared(self) -> Value:
        found = self._sum()
        if self._next() in _COMPARE:
            sign = _COMPARE[self._take()[1]]
            other = self._sum()
            self._fit(found, other, "compares")
            return Value(x.compare(sign, found.formula, other.formula), None)
        return found

    # ---- numbers ----

    def _sum(self) -> Value:
        if self._next() in ("-", "+"):
            sign = self._take()[1]
            found = self._product()
            found = Value(x.neg(found.formula), self._plain(found)) if sign == "-" else found
        else:
            found = self._product()
        while self._next() in ("+", "-"):
            sign = self._take()[1]
            other = self._product()
            dimension = self._fit(found, other, "adds" if sign == "+" else "subtracts")
            found = Value((x.add if sign == "+" else x.sub)(found.formula, other.formula), dimension)
        return found

    def _product(self) -> Value:
        found = self._power()
        while self._next() in ("*", "/"):
            sign = self._take()[1]
            other = self._power()
            one, two = self._plain(found), self._plain(other)
            way = 1 if sign == "*" else -1
            dimension: Dimension = tuple(a + way * b for a, b in zip(one, two, strict=True))  # pyright: ignore
            found = Value((x.mul if sign == "*" else x.div)(found.formula, other.formula), dimension)
        return found

    def _power(self) -> Value:
        signed = self._next() == "-"
        found = self._signed()
        if signed and self._next() == "^":
            raise self._wrong("simulators do not agree on a minus before a power: put brackets")
        while self._next() == "^":  # from the left: 2^3^2 is 64, as in jLEMS
            self._take()
            found = self._raised(found, self._signed())
        return found

    def _raised(self, base: Value, exponent: Value) -> Value:
        if self._plain(exponent) != NONE:
            raise self._wrong(f"an exponent is a {named(self._plain(exponent))}")
        made = x.power(base.formula, exponent.formula)
        if self._plain(base) == NONE:
            return Value(made, NONE)
        e = exponent.formula
        if e.op != "number" or not float(e.value).is_integer() or abs(e.value) > 9:
            raise self._wrong(f"a {named(self._plain(base))} is raised to what is no whole number")
        return Value(made, tuple(a * int(e.value) for a in self._plain(base)))  # pyright: ignore

    def _signed(self) -> Value:
        if self._next() != "-":
            return self._atom()
        self._deeper()
        self._take()
        found = self._signed()
        self.depth -= 1
        return Value(x.neg(found.formula), self._plain(found))

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._wrong("its brackets stand in one another too deep")

    def _atom(self) -> Value:
        kind, text = self._take()
        if kind == "number":
            return number(self._finite(text))
        if text == "(":
            return self._bracketed()
        if kind == "name" and self._next() == "(":
            self._take()
            return self._call(text, self._bracketed())
        if kind != "name":
            raise self._wrong(f"'{text}' stands where a number or a name should" if text else "it ends too early")
        found = self.known(text)
        if found is None:
            raise self.place.refuse(f"the expression '{self.said}' uses '{text}', which stands for nothing there.")
        return found

    def _finite(self, text: str) -> float:
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise self._wrong(f"{text[:30]} is too large a number")
        return value

    def _bracketed(self) -> Value:
        self._deeper()
        found = self._either()
        self.depth -= 1
        if self._take()[1] != ")":
            raise self._wrong("a bracket is not closed")
        return found

    def _call(self, name: str, given: Value) -> Value:
        dimension = self._plain(given)
        if name == "abs":
            return Value(x.call("fabs", given.formula), dimension)
        if name == "sqrt":
            if any(e % 2 for e in dimension):
                raise self._wrong(f"sqrt() is of a {named(dimension)}")
            return Value(x.call("sqrt", given.formula), tuple(e // 2 for e in dimension))  # pyright: ignore
        if name not in _FUNCTIONS:
            why = (
                "random numbers are not followed" if name == "random" else f"{name}() is no function that is known here"
            )
            raise self._wrong(why)
        if dimension != NONE:
            raise self._wrong(f"{name}() is of a {named(dimension)}, not of a number")
        return Value(_FUNCTIONS[name](given.formula), NONE)

    # ---- dimensions ----

    def _plain(self, one: Value) -> Dimension:
        if one.dimension is None:
            raise self._wrong("a condition stands where a number should")
        return one.dimension

    def _fit(self, one: Value, other: Value, what: str) -> Dimension:
        a, b = self._plain(one), self._plain(other)
        if a == b or x.is_number(other.formula, 0):
            return a
        if x.is_number(one.formula, 0):
            return b
        raise self._wrong(f"it {what} a {named(a)} and a {named(b)}")


def _step(a: Formula) -> Formula:
    """LEMS's H: 0 below 0, 1 above, 1/2 at it."""
    zero = x.number(0)
    return x.where(x.compare(">", a, zero), x.number(1), x.where(x.compare("<", a, zero), zero, x.number(0.5)))
