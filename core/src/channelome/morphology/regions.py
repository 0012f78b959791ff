"""What the texts of regions and places mean on a cell: masks over points of it, and places on branches."""

from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from ..errors import ModelError
from .anatomy import ALIASES, TYPES, Anatomy
from .points import SOMA
from .syntax import Beyond, Joined, Named, Range, Region, Sort, Spot, Where, marked, parse_places, parse_region

_DEEPEST = 32
"""Regions of one's own that are made of regions of one's own."""
_SHOWN = 10


@dataclass(frozen=True)
class Places:
    """Places on branches.

    Attributes:
        branch: shape (n,).
        x: shape (n,), 0 .. 1.
    """

    branch: np.ndarray
    x: np.ndarray

    def __len__(self) -> int:
        return len(self.branch)


def mask(anatomy: Anatomy, text: str, branch: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Shape (n,), bool: which of the places `x` on `branch` lie in the region `text`.

    Raises:
        ModelError: where the text is not understood, or names what the cell has not.
    """
    return _Reader(anatomy, text, "region").mask(parse_region(text), branch, x)


def places(anatomy: Anatomy, text: str) -> Places:
    """The places that `text` names, in its order, each once.

    Raises:
        ModelError: where the text is not understood, names what the cell has not, or no place at all.
    """
    reader = _Reader(anatomy, text, "place")
    found = [reader.places(where) for where in parse_places(text)]
    both = np.column_stack([np.concatenate([f.branch for f in found]), np.concatenate([f.x for f in found])])
    _, first = np.unique(both, axis=0, return_index=True)
    both = both[np.sort(first)]
    if not len(both):
        raise ModelError(f"'{text}' is nowhere on {anatomy.source}: {_reach(anatomy)}.")
    return Places(both[:, 0].astype(np.int64), both[:, 1])


def check_not_empty(anatomy: Anatomy, text: str, chosen: np.ndarray) -> None:
    """Raise where a region has no compartment."""
    if not chosen.any():
        raise ModelError(f"the region '{text}' of {anatomy.source} is empty: {_reach(anatomy)}.")


def _reach(anatomy: Anatomy) -> str:
    everywhere = np.arange(len(anatomy))
    ends = anatomy.distance(everywhere, np.ones(len(anatomy)))
    diameters = anatomy.branches.points[:, 3]
    return (
        f"it has {anatomy.census()}, distances up to {ends.max():.4g} um, "
        f"diameters from {diameters.min():.3g} to {diameters.max():.3g} um, orders up to {anatomy.orders.max()}"
    )


class _Reader:
    """Gives a parsed text its meaning. `what` it is and the text are for errors; `inside` are the regions of one's own that led here,
    `known` what those that were met before are: of regions of regions each is worked out once."""

    def __init__(
        self,
        anatomy: Anatomy,
        text: str,
        what: str,
        inside: tuple[str, ...] = (),
        known: dict[str, np.ndarray] | None = None,
    ) -> None:
        self.anatomy, self.text, self.what, self.inside = anatomy, text, what, inside
        self.known = {} if known is None else known

    def error(self, at: int, problem: str) -> ModelError:
        return marked(self.text, at, self.what, problem)

    def mask(self, region: Region, branch: np.ndarray, x: np.ndarray) -> np.ndarray:
        match region:
            case Named():
                return self.named(region, branch, x)
            case Range():
                return self.range(region, branch, x)
            case Beyond(spot):
                return self.beyond(spot, branch, x)
            case Joined():
                return self.joined(region, branch, x)

    def joined(self, region: Joined, branch: np.ndarray, x: np.ndarray) -> np.ndarray:
        first, rest = region.left, [region]
        while isinstance(first, Joined):  # a long row of regions is no deep nest
            rest.append(first)
            first = first.left
        a = self.mask(first, branch, x)
        for sign, right in ((one.sign, one.right) for one in reversed(rest)):
            b = self.mask(right, branch, x)
            a = a | b if sign == "|" else a & b if sign == "&" else a & ~b
        return a

    def named(self, region: Named, branch: np.ndarray, x: np.ndarray) -> np.ndarray:
        name = ALIASES.get(region.name, region.name)
        group = self.anatomy.groups.get(name)
        if name == "all" and region.start is None:
            chosen = np.ones(len(branch), bool)
        elif isinstance(group, str) and region.start is None:
            if name in self.inside:
                raise self.error(region.at, f"'{name}' is defined by itself.")
            if len(self.inside) >= _DEEPEST:
                raise self.error(
                    region.at, f"'{name}' is a region of a region of ...; {_DEEPEST} in one another are the most."
                )
            if name not in self.known:
                inner = _Reader(self.anatomy, group, "region", (*self.inside, name), self.known)
                self.known[name] = inner.mask(parse_region(group), branch, x)
            chosen = self.known[name]
        else:
            chosen = np.isin(branch, self.branches(region))
        low, high = region.part
        return chosen & (x >= low) & (x <= high)

    def branches(self, region: Named) -> np.ndarray:
        """The branches that a name stands for, or those of them that are asked for."""
        name = ALIASES.get(region.name, region.name)
        if name == "all" or isinstance(self.anatomy.groups.get(name), str):
            raise self.error(region.at, f"'{region.name}' is a region, and has no numbered branches.")
        members = self.anatomy.members.get(name, np.zeros(0, np.int64))
        if name not in self.anatomy.members and name not in TYPES.values():
            raise self.unknown(region)
        if region.start is None:
            return members
        chosen = members[region.start : region.stop]
        if not len(chosen):
            if region.stop is not None and region.stop <= region.start:
                raise self.error(region.at, f"{name}[{region.start}:{region.stop}] ends before it begins.")
            last = len(members) - 1
            first = f"{name}[0]" + (f" to {name}[{last}]" if last else "")
            there = first if last >= 0 else f"none; it has {self.anatomy.census()}"
            raise self.error(region.at, f"{self.anatomy.source} has no {name}[{region.start}], but {there}.")
        return chosen

    def unknown(self, region: Named) -> ModelError:
        if region.name in ("terminals", "branch_points"):
            return self.error(
                region.at,
                f"'{region.name}' are places all over the cell; here a branch or a place on one is wanted, dend[0](0.5).",
            )
        known = [*self.anatomy.members, *self.anatomy.groups, "all", "terminals", "branch_points"]
        close = get_close_matches(region.name, known, n=1) or get_close_matches(region.name.lower(), known, n=1)
        hint = f" Did you mean '{close[0]}'?" if close else ""
        names = [*self.anatomy.groups]
        more = ", ..." if len(names) > _SHOWN else ""
        own = f" Names of its own: {', '.join(names[:_SHOWN])}{more}." if names else ""
        it_has = f"It has {self.anatomy.census()}.{own}"
        return self.error(region.at, f"nothing of {self.anatomy.source} is called '{region.name}'.{hint} {it_has}")

    def range(self, region: Range, branch: np.ndarray, x: np.ndarray) -> np.ndarray:
        if region.quantity == "distance":
            values = self.anatomy.distance(branch, x)
        elif region.quantity == "diameter":
            values = self.anatomy.frusta.at(branch, x).diameter
        else:
            values = self.anatomy.orders[branch]
        low = values > region.low if region.low_open else values >= region.low
        return low & (values < region.high if region.high_open else values <= region.high)

    def beyond(self, spot: Spot, branch: np.ndarray, x: np.ndarray) -> np.ndarray:
        """From where on each branch belongs to it: 0 where all does, infinity where nothing."""
        begins = np.full(len(self.anatomy), np.inf)
        begins[self.branches(spot.branches)] = spot.x or 0.0
        parent, attach = self.anatomy.branches.parent, self.anatomy.branches.attach
        for i, p in enumerate(parent.tolist()):
            if p >= 0 and attach[i] >= begins[p] and (attach[i] > 0 or begins[p] == 0):
                begins[i] = 0.0
        return x >= begins[branch]

    def places(self, where: Where) -> Places:
        found = self.spot(where.places) if isinstance(where.places, Spot) else self.sort(where.places)
        if where.region is None:
            return found
        chosen = self.mask(where.region, found.branch, found.x)
        return Places(found.branch[chosen], found.x[chosen])

    def spot(self, spot: Spot) -> Places:
        if isinstance(self.anatomy.groups.get(spot.branches.name), str):
            way = f"places in it are written 'terminals in {spot.branches.name}', for instance"
            raise self.error(spot.branches.at, f"'{spot.branches.name}' is a region; {way}.")
        branches = self.branches(spot.branches)
        if spot.branches.name == "soma" and spot.branches.start is None and spot.x is None:
            branches = branches[:1]  # its middle, from where ways are counted, however many pieces it has
        return Places(branches, np.full(len(branches), 0.5 if spot.x is None else spot.x))

    def sort(self, sort: Sort) -> Places:
        if sort.kind == "terminals":
            return _terminals(self.anatomy)
        return _branch_points(self.anatomy) if sort.kind == "branch_points" else _at(self.anatomy, sort.distance)


def _terminals(anatomy: Anatomy) -> Places:
    """Ends of branches without children, and the beginning of a root that is no soma and begins alone."""
    tips = [i for i, below in enumerate(anatomy.children) if not below]
    free = bool(anatomy.branches.tag[0] != SOMA) and all(anatomy.branches.attach[i] > 0 for i in anatomy.children[0])
    return Places(
        np.array([*([0] if free else []), *tips], np.int64), np.array([*([0.0] if free else []), *[1.0 for _ in tips]])
    )


def _branch_points(anatomy: Anatomy) -> Places:
    """Ends at which two branches or more go on, but not those of a soma."""
    found: list[tuple[int, float]] = []
    for i, below in enumerate(anatomy.children):
        if anatomy.branches.tag[i] == SOMA:
            continue
        at = anatomy.branches.attach[below]
        found += [(i, 0.0)] if i == 0 and (at == 0).any() else []
        inner = np.unique(at[(at > 0) & (at < 1)])
        found += [(i, float(x)) for x in inner]
        found += [(i, 1.0)] if (at == 1).sum() > 1 else []
    return Places(np.array([i for i, _ in found], np.int64), np.array([x for _, x in found], float))


def _at(anatomy: Anatomy, distance: float) -> Places:
    """Where the way from the origin is so long: on each branch that reaches from less, or from itself at its beginning, to it."""
    branches = np.arange(len(anatomy))
    lengths = anatomy.frusta.lengths
    near, beyond = anatomy.way
    found: list[tuple[int, float]] = []
    for i in branches.tolist():
        for side in (-1.0, 1.0):
            s = near[i] + side * (distance - beyond[i])
            first = distance == beyond[i] and (side < 0 or i != anatomy.origin[0])
            if distance >= beyond[i] and 0 <= s <= lengths[i] and not first:
                found.append((i, float(s / lengths[i])))
    return Places(np.array([i for i, _ in found], np.int64), np.array([x for _, x in found], float))
