"""A cell cut into compartments: what a solver needs as plain arrays, and regions and places among them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelError
from .anatomy import Anatomy
from .breadth import from_the_middle
from .pictures import flat
from .regions import Places, check_not_empty, mask, places
from .syntax import is_region

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OHM_CM_PER_UM = 0.01
"""Mohm in 1 ohm cm/um."""


@dataclass(frozen=True)
class Tree:
    """The nodes of the electrical tree in an order for solvers: breadth first from the middle of its longest way, parents before children.

    The root is a matter of the order alone, and seldom the soma.

    Attributes:
        node: shape (m,): the node that stands at each position; compartments are 0 .. n - 1, junctions n .. m - 1.
        position: shape (m,): where each node stands; ``position[node] == arange(m)``.
        parent: shape (m,): position of the parent, less than one's own; -1 for the root, which stands at 0.
        depth: shape (m,): how many nodes lie between each and the root, itself included; it never falls.
        near, far: shape (m,), 1/um: as those of `Compartments`, of this parent; 0 for the root.
        area: shape (m,), um^2: 0 for junctions.
    """

    node: np.ndarray
    position: np.ndarray
    parent: np.ndarray
    depth: np.ndarray
    near: np.ndarray
    far: np.ndarray
    area: np.ndarray

    def __len__(self) -> int:
        return len(self.node)


@dataclass(frozen=True, eq=False)
class Compartments:
    """n compartments in the order of branches, and the m nodes of the electrical tree: the compartments, then the junctions.

    Where several branches begin at the end of one, there is a junction: a node without membrane, so that no capacitance is put where
    there is none and the matrix stays that of a tree. Where one goes on alone, or begins at the middle of another (a soma), none
    is needed. With Ra in ohm cm in each compartment the resistance between node i and its parent p is
    ``0.01 * (Ra[i] * near[i] + Ra[p] * far[i])`` Mohm; a junction's own share of it is 0, whatever its Ra.

    Attributes:
        anatomy: the branches, their names and measures.
        branch: shape (n,): the branch that each compartment is of.
        x: shape (n,): its middle on the branch, 0 .. 1.
        length: shape (n,), um.
        area: shape (n,), um^2: of the membrane, exact for frusta; the flat ends of branches are none.
        volume: shape (n,), um^3.
        distance: shape (n,), um: way along the axis from the middle of the soma (without one, the beginning of the root) to the middle.
        tag: shape (n,): types as in SWC.
        parent: shape (m,): nodes; -1 for the root, which is node 0. A compartment's parent may be a junction, so need not be less.
        near: shape (m,), 1/um: integral of 1/(pi r^2) from the middle of the compartment to its border with the parent.
        far: shape (m,), 1/um: the same from that border to the middle of the parent.
        first: shape (branches + 1,): branch b has the compartments ``first[b] .. first[b + 1]``.
    """

    anatomy: Anatomy
    branch: np.ndarray
    x: np.ndarray
    length: np.ndarray
    area: np.ndarray
    volume: np.ndarray
    distance: np.ndarray
    tag: np.ndarray
    parent: np.ndarray
    near: np.ndarray
    far: np.ndarray
    first: np.ndarray

    def __post_init__(self) -> None:
        for array in vars(self).values():
            if isinstance(array, np.ndarray):
                array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.branch)

    def __eq__(self, other: object) -> bool:
        """Whether it is the same cell, cut in the same way."""
        if not isinstance(other, Compartments):
            return NotImplemented
        return self is other or (np.array_equal(self.first, other.first) and self.anatomy.same_as(other.anatomy))

    def __hash__(self) -> int:
        return hash((len(self), self.anatomy.source))

    def __repr__(self) -> str:
        return (
            f"Compartments({self.anatomy.source}: {len(self)} of {self.length.min():.3g} to {self.length.max():.3g} um "
            f"on {len(self.anatomy)} branches, {self.junctions} junctions)"
        )

    @property
    def junctions(self) -> int:
        return len(self.parent) - len(self)

    @cached_property
    def diameter(self) -> np.ndarray:
        """Shape (n,), um: of the cylinder of the same length and membrane."""
        return self.area / (np.pi * self.length)

    @cached_property
    def xyz(self) -> np.ndarray:
        """Shape (n, 3), um: the middles."""
        return self.anatomy.frusta.at(self.branch, self.x).xyz

    def axial_resistance(self, Ra: Any) -> np.ndarray:
        """Shape (m,), Mohm: between each node and its parent, infinite for the root.

        Args:
            Ra: ohm cm, a number or shape (n,).
        """
        values = np.zeros(len(self.parent))
        values[: len(self)] = Ra
        resistance = OHM_CM_PER_UM * (values * self.near + values[self.parent] * self.far)
        resistance[0] = np.inf
        return resistance

    def mask(self, region: str) -> np.ndarray:
        """Shape (n,), bool: the compartments whose middle lies in the region.

        Raises:
            ModelError: if the text is not understood, names what the cell has not, or no compartment is in it.
        """
        chosen = mask(self.anatomy, region, self.branch, self.x)
        check_not_empty(self.anatomy, region, chosen)
        return chosen

    def numbers(self, region: str) -> np.ndarray:
        """Shape (k,), int: the compartments in a region, in order; found once.

        Raises:
            ModelError: as `mask`.
        """
        if region not in self._found:
            found = np.flatnonzero(self.mask(region))
            found.setflags(write=False)
            self._found[region] = found
        return self._found[region]

    @cached_property
    def _found(self) -> dict[str, np.ndarray]:
        return {}

    def places(self, text: str) -> Places:
        """Branches and x of the places that `text` names.

        Raises:
            ModelError: if the text is not understood, or there is no such place.
        """
        return places(self.anatomy, text)

    def indices(self, text: str) -> np.ndarray:
        """Shape (k,), int: the compartments in which the places that `text` names lie, in its order, each once.

        The ends of a branch lie in its first and last compartment; between two compartments the one farther from the root counts.
        """
        found = self.of_each(text)
        return found[np.sort(np.unique(found, return_index=True)[1])]

    def of_each(self, text: str) -> np.ndarray:
        """Shape (k,), int: of each place that `text` names, in its order, the compartment in which it lies; two may lie in one.

        Raises:
            ModelError: as `places`.
        """
        return self.holding(places(self.anatomy, text))

    def asked(self, text: str) -> tuple[np.ndarray, bool]:
        """The compartments of a region, or those of each place, whichever `text` names, and whether it is a region.

        What is a place as well as a region, ``apical`` and ``apical[2]``, is the region; ``soma`` alone is the place.

        Raises:
            ModelError: if it is understood as neither, names what the cell has not, or nothing is there.
        """
        region = is_region(text)
        return (self.numbers(text) if region else self.of_each(text)), region

    def index(self, text: str) -> int:
        """The compartment of the one place that `text` names.

        Raises:
            ModelError: also if it names several.
        """
        found = places(self.anatomy, text)
        if len(found) > 1:
            some = ", ".join(
                self.anatomy.label(int(b), float(x)) for b, x in zip(found.branch[:3], found.x[:3], strict=True)
            )
            raise ModelError(f"'{text}' names {len(found)} places, and one is wanted: say which, {some}, ...")
        return int(self.holding(found)[0])

    def holding(self, found: Places) -> np.ndarray:
        """Shape (k,), int: the compartment in which each place lies."""
        count = np.diff(self.first)[found.branch]
        return self.first[found.branch] + np.minimum((found.x * count).astype(np.int64), count - 1)

    def label(self, index: int) -> str:
        """What a compartment is called: the place of its middle, ``apical[3](0.5)``."""
        return self.anatomy.label(int(self.branch[index]), float(self.x[index]))

    @property
    def labels(self) -> Iterator[str]:
        """The names of all compartments, in order."""
        return map(self.label, range(len(self)))

    @cached_property
    def tree(self) -> Tree:
        """The nodes breadth first: neighbours in memory are independent, which is what a sweep over them lives on."""
        node, above = from_the_middle(self.parent)
        position = np.empty_like(node)
        position[node] = np.arange(len(node))
        parent = np.where(above < 0, -1, position[above])
        depth = [0] * len(node)
        for i, p in enumerate(parent.tolist()):
            depth[i] = depth[p] + 1 if i else 0
        turned = self.parent[above] == node  # the link is that of what is the parent now
        turned[0] = False
        near, far = (x[np.where(turned, above, node)] for x in (self.near, self.far))
        near, far = np.where(turned, far, near), np.where(turned, near, far)
        near[0] = far[0] = 0
        area = np.concatenate([self.area, np.zeros(self.junctions)])
        return Tree(node, position, parent, np.array(depth), near, far, area[node])

    def plot(self, values: Any = None, *, label: str = "", projection: str = "xy", ax: Any = None) -> "Figure":
        """The cell from one side, each compartment in a colour.

        Args:
            values: shape (n,), shown by a scale of colours; None for compartments in turn, so that their borders are seen.
            label: what the values are, with their unit.
            projection: two of x, y, z.
            ax: axes to draw in; a new figure if None.
        """
        return flat(self, values, label, projection, ax)
