"""A cell's branches with their names, and what can be measured on them."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..errors import ModelError
from .branches import Branches
from .frusta import Frusta
from .points import APICAL, AXON, DEND, SOMA

TYPES = {SOMA: "soma", AXON: "axon", DEND: "dend", APICAL: "apical"}
ALIASES = {"apic": "apical", "basal": "dend", "tag1": "soma", "tag2": "axon", "tag3": "dend", "tag4": "apical"}
"""Other projects' words for types, and those after their numbers."""
_SHOWN = 10
RESERVED = frozenset(
    (
        "all",
        "branch",
        "subtree",
        "distance",
        "diameter",
        "order",
        "terminals",
        "branch_points",
        "in",
        *TYPES.values(),
        *ALIASES,
    )
)


def type_name(tag: int) -> str:
    """What branches of an SWC type are called."""
    return TYPES.get(tag, f"tag{tag}" if tag >= 0 else f"minus{-tag}")


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Branches, names of one's own, where they are from and what was repaired. Lengths in um, areas in um^2, volumes in um^3.

    Attributes:
        groups: for each name of one's own the branches it stands for, or the text of a region.
    """

    branches: Branches
    source: str
    groups: Mapping[str, "str | tuple[int, ...]"] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for array in vars(self.branches).values():
            array.setflags(write=False)
        for name in self.groups:
            if not re.fullmatch(r"[A-Za-z_]\w*", name) or name in RESERVED or re.fullmatch(r"(tag|minus)\d+", name):
                why = "has a meaning already" if name.isidentifier() else "must be a word of letters, digits and _"
                raise ModelError(f"'{name}' cannot name a part of {self.source}: it {why}.")

    def __len__(self) -> int:
        return len(self.branches)

    def same_as(self, other: "Anatomy") -> bool:
        """Whether both have the same branches and names; where they are from and what was repaired does not count."""
        if self is other:
            return True
        a, b = self.branches, other.branches
        names = ("points", "first", "parent", "attach", "tag")
        return dict(self.groups) == dict(other.groups) and all(
            np.array_equal(getattr(a, name), getattr(b, name)) for name in names
        )

    def __reduce__(self) -> tuple[object, ...]:
        """To travel: without what can be worked out again."""
        return Anatomy, (self.branches, self.source, dict(self.groups), self.notes)

    @cached_property
    def frusta(self) -> Frusta:
        return Frusta(self.branches)

    @cached_property
    def members(self) -> dict[str, np.ndarray]:
        """The branches that each name stands for, but for names of regions, in order."""
        tags = self.branches.tag
        named = {type_name(int(tag)): np.flatnonzero(tags == tag) for tag in dict.fromkeys(tags.tolist())}
        named |= {name: np.array(which, np.int64) for name, which in self.groups.items() if not isinstance(which, str)}
        return named | {"branch": np.arange(len(self))}

    @cached_property
    def _numbers(self) -> np.ndarray:
        """Shape (n,): which of its type each branch is."""
        seen: Counter[int] = Counter()
        numbers = np.empty(len(self), np.int64)
        for i, tag in enumerate(self.branches.tag.tolist()):
            numbers[i] = seen[tag]
            seen[tag] += 1
        return numbers

    def label(self, branch: int, x: float | None = None) -> str:
        """The name of a branch, ``apical[3]``, or of a place on it, ``apical[3](0.5)``."""
        name = f"{type_name(int(self.branches.tag[branch]))}[{self._numbers[branch]}]"
        return name if x is None else f"{name}({x:.6g})"

    def census(self) -> str:
        """How many branches there are of each type: ``soma (1), dend (12)``."""
        counts = Counter(map(type_name, self.branches.tag.tolist()))
        said = [f"{name} ({count})" for name, count in counts.items()]
        return ", ".join(said[:_SHOWN]) + (f", and {len(said) - _SHOWN} types more" if len(said) > _SHOWN else "")

    @cached_property
    def children(self) -> list[list[int]]:
        below: list[list[int]] = [[] for _ in range(len(self))]
        for i, p in enumerate(self.branches.parent.tolist()):
            if p >= 0:
                below[p].append(i)
        return below

    @cached_property
    def origin(self) -> tuple[int, float]:
        """Branch and place from which distances are measured: the middle of the first branch of the soma, without one the beginning of the root."""
        somata = np.flatnonzero(self.branches.tag == SOMA)
        return (int(somata[0]), 0.5) if somata.size else (0, 0.0)

    @cached_property
    def way(self) -> tuple[np.ndarray, np.ndarray]:
        """For each branch a place on it (um from its beginning) and that place's distance from the origin.

        From there distances grow in both directions.
        """
        lengths, parent, attach = self.frusta.lengths, self.branches.parent, self.branches.attach
        near, beyond = np.zeros(len(self)), np.full(len(self), np.nan)
        branch, x = self.origin
        near[branch], beyond[branch] = x * lengths[branch], 0.0
        while (p := int(parent[branch])) >= 0:
            near[p], beyond[p] = attach[branch] * lengths[p], beyond[branch] + near[branch]
            branch = p
        for i in np.flatnonzero(np.isnan(beyond)).tolist():
            p = int(parent[i])
            beyond[i] = abs(attach[i] * lengths[p] - near[p]) + beyond[p]
        return near, beyond

    def distance(self, branch: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Way along the axis from the origin to places on branches, um. Wires count for nothing, as in NEURON."""
        near, beyond = self.way
        return np.abs(x * self.frusta.lengths[branch] - near[branch]) + beyond[branch]

    @cached_property
    def orders(self) -> np.ndarray:
        """Shape (n,): how many branch points lie between each branch and the soma, itself included; the soma has 0.

        A branch at the soma, or the root without one, has 1; a branch that goes on alone where its parent ends has its parent's.
        """
        tag, parent = self.branches.tag, self.branches.parent
        orders = np.zeros(len(self), np.int64)
        for i, p in enumerate(parent.tolist()):
            if tag[i] == SOMA:
                continue
            if p < 0:
                orders[i] = 1
            elif self.branches.attach[i] == 0:
                orders[i] = max(orders[p], 1)  # beside its parent
            else:
                orders[i] = orders[p] + (tag[p] == SOMA or len(self.children[p]) > 1)
        return orders
