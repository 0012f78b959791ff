"""How finely branches are cut, and the cutting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import ModelError, UnitError
from ..units import Unit, convert
from .anatomy import Anatomy
from .compartments import Compartments
from .points import known
from .regions import mask

_RA, _C, _HZ, _UM = Unit.parse("ohm cm"), Unit.parse("uF/cm^2"), Unit.parse("Hz"), Unit.parse("um")
_MOST = 10_000_000


@dataclass(frozen=True)
class PerBranch:
    """A number of compartments for each branch, or one for each; other numbers for branches in regions, the last one counts."""

    count: int | tuple[int, ...]
    regions: Mapping[str, int] = field(default_factory=dict, hash=False)

    def counts(self, anatomy: Anatomy, Ra: Any, C: Any) -> np.ndarray:
        if isinstance(self.count, tuple) and len(self.count) != len(anatomy):
            raise ModelError(f"per_branch has {len(self.count)} numbers, and {anatomy.source} {len(anatomy)} branches.")
        found = np.array(np.broadcast_to(self.count, len(anatomy)))
        for region, count in self.regions.items():
            found[mask(anatomy, region, np.arange(len(anatomy)), np.full(len(anatomy), 0.5))] = count
        return found


@dataclass(frozen=True)
class MaxLength:
    """As few compartments as keep each no longer than `length`, um."""

    length: float

    def counts(self, anatomy: Anatomy, Ra: Any, C: Any) -> np.ndarray:
        with np.errstate(over="ignore"):  # infinitely many are told as such
            return np.ceil(anatomy.frusta.lengths / self.length * (1 - 1e-12))


@dataclass(frozen=True)
class DLambda:
    """Compartments no longer than a fraction of the length constant at a frequency (Hz), their number odd.

    Hines & Carnevale (2001), doi:10.1177/107385840100700207. The same rule as NEURON's ``lambda_f`` and ``geom_nseg``.
    """

    fraction: float
    frequency: float

    def counts(self, anatomy: Anatomy, Ra: Any, C: Any) -> np.ndarray:
        if Ra is None or C is None:
            raise ModelError(
                "d_lambda needs Ra and C: morph.discretise(ch.d_lambda(0.1), Ra='100 ohm cm', C='1 uF/cm^2')."
            )
        frusta = anatomy.frusta
        summed = np.sqrt(2 * (frusta.radius[:-1] + frusta.radius[1:]))  # of diameters, as NEURON
        scaled = np.concatenate([[0.0], np.cumsum(frusta.height / summed)])
        scaled = np.sqrt(2.0) * (scaled[frusta.last] - scaled[frusta.first])
        lengths = scaled * 1e-5 * np.sqrt(4 * np.pi * self.frequency * Ra * C)
        with np.errstate(over="ignore"):  # infinitely many are told as such
            return 2 * np.floor((lengths / self.fraction + 0.9) / 2) + 1


Rule = PerBranch | MaxLength | DLambda


def per_branch(count: int | Sequence[int] | np.ndarray, **regions: int) -> PerBranch:
    """`count` compartments for each branch, or a list with a number for each, or for those in a region: ``per_branch(5, soma=1)``.

    Raises:
        ModelError: for what is not a whole number of at least 1.
    """
    several = isinstance(count, list | tuple) or (isinstance(count, np.ndarray) and count.ndim == 1)
    each: Sequence[Any] = list(count) if several else [count]  # pyright: ignore[reportArgumentType]
    named = [*(("count", number) for number in each), *regions.items()]
    for name, number in named:
        if not isinstance(number, int | np.integer) or isinstance(number, bool) or number < 1:
            raise ModelError(f"per_branch: {name} must be a whole number of at least 1, not {number!r}.")
    whole = tuple(int(number) for number in each)
    return PerBranch(whole if several else whole[0], {name: int(number) for name, number in regions.items()})


def max_length(length: Any) -> MaxLength:
    """As few compartments as keep each no longer than `length`: ``max_length("20 um")``.

    Raises:
        UnitError: for a length without a unit of length, or one that is not positive.
    """
    return MaxLength(_positive(length, _UM, "max_length"))


def d_lambda(fraction: float = 0.1, *, frequency: Any = "100 Hz") -> DLambda:
    """Compartments no longer than `fraction` of the length constant that alternating current of this frequency has.

    Both defaults are NEURON's, as is the rule. It needs Ra and C.

    Raises:
        UnitError: for a frequency that is none, or values that are not positive.
    """
    return DLambda(
        _positive(fraction, Unit.parse("1"), "the fraction of d_lambda"),
        _positive(frequency, _HZ, "the frequency of d_lambda"),
    )


def _positive(value: Any, unit: Unit, where: str) -> float:
    number = known(convert(value, unit, where), where)
    if np.ndim(number) or not np.isfinite(number) or number <= 0:
        raise UnitError(f"{where} must be one positive number, got {value!r}.")
    return float(number)


def discretise(anatomy: Anatomy, rule: Rule, Ra: Any, C: Any) -> Compartments:
    """`anatomy` cut by `rule` into compartments of equal length within each branch.

    Raises:
        ModelError: if that would be more than ten million.
    """
    counts = counted(anatomy, rule, Ra, C, _MOST)
    first = np.concatenate([[0], np.cumsum(counts)])
    branch = np.repeat(np.arange(len(anatomy)), counts)
    number = np.arange(len(branch)) - first[branch]
    low, middle, high = (anatomy.frusta.at(branch, (number + share) / counts[branch]) for share in (0.0, 0.5, 1.0))
    x = (number + 0.5) / counts[branch]
    parent, near, far = _connect(anatomy, first, middle.factor - low.factor, high.factor - middle.factor)
    return Compartments(
        anatomy=anatomy, branch=branch, x=x, length=anatomy.frusta.lengths[branch] / counts[branch],
        area=high.area - low.area, volume=high.volume - low.volume, distance=anatomy.distance(branch, x),
        tag=anatomy.branches.tag[branch], parent=parent, near=near, far=far, first=first,
    )  # fmt: skip


def counted(anatomy: Anatomy, rule: Rule, Ra: Any, C: Any, most: int) -> np.ndarray:
    """Shape (branches,), int: into how many compartments `rule` cuts each branch.

    Raises:
        ModelError: if they are more than `most`, for what is no rule, and for values that it needs.
    """
    if not isinstance(rule, PerBranch | MaxLength | DLambda):
        raise ModelError(
            f"{rule!r} does not say how to cut branches: use per_branch(5), max_length('20 um') or d_lambda(0.1)."
        )
    Ra, C = (
        None if value is None else _per_branch(anatomy, value, *kind)
        for value, kind in ((Ra, (_RA, "Ra")), (C, (_C, "C")))
    )
    wanted = np.maximum(rule.counts(anatomy, Ra, C), 1)
    if wanted.sum() > most:
        raise ModelError(
            f"{rule} would cut {anatomy.source} into {wanted.sum():.3g} compartments; at most {most:,} are made."
        )
    return wanted.astype(np.int64)


def _per_branch(anatomy: Anatomy, value: Any, unit: Unit, name: str) -> np.ndarray:
    try:
        bare = known(convert(value, unit, name), name)
    except UnitError as error:
        raise UnitError(
            f"{error} To cut by it, give one number, or one for each of the {len(anatomy)} branches."
        ) from None
    if bare.ndim > 1 or (bare.ndim == 1 and len(bare) != len(anatomy)):
        raise ModelError(
            f"{name} has the shape {bare.shape}; one number, or one for each of the {len(anatomy)} branches."
        )
    if not (np.isfinite(bare) & (bare > 0)).all():
        raise UnitError(f"{name} must be positive, got {value!r}.")
    return np.broadcast_to(bare, len(anatomy))


def _connect(
    anatomy: Anatomy, first: np.ndarray, inner: np.ndarray, outer: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parent, near and far of all nodes, from each compartment's factors toward the beginning and the end of its branch."""
    n = len(inner)
    parent = np.arange(-1, n - 1)
    near, far = inner.copy(), np.concatenate([[0.0], outer[:-1]])
    joined: dict[tuple[int, float], list[int]] = {}
    for branch, (above, at) in enumerate(zip(*_attached(anatomy), strict=True)):
        if branch == 0:
            continue
        start = first[branch]
        if 0 < at < 1:
            count = first[above + 1] - first[above]
            parent[start], far[start] = first[above] + int(at * count), 0.0
        else:
            joined.setdefault((above, at), []).append(start)
    junctions: list[tuple[int, float]] = []
    for (above, at), starts in joined.items():
        end = first[above + 1] - 1 if at else first[above]
        half = float(outer[end] if at else inner[end])
        if len(starts) == 1:
            parent[starts[0]], far[starts[0]] = end, half
        else:
            parent[starts], far[starts] = n + len(junctions), 0.0
            junctions.append((end, half))
    near[0] = 0.0
    return (
        np.concatenate([parent, np.array([end for end, _ in junctions], np.int64)]),
        np.concatenate([near, np.zeros(len(junctions))]),
        np.concatenate([far, np.array([half for _, half in junctions])]),
    )


def _attached(anatomy: Anatomy) -> tuple[list[int], list[float]]:
    """Where branches are connected; those at the beginning of another, the root excepted, where that one is."""
    parent, attach = anatomy.branches.parent.tolist(), anatomy.branches.attach.tolist()
    for branch, (above, at) in enumerate(zip(parent, attach, strict=True)):
        if at == 0 and above > 0:
            parent[branch], attach[branch] = parent[above], attach[above]
    return parent, attach
