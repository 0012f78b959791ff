"""What a name asks to record, in the arrays of a run."""

import math
from collections.abc import Collection

from ..cells.record import probes
from ..errors import ModelError, UnknownName
from . import clamping
from .layout import Layout
from .model import LONE, Model
from .plan import Record, is_source


def record(model: Model, layout: Layout, name: str, clamped: Collection[str] = ()) -> Record:
    """What ``"V"`` of a lone cell, or ``"cells.V"``, ``"E.INa.m"``, ``"cells[:10].V"``, ``"exc.g"`` of a network stands for.

    Raises:
        UnknownName: where there is no such thing, with what there is.
    """
    if model.network is None:
        cell = model.populations[LONE]
        probe = clamping.probe("", cell, LONE in clamped) if name == clamping.PROBE else probes(cell, [name])[0]
        size = cell.size
        return Record(name, probe.unit, LONE, probe, -1, 0, math.prod(size), 1, size)
    head, _, field = name.partition(".")
    if head in model.projections:
        return _record_of_synapses(model, layout, name, head, field)
    try:
        label, index = model.network.indices(head)
    except ModelError as error:
        raise UnknownName(f"cannot record '{name}': {error}") from None
    population, place = model.populations[label], layout.places[label]
    if is_source(population):
        raise UnknownName(f"cannot record '{name}': '{label}' sends spikes only, which are recorded as they are.")
    try:
        own = field == clamping.PROBE
        probe = clamping.probe(label, population, label in clamped) if own else probes(population, [field])[0]
    except UnknownName as error:
        raise UnknownName(f"cannot record '{name}': {error}") from None
    by = int(index[1] - index[0]) if index.size > 1 else 1
    whole = index.size == place.n
    shape = place.size if whole else (index.size,)
    first = place.first + int(index[0])
    return Record(name, probe.unit, place.block, probe, -1, first, place.first + int(index[-1]) + 1, by, shape)


def _record_of_synapses(model: Model, layout: Layout, name: str, head: str, field: str) -> Record:
    path = model.projections[head]
    if field not in path.synapse.states:
        known = [f"{head}.{state}" for state in path.synapse.states]
        raise UnknownName(f"nothing named '{name}' can be recorded; the projection '{head}' has {', '.join(known)}.")
    lane, place = layout.lanes[head], layout.places[path.wiring.post]
    return Record(
        name, path.unit.symbol, lane.path, field, lane.lane, place.first, place.first + place.n, 1, place.size
    )
