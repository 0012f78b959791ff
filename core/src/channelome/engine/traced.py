"""A run under a trace: from spike to spike, unless something differentiates it.

Only what surrounds a run inside ``jax.jit`` or ``jax.vmap`` knows whether it is differentiated. So a run of a network is a
function with a derivative of its own (`jax.custom_jvp`): called, it costs what its spikes cost, as any other run; asked for
its derivative, it is one scan over all synapses. Both have the same values.

A batch of networks is run one after another, since each sends along other synapses at each step; or all at once over all
synapses, where these are few.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.custom_batching import custom_vmap

from ..cells.tangents import along, of_some
from ..state import NetworkState
from .delivery import pack, unpacked
from .loops import Samples, compiler_options, scanned
from .plan import Parts, Plan, Times, count_of
from .prepare import Prepared
from .request import is_tracing
from .rings import sends_ones
from .sharding import scanned_shares
from .step import initial

KEPT = 32 << 20
"""Bytes of the states of all steps up to which reverse mode keeps them all; of longer runs it takes segments again."""
FEW_SYNAPSES = 4096
"""Up to so many synapses a batch of networks visits them all at each step, sooner than it goes from network to network."""

Run = Callable[..., tuple[NetworkState, Samples]]


def traced(run: Prepared, state: NetworkState | None, count: int, segment: int | None) -> tuple[NetworkState, Samples]:
    """The state at the end and the records of a run under a trace."""
    length = segment or (count if count * run.plan.every * _bytes(run) <= KEPT else math.isqrt(count))
    return _whole(run.mesh, run.plan, count, length, run.parts, run.rows, state, run.times, run.dt)


@functools.partial(jax.jit, static_argnums=(0, 1, 2, 3))
def _whole(
    mesh: Any, plan: Plan, count: int, segment: int, parts: Parts, rows: Any, state: NetworkState | None, times: Times, dt: Any
) -> tuple[NetworkState, Samples]:  # fmt: skip
    """A program of its own, found again, where nothing but ``grad`` or ``vmap`` surrounds the run; inside ``jit`` a part of that."""
    if mesh is not None:
        return scanned_shares(mesh, plan, count, segment, parts, state, times, dt)
    numbers = (parts, rows, state, times, dt)
    over_all = functools.partial(_over_all, plan, count, segment)
    if not plan.paths:
        return over_all(*numbers)
    n_synapses = sum(int(np.size(parts.synapses[path.label].targets)) for path in plan.paths)
    by_spikes = functools.partial(_by_spikes, plan, count)
    return _either(by_spikes, over_all, numbers, together=n_synapses <= FEW_SYNAPSES)


def _bytes(run: Prepared) -> int:
    """What a state takes."""
    state = jax.eval_shape(lambda: initial(run.plan, run.parts, run.dt.dtype))
    return sum(math.prod(x.shape) * x.dtype.itemsize for x in jax.tree.leaves(state))


def _over_all(
    plan: Plan, count: int, segment: int, parts: Parts, rows: Any, state: NetworkState | None, times: Times, dt: Any
) -> tuple[NetworkState, Samples]:
    return scanned(plan, parts, state, times, dt, count, segment, walking=False)


def _by_spikes(
    plan: Plan, count: int, parts: Parts, rows: Any, state: NetworkState | None, times: Times, dt: Any
) -> tuple[NetworkState, Samples]:
    """What sources sent is a bit for each here, and an amount there: the state has that form at both ends."""
    parts = parts._replace(synapses={**parts.synapses, **rows})
    bits = [path for path in plan.paths if path.longest and sends_ones(parts, path)]
    if state is not None:
        rings = state.rings
        words = {path.label: rings[path.label] for path in bits if rings[path.label] is not None}
        state = state._replace(rings={**rings, **{label: jax.vmap(pack)(x != 0) for label, x in words.items()}})
    final, samples = scanned(plan, parts, state, times, dt, count, count, walking=True)
    sizes = dict(plan.sizes)
    amounts = {
        path.label: jax.vmap(unpacked)(final.rings[path.label])[:, : count_of(sizes[path.pre[0]])].astype(dt.dtype)
        for path in bits
    }
    return final._replace(rings={**final.rings, **amounts}), samples


def _either(by_spikes: Run, over_all: Run, numbers: tuple[Any, ...], together: bool) -> tuple[NetworkState, Samples]:
    """`by_spikes` of `numbers`, whose derivative is that of `over_all`."""
    leaves, structure = jax.tree.flatten(numbers)

    def of(run: Run) -> Callable[..., Any]:
        return lambda *leaves: run(*jax.tree.unflatten(structure, leaves))

    batched = _one_by_one(of(by_spikes), of(over_all) if together else None)

    @jax.custom_jvp
    def run(*leaves: Any) -> Any:
        return batched(*leaves)

    def derivative(primals: Any, tangents: Any) -> Any:
        return along(of(over_all), primals, tangents)

    run.defjvp(derivative, symbolic_zeros=True)
    return run(*leaves)


def _one_by_one(run: Callable[..., Any], together: Callable[..., Any] | None) -> Callable[..., Any]:
    """`run` under ``jax.vmap``: one after another, or by `together` all at once."""
    mapped = custom_vmap(run)

    @mapped.def_vmap
    def batch(size: int, batched: Any, *leaves: Any) -> Any:
        if together is not None:
            out = jax.vmap(together, in_axes=[0 if x else None for x in batched], axis_size=size)(*leaves)
        else:
            moving = [i for i, x in enumerate(batched) if x]

            def each(some: list[Any], leaves: Any) -> Any:
                return lax.map(lambda one: of_some(mapped, leaves, moving)(*one), some)

            outermost = not is_tracing()  # as under a bare vmap
            each = jax.jit(each, compiler_options=compiler_options() if outermost else None)
            out = each([leaves[i] for i in moving], leaves)
        return out, jax.tree.map(lambda _: True, out)

    return mapped
