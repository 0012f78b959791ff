"""Words of strangers, made fit to show: what packs, plugins and their errors say is written by others."""

from typing import Any

_LIMIT = 2000
_LINE_ENDS = "\t\n\r\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029"


def printable(what: Any, *, lines: bool = False) -> str:
    """`what` as one line that no terminal obeys: what has no shape of its own is written ``\\x1b``, ``\\n``, ``\\u202e``.

    Args:
        what: a text, or anything that can say itself; one that fails to is named by its type.
        lines: let line ends be.
    """
    try:
        text = "".join([str(what)])  # a plain text, whatever subclass it was
    except BaseException:  # of a stranger's __str__: even an exit is no answer
        text = f"<{_type(what)} that cannot say itself>"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or (lines and c == "\n") else _written(c) for c in text)


def described(error: BaseException) -> str:
    """An error in one line, ``ValueError: why``, whatever its ``__str__`` does."""
    said = printable(error)
    said = said if len(said) <= _LIMIT else said[:_LIMIT] + "..."
    return f"{_type(error)}: {said}" if said else _type(error)


def _written(character: str) -> str:
    if character.isspace() and character not in _LINE_ENDS:
        return " "  # a space of another width
    return character.encode("unicode_escape").decode("ascii")


def _type(what: Any) -> str:
    return type.__dict__["__name__"].__get__(type(what))  # not that of a metaclass, which may do anything
