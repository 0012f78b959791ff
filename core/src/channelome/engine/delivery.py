"""From spikes to what arrives: four ways with one result.

`walk` costs what the spikes cost. The spikes of a step are packed into words of 32 bits; the set bits of the words that are
not zero are visited one by one, and each adds its row of synapses to the target. So one step with s spikes costs one pass
over the neurons, which vectorises, and s rows. `blocks` is the same for processors with many lanes: it finds the rows by a
cumulative sum, and adds many at once for as long as there are any; `toward` gathers where most sources send at once. `product` multiplies with all synapses; it is what can be
differentiated.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ..networks.rows import NOWHERE, Flat, Rows

WORD = 32
"""Flags in a word."""
_ONE = np.uint32(1)


# ---- words ---------------------------------------------------------------------------------------------------------


def n_words(n: int) -> int:
    return -(-n // WORD)


def pack(flags: Array) -> Array:
    """Flags of shape (n,) as words: flag ``32 j + b`` is bit b of word j."""
    n = flags.shape[0]
    words = n_words(n)
    bits = jnp.pad(flags, (0, words * WORD - n)).reshape(words, WORD).astype(jnp.uint32)
    return jnp.sum(bits << jnp.arange(WORD, dtype=jnp.uint32)[None], axis=1, dtype=jnp.uint32)


def unpacked(words: Array) -> Array:
    """The flags of words of shape (words,), and behind them those that fill the last one."""
    return ((words[:, None] >> jnp.arange(WORD, dtype=jnp.uint32)[None]) & _ONE).ravel() != 0


def unpack(words: np.ndarray, block: int) -> tuple[np.ndarray, np.ndarray]:
    """Row and flag number of every set bit of words of shape (rows, words), in the order of rows, then flags.

    Args:
        block: flags that went into one `pack`; the words of several stand one after another.
    """
    flat = words.ravel()
    where = np.flatnonzero(flat)
    bits = np.unpackbits(flat[where].astype("<u4").view(np.uint8), bitorder="little").view(bool)
    entry, bit = np.divmod(np.flatnonzero(bits), WORD)
    row, column = np.divmod(where, max(words.shape[1], 1))
    group, word = np.divmod(column, n_words(block))
    return row[entry], (group * block + word * WORD)[entry] + bit


def several(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of every spike of numbers of them (uint16) of shape (rows, columns), in the order of rows."""
    rows, columns = numbers.shape
    flat = np.ascontiguousarray(numbers).ravel()
    whole = flat.size // 4 * 4
    where = np.flatnonzero(flat[:whole].view(np.uint64))  # of four at once, where few have any
    if where.size * 32 < flat.size:
        where = np.concatenate([(where[:, None] * 4 + np.arange(4)).ravel(), np.arange(whole, flat.size)])
        return np.divmod(np.repeat(where, flat[where]), max(columns, 1))
    where = np.flatnonzero(flat)
    where = np.repeat(where, flat[where])
    row = np.repeat(np.arange(rows), numbers.sum(axis=1, dtype=np.int64))
    return row, where - row * columns


def _lowest(word: Array) -> Array:
    """Number of the lowest set bit; 32 where there is none."""
    return lax.population_count((word & (~word + _ONE)) - _ONE).astype(jnp.int32)


def _without_lowest(word: Array) -> Array:
    return word & (word - _ONE)


def for_each_set(words: Array, visit: Callable[[Array, Any], Any], carry: Any, block: int | None = None) -> Any:
    """Fold `visit(flag number, carry)` over the set bits in the order of the flags.

    A bit of a head says that a word is not zero, and a bit of a top the same of a head. So the next set bit is found by
    arithmetic on three words, and one loop goes from bit to bit: loops within loops, a word each, cost three times as much.

    Args:
        words: of one call of `pack`; or those of several, one after another, each of `block` flags.
    """
    heads = pack(words != 0)
    tops = pack(heads != 0)
    each = words.shape[0] if block is None else n_words(block)
    gap = 0 if block is None else each * WORD - block

    def found(first: Any, top: Array, head: Array, word: Array) -> Array:
        """What is left of a top, a head and a word; where one of the latter is used up, the next."""
        i = first + _lowest(top)
        head = jnp.where(head == 0, _at(heads, i), head)
        return jnp.stack([top, head, jnp.where(word == 0, _at(words, i * WORD + _lowest(head)), word)])

    def under(top: Any, carry: Any) -> Any:
        first = top * WORD

        def one(loop: Any) -> Any:
            (top, head, word), carry = loop
            j = (first + _lowest(top)) * WORD + _lowest(head)
            flag = j * WORD - (j // each) * gap + _lowest(word)
            word = _without_lowest(word)
            head = jnp.where(word == 0, _without_lowest(head), head)
            top = jnp.where(head == 0, _without_lowest(top), top)
            return found(first, top, head, word), visit(flag, carry)

        nothing = jnp.zeros((), jnp.uint32)
        begin = found(first, _at(tops, top), nothing, nothing)
        return lax.while_loop(lambda loop: loop[0][0] != 0, one, (begin, carry))[1]

    return under(0, carry) if tops.shape[0] == 1 else lax.fori_loop(0, tops.shape[0], under, carry)


def _at(words: Array, i: Any) -> Array:
    """``words[i]``, and the last one past the end."""
    return lax.dynamic_index_in_dim(words, i, keepdims=False)


ROWS_AT_ONCE = 256


# ---- delivery ------------------------------------------------------------------------------------------------------


def walk(
    rows: Rows | Flat, words: Array, amounts: Array | None, out: Array, first: Any, base: Any = None,
    block: int | None = None,
) -> Array:  # fmt: skip
    """Add to `out` what the set sources send.

    Args:
        words: which sources send, packed; in blocks as `for_each_set` takes them.
        amounts: what each sends, of shape (n_pre,) or, of k kinds at once, (n_pre, k); 1 if None.
        out: of shape (places,) or (places, k).
        first: number of the source that has the first row.
        base: the place in `out`, a ring, that stands for place 0; None where `out` is none.
    """

    alike = isinstance(rows, Rows) and rows.weights is None and amounts is None
    # behind a barrier they are made once, else anew in each turn of the loop
    ones = lax.optimization_barrier(jnp.ones(rows.targets.shape[1:], out.dtype)) if alike else None

    def visit(source: Array, out: Array) -> Array:
        amount = None if amounts is None else amounts[source]
        if isinstance(rows, Flat):
            return _add_flat(rows, source - first, amount, out, base)
        if rows.starts is None:
            return _add_row(rows, source - first, amount, out, base, ones)
        starts = jnp.asarray(rows.starts)
        begin, end = starts[source - first], starts[source - first + 1]
        add = functools.partial(_add_row, rows, amount=amount, base=base, ones=ones)
        return lax.fori_loop(begin, end, lambda row, out: add(row, out=out), out)

    return for_each_set(words, visit, out, block)


def _add_row(rows: Rows, row: Array, amount: Array | None, out: Array, base: Any, ones: Array | None) -> Array:
    weights = ones if rows.weights is None else jnp.asarray(rows.weights)[row]
    return _add(jnp.asarray(rows.targets)[row], weights, amount, out, base)


def _add_flat(flat: Flat, source: Array, amount: Array | None, out: Array, base: Any) -> Array:
    """Add the synapses of a source: all in one turn, or so many at a time."""
    starts, width = jnp.asarray(flat.starts), flat.width
    begin, end = (lax.dynamic_index_in_dim(starts, i, keepdims=False) for i in (source, source + 1))

    def add(turn: Any, out: Array) -> Array:
        at = begin + turn * width
        targets = lax.dynamic_slice_in_dim(jnp.asarray(flat.targets), at, width)
        targets = jnp.where(jnp.arange(width, dtype=jnp.int32) < end - at, targets, NOWHERE)
        weights = None if flat.weights is None else lax.dynamic_slice_in_dim(jnp.asarray(flat.weights), at, width)
        return _add(targets, weights, amount, out, base)

    return add(0, out) if flat.once else lax.fori_loop(0, -((begin - end) // width), add, out)


def _add(targets: Array, weights: Array | None, amount: Array | None, out: Array, base: Any) -> Array:
    value: Any = 1.0 if weights is None else weights
    if amount is not None:
        value = value * amount if amount.ndim == 0 else jnp.multiply.outer(value, amount)
    return out.at[_moved(targets, base, out.shape[0])].add(jnp.asarray(value, out.dtype), mode="drop")


def _moved(places: Array, base: Any, ring: int) -> Array:
    """The places in a ring of so many that begins at `base`."""
    if base is None:
        return places
    places = places + base
    return jnp.where(places >= ring, places - ring, places)


def blocks(
    rows: Rows, words: Array, amounts: Array | None, out: Array, first: Any, base: Any = None, block: int | None = None
) -> Array:
    """As `walk`, with `ROWS_AT_ONCE` rows at a time, as often as it takes."""
    flags = _flags(words, block)
    places = jnp.arange(rows.targets.shape[0], dtype=jnp.int32)
    owner = first + (places if rows.starts is None else jnp.searchsorted(rows.starts, places, side="right") - 1)
    ends = jnp.cumsum(flags[owner].astype(jnp.int32))

    def more(loop: Any) -> Any:
        return loop[0] < ends[-1]

    def add(loop: Any) -> Any:
        done, out = loop
        row = jnp.searchsorted(ends, done + 1 + jnp.arange(ROWS_AT_ONCE))  # past the last row where there are no more
        targets = jnp.asarray(rows.targets).at[row].get(mode="fill", fill_value=NOWHERE)
        value: Any = jnp.ones((1, 1), out.dtype)
        if rows.weights is not None:
            value = jnp.asarray(rows.weights, out.dtype).at[row].get(mode="fill", fill_value=0)
        if amounts is not None:
            amount = amounts[owner.at[row].get(mode="fill", fill_value=0)].astype(out.dtype)
            kinds = amounts.shape[1:]
            value = value.reshape(*value.shape, *[1] * len(kinds)) * amount.reshape(ROWS_AT_ONCE, 1, *kinds)
        value = jnp.broadcast_to(value, (*targets.shape, *value.shape[2:]))
        return done + ROWS_AT_ONCE, out.at[_moved(targets, base, out.shape[0])].add(value, mode="drop")

    return lax.while_loop(more, add, (jnp.zeros((), jnp.int32), out))[1]


def _flags(words: Array, block: int | None) -> Array:
    """The flags that `pack` packed, in order; past the last flag zeros, unless `words` are in blocks."""
    bits = unpacked(words)
    return bits if block is None else bits.reshape(-1, n_words(block) * WORD)[:, :block].ravel()


FEW = 0.45
"""The share of sources up to which it costs less to go through those that send than to gather at all targets."""


def toward(
    deliver: Callable[..., Array], rows: Rows, words: Array, amounts: Array, out: Array, first: Any, block: int | None
) -> Array:
    """As `deliver` while few sources send; else what all send is gathered by the targets, to the same but for rounding."""
    inward = rows.inward
    assert inward is not None

    def gathered() -> Array:
        padded = jnp.concatenate([amounts, jnp.zeros_like(amounts[:1])]).astype(out.dtype)
        sources = jnp.asarray(inward.sources)
        kinds = [padded[:, kind].at[sources].get(mode="promise_in_bounds") for kind in range(padded.shape[1])]
        if inward.weights is not None:
            kinds = [kind * jnp.asarray(inward.weights, out.dtype) for kind in kinds]
        return out + jnp.stack([jnp.sum(kind, axis=0) for kind in kinds], axis=-1)

    sending = jnp.sum(lax.population_count(words), dtype=jnp.uint32)
    few = sending < np.uint32(FEW * amounts.shape[0])
    return lax.cond(few, lambda: deliver(rows, words, amounts, out, first, None, block), gathered)


class Pairs(NamedTuple):
    """Synapses one by one, for `product`: source, place in what is delivered into, and weight (None: all weigh the same)."""

    sources: Array | np.ndarray
    targets: Array | np.ndarray
    weights: Any


def product(pairs: Pairs, sent: Array, out: Array, base: Any = None) -> Array:
    """Add to `out` what every source sends, `sent` of shape (n_pre,) or (n_pre, k), over all synapses."""
    value = sent[pairs.sources]
    if pairs.weights is not None:
        weights = jnp.asarray(pairs.weights, value.dtype)
        value = value * (weights if value.ndim == 1 else weights[:, None])
    return out.at[_moved(jnp.asarray(pairs.targets), base, out.shape[0])].add(value, mode="drop")
