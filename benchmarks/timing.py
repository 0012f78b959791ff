"""Timing that survives a busy machine: one pinned core, rounds that take turns, medians, ratios within a round."""

import os
import statistics
import time
from collections.abc import Callable, Mapping

Run = Callable[[], float]
"""Does the work once, waits until it is done, and returns the seconds that it took."""


def pin() -> set[int]:
    """Keep this process and its children on one core; returns the cores it had. Call before JAX is imported."""
    if not hasattr(os, "sched_setaffinity"):
        return set(range(os.cpu_count() or 1))
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    return cores


def unpin(cores: set[int]) -> None:
    """Give this process its cores back, and so its children."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


def timed(work: Callable[[], object]) -> Run:
    """A `Run` of `work`, which returns JAX arrays."""
    import jax

    def run() -> float:
        begin = time.perf_counter()
        jax.block_until_ready(work())
        return time.perf_counter() - begin

    return run


def interleave(runs: Mapping[str, Run], rounds: int) -> dict[str, list[float]]:
    """Seconds of each run in each round; every round runs all of them, the order turned by one each time."""
    for run in runs.values():
        run()  # compiles, and touches its memory
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    for k in range(rounds):
        turn = k % len(names)
        for name in names[turn:] + names[:turn]:
            seconds[name].append(runs[name]())
    return seconds


def ratio(of: list[float], to: list[float]) -> float:
    """The median over rounds of the ratio within a round."""
    return statistics.median(a / b for a, b in zip(of, to, strict=True))
