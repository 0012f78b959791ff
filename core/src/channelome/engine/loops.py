"""Many steps of a network in one compiled program: in chunks for a run, as one scan for what is differentiated."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from ..state import NetworkState
from .delivery import n_words, pack
from .plan import Carry, Parts, Plan, count_of
from .program import put
from .step import start, state_of, step


class Chunk(NamedTuple):
    """What one call of the compiled loop returns: records by name, and the words of who spiked, by population and step."""

    carry: Carry
    first: dict[str, Array]
    samples: dict[str, Array]
    events: dict[str, Array]


def sample(plan: Plan, parts: Parts, carry: Carry, n: Any, dt: Any) -> dict[str, Array]:
    if not plan.records:
        return {}
    asked = {record.part for record in plan.records}
    needed = {name: x for name, x in carry.cells.items() if name in asked}
    state = state_of(plan, parts, carry._replace(cells=needed, rings={}), n, dt)
    return {record.name: record.read(parts, state) for record in plan.records}


def chunk(plan: Plan, length: int, fresh: bool, parts: Parts, carry: Any, dt: Any, begin: Any, count: Any) -> Chunk:
    """Run `count` samples on, of at most `length`, from sample number `begin`; from a state if `fresh`."""
    if fresh:
        carry = start(plan, parts, carry, dt)
    first = sample(plan, parts, carry, begin * plan.every, dt)
    samples = {name: jnp.zeros((length, *x.shape), x.dtype) for name, x in first.items()}
    words = {name: n_words(count_of(size)) for name, size in plan.sizes}
    events = {name: jnp.zeros((length, plan.every, n), jnp.uint32) for name, n in words.items()}

    def one(j: Any, loop: Any) -> Any:
        def inner(k: Any, loop: Any) -> Any:
            carry, events = loop
            carry, spiked = step(plan, parts, carry, (begin + j) * plan.every + k, dt, walking=True)
            return carry, {name: put(x, pack(spiked[name].ravel()), j, k) for name, x in events.items()}

        carry, samples, events = loop
        inside = (carry, events)
        carry, events = inner(0, inside) if plan.every == 1 else lax.fori_loop(0, plan.every, inner, inside)
        now = sample(plan, parts, carry, (begin + j + 1) * plan.every, dt)
        return carry, {name: put(x, now[name], j) for name, x in samples.items()}, events

    carry, samples, events = lax.fori_loop(0, count, one, (carry, samples, events))
    return Chunk(carry, first, samples, events)


def differentiable(plan: Plan, parts: Parts, state: Any, dt: Any, count: int, segment: int) -> tuple[NetworkState, Any]:
    """The same run as one scan over all synapses, for use under a trace: forward and reverse differentiable.

    A spike is 1 with a surrogate gradient. Reverse mode keeps the carry every `segment` samples and recomputes what lies
    between.

    Returns:
        The state at the end, and the records stacked along time, with ``"cells.spikes"`` of every population, counted
        since the sample before.
    """
    carry = start(plan, parts, state, dt)
    zero = {name: jnp.zeros(size, dt.dtype) for name, size in plan.sizes}

    def record(carry: Carry, n: Any, spikes: Mapping[str, Array]) -> dict[str, Array]:
        return sample(plan, parts, carry, n, dt) | {f"{name}.spikes": x for name, x in spikes.items()}

    def one(carry: Carry, j: Any) -> tuple[Carry, dict[str, Array]]:
        def inner(loop: Any, k: Any) -> tuple[Any, None]:
            carry, spikes = loop
            carry, spiked = step(plan, parts, carry, j * plan.every + k, dt, walking=False)
            return (carry, {name: x + spiked[name].astype(x.dtype) for name, x in spikes.items()}), None

        inside = (carry, zero)
        if plan.every == 1:
            (carry, spikes), _ = inner(inside, 0)
        else:
            (carry, spikes), _ = lax.scan(inner, inside, jnp.arange(plan.every))
        return carry, record(carry, (j + 1) * plan.every, spikes)

    data = [jax.tree.map(lambda x: x[None], record(carry, 0, zero))]
    whole = count // segment if count > segment else 0
    if whole:
        block = jax.checkpoint(lambda c, js: lax.scan(one, c, js), prevent_cse=False)  # pyright: ignore
        carry, out = lax.scan(block, carry, jnp.arange(whole * segment).reshape(whole, segment))
        data.append(jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), out))
    if count > whole * segment:
        carry, out = lax.scan(one, carry, jnp.arange(whole * segment, count))
        data.append(out)
    return state_of(plan, parts, carry, count * plan.every, dt), jax.tree.map(lambda *xs: jnp.concatenate(xs), *data)
