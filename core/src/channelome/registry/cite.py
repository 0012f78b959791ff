"""References of what a model or a script uses, from manifests alone."""

from collections.abc import Iterable

from .manifest import Reference
from .store import Registry


def references(registry: Registry, names: Iterable[str]) -> list[Reference]:
    """The references of the things named, each once, in the order met."""
    found: dict[str, Reference] = {}
    for name in names:
        for reference in registry.find(name).references:
            found.setdefault(reference.doi or reference.text, reference)
    return list(found.values())


def text(found: Iterable[Reference]) -> str:
    """References for people: one to a line, with DOI."""
    return "\n".join(f"{r.text}{f' doi:{r.doi}' if r.doi else ''}" for r in found)


def bibtex(found: Iterable[Reference]) -> str:
    """References as BibTeX entries of the type ``misc``, which need no fields but these."""
    entries: list[str] = []
    for reference in found:
        note = reference.text.replace("{", "").replace("}", "")
        doi = f",\n  doi = {{{reference.doi}}}" if reference.doi else ""
        entries.append(f"@misc{{{reference.key},\n  note = {{{note}}}{doi}\n}}")
    return "\n\n".join(entries)
