"""Writes the cells of this folder, a pyramidal cell grown at random from a seed and small ones that each show one case of a rule, and
the smaller pyramidal cell that `ch.Morphology.example()` reads.

    python tests/morphology/make_cells.py

Nothing of them is anybody's reconstruction. Lengths and diameters of the pyramidal cells are of the order of a layer 5 cell's: our choice.
"""

from pathlib import Path

import numpy as np

CELLS = Path(__file__).parent / "cells"
PACKAGE = Path(__file__).parents[2] / "core/src/channelome/morphology"
SOMA, AXON, DEND, APICAL = 1, 2, 3, 4


class Writer:
    """Lines of an SWC file. A row is type, x, y, z, radius, parent; ids count from 1."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, float, float, float, float, int]] = []

    def add(self, kind: int, place: np.ndarray, radius: float, parent: int) -> int:
        x, y, z = (round(float(v), 3) for v in place)
        self.rows.append((kind, x, y, z, round(radius, 3), parent))
        return len(self.rows)

    def write(self, name: str, about: str, folder: Path = CELLS) -> None:
        lines = [f"# {about}", "# made by make_cells.py", "# id type x y z radius parent"]
        lines += [f"{i} {k} {x:g} {y:g} {z:g} {r:g} {p}" for i, (k, x, y, z, r, p) in enumerate(self.rows, 1)]
        (folder / f"{name}.swc").write_text("\n".join(lines) + "\n", encoding="utf-8")


class Grower:
    """Grows neurites that wander, taper and fork, with points about `spacing` um apart."""

    def __init__(self, seed: int, spacing: float = 8.0) -> None:
        self.random, self.out, self.spacing = np.random.default_rng(seed), Writer(), spacing

    def turned(self, way: np.ndarray, spread: float) -> np.ndarray:
        new = way + spread * self.random.normal(size=3) * [1, 1, 0.5]
        return new / np.linalg.norm(new)

    def stretch(
        self, kind: int, at: int, place: np.ndarray, way: np.ndarray, length: float, radii: tuple[float, float]
    ):
        """An unbranched stretch; its last point, place and direction."""
        n = max(2, round(length / self.spacing))
        for radius in np.linspace(*radii, n):
            way = self.turned(way, 0.12)
            place = place + way * length / n
            at = self.out.add(kind, place, float(radius) * self.random.uniform(0.93, 1.07), at)
        return at, place, way

    def tree(self, kind, at, place, way, *, length, radius, least, forks, spread=0.5):
        """A stretch and, while forks are left, two smaller trees at its end."""
        end = max(least, 0.75 * radius)
        at, place, way = self.stretch(kind, at, place, way, length * self.random.uniform(0.7, 1.3), (radius, end))
        for _ in range(2 if forks else 0):
            smaller = max(least, end * self.random.uniform(0.6, 0.8))
            self.tree(
                kind, at, place, self.turned(way, spread), length=length, radius=smaller, least=least, forks=forks - 1
            )


def pyramidal() -> None:
    grow = Grower(seed=1952)
    center = np.zeros(3)
    soma = grow.out.add(SOMA, center, 8.5, -1)
    grow.tree(AXON, soma, np.array([0, -8.5, 0.0]), np.array([0, -1, 0.0]), length=120, radius=0.7, least=0.3, forks=1)
    for angle in np.linspace(0.15, 2 * np.pi + 0.15, 5, endpoint=False):
        way = np.array([np.cos(angle), 0.35 * np.sin(angle) - 0.45, 0.5 * np.sin(angle)])
        way /= np.linalg.norm(way)
        grow.tree(DEND, soma, 8.5 * way, way, length=60, radius=0.9, least=0.3, forks=2)
    at, place, way = soma, np.array([0, 8.5, 0.0]), np.array([0, 1, 0.0])
    radius = 2.1
    for side in range(4):  # a trunk with oblique dendrites
        at, place, way = grow.stretch(
            APICAL, at, place, grow.turned(np.array([0, 1, 0.0]), 0.05), 75, (radius, radius - 0.3)
        )
        out = grow.turned(np.array([(-1) ** side, 0.4, 0.0]), 0.2)
        radius -= 0.3
        grow.tree(APICAL, at, place, out, length=55, radius=0.55, least=0.25, forks=1)
    grow.tree(APICAL, at, place, way, length=90, radius=0.8, least=0.25, forks=3, spread=0.45)
    grow.out.write("pyramidal", "a synthetic pyramidal cell, grown at random")


def example() -> None:
    grow = Grower(seed=2001, spacing=16.0)
    soma = grow.out.add(SOMA, np.zeros(3), 8.0, -1)

    def begin(kind: int, way: np.ndarray, radius: float) -> tuple[int, np.ndarray]:
        """The first point of a neurite, on the soma's surface."""
        return grow.out.add(kind, 8.0 * way, radius, soma), 8.0 * way

    down = np.array([0, -1, 0.0])
    grow.stretch(AXON, *begin(AXON, down, 0.7), down, 70, (0.7, 0.4))
    for angle, length, radius, forks in ((0.2, 75, 0.9, 2), (2.6, 110, 0.7, 1), (3.5, 60, 1.0, 2), (5.2, 90, 0.6, 1)):
        way = np.array([np.cos(angle), 0.4 * np.sin(angle) - 0.4, 0.6 * np.sin(angle)])
        way /= np.linalg.norm(way)
        grow.tree(DEND, *begin(DEND, way, radius), way, length=length, radius=radius, least=0.25, forks=forks)
    way, radius = np.array([0, 1, 0.0]), 2.0
    at, place = begin(APICAL, way, radius)
    for length, side, forks in ((40, 1, 1), (70, -1, 0), (35, -1, 1), (90, 1, 0), (55, -1, 1)):  # a trunk with obliques
        at, place, way = grow.stretch(APICAL, at, place, way, length, (radius, radius - 0.2))
        out = grow.turned(np.array([side, 0.4, 0.0]), 0.2)
        radius -= 0.2
        grow.tree(APICAL, at, place, out, length=80, radius=0.45, least=0.25, forks=forks)
    at, place, way = grow.stretch(APICAL, at, place, way, 60, (radius, 0.8))
    for side, length, forks in ((1, 55, 3), (-1, 120, 1)):  # a tuft of two unequal halves
        out = grow.turned(np.array([0.5 * side, 1, 0.0]), 0.1)
        grow.tree(APICAL, at, place, out, length=length, radius=0.6, least=0.25, forks=forks)
    grow.out.write("pyramidal", "a synthetic pyramidal cell, grown at random: nobody's reconstruction", PACKAGE)


def rows(name: str, about: str, *points: tuple[int, float, float, float, float, int]) -> None:
    writer = Writer()
    writer.rows = list(points)
    writer.write(name, about)


def small() -> None:
    rows("soma_sphere", "a soma of one point; a dendrite of one point more, one of three",
         (1, 0, 0, 0, 6, -1), (3, 9, 0, 0, 1, 1), (3, 0, 7, 0, 1.5, 1), (3, 0, 40, 0, 1, 3), (3, 0, 80, 5, 0.5, 4))  # fmt: skip
    rows("soma_three_points", "a soma as NeuroMorpho.org writes spheres; a dendrite that forks",
         (1, 1, 2, 3, 5, -1), (1, 1, -3, 3, 5, 1), (1, 1, 7, 3, 5, 1), (4, 1, 8, 3, 1.2, 1), (4, 1, 50, 3, 0.8, 4),
         (4, 20, 70, 3, 0.5, 5), (4, -20, 75, 3, 0.6, 5), (4, -25, 120, 3, 0.3, 7))  # fmt: skip
    rows("soma_chain", "a soma of five points; dendrites at its first point, inside, and two at its last",
         (1, 0, -8, 0, 2, -1), (1, 0, -4, 0, 6, 1), (1, 0, 0, 0, 7.5, 2), (1, 0, 5, 0, 6, 3), (1, 0, 9, 0, 3, 4),
         (4, 0, 15, 0, 2, 5), (4, 0, 60, 2, 1.5, 6), (4, 9, 14, 0, 1, 5), (4, 40, 40, 0, 0.5, 8),
         (3, 12, 0, 0, 1, 3), (3, 60, -10, 4, 0.7, 10), (3, 3, -20, 0, 1.1, 1), (3, 8, -70, 0, 0.6, 12))  # fmt: skip
    rows("soma_forked", "a soma whose points fork, with dendrites where they do",
         (1, 0, 0, 0, 5, -1), (1, 0, 5, 0, 4, 1), (1, 4, 9, 0, 3, 2), (1, 6, 12, 0, 2, 3), (1, -4, 9, 0, 3, 2), (1, -7, 13, 0, 2, 5),
         (3, 0, 20, 0, 1, 2), (3, 0, 70, 0, 0.5, 7), (4, -12, 30, 0, 1, 6), (4, -15, 80, 0, 0.5, 9))  # fmt: skip
    rows("early_fork", "dendrites that fork at their first point: the first in the file, and others",
         (1, 0, 0, 0, 6, -1), (3, 7, 0, 0, 1, 1), (3, 40, 0, 0, 0.8, 2), (3, 35, 20, 0, 0.6, 2), (3, 50, 60, 0, 0.5, 4),
         (4, 0, 7, 0, 2, 1), (4, 0, 50, 0, 1.5, 6), (4, 0, 90, 0, 1.2, 7), (4, 20, 40, 0, 0.7, 6), (4, 60, 60, 0, 0.5, 9))  # fmt: skip
    rows("early_fork_chain", "a dendrite at the end of a soma of two points that forks at its first point",
         (1, 0, 0, 0, 6, -1), (1, 0, 8, 0, 5, 1), (4, 0, 14, 0, 2, 2), (4, 0, 50, 0, 1.5, 3), (4, 0, 90, 0, 1.2, 4),
         (4, 20, 40, 0, 0.7, 3), (4, 60, 60, 0, 0.5, 6))  # fmt: skip
    rows("no_soma", "a dendrite without a soma; three branches at its beginning, two at its end",
         (3, 0, 0, 0, 2, -1), (3, 0, 30, 0, 1.5, 1), (3, 0, 60, 0, 1, 2), (3, 20, 90, 0, 0.5, 3), (3, -20, 90, 0, 0.6, 3),
         (3, 30, -20, 0, 0.9, 1), (3, 60, -30, 0, 0.5, 6), (3, -30, -20, 0, 0.8, 1), (3, -50, -60, 0, 0.4, 8))  # fmt: skip
    rows("soma_inside", "a tree whose root is the end of a dendrite, with the soma in its middle",
         (3, -100, 0, 0, 0.5, -1), (3, -50, 0, 0, 0.8, 1), (3, -10, 0, 0, 1, 2), (1, -5, 0, 0, 4, 3), (1, 0, 0, 0, 6, 4), (1, 6, 0, 0, 4, 5),
         (4, 12, 0, 0, 1.5, 6), (4, 80, 5, 0, 1, 7), (3, 0, 10, 0, 1, 5), (3, 0, 60, 0, 0.5, 9), (3, -60, 30, 0, 0.6, 2), (3, -70, 80, 0, 0.4, 11))  # fmt: skip
    rows("types_change", "types that change along a neurite, one of them none of the four",
         (1, 0, 0, 0, 6, -1), (2, 0, -7, 0, 1, 1), (2, 0, -30, 0, 0.8, 2), (7, 0, -60, 0, 0.7, 3), (7, 0, -80, 0, 0.7, 4), (2, 0, -120, 0, 0.5, 5),
         (4, 0, 7, 0, 1.6, 1), (4, 0, 40, 0, 1.2, 7), (4, 0, 70, 0, 1, 8), (0, 0, 90, 0, 0.8, 9))  # fmt: skip
    rows("steps", "a diameter that changes in one place, a point that is written twice, a point far from the line before it",
         (1, 0, 0, 0, 6, -1), (3, 7, 0, 0, 2, 1), (3, 30, 0, 0, 2, 2), (3, 30, 0, 0, 1, 3), (3, 60, 0, 0, 1, 4), (3, 60, 0, 0, 1, 5), (3, 90, 0, 0, 0.7, 6),
         (3, -7, 0, 0, 1, 1), (3, -30, 0, 0, 0.8, 8), (4, 0, 7, 0, 1, 1), (4, 0, 30, 0, 0.9, 10), (3, -60, 5, 0, 0.6, 9), (3, -90, 5, 0, 0.5, 12))  # fmt: skip


if __name__ == "__main__":
    CELLS.mkdir(exist_ok=True)
    pyramidal()
    example()
    small()
