"""A cell as plain data, for files of models: what `Morphology.to_table` gives and `Morphology.from_table` takes."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import ModelError
from .anatomy import TYPES, Anatomy, type_name
from .branches import Branches
from .points import MOST_TAG, countable

_TAGS = {name: tag for tag, name in TYPES.items()}


def to_table(anatomy: Anatomy) -> dict[str, Any]:
    """Lists, numbers and texts alone; lengths in um, to the last bit."""
    first = anatomy.branches.first
    branches = [
        {
            "type": type_name(int(tag)) if int(tag) in TYPES else int(tag),
            **({"parent": int(parent), "at": float(at)} if parent >= 0 else {}),
            "points": anatomy.branches.points[first[i] : first[i + 1]].tolist(),
        }
        for i, (tag, parent, at) in enumerate(
            zip(anatomy.branches.tag, anatomy.branches.parent, anatomy.branches.attach, strict=True)
        )
    ]
    names = {name: which if isinstance(which, str) else list(which) for name, which in anatomy.groups.items()}
    return {"source": anatomy.source, "unit": "um", "branches": branches, **({"names": names} if names else {})}


def from_table(table: Mapping[str, Any]) -> Anatomy:
    """The cell of a table.

    Raises:
        ModelError: for what is missing, unknown or not a tree, with the number of the branch.
    """
    _keys(table, "a morphology", {"branches", "unit"}, {"source", "names"})
    if table["unit"] != "um":
        raise ModelError(f"a morphology's table is in um, not in {table['unit']!r}.")
    rows = table["branches"]
    if not isinstance(rows, list) or not rows:
        raise ModelError("a morphology's table needs a list of branches, at least one.")
    parts = [_branch(row, i) for i, row in enumerate(rows)]
    points = [part[0] for part in parts]
    branches = Branches(
        np.concatenate(points),
        np.concatenate([[0], np.cumsum([len(shape) for shape in points])]),
        np.array([part[1] for part in parts], np.int64),
        np.array([part[2] for part in parts], float),
        np.array([part[3] for part in parts], np.int64),
    )
    return Anatomy(branches, str(table.get("source", "a table")), _names(table.get("names", {}), len(rows)))


def _keys(table: Any, what: str, needed: set[str], known: set[str]) -> None:
    if not isinstance(table, Mapping):
        raise ModelError(f"{what} must be a table, not {type(table).__name__}.")
    if missing := needed - set(table):
        raise ModelError(f"{what} lacks '{min(missing)}'.")
    if more := set(table) - needed - known:
        raise ModelError(
            f"{what} has '{min(map(str, more))}', which has no meaning there; it may have {', '.join(sorted(needed | known))}."
        )


def _branch(row: Any, i: int) -> tuple[np.ndarray, int, float, int]:
    where = f"branch {i} of a morphology"
    _keys(row, where, {"type", "points"} | ({"parent", "at"} if i else set()), set())
    try:
        shape = np.array(row["points"], float)
    except (TypeError, ValueError):
        raise ModelError(f"the points of {where} must be rows of four numbers.") from None
    if shape.ndim != 2 or shape.shape[1] != 4 or len(shape) < 2:
        raise ModelError(f"the points of {where} must be x, y, z, diameter in rows of four, at least two of them.")
    if not countable(shape).all():
        raise ModelError(f"the points of {where} must be finite, with positive diameters.")
    if not np.diff(shape[:, :3], axis=0).any():
        raise ModelError(f"{where} has no length: all points of it are in one place.")
    parent, at, kind = row.get("parent", -1), row.get("at", 0.0), row["type"]
    if i and not (_whole(parent) and 0 <= parent < i):
        raise ModelError(f"the parent of {where} must be a branch before it, 0 to {i - 1}, not {parent!r}.")
    if not (isinstance(at, int | float) and not isinstance(at, bool) and 0 <= at <= 1):
        raise ModelError(f"{where} is connected at {at!r}; a place on its parent is a number from 0 to 1.")
    tag: Any = _TAGS.get(kind) if isinstance(kind, str) else kind
    if not (_whole(tag) and abs(tag) < MOST_TAG):
        raise ModelError(f"the type of {where} must be one of {', '.join(_TAGS)} or a whole number, not {kind!r}.")
    return shape, int(parent), float(at), int(tag)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _names(names: Any, n: int) -> dict[str, str | tuple[int, ...]]:
    if not isinstance(names, Mapping):
        raise ModelError("the names of a morphology must be a table of regions and lists of branches.")
    found: dict[str, str | tuple[int, ...]] = {}
    for name, which in names.items():
        if isinstance(which, str):
            found[str(name)] = which
        elif isinstance(which, list) and all(_whole(i) and 0 <= i < n for i in which):
            found[str(name)] = tuple(which)
        else:
            raise ModelError(
                f"the name '{name}' of a morphology must stand for a region's text or for branches 0 to {n - 1}."
            )
    return found
