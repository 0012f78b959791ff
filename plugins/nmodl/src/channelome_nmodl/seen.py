"""What both sides know of a file beside its currents: what it writes into ions, and its states, under NEURON's names and ours."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from channelome.errors import ModelError
from channelome.mechanisms.ions import Ion

from .meaning import kept
from .oracle import Comparison
from .plan import Plan


class Seen(NamedTuple):
    """A variable.

    Attributes:
        theirs: its name in NEURON.
        species: the ion whose it is here; empty for a channel's.
        ours: its name there: a state, or ``"C_in"``, ``"C_out"``, ``"E"`` of the view.
        is_state: whether NEURON integrates it.
    """

    theirs: str
    species: str
    ours: str
    is_state: bool


def seen(parts: Sequence[tuple[type[Any], Plan]]) -> tuple[Seen, ...]:
    """What of a file's classes can be seen, what it writes into ions first; nothing of a file that keeps no ion."""
    written, states = list[Seen](), list[Seen]()
    names = {name for cls, plan in parts if issubclass(cls, Ion) for name in _written(plan)}
    for cls, plan in parts:
        species = plan.meaning.species if issubclass(cls, Ion) else ""
        if species:
            views = {f"{species}i": "C_in", f"{species}o": "C_out", f"e{species}": "E"}
            own = plan.meaning.file.states
            written += [Seen(name, species, views[name], name in own) for name in _written(plan)]
        for name in plan.meaning.rates:
            if "@" not in name and name not in names:
                states.append(Seen(_of_mechanism(name, plan.meaning.file.name), species, plan.symbols[name], True))
    return (*written, *states) if written else ()


def _written(plan: Plan) -> tuple[str, ...]:
    return tuple(dict.fromkeys(kept(plan.meaning.file)[plan.meaning.species]))


def _of_mechanism(state: str, mechanism: str) -> str:
    """A state as a segment of NEURON has it: ``ca_cad[2]`` of ``ca[2]``."""
    base, bracket, place = state.partition("[")
    return f"{base}_{mechanism}{bracket}{place}"


def value_of(
    one: Seen, states: Mapping[str, Any], ions: Mapping[str, Mapping[str, Any]], views: Mapping[str, Any]
) -> Any:
    """Our value of a variable."""
    if not one.species:
        return states[one.ours]
    own = ions[one.species]
    return own[one.ours] if one.ours in own else getattr(views[one.species], one.ours)


LEAST = 1e-6
"""What a variable that starts from 0 is taken to reach at least: the variable steps of NEURON leave 1e-12 of it, in its own unit."""


def compared(
    names: Sequence[Seen],
    pairs: Sequence[tuple[np.ndarray, np.ndarray, Any]],
    version: str,
    starts: np.ndarray,
    begun: float = 0.0,
) -> Comparison:
    """The largest difference of variables, each relative to the largest that NEURON has of it.

    Args:
        pairs: ours and NEURON's of the same shape, (sweeps, times, variables), and a function that says where a sweep and a time are.
        starts: of shape (variables,): what they start from; of 0 they are relative to `LEAST` at least.
        begun: the largest difference where both start.

    Raises:
        ModelError: where NEURON's are no numbers.
    """
    if not all(np.all(np.isfinite(theirs)) for _, theirs, _ in pairs):
        raise ModelError("NEURON's own numbers of what the file keeps are none.")
    size = np.max([np.max(np.abs(theirs), axis=(0, 1)) for _, theirs, _ in pairs], axis=0)
    size = np.maximum(size, np.where(starts == 0, LEAST, 0.0))
    found = list[tuple[float, str]]()
    for ours, theirs, place in pairs:
        off = np.abs(ours - theirs) / np.where(size > 0, size, 1.0)
        off = np.where(np.isfinite(off), off, np.inf)
        i, j, k = (int(one) for one in np.unravel_index(int(np.argmax(off)), off.shape))
        found.append((float(off[i, j, k]), f"{names[k].theirs} {place(i, j)}"))
    most, where = max(found)
    return Comparison(most, 1.0, begun, where, f"of {_listed(names)}", version)


def _listed(names: Sequence[Seen]) -> str:
    said = [*dict.fromkeys(one.theirs for one in names)]
    if len(said) > 4:
        return f"{', '.join(said[:3])} and {len(said) - 3} more"
    return " and ".join(([", ".join(said[:-1])] if said[1:] else []) + said[-1:])
