"""Ways to bring spikes to their targets, by spikes per step: microseconds per step on one core.

4,000 sources with 80 synapses each onto 4,000 neurons, one weight; the sources that spike change from step to step.
"""

import statistics
from collections.abc import Callable
from typing import Any

import delivery_spikes
import jax
import jax.numpy as jnp
import numpy as np
import plain_network
from delivery_spikes import STEPS, N
from jax.experimental import sparse
from timing import Run, interleave, timed

from channelome.engine.delivery import Pairs, blocks, pack, product, walk
from channelome.networks.edges import Edges
from channelome.networks.rows import Rows, laid_out, rows_of

SPIKES = (0, 1, 4, 16, 64, 400)
WINDOW = 15
"""Steps that are delivered together where the delay allows it: 1.5 ms at 0.1 ms."""

Way = Callable[[Any, Any], Any]
"""From who spiked, a row for each step, and the conductances, to the conductances after all."""


def edges() -> Edges:
    counts, targets = delivery_spikes.edges()
    return Edges(counts, targets, N)


def ways(wiring: Edges) -> dict[str, Way]:
    """By name. What needs a copy of the synapses in another form closes over it."""
    shape = rows_of(wiring.counts)
    rows = Rows(shape.starts, jnp.asarray(laid_out(shape, wiring.targets, np.int32(N))), None, None)
    pairs = Pairs(jnp.asarray(wiring.sources), jnp.asarray(wiring.targets), None)
    whole = np.zeros((N, N), np.float32)
    np.add.at(whole, (wiring.targets, wiring.sources), 1)
    dense, bcoo = jnp.asarray(whole), sparse.BCOO.fromdense(whole)

    def by_step(one: Callable[[Any, Any], Any]) -> Way:
        return lambda flags, g: jax.lax.scan(lambda g, spiked: (one(spiked, g * 0.98), None), g, flags)[0]

    def windows(flags: Any, g: Any) -> Any:
        """All spikes of a window compacted at once, each put into the slot of its own step."""
        inside = flags.reshape(-1, WINDOW, N)

        def window(g: Any, spiked: Any) -> Any:
            slots = _batched(spiked, rows.targets)
            return jax.lax.scan(lambda g, arrived: (g * 0.98 + arrived, None), g, slots)[0], None

        return jax.lax.scan(window, g, inside)[0]

    return {
        "no delivery": by_step(lambda spiked, g: g + spiked[:1]),
        "walk over packed bits (default on a CPU)": by_step(lambda s, g: walk(rows, pack(s), None, g, 0)),
        "cumulative sum, 256 rows at once (default elsewhere)": by_step(lambda s, g: blocks(rows, pack(s), None, g, 0)),
        "`nonzero`, 64 spikes at once": by_step(lambda s, g: plain_network.deliver(s, rows.targets, g, jnp.float32(1))),
        f"windows of {WINDOW} steps (needs delays)": windows,
        "all synapses, gather and scatter (gradients)": by_step(lambda s, g: product(pairs, s.astype(g.dtype), g)),
        "sparse matrix (BCOO) times vector": by_step(lambda s, g: g + bcoo @ s.astype(g.dtype)),
        "dense matrix times vector": by_step(lambda s, g: g + dense @ s.astype(g.dtype)),
    }


def _batched(spiked: Any, targets: Any, at_once: int = 64) -> Any:
    flat = spiked.ravel()
    ends = jnp.cumsum(flat.astype(jnp.int32))

    def some(loop: Any) -> Any:
        done, out = loop
        found = jnp.searchsorted(ends, done + 1 + jnp.arange(at_once))
        step, source = found // N, found % N
        here = targets.at[jnp.where(found < flat.size, source, N)].get(mode="fill", fill_value=N)
        return done + at_once, out.at[step[:, None], here].add(1.0, mode="drop")

    start = jnp.zeros((), jnp.int32), jnp.zeros((WINDOW, N), jnp.float32)
    return jax.lax.while_loop(lambda loop: loop[0] < ends[-1], some, start)[1]


def measure(
    rounds: int, peers: Any = None, *, counts: tuple[int, ...] = SPIKES, steps: int = STEPS
) -> list[dict[str, Any]]:
    """Microseconds per step of each way for each number of spikes per step."""
    table: list[dict[str, Any]] = []
    jitted = {name: jax.jit(way) for name, way in ways(edges()).items()}
    g = jnp.zeros(N, jnp.float32)
    for per_step in counts:
        flags = jnp.asarray(delivery_spikes.spiking(per_step)[:steps])
        runs: dict[str, Run] = {name: timed(lambda way=way, flags=flags: way(flags, g)) for name, way in jitted.items()}
        if peers is not None:
            runs |= peers.prepare(N, STEPS, per_step)
        for name, seconds in interleave(runs, rounds).items():
            table.append({"name": name, "spikes": per_step, "us": statistics.median(seconds) / steps * 1e6})
    return table


def same(steps: int = STEPS) -> float:
    """The largest relative difference between the results of the ways, which have to agree."""
    flags = jnp.asarray(delivery_spikes.spiking(16)[:steps])
    out = {name: np.asarray(jax.jit(way)(flags, jnp.zeros(N))) for name, way in ways(edges()).items()}
    first = out["walk over packed bits (default on a CPU)"]
    return max(float(np.abs(x - first).max() / first.max()) for name, x in out.items() if name != "no delivery")
