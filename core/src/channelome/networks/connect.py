"""Who connects to whom: rules, and the edges that they make. NumPy only; the same seed gives the same edges.

A rule is data: a frozen dataclass whose fields are numbers, so that it can stand in a model file. It is asked once, when
a network is built, for its `Edges` between two groups of neurons.
"""

import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ModelError
from ..units import Unit, convert
from .edges import Edges, Ends, by_source

BLOCK = 1 << 22
"""Pairs or edges that are drawn at once: bounds the memory that building takes beside the edges themselves."""


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
        counts, found = np.zeros(n_pre, np.int64), 0
        expected = n_pre * n_post * self.p
        targets = np.empty(int(expected + 6 * np.sqrt(expected)) + 16, np.int32)
        if self.p > 0 and n_post:
            rows = max(1, BLOCK // n_post)
            for first in range(0, n_pre, rows):
                here = min(rows, n_pre - first)
                flat = bernoulli(rng, here * n_post, self.p)
                row, column = np.divmod(flat, n_post)
                if ends.same and not self.self_connections:
                    kept = ends.pre[first + row] != ends.post[column]
                    row, column = row[kept], column[kept]
                counts[first : first + here] = np.bincount(row, minlength=here)
                if found + column.size > targets.size:
                    targets.resize(found + column.size, refcheck=False)
                targets[found : found + column.size] = column
                found += column.size
        targets.resize(found, refcheck=False)  # pieces to be joined would take the memory twice
        return Edges(counts, targets, n_post)


def bernoulli(rng: np.random.Generator, n: int, p: float) -> np.ndarray:
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
class FixedOutdegree(Rule):
    k: int
    self_connections: bool = False
    multapses: bool = False

    def edges(self, ends: Ends, rng: np.random.Generator) -> Edges:
        """Those of a fixed in-degree the other way round."""
        turned = ends._replace(pre=ends.post, post=ends.pre, pre_where=ends.post_where, post_where=ends.pre_where)
        try:
            found = FixedIndegree(self.k, self.self_connections, self.multapses).edges(turned, rng)
        except ModelError:
            raise ModelError(
                f"fixed_outdegree({self.k}) has too few target neurons to take without repetition: take fewer, or multapses=True."
            ) from None
        return by_source(found.targets, found.sources, ends.pre.size, ends.post.size)


@dataclass(frozen=True)
class FixedTotalNumber(Rule):
    n: int
    self_connections: bool = False
    multapses: bool = True

    def edges(self, ends: Ends, rng: np.random.Generator) -> Edges:
        n_pre, n_post = ends.pre.size, ends.post.size
        alone = ends.same and not self.self_connections
        pairs = n_pre * n_post - (np.intersect1d(ends.pre, ends.post).size if alone else 0)
        if self.n > pairs and (not self.multapses or not pairs):
            raise ModelError(
                f"fixed_total_number({self.n}) has only {pairs} pairs to take: take fewer, or multapses=True."
            )
        flat = np.zeros(0, np.int64)
        while flat.size < self.n:  # what is not allowed is drawn again
            more = rng.integers(0, n_pre * n_post, self.n - flat.size)
            if alone:
                row, column = np.divmod(more, n_post)
                more = more[ends.pre[row] != ends.post[column]]
            flat = np.concatenate([flat, more])
            if not self.multapses:
                _, first = np.unique(flat, return_index=True)
                flat = flat[np.sort(first)]
        return by_source(*np.divmod(flat, n_post), n_pre, n_post)


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


@dataclass(frozen=True, eq=False)
class FromArrays(Rule):
    pre: np.ndarray
    post: np.ndarray
    weights: np.ndarray | None = None
    delays: np.ndarray | None = None

    def edges(self, ends: Ends, rng: np.random.Generator) -> Edges:
        for name, index, n in (("pre", self.pre, ends.pre.size), ("post", self.post, ends.post.size)):
            if index.size and (index.min() < 0 or index.max() >= n):
                raise ModelError(
                    f"from_arrays(): {name} holds {index.max() if index.max() >= n else index.min()}, but its group has "
                    f"the neurons 0 to {n - 1}."
                )
        return by_source(self.pre, self.post, ends.pre.size, ends.post.size, self.weights, self.delays, ordered=True)


@dataclass(frozen=True, eq=False)
class FromMatrix(Rule):
    matrix: Any

    def edges(self, ends: Ends, rng: np.random.Generator) -> Edges:
        shape = (ends.pre.size, ends.post.size)
        if self.matrix.shape != shape:
            raise ModelError(
                f"from_matrix(): the matrix is {self.matrix.shape}, but the groups need (pre, post) {shape}."
            )
        if hasattr(self.matrix, "tocsr"):
            rows = self.matrix.tocsr(copy=True)
            rows.sum_duplicates()
            coo = rows.tocoo()
            there = coo.data != 0
            pre, post, values = coo.row[there], coo.col[there], coo.data[there]
        else:
            pre, post = np.nonzero(self.matrix)
            values = self.matrix[pre, post]
        return by_source(pre, post, *shape, None if values.dtype == bool else values)


# ---- what users write ----------------------------------------------------------------------------------------------


def fixed_probability(p: float, *, self_connections: bool = False) -> Rule:
    """Every pair is connected with probability `p`, independently."""
    return FixedProbability(probability(p, "fixed_probability"), self_connections)


def fixed_indegree(k: int, *, self_connections: bool = False, multapses: bool = False) -> Rule:
    """Every target neuron has exactly `k` synapses, from sources drawn evenly.

    Args:
        multapses: whether a source may be drawn more than once.
    """
    return FixedIndegree(_whole(k, "fixed_indegree"), self_connections, multapses)


def fixed_outdegree(k: int, *, self_connections: bool = False, multapses: bool = False) -> Rule:
    """Every source neuron has exactly `k` synapses, onto targets drawn evenly; as `fixed_indegree`."""
    return FixedOutdegree(_whole(k, "fixed_outdegree"), self_connections, multapses)


def fixed_total_number(n: int, *, self_connections: bool = False, multapses: bool = True) -> Rule:
    """Exactly `n` synapses, each between a source and a target drawn evenly.

    Args:
        multapses: whether a pair may be drawn more than once.
    """
    return FixedTotalNumber(_whole(n, "fixed_total_number"), self_connections, multapses)


def one_to_one() -> Rule:
    """Neuron i of the source to neuron i of the target."""
    return OneToOne()


def all_to_all(*, self_connections: bool = False) -> Rule:
    """Every pair."""
    return AllToAll(self_connections)


def from_arrays(pre: Any, post: Any, *, weights: Any = None, delays: Any = None) -> Rule:
    """The synapses given by number of source and target neuron in their groups; repetitions are synapses of their own.

    Arrays given beside them, here or as the projection's weight and delay, are in the same order.

    Args:
        weights: one factor per synapse, by which the projection's weight is multiplied.
        delays: one per synapse, with a unit, in place of the projection's.
    """
    rows, columns = (_index(x, name) for x, name in ((pre, "pre"), (post, "post")))
    factors = None if weights is None else _factors(weights, "the weights of from_arrays()")
    late = None if delays is None else np.asarray(convert(delays, Unit.parse("ms"), "delays of from_arrays()"), float)
    if rows.size != columns.size:
        raise ModelError(
            f"from_arrays() needs arrays of one length, got {rows.size} sources and {columns.size} targets."
        )
    for name, values in (("weights", factors), ("delays", late)):
        if values is not None and (values.shape != rows.shape or not np.all(np.isfinite(values))):
            raise ModelError(f"from_arrays() needs one finite number of {name} for each of {rows.size} synapses.")
    return FromArrays(rows, columns, factors, late)


def from_matrix(matrix: Any) -> Rule:
    """The synapses where a matrix (pre, post), dense or of ``scipy.sparse``, is not zero.

    Its values are factors by which the projection's weight is multiplied; a matrix of bools has none.
    """
    kind = type(matrix).__name__
    if not hasattr(matrix, "tocsr"):
        matrix = _factors(matrix, "the matrix of from_matrix()")
    if matrix.ndim != 2:
        raise ModelError(f"from_matrix() needs a matrix, not {kind} of {matrix.ndim} dimensions.")
    values = matrix.tocoo().data if hasattr(matrix, "tocsr") else matrix
    if values.dtype.kind not in "biuf" or not np.all(np.isfinite(values)):
        raise ModelError("from_matrix() needs a matrix of finite numbers or bools: 0 stands for no synapse.")
    return FromMatrix(matrix)


def _factors(values: Any, what: str) -> np.ndarray:
    """As numbers or bools."""
    try:
        found = np.asarray(values)
        found = found.astype(float) if found.dtype == object else found
    except (TypeError, ValueError):
        found = np.asarray("")
    if found.dtype.kind not in "biuf":
        raise ModelError(
            f"{what} are bare numbers, by which the projection's weight, which has the unit, is multiplied, not {values!r:.80}."
        )
    return found


RULES: dict[str, Callable[..., Rule]] = {
    f.__name__: f
    for f in (fixed_probability, fixed_indegree, fixed_outdegree, fixed_total_number, one_to_one, all_to_all)
}
"""The rules that a model file can name, but for that by distance, which `space` adds."""


def probability(p: Any, what: str) -> float:
    if not isinstance(p, numbers.Real) or isinstance(p, bool) or not 0 <= float(p) <= 1:
        raise ModelError(f"{what}() needs a probability from 0 to 1, not {p!r}.")
    return float(p)


def _whole(k: Any, what: str) -> int:
    if not isinstance(k, int | np.integer) or isinstance(k, bool) or k < 0:
        raise ModelError(f"{what}() needs a whole number of synapses, not {k!r}.")
    return int(k)


def _index(values: Any, name: str) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ModelError(f"from_arrays(): {name} must be a list of whole numbers, one for each synapse.")
    return array.astype(np.int64)
