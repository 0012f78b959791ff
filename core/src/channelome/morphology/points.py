"""The points of a reconstruction as a file lists them, and what must hold before they are a tree."""

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from ..errors import ModelError

SOMA, AXON, DEND, APICAL = 1, 2, 3, 4
REPAIRS = {
    "duplicates": "of several points with one id, the first is kept",
    "parents": "points whose parent is missing are left out, and all beyond them",
    "roots": "of several trees, the one with most points of the soma is kept, or with most points",
    "order": "points are sorted so that parents come before their children and branches are in one piece",
    "diameters": "a diameter that is not positive becomes that of the nearest point toward the root",
    "lengths": "branches without length are left out, their children connected in their place",
}
"""What `repair=` can ask for. Cycles and coordinates that are no numbers cannot be repaired."""
_SHOWN = 4
FAR, THIN = 1e9, 1e-9
"""um: what is beyond is no neuron, and would leave what can be counted with."""
MOST_TAG = 2**31
"""Types of branches are less than this, on both sides of 0."""


def known(value: Any, what: str) -> np.ndarray:
    """Numbers that say how a cell is shaped or cut.

    Raises:
        ModelError: for what JAX traces, whose values nobody knows as yet.
    """
    try:
        return np.asarray(value, float)
    except TypeError:
        raise ModelError(
            f"{what} is being traced by JAX: cells are shaped and cut outside jit, vmap and grad; inside go Ra, C and what is in the membrane."
        ) from None


def countable(points: np.ndarray) -> np.ndarray:
    """Of rows of x, y, z and diameter (um), shape (..., 4), which can be those of a neuron."""
    return (np.abs(points) < FAR).all(axis=-1) & (points[..., 3] > THIN)  # NaN is not less


@dataclass(frozen=True)
class Points:
    """Points in the order of a file.

    Attributes:
        id: shape (n,), as in the file.
        type: shape (n,): 1 soma, 2 axon, 3 dendrite, 4 apical dendrite, others free.
        xyz: shape (n, 3), um.
        radius: shape (n,), um.
        parent: shape (n,), ids; -1 for a root.
        line: shape (n,), where each stands in the file.
    """

    id: np.ndarray
    type: np.ndarray
    xyz: np.ndarray
    radius: np.ndarray
    parent: np.ndarray
    line: np.ndarray

    def __len__(self) -> int:
        return len(self.id)

    def take(self, chosen: np.ndarray) -> "Points":
        return Points(*(getattr(self, name)[chosen] for name in ("id", "type", "xyz", "radius", "parent", "line")))

    def parent_index(self) -> np.ndarray:
        """Shape (n,): where the parent stands, -1 for a root, -2 where there is none of that id."""
        if len(self) == 0:
            return np.zeros(0, int)
        order = np.argsort(self.id, kind="stable")
        at = np.minimum(np.searchsorted(self.id[order], self.parent), len(self) - 1)
        found = np.where(self.id[order][at] == self.parent, order[at], -2)
        return np.where(self.parent == -1, -1, found)


def asked(repair: str | Sequence[str]) -> frozenset[str]:
    """The names in `repair`: one, several, several in one string, or "all".

    Raises:
        ModelError: for a name that is no repair.
    """
    several = isinstance(repair, str | Sequence | Set)
    names = repair.replace(",", " ").split() if isinstance(repair, str) else list(repair) if several else [repair]
    for name in names:
        if name not in REPAIRS and name != "all":
            close = get_close_matches(str(name), REPAIRS, n=1)
            hint = f"Did you mean '{close[0]}'?" if close else ""
            raise ModelError(f"repair={name!r} is none of: {', '.join(REPAIRS)}, all. {hint}".rstrip())
    return frozenset(REPAIRS) if "all" in names else frozenset(names)


def check_repairs(wanted: frozenset[str], known: set[str], kind: str) -> None:
    """Refuse repairs that files of a kind know nothing of; all of them together are what there is.

    Raises:
        ModelError: for one that would be passed over.
    """
    beyond = sorted(wanted - known)
    if beyond and wanted != frozenset(REPAIRS):
        raise ModelError(
            f"repair='{beyond[0]}' is for SWC files: of {kind} files {' and '.join(sorted(known))} can be asked."
        )


def tree(points: Points, source: str, repair: frozenset[str]) -> tuple[Points, np.ndarray, tuple[str, ...]]:
    """`points` as one tree whose root comes first and whose parents come before their children.

    Returns:
        the points, where each one's parent stands (-1 for the root), and what was repaired, in sentences.

    Raises:
        ModelError: for what is wrong and was not asked to be repaired; each names the lines and the way out.
    """
    notes: list[str] = []
    if not len(points):
        raise ModelError(f"{source} holds no point: lines of 'id type x y z radius parent' were expected.")
    _check_coordinates(points, source)
    for step in (_unique, _positive, _with_parents, _without_cycles, _one_root, _sorted):
        points = step(points, source, repair, notes)
    return points, points.parent_index(), tuple(notes)


def _check_coordinates(points: Points, source: str) -> None:
    wrong = ~np.all(np.abs(points.xyz) < FAR, axis=1)  # NaN is not less
    if wrong.any():
        raise ModelError(
            f"{source}: {_these(points, wrong)} {_has(wrong)} coordinates that are no numbers of um; correct or delete them."
        )


def _unique(points: Points, source: str, repair: frozenset[str], notes: list[str]) -> Points:
    _, first = np.unique(points.id, return_index=True)
    again = np.ones(len(points), bool)
    again[first] = False
    if not again.any():
        return points
    if "duplicates" not in repair:
        at = int(np.flatnonzero(again)[0])
        before = int(points.line[points.id == points.id[at]][0])
        raise ModelError(
            f"{source}: the id {points.id[at]} stands in line {before} and again in line {points.line[at]}"
            f"{_more(again)}. {way('duplicates')}"
        )
    notes.append(f"{_count(again)} with an id that stood before left out")
    return points.take(~again)


def _positive(points: Points, source: str, repair: frozenset[str], notes: list[str]) -> Points:
    wrong = ~((points.radius > THIN) & (points.radius < FAR))
    if not wrong.any():
        return points
    if "diameters" not in repair:
        at = int(np.flatnonzero(wrong)[0])
        raise ModelError(
            f"{source}: the radius of {_these(points, wrong)} is {points.radius[at]:g}, and must be positive. {way('diameters')}"
        )
    if wrong.all():
        raise ModelError(f"{source}: no point has a positive radius.")
    notes.append(f"{_count(wrong)} given the diameter of a neighbour: ids {_ids(points.id[wrong])}")
    return Points(points.id, points.type, points.xyz, _filled(points, wrong), points.parent, points.line)


def _filled(points: Points, wrong: np.ndarray) -> np.ndarray:
    """Radii, those that are `wrong` as the nearest toward the root; where none is right there, as the nearest one beyond."""
    radius, parent = np.where(wrong, np.nan, points.radius), points.parent_index()
    seen = np.zeros(len(points), bool)
    for i in np.flatnonzero(wrong):
        at, way = int(i), list[int]()
        while at >= 0 and np.isnan(radius[at]) and not seen[at]:
            seen[at] = True
            way.append(at)
            at = int(parent[at])
        if at >= 0:
            radius[way] = radius[at]
    inner = np.flatnonzero(~np.isnan(radius))
    while (inner := inner[(parent[inner] >= 0) & np.isnan(radius[np.maximum(parent[inner], 0)])]).size:
        radius[parent[inner][::-1]] = radius[inner][::-1]
        inner = np.unique(parent[inner])
    return np.where(np.isnan(radius), np.nanmean(radius), radius)  # a tree without any


def _with_parents(points: Points, source: str, repair: frozenset[str], notes: list[str]) -> Points:
    parent = points.parent_index()
    wrong = parent == -2
    if not wrong.any():
        return points
    if "parents" not in repair:
        at = int(np.flatnonzero(wrong)[0])
        raise ModelError(
            f"{source}: {_these(points, wrong)} {_has(wrong)} a parent that is missing: {points.parent[at]}"
            f"{' (a root has the parent -1)' if points.parent[at] <= 0 else ''}. {way('parents')}"
        )
    cut = np.zeros(len(points), bool)
    cut[_depth_first(np.where(wrong, -1, np.where(parent == -1, -3, parent)))] = True
    if cut.all():
        raise ModelError(f"{source} has no root: no point has the parent -1.")
    notes.append(f"{_count(cut)} without a way to a root left out: ids {_ids(points.id[cut])}")
    return points.take(~cut)


def _without_cycles(points: Points, source: str, repair: frozenset[str], notes: list[str]) -> Points:
    parent = points.parent_index()
    if (parent < np.arange(len(points))).all():
        return points
    loose = np.ones(len(points), bool)
    loose[_depth_first(parent)] = False
    if not loose.any():
        return points
    at, seen = int(np.flatnonzero(loose)[0]), dict[int, int]()
    while at not in seen:
        seen[at] = len(seen)
        at = int(parent[at])
    ring = [points.id[i] for i in list(seen)[seen[at] :]]
    root = "" if (parent == -1).any() else " has no root (no point has the parent -1), and"
    raise ModelError(
        f"{source}:{root} the parents of line {points.line[at]} run in a circle: "
        f"{' -> '.join(map(str, [*ring[:8], *(['...'] if len(ring) > 8 else []), ring[0]]))}. Correct one of these parents."
    )


def _one_root(points: Points, source: str, repair: frozenset[str], notes: list[str]) -> Points:
    roots = points.parent == -1
    if roots.sum() == 1:
        return points
    if "roots" not in repair:
        raise ModelError(
            f"{source} has {roots.sum()} roots: {_these(points, roots)}. A cell is one tree. {way('roots')}"
        )
    parent = points.parent_index()
    of = np.full(len(points), -1)
    for i in _depth_first(parent):
        of[i] = i if parent[i] < 0 else of[parent[i]]
    trees = np.flatnonzero(roots)
    of_soma = np.bincount(of[(points.type == SOMA) & (of >= 0)], minlength=len(points))
    sizes = np.bincount(of[of >= 0], minlength=len(points))
    best = max(trees.tolist(), key=lambda i: (of_soma[i], sizes[i]))
    notes.append(f"{len(trees) - 1} other trees of together {np.sum(of != best)} points left out")
    return points.take(of == best)


def _sorted(points: Points, source: str, repair: frozenset[str], notes: list[str]) -> Points:
    parent = points.parent_index()
    early = parent > np.arange(len(points))
    if "order" in repair:
        order = np.array(_depth_first(parent))
        moved = int((order != np.arange(len(order))).sum())
        notes += [f"points sorted: {moved} moved"] if moved else []
        return points.take(order)
    if early.any():
        stands = "stands" if early.sum() == 1 else "stand"
        raise ModelError(f"{source}: {_these(points, early)} {stands} before the parent. {way('order')}")
    return points


def _depth_first(parent: np.ndarray) -> list[int]:
    """All that can be reached from roots, children in the order in which they are listed."""
    children: list[list[int]] = [[] for _ in parent]
    for i, p in enumerate(parent.tolist()):
        if p >= 0:
            children[p].append(i)
    stack, order = np.flatnonzero(parent == -1)[::-1].tolist(), []
    while stack:
        order.append(i := stack.pop())
        stack += reversed(children[i])
    return order


_Step = Callable[[Points, str, frozenset[str], list[str]], Points]


def way(repair: str) -> str:
    return f"With repair='{repair}' {REPAIRS[repair]}."


def _these(points: Points, chosen: np.ndarray) -> str:
    lines = points.line[chosen]
    return f"{'line' if len(lines) == 1 else 'lines'} {_ids(lines)}"


def _has(chosen: np.ndarray) -> str:
    return "has" if chosen.sum() == 1 else "have"


def _more(chosen: np.ndarray) -> str:
    return f" (and {chosen.sum() - 1} more such)" if chosen.sum() > 1 else ""


def _count(chosen: np.ndarray) -> str:
    return f"{chosen.sum()} {'point' if chosen.sum() == 1 else 'points'}"


def _ids(numbers: Iterable[int]) -> str:
    listed = [str(number) for number in numbers]
    return ", ".join(listed[:_SHOWN]) + (f", ... ({len(listed)} in all)" if len(listed) > _SHOWN else "")
