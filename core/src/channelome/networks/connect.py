"""Who connects to whom: rules, and the edges that they make. NumPy only; the same seed gives the same edges.

A rule is data: a frozen dataclass whose fields are numbers, so that it can stand in a model file. It is asked once, when
a network is built, for its `Edges` between two groups of neurons.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..errors import ModelError

BLOCK = 1 << 22
"""Pairs or edges that are drawn at once: bounds the memory that building takes beside the edges themselves."""


class Ends(NamedTuple):
    """The two groups between which a rule connects: flat indices in their populations, and where the neurons stand."""

    pre: np.ndarray
    post: np.ndarray
    same: bool
    pre_positions: np.ndarray
    post_positions: np.ndarray


class Edges(NamedTuple):
    """Synapses in the order of their source, then of their target, as a compressed sparse matrix holds them.

    Attributes:
        counts: how many synapses each source neuron has, of shape ``(n_pre,)``.
        targets: number of the target neuron in its group, of each synapse.
        n_post: neurons in the target's group.
        weights: what a matrix holds for each synapse, where the rule was given one.
    """

    counts: np.ndarray
    targets: np.ndarray
    n_post: int
    weights: np.ndarray | None = None

    @property
    def sources(self) -> np.ndarray:
        """Number of the source neuron in its group, of each synapse."""
        return np.repeat(np.arange(self.counts.size, dtype=np.int32), self.counts)

    @property
    def n(self) -> int:
        """Number of synapses."""
        return self.targets.size


@dataclass(frozen=True)
class Rule:
    """Base of the rules."""

    def edges(self, ends: Ends, rng: np.random.Generator) -> Edges:
        raise NotImplementedError


@dataclass(frozen=True)
class FixedProbability(Rule):
    p: float
    self_connections: bool = False

    def edges(self, ends: Ends, rng: np.random.Generator) -> Edges:
        n_pre, n_post = ends.pre.size, ends.post.size
        counts, targets = np.zeros(n_pre, np.int64), []
        if self.p > 0 and n_post:
            rows = max(1, BLOCK // n_post)
            for first in range(0, n_pre, rows):
                here = min(rows, n_pre - first)
                flat = _bernoulli(rng, here * n_post, self.p)
                row, column = np.divmod(flat, n_post)
                if ends.same and not self.self_connections:
                    kept = ends.pre[first + row] != ends.post[column]
                    row, column = row[kept], column[kept]
                counts[first : first + here] = np.bincount(row, minlength=here)
                targets.append(column.astype(np.int32))
        return Edges(counts, _joined(targets), n_post)


def _bernoulli(rng: np.random.Generator, n: int, p: float) -> np.ndarray:
    """The sorted successes of n trials with probability p: the gaps between successes are geometric."""
    if p >= 1:
        return np.arange(n)
    found, last = [], -1
    while last < n:
        expected = (n - last) * p
        gaps = rng.geometric(p, size=int(expected + 4 * np.sqrt(expected) + 16))
        gaps[(gaps < 1) | (gaps > n)] = n + 1  # past the end: where p is small their sum would pass that of int64
        places = last + np.cumsum(gaps)
        found.append(places)
        last = int(places[-1])
    flat = np.concatenate(found)
    return flat[: np.searchsorted(flat, n)]


@dataclass(frozen=True)
class FixedIndegree(Rule):
    k: int
    self_connections: bool = False
    multapses: bool = False

    def edges(self, ends: Ends, rng: np.random.Generator) -> Edges:
        n_pre, n_post = ends.pre.size, ends.post.size
        alone = ends.same and not self.self_connections
        available = n_pre - (1 if alone and np.intersect1d(ends.pre, ends.post).size else 0)
        if not self.multapses and self.k > available:
            raise ModelError(
                f"fixed_indegree({self.k}) has only {available} source neurons to take without repetition: "
                f"take fewer, or multapses=True."
            )
        sources = np.empty((n_post, self.k), np.int32)
        rows = max(1, BLOCK // max(self.k, 1))
        for first in range(0, n_post, rows):
            here = np.arange(first, min(first + rows, n_post))
            own = ends.post[here] if alone else None
            sources[here] = _choose(rng, here.size, n_pre, self.k, self.multapses, own, ends.pre)
        from scipy.sparse import csr_array

        first = np.arange(n_post + 1, dtype=np.int32 if sources.size < 2**31 else np.int64) * self.k
        by_target = csr_array((np.zeros(sources.size, np.bool_), sources.ravel(), first), (n_post, n_pre))
        by_source = by_target.tocsc()  # a counting sort; what it holds is not looked at
        return Edges(np.diff(by_source.indptr), by_source.indices.astype(np.int32, copy=False), n_post)


def _choose(
    rng: np.random.Generator, rows: int, n: int, k: int, repeated: bool, own: np.ndarray | None, names: np.ndarray
) -> np.ndarray:
    """For each row k of n; what is forbidden (a repetition, the row's own neuron) is drawn again until it is not."""
    if 2 * k > n and not repeated:
        keys = rng.random((rows, n))
        if own is not None:
            keys[names[None, :] == own[:, None]] = 2.0
        return np.argpartition(keys, k - 1, axis=1)[:, :k].astype(np.int32) if k else np.zeros((rows, 0), np.int32)
    chosen = rng.integers(0, n, (rows, k), dtype=np.int32)
    while True:
        wrong = np.zeros(chosen.shape, bool)
        if not repeated:
            chosen.sort(axis=1)
            wrong[:, 1:] = chosen[:, 1:] == chosen[:, :-1]
        if own is not None:
            wrong |= names[chosen] == own[:, None]
        n_wrong = int(wrong.sum())
        if not n_wrong:
            return chosen
        chosen[wrong] = rng.integers(0, n, n_wrong, dtype=np.int32)


@dataclass(frozen=True)
class OneToOne(Rule):
    def edges(self, ends: Ends, rng: np.random.Generator) -> Edges:
        n_pre, n_post = ends.pre.size, ends.post.size
        if n_pre != n_post:
            raise ModelError(f"one_to_one() needs groups of one size, but they have {n_pre} and {n_post} neurons.")
        return Edges(np.ones(n_pre, np.int64), np.arange(n_post, dtype=np.int32), n_post)


@dataclass(frozen=True)
class AllToAll(Rule):
    self_connections: bool = False

    def edges(self, ends: Ends, rng: np.random.Generator) -> Edges:
        return FixedProbability(1.0, self.self_connections).edges(ends, rng)


@dataclass(frozen=True)
class DistanceDependent(Rule):
    p: float
    sigma: float
    self_connections: bool = False

    def edges(self, ends: Ends, rng: np.random.Generator) -> Edges:
        n_pre, n_post = ends.pre.size, ends.post.size
        counts, targets = np.zeros(n_pre, np.int64), []
        rows = max(1, BLOCK // max(n_post, 1))
        for first in range(0, n_pre, rows):
            here = slice(first, min(first + rows, n_pre))
            apart = ends.pre_positions[here, None, :] - ends.post_positions[None, :, :]
            p = self.p * np.exp(-np.sum(apart**2, axis=-1) / (2 * self.sigma**2))
            if ends.same and not self.self_connections:
                p[ends.pre[here, None] == ends.post[None, :]] = 0.0
            row, column = np.nonzero(rng.random(p.shape) < p)
            counts[here] = np.bincount(row, minlength=p.shape[0])
            targets.append(column.astype(np.int32))
        return Edges(counts, _joined(targets), n_post)


@dataclass(frozen=True, eq=False)
class FromArrays(Rule):
    pre: np.ndarray
    post: np.ndarray
    weights: np.ndarray | None = None

    def edges(self, ends: Ends, rng: np.random.Generator) -> Edges:
        for name, index, n in (("pre", self.pre, ends.pre.size), ("post", self.post, ends.post.size)):
            if index.size and (index.min() < 0 or index.max() >= n):
                raise ModelError(
                    f"from_arrays(): {name} holds {index.max() if index.max() >= n else index.min()}, but its group has "
                    f"the neurons 0 to {n - 1}."
                )
        return _by_source(self.pre, self.post, ends.pre.size, ends.post.size, self.weights)


@dataclass(frozen=True, eq=False)
class FromMatrix(Rule):
    matrix: Any

    def edges(self, ends: Ends, rng: np.random.Generator) -> Edges:
        shape = (ends.pre.size, ends.post.size)
        if self.matrix.shape != shape:
            raise ModelError(
                f"from_matrix(): the matrix is {self.matrix.shape}, but the groups need (pre, post) {shape}."
            )
        if hasattr(self.matrix, "tocoo"):
            coo = self.matrix.tocoo()
            pre, post, values = coo.row, coo.col, coo.data
        else:
            dense = np.asarray(self.matrix)
            pre, post = np.nonzero(dense)
            values = dense[pre, post]
        return _by_source(pre, post, *shape, None if values.dtype == bool else values)


def _by_source(pre: np.ndarray, post: np.ndarray, n_pre: int, n_post: int, weights: np.ndarray | None = None) -> Edges:
    order = np.lexsort((post, pre))
    kept = None if weights is None else np.asarray(weights, float)[order]
    return Edges(np.bincount(pre, minlength=n_pre), post[order].astype(np.int32), n_post, kept)


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0, np.int32)


# ---- what users write ----------------------------------------------------------------------------------------------


def fixed_probability(p: float, *, self_connections: bool = False) -> Rule:
    """Every pair is connected with probability `p`, independently."""
    return FixedProbability(_probability(p, "fixed_probability"), self_connections)


def fixed_indegree(k: int, *, self_connections: bool = False, multapses: bool = False) -> Rule:
    """Every target neuron has exactly `k` synapses, from sources drawn evenly.

    Args:
        multapses: whether a source may be drawn more than once.
    """
    if not isinstance(k, int | np.integer) or k < 0:
        raise ModelError(f"fixed_indegree() needs a whole number of synapses, not {k!r}.")
    return FixedIndegree(int(k), self_connections, multapses)


def one_to_one() -> Rule:
    """Neuron i of the source to neuron i of the target."""
    return OneToOne()


def all_to_all(*, self_connections: bool = False) -> Rule:
    """Every pair."""
    return AllToAll(self_connections)


def distance_dependent(p: float, *, sigma: float, self_connections: bool = False) -> Rule:
    """Pairs are connected with probability ``p exp(-d^2 / (2 sigma^2))``, d and `sigma` in grid spacings.

    Neurons stand on the grid of their population's shape: ``size=(20, 20)`` is a sheet, ``size=400`` a line.
    """
    if not sigma > 0:
        raise ModelError(f"distance_dependent() needs a positive sigma, not {sigma!r}.")
    return DistanceDependent(_probability(p, "distance_dependent"), float(sigma), self_connections)


def from_arrays(pre: Any, post: Any, *, weights: Any = None) -> Rule:
    """The synapses given by number of source and target neuron in their groups; repetitions are synapses of their own.

    Args:
        weights: one factor per synapse, by which the projection's weight is multiplied.
    """
    rows, columns = (_index(x, name) for x, name in ((pre, "pre"), (post, "post")))
    if rows.size != columns.size or (weights is not None and np.size(weights) != rows.size):
        raise ModelError(
            f"from_arrays() needs arrays of one length, got {rows.size} sources and {columns.size} targets."
        )
    return FromArrays(rows, columns, None if weights is None else np.asarray(weights, float))


def from_matrix(matrix: Any) -> Rule:
    """The synapses where a matrix (pre, post), dense or of ``scipy.sparse``, is not zero.

    Its values are factors by which the projection's weight is multiplied; a matrix of bools has none.
    """
    if np.ndim(matrix) != 2 and not hasattr(matrix, "tocoo"):
        raise ModelError(f"from_matrix() needs a matrix, not {type(matrix).__name__} of {np.ndim(matrix)} dimensions.")
    return FromMatrix(matrix)


RULES: dict[str, Callable[..., Rule]] = {
    f.__name__: f for f in (fixed_probability, fixed_indegree, one_to_one, all_to_all, distance_dependent)
}
"""The rules that a model file can name."""


def _probability(p: Any, what: str) -> float:
    if not isinstance(p, int | float) or not 0 <= p <= 1:
        raise ModelError(f"{what}() needs a probability from 0 to 1, not {p!r}.")
    return float(p)


def _index(values: Any, name: str) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ModelError(f"from_arrays(): {name} must be a list of whole numbers, one for each synapse.")
    return array.astype(np.int64)


@functools.cache
def grid(size: tuple[int, ...]) -> np.ndarray:
    """Where the neurons of a population of this shape stand, in grid spacings: (neurons, axes)."""
    return np.stack([axis.ravel() for axis in np.indices(size)], axis=-1).astype(float)
