"""What is said of the mechanisms and cells of a NeuroML file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from channelome.mechanisms.channels import Channel
from channelome.mechanisms.ions import Ion, Pool
from channelome.module import REQUIRED
from channelome.scaffold import Looked

from .cells import KINDS, load_cell
from .document import Document
from .load import Imported, Outcome, outcomes
from .pack import base_of, of
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
    checks = [f"the kit: {line}" for part in one.imported for line in _checked(part.cls)] if check else []
    notes = (*(text for meaning in meanings for text in (*meaning.notes, *meaning.findings)), *checks)
    told = "\n".join([*(line for part in one.imported for line in _told(part)), *(f"  {line}" for line in checks)])
    return Looked(
        path, one.element.id, " and ".join(part.plan.base.__name__ for part in one.imported),
        tuple(state for part in one.imported for state in states_of(part.cls)), told,
        trouble=NOT_COMPARED if is_asked else "", notes=notes, base=base_of(first),
        ion=first.plan.ion if isinstance(first.plan.ion, str) else "", write=lambda name: of(one.imported, path, name),
    )  # fmt: skip


def _cell(path: Path, id: str) -> Looked:
    try:
        built = load_cell(path, id=id)
    except NeuroMLError as error:
        return Looked(path, id, refusal=str(error))
    return Looked(path, id, type(built).__name__, tuple(built.channels), f"{id}: {built}")


def _told(one: Imported) -> Iterator[str]:
    plan, cls = one.plan, one.cls
    yield f"{plan.meaning.name}: {plan.base.__name__}, from the {plan.meaning.kind} in {plan.meaning.place}"
    if issubclass(cls, Channel):
        carried = ", ".join(cls.carries) or "no ion; it has its own E"
        reads = f"; reads {', '.join(cls.reads)}" if cls.reads else ""
        yield f"  carried by {carried}{reads}{'; needs a temperature' if cls.needs_celsius else ''}"
    elif issubclass(cls, Ion):
        yield f"  the ion {cls.species}"
    yield f"  states: {', '.join(states_of(cls)) or 'none'}"
    yield "  parameters:"
    for field in plan.fields:
        unit = "" if field.unit.symbol == "1" else f" {field.unit.symbol}"
        value = "must be given," if field.default is None else f"{field.default:g}"
        yield f"    {field.name} = {value}{unit} (line {field.quantity.line}: {field.quantity.name})"
    for note in plan.meaning.notes:
        yield f"  note: {note}"
    for finding in plan.meaning.findings:
        yield f"  found in the file: {finding}"


def states_of(cls: Any) -> list[str]:
    """Names of the states of a class."""
    if issubclass(cls, Channel):
        return [*cls.gates, *cls.occupancies, *cls.variables]
    if issubclass(cls, Ion):
        return ["C_in"] if issubclass(cls, Pool) else [*getattr(cls, "variables", ())]
    return [*cls.states]


def _checked(cls: Any) -> list[str]:
    """What the kit finds of a class; of one that must be given parameters nothing can be known."""
    from channelome.testing import check_channel, check_ion, check_synapse

    if any(parameter.default is REQUIRED for parameter in cls.parameters.values()):
        return []
    check: Any = check_channel if issubclass(cls, Channel) else check_ion if issubclass(cls, Ion) else check_synapse
    return [f"{found.check}: {found.message}" for found in check(cls).findings if found.status == "failed"]
