"""The same neuron through channelome: by name, `SingleCompartment` and `simulate`, as a modeller runs it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
from plain_jnp import CURRENT, DT

import channelome as ch
from channelome.engine import loops, run


def cell(n: int) -> Any:
    return ch.cell("PointNeuron_Brette2007", size=n)


def prepare(n: int, steps: int, *, solver: str = "staggered", record: tuple[str, ...] = ()) -> Callable[[], Any]:
    """`simulate` as a function without arguments. It waits for the run by itself, to see whether V is finite."""
    neuron, duration = cell(n), (steps * DT, "ms")

    def run() -> Any:
        stimulus = (CURRENT, "uA/cm^2")
        return ch.simulate(
            neuron, duration, dt=(DT, "ms"), stimulus=stimulus, record=record, solver=solver, progress=False
        )

    return run


def prepare_jitted(n: int, steps: int) -> Callable[[], Any]:
    """`simulate` inside a `jax.jit` of the user's own, who gives it channelome's compiler options."""

    @jax.jit
    def plain(neuron: Any) -> Any:
        traces = ch.simulate(neuron, (steps * DT, "ms"), dt=(DT, "ms"), stimulus=(CURRENT, "uA/cm^2"), record=())
        return traces.final

    tuned = jax.jit(plain.__wrapped__, compiler_options=loops.compiler_options())
    neuron = cell(n)
    return lambda: tuned(neuron)


@contextmanager
def compiled_by(compiled: Callable[[bool], Any]) -> Iterator[None]:
    """Let `simulate` run what `compiled` makes in place of its own compiled loop: to take its options away, or to look at it."""
    own = run.compiled_chunk
    run.compiled_chunk = compiled
    try:
        yield
    finally:
        run.compiled_chunk = own


def program_of(work: Callable[[], Any]) -> tuple[Any, tuple[Any, ...]]:
    """The compiled loop and the arguments with which `work`, a call of `simulate`, runs it first."""
    own, calls = run.compiled_chunk, []

    def compiled(lone: bool) -> Any:
        def chunk(*arguments: Any) -> Any:
            calls.append((own(lone), arguments))
            return own(lone)(*arguments)

        return chunk

    with compiled_by(compiled):
        work()
    return calls[0]


def stepping(work: Callable[[], Any], *, options: bool) -> Callable[[], Any]:
    """The compiled loop of `work` alone, with or without channelome's compiler options: what a long run comes down to."""
    own, arguments = program_of(work)
    chunk = own if options else jax.jit(loops.chunk, static_argnums=(0, 1))
    return lambda: chunk(*arguments)
