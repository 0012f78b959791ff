"""How synapses lie in memory: rows of equal width, so that what a source sends to is read at once."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from jax import Array
from jax.tree_util import register_dataclass

from ..aligned import aligned, room_of


class Rows(NamedTuple):
    """Synapses as rows of equal width, so that a row is read at once.

    A source neuron has the rows ``starts[i]`` to ``starts[i + 1]``; where every source has one row, `starts` is None.

    Attributes:
        starts: of shape (n_pre + 1,), or None.
        targets: of shape (n_rows, width): places in what is delivered into; empty ones are `NOWHERE`.
        weights: None where all synapses weigh the same, else of the shape of `targets`.
        senders: words of the sources that have synapses here, packed as spikes are; None where all have.
        inward: the same synapses by target, where sources send at every step.
    """

    starts: Array | np.ndarray | None
    targets: Array | np.ndarray
    weights: Array | np.ndarray | None
    senders: Array | np.ndarray | None
    inward: "Inward | None" = None


@register_dataclass
@dataclass(frozen=True)
class Flat:
    """Synapses one after another, in the order of their sources: no memory but that of the synapses.

    Attributes:
        starts: of shape (n_pre + 1,): where the synapses of each source begin and end.
        targets: places in what is delivered into, and behind the last at least `width` more, which are never used.
        weights: None where all synapses weigh the same, else of the shape of `targets`.
        senders, inward: as of `Rows`.
        width: how many are read at once.
        once: whether no source has more than that.
    """

    starts: Array | np.ndarray
    targets: Array | np.ndarray
    weights: Array | np.ndarray | None
    senders: Array | np.ndarray | None
    inward: "Inward | None" = None
    width: int = field(default=0, metadata={"static": True})
    once: bool = field(default=True, metadata={"static": True})


class Inward(NamedTuple):
    """Synapses by target: what all sources send is then gathered, which costs half of what it does to scatter it.

    Attributes:
        sources: of shape (most synapses of a target, places): their numbers, in order; empty ones are one past the last.
        weights: None where all synapses weigh the same, else of the shape of `sources`.
    """

    sources: Array | np.ndarray
    weights: Array | np.ndarray | None


NOWHERE = np.int32(2**30)
"""A place past the end of everything, so that what is sent there is dropped."""


class Shape(NamedTuple):
    """How edges lie in rows: worked out once, used for targets, weights and delays.

    Attributes:
        starts: as in `Rows`.
        counts: synapses in each row; they fill it from its beginning.
        width: places in each row.
    """

    starts: np.ndarray | None
    counts: np.ndarray
    width: int


def rows_of(counts: np.ndarray, width: int = 0, split: bool = False) -> Shape:
    """One row per source as wide as the widest, unless that would waste more than it holds; then rows of mean width.

    Args:
        counts: synapses of each source.
        width: at least so wide; with `split` exactly, and sources may have several rows.
    """
    widest, mean = int(counts.max(initial=0)), int(counts.sum()) / max(counts.size, 1)
    if not split and (width or widest <= 2 * mean + 32):
        return Shape(None, counts, roomy(max(widest, width, 1)))
    width = width or roomy(max(8, round(mean)))
    n_each = -(-counts // width)
    starts = np.zeros(counts.size + 1, np.int32)
    np.cumsum(n_each, out=starts[1:])
    rows = np.full(int(starts[-1]), width)
    filled = n_each > 0
    rows[starts[1:][filled] - 1] = (counts - (n_each - 1) * width)[filled]  # the last of each source holds the rest
    return Shape(starts, rows, width)


def roomy(n: int) -> int:
    """`n` or a little more, an eighth at most: of few sizes, so that networks of other seeds are run by one program."""
    step = 1 << max(n.bit_length() - 4, 0)
    return -(-n // step) * step


def n_rows_of(shape: Shape) -> int:
    """Rows that are kept for a shape."""
    return shape.counts.size if shape.starts is None else roomy(shape.counts.size)


def laid_out(shape: Shape, values: np.ndarray, filling: Any, n_rows: int = 0) -> np.ndarray:
    """One value per synapse, in the order of the edges, put into rows; of at least `n_rows`, the last ones empty."""
    n_rows, width = max(n_rows, n_rows_of(shape)), shape.width
    out = aligned((n_rows, width), values.dtype)
    ends = np.concatenate([[0], np.cumsum(shape.counts)])
    each = max(1, _BLOCK // width)
    for first in range(0, n_rows, each):
        here = out[first : first + each]
        here[:] = filling
        counts = shape.counts[first : first + each]
        given = values[ends[first] : ends[first + counts.size]] if counts.size else values[:0]
        here[: counts.size][np.arange(width) < counts[:, None]] = given
    return out


_BLOCK = 1 << 22


_MANY = 1 << 21
"""From here on numbers of synapses of other seeds differ by less than 1 %."""


def room(counts: np.ndarray, width: int) -> int:
    """Places that are kept for flat synapses: of few sizes, so that networks of other seeds are run by one program."""
    n = int(counts.sum()) + width
    step = 1 << max(n.bit_length() - (7 if n >= _MANY else 4), 0)
    return -(-n // step) * step


def flat(counts: np.ndarray, width: int, values: np.ndarray) -> np.ndarray:
    """One value per synapse, in the order of the edges, with room behind the last: as it is where there is room already."""
    places = room(counts, width)
    there = room_of(values, places)
    if there is not None:
        return there
    out = aligned((places,), values.dtype)
    out[: values.size] = values
    out[values.size :] = 0
    return out


class Turned(NamedTuple):
    """How edges lie by target: the row and place of each, in the order of the edges."""

    shape: tuple[int, int]
    row: np.ndarray
    place: np.ndarray

    def laid_out(self, values: np.ndarray, filling: Any) -> np.ndarray:
        """One value per synapse, in the order of the edges, by target."""
        out = aligned(self.shape, values.dtype)
        out[:] = filling
        out[self.row, self.place] = values
        return out


def by_target(places: np.ndarray, n: int) -> Turned | None:
    """Of synapses onto `n` places; None where the place with most of them would have more than twice the mean."""
    counts = np.bincount(places, minlength=n)
    widest = int(counts.max(initial=0))
    if not widest or widest > 2 * counts.mean() + 32:
        return None
    order = np.argsort(places, kind="stable")
    row = np.empty(places.size, np.int32)
    row[order] = np.arange(places.size) - np.repeat(np.cumsum(counts) - counts, counts)
    return Turned((roomy(widest), n), row, places)
