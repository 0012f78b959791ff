"""What chains of frusta hold up to any point along them: membrane, volume, resistance along the axis. Exact, all branches at once.

Between two points the radius is linear in the way along the axis. With radii a and b at the ends of a piece of height h, its lateral
area is pi (a + b) sqrt(h^2 + (a - b)^2), its volume pi h (a^2 + a b + b^2)/3, and the integral of 1/(pi r^2) along it h/(pi a b).
Where two points are at one place with different radii, the step is a ring: area without height.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .branches import Branches


@dataclass(frozen=True)
class Along:
    """Values at asked places, each measured from the beginning of its branch.

    Attributes:
        arc: way along the branch, um.
        diameter: um.
        area: of the membrane, um^2.
        volume: um^3.
        factor: integral of 1/(pi r^2) along the axis, 1/um.
        xyz: shape (..., 3), um.
    """

    arc: np.ndarray
    diameter: np.ndarray
    area: np.ndarray
    volume: np.ndarray
    factor: np.ndarray
    xyz: np.ndarray


class Frusta:
    """The frusta of all branches, with their sums from the beginning of each branch."""

    def __init__(self, branches: Branches) -> None:
        self.branches = branches
        self.first, self.last = branches.first[:-1], branches.first[1:] - 1
        self.radius = branches.points[:, 3] / 2
        self.xyz = branches.points[:, :3]
        height = np.linalg.norm(np.diff(self.xyz, axis=0), axis=1)
        a, b = self.radius[:-1], self.radius[1:]
        inside = np.ones(len(height), bool)
        inside[self.first[1:] - 1] = False
        self.height = np.where(inside, height, 0.0)
        self._sums = [
            np.concatenate([[0.0], np.cumsum(np.where(inside, part, 0.0))])
            for part in (height, _area(a, b, height), _volume(a, b, height), height / (np.pi * a * b))
        ]

    @cached_property
    def lengths(self) -> np.ndarray:
        """Of each branch, um."""
        return self._total(0)

    @cached_property
    def areas(self) -> np.ndarray:
        """Of each branch, um^2."""
        return self._total(1)

    @cached_property
    def volumes(self) -> np.ndarray:
        """Of each branch, um^3."""
        return self._total(2)

    def _total(self, which: int) -> np.ndarray:
        return self._sums[which][self.last] - self._sums[which][self.first]

    @cached_property
    def arcs(self) -> np.ndarray:
        """Way from the beginning of its branch to each point, um."""
        return self._sums[0] - np.repeat(self._sums[0][self.first], np.diff(self.branches.first))

    def at(self, branch: np.ndarray, x: np.ndarray) -> Along:
        """What branches hold from their beginning to the places `x` (0 .. 1) on them.

        A step of the radius at the very end or beginning of a branch is part of it.
        """
        start = self._sums[0][self.first[branch]]
        target = start + x * self.lengths[branch]
        knot = np.searchsorted(self._sums[0], target, side="right") - 1
        knot = np.clip(knot, self.first[branch], self.last[branch] - 1)
        height = self.height[knot]
        part = np.where(x >= 1, height, np.clip(target - self._sums[0][knot], 0.0, height))
        share = np.divide(part, height, out=np.where(x >= 1, 1.0, 0.0), where=height > 0)
        a = self.radius[knot]
        r = a + share * (self.radius[knot + 1] - a)
        pieces = (part, _area(a, r, part), _volume(a, r, part), part / (np.pi * a * r))
        begun = x <= 0
        sums = [
            np.where(begun, 0.0, total[knot] + piece - total[self.first[branch]])
            for total, piece in zip(self._sums, pieces, strict=True)
        ]
        radius = np.where(begun, self.radius[self.first[branch]], r)
        xyz = self.xyz[knot] + share[..., None] * (self.xyz[knot + 1] - self.xyz[knot])
        xyz = np.where(begun[..., None], self.xyz[self.first[branch]], xyz)
        return Along(sums[0], 2 * radius, sums[1], sums[2], sums[3], xyz)


def _area(a: np.ndarray, b: np.ndarray, h: np.ndarray) -> np.ndarray:
    return np.pi * (a + b) * np.hypot(h, a - b)


def _volume(a: np.ndarray, b: np.ndarray, h: np.ndarray) -> np.ndarray:
    return np.pi * h * (a * a + a * b + b * b) / 3
