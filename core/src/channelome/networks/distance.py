"""Connections by distance, with a cost that goes by the synapses and not by the pairs."""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..distances import period_of
from ..errors import ModelError, UnitError
from ..units import Unit, convert
from .connect import RULES as _RULES
from .connect import Rule, bernoulli, probability
from .edges import Edges, Ends, by_source
from .space import SPACINGS, Apart, apart

_UM = Unit.parse("um")
_LOST = 1e-6
"""Synapses that the reach of a kernel may leave out of a whole projection, on the mean."""


def _gaussian(x: Any) -> Any:
    return np.exp(-(x**2) / 2)


def _exponential(x: Any) -> Any:
    return np.exp(-x)


def _linear(x: Any) -> Any:
    return np.maximum(1 - x, 0)


KERNELS: dict[str, Callable[[Any], Any]] = {"gaussian": _gaussian, "exponential": _exponential, "linear": _linear}
"""Of the distance over sigma; each falls."""


@dataclass(frozen=True)
class DistanceDependent(Rule):
    p: float
    sigma: float
    self_connections: bool = False
    kernel: Any = "gaussian"
    reach: float | None = None
    periodic: Any = False
    unit: str = SPACINGS

    def edges(self, ends: Ends, rng: np.random.Generator) -> Edges:
        between = apart(ends, self.periodic, "distance_dependent()")
        if ends.pre_where.unit != self.unit:
            said = "a number, in grid spacings" if ends.pre_where.unit == SPACINGS else "a length, such as '100 um'"
            raise UnitError(
                f"distance_dependent(): sigma must be {said}, since the populations' positions are in that."
            )
        found = list(self._found(between, rng))
        pre, post = (np.concatenate([part[k] for part in found]) if found else np.zeros(0, np.int64) for k in (0, 1))
        if ends.same and not self.self_connections:
            kept = ends.pre[pre] != ends.post[post]
            pre, post = pre[kept], post[kept]
        return by_source(pre, post, ends.pre.size, ends.post.size)

    def _share(self, d: np.ndarray) -> np.ndarray:
        if isinstance(self.kernel, str):
            return KERNELS[self.kernel](d / self.sigma)
        share = np.asarray(self.kernel(d), float)
        if share.shape != d.shape or not np.all((share >= 0) & (share <= 1)):
            raise ModelError(
                "the kernel of distance_dependent() must give a share from 0 to 1 for each of an array of distances."
            )
        return share

    def _farthest(self, pairs: int) -> float:
        if self.reach is not None:
            return self.reach
        least = _LOST / max(self.p * pairs, _LOST)
        by_kernel = {"gaussian": math.sqrt(-2 * math.log(least)), "exponential": -math.log(least), "linear": 1.0}
        return self.sigma * by_kernel[self.kernel]

    def _found(self, between: Apart, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Connected pairs. Neurons lie in boxes; between two boxes no pair has more than the chance of their least distance, so
        pairs are drawn with that, and of these kept as many as their own distance says: what is never drawn costs nothing."""
        if not self.p or not between.pre.size or not between.post.size:
            return
        farthest = self._farthest(len(between.pre) * len(between.post))
        boxes = _Boxes.of(between, self.sigma, farthest)
        pre, post = (boxes.sorted(points) for points in (between.pre, between.post))
        here = np.flatnonzero(np.diff(pre.starts))
        for offset in boxes.offsets(farthest):
            nearest = boxes.least(offset)
            highest = self.p * (float(self._share(np.asarray([nearest]))[0]) if isinstance(self.kernel, str) else 1.0)
            if nearest > farthest or highest == 0:
                continue
            home, there = boxes.moved(here, offset)
            n_post = post.starts[there + 1] - post.starts[there]
            ends = np.cumsum((pre.starts[home + 1] - pre.starts[home]) * n_post)
            if not ends.size or not ends[-1]:
                continue
            flat = bernoulli(rng, int(ends[-1]), highest)
            box = np.searchsorted(ends, flat, side="right")
            row, column = np.divmod(flat - np.concatenate([[0], ends])[box], n_post[box])
            sources, targets = pre.order[pre.starts[home[box]] + row], post.order[post.starts[there[box]] + column]
            d = between.of(sources, targets)
            kept = (rng.random(d.size) * highest < self.p * self._share(d)) & (d <= farthest)
            yield sources[kept], targets[kept]


class _Sorted(NamedTuple):
    """Points by box: their numbers in the order of boxes, and where each box begins."""

    order: np.ndarray
    starts: np.ndarray


@dataclass(frozen=True)
class _Boxes:
    origin: np.ndarray
    side: np.ndarray
    count: np.ndarray
    periodic: bool

    @classmethod
    def of(cls, between: Apart, sigma: float, farthest: float) -> "_Boxes":
        both = np.concatenate([between.pre, between.post])
        axes = both.shape[1]
        low = both.min(axis=0)
        span = both.max(axis=0) - low if between.period is None else between.period
        wide = span[span > 0]
        density = (math.prod(wide) / len(both)) ** (1 / max(wide.size, 1)) if wide.size else 1.0
        side = min(max(sigma / (2 if axes < 3 else 1), density), max(farthest, density))
        count = np.maximum(np.floor(span / side), 1).astype(np.int64)
        return cls(low, np.where(span > 0, span / count, 1.0), count, between.period is not None)

    def sorted(self, points: np.ndarray) -> _Sorted:
        index = np.floor((points - self.origin) / self.side).astype(np.int64)
        index = index % self.count if self.periodic else np.minimum(index, self.count - 1)
        flat = np.ravel_multi_index(tuple(index.T), tuple(self.count))
        counts = np.bincount(flat, minlength=math.prod(self.count))
        return _Sorted(np.argsort(flat, kind="stable"), np.concatenate([[0], np.cumsum(counts)]))

    def offsets(self, farthest: float) -> Iterator[np.ndarray]:
        ranges = []
        for side, count in zip(self.side, self.count, strict=True):
            k = int(min(np.ceil(farthest / side), count - 1))
            ranges.append(range(count) if self.periodic and 2 * k + 1 >= count else range(-k, k + 1))
        return (np.asarray(offset) for offset in itertools.product(*ranges))

    def least(self, offset: np.ndarray) -> float:
        """The least distance between points of two boxes."""
        away = np.minimum(offset % self.count, -offset % self.count) if self.periodic else np.abs(offset)
        return float(np.sqrt(np.sum((np.maximum(away - 1, 0) * self.side) ** 2)))

    def moved(self, boxes: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Boxes, and those at an offset from them, where there are any."""
        index = np.stack(np.unravel_index(boxes, tuple(self.count)), axis=-1) + offset
        if self.periodic:
            index %= self.count
        else:
            inside = np.all((index >= 0) & (index < self.count), axis=1)
            boxes, index = boxes[inside], index[inside]
        return boxes, np.asarray(np.ravel_multi_index(tuple(index.T), tuple(self.count)))


def distance_dependent(
    p: float, *, sigma: Any = None, kernel: Any = "gaussian", reach: Any = None, periodic: Any = False, self_connections: bool = False
) -> Rule:  # fmt: skip
    """Pairs are connected with probability p times a kernel of their distance d.

    Without positions neurons stand on the grid of their population's shape (``size=(20, 20)`` is a sheet, ``size=400`` a line), and
    lengths are bare numbers, in grid spacings. With ``Network(positions=...)`` they have a unit.

    Args:
        sigma: width of the kernel.
        kernel: ``"gaussian"``, ``exp(-d^2 / (2 sigma^2))``; ``"exponential"``, ``exp(-d / sigma)``; ``"linear"``, ``1 - d / sigma``,
            0 beyond; or a function that gives shares from 0 to 1 for an array of distances (in um, or in grid spacings).
        reach: beyond it nothing is connected. Needed for a function; others reach as far as a synapse is at all likely.
        periodic: whether the space closes on itself: True for grids of one extent, or the period on each axis.

    Raises:
        ModelError, UnitError: for what is no probability, width, kernel or reach.
    """
    own = callable(kernel)
    if not own and kernel not in KERNELS:
        raise ModelError(
            f"the kernel of distance_dependent() is one of {', '.join(KERNELS)}, or a function, not {kernel!r}."
        )
    if own and reach is None:
        raise ModelError(
            "distance_dependent() with a kernel of your own needs reach=, beyond which nothing is connected."
        )
    given = {
        name: x for name, x in (("sigma", reach if own and sigma is None else sigma), ("reach", reach)) if x is not None
    }
    if "sigma" not in given:
        raise ModelError("distance_dependent() needs sigma, the width of its kernel.")
    lengths, units = {}, set()
    for name, x in given.items():
        bare = isinstance(x, int | float | np.number) and not isinstance(x, bool)
        lengths[name] = float(x) if bare else float(convert(x, _UM, f"{name} of distance_dependent()"))
        units.add(SPACINGS if bare else "um")
        if not lengths[name] > 0 or not math.isfinite(lengths[name]):
            raise ModelError(f"distance_dependent() needs a positive {name}, not {x!r}.")
    if len(units) > 1:
        raise UnitError("distance_dependent(): sigma and reach are both lengths, or both in grid spacings.")
    (unit,) = units
    return DistanceDependent(
        probability(p, "distance_dependent"), lengths["sigma"], bool(self_connections), kernel, lengths.get("reach"),
        period_of(periodic, "distance_dependent()"), unit,
    )  # fmt: skip


RULES: dict[str, Callable[..., Rule]] = {**_RULES, "distance_dependent": distance_dependent}
"""The rules that a model file can name."""
