"""The shape of a reconstructed cell in a model file: its morphology, there or in an SWC file beside it, and how it is cut."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..cells import MultiCompartment
from ..errors import ModelError
from ..morphology import Compartments, Morphology, d_lambda, max_length, per_branch
from ..morphology.discretise import DLambda, Rule, counted
from ..morphology.swc import decoded, parse
from .values import at

MAX_COMPARTMENTS = 200_000
"""Of all reconstructed cells of a file together, each counted once, however many are of its population."""
MAX_POINTS = 100_000
MAX_ROWS = 25_000
"""Points and branches in the file itself, each of which is a list or table: fewer than `registry.lexical.MAX_TABLES`."""
MAX_REGIONS = 100
"""With counts of their own."""
MAX_SWC = 16 << 20
MAX_LOOKED = 2 * 10**8
"""Characters of regions, times the compartments that each is looked for in."""

SWC = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,95}\.swc")
Table = Mapping[str, Any]


class Shapes:
    """The morphologies and cuts of one model, each made once, and what may be made of them in all.

    Args:
        folder: where the model's file is, beside which SWC files are; None for a table that is in no file.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._read: dict[str, Morphology] = {}
        self._cut: dict[str, Compartments] = {}
        self._compartments = self._points = self._looked = 0

    def compartments(self, table: Table, where: str, Ra: Any, C: Any) -> Compartments:
        """The compartments of a cell's table.

        Raises:
            ModelError: for a file that is none, a shape that is no tree, more points or compartments than a file may ask for.
        """
        given = table.get("discretise", {"max_length": "20 um"})
        with at(f"{where}: discretise"):
            rule = _rule(given)
        needed = (Ra, C) if isinstance(rule, DLambda) else (None, None)
        key = repr((table["morphology"], given, needed))
        if key not in self._cut:
            morphology = self.morphology(table["morphology"], f"{where}: morphology")
            with at(f"{where}: discretise"):
                self._compartments += int(counted(morphology.anatomy, rule, *needed, MAX_COMPARTMENTS).sum())
                if self._compartments > MAX_COMPARTMENTS:
                    raise ModelError(
                        f"with this cell there are {self._compartments:,} compartments; {MAX_COMPARTMENTS:,} are the most of a file."
                    )
                self._cut[key] = morphology.discretise(rule, Ra=needed[0], C=needed[1])
        found = self._cut[key]
        self._look(table, found, where)
        return found

    def morphology(self, given: str | Table, where: str) -> Morphology:
        """The morphology of a table, or of the file that it names."""
        if isinstance(given, str):
            given = {"swc": given}
        key = repr(given)
        if key not in self._read:
            with at(where):
                self._read[key] = self._of_file(given) if "swc" in given else self._of_table(given)
        return self._read[key]

    def _of_table(self, table: Table) -> Morphology:
        found = Morphology.from_table(table)
        self._count(len(found.branches.points))
        return found

    def _of_file(self, given: Table) -> Morphology:
        name = given["swc"]
        raw = self._bytes(name)
        self._count(raw.count(b"\n") + raw.count(b"\r"))
        return Morphology.from_points(
            parse(decoded(raw), name), source=name, repair=given.get("repair", ()), names=given.get("names")
        )

    def _bytes(self, name: str) -> bytes:
        if self.folder is None:
            raise ModelError(
                f"a table is in no folder, in which '{name}' could be: give the cell itself, Morphology.from_swc('{name}').to_table(), or "
                f"write the model into a file beside it."
            )
        file = self.folder / name
        if not file.is_file():
            raise ModelError(f"there is no file '{name}' beside the model.")
        if file.resolve().parent != self.folder.resolve():
            raise ModelError(f"'{name}' leads out of the model's folder: put the file itself there.")
        with file.open("rb") as opened:
            raw = opened.read(MAX_SWC + 1)
        if len(raw) > MAX_SWC:
            raise ModelError(
                f"'{name}' is larger than {MAX_SWC >> 20} MiB, the most that a morphology of a model may be."
            )
        return raw

    def _count(self, points: int) -> None:
        self._points += points
        if self._points > MAX_POINTS:
            raise ModelError(f"with these there are {self._points:,} points; {MAX_POINTS:,} are the most of a model.")

    def _look(self, table: Table, found: Compartments, where: str) -> None:
        """Refuse regions that would take for ever, before they are looked for."""
        parts = [*table.get("ions", {}).values(), *table.get("channels", {}).values()]
        regions = {part["on"] for part in parts if "on" in part}
        names = sum(len(text) for text in found.anatomy.groups.values() if isinstance(text, str))
        self._looked += len(found) * sum(len(text) + names for text in regions)
        if self._looked > MAX_LOOKED:
            raise ModelError(
                f"{where}: the regions of its parts are {len(regions):,} texts to be looked for in {len(found):,} compartments, more than a "
                f"file may ask for: give regions names, and cut the cell less finely."
            )


def shape_table(compartments: Compartments, where: str) -> dict[str, Any]:
    """The entries `morphology` and `discretise` of a cell: the same branches and the same cut, whatever rule made it.

    Raises:
        ModelError: for a cell of more points than a file may hold.
    """
    counts = np.diff(compartments.first)
    points = len(compartments.anatomy.branches.points)
    if points + len(counts) > MAX_ROWS:
        raise ModelError(
            f"{where} has {points:,} points, and a model file holds {MAX_ROWS:,}: keep them in an SWC file beside it and save with "
            f"morphology='cell.swc'."
        )
    return {"morphology": Morphology(compartments.anatomy).to_table(), "discretise": cut_table(compartments)}


def cut_table(compartments: Compartments) -> dict[str, Any]:
    """The entry `discretise`."""
    counts = np.diff(compartments.first).tolist()
    return {"per_branch": counts[0] if len(set(counts)) == 1 else counts}


def _rule(table: Table) -> Rule:
    if "max_length" in table:
        return max_length(_quantity(table["max_length"]))
    if "d_lambda" in table:
        return d_lambda(table["d_lambda"], frequency=_quantity(table.get("frequency", "100 Hz")))
    given, regions = table["per_branch"], table.get("regions", {})
    if len(regions) > MAX_REGIONS:
        raise ModelError(f"regions are {len(regions):,}; {MAX_REGIONS} with counts of their own are the most.")
    counts = [int(n) for n in given] if isinstance(given, list) else int(given)
    return per_branch(counts, **{name: int(n) for name, n in regions.items()})


def _quantity(value: Any) -> Any:
    return (value["value"], value["unit"]) if isinstance(value, Mapping) else value


def beside(name: str, folder: Path, model: Any) -> dict[str, Any]:
    """The entry `morphology` that leaves a cell's shape to an SWC file.

    Raises:
        ModelError: for a model that is no reconstructed cell, and where the file does not hold its branches.
    """
    if not isinstance(model, MultiCompartment):
        raise ModelError(f"morphology= is of a reconstructed cell, not of a {type(model).__name__}.")
    if not SWC.fullmatch(name):
        raise ModelError(f"morphology='{name}' must be the name of an .swc file beside the model, without a folder.")
    groups = model.compartments.anatomy.groups
    if own := next((name for name, which in groups.items() if not isinstance(which, str)), None):
        raise ModelError(
            f"the cell has branches under the name '{own}', which no SWC file holds: save it without morphology=."
        )
    entry = {"swc": name, **({"names": dict(groups)} if groups else {})}
    if Shapes(folder).morphology(entry, f"morphology='{name}'") != model.morphology:
        raise ModelError(f"'{name}' holds another cell, or one that was repaired: save it without morphology=.")
    return entry
