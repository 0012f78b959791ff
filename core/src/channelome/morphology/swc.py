"""SWC files: lines of ``id type x y z radius parent``, after Cannon et al. (1998), doi:10.1016/S0165-0270(98)00091-0."""

import codecs
from pathlib import Path

import numpy as np

from ..errors import ModelError
from .points import Points

_COLUMNS = ("id", "type", "x", "y", "z", "radius", "parent")


def read_text(path: str | Path) -> str:
    """The text of a file, whatever encoding its comments are in.

    Raises:
        ModelError: if there is no such file.
    """
    if not isinstance(path, str | Path):
        raise ModelError(f"a morphology is read from the path of a file, such as 'cell.swc', not {path!r}.")
    try:
        return decoded(Path(path).read_bytes())
    except OSError as error:
        raise ModelError(f"cannot read '{path}': {error.strerror or error}.") from error


def decoded(data: bytes) -> str:
    """The text of a file's bytes."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def parse(text: str, source: str) -> Points:
    """The points of an SWC file.

    Any line ends and any white space are read, ``#`` begins a comment, columns after the seventh are passed over, and so is the
    Ctrl-Z at the end of old files.

    Raises:
        ModelError: for a line that is none, with its number.
    """
    rows: list[list[float]] = []
    lines: list[int] = []
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        words = line.partition("#")[0].replace("\x1a", " ").split()
        if not words:
            continue
        rows.append(_numbers(words, number, line, source))
        lines.append(number)
    table = np.array(rows, float).reshape(-1, 7)
    whole = table[:, [0, 1, 6]]
    wrong = ~(np.isfinite(whole) & (whole == np.round(whole)) & (np.abs(whole) < 2**53))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        name = (_COLUMNS[0], _COLUMNS[1], _COLUMNS[6])[column]
        raise ModelError(f"{source}, line {lines[row]}: the {name} must be a whole number, got {whole[row, column]:g}.")
    number, kind, parent = (whole[:, i].astype(np.int64) for i in range(3))
    return Points(number, kind, table[:, 2:5].copy(), table[:, 5].copy(), parent, np.array(lines, np.int64))


def _numbers(words: list[str], number: int, line: str, source: str) -> list[float]:
    if len(words) < 7:
        raise ModelError(
            f"{source}, line {number}: {len(words)} columns in {line.strip()[:60]!r}, expected '{' '.join(_COLUMNS)}'{_apart(line)}."
        )
    try:
        return [_number(word) for word in words[:7]]
    except ValueError:
        for name, word in zip(_COLUMNS, words, strict=False):
            try:
                _number(word)
            except ValueError:
                raise ModelError(
                    f"{source}, line {number}: the {name} is {word!r}, which is no number{_apart(line)}."
                ) from None
        raise


def _number(word: str) -> float:
    """Of a word of the file, in which Python's ``1_0`` is none."""
    return float(word if "_" not in word else "none")


def _apart(line: str) -> str:
    """What to do with a table whose columns are separated by something else than white space."""
    found = next((sign for sign in ";," if line.partition("#")[0].count(sign) >= 6), None)
    return "" if found is None else f": columns are separated by white space, not by '{found}'; replace these"
