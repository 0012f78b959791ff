"""What a name asks to record, in the arrays of a run."""

import math
from collections.abc import Collection

import numpy as np

from ..cells.record import Probe, probes
from ..errors import ModelError, UnknownName, told_of
from ..networks.groups import group_of
from . import clamping
from .layout import Layout, Place
from .model import LONE, Model
from .plan import Let, Record, is_source
from .wires import nodes_of, target_of

_CURRENTS = {"nS": "nA", "mS/cm^2": "uA/cm^2"}
"""By the unit of a conductance that of its current."""


def record(model: Model, layout: Layout, name: str, clamped: Collection[str] = ()) -> Record:
    """What ``"V"`` of a lone cell, or ``"cells.V"``, ``"E.INa.m"``, ``"cells[:10].V"``, ``"exc.g"`` of a network stands for.

    Raises:
        UnknownName: where there is no such thing, with what there is.
    """
    if model.network is None:
        cell = model.populations[LONE]
        probe = clamping.probe("", cell, LONE in clamped) if name == clamping.PROBE else probes(cell, [name])[0]
        shape = probe.shape(cell.size)
        return Record(name, probe.unit, LONE, LONE, probe, -1, 0, math.prod(shape), 1, None, shape)
    head, _, field = name.partition(".")
    if projection_of(name) in model.projections:
        return _record_of_synapses(model, layout, name, head, field)
    try:
        label, index = model.network.indices(head)
    except ModelError as error:
        raise UnknownName(f"cannot record '{name}': {error}") from None
    population = model.populations[label]
    if is_source(population):
        raise UnknownName(f"cannot record '{name}': '{label}' sends spikes only, which are recorded as they are.")
    if field == "spikes":
        raise UnknownName(f"'{name}' need not be asked for: spikes are recorded as they are, run.spikes['{head}'].")
    try:
        own = field == clamping.PROBE
        with told_of(f"'{label}'"):
            probe = clamping.probe(label, population, label in clamped) if own else probes(population, [field])[0]
    except UnknownName as error:
        raise UnknownName(f"cannot record '{name}': {error}") from None
    asked, place = probe, layout.places[label]
    if place.stand is not None:
        rows = place.stand.of(probe.part)[list(probe.rows or ())]
        probe, place = probe._replace(rows=tuple(rows.ravel().tolist()), trees=rows.shape[1]), place.own
    record = _record(name, probe.unit, place.block, probe, -1, place, _over_places(index, asked))
    if not probe.several:
        return record
    cells = place.size if index.size == place.n else (index.size,)
    return record._replace(shape=asked.shape(cells))


def _over_places(index: np.ndarray, asked: Probe) -> np.ndarray:
    """The numbers of neurons among the values of a probe, which has several of each."""
    if not asked.several or asked.rows is None:
        return index
    k = len(asked.rows)
    return (index[:, None] * k + np.arange(k)).ravel()


def projection_of(name: str) -> str:
    """The label that a record of a projection begins with."""
    return name.partition(".")[0].partition("[")[0].strip()


def _record(name: str, unit: str, part: str, probe: Probe | Let, lane: int, place: Place, index: np.ndarray) -> Record:
    whole = index.size == place.n
    shape = place.size if whole else (index.size,)
    first, last = place.first + int(index[0]), place.first + int(index[-1])
    by = int(index[1] - index[0]) if index.size > 1 else 1
    if np.all(np.diff(index) == by):
        return Record(name, unit, part, place.block, probe, lane, first, last + 1, by, None, shape)
    listed = tuple(int(i) + place.first for i in index)
    return Record(name, unit, part, place.block, probe, lane, first, last + 1, 1, listed, shape)


def _record_of_synapses(model: Model, layout: Layout, name: str, head: str, field: str) -> Record:
    label = projection_of(name)
    path, lane, unit = model.projections[label], layout.lanes[label], model.projections[label].unit.symbol
    released = () if path.plasticity is None else tuple(path.plasticity.states)
    states = path.synapse.states
    places = 1 if path.wiring.landing is None else len(path.wiring.landing.compartments)
    summed = places > 1 and field == "g"
    if field in states and not summed:
        probe = Let(field)
    elif field == "g" and states:
        probe = Let()
    elif field == "current" and states:
        probe, unit = Let(as_current=unit in _CURRENTS), _CURRENTS.get(unit, unit)
    elif field in released:
        probe, unit = Let(field, at_source=True), "1"
    else:
        known = [f"{label}.{x}" for x in dict.fromkeys([*(("g", "current") if states else ()), *states, *released])]
        raise UnknownName(
            f"nothing named '{name}' can be recorded; the projection '{label}' has {', '.join(known) or 'nothing'}."
        )
    if places > 1 and probe.field and not probe.at_source:
        raise UnknownName(
            f"'{name}' has a value at each of {places} places: record their sum, '{label}.g' or '{label}.current'."
        )
    end = path.wiring.pre if probe.at_source else path.wiring.post
    place = layout.places[end] if probe.at_source else target_of(layout, path.wiring)
    try:
        _, index = group_of(head, {label: place.size}, {}, f"cannot record '{name}'")
    except ModelError as error:
        raise UnknownName(str(error)) from None
    found = _record(name, unit, lane.path, probe, -1 if probe.at_source else lane.lane, place, index)
    if probe.at_source:
        return found
    bundle = layout.bundles[lane.path]
    member = next(member for member in bundle.members if member.label == label)
    span = bundle.span(member, layout.places) if bundle.across else None
    return found._replace(nodes=nodes_of(path.wiring, layout), places=places, span=span)
