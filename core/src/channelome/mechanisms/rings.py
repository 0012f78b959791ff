"""Concentric shells as geometry, and the equations of one step across them: of what is free, and of what moves with a buffer."""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

from jax import Array


class Rings(NamedTuple):
    """The shells of a cylinder, per um of its length and over pi, from the membrane inward.

    Attributes:
        volume: um^2 of each.
        across: between each and the next, the border's circumference over the way.
        membrane: um.
    """

    volume: list[Any]
    across: list[Any]
    membrane: Any

    @classmethod
    def of(cls, shells: int, diameter: Any, depth: Any) -> "Rings":
        """Values are meant on circles: the first on the membrane, the last on the axis, shells end halfway between them. So the first
        and the last are half as thick as others, or the first is as thick as `depth`."""
        R = diameter / 2
        if shells == 1:
            return cls([R**2], [], diameter)
        if depth is None:
            at = [R * (1 - s / (shells - 1)) for s in range(shells)]
        else:
            second = R - 2 * depth
            at = [R, *(second * (1 - s / (shells - 2)) for s in range(shells - 1))] if shells > 2 else [R, 0 * R]
        borders = [(a + b) / 2 for a, b in itertools.pairwise(at)]
        if depth is not None:
            borders[0] = R - depth
        outer, inner = [R, *borders], [*borders, 0 * R]
        volume = [(a - b) * (a + b) for a, b in zip(outer, inner, strict=True)]
        across = [2 * border / (a - b) for border, a, b in zip(borders, at, at[1:], strict=False)]
        return cls(volume, across, diameter)

    def inward(self, D: Any, C: Sequence[Any]) -> list[Any]:
        """What flows from each shell into the next."""
        return [D * across * (a - b) for across, a, b in zip(self.across, C, C[1:], strict=False)]

    def gained(self, entered: Any, inward: Sequence[Any]) -> list[Any]:
        """Rates of change of concentrations by what enters through the membrane and flows inward."""
        each = [a - b for a, b in zip([entered, *inward], [*inward, 0.0], strict=True)]
        return [x / volume for x, volume in zip(each, self.volume, strict=True)]

    def leaving(self, D: Any) -> list[Any]:
        """1/ms: the share of what each shell holds that it exchanges with others."""
        links = [D * across for across in self.across]
        return [(a + b) / volume for a, b, volume in zip([0.0, *links], [*links, 0.0], self.volume, strict=True)]


def tridiagonal(held: list[Array], links: list[Array], right: list[Array]) -> list[Array]:
    """The x with ``held[s] x[s] + links[s] (x[s] - x[s+1]) + links[s-1] (x[s] - x[s-1]) = right[s]``, elementwise: sums alone, no differences."""
    pivots: list[Any] = []
    for s, link in enumerate(links):
        pivots.append(held[s] + link)
        share = link / pivots[s]
        held = [*held[: s + 1], held[s + 1] + share * held[s], *held[s + 2 :]]
        right = [*right[: s + 1], right[s + 1] + share * right[s], *right[s + 2 :]]
    x = [right[-1] / held[-1]]
    for s in range(len(links) - 1, -1, -1):
        x.insert(0, (right[s] + links[s] * x[0]) / pivots[s])
    return x


class Pair(NamedTuple):
    """The matrix ``[[kept[0] + turns[0], -turns[1]], [-turns[0], kept[1] + turns[1]]]`` by its parts, none of which is negative: what turns into
    the other, and what each keeps."""

    kept: tuple[Any, Any]
    turns: tuple[Any, Any]

    @property
    def determinant(self) -> Any:
        (e, f), (c, b) = self.kept, self.turns
        return e * f + e * b + c * f

    def linked(self, links: tuple[Any, Any]) -> "Pair":
        """With what leaves for the next shell."""
        return Pair((self.kept[0] + links[0], self.kept[1] + links[1]), self.turns)

    def solved(self, right: tuple[Any, Any]) -> tuple[Any, Any]:
        (e, f), (c, b), (x, y) = self.kept, self.turns, right
        return ((f + b) * x + b * y) / self.determinant, (c * x + (e + c) * y) / self.determinant

    def onward(self, links: tuple[Any, Any], after: "Pair") -> "Pair":
        """That of the shell `after` this one once this one is eliminated: ``after + L (self + L)^-1 self``."""
        (e, f), (c, b), (l, k) = self.kept, self.turns, links
        whole, own = self.linked(links).determinant, self.determinant
        kept = after.kept[0] + l * (own + k * e) / whole, after.kept[1] + k * (own + l * f) / whole
        return Pair(kept, (after.turns[0] + l * k * c / whole, after.turns[1] + l * k * b / whole))


def tridiagonal_pairs(
    held: list[Pair], links: list[tuple[Any, Any]], right: list[tuple[Any, Any]]
) -> list[tuple[Any, Any]]:
    """As `tridiagonal` of two that turn into each other in each shell: sums alone, no differences."""
    found = [held[0]]
    for s, link in enumerate(links):
        x, y = found[s].linked(link).solved(right[s])
        found.append(found[s].onward(link, held[s + 1]))
        right = [*right[: s + 1], (right[s + 1][0] + link[0] * x, right[s + 1][1] + link[1] * y), *right[s + 2 :]]
    solution = [found[-1].solved(right[-1])]
    for s in range(len(links) - 1, -1, -1):
        (l, k), (x, y) = links[s], solution[0]
        solution.insert(0, found[s].linked(links[s]).solved((right[s][0] + l * x, right[s][1] + k * y)))
    return solution
