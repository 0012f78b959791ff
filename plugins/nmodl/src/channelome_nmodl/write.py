"""A mechanism as a file that people keep: a class in the house style, which gives the numbers of the run-time class.

Nothing of the text of a .mod file is copied but names and numbers.
"""

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from channelome.authoring import Release, Synapse

from . import expression as x
from .build import said
from .expression import Formula
from .plan import Field, Method, Plan

_KINDS: Mapping[str, str] = {
    "mV": "Voltage", "ms": "Time", "1/ms": "Rate", "mS/cm^2": "Conductance", "mM": "Concentration", "1": "Factor",
    "degC": "Temperature", "uA/cm^2": "CurrentDensity", "um^2": "Area", "um": "Length",
}  # fmt: skip
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


def module(plan: Plan, name: str, digest: str) -> str:
    """The text of a module with the class.

    Args:
        name: of the class.
        digest: SHA-256 of the file.
    """
    file = plan.meaning.file.source.name
    body = [_class_line(plan, name), f'    """{_summary(plan)}"""', ""]
    body += [_field(one, file) for one in plan.fields]
    body += [] if plan.fields else ["    pass"] * (not plan.methods)
    for method in plan.methods:
        body += ["", *_method(method, plan)]
    text = "\n".join(body) + "\n"
    first = (
        f'"""{_summary(plan).rstrip(".")}: {name}, made from {file}.\n\n'
        f"SHA-256 of that file: {digest}.\n"
        f"Its equations and numbers are here in its own letters, and none of its text.\n"
        f'Put the reference of the paper into pack.toml, and check each default against it.\n"""\n'
    )
    return f"{first}\n{_imports(text)}\n\n\n{text}"


def _class_line(plan: Plan, name: str) -> str:
    words = [plan.base.__name__]
    if isinstance(plan.ion, tuple):
        words.append(f"ion={{{', '.join(f'{one!r}: None' for one in plan.ion)}}}".replace("'", '"'))
    elif plan.ion is not None:
        words.append(f'ion="{plan.ion}"')
    for key, values in plan.keywords.items():
        words.append(f"{key}={_names(values)}")
    words += [f"{key}={_word(value)}" for key, value in plan.words.items()]
    if plan.reads:
        words.append(f"reads={_names(plan.reads)}")
    return "\n".join(_wrapped(f"class {name}(", ", ".join(words), "):"))


def _names(names: Iterable[str]) -> str:
    """A tuple of names, as Python."""
    inside = ", ".join(f'"{name}"' for name in names)
    return f"({inside},)" if "," not in inside else f"({inside})"


def _word(value: Any) -> str:
    """A value of a class keyword, as Python."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}": {one!r}' for key, one in value.items()) + "}"  # pyright: ignore
    return f'"{value}"' if isinstance(value, str) else str(value)


def _summary(plan: Plan) -> str:
    known = {"na": "Sodium", "k": "Potassium", "ca": "Calcium", "cl": "Chloride"}
    if plan.base in (Synapse, Release):
        what = "Synapse" if plan.base is Synapse else "What a source sends"
        return f"{what}, of the mechanism {plan.meaning.name}."
    if plan.meaning.species:
        species = plan.meaning.species
        return f"{known.get(species, species)} of the mechanism {plan.meaning.name}."
    ion = plan.ion if isinstance(plan.ion, str) else plan.ion[0] if plan.ion and len(plan.ion) == 1 else None
    what = (
        f"{known.get(ion, ion)} current"
        if ion
        else "Current"
        if plan.ion is None
        else f"Current of {' and '.join(plan.ion)}"
    )
    return f"{what} of the mechanism {plan.meaning.name}."


def _field(one: Field, file: str) -> str:
    kind = _KINDS.get(one.unit.symbol)
    if one.name == "g_max" and (one.default or 0) < 0:
        kind = None
    kind = kind or f'Annotated[Any, Unit.parse("{one.unit.symbol}")]'
    source = said(one, file).replace("\\", "/").replace('"', "'")
    value = "" if one.default is None else f"{one.default!r}, "
    return f'    {one.name}: {kind} = param({value}source="{source}")'


# ---- methods ----


def _method(method: Method, plan: Plan) -> list[str]:
    printer = _Printer(method, plan)
    parts = [printer.text(f) for f in method.formulas]
    if method.returns in _PAIRS and sum(map(len, parts)) > 80:
        parts = [printer.named(name, part) for name, part in zip(_PAIRS[method.returns], parts, strict=True)]
    arguments = [f"{name}: {_type(name, plan)}" for name in method.arguments]
    head = _wrapped(f"    def {method.name}(", ", ".join(["self", *arguments]), f") -> {_RESULTS[method.returns]}:")
    if method.returns in ("table", "sent"):
        sent = f"}}, {parts[-1]}" if method.returns == "sent" else "}"
        lines = [
            "return {",
            *(f"    {_key(key)}: {part}," for key, part in zip(method.keys, parts, strict=False)),
            sent,
        ]
    elif method.returns == "value":
        lines = [f"return {parts[0]}"]
    elif method.returns == "rates":
        lines = [f"return rates(alpha={parts[0]}, beta={parts[1]})"]
    elif method.returns == "gate":
        lines = [f"return Gate(inf={parts[0]}, tau={parts[1]})"]
    else:
        lines = [f"return Linear(source={parts[0]}, rate={parts[1]})"]
    return [*head, *(f"        {line}" for line in (*printer.lines, *lines))]


def _wrapped(begin: str, inside: str, end: str) -> list[str]:
    """A line, or several where it is longer than a line may be."""
    if len(begin) + len(inside) + len(end) <= 120:
        return [begin + inside + end]
    indent = " " * (len(begin) - len(begin.lstrip()) + 4)
    rest = begin[: len(begin) - len(begin.lstrip())]
    if len(indent) + len(inside) <= 119 and not inside.endswith(","):
        return [begin, f"{indent}{inside}", f"{rest}{end}"]
    return [begin, *textwrap.wrap(inside + ",", 116, initial_indent=indent, subsequent_indent=indent), f"{rest}{end}"]


_PAIRS: Mapping[str, tuple[str, str]] = {
    "rates": ("alpha", "beta"),
    "gate": ("inf", "tau"),
    "linear": ("source", "rate"),
}
_RESULTS: Mapping[str, str] = {
    "rates": "Rates", "gate": "Gate", "linear": "Linear", "table": "dict[Any, Any]", "value": "Array",
    "sent": "tuple[dict[str, Any], Any]",
}  # fmt: skip


def _type(name: str, plan: Plan) -> str:
    views = {
        view.partition(".")[0] for view in plan.symbols.values() if "." in view and not view.startswith(("self.", "s["))
    }
    if name == "s":
        return "dict[str, Array]"
    return "IonView" if name in views else "Any" if name in ("celsius", "dt") else "Array"


def _key(key: Any) -> str:
    return f'("{key[0]}", "{key[1]}")' if isinstance(key, tuple) else f'"{key}"'


class _Printer:
    """Formulas as Python; what is used twice, or is long, gets a line and a name of its own.

    Attributes:
        lines: assignments, in order.
    """

    def __init__(self, method: Method, plan: Plan) -> None:
        self.plan = plan
        self.lines: list[str] = []
        self._names: dict[int, str] = {}
        self._taken = {"self", *method.arguments, *_imported_names(), *plan.symbols.values()}
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
        while not name or name in self._taken:
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
            return f"-{self._inside(f.args[0], 7)}", rank
        if f.op == "^":
            base, exponent = self._inside(f.args[0], 9), self._inside(f.args[1], 8)
            sign = "**" if all(re.fullmatch(r"-?[\w.]+", part) for part in (base, exponent)) else " ** "
            return f"{base}{sign}{exponent}", rank
        if f.op in ("+", "*", "-", "/"):
            return f"{self._inside(f.args[0], rank)} {f.op} {self._inside(f.args[1], rank + 1)}", rank
        if f.op in x.COMPARE:
            return f"{self._inside(f.args[0], 4)} {f.op} {self._inside(f.args[1], 4)}", rank
        args = ", ".join(self._text(arg)[0] for arg in f.args)
        return f"{_OF_JNP.get(f.op, f.op)}({args})", 9

    def _inside(self, f: Formula, least: int) -> str:
        text, rank = self._text(f)
        return text if rank >= least else f"({text})"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


_AUTHORING = [
    "Annotated",
    "Any",
    "Area",
    "Array",
    "Concentration",
    "Conductance",
    "CurrentDensity",
    "Factor",
    "Gate",
    "General",
    "GeneralIon",
    "IonView",
    "Length",
    "Linear",
    "Markov",
    "Ohmic",
    "Pool",
    "Rate",
    "Rates",
    "Release",
    "Synapse",
    "Temperature",
    "Time",
    "Unit",
    "Voltage",
    "abs",
    "exp",
    "linoid",
    "log",
    "param",
    "rates",
    "sqrt",
    "tanh",
    "where",
]


def _imported_names() -> set[str]:
    return {*_AUTHORING, "jnp", "jax"}


def _imports(text: str) -> str:
    """The import lines that a text needs."""
    used = set(re.findall(r"[A-Za-z_]\w*", re.sub(r'"[^"\n]*"', "", text)))
    lines = list[str]()
    typing = [name for name in ("Annotated", "Any") if name in used]
    if typing:
        lines += [f"from typing import {', '.join(typing)}", ""]
    if "jax" in used:
        lines += ["import jax"]
    if "jnp" in used:
        lines += ["import jax.numpy as jnp"]
    names = ", ".join(name for name in _AUTHORING if name in used and name not in ("Annotated", "Any"))
    line = f"from channelome.authoring import {names}"
    if len(line) > 120:
        inner = textwrap.fill(names, 112, initial_indent="    ", subsequent_indent="    ", break_long_words=False)
        line = f"from channelome.authoring import (\n{inner},\n)"
    return "\n".join([*lines, line])
