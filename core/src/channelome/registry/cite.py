"""References of what a model or a script uses, from manifests and model files alone."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from ..errors import ModelError
from .bibliography import Person, Work, work
from .document import is_file
from .manifest import Entry, Reference
from .provenance import CORE, About, entries, read_model
from .store import Registry
from .words import printable


def references(registry: Registry, names: Iterable[str]) -> list[Reference]:
    """The references of what is named, each once, in the order met: mechanisms, and models with all that they are made of.

    Args:
        names: registered names, and paths of model files.

    Raises:
        UnknownName: where nothing has the name.
        ModelError: for a file that is no model.
    """
    found: list[Reference] = []
    for name in names:
        entry = None if is_file(name) else registry.find(name)
        if entry is not None and entry.kind not in ("cell", "network"):
            found += entry.references
            continue
        model = read_model(registry, name)
        found += model.about.references
        for entry in entries(registry, model):
            found += entry.references
    return once(found)


def origins(registry: Registry, names: Iterable[str]) -> list[str]:
    """Where what is named comes from, with all that models are made of: ``"core"``, or distributions."""
    made_of: list[Entry] = []
    for name in names:
        entry = None if is_file(name) else registry.find(name)
        if entry is None or entry.kind in ("cell", "network"):
            made_of += entries(registry, read_model(registry, name))
        else:
            made_of.append(entry)
    found = dict.fromkeys(entry.distribution.split()[0] for entry in made_of)
    return ["core" if name == CORE else name for name in found] or ["it is made of nothing"]


def of_parts(registry: Registry, made_from: Iterable[About], classes: Iterable[type], style: str) -> str:
    """What a cell or network in memory cites: the models that it was made from, then the classes of its parts.

    Args:
        style: a key of `FORMATS`.
    """
    found: list[Reference] = []
    for about in made_from:
        found += about.references
        if about.model in registry:
            found += registry.find(about.model).references
    named: Iterable[Entry | None] = (registry.entry_of(cls) for cls in classes)
    for entry in named:
        found += entry.references if entry is not None else ()
    return formatted(once(found), style)


def once(found: Iterable[Reference]) -> list[Reference]:
    """Each work once."""
    works: dict[str, Reference] = {}
    for reference in found:
        works.setdefault(reference.doi.casefold() or reference.text, reference)  # case does not matter in a DOI
    return list(works.values())


def formatted(found: Iterable[Reference], style: str) -> str:
    """References in one of `FORMATS`."""
    if style not in FORMATS:
        raise ModelError(f"references are written as {', '.join(FORMATS)}, not {style!r}.")
    return FORMATS[style](found)


def text(found: Iterable[Reference]) -> str:
    """References for people: one to a line, with DOI."""
    return "\n".join(printable(f"{r.text}{f' doi:{r.doi}' if r.doi else ''}") for r in found)


def bibtex(found: Iterable[Reference]) -> str:
    """References in BibTeX: ``@article``, ``@book``, ``@incollection``, ``@phdthesis``, ``@software``, and ``@misc`` for the rest.

    Keys are made unique (``Smith2020``, ``Smith2020-2``), what LaTeX would read as a command is escaped, and titles keep their case.
    """
    used: set[str] = set()
    return "\n\n".join(_entry(work(reference), _key(reference.key, used)) for reference in found)


_ENTRIES = {
    "article": "article",
    "book": "book",
    "chapter": "incollection",
    "thesis": "phdthesis",
    "software": "software",
    "other": "misc",
}
_CONTAINERS = {"article": "journal", "chapter": "booktitle"}


def _entry(made: Work, key: str) -> str:
    fields = {
        "author": _joined(made.authors, made.others),
        "editor": _joined(made.editors, False),
        "title": f"{{{_latex(made.title)}}}",
        _CONTAINERS.get(made.type, "howpublished"): _latex(made.container),
        "year": made.year,
        "volume": made.volume,
        "pages": made.pages.replace("-", "--"),
        "school" if made.type == "thesis" else "publisher": _latex(made.publisher),
        "version": _latex(made.version),
        "isbn": made.isbn,
        "note": _latex(made.note),
        "doi": re.sub(r"[{}]", "", made.doi),
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return f"@{_ENTRIES[made.type]}{{{key},\n" + ",\n".join(lines) + "\n}"


def _joined(people: Iterable[Person], others: bool) -> str:
    names = [f"{_latex(p.family)}, {_latex(p.given)}" if p.given else f"{{{_latex(p.family)}}}" for p in people]
    return " and ".join([*names, "others"] if others else names)


def _latex(text: str) -> str:
    plain = re.sub(r"[\\{}]", "", text)
    return re.sub(r"([&%$#_])", r"\\\1", plain).replace("~", r"\textasciitilde{}").replace("^", r"\textasciicircum{}")


def csl_json(found: Iterable[Reference]) -> str:
    """References as CSL-JSON, as Zotero and pandoc read it, with the types of CSL 1.0.2."""
    used: set[str] = set()
    items = [_csl(work(reference), _key(reference.key, used)) for reference in found]
    return json.dumps(items, indent=2, ensure_ascii=False)


FORMATS: dict[str, Callable[[Iterable[Reference]], str]] = {"text": text, "bibtex": bibtex, "csl-json": csl_json}


_CSL = {
    "article": "article-journal",
    "book": "book",
    "chapter": "chapter",
    "thesis": "thesis",
    "software": "software",
    "other": "document",
}


def _csl(made: Work, key: str) -> dict[str, Any]:
    people = [_csl_name(person) for person in made.authors] + ([{"literal": "others"}] if made.others else [])
    found = {
        "id": key,
        "type": _CSL[made.type],
        "title": made.title,
        "author": people,
        "editor": [_csl_name(person) for person in made.editors],
        "issued": {"date-parts": [[int(made.year)]]} if made.year else None,
        "container-title": made.container,
        "volume": made.volume,
        "page": made.pages,
        "publisher": made.publisher,
        "genre": made.kind,
        "version": made.version,
        "ISBN": made.isbn,
        "note": made.note,
        "DOI": made.doi,
    }
    return {name: value for name, value in found.items() if value}


def _csl_name(person: Person) -> dict[str, str]:
    return {"family": person.family, "given": person.given} if person.given else {"literal": person.family}


def _key(wanted: str, used: set[str]) -> str:
    plain = key = re.sub(r"[^\w:.+-]", "", wanted) or "reference"
    number = 1
    while key.casefold() in used:  # BibTeX's keys differ by more than case
        number += 1
        key = f"{plain}-{number}"
    used.add(key.casefold())
    return key
