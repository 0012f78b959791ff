"""INCLUDE: other files of the folder, read in the place where they are named; never one outside it."""

from pathlib import Path

from .syntax import parse
from .text import NmodlError, read
from .tree import File

DEEPEST = 8


def with_includes(file: File, folder: Path, depth: int = 0) -> File:
    """The file with what it includes.

    Raises:
        NmodlError: for a file that is not in the folder, or not there, or that includes itself.
    """
    if depth > DEEPEST:
        raise NmodlError(f"{file.source.name}: INCLUDE is nested deeper than {DEEPEST}: a file includes itself.")
    for name, line in file.includes:
        path = _found(file, name, line, folder)
        other = with_includes(parse(read(path)), folder, depth + 1)
        _merge(file, other)
    file.includes.clear()
    return file


def _found(file: File, name: str, line: int, folder: Path) -> Path:
    root = folder.resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise NmodlError(f'{file.source.name}, line {line}: INCLUDE "{name}" leads out of the folder, and is not read.')
    if not path.is_file():
        raise NmodlError(f'{file.source.name}, line {line}: INCLUDE "{name}" is not in the folder of the file.')
    return path


def _merge(file: File, other: File) -> None:
    """Put what another file says into this one, which goes first."""
    for mine, theirs in (
        (file.parameters, other.parameters),
        (file.assigned, other.assigned),
        (file.states, other.states),
        (file.constants, other.constants),
        (file.defined, other.defined),
        (file.routines, other.routines),
        (file.plain, other.plain),
        (file.lines, other.lines),
    ):
        mine.update({key: value for key, value in theirs.items() if key not in mine})  # pyright: ignore
    file.ions += other.ions
    file.file_locals += other.file_locals
    file.verbatim += other.verbatim
    file.others += other.others
    for word, names in other.lists.items():
        file.lists.setdefault(word, []).extend(names)
    if not file.kind:
        file.kind, file.name = other.kind, other.name
