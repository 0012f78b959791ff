"""A state that left the numbers: which, of which neuron, and when."""

from collections.abc import Iterator
from typing import NoReturn

import numpy as np

from ..errors import SimulationError
from ..results.archive import fetched
from ..state import NetworkState
from .layout import Layout
from .loops import Running, find_fault
from .model import LONE
from .prepare import Prepared
from .states import by_label
from .step import state_of
from .suspects import began

WAY_OUT = "The step dt = {dt:g} ms may be too long for this solver, or a weight or parameter far off."


def report_fault(run: Prepared, running: Running, dt: float, first: int, samples: int) -> NoReturn:
    """Run the chunk again, step by step, and raise with the first time and place that is not finite.

    Args:
        running: where the chunk began.
        first, samples: number of the sample at which it began, and how many it has.

    Raises:
        SimulationError: always.
    """
    plan, begun = run.plan, first * run.plan.every
    if run.mesh is None:
        if first == 0:
            times = run.times._replace(ages=running.ages)
            now = by_label(run.layout, state_of(plan, run.parts, running.carry, times, np.int32(0), run.dt))
            for name, fault, _ in _faults(now):
                part = f" of {name.split('.')[0]}" if name != "V" else ""
                raise SimulationError(
                    f"{name} is {fault} at the start, t = 0: check the initial V and the parameters{part}."
                )
        n, *states = find_fault(
            plan, run.parts, running, run.times, run.dt, np.int32(begun), np.int32(samples * plan.every)
        )
        before, after = (by_label(run.layout, x) for x in states)
        t = (int(run.times.origin) + int(n)) * dt
        for name, fault, where in _faults(after):
            message = _at_once(run.layout, name, fault, before, after, t, dt)
            raise SimulationError(message or _found(name, fault, where, before, t, dt, _whose(run.layout, name, where)))
    end = (first + samples) * plan.every * dt
    raise SimulationError(
        f"a state became NaN or infinite between t = {begun * dt:g} and {end:g} ms. {WAY_OUT.format(dt=dt)}"
    )


def _at_once(
    layout: Layout, name: str, fault: str, before: NetworkState, after: NetworkState, t: float, dt: float
) -> str | None:
    """Of a cell whose V left the numbers in all compartments at once, where that began, as far as can be told; None of others."""
    label = name.partition(".")[0]
    label = label if label in layout.places else LONE
    place = layout.places.get(label)
    if place is None or place.pointwise:
        return None
    last, V = fetched(before.cells[label].V), fetched(after.cells[label].V)
    lost = np.asarray(~np.isfinite(V).any(axis=-1))
    if not lost.any():
        return None
    head, way_out = f"{label}." if label else "", WAY_OUT.format(dt=dt)
    found = began(place.cell, before.cells[label], dt)
    if found is not None and found[1][lost].any():
        part, wrong = found
        where = tuple(map(int, np.argwhere(wrong & lost[..., None])[0]))
        return f"{head}{part} of {_whose(layout, f'{head}{part}', where)} became NaN or infinite at t = {t:g} ms, and V of all compartments with it. {way_out}"
    cell = tuple(map(int, np.argwhere(lost)[0]))
    low, high = (
        f"{last[cell][k]:g} mV in {_whose(layout, f'{head}V', (*cell, int(k)))}"
        for k in (last[cell].argmin(), last[cell].argmax())
    )
    was = low if low == high else f"from {low} to {high}"
    return (
        f"{head}V became {fault} in all compartments at once at t = {t:g} ms, since what happens in one reaches all; the step before it was "
        f"{was}. A stimulus may be far off, too. {way_out}"
    )


def _whose(layout: Layout, name: str, where: tuple[int, ...]) -> str:
    """Of which neuron, and where on it, something is."""
    place = layout.places.get(name.partition(".")[0], layout.places.get(LONE))
    if place is None or place.pointwise:
        return f"neuron {where[0] if len(where) == 1 else tuple(map(int, where))}"
    *cell, node = where
    part = name.split(".")[-2] if "." in name else ""
    tree = place.cell.compartments.tree
    nodes = (
        np.sort(tree.position[place.cell.numbers(part)]) if part in dict(place.cell.regions) else np.arange(len(tree))
    )
    number = int(tree.node[nodes[node]])
    beyond = number >= len(place.cell.compartments)
    at = place.cell.compartments.label(int(place.cell.compartments.parent[number]) if beyond else number)
    whose = f" of neuron {cell[0] if len(cell) == 1 else tuple(map(int, cell))}" if cell else ""
    return f"{'the branch point beyond ' * beyond}{at}{whose}"


def _found(name: str, fault: str, where: tuple[int, ...], before: NetworkState, t: float, dt: float, whose: str) -> str:
    known = dict(_named(before))
    said = f"it was {known[name][where]:g} the step before"
    voltage = name.rpartition(".")[0].split(".")[0] if name.endswith(".V") else name.split(".")[0]
    V = known.get(f"{voltage}.V") if voltage in before.cells else known.get("V")
    if V is not None and V.shape == known[name].shape:
        said += f", at V = {V[where]:g} mV"
    return f"{name} of {whose} became {fault} at t = {t:g} ms ({said}). {WAY_OUT.format(dt=dt)}"


def _faults(state: NetworkState) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Names, kinds and places of what is not finite; gates and concentrations first, since V follows them."""
    for name, x in _named(state):
        wrong = ~np.isfinite(x)
        if np.any(wrong):
            yield (
                name,
                "NaN" if np.any(np.isnan(x)) else "infinite",
                tuple(map(int, np.unravel_index(int(np.argmax(wrong)), x.shape))),
            )


def _named(state: NetworkState) -> Iterator[tuple[str, np.ndarray]]:
    for label, cell in state.cells.items():
        head = f"{label}." if label else ""
        for group in (cell.channels, cell.ions):
            for part, values in group.items():
                for field, value in values.items():
                    yield f"{head}{part}.{field}", fetched(value)
        yield f"{head}V", fetched(cell.V)
    for label, values in state.synapses.items():
        for field, value in values.items():
            yield f"{label}.{field}", fetched(value)
