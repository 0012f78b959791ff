"""How long the arrays of a file are, and which states it has, elements one by one."""

from typing import Any

from .text import NmodlError
from .tree import File

MOST_ROUNDS = 10_000
"""Of loops, and elements of an array."""


def states_of(file: File) -> frozenset[str]:
    """Names of all states, elements of arrays one by one.

    Raises:
        NmodlError: with the line, for a size that is none.
    """
    found = set[str]()
    for name, declared in file.states.items():
        size = size_of(file, declared.size, declared.line)
        found |= {name} if size is None else {f"{name}[{i}]" for i in range(size)}
    return frozenset(found)


def size_of(file: File, size: Any, line: int) -> int | None:
    """How many elements an array has, from what stands between its brackets; None for what is none."""
    if size is None:
        return None
    size = file.defined.get(str(size), size)
    found = float(size) if str(size)[:1].isdigit() else 0.5
    if not found.is_integer() or not 0 < found <= MOST_ROUNDS:
        raise NmodlError(
            f"{file.place(line)}: the size of an array, {size}, is no whole number from 1 to {MOST_ROUNDS}."
        )
    return int(found)
