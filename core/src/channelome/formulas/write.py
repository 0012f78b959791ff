"""A mechanism as a file that people keep: a class in the house style, which gives the numbers of the run-time class.

Nothing of the text of the original is copied but names and numbers.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..authoring import Release, Synapse
from .build import said
from .plan import AUTHORING, Field, Method, Plan
from .printer import Printer

_KINDS: Mapping[str, str] = {
    "mV": "Voltage", "ms": "Time", "1/ms": "Rate", "mS/cm^2": "Conductance", "mM": "Concentration", "1": "Factor",
    "degC": "Temperature", "uA/cm^2": "CurrentDensity", "um^2": "Area", "um": "Length",
}  # fmt: skip


def module(parts: Mapping[str, Plan[Any]], digest: str) -> str:
    """The text of a module with the classes of a file.

    Args:
        parts: by the name of the class.
        digest: SHA-256 of the file.
    """
    (name, first), *_ = parts.items()
    file = _plain(first.meaning.where)
    text = "\n\n".join(_class(plan, name) for name, plan in parts.items())
    head = (
        f'"""{_summary(first).rstrip(".")}: {name}, made from {file}.\n\n'
        f"SHA-256 of that file: {digest}.\n"
        f"Its equations and numbers are here in its own letters, and none of its text.\n"
        f'Put the reference of the paper into pack.toml, and check each default against it.\n"""\n'
    )
    return f"{head}\n{_imports(text)}\n\n\n{text}"


def names_of(plans: Sequence[Plan[Any]], name: str) -> dict[str, Plan[Any]]:
    """A name for each class of a file, of which the first has `name`: ``CaKv_Smith2020`` beside ``IKv_Smith2020``."""
    current, _, family = name.rpartition("_")
    found = {name: plans[0]}
    for plan in plans[1:]:
        own = plan.meaning.species.capitalize() if plan.meaning.species else "Release"
        base = re.sub(r"^I(?=[A-Z])", "", current)
        found[f"{own}{base}_{family}" if plan.meaning.species else f"{base}{own}_{family}"] = plan
    return found


def _class(plan: Plan[Any], name: str) -> str:
    file = plan.meaning.where
    body = [_class_line(plan, name), f'    """{_summary(plan)}"""']
    body += ["", *(_field(one, file) for one in plan.fields)] if plan.fields else []
    for method in plan.methods:
        body += ["", *_method(method, plan)]
    return "\n".join(body) + "\n"


def _class_line(plan: Plan[Any], name: str) -> str:
    words = [plan.base.__name__]
    if isinstance(plan.ion, tuple):
        words.append(f"ion={{{', '.join(f'{one!r}: None' for one in plan.ion)}}}".replace("'", '"'))
    elif plan.ion is not None:
        words.append(f'ion="{plan.ion}"')
    words += [f"{key}={_names(values)}" for key, values in plan.keywords.items() if values]
    words += [f"{key}={_word(value)}" for key, value in plan.words.items()]
    if plan.reads:
        words.append(f"reads={_names(plan.reads)}")
    return "\n".join(_wrapped(f"class {name}(", words, "):"))


def _names(names: Iterable[str]) -> str:
    """A tuple of names, as Python."""
    inside = ", ".join(f'"{name}"' for name in names)
    return f"({inside},)" if "," not in inside else f"({inside})"


def _word(value: Any) -> str:
    """A value of a class keyword, as Python."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}": {one!r}' for key, one in value.items()) + "}"  # pyright: ignore
    return f'"{value}"' if isinstance(value, str) else str(value)


def _summary(plan: Plan[Any]) -> str:
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
    text = said(one, file)
    source = repr(text) if '"' in text else json.dumps(text, ensure_ascii=False)  # what JSON says is Python
    value = "None, " if one.of_place else "" if one.default is None else f"{one.default!r}, ".replace("e+", "e")
    line = f"    {one.name}: {kind} = param({value}source={source})"
    if len(line) <= 120:
        return line
    return f"    {one.name}: {kind} = param(\n        {value}source={source}\n    )"


def _plain(name: str) -> str:
    """The name of a file as it may stand in a docstring."""
    return "".join(c if c.isprintable() and c not in '"\\' else "_" for c in name)


# ---- methods ----


def _method(method: Method, plan: Plan[Any]) -> list[str]:
    printer = Printer(method, plan)
    parts = [printer.text(f) for f in method.formulas]
    if method.returns in _PAIRS and sum(map(len, parts)) > 80:
        parts = [printer.named(name, part) for name, part in zip(_PAIRS[method.returns], parts, strict=True)]
    arguments = [f"{name}: {_type(name, plan)}" for name in method.arguments]
    head = _wrapped(f"    def {method.name}(", ["self", *arguments], f") -> {_RESULTS[method.returns]}:")
    if method.returns == "pairs":
        parts = [f"({a}, {b})" for a, b in zip(parts[::2], parts[1::2], strict=True)]
    if method.returns in ("table", "pairs", "sent"):
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


def _wrapped(begin: str, words: Sequence[str], end: str) -> list[str]:
    """A line, or several where it is longer than a line may be: as the formatter breaks it, but for what would be a column of many words."""
    inside = ", ".join(words)
    if len(begin) + len(inside) + len(end) <= _WIDTH:
        return [begin + inside + end]
    rest = begin[: len(begin) - len(begin.lstrip())]
    indent = f"{rest}    "
    if len(indent) + len(inside) <= _WIDTH:
        return [begin, indent + inside, f"{rest}{end}"]
    if len(words) <= _COLUMN and all(len(indent) + len(word) < _WIDTH for word in words):
        return [begin, *(f"{indent}{word}," for word in words), f"{rest}{end}"]
    lines = [indent]
    for word in inside.split(", "):
        if len(lines[-1]) + len(word) + 1 > _WIDTH:
            lines.append(indent)
        lines[-1] += f"{word}, "
    return [begin, *(line.rstrip() for line in lines), f"{rest}{end}  # fmt: skip"]


_WIDTH, _COLUMN = 120, 6
_PAIRS: Mapping[str, tuple[str, str]] = {
    "rates": ("alpha", "beta"),
    "gate": ("inf", "tau"),
    "linear": ("source", "rate"),
}
_RESULTS: Mapping[str, str] = {
    "rates": "Rates", "gate": "Gate", "linear": "Linear", "table": "dict[Any, Any]", "value": "Array", "pairs": "dict[str, Any]",
    "sent": "tuple[dict[str, Any], Any]",
}  # fmt: skip


def _type(name: str, plan: Plan[Any]) -> str:
    views = {
        view.partition(".")[0] for view in plan.symbols.values() if "." in view and not view.startswith(("self.", "s["))
    }
    if name == "s":
        return "dict[str, Array]"
    return "IonView" if name in views else "Any" if name in ("celsius", "dt") else "Array"


def _key(key: Any) -> str:
    return f'("{key[0]}", "{key[1]}")' if isinstance(key, tuple) else f'"{key}"'


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
    names = ", ".join(name for name in AUTHORING if name in used and name not in ("Annotated", "Any"))
    line = f"from channelome.authoring import {names}"
    if len(line) > 120:
        inner = "".join(f"    {name},\n" for name in names.split(", "))
        line = f"from channelome.authoring import (\n{inner})"
    return "\n".join([*lines, *([""] if lines and lines[-1] else []), line])
