"""Files of models, TOML or JSON, to plain tables: whatever a file holds, an error says where. Imports neither JAX nor a pack.

A table that comes out of here holds only tables, lists, texts, finite numbers and flags, is not deep and not large. What
may stand in a model is the matter of `registry.form`.
"""

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn, cast

from ..errors import ModelError
from .lexical import check_text

SUFFIXES = (".toml", ".json")
MAX_BYTES = 32 << 20
MAX_DEPTH = 12
MAX_TEXT = 20_000
MAX_KEY = 200
_INSIDE: tuple[type, ...] = (Mapping, list)


def is_file(what: object) -> bool:
    """Whether `what` is written like the path of a model file, and not like a name."""
    return isinstance(what, os.PathLike) or (isinstance(what, str) and Path(what).suffix in SUFFIXES)


def read_document(path: "str | os.PathLike[str]") -> dict[str, Any]:
    """The table in the file `path`, which ends with ``.toml`` or ``.json``.

    Raises:
        ModelError: where there is no such file, or it is too large, too deep, not of its format, or holds what is no data.
    """
    file = Path(path)
    if file.suffix not in SUFFIXES:
        raise ModelError(f"{file}: models are kept in .toml or .json files, not '{file.suffix}'.")
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ModelError(f"there is no file {file}. A model by name is written without '{file.suffix}'.") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read: {error}.") from error
    if len(raw) > MAX_BYTES:
        raise ModelError(f"{file} is larger than {MAX_BYTES >> 20} MiB, the most that a model file may be.")
    return parse_document(raw, file.suffix, str(file))


def parse_document(raw: bytes, suffix: str, where: str) -> dict[str, Any]:
    """The table in the bytes of a file; `where` names the file in errors."""
    said = suffix[1:].upper()
    try:
        text = raw.decode("utf-8-sig")  # editors on Windows put a mark of the byte order before it
        check_text(text, suffix)
        table = tomllib.loads(text) if suffix == ".toml" else _json(text)
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from None
    except RecursionError:
        raise ModelError(f"{where} is nested too deep: a model has at most {MAX_DEPTH} levels.") from None
    except (ValueError, OverflowError) as error:  # of the parser and of the decoder
        raise ModelError(f"{where} is not {said}: {_short(str(error))}.") from error
    if not isinstance(table, dict):
        raise ModelError(f"{where} must hold a table, not {_shown(table)}.")
    check_data(cast("dict[str, Any]", table), where)
    return cast("dict[str, Any]", table)


def check_data(table: Mapping[str, Any], where: str) -> None:
    """Raise `ModelError` for anything in `table` that is not plain data, naming its place."""
    waiting: list[tuple[object, str, int]] = [(table, "", 0)]
    while waiting:
        value, place, depth = waiting.pop()
        at = f"{where}: {place}" if place else where
        if depth > MAX_DEPTH:
            raise ModelError(f"{at} is nested too deep: a model has at most {MAX_DEPTH} levels.")
        if isinstance(value, Mapping):
            for key, entry in cast("Mapping[Any, Any]", value).items():
                if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY or not _is_unicode(key):
                    raise ModelError(f"{at}: {_shown(key)} cannot be a key: a text of 1 to {MAX_KEY} characters.")
                inner = f"{place}.{key}" if place else key
                if isinstance(entry, _INSIDE):
                    waiting.append((entry, inner, depth + 1))
                elif wrong := _no_data(entry):
                    raise ModelError(f"{where}: {inner} {wrong}.")
        else:
            for k, item in enumerate(
                cast("list[Any]", value)
            ):  # arrays are long: no place is written that nobody reads
                if isinstance(item, _INSIDE):
                    waiting.append((item, f"{place}[{k}]", depth + 1))
                elif wrong := _no_data(item):
                    raise ModelError(f"{at}[{k}] {wrong}.")


def _no_data(value: Any) -> str:
    """What is wrong with a value that is no table and no list; empty for a text, a finite number and a flag."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, int | float):
        return "" if abs(value) <= 1e300 else f"must be a finite number, not {_shown(value)}"
    if not isinstance(value, str):
        return f"must be a text, a number, a flag, a list or a table, not {_shown(value)}"
    if len(value) > MAX_TEXT:
        return f"is a text of {len(value)} characters; {MAX_TEXT} are the most"
    return "" if _is_unicode(value) else "is no Unicode text"


def _is_unicode(text: str) -> bool:
    """Whether it has no half of a surrogate pair, which JSON can hold and no file can be written with."""
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)


def _json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise ModelError(f"the key {_shown(key)} is there twice.")
        table[key] = value
    return table


def _refuse(constant: str) -> NoReturn:
    raise ModelError(f"{constant} is no number: every value must be finite.")


def _shown(value: object) -> str:
    try:
        return _short(repr(value))
    except Exception:  # a whole number of more digits than Python writes, or an object of a caller's
        return f"such a {type(value).__name__}"


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."


def dump(table: Mapping[str, Any], suffix: str) -> str:
    """The table as the text of a file."""
    if suffix == ".json":
        return json.dumps(table, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return "".join(_lines(table, ""))


def _lines(table: Mapping[str, Any], path: str) -> Iterator[str]:
    """A table in TOML: values first, then tables; what describes one part or one quantity stays on one line."""
    small = {key: value for key, value in table.items() if not _is_section(value)}
    if path and (small or not table):
        yield f"\n[{path}]\n"
    for key, value in small.items():
        yield f"{_key(key)} = {_inline(value)}\n"
    for key, value in table.items():
        if key not in small:
            yield from _lines(value, f"{path}.{_key(key)}" if path else _key(key))


def _is_section(value: Any) -> bool:
    """Whether a table is worth a heading of its own: it holds other tables, and is no part or quantity."""
    if not isinstance(value, Mapping) or {"use", "value", "unit", "rule", "sample"} & set(value):  # pyright: ignore
        return False
    return any(isinstance(entry, Mapping) for entry in cast("Mapping[str, Any]", value).values()) or len(value) > 3  # pyright: ignore


def _inline(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        table = cast("Mapping[str, Any]", value)
        inside = ", ".join(f"{_key(key)} = {_inline(entry)}" for key, entry in table.items())
        return f"{{ {inside} }}" if inside else "{}"
    items = cast("list[Any]", value)
    if items and isinstance(items[0], Mapping):
        return "[\n" + "".join(f"  {_inline(item)},\n" for item in items) + "]"
    return f"[{', '.join(_inline(item) for item in items)}]"


def _key(key: str) -> str:
    bare = bool(key) and all(c.isascii() and (c.isalnum() or c in "_-") for c in key)
    return key if bare else _text(key)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
