"""Synapses as edges: who sends to whom, in the order of sources."""

from typing import Any, NamedTuple

import numpy as np


class Ends(NamedTuple):
    """The two groups between which a rule connects: flat indices in their populations, and where these stand (`space.Where`)."""

    pre: np.ndarray
    post: np.ndarray
    same: bool
    pre_where: Any
    post_where: Any


class Edges(NamedTuple):
    """Synapses in the order of their source, then of their target, as a compressed sparse matrix holds them.

    Attributes:
        counts: how many synapses each source neuron has, of shape ``(n_pre,)``.
        targets: number of the target neuron in its group, of each synapse.
        n_post: neurons in the target's group.
        weights: what a matrix holds for each synapse, where the rule was given one: factors of the projection's weight.
        delays: in ms, where the rule was given them.
        order: the place that each synapse had among those given; None where there is no such order, or it is the same.
    """

    counts: np.ndarray
    targets: np.ndarray
    n_post: int
    weights: np.ndarray | None = None
    delays: np.ndarray | None = None
    order: np.ndarray | None = None

    @property
    def sources(self) -> np.ndarray:
        """Number of the source neuron in its group, of each synapse."""
        return np.repeat(np.arange(self.counts.size, dtype=np.int32), self.counts)

    @property
    def n(self) -> int:
        """Number of synapses."""
        return self.targets.size


def by_source(
    pre: np.ndarray, post: np.ndarray, n_pre: int, n_post: int, weights: Any = None, delays: Any = None, *, ordered: bool = False
) -> Edges:  # fmt: skip
    """Pairs of a source and a target, in any order, as edges; if `ordered`, their order is kept in mind."""
    order = np.lexsort((post, pre))
    if np.array_equal(order, np.arange(order.size)):
        ordered = False
    weights, delays = (None if x is None else np.asarray(x, float)[order] for x in (weights, delays))
    counts = np.bincount(pre, minlength=n_pre)
    kept = order.astype(np.int32 if order.size < 2**31 else np.int64) if ordered else None
    return Edges(counts, post[order].astype(np.int32), n_post, weights, delays, kept)
