"""INCLUDE: other files of the folder, read in the place where they are named; never one outside it."""

from collections.abc import Mapping
from pathlib import Path

from .syntax import parse
from .text import NmodlError, Source, read, source
from .tree import File

DEEPEST = 8


class Beside:
    """What lies beside a file to be included: in a folder, or the texts that were included before.

    Args:
        lines: of the file itself.

    Attributes:
        texts: by name, what was included so far.
    """

    def __init__(self, folder: Path | None, texts: Mapping[str, str] | None, lines: int) -> None:
        self._folder, self._lines = folder, lines
        self.texts: dict[str, str] = dict(texts or {})

    def find(self, file: File, name: str, line: int) -> Source:
        """The file that is included.

        Raises:
            NmodlError: for one that is not in the folder, or not there.
        """
        where = f'{file.place(line)}: INCLUDE "{name}"'
        if self._folder is None:
            if name not in self.texts:
                raise NmodlError(f"{where} is not among what came with the file.")
            return self._counted(source(self.texts[name], Path(name).name))
        root = self._folder.resolve()
        try:
            path = (root / name).resolve()
            inside, there = path.is_relative_to(root), path.is_file()
        except (OSError, RuntimeError, ValueError):  # too long, links in a circle, no name at all
            raise NmodlError(f"{where[:200]} is no name of a file.") from None
        if not inside:
            raise NmodlError(f"{where} leads out of the folder, and is not read.")
        if not there:
            raise NmodlError(f"{where} is not in the folder of the file.")
        found = read(path)
        self.texts[name] = found.raw
        return self._counted(found)

    def _counted(self, found: Source) -> Source:
        before, self._lines = self._lines, self._lines + found.text.count("\n") + 1
        return found._replace(before=before)


def with_includes(file: File, beside: Beside, depth: int = 0) -> File:
    """The file with what it includes.

    Raises:
        NmodlError: for a file that is not in the folder, or not there, or that includes itself.
    """
    if depth > DEEPEST:
        raise NmodlError(f"{file.source.name}: INCLUDE is nested deeper than {DEEPEST}: a file includes itself.")
    for name, line in file.includes:
        _merge(file, with_includes(parse(beside.find(file, name, line)), beside, depth + 1), line)
    file.includes.clear()
    return file


def _merge(file: File, other: File, line: int) -> None:
    """Put what another file says, which is included on a line, into this one, which goes first; of two INITIAL blocks NEURON makes one."""
    for mine, theirs in (
        (file.parameters, other.parameters),
        (file.assigned, other.assigned),
        (file.states, other.states),
        (file.constants, other.constants),
        (file.defined, other.defined),
        (file.routines, other.routines),
    ):
        mine.update({key: value for key, value in theirs.items() if key not in mine})  # pyright: ignore
    for word, body in other.plain.items():
        own, first = file.plain.get(word, ()), line < file.lines.get(word, line)
        file.plain[word] = (*body, *own) if first else (*own, *body)
        file.lines.setdefault(word, other.lines[word])
    file.ions += other.ions
    file.file_locals += other.file_locals
    file.verbatim += other.verbatim
    file.others += other.others
    file.included += [(other.source.before, other.source.name), *other.included]
    for word, names in other.lists.items():
        file.lists.setdefault(word, []).extend(names)
    if not file.kind:
        file.kind, file.name = other.kind, other.name
