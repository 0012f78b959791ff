"""Checks of cells and networks that a pack holds as data."""

import tomllib
from typing import Any

import jax
import numpy as np

from ...engine.simulation import simulate
from ...models import cell, network
from ..kit import Check, Problems, check
from ..subjects import CellSubject


@check(
    level="quick",
    hint="Names, parameters and units of a cell's file are those of installed packs: `channelome show NAME`.",
)
def built(subject: CellSubject) -> Problems:
    """It is built from its file, and starts with finite numbers and gates in [0, 1]."""
    made: Any = cell(_table(subject))
    state = made.initial_state()
    for label, gates in state.channels.items():
        for gate, x in gates.items():
            if not np.all((np.asarray(x) >= 0) & (np.asarray(x) <= 1)):
                yield f"{label}.{gate} starts at {np.ravel(x)[0]}"
    slope = made.derivative(state, lambda V: 0.0 * V)
    if not all(np.all(np.isfinite(x)) for x in jax.tree.leaves(slope)):
        yield "its rate of change at the start is not finite"


@check(level="full", hint="Look at its currents one by one: `channelome run` shows them.")
def runs(subject: CellSubject) -> Problems:
    """It runs for 100 ms, with finite numbers and V between -200 and 200 mV."""
    V = np.asarray(simulate(cell(_table(subject)), "100 ms", dt="0.05 ms")["V"])
    if not np.all(np.abs(V) < 200):
        yield f"V reaches {V[np.unravel_index(np.argmax(np.abs(V)), V.shape)]:.3g} mV"


@check(level="quick", hint="Names, parameters and units of a network's file are those of installed packs.")
def wired(subject: CellSubject) -> Problems:
    """It is built from its file, with finite weights."""
    made = network(_table(subject))
    if not made.projections:
        yield "nothing is connected"
    for label, path in made.projections.items():
        if not np.all(np.isfinite(np.asarray(path.weight))):
            yield f"a weight of '{label}' is not finite"


def _table(subject: CellSubject) -> dict[str, Any]:
    return tomllib.loads(subject.path.read_text(encoding="utf-8"))


CELLS: tuple[Check, ...] = (built, runs)
NETWORKS: tuple[Check, ...] = (wired,)
