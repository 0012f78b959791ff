"""What is written of a work in a manifest, taken apart: authors, title, where it appeared. The manifest holds one line of text:

    Hodgkin AL, Huxley AF (1952). A quantitative description of membrane current. J Physiol 117:500-544.
    Traub RD, Miles R (1991). Neuronal Networks of the Hippocampus. Cambridge University Press.
    Yamada WM, Koch C (1989). Multiple channels. In Koch C, Segev I (eds), Methods, pp. 97-133. MIT Press. ISBN 0-262-11133-0.
    Kidger P (2021). On Neural Differential Equations. PhD thesis, University of Oxford.
    Destexhe A, IT.mod, ModelDB 3817: the T current.
    BrainPy 2.8.2, brainpy/dyn/channels: equations and defaults.

What is written otherwise is all title. Imports neither JAX nor a pack.
"""

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

from .manifest import Reference
from .words import printable

Type = Literal["article", "book", "chapter", "thesis", "software", "other"]

_DATED = re.compile(r"(?P<authors>[^()]+?) \((?P<year>\d{4})[a-z]?\)\. (?P<rest>.+)")
_ARTICLE = re.compile(
    r"(?P<title>.+?[?!.]) (?P<container>[^.:]*[^\W\d]) (?P<volume>\d+):(?P<pages>\w+(?:-\w+)?)\.(?P<note>.*)"
)
_CHAPTER = re.compile(
    r"(?P<title>.+?)\. In (?P<editors>[^()]+?) \(eds?\), (?P<container>.+?), pp\. (?P<pages>\w+(?:-\w+)?)\. (?P<publisher>[^.]+)\.(?P<note>.*)"
)
_THESIS = re.compile(r"(?P<title>.+?)\. (?P<kind>\w+ thesis), (?P<publisher>[^.]+)\.(?P<note>.*)")
_BOOK = re.compile(r"(?P<title>[^.]+)\. (?P<publisher>[^.:]+)\.(?P<note>.*)")
_MOD_FILE = re.compile(r"(?P<authors>[^:]+), (?P<title>[\w.-]+\.(?:mod|py|m|ode)), (?P<note>.+)")
_PROGRAM = re.compile(r"(?P<title>[\w.-]+(?: [A-Z][\w.-]*)?) (?P<version>\d[\w.]*), (?P<note>.+)")
_ISBN = re.compile(r"\s*ISBN ([\dX-]+)\.?")


class Person(NamedTuple):
    """``Hodgkin``, ``A. L.``; one whose name is not written so has it in `family`."""

    family: str
    given: str = ""


@dataclass(frozen=True)
class Work:
    """A work to cite. What is not known is empty.

    Attributes:
        others: whether there are more authors.
        container: the journal or book in which it appeared.
        publisher: of a thesis the university.
    """

    type: Type
    title: str
    authors: tuple[Person, ...] = ()
    others: bool = False
    year: str = ""
    container: str = ""
    editors: tuple[Person, ...] = ()
    volume: str = ""
    pages: str = ""
    publisher: str = ""
    kind: str = ""
    version: str = ""
    isbn: str = ""
    note: str = ""
    doi: str = ""


def work(reference: Reference) -> Work:
    """The work that a reference is to."""
    text = " ".join(printable(reference.text).split())
    doi = printable(reference.doi)
    dated = _DATED.fullmatch(text)
    if dated is not None:
        authors, others = _people(dated["authors"])
        forms: tuple[tuple[Type, re.Pattern[str]], ...] = (
            ("chapter", _CHAPTER), ("thesis", _THESIS), ("article", _ARTICLE), ("book", _BOOK),
        )  # fmt: skip
        for kind, form in forms:
            if match := form.fullmatch(dated["rest"]):
                return _made(kind, match, doi, authors=authors, others=others, year=dated["year"])
        return Work("other", dated["rest"].rstrip("."), authors, others, dated["year"], doi=doi)
    if match := _MOD_FILE.fullmatch(text):
        authors, others = _people(match["authors"])
        if all(person.given for person in authors):
            return _made("software", match, doi, authors=authors, others=others)
    if reference.role == "implementation" and (match := _PROGRAM.fullmatch(text)):
        return _made("software", match, doi)
    return Work("software" if reference.role == "implementation" else "other", text.rstrip("."), doi=doi)


def _made(
    kind: Type,
    match: re.Match[str],
    doi: str,
    *,
    authors: tuple[Person, ...] = (),
    others: bool = False,
    year: str = "",
) -> Work:
    found = {
        name: (value or "").strip() for name, value in match.groupdict().items() if name not in ("authors", "year")
    }
    isbn = _ISBN.search(found.get("note", ""))
    note = _ISBN.sub("", found.pop("note", "")).strip().rstrip(".")
    editors, _ = _people(found.pop("editors", ""))
    title = found.pop("title").removesuffix(".")
    return Work(
        kind, title, authors, others, year, editors=editors, isbn=isbn[1] if isbn else "", note=note, doi=doi, **found
    )


def _people(text: str) -> tuple[tuple[Person, ...], bool]:
    """The people of a list, and whether it ends with others."""
    whole = re.sub(r",?\s+et al\.?$", "", text.strip())
    names = [name.strip() for name in re.split(r",\s*(?:&\s*|and\s+)?|\s+&\s+|\s+and\s+", whole) if name.strip()]
    return tuple(map(_person, names)), whole != text.strip()


def _person(name: str) -> Person:
    family, _, initials = name.rpartition(" ")
    if not family or not re.fullmatch(r"[^\W\d_](?:[^\W\d_]|-){0,3}", initials) or not initials[0].isupper():
        return Person(name)
    if initials.isupper():
        return Person(family, " ".join(f"{letter}." for letter in initials.replace("-", "")))
    return Person(family, f"{initials}.")
