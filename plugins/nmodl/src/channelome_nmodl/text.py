"""From the bytes of a .mod file to text that the grammar reads: comments blanked, every character still at its line and column."""

import re
from pathlib import Path
from typing import NamedTuple

from channelome.errors import ModelError


class NmodlError(ModelError):
    """A .mod file that cannot be read, or means what no channel here can: names the file, the line and the reason."""


class Source(NamedTuple):
    """A file's text.

    Attributes:
        name: as messages call it.
        raw: as it was written, line ends made one character.
        text: without what the grammar does not read, of the same length, line by line.
        before: lines that are counted before its first, of the files that include it: so each line has a number of its own.
    """

    name: str
    raw: str
    text: str
    before: int = 0

    def line_of(self, at: int) -> int:
        """The line of a place in the text, counted from the first of this file."""
        return self.text.count("\n", 0, at) + 1

    def place(self, name: str, *blocks: str) -> str:
        """The file with the first line that names something, in blocks of these kinds, else in any that are run, else at all; without one the file alone."""
        word = re.compile(rf"(?<!\w){re.escape(name.partition('[')[0])}(?!\w)")
        code = [(match[1], match.end(), _closing(self.text, match.end())) for match in _CODE.finditer(self.text)]
        chosen = [(begin, end) for kind, begin, end in code if kind in blocks]
        for begin, end in (*chosen, *((begin, end) for _, begin, end in code), (0, len(self.text))):
            if found := word.search(self.text, begin, end):
                return f"{self.name}, line {self.line_of(found.start())}"
        return self.name


LARGEST = 1_000_000
"""Bytes of a file that is read; the longest .mod known has a tenth."""
_SKIP = re.compile(
    r"(?P<keep>\bVERBATIM\b.*?\bENDVERBATIM\b|\"[^\"\n]*\")|(?P<drop>\bCOMMENT\b.*?\bENDCOMMENT\b|(?<![^\s}])TITLE\b[^\n]*|[:?][^\n]*"
    r"|\bUNITS(?:ON|OFF)\b|[\f\x1a])",
    re.DOTALL,
)
_CODE = re.compile(r"\b(BREAKPOINT|INITIAL|DERIVATIVE|KINETIC|LINEAR|PROCEDURE|FUNCTION|NET_RECEIVE)\b[^{}]*\{")
_LINEAR = re.compile(r"\b(?:NON)?LINEAR\s+\w+\s*\{")


def read(path: Path) -> Source:
    """The text of a file: UTF-8 or, failing that, Latin-1; line ends of any kind.

    Raises:
        NmodlError: where there is no such file, or it is far too long.
    """
    try:
        held = path.read_bytes()
    except OSError as error:
        raise NmodlError(f"{path} cannot be read: {error.strerror or error}.") from None
    if len(held) > LARGEST:
        raise NmodlError(f"{path} has {len(held)} bytes, which no .mod file has; {LARGEST} are read at most.")
    try:
        text = held.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = held.decode("latin-1")
    return source(text, path.name)


def source(text: str, name: str) -> Source:
    """The text of a file that is in memory."""
    raw = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", " ")
    return Source(name, raw, _with_marked_equations(_SKIP.sub(_blank, raw)))


def title(text: Source) -> str:
    """What its TITLE says; empty where there is none."""
    found = re.search(r"^\s*TITLE\b[ \t]*([^\n]*)", text.raw, re.MULTILINE)
    return found[1].strip() if found else ""


def _blank(match: re.Match[str]) -> str:
    return match[0] if match["keep"] else re.sub(r"[^\n]", " ", match[0])


def _with_marked_equations(text: str) -> str:
    """The tildes of LINEAR and NONLINEAR blocks made backquotes: their equations are no reactions."""
    parts, at = list[str](), 0
    for match in _LINEAR.finditer(text):
        if match.start() < at:
            continue
        end = _closing(text, match.end())
        parts += [text[at : match.end()], text[match.end() : end].replace("~", "`")]
        at = end
    return "".join([*parts, text[at:]])


def _closing(text: str, at: int) -> int:
    """Where the brace that is open at `at` closes."""
    depth = 1
    for match in re.compile(r"[{}]").finditer(text, at):
        depth += 1 if match[0] == "{" else -1
        if not depth:
            return match.end()
    return len(text)
