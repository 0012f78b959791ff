"""Spikes under way: what sources sent in the last steps, and what their targets wait for.

With one delay for all synapses of a path, what its sources sent waits in a ring and meets the synapses when it arrives. With
delays of their own, targets have a ring of what arrives in each of the next steps. A state holds what the sources sent in
either case, since that does not depend on how synapses weigh or lie: what targets wait for is found again from it.
"""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from ..mechanisms.transmission import Followed
from .delivery import WORD, blocks, n_words, pack, product, toward, walk
from .plan import Parts, Path, Plan, count_of


def targets_of(plan: Plan, path: Path) -> tuple[int, ...]:
    return path.size or dict(plan.sizes)[path.post]


def kinds_of(synapse: Any) -> tuple[int, ...]:
    """Trailing shape of what arrives."""
    return (2,) if isinstance(synapse, Followed) else ()


def sends_ones(parts: Parts, path: Path) -> bool:
    """Whether all that a source sends is that it spiked, so that a bit holds it."""
    synapse, plasticity, _, _ = parts.pathways[path.label]
    return not kinds_of(synapse) and plasticity is None and not path.several


# ---- both ends of a run --------------------------------------------------------------------------------------------


def started(plan: Plan, parts: Parts, path: Path, sent: Any, dtype: Any, walking: bool) -> tuple[Any, Any]:
    """The ring of a path, and of delays of their own what was sent, from what was sent in the last steps, the oldest first; None for
    nothing. Rings have the slot that is written before another is read."""
    if not path.longest:
        return None, None
    none = _nothing_sent(plan, path, parts, dtype, walking)
    if path.delay is not None:
        ring = jnp.pad(none if sent is None else sent, [(0, 1)] + [(0, 0)] * (none.ndim - 1))
        return jnp.roll(ring, 1, 0), None
    lanes = () if path.lanes == 1 else (path.lanes,)
    shape = (path.longest + 2, *lanes, count_of(targets_of(plan, path)), *kinds_of(parts.pathways[path.label][0]))
    ring = jnp.zeros(shape, path.counts or dtype)
    if sent is None:
        return ring, none

    def again(ring: Array, step: tuple[Any, Array]) -> tuple[Array, None]:
        n, waits = step
        words, amounts = _split(plan, path, waits, walking)
        return delivered(plan, path, parts, words, amounts, ring, n, dtype, walking)[0], None

    steps = jnp.arange(-path.longest, 0, dtype=jnp.int32)
    return lax.scan(again, ring, (steps, jnp.asarray(sent)))[0], jnp.asarray(sent)


def _nothing_sent(plan: Plan, path: Path, parts: Parts, dtype: Any, walking: bool) -> Array:
    words = sum(n_words(count_of(dict(plan.sizes)[name])) for name in path.pre) * plan.devices
    if walking and sends_ones(parts, path):
        return jnp.zeros((path.longest, words), jnp.uint32)
    n_pre = sum(count_of(dict(plan.sizes)[name]) for name in path.pre) * plan.devices
    if walking and len(path.pre) > 1:
        n_pre = words * WORD
    return jnp.zeros((path.longest, n_pre, *kinds_of(parts.pathways[path.label][0])), dtype)


def sent_before(path: Path, ring: Any, sent: Any, n: Any) -> Any:
    """What was sent in the last steps before step `n`, the oldest first."""
    if path.delay is None:
        return None if sent is None else jnp.roll(sent, -n, axis=0)
    return None if ring is None else jnp.roll(ring, -n, axis=0)[1:]


# ---- in a step -----------------------------------------------------------------------------------------------------


def kept(path: Path, words: Any, amounts: Any, sent: Any, n: Any) -> Any:
    """What was sent, with that of step n in place of the oldest."""
    waits = words if amounts is None else amounts
    return lax.dynamic_update_slice_in_dim(sent, waits[None].astype(sent.dtype), n % path.longest, 0)


def delivered(
    plan: Plan, path: Path, parts: Parts, words: Any, amounts: Any, ring: Any, n: Any, dtype: Any, walking: bool
) -> tuple[Any, Array]:
    """The ring after step n, and what arrives at its end.

    A ring is written before it is read: XLA would copy one whole whose slot is read before another is written.
    """
    kinds = kinds_of(parts.pathways[path.label][0])
    places = path.lanes * count_of(targets_of(plan, path))
    nothing = jnp.zeros((places, *kinds), (path.counts if walking else "") or dtype)
    if not path.longest:
        return ring, _send(plan, path, parts, words, amounts, nothing, None, walking).astype(dtype)
    if path.delay is None:
        slots = path.longest + 2
        flat = ring.reshape(slots * places, *kinds)
        emptied = (n + slots - 1) % slots  # it was read in the step before
        flat = lax.dynamic_update_slice_in_dim(flat, nothing.astype(flat.dtype), emptied * places, 0)
        flat = _send(plan, path, parts, words, amounts, flat, n % slots * places, walking)
        arrived = lax.dynamic_slice_in_dim(flat, n % slots * places, places)
        return flat.reshape(ring.shape), arrived.astype(dtype)
    slots = path.delay + 1
    waits = words if walking and amounts is None else amounts
    ring = lax.dynamic_update_slice_in_dim(ring, waits[None], n % slots, 0)
    comes = lax.dynamic_index_in_dim(ring, (n + 1) % slots, keepdims=False)
    words, amounts = _split(plan, path, comes, walking)
    return ring, _send(plan, path, parts, words, amounts, nothing, None, walking).astype(dtype)


def abreast(plan: Plan, parts: Parts, words: Mapping[str, Array]) -> dict[str, Array]:
    """What arrives at the end of a step by paths that share a walk, of sources whose spikes are `words`."""
    found = {}
    for path, labels, lanes in plan.abreast:
        who, each = jnp.concatenate([words[name] for name in path.pre]), count_of(targets_of(plan, path))
        nothing = jnp.zeros(path.lanes * each, path.counts or parts.blocks[path.post].V.dtype)
        arrived = _send(plan, path, parts, who, None, nothing, None, True)
        ends = itertools.accumulate(n * each for n in lanes)
        found |= {label: arrived[end - n * each : end] for label, n, end in zip(labels, lanes, ends, strict=True)}
    return found


def _split(plan: Plan, path: Path, waits: Array, walking: bool) -> tuple[Any, Any]:
    """Words of who sends, and what each sends, of what was sent in a step."""
    if waits.dtype == jnp.uint32:
        return waits, None
    return _packed(plan, path, _any(waits) != 0) if walking else None, waits


def _packed(plan: Plan, path: Path, flags: Array) -> Array:
    """Flags of all sources as words, as each device sends those of its own."""
    if plan.devices == 1 or len(path.pre) > 1:
        return pack(flags)
    return jax.vmap(pack)(flags.reshape(plan.devices, -1)).ravel()


def _any(amounts: Array) -> Array:
    return amounts if amounts.ndim == 1 else jnp.max(jnp.abs(amounts), axis=-1)


def _send(
    plan: Plan, path: Path, parts: Parts, words: Any, amounts: Any, out: Array, base: Any, walking: bool
) -> Array:
    """Add to `out` what is sent; `words` in as many blocks as there are devices."""
    synapses = parts.synapses[path.label]
    if not walking:
        return product(synapses, amounts, out, base)
    each = count_of(dict(plan.sizes)[path.pre[0]]) if plan.devices > 1 and len(path.pre) == 1 else None
    if synapses.senders is not None:
        words = words & jnp.asarray(synapses.senders)
    deliver: Callable[..., Array] = blocks if plan.lanes else walk
    if synapses.inward is not None:
        return toward(deliver, synapses, words, amounts, out, path.first, each)
    return deliver(synapses, words, amounts, out, path.first, base, each)
