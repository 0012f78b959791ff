"""References of what a model or a script uses, from manifests and model files alone."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from ..errors import ModelError
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
    """References as BibTeX entries of the type ``misc``, which need no fields but these.

    Keys are made unique (``Smith2020``, ``Smith2020-2``), and what LaTeX would read as a command is escaped.
    """
    entries: list[str] = []
    used: set[str] = set()
    for reference in found:
        key = _key(reference.key, used)
        note = re.sub(r"[\\{}]", "", printable(" ".join(reference.text.split())))
        note = (
            re.sub(r"([&%$#_])", r"\\\1", note).replace("~", r"\textasciitilde{}").replace("^", r"\textasciicircum{}")
        )
        doi = f",\n  doi = {{{re.sub(r'[{}]', '', printable(reference.doi))}}}" if reference.doi else ""
        entries.append(f"@misc{{{key},\n  note = {{{note}}}{doi}\n}}")
    return "\n\n".join(entries)


def csl_json(found: Iterable[Reference]) -> str:
    """References as CSL-JSON, as Zotero and pandoc read it.

    Authors, year and title are read off a reference that is written ``Smith J, Doe AB (2020). Title. Journal 1:1-2.``; one
    that is written otherwise is all title.
    """
    used: set[str] = set()
    return json.dumps([_csl(reference, _key(reference.key, used)) for reference in found], indent=2, ensure_ascii=False)


FORMATS: dict[str, Callable[[Iterable[Reference]], str]] = {"text": text, "bibtex": bibtex, "csl-json": csl_json}


def _csl(reference: Reference, key: str) -> dict[str, Any]:
    item: dict[str, Any] = {"id": key, "type": "document"}
    match = re.match(r"(?P<authors>[^()]+) \((?P<year>\d{4})\)\. (?P<title>[^.]+)\.\s*(?P<rest>.*)", reference.text)
    if match is None:
        item["title"] = reference.text
    else:
        item |= {"title": match["title"], "author": [_author(name) for name in _names(match["authors"])]}
        item["issued"] = {"date-parts": [[int(match["year"])]]}
        if match["rest"]:
            item["note"] = match["rest"]
    return item | ({"DOI": reference.doi} if reference.doi else {})


def _names(authors: str) -> list[str]:
    return [
        name
        for name in re.split(r",\s*|\s+(?:&|and)\s+", authors.removesuffix(" et al.").removesuffix(" et al"))
        if name
    ]


def _author(name: str) -> dict[str, str]:
    family, _, initials = name.rpartition(" ")
    return {"family": family, "given": initials} if family and initials.isupper() else {"literal": name}


def _key(wanted: str, used: set[str]) -> str:
    plain = key = re.sub(r"[^\w:.+-]", "", wanted) or "reference"
    number = 1
    while key.casefold() in used:  # BibTeX's keys differ by more than case
        number += 1
        key = f"{plain}-{number}"
    used.add(key.casefold())
    return key
