"""References of what a model or a script uses, from manifests alone."""

import re
from collections.abc import Iterable

from .manifest import Reference
from .store import Registry


def references(registry: Registry, names: Iterable[str]) -> list[Reference]:
    """The references of the things named, each once, in the order met."""
    found: dict[str, Reference] = {}
    for name in names:
        for reference in registry.find(name).references:
            found.setdefault(reference.doi.casefold() or reference.text, reference)  # case does not matter in a DOI
    return list(found.values())


def text(found: Iterable[Reference]) -> str:
    """References for people: one to a line, with DOI."""
    return "\n".join(f"{r.text}{f' doi:{r.doi}' if r.doi else ''}" for r in found)


def bibtex(found: Iterable[Reference]) -> str:
    """References as BibTeX entries of the type ``misc``, which need no fields but these.

    Keys are made unique (``Smith2020``, ``Smith2020-2``), and what LaTeX would read as a command is escaped.
    """
    entries: list[str] = []
    used: set[str] = set()
    for reference in found:
        key = _key(reference.key, used)
        note = re.sub(r"[\\{}]", "", reference.text)
        note = (
            re.sub(r"([&%$#_])", r"\\\1", note).replace("~", r"\textasciitilde{}").replace("^", r"\textasciicircum{}")
        )
        doi = f",\n  doi = {{{reference.doi}}}" if reference.doi else ""
        entries.append(f"@misc{{{key},\n  note = {{{note}}}{doi}\n}}")
    return "\n\n".join(entries)


def _key(wanted: str, used: set[str]) -> str:
    plain = key = re.sub(r"[^\w:.+-]", "", wanted) or "reference"
    number = 1
    while key.casefold() in used:  # BibTeX's keys differ by more than case
        number += 1
        key = f"{plain}-{number}"
    used.add(key.casefold())
    return key
