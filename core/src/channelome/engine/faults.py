"""A state that left the numbers: which, of which neuron, and when."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import SimulationError
from ..state import State
from .program import Plan, find_fault


def report_fault(
    plan: Plan, cell: Any, carry: Any, stimulus: Any, dt: Any, step_ms: float, begin: int, samples: int
) -> None:
    """Run the chunk again, step by step, and raise with the first time and place that is not finite."""
    if begin == 0:
        initial = cell.initial_state() if carry is None else carry
        for name, fault in _faults(initial):
            raise SimulationError(
                f"{name} is {fault} at the start, t = 0: check the initial V and the parameters of {name.split('.')[0]}."
            )
        carry = plan.solver.start(cell, initial, dt)
    first, last = begin * plan.every, samples * plan.every
    number, before, after = find_fault(plan, cell, carry, stimulus, dt, np.int32(first), np.int32(last))
    for name, fault in _faults(after):
        where = np.unravel_index(int(np.argmax(~np.isfinite(_leaf(after, name)))), cell.size)
        old, V = _leaf(before, name)[where], np.asarray(before.V)[where]
        neuron = where[0] if len(where) == 1 else tuple(map(int, where))
        raise SimulationError(
            f"{name} of neuron {neuron} became {fault} at t = {int(number) * step_ms:g} ms (it was {old:g} the step before, at "
            f"V = {V:g} mV). The step dt = {step_ms:g} ms may be too long for this solver, or a parameter far off."
        )
    raise SimulationError(
        f"a state became NaN or infinite between t = {first * step_ms:g} and {(first + last) * step_ms:g} ms. The step "
        f"dt = {step_ms:g} ms may be too long for this solver, or a parameter far off."
    )


def _faults(state: State) -> Iterator[tuple[str, str]]:
    """Names and kinds of what is not finite; gates and concentrations first, since V follows them."""
    for name, x in _named(state):
        if not np.all(np.isfinite(x)):
            yield name, "NaN" if np.any(np.isnan(x)) else "infinite"


def _named(state: State) -> Iterator[tuple[str, np.ndarray]]:
    for group in (state.channels, state.ions):
        for part, values in group.items():
            for field, value in values.items():
                yield f"{part}.{field}", np.asarray(value)
    yield "V", np.asarray(state.V)


def _leaf(state: State, name: str) -> np.ndarray:
    return dict(_named(state))[name]
