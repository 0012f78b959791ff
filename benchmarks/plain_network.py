"""The COBAHH network as an expert writes it by hand in jax.numpy: the staggered scheme of `plain_jnp`, spikes compacted by `nonzero`."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import plain_jnp
from plain_jnp import DT, linoid_series, rates

from channelome.engine.loops import compiler_options

AT_ONCE = 64
"""Spikes that are delivered together."""
DECAY = tuple(np.float32(np.exp(-DT / tau)) for tau in (5.0, 10.0))
WEIGHT = (np.float32(0.03), np.float32(0.335))
"""6 and 67 nS on 20,000 um^2, in mS/cm^2."""
REVERSAL = (np.float32(0.0), np.float32(-80.0))


def table(wiring: Any) -> np.ndarray:
    """Targets of each source in a row, filled up with the number past the last neuron."""
    edges = wiring.edges
    out = np.full((edges.counts.size, edges.counts.max()), edges.n_post, np.int32)
    out[np.arange(out.shape[1]) < edges.counts[:, None]] = edges.targets
    return out


def deliver(spiked: Any, targets: Any, g: Any, weight: Any) -> Any:
    """Compact, gather, scatter; again while there are more."""

    def some(loop: Any) -> Any:
        left, g = loop
        (found,) = jnp.nonzero(left, size=AT_ONCE, fill_value=left.shape[0])
        rows = targets.at[found].get(mode="fill", fill_value=g.shape[0])
        return left.at[found].set(False, mode="drop"), g.at[rows].add(weight, mode="drop")

    return jax.lax.while_loop(lambda loop: jnp.any(loop[0]), some, (spiked, g))[1]


def step(state: Any, g: Any, p: Mapping[str, Any]) -> Any:
    """As `plain_jnp.staggered`, with synaptic conductances in the linear part."""
    V, *gates = state
    after = []
    for x, (alpha, beta) in zip(gates, rates(V, p, linoid_series), strict=True):
        z = DT * (alpha + beta)
        after.append((jnp.maximum(1 - z / 2, 0.0) * x + DT * alpha) / jnp.maximum(1 + z / 2, z))
    g_Na, g_K, G = plain_jnp.conductances(*after, p)
    inward = -g_Na * (V - p["E_Na"]) - g_K * (V - p["E_K"]) - p["g_L"] * (V - p["E_L"])
    for one, E in zip(g, REVERSAL, strict=True):
        inward, G = inward + one * (E - V), G + one
    z = DT * G / p["C"]
    return V + DT / p["C"] * inward / jnp.maximum(1 + z / 2, z), *after


def prepare(n: int, steps: int, targets: list[np.ndarray], initial: list[np.ndarray]) -> Callable[[], Any]:
    """The run as a function without arguments; without `targets`, of neurons that send nothing.

    Args:
        targets: of excitatory and of inhibitory sources, by `table`.
        initial: conductances at the start.
    """
    parts = ((0, n * 4 // 5), (n * 4 // 5, n))

    def run(state: Any, g: Any, tables: Any, p: Any) -> Any:
        def one(carry: Any, _: Any) -> Any:
            state, g = carry
            after = step(state, g, p)
            spiked = (state[0] < -20) & (after[0] >= -20)
            if tables:
                arriving = zip(parts, tables, g, DECAY, WEIGHT, strict=True)
                g = [deliver(spiked[a:b], rows, x * d, w) for (a, b), rows, x, d, w in arriving]
            return (after, g), jnp.packbits(spiked)

        return jax.lax.scan(one, (state, g), None, length=steps)

    p = {key: np.float32(value) for key, value in plain_jnp.PARAMETERS.items()}
    V = jnp.asarray(np.random.default_rng(0).normal(-65, 5, n), jnp.float32)
    gates = [alpha / (alpha + beta) for alpha, beta in rates(V, p, linoid_series)]
    jitted = jax.jit(run, compiler_options=compiler_options())
    arguments = (V, *gates), [jnp.asarray(x) for x in initial], [jnp.asarray(x) for x in targets], p
    return lambda: jitted(*arguments)
