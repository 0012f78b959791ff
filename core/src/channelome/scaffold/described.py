"""What importers of other formats say of the classes that they made of a file, and how these get into a pack."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..formulas.plan import Field, Plan
from ..formulas.write import module, names_of
from ..mechanisms.channels import Channel
from ..mechanisms.ions import Ion, Pool
from ..module import REQUIRED
from .channel import Written


def states_of(cls: Any) -> list[str]:
    """Names of the states of a class."""
    if issubclass(cls, Channel):
        return [*cls.gates, *cls.occupancies, *cls.variables]
    if issubclass(cls, Ion):
        return ["C_in"] if issubclass(cls, Pool) else [*getattr(cls, "variables", ())]
    return [*cls.states]


def found_by_kit(cls: Any) -> list[str]:
    """What the kit finds of a class; of one that must be given parameters nothing can be known."""
    from ..testing import check_channel, check_ion, check_synapse

    if any(parameter.default is REQUIRED for parameter in cls.parameters.values()):
        return []
    check: Any = check_channel if issubclass(cls, Channel) else check_ion if issubclass(cls, Ion) else check_synapse
    return [f"{found.check}: {found.message}" for found in check(cls).findings if found.status == "failed"]


def described(cls: Any, plan: Plan[Any], origin: str, of_field: Callable[[Field], str]) -> Iterator[str]:
    """All that is known of a class, in lines.

    Args:
        origin: what it was made of.
        of_field: what is said of where a parameter is from, beside the line that it stands in.
    """
    meaning = plan.meaning
    yield f"{meaning.name}: {plan.base.__name__}, from {origin}"
    if issubclass(cls, Channel):
        carried = ", ".join(cls.carries) or "no ion; it has its own E"
        reads = f"; reads {', '.join(cls.reads)}" if cls.reads else ""
        yield f"  carried by {carried}{reads}{'; needs a temperature' if cls.needs_celsius else ''}"
    elif issubclass(cls, Ion):
        yield f"  the ion {cls.species}"
    yield f"  states: {', '.join(states_of(cls)) or 'none'}"
    yield "  parameters:"
    for one in plan.fields:
        unit = "" if one.unit.symbol == "1" else f" {one.unit.symbol}"
        value = "must be given," if one.default is None else f"{one.default:g}"
        line = f"line {one.quantity.line}" if one.quantity.line else ""  # what NEURON has stands in no line
        line += f" of {one.quantity.file}" if one.quantity.file else ""
        said = f"{line}{of_field(one)}".lstrip(",; ")
        yield f"    {one.name} = {value}{unit}{f' ({said})' if said else ''}"
    for note in meaning.notes:
        yield f"  note: {note}"
    for finding in meaning.findings:
        yield f"  found in the file: {finding}"


def base_of(cls: Any, meaning: Any) -> str:
    """What a class is called before its family: ``IKv``, ``CaCad``, ``Exp2Syn``."""
    base = "".join(word[:1].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", meaning.name))
    if issubclass(cls, Channel):
        return base if re.match(r"I[A-Z]", base) else f"I{base}"
    return f"{meaning.species.capitalize()}{base}" if issubclass(cls, Ion) else base


def written(
    cls: Any, plans: Sequence[Plan[Any]], path: Path, name: str, cases: Callable[[], tuple[dict[str, Any], ...]]
) -> Written:
    """The module of the classes of a mechanism of a file, of which the first, `cls`, is called `name`.

    Args:
        cases: golden data, of a channel.
    """
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    kind = "channel" if issubclass(cls, Channel) else "ion" if issubclass(cls, Ion) else "synapse"
    return Written(module(names_of(plans, name), digest), kind, cases() if kind == "channel" else ())
