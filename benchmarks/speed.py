"""ns per neuron and step of the TM1991 neuron: channelome, hand-written jnp, and the peers, in the same rounds."""

import statistics
from typing import Any

import channelome_cell
import plain_jnp
from peers import Peers
from timing import Run, interleave, ratio, timed

from channelome.engine.loops import compiler_options

OURS, WRITTEN, EULER = "channelome", "jnp, same scheme", "jnp, exponential Euler"
WIDE = " (512-bit)"

SIZES = {1: 100_000, 1_000: 5_000, 100_000: 60}
"""Neurons, and steps of one run."""


def contenders(n: int, steps: int, peers: Peers) -> dict[str, Run]:
    """What is run, by name. A name that ends in `WIDE` has the compiler option that channelome chooses by itself."""
    ours = channelome_cell.prepare(n, steps)
    runs = {
        OURS: timed(channelome_cell.stepping(ours, options=False)),
        WRITTEN: timed(plain_jnp.prepare(n, steps, plain_jnp.staggered, plain_jnp.linoid_series, {})[0]),
        "jnp, same scheme, expm1": timed(
            plain_jnp.prepare(n, steps, plain_jnp.staggered, plain_jnp.linoid_expm1, {})[0]
        ),
        EULER: timed(plain_jnp.prepare(n, steps, plain_jnp.exp_euler, plain_jnp.linoid_expm1, {})[0]),
        "channelome exp_euler": timed(
            channelome_cell.stepping(channelome_cell.prepare(n, steps, solver="exp_euler"), options=False)
        ),
    }
    options = compiler_options()
    if options:
        runs |= {
            OURS + WIDE: timed(channelome_cell.stepping(ours, options=True)),
            "channelome, whole call" + WIDE: timed(ours),
            "channelome in the user's jit" + WIDE: timed(channelome_cell.prepare_jitted(n, steps)),
            WRITTEN + WIDE: timed(
                plain_jnp.prepare(n, steps, plain_jnp.staggered, plain_jnp.linoid_series, options)[0]
            ),
            EULER + WIDE: timed(plain_jnp.prepare(n, steps, plain_jnp.exp_euler, plain_jnp.linoid_expm1, options)[0]),
        }
    return runs | peers.prepare(n, steps)


def measure(peers: Peers, *, rounds: int, quick: bool) -> list[dict[str, Any]]:
    """A row for each size and contender: ns per neuron and step, and ratios of channelome to it in the same rounds."""
    rows: list[dict[str, Any]] = []
    for n, full in SIZES.items():
        steps = full // 4 if quick else full
        seconds = interleave(contenders(n, steps, peers), rounds)
        best = OURS + WIDE if OURS + WIDE in seconds else OURS
        for name, of in seconds.items():
            same = OURS + WIDE if name.endswith(WIDE) else OURS
            rows.append(
                {
                    "n": n, "name": name, "ns": statistics.median(of) / n / steps * 1e9,
                    "ours_to_it": ratio(seconds[same], of), "default_to_it": ratio(seconds[best], of),
                }
            )  # fmt: skip
    return rows


RECORDED = {1: 100_000, 10: 50_000, 100: 20_000, 1_000: 5_000}
"""Neurons, and steps of one run with V recorded."""


def recorded(*, rounds: int, quick: bool) -> list[dict[str, Any]]:
    """Rows as of `measure` with V recorded at every step: calls of `simulate`, which finds the spikes too, and jnp alone."""
    rows: list[dict[str, Any]] = []
    options = compiler_options()
    for n, full in RECORDED.items():
        steps = full // 4 if quick else full
        runs = {
            OURS: timed(channelome_cell.prepare(n, steps, record=("V",))),
            WRITTEN: timed(plain_jnp.prepare(n, steps, plain_jnp.staggered, plain_jnp.linoid_series, options, record=True)[0]),
            EULER: timed(plain_jnp.prepare(n, steps, plain_jnp.exp_euler, plain_jnp.linoid_expm1, options, record=True)[0]),
        }  # fmt: skip
        seconds = interleave(runs, rounds)
        rows += [
            {
                "n": n,
                "name": name,
                "ns": statistics.median(of) / n / steps * 1e9,
                "default_to_it": ratio(seconds[OURS], of),
            }
            for name, of in seconds.items()
        ]
    return rows


def overhead(*, rounds: int) -> dict[str, float]:
    """Milliseconds of a call of `simulate` beyond its steps, and of 100 ms of one neuron in all, V and spikes recorded."""
    runs = {
        "one step": timed(channelome_cell.prepare(1, 1)),
        "1,000 steps with V recorded": timed(channelome_cell.prepare(1, 1_000, record=("V",))),
        "1,000 steps of 1,000 neurons with V recorded": timed(channelome_cell.prepare(1_000, 1_000, record=("V",))),
        "1,000 steps of 1,000 neurons with V and spikes recorded": timed(
            channelome_cell.prepare(1_000, 1_000, record=("V", "spikes"))
        ),
    }
    return {name: statistics.median(of) * 1e3 for name, of in interleave(runs, rounds).items()}
