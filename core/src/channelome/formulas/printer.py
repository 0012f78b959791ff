"""Formulas as Python: what is used twice, or is long, gets a line and a name of its own."""

import keyword
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from . import expression as x
from .expression import Formula
from .plan import AUTHORING, Method, Plan

_RANK: Mapping[str, int] = {
    "or": 0,
    "<": 3,
    "<=": 3,
    ">": 3,
    ">=": 3,
    "==": 3,
    "!=": 3,
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "neg": 7,
    "^": 8,
}
_OF_JNP: Mapping[str, str] = {
    "fabs": "abs", "asin": "jnp.arcsin", "acos": "jnp.arccos", "atan": "jnp.arctan", "atan2": "jnp.arctan2", "log10": "jnp.log10",
    "sin": "jnp.sin", "cos": "jnp.cos", "tan": "jnp.tan", "sinh": "jnp.sinh", "cosh": "jnp.cosh", "floor": "jnp.floor",
    "ceil": "jnp.ceil", "fmod": "jnp.fmod", "erf": "jax.scipy.special.erf", "and": "jnp.logical_and", "or": "jnp.logical_or",
    "not": "jnp.logical_not",
}  # fmt: skip
_WIDE = 108
_TURNED = str.maketrans("<>", "><")


class Printer:
    """Formulas as Python; what is used twice, or is long, gets a line and a name of its own.

    Attributes:
        lines: assignments, in order.
    """

    def __init__(self, method: Method, plan: Plan[Any]) -> None:
        self.plan = plan
        self.lines: list[str] = []
        self._names: dict[int, str] = {}
        self._taken = {"self", *method.arguments, *AUTHORING, "jnp", "jax", *plan.symbols.values()}
        self._uses = Counter(id(arg) for f in x.walk(method.formulas) for arg in f.args)
        self._uses.update(id(f) for f in method.formulas)
        self._numbers = 0
        self._forced = set[int]()
        self._roots = {id(f) for f in method.formulas}

    def text(self, f: Formula) -> str:
        return self._text(f)[0]

    def named(self, name: str, text: str) -> str:
        """A name for a text, which gets a line of its own if it is more than a name."""
        if text.isidentifier():
            return text
        name = self._free(name)
        self.lines.append(f"{name} = {text}")
        return name

    def _text(self, f: Formula) -> tuple[str, int]:
        if id(f) in self._names:
            return self._names[id(f)], 9
        text, rank = self._plain(f)
        while len(text) > _WIDE - 12 and (long := self._longest(f)) is not None:
            self._forced.add(id(long))
            text, rank = self._plain(f)
        named = f in self.plan.meaning.names and f.op not in ("neg",)
        if (
            f.args
            and not (id(f) in self._roots and self._uses[id(f)] == 1)
            and (
                id(f) in self._forced
                or (self._uses[id(f)] > 1 and len(text) > 8)
                or len(text) > _WIDE - 30
                or (named and len(text) > 24)
            )
        ):
            name = self._free(self.plan.meaning.names.get(f, ""))
            self.lines.append(f"{name} = {text}")
            self._names[id(f)] = name
            return name, 9
        return text, rank

    def _longest(self, f: Formula) -> Formula | None:
        """The part of a formula that takes most of its text, and has no line of its own."""
        parts = [arg for arg in f.args if arg.args and id(arg) not in self._names and id(arg) not in self._forced]
        return max(parts, key=lambda arg: len(self._plain(arg)[0]), default=None)

    def _free(self, wanted: str) -> str:
        name = wanted if wanted and wanted.isidentifier() else ""
        while not name or name in self._taken or keyword.iskeyword(name):
            if name and not name.endswith("_") and wanted:
                name += "_"
                continue
            self._numbers += 1
            name = f"x{self._numbers}"
        self._taken.add(name)
        return name

    def _plain(self, f: Formula) -> tuple[str, int]:
        if f.op == "number":
            text = _number(f.value)
            return text, 7 if text.startswith("-") else 9
        if f.op == "symbol":
            return self.plan.symbols[f.value], 9
        rank = _RANK.get(f.op, 9)
        if f.op == "neg":
            inside = self._inside(f.args[0], 7)
            return f"-({inside})" if f.args[0].op == "^" and "**" in inside else f"-{inside}", rank
        if f.op == "^":
            base, exponent = self._inside(f.args[0], 9), self._inside(f.args[1], 8)
            sign = "**" if all(re.fullmatch(r"-?[\w.]+", part) for part in (base, exponent)) else " ** "
            return f"{base}{sign}{exponent}", rank
        if f.op in ("+", "*", "-", "/"):
            return f"{self._inside(f.args[0], rank)} {f.op} {self._inside(f.args[1], rank + 1)}", rank
        if f.op in x.COMPARE:
            (a, b), sign = f.args, f.op
            if a.op == "number":  # what is compared goes first
                a, b, sign = b, a, sign.translate(_TURNED)
            return f"{self._inside(a, 4)} {sign} {self._inside(b, 4)}", rank
        args = ", ".join(self._text(arg)[0] for arg in f.args)
        return f"{_OF_JNP.get(f.op, f.op)}({args})", 9

    def _inside(self, f: Formula, least: int) -> str:
        text, rank = self._text(f)
        return text if rank >= least else f"({text})"


def _number(value: float) -> str:
    whole = float(value).is_integer() and abs(value) < 2**31  # what JAX takes for a whole number without 64 bits
    return str(int(value)) if whole else repr(float(value)).replace("e+", "e")
