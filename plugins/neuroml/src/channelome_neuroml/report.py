"""What is said of the mechanisms and cells of a NeuroML file."""

from collections.abc import Iterator
from pathlib import Path

from channelome.scaffold import Looked
from channelome.scaffold.described import base_of, described, found_by_kit, states_of

from .cells import KINDS, load_cell
from .document import Document
from .load import Imported, Outcome, outcomes
from .pack import of
from .text import NeuroMLError

NOT_COMPARED = "NeuroML files are not compared with NEURON here: jNeuroML exports them to it"


def looks(path: Path, *, python: str = "", check: bool = False) -> list[Looked]:
    """What `channelome import` says of a file: one for each channel, concentration model, synapse and cell that stands in it.

    Args:
        python: given, it says that there is no comparison.
        check: whether the kit looks at each.
    """
    try:
        document = Document(path)
        found = [_looked(path, one, bool(python), check) for one in outcomes(document)]
        found += [_cell(path, one.id) for one in document.own if document.kind(one) in KINDS]
    except NeuroMLError as error:
        return [Looked(path, refusal=str(error))]
    nothing = f"{path.name}: it holds no channel, concentration model, synapse or cell."
    return found or [Looked(path, refusal=nothing, is_other=True)]


def _looked(path: Path, one: Outcome, is_asked: bool, check: bool) -> Looked:
    if not one.imported:
        return Looked(path, one.element.id, refusal=one.refusal)
    first = one.imported[0]
    meanings = [part.plan.meaning for part in one.imported]
    checks = [f"the kit: {line}" for part in one.imported for line in found_by_kit(part.cls)] if check else []
    notes = (*(text for meaning in meanings for text in (*meaning.notes, *meaning.findings)), *checks)
    told = "\n".join([*(line for part in one.imported for line in _told(part)), *(f"  {line}" for line in checks)])
    return Looked(
        path, one.element.id, " and ".join(part.plan.base.__name__ for part in one.imported),
        tuple(state for part in one.imported for state in states_of(part.cls)), told,
        trouble=NOT_COMPARED if is_asked else "", notes=notes, base=base_of(first.cls, first.plan.meaning),
        ion=first.plan.ion if isinstance(first.plan.ion, str) else "", write=lambda name: of(one.imported, path, name),
    )  # fmt: skip


def _cell(path: Path, id: str) -> Looked:
    try:
        built = load_cell(path, id=id)
    except NeuroMLError as error:
        return Looked(path, id, refusal=str(error))
    return Looked(path, id, type(built).__name__, tuple(built.channels), f"{id}: {built}")


def _told(one: Imported) -> Iterator[str]:
    meaning = one.plan.meaning
    return described(one.cls, one.plan, f"the {meaning.kind} in {meaning.place}", lambda one: f": {one.quantity.name}")
