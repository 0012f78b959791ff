"""Many steps in one compiled program: in chunks for a run, as one scan for what is differentiated.

Parameter values, stimuli, initial states, the step `dt` and the number of steps are arguments; what is static is the model's
structure, the solver, what is recorded and the length of the buffers. So one program serves runs of any duration.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ..cells.record import Probe
from ..cells.tree import SOLVED
from ..state import NetworkState
from .delivery import n_words, pack
from .plan import Carry, Parts, Plan, Record, Times, count_of
from .spike import crossing
from .step import clamp_current, initial, start, state_of, step

Samples = dict[str, Array]


class Running(NamedTuple):
    """Where a run stands between two chunks."""

    carry: Carry
    ages: dict[str, Any]


class Chunk(NamedTuple):
    """What one call of the compiled loop returns.

    Attributes:
        samples: by record, of shape (length + 1, ...); the first is of where the chunk began.
        words: who spiked, packed, by block and step.
        shares: after what share of its step who crossed the threshold, by block and step; 0 where nobody did.
        numbers: how many spikes each source sent, by block and step.
    """

    running: Running
    samples: Samples
    words: dict[str, Array]
    shares: dict[str, Array]
    numbers: dict[str, Array]


def begin(plan: Plan, parts: Parts, state: NetworkState | None, dt: Any) -> Running:
    """The beginning of a run from `state`, or at rest if None."""
    return Running(*start(plan, parts, initial(plan, parts, dt.dtype) if state is None else state, dt, walking=True))


@functools.cache
def compiled_begin(few: bool = False) -> Callable[..., Running]:
    """Apart from the loop, so that all chunks of a run are one program; of a model of `few` numbers compiled in half of the time."""
    return jax.jit(begin, static_argnums=0, compiler_options=compiler_options(few))


def sample(plan: Plan, parts: Parts, carry: Carry, times: Times, n: Any, dt: Any) -> Samples:
    """What is recorded of the state before step `n`. A state is brought to one time only where it is needed."""
    if not plan.records:
        return {}
    if all(isinstance(record.probe, Probe) and record.probe.part == "" for record in plan.records):
        return {
            record.name: record.cut(record.probe.of(plan.method(record.part).voltage(carry.cells[record.part])))  # pyright: ignore
            for record in plan.records
        }
    asked = {record.over for record in plan.records}
    needed = {name: x for name, x in carry.cells.items() if name in asked}
    state = state_of(plan, parts, carry._replace(cells=needed, rings={}, sent={}), times, n, dt)

    def read(record: Record) -> Array:
        if not isinstance(record.probe, Probe) or record.probe.part != "clamp":
            return record.read(parts, state)
        here = state.cells[record.part]
        return record.cut(clamp_current(plan, parts, record.part, carry, here, times.origin + n, dt))

    return {record.name: read(record) for record in plan.records}


def chunk(
    plan: Plan, length: int, parts: Parts, running: Running, times: Times, dt: Any, first: Any, count: Any
) -> Chunk:
    """Run `count` samples on, of at most `length`, from sample number `first`."""
    carry, ages = running
    times = times._replace(ages=ages)
    now = sample(plan, parts, carry, times, first * plan.every, dt)
    samples = {name: put(jnp.zeros((length + 1, *x.shape), x.dtype), x, 0) for name, x in now.items()}
    sizes = dict(plan.sizes)
    words = {name: jnp.zeros((length, plan.every, n_words(count_of(sizes[name]))), jnp.uint32) for name in plan.events}
    shares = {name: jnp.zeros((length, plan.every, *sizes[name]), dt.dtype) for name in plan.shares}
    numbers = {name: jnp.zeros((length, plan.every, count_of(sizes[name])), jnp.uint16) for name in plan.numbers}

    def one(j: Any, loop: Any) -> Any:
        carry, samples, words, shares, numbers = loop
        number = (first + j) * plan.every

        def inner(k: Any, loop: Any) -> Any:
            before, words, shares, numbers = loop
            carry, spiked = step(plan, parts, before, times, number + k, dt, walking=True)
            words = {name: put(x, pack(spiked[name].ravel()), j, k) for name, x in words.items()}
            numbers = {name: put(x, spiked[name].ravel().astype(x.dtype), j, k) for name, x in numbers.items()}
            for name in plan.shares:
                block = parts.blocks[name]
                V0, V1 = (block.spiking(plan.method(name).voltage(of.cells[name])) for of in (before, carry))
                shares = shares | {name: put(shares[name], crossing(V0, V1, block.V_th), j, k)}
            return carry, words, shares, numbers

        inside = (carry, words, shares, numbers)
        carry, *kept = inner(0, inside) if plan.every == 1 else lax.fori_loop(0, plan.every, inner, inside)
        now = sample(plan, parts, carry, times, number + plan.every, dt)
        return carry, {name: put(x, now[name], j + 1) for name, x in samples.items()}, *kept

    rings = carry.rings
    carry = carry._replace(rings=_flat(plan, rings))
    carry, samples, *kept = lax.fori_loop(0, count, one, (carry, samples, words, shares, numbers))
    carry = carry._replace(rings=jax.tree.map(lambda x, like: x.reshape(like.shape), carry.rings, rings))
    return Chunk(Running(carry, ages), samples, *kept)


def _flat(plan: Plan, rings: dict[str, Any]) -> dict[str, Any]:
    """Rings of synapses with delays of their own as `step` writes them: one that is made flat within the loop is copied there."""
    axes = {path.label: 2 + (path.lanes > 1) for path in plan.paths if path.delay is None and path.longest}
    return {label: x.reshape(-1, *x.shape[axes[label] :]) if label in axes else x for label, x in rings.items()}


def put(buffer: Array, row: Array, *index: Any) -> Array:
    """`buffer` with `row` in the place `index`, which there must be.

    ``buffer.at[index].set(row)`` would check that, and the check hides from XLA how little is written: it then makes no
    single kernel of the loop over few neurons, which is four times as fast.
    """
    update = jnp.asarray(row, buffer.dtype).reshape((1,) * len(index) + buffer.shape[len(index) :])
    begin = [jnp.asarray(i, jnp.int32) for i in (*index, *[0] * (buffer.ndim - len(index)))]
    return lax.dynamic_update_slice(buffer, update, begin)


@functools.cache
def compiled_chunk(lone: bool = False) -> Callable[..., Chunk]:
    """The loop as an outermost jit, with the compiler options that this processor and a `lone` neuron profit from."""
    return jax.jit(chunk, static_argnums=(0, 1), compiler_options=compiler_options(lone))


@functools.cache
def compiled_finish(few: bool = False) -> Callable[..., NetworkState]:
    """As `compiled_begin`."""
    return jax.jit(finish, static_argnums=0, compiler_options=compiler_options(few))


def finish(plan: Plan, parts: Parts, running: Running, times: Times, n: Any, dt: Any) -> NetworkState:
    """The state at the end of a run, all of it at one time; apart, since few runs ask for it."""
    return state_of(plan, parts, running.carry, times._replace(ages=running.ages), n, dt)


def compiler_options(scalar: bool = False) -> dict[str, Any]:
    """Options for an outermost ``jax.jit`` on this machine: full-width vectors on CPUs that have AVX-512.

    Args:
        scalar: to compile in half of the time, without what makes vectors of loops over arrays, which are then six times as slow.
    """
    if jax.default_backend() != "cpu":
        return {}
    if scalar:
        return {"xla_cpu_use_fusion_emitters": False}
    core: Any = getattr(np, "_core", None)  # where NumPy keeps what it found out of the processor
    features = getattr(getattr(core, "_multiarray_umath", None), "__cpu_features__", {})
    return {"xla_cpu_prefer_vector_width": 512} if features.get("AVX512F") else {}


def scanned(
    plan: Plan, parts: Parts, state: Any, times: Times, dt: Any, count: int, segment: int, walking: bool
) -> tuple[NetworkState, Samples]:
    """The same run as one scan of `count` samples, for use under a trace.

    Unless it is `walking` it goes over all synapses and is forward and reverse differentiable: a spike is 1 with a surrogate
    gradient. Reverse mode keeps the carry every `segment` samples and takes the steps between again; of each of these it keeps the carry and
    what is `_costly`, and works out the rest where it needs it: to write and read it would take longer.

    Args:
        state: where it begins; at rest if None.

    Returns:
        The state at the end, and the records stacked along time, with the spikes of the blocks that are counted, since the
        sample before.
    """
    carry, ages = start(plan, parts, initial(plan, parts, dt.dtype) if state is None else state, dt, walking)
    times = times._replace(ages=ages)
    zero = {name: jnp.zeros(size, dt.dtype) for name, size in plan.sizes if name in dict(plan.counted)}

    def record(carry: Carry, n: Any, spikes: Mapping[str, Array]) -> Samples:
        counted = {name: spikes[block] for block, name in plan.counted}
        return sample(plan, parts, carry, times, n, dt) | counted

    def one(carry: Carry, j: Any) -> tuple[Carry, Samples]:
        def inner(loop: Any, k: Any) -> tuple[Any, None]:
            carry, spikes = loop
            carry, spiked = step(plan, parts, carry, times, j * plan.every + k, dt, walking)
            return (carry, {name: x + spiked[name].astype(x.dtype) for name, x in spikes.items()}), None

        inside = (carry, zero)
        again = inner if walking else jax.checkpoint(inner, prevent_cse=False, policy=_costly)  # pyright: ignore
        if plan.every == 1:
            (carry, spikes), _ = again(inside, 0)
        else:
            (carry, spikes), _ = lax.scan(again, inside, jnp.arange(plan.every, dtype=jnp.int32))
        return carry, record(carry, (j + 1) * plan.every, spikes)

    data = [jax.tree.map(lambda x: x[None], record(carry, jnp.int32(0), zero))]
    whole = count // segment if count > segment else 0
    if whole:
        block = jax.checkpoint(lambda c, js: lax.scan(one, c, js), prevent_cse=False)  # pyright: ignore
        numbers = jnp.arange(whole * segment, dtype=jnp.int32).reshape(whole, segment)
        carry, out = lax.scan(block, carry, numbers)
        data.append(jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), out))
    if count > whole * segment:
        carry, out = lax.scan(one, carry, jnp.arange(whole * segment, count, dtype=jnp.int32))
        data.append(out)
    final = state_of(plan, parts, carry, times, jnp.int32(count * plan.every), dt)
    return final, jax.tree.map(lambda *xs: jnp.concatenate(xs), *data)


def _costly(primitive: Any, *_: Any, **given: Any) -> bool:
    """Whether a result is kept for the derivative of a step: voltages on trees, and what arrived."""
    return primitive in (lax.linear_solve_p, lax.scatter_add_p) or given.get("name") == SOLVED


@functools.partial(jax.jit, static_argnums=0)
def find_fault(
    plan: Plan, parts: Parts, running: Running, times: Times, dt: Any, first: Any, count: Any
) -> tuple[Array, NetworkState, NetworkState]:
    """The first step after `first` after which the state is not finite: its number, and the states before and after it."""
    times = times._replace(ages=running.ages)

    def going(loop: Any) -> Array:
        n, _, after = loop
        leaves = jax.tree.leaves((after.cells, after.synapses, state_of(plan, parts, after, times, n, dt).cells))
        return (n < first + count) & jnp.all(jnp.asarray([jnp.all(jnp.isfinite(x)) for x in leaves]))

    def one(loop: Any) -> Any:
        n, _, now = loop
        return n + 1, now, step(plan, parts, now, times, n, dt, walking=True)[0]

    n, before, after = lax.while_loop(going, one, (jnp.asarray(first), running.carry, running.carry))
    return n, state_of(plan, parts, before, times, n - 1, dt), state_of(plan, parts, after, times, n, dt)
