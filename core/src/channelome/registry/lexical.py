"""Limits that are looked for in the text of a model file, before a parser takes time or memory for it.

Each look is linear in the length of the file and takes memory of its order, whatever the file holds. What is counted is counted
outside of texts and comments.
"""

import re

from ..errors import ModelError

MAX_TABLES = 30_000
"""Lists and tables: a population of a thousand by a thousand neurons has a list for each row."""
MAX_TEXTS = 200_000
MAX_ENTRIES = 100_000
MAX_DIGITS = 400
"""Characters of one number: the parsers' time and memory grow with their square."""
MAX_PARTS = 16
"""Parts of one dotted key of TOML: its parser's time and memory grow with their square."""

# Each quote opens a text that has an end, or the rest of the file is taken: no character is looked at twice.
_TOML = re.compile(
    r'"""[^"\\]*+(?:(?:\\.|"(?!""))[^"\\]*+)*+"{3,5}'
    r"|'''[^']*+(?:'(?!'')[^']*+)*+'{3,5}"
    r'|"(?!"")[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"'
    r"|'(?!'')[^'\n]*+'"
    r"|#[^\n]*+"
    r"|[\"'].*",
    re.DOTALL,
)
_JSON = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|".*', re.DOTALL)
_WORD = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-"
_AS_DIGITS = bytes(ord("9") if byte in _WORD + b"+." else byte for byte in range(256))


def check_text(text: str, suffix: str) -> None:
    """Raise `ModelError` where a file of this suffix holds more than a model does."""
    _at_most(MAX_TEXTS, (text.count('"') + text.count("'")) // 2, "texts")
    bare = (_TOML if suffix == ".toml" else _JSON).sub(_blank, text).encode("ascii", "replace")
    _at_most(MAX_TABLES, bare.count(b"[") + bare.count(b"{"), "lists and tables")
    _at_most(MAX_ENTRIES, bare.count(b"=" if suffix == ".toml" else b":"), "entries")
    if suffix == ".toml":
        dots = bare.translate(None, _WORD + b" \t")
        _absent(b"." * MAX_PARTS, dots, f"a key of more than {MAX_PARTS} parts")
    _absent(b"9" * (MAX_DIGITS + 1), bare.translate(_AS_DIGITS), f"a number of more than {MAX_DIGITS} characters")


def _blank(match: re.Match[str]) -> str:
    """In place of a text or comment: a part of a key, on as many lines."""
    return "_" + "\n" * match[0].count("\n")


def _at_most(limit: int, count: int, what: str) -> None:
    if count > limit:
        raise ModelError(f"it holds {count:,} {what}, and a model at most {limit:,}: give arrays as lists of numbers.")


def _absent(wrong: bytes, text: bytes, what: str) -> None:
    at = text.find(wrong)
    if at >= 0:
        line = text.count(b"\n", 0, at) + 1
        raise ModelError(f"line {line}: {what}.")
