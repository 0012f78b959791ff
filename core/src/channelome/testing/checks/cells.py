"""Checks of cells and networks that a pack holds as data."""

from typing import Any

import jax
import numpy as np

from ...engine.simulation import simulate
from ...errors import ChannelomeError
from ...models import load
from ..kit import Check, Problems, check
from ..subjects import CellSubject


@check(
    level="quick",
    hint="Names, parameters and units of a cell's file are those of installed packs: `channelome show NAME`.",
)
def built(subject: CellSubject) -> Problems:
    """It is built from its file, and starts with finite numbers and gates in [0, 1]."""
    made: Any = _made(subject)
    running = made if made.pointwise else made.ready()
    state = running.initial_state()
    for label, gates in state.channels.items():
        for gate, x in gates.items():
            if not np.all((np.asarray(x) >= 0) & (np.asarray(x) <= 1)):
                yield f"{label}.{gate} starts at {np.ravel(x)[0]}"
    slope = running.derivative(state, lambda V: 0.0 * V)
    if not all(np.all(np.isfinite(x)) for x in jax.tree.leaves(slope)):
        yield "its rate of change at the start is not finite"


@check(level="full", hint="Look at its currents one by one: `channelome run` shows them.")
def runs(subject: CellSubject) -> Problems:
    """It runs for 100 ms, with finite numbers and V between -200 and 200 mV."""
    V = np.asarray(simulate(_made(subject), "100 ms", dt="0.05 ms")["V"])
    if not np.all(np.abs(V) < 200):
        yield f"V reaches {V[np.unravel_index(np.argmax(np.abs(V)), V.shape)]:.3g} mV"


@check(level="quick", hint="Names, parameters and units of a network's file are those of installed packs.")
def wired(subject: CellSubject) -> Problems:
    """It is built from its file, with finite weights."""
    made = _made(subject)
    if not made.projections:
        yield "nothing is connected"
    for label, path in made.projections.items():
        if not np.all(np.isfinite(np.asarray(path.weight))):
            yield f"a weight of '{label}' is not finite"


def _made(subject: CellSubject) -> Any:
    """From its file, beside which the shapes of reconstructed cells may be."""
    try:
        return load(subject.path, on_mismatch="ignore")
    except ChannelomeError as error:
        raise type(error)(str(error).replace(str(subject.path), subject.path.name)) from None


CELLS: tuple[Check, ...] = (built, runs)
NETWORKS: tuple[Check, ...] = (wired,)
