"""From the bytes of a NeuroML file to elements that know where they stand. Nothing outside the text is looked at."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn
from xml.parsers import expat

from channelome.errors import ModelError

LARGEST = 32_000_000
"""Bytes of a file that is read."""
MOST = 2_000_000
"""Elements of a file."""
DEEPEST = 64
"""Elements in one another; NeuroML has 8."""
LONGEST = 100_000
"""Characters of an attribute."""


class NeuroMLError(ModelError):
    """A NeuroML file that cannot be read, or means what nothing here can: names the file, line and column, and the reason."""


class Place(NamedTuple):
    """Where something stands."""

    file: str
    line: int
    column: int = 0

    def __str__(self) -> str:
        return (
            f"{self.file}, line {self.line}, column {self.column}" if self.column else f"{self.file}, line {self.line}"
        )

    def refuse(self, reason: str) -> NeuroMLError:
        """The error that names the place."""
        return NeuroMLError(f"{self}: {reason}")


class Element:
    """An element of XML: its name without a namespace, attributes, children, and where it begins."""

    __slots__ = ("attributes", "children", "place", "tag")

    def __init__(self, tag: str, attributes: dict[str, str], place: Place) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Element] = []
        self.place = place

    def __repr__(self) -> str:
        return f"<{self.tag} {self.attributes}>"

    @property
    def id(self) -> str:
        return self.attributes.get("id", "")

    def get(self, name: str, default: str = "") -> str:
        return self.attributes.get(name, default).strip()

    def need(self, name: str) -> str:
        """An attribute that must be there.

        Raises:
            NeuroMLError: where it is not.
        """
        if name not in self.attributes:
            raise self.refuse(f"{self} has no {name}.")
        return self.attributes[name].strip()

    def __str__(self) -> str:
        return f"{self.tag} '{self.id}'" if self.id else self.tag

    def all(self, *tags: str) -> "list[Element]":
        return [child for child in self.children if child.tag in tags]

    def one(self, *tags: str) -> "Element | None":
        """The one child of these names; None if there is none.

        Raises:
            NeuroMLError: where there are several.
        """
        found = self.all(*tags)
        if len(found) > 1:
            raise found[1].refuse(f"{self} has {len(found)} of {' or '.join(tags)}, and may have one.")
        return found[0] if found else None

    def refuse(self, reason: str) -> NeuroMLError:
        return self.place.refuse(reason)

    def walk(self) -> "Iterator[Element]":
        stack: list[Element] = [self]
        while stack:
            yield (found := stack.pop())
            stack += reversed(found.children)


def read(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        NeuroMLError: where there is no such file, or it is far too long.
    """
    try:
        with path.open("rb") as opened:
            held = opened.read(LARGEST + 1)
    except OSError as error:
        raise NeuroMLError(f"{path} cannot be read: {error.strerror or error}.") from None
    if len(held) > LARGEST:
        raise NeuroMLError(f"{path} has more than {LARGEST} bytes, the most of a NeuroML file that is read.")
    return held


def parse(held: bytes, name: str) -> Element:
    """The root of a file.

    Raises:
        NeuroMLError: for what is no XML, for a document type and entities, and for nesting that no model has.
    """
    return _Reader(name).read(held)


class _Reader:
    def __init__(self, name: str) -> None:
        self.name = name
        self.root: Element | None = None
        self.open: list[Element] = []
        self.count = 0
        self.parser = parser = expat.ParserCreate()
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._doctype
        parser.ExternalEntityRefHandler = self._doctype

    def read(self, held: bytes) -> Element:
        try:
            self.parser.Parse(held, True)
        except expat.ExpatError as error:
            place = Place(self.name, error.lineno, error.offset + 1)
            raise place.refuse(f"it is not XML: {expat.ErrorString(error.code)}.") from None
        except NeuroMLError:
            raise
        except (ValueError, LookupError) as error:  # an encoding that Python does not know
            raise self._here().refuse(f"it is not XML: {error}.") from None
        assert self.root is not None  # expat has refused what has no element
        return self.root

    def _here(self) -> Place:
        return Place(self.name, self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        place = self._here()
        self.count += 1
        if self.count > MOST:
            raise place.refuse(f"it has more than {MOST} elements, the most that are read.")
        if len(self.open) >= DEEPEST:
            raise place.refuse(f"elements stand in one another more than {DEEPEST} deep.")
        for name, value in attributes.items():
            if len(value) > LONGEST:
                raise place.refuse(f"{name} of {tag[:80]} has {len(value)} characters; {LONGEST} are read at most.")
        made = Element(tag.rpartition(":")[2], attributes, place)
        if self.open:
            self.open[-1].children.append(made)
        else:
            self.root = made
        self.open.append(made)

    def _end(self, tag: str) -> None:
        self.open.pop()

    def _doctype(self, *given: Any) -> NoReturn:
        raise self._here().refuse(
            "it declares a document type or entities, which NeuroML files do not; it is not read."
        )
