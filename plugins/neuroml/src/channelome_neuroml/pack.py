"""From components of NeuroML files to modules of a pack: classes in the house style, with golden data."""

from collections.abc import Sequence
from pathlib import Path

from channelome.errors import ModelError
from channelome.scaffold import Written, described

from . import golden
from .document import Document
from .load import Imported, outcomes


def written(path: Path, name: str) -> Written:
    """The module of a mechanism of a file, called `name`; of several the one that the name is of: ``INav_Smith2020`` of ``nav``.

    Raises:
        NeuroMLError: where it is refused.
        ModelError: where there is none, or several and the name says not which.
    """
    found = list(outcomes(Document(path)))
    if len(found) != 1:
        current = name.rpartition("_")[0].casefold()
        chosen = [one for one in found if one.element.id.casefold() in (current, current.removeprefix("i"))]
        if len(chosen) != 1:
            there = ", ".join(f"'{one.element.id}'" for one in found) or "none"
            raise ModelError(
                f"{path.name} holds the mechanisms {there}, of which {name} is none: name it after one of them, I{found[0].element.id}_..., or "
                f"take all, `channelome import {path.name} --pack`."
                if found
                else f"{path.name} holds no channel, concentration model or synapse."
            )
        found = chosen
    if not found[0].imported:
        raise ModelError(found[0].refusal)
    return of(found[0].imported, path, name)


def of(parts: Sequence[Imported], path: Path, name: str) -> Written:
    """The module of the classes of one component."""
    first = parts[0]
    return described.written(first.cls, [one.plan for one in parts], path, name, lambda: golden.cases(first))
