"""A NeuroML document: what stands in a file and in those that it includes from the same folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .text import LARGEST, Element, NeuroMLError, parse, read
from .types import Type
from .units import Measures

MOST_FILES = 500
CORE = frozenset(
    f"{name}.xml"
    for name in [
        "Cells",
        "Channels",
        "Inputs",
        "Networks",
        "NeuroML2CoreTypes",
        "NeuroMLCoreCompTypes",
        "NeuroMLCoreDimensions",
        "PyNN",
        "Simulation",
        "Synapses",
    ]
)
"""What LEMS files include of NeuroML itself, which is known here."""
_NEUROML_1 = frozenset(["channelml", "morphml", "networkml"])
_NO_COMPONENT = frozenset(["include", "Include", "notes", "annotation", "property", "Target", "ComponentType", "Dimension", "Unit"])  # fmt: skip


class Texts(NamedTuple):
    """Files as they were read: by name, relative to the folder, the first being the one that was asked for."""

    name: str
    files: tuple[tuple[str, bytes], ...]


class Document:
    """Everything that a file defines, with what it includes.

    Attributes:
        name: of the file that was asked for.
        texts: the bytes of all files that were read.
        own: the components that stand in that file itself.
        left: of includes that were not read, why.
    """

    def __init__(self, path: Path | None, folder: Path | None = None, texts: Texts | None = None) -> None:
        self.measures = Measures()
        self.types: dict[str, Type] = {}
        self.components: dict[str, list[Element]] = {}
        self.own: list[Element] = []
        self.left: dict[str, str] = {}
        self._texts = dict(texts.files) if texts is not None else None
        self._read: dict[str, bytes] = {}
        self._base = (folder or (path.parent if path else Path())).resolve()
        if texts is not None:
            self.name = texts.name
            self._file(self.name)
        elif path is not None:
            if not path.resolve().is_relative_to(self._base):
                raise NeuroMLError(f"{path} is not in the folder {folder}, which its includes may be in.")
            self.name = path.resolve().relative_to(self._base).as_posix()
            self._file(self.name, path)

    @property
    def texts(self) -> Texts:
        return Texts(self.name, tuple(self._read.items()))

    def find(self, id: str, place: Element, *tags: str) -> Element:
        """The component of an id.

        Raises:
            NeuroMLError: where there is none, or more than one.
        """
        found = [one for one in self.components.get(id, []) if not tags or one.tag in tags]
        if not found:
            beside = f" Not read: {'; '.join(self.left.values())}." if self.left else ""
            raise place.refuse(f"{place} names '{id}', which is not in the file or what it includes.{beside}")
        if len(found) > 1:
            raise found[1].refuse(f"'{id}' stands twice; it is also in {found[0].place}.")
        return found[0]

    def kind(self, element: Element) -> str:
        """The name of the type that a component is of."""
        return element.get("type") or element.tag

    def lineage(self, name: str) -> Iterator[str]:
        """A type's name, and those of the types that it extends."""
        for _ in range(50):
            yield name
            if name not in self.types or not self.types[name].extends:
                return
            name = self.types[name].extends
        raise self.types[name].element.refuse(f"the types that '{name}' extends run in a circle.")

    def _file(self, name: str, path: Path | None = None) -> None:
        if name in self._read:
            return
        if len(self._read) >= MOST_FILES:
            raise NeuroMLError(f"{self.name} includes more than {MOST_FILES} files.")
        held = self._texts[name] if self._texts is not None else read(path or self._base / name)
        if sum(map(len, self._read.values())) + len(held) > LARGEST:
            raise NeuroMLError(f"{self.name} and what it includes have more than {LARGEST} bytes.")
        self._read[name] = held
        root = parse(held, name.rpartition("/")[2])
        if "morphml.org" in root.attributes.get("xmlns", "") or root.tag in _NEUROML_1:
            raise root.refuse("this is NeuroML 1; version 2 is read.")
        if root.tag not in ("neuroml", "Lems", "lems"):
            raise root.refuse(f"a NeuroML file begins with <neuroml>, or <Lems>, not with <{root.tag[:60]}>.")
        for child in root.children:
            if child.tag in ("Dimension", "Unit"):
                self.measures.define(child)
        for child in root.children:
            if child.tag in ("include", "Include"):
                self._include(child, name)
            elif child.tag == "ComponentType":
                self._type(child)
            elif child.tag not in _NO_COMPONENT:
                self.components.setdefault(child.id, []).append(child)
                if name == self.name:
                    self.own.append(child)

    def _type(self, element: Element) -> None:
        name = element.need("name")
        if name in self.types:
            raise element.refuse(f"the ComponentType '{name}' stands twice.")
        try:
            self.types[name] = Type(element)
        except NeuroMLError as error:  # of a type that may not be asked for
            self.left[name] = str(error)

    def _include(self, element: Element, of: str) -> None:
        wanted = element.get("href") or element.get("file")
        if wanted.rpartition("/")[2] in CORE:
            return
        name, why = self._inside(wanted, of)
        if why:
            self.left[wanted] = f"'{wanted[:200]}' {why} ({element.place})"
        else:
            self._file(name)

    def _inside(self, wanted: str, of: str) -> tuple[str, str]:
        """The name of an included file relative to the folder; or why it is not read."""
        if self._texts is not None:
            name = (Path(of).parent / wanted).as_posix()
            parts = list[str]()
            for part in name.split("/"):
                if part == ".." and parts:
                    parts.pop()
                elif part not in (".", ""):
                    parts.append(part)
            name = "/".join(parts)
            return (name, "") if name in self._texts else ("", "is not there")
        if not wanted or "://" in wanted or "\0" in wanted or len(wanted) > 500:
            return "", "is no name of a file"
        try:
            target = (self._base / Path(of).parent / wanted).resolve()
            if not target.is_relative_to(self._base):
                return "", "leads out of the folder"
            there = target.is_file()
        except (OSError, ValueError, RuntimeError):
            return "", "is no name of a file"
        return (target.relative_to(self._base).as_posix(), "") if there else ("", "is not there")
