"""What is said of the mechanisms and cells of a NeuroML file."""

from collections.abc import Iterator
from pathlib import Path

from channelome.errors import ChannelomeError
from channelome.formulas.write import names_of
from channelome.scaffold import Looked
from channelome.scaffold.described import base_of, described, found_by_kit, states_of

from . import compare, fed, spiked
from .cells import KINDS, load_cell
from .document import Document
from .judged import Comparison
from .load import Imported, Outcome, outcomes, sort_of
from .pack import of
from .text import NeuroMLError

NOT_COMPARED = "cells are not compared: jLEMS makes one compartment of them"


def looks(path: Path, *, python: str = "", check: bool = False) -> list[Looked]:
    """What `channelome import` says of a file: one for each channel, concentration model, synapse and cell that stands in it.

    Args:
        python: an interpreter that has pyNeuroML, with whose jLEMS mechanisms are compared; not compared if empty.
        check: whether the kit looks at each.
    """
    try:
        document = Document(path)
        found = [_looked(path, document, one, python, check) for one in outcomes(document)]
        found += [_cell(path, one.id, python) for one in document.own if document.kind(one) in KINDS]
    except NeuroMLError as error:
        return [Looked(path, refusal=str(error))]
    nothing = f"{path.name}: it holds no channel, concentration model, synapse or cell."
    return found or [Looked(path, refusal=nothing, is_other=True)]


def _looked(path: Path, document: Document, one: Outcome, python: str, check: bool) -> Looked:
    if not one.imported:
        return Looked(path, one.element.id, refusal=one.refusal)
    first = one.imported[0]
    meanings = [part.plan.meaning for part in one.imported]
    checks = [f"the kit: {line}" for part in one.imported for line in found_by_kit(part.cls)] if check else []
    notes = (*(text for meaning in meanings for text in (*meaning.notes, *meaning.findings)), *checks)
    found, trouble = _compared(document, one, python)
    beside = [f"  {found}"] if found else [f"  not compared: {trouble}"] if trouble else []
    told = "\n".join(
        [*(line for part in one.imported for line in _told(part)), *(f"  {line}" for line in checks), *beside]
    )
    return Looked(
        path, one.element.id, " and ".join(part.plan.base.__name__ for part in one.imported),
        tuple(state for part in one.imported for state in states_of(part.cls)), told,
        difference=found.relative if found else None, is_different=found is not None and found.differs, trouble=trouble, oracle="jLEMS", notes=notes, base=base_of(first.cls, first.plan.meaning),
        ion=first.plan.ion if isinstance(first.plan.ion, str) else "", named=lambda name: tuple(names_of([part.plan for part in one.imported], name)),
        write=lambda name: of(one.imported, path, name),
    )  # fmt: skip


def _compared(document: Document, one: Outcome, python: str) -> tuple[Comparison | None, str]:
    """How a mechanism compares with jLEMS, if that is asked; or why it does not."""
    if not python:
        return None, ""
    sort, first = sort_of(document, one.element), one.imported[0]
    try:
        if sort == "synapse":
            return spiked.compare(document, one.imported, python), ""
        return (fed if sort == "pool" else compare).compare(document, first, python), ""
    except ChannelomeError as error:
        return None, str(error)


def _cell(path: Path, id: str, python: str) -> Looked:
    try:
        built = load_cell(path, id=id)
    except NeuroMLError as error:
        return Looked(path, id, refusal=str(error))
    trouble = NOT_COMPARED if python else ""
    return Looked(path, id, type(built).__name__, tuple(built.channels), f"{id}: {built}", trouble=trouble)


def _told(one: Imported) -> Iterator[str]:
    meaning = one.plan.meaning
    return described(one.cls, one.plan, f"the {meaning.kind} in {meaning.place}", lambda one: f": {one.quantity.name}")
