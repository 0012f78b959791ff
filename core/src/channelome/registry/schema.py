"""The form of a model file: `schemas/model.schema.json`, which editors read too, and the check of a table against it.

Of JSON Schema (2020-12) as much as that file uses; messages say what a person can do about it, which validators do not.
"""

import difflib
import functools
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from ..errors import ModelError

Schema = Mapping[str, Any]
FOLDER = Path(__file__).parents[1] / "schemas"


@functools.cache
def schema(name: str) -> dict[str, Any]:
    """The schema ``"model"`` or ``"pack"`` that channelome ships, as data."""
    return json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))


def check_form(table: Mapping[str, Any], where: str) -> None:
    """Raise `ModelError` where `table`, plain data, has not the form of a model, naming the place below `where`."""
    given = table.get("schema")
    if isinstance(given, bool) or given not in (None, 1):
        raise ModelError(f"{where}: schema must be 1, not {given!r}; a newer channelome may have written it.")
    whole = schema("model")
    _Form(whole, where).check(table, whole, "")


class _Form:
    """One check of a table."""

    def __init__(self, whole: Schema, where: str) -> None:
        self.whole, self.where = whole, where

    def check(self, value: Any, rule: Schema, place: str) -> None:
        if "$ref" in rule:
            return self.check(value, self._of(rule["$ref"]), place)
        if "type" in rule and not _is_type(value, rule["type"]):
            self._fail(place, f"must be {_said(rule)}, not {_short(value)}")
        if "const" in rule and value != rule["const"]:
            self._fail(place, f"must be {rule['const']!r}, not {_short(value)}")
        if "enum" in rule and value not in rule["enum"]:
            self._fail(place, f"must be one of {', '.join(map(repr, rule['enum']))}, not {_short(value)}")
        if isinstance(value, str):
            self._text(value, rule, place)
        elif isinstance(value, list):
            self._list(cast("list[Any]", value), rule, place)
        elif isinstance(value, Mapping):
            self._table(cast("Mapping[str, Any]", value), rule, place)
        else:
            self._number(value, rule, place)
        if "if" in rule:
            self.check(value, rule["then" if self._fits(value, rule["if"]) else "else"], place)

    def _of(self, reference: str) -> Schema:
        return self.whole["$defs"][reference.rpartition("/")[2]]

    def _fits(self, value: Any, rule: Schema) -> bool:
        try:
            self.check(value, rule, "")
        except ModelError:
            return False
        return True

    def _text(self, text: str, rule: Schema, place: str) -> None:
        if len(text) > rule.get("maxLength", len(text)):
            self._fail(place, f"must be {_said(rule)} of at most {rule['maxLength']} characters")
        if "pattern" in rule and (not re.search(rule["pattern"], text) or text.endswith("\n")):
            self._fail(place, f"must be {_said(rule)}, not {_short(text)}")

    def _list(self, items: list[Any], rule: Schema, place: str) -> None:
        if not rule.get("minItems", 0) <= len(items) <= rule.get("maxItems", len(items)):
            self._fail(place, f"must be {_said(rule)}, not a list of {len(items)}")
        if "items" not in rule:
            return
        bare = self._of(rule["items"]["$ref"]) if "$ref" in rule["items"] else rule["items"]
        plain = (int, float) if "number" in _types(bare) else (int,) if "integer" in _types(bare) else ()
        low, high = bare.get("minimum", -math.inf), bare.get("maximum", math.inf)
        for k, item in enumerate(items):  # arrays are long: what is plainly right is passed over
            if not (type(item) in plain and low <= item <= high):
                self.check(item, bare, f"{place}[{k}]")

    def _number(self, value: Any, rule: Schema, place: str) -> None:
        if isinstance(value, bool) or value is None:
            return
        if not rule.get("minimum", value) <= value <= rule.get("maximum", value):
            self._fail(place, f"must be {_said(rule)}, not {_short(value)}")

    def _table(self, table: Mapping[str, Any], rule: Schema, place: str) -> None:
        for key in rule.get("required", ()):
            if key not in table:
                self._fail(place, f"needs {key} = ...{_of_what(rule)}")
        known = rule.get("properties", {})
        more = rule.get("additionalProperties", True)
        for key, value in table.items():
            at = f"{place}.{_short_key(key)}" if place else _short_key(key)
            if key in known:
                self.check(value, known[key], at)
                continue
            if more is False:
                self._unknown(key, place, [*known])
            names = rule.get("propertyNames", {})
            if "pattern" in names and (not re.search(names["pattern"], key) or key.endswith("\n")):
                self._fail(at, f"cannot be its name: {_said(names)}")
            if key in names.get("not", {}).get("enum", ()):
                self._fail(at, f"cannot be its name, which is taken: {', '.join(names['not']['enum'])}")
            if isinstance(more, Mapping):
                self.check(value, cast("Schema", more), at)

    def _unknown(self, key: str, place: str, known: list[str]) -> None:
        close = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"it holds {', '.join(known)}"
        self._fail(place, f"has an unknown entry '{_short_key(key)}'; {hint}")

    def _fail(self, place: str, what: str) -> None:
        raise ModelError(
            f"{self.where}{f': {place}' if place else ''} {what}{'' if what.endswith(('.', '?')) else '.'}"
        )


def _types(rule: Schema) -> list[str]:
    given = rule.get("type", [])
    return [given] if isinstance(given, str) else list(given)


def _is_type(value: Any, types: Any) -> bool:
    for name in [types] if isinstance(types, str) else types:
        fits = {
            "object": isinstance(value, Mapping),
            "array": isinstance(value, list),
            "string": isinstance(value, str),
            "boolean": isinstance(value, bool),
            "number": isinstance(value, int | float) and not isinstance(value, bool),
            "integer": (isinstance(value, int) and not isinstance(value, bool))
            or (isinstance(value, float) and value.is_integer()),
        }[name]
        if fits:
            return True
    return False


def _said(rule: Schema) -> str:
    words = {"object": "a table", "array": "a list", "string": "a text", "boolean": "true or false"}
    plain = [words.get(name, f"a {name}" if name == "number" else "a whole number") for name in _types(rule)]
    return str(rule.get("description") or " or ".join(plain))


def _of_what(rule: Schema) -> str:
    """The form of a small table, where it is its description: ``{ value = 10, unit = 'mV' }``."""
    said = rule.get("description", "")
    return f", as in {said}" if said.startswith("{") else ""


def _short(value: Any) -> str:
    text = repr(value)  # of plain data, whose numbers are not long
    return text if len(text) <= 60 else text[:57] + "..."


def _short_key(key: str) -> str:
    return key if len(key) <= 40 else key[:37] + "..."
