"""From points to branches: where one ends, to what it is connected, and what a soma is; as NEURON's Import3d does it.

The rules (NEURON 9, ``import3d/read_swc.hoc``) matter to numbers, so they are kept to the letter and tested against NEURON:

- A branch is an unbranched sequence of points of one type that follow one another in the file. Its first point is a copy of its parent's last.
- A soma of one point is a sphere, stood for by a cylinder as long as it is wide (same area). So is the soma of three points that
  NeuroMorpho.org writes: equal radii, the second and third at a radius' distance from the first on either side.
- Dendrites begin at their own first point and are connected to the middle of such a soma: the way through it costs nothing.
- A soma of more points is a chain of frusta. Dendrites at its first point are connected to its end 0, at its last to 1, others to its middle.
- A dendrite that begins at the soma has there the diameter of its own first point, not the soma's.
- A branch that leaves from the first point of a dendrite which begins at the soma is connected where that dendrite is, if both are of one type.

Left aside are cases in which NEURON loses points or makes a sphere of a point that is none: a lone dendritic point at a branch point of
the soma, a first point whose branches are of several types or not next to it in the file, a root of another type than its only child.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..errors import ModelError
from .points import SOMA, Points


@dataclass(frozen=True)
class Branches:
    """Branches, parents before children.

    Attributes:
        points: shape (p, 4): x, y, z and diameter of the points of all branches, um.
        first: shape (n + 1,): branch i has the points ``first[i] .. first[i + 1]``.
        parent: shape (n,), branches; -1 for the root.
        attach: shape (n,): where on the parent, 0 .. 1.
        tag: shape (n,), types as in SWC.
    """

    points: np.ndarray
    first: np.ndarray
    parent: np.ndarray
    attach: np.ndarray
    tag: np.ndarray

    def __len__(self) -> int:
        return len(self.parent)


def branches(points: Points, parent: np.ndarray) -> Branches:
    """The branches of a tree of points.

    Args:
        points: in an order in which parents come before children.
        parent: shape (n,), where each point's parent stands; -1 for the first alone.
    """
    kinds = points.type.tolist()
    if _is_sphere_of_three(points, parent):
        keep = np.ones(len(points), bool)
        keep[np.flatnonzero(points.type == SOMA)[1:]] = False
        shifted = np.cumsum(keep) - 1
        return branches(points.take(keep), np.where(parent[keep] < 0, -1, shifted[parent[keep]]))
    if len(kinds) > 1 and kinds[0] != SOMA:
        kinds[0] = kinds[1]  # a lone point is no branch: it is where that of the second begins
    layout = _Layout(points, parent.tolist(), kinds)
    return layout.build()


def without_empty(found: Branches, source: str, repair: frozenset[str]) -> tuple[Branches, tuple[str, ...]]:
    """`found` without the branches that have no length, where `repair` asks for it.

    Raises:
        ModelError: where there are some, and it does not.
    """
    steps = np.linalg.norm(np.diff(found.points[:, :3], axis=0), axis=1)
    steps[found.first[1:-1] - 1] = 0.0
    lengths = np.add.reduceat(np.append(steps, 0.0), found.first[:-1])
    empty = lengths <= 0
    if not empty.any():
        return found, ()
    which = np.flatnonzero(empty)
    if "lengths" not in repair or empty[0]:
        at = ", ".join(f"{x:g}" for x in found.points[found.first[which[0]], :3])
        way = " (the first branch of a cell cannot be left out)" if empty[0] else ", or read with repair='lengths'"
        raise ModelError(
            f"{source}: {len(which)} of {len(found)} branches have no length, the first at ({at}) um: all points of it are in one place. "
            f"Delete these points{way}."
        )
    parent, attach = found.parent.copy(), found.attach.copy()
    for i in range(len(found)):
        while parent[i] >= 0 and empty[parent[i]]:
            parent[i], attach[i] = parent[parent[i]], attach[parent[i]]
    keep, number = ~empty, np.cumsum(~empty) - 1
    counts = np.diff(found.first)
    kept = replace(
        found,
        points=found.points[np.repeat(keep, counts)],
        first=np.concatenate([[0], np.cumsum(counts[keep])]),
        parent=np.where(parent[keep] < 0, -1, number[parent[keep]]),
        attach=attach[keep],
        tag=found.tag[keep],
    )
    return kept, (f"{len(which)} branches without length left out",)


def sphere(x: float, y: float, z: float, diameter: float) -> np.ndarray:
    """Points, shape (3, 4), of the cylinder that stands for a sphere: along x, as long as wide."""
    radius = diameter / 2
    return np.array([[x - radius, y, z, diameter], [x, y, z, diameter], [x + radius, y, z, diameter]])


def _is_sphere_of_three(points: Points, parent: np.ndarray) -> bool:
    soma = np.flatnonzero(points.type == SOMA)
    if len(soma) != 3 or soma[0] != 0 or (parent[soma[1:]] != 0).any() or np.isin(parent, soma[1:]).any():
        return False
    radius = points.radius[soma]
    reach = np.linalg.norm(points.xyz[soma[1:]] - points.xyz[0], axis=1).sum()
    return bool((radius == radius[0]).all() and abs(reach / (2 * radius[0]) - 1) < 0.01)


class _Layout:
    """How points are divided into branches. `of` says to which one each point belongs, `own` which points each has."""

    def __init__(self, points: Points, parent: list[int], kinds: list[int]) -> None:
        self.xyzd = np.column_stack([points.xyz, 2 * points.radius])
        self.parent, self.kinds = parent, kinds
        self.children: list[list[int]] = [[] for _ in parent]
        for i, p in enumerate(parent[1:], 1):
            self.children[p].append(i)
        self.soma_children = [
            sum(kinds[i] == SOMA for i in below) if kinds[p] == SOMA else 0 for p, below in enumerate(self.children)
        ]
        self.of = [0] * len(parent)
        self.own: list[list[int]] = [[0]]
        for i, p in enumerate(parent[1:], 1):
            if self.continues(i, p):
                self.of[i] = self.of[p]
                self.own[self.of[p]].append(i)
            else:
                self.of[i] = len(self.own)
                self.own.append([i])

    def continues(self, i: int, p: int) -> bool:
        """Whether point i belongs to the branch of its parent p."""
        if self.kinds[i] != self.kinds[p] or i != p + 1:
            return False
        if self.kinds[p] == SOMA:
            return p == 0 or self.soma_children[p] == 1
        return len(self.children[p]) == 1 or self.begins(p)

    def begins(self, p: int) -> bool:
        """Whether others are connected to the beginning of the branch whose first point is p, and do not end it.

        NEURON leaves out the second point of a file, and so does this.
        """
        if p == 0:
            return self.kinds[0] != SOMA
        below = self.children[p]
        at_soma = p > 1 and self.kinds[p] != SOMA and self.kinds[self.parent[p]] == SOMA
        return at_soma and below[0] == p + 1 and all(self.kinds[i] == self.kinds[p] for i in below)

    def build(self) -> Branches:
        parts, parent, attach = [], [], []
        for own in self.own:
            pieces, above, at = self.branch(own)
            parts.append(pieces)
            parent.append(above)
            attach.append(at)
        first = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
        tag = np.array([self.kinds[own[0]] for own in self.own], np.int64)
        return Branches(np.concatenate(parts), first, np.array(parent, np.int64), np.array(attach, float), tag)

    def branch(self, own: list[int]) -> tuple[np.ndarray, int, float]:
        """Points, parent and place on it of the branch whose own points are these."""
        p = self.parent[own[0]]
        if p < 0:
            points = self.xyzd[own]
            return (sphere(*points[0]) if len(own) == 1 else points), -1, 0.0
        above, from_soma = self.of[p], self.kinds[p] == SOMA and self.kinds[own[0]] != SOMA
        attach, wire = self.attached(own, p)
        points = self.xyzd[own] if wire else self.xyzd[[p, *own]]
        if from_soma and not wire:
            points[0, 3] = points[1, 3]
        return points, above, attach

    def attached(self, own: list[int], p: int) -> tuple[float, bool]:
        """Where on its parent the branch begins, and whether only a wire without resistance leads from there to its own first point."""
        above = self.own[self.of[p]]
        to_soma, several = self.kinds[p] == SOMA, len(own) > 1
        from_soma = to_soma and self.kinds[own[0]] != SOMA
        if not to_soma:
            return (0.0 if p == above[0] and self.begins(p) else 1.0), False
        if above[0] == 0 and from_soma and len(above) == 1:
            return 0.5, several
        split = from_soma and several and self.soma_children[p] > 1
        if above[0] == 0 and p == 0:
            return 0.0, split
        if p != above[-1]:
            return 0.5, from_soma and several
        return 1.0, split
