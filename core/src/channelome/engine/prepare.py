"""From a model and what is asked of it to what the engine runs: everything is checked here, before anything is traced."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.core import Tracer

from ..cells.record import probes
from ..errors import ModelError, UnknownName
from ..networks import Network
from ..networks.projection import Pathway
from ..state import NetworkState
from .blocks import stimuli_together, together
from .electrical import junctions_of
from .layout import Layout, layout_of
from .plan import Parts, Plan, Record, Times, is_source
from .request import checked_stimulus, in_precision, is_tracing
from .sharding import shares_for
from .wires import coupling_of, numbers_of, pairs_for, path_of, rows_for

LONE = ""
"""The label of the one population of a lone cell."""


class Model(NamedTuple):
    """What is run: a network, or a lone cell as a network of one population without a name."""

    populations: Mapping[str, Any]
    projections: Mapping[str, Pathway]
    network: Network | None

    @classmethod
    def of(cls, what: Any) -> "Model":
        if isinstance(what, Network):
            return cls(what.populations, what.projections, what)
        return cls({LONE: what}, {}, None)


class Prepared(NamedTuple):
    """A run that can begin."""

    plan: Plan
    parts: Parts
    layout: Layout
    times: Times
    dt: np.ndarray
    tracing: bool


def prepared(
    model: Model, *, solver: Any, stimulus: Any, names: Sequence[str], every: int, dt: float, origin: int, state: Any, mesh: Any
) -> Prepared:  # fmt: skip
    """Check the request, lay the model out, and collect the numbers.

    Raises:
        ModelError, UnitError, UnknownName: as `channelome.simulate`.
    """
    dtype = jax.dtypes.canonicalize_dtype(float)
    stimuli = _stimuli(model, stimulus, dt, dtype)
    numbers = (model.populations, model.projections, stimuli, state)
    tracing = is_tracing() or any(isinstance(x, Tracer) for x in jax.tree.leaves(numbers))
    recorded = {name.partition(".")[0] for name in names} & set(model.projections)
    layout = layout_of(
        model.populations,
        model.projections,
        dt,
        recorded=recorded,
        together=not tracing,
        devices=1 if mesh is None else mesh.size,
    )
    members: dict[str, list[str]] = {}
    for label, place in layout.places.items():
        members.setdefault(place.block, []).append(label)
    blocks = {name: _block(model, labels, dt) for name, labels in members.items()}
    paths = tuple(path_of(layout, name, bundle) for name, bundle in layout.bundles.items())
    junctions = junctions_of(model.projections)
    records = tuple(
        record(model, layout, name) for name in dict.fromkeys(names) if (name, model.network) != ("spikes", None)
    )
    plan = Plan(
        solver, tuple((name, block.size) for name, block in blocks.items()), paths, records, every,
        **_events(model, layout, names, blocks), junctions=junctions, lanes=jax.default_backend() != "cpu",
    )  # fmt: skip
    pathways = {path.label: numbers_of(layout, layout.bundles[path.label]) for path in paths}
    coupled = {j.label: model.projections[j.label] for j in junctions}
    pathways |= {
        label: (None, None, path.weight if np.ndim(path.weight) == 0 else None, None) for label, path in coupled.items()
    }
    counts = {label: math.prod(population.size) for label, population in model.populations.items()}
    currents = {
        name: stimuli_together([stimuli.get(label) for label in labels], [counts[label] for label in labels], dtype)
        for name, labels in members.items()
    }
    parts = in_precision(Parts(blocks, pathways, {}, {name: x for name, x in currents.items() if x is not None}), dtype)
    synapses: dict[str, Any] = {label: in_precision(coupling_of(path), dtype) for label, path in coupled.items()}
    for path in paths:
        bundle = layout.bundles[path.label]
        if tracing:
            synapses[path.label] = in_precision(pairs_for(layout, path, bundle), dtype)
        else:
            synapses[path.label] = (
                rows_for(layout, path, bundle, dtype)
                if mesh is None
                else shares_for(layout, path, bundle, mesh.size, dtype)
            )
    ages = {name: np.int32(0) for name, block in blocks.items() if not is_source(block)}
    past = np.int32(0) if state is None or not isinstance(state, NetworkState) else state.steps
    return Prepared(
        plan,
        parts._replace(synapses=synapses),
        layout,
        Times(np.int32(origin), past, ages),
        np.asarray(dt, dtype),
        tracing,
    )


def _block(model: Model, labels: list[str], dt: float) -> Any:
    if is_source(model.populations[labels[0]]):
        return model.populations[labels[0]].counted(dt)
    return together([model.populations[label] for label in labels])


def _events(model: Model, layout: Layout, names: Sequence[str], blocks: Mapping[str, Any]) -> dict[str, Any]:
    """Of which blocks spikes are kept, and how."""
    if model.network is not None:
        counted = tuple((place.block, f"{label}.spikes") for label, place in layout.places.items() if place.alone)
        return {"events": tuple(blocks), "counted": counted}
    asked = "spikes" in names
    return {"shares": (LONE,) if asked else (), "counted": ((LONE, "spikes"),) if asked else ()}


def _stimuli(model: Model, stimulus: Any, dt: float, dtype: Any) -> dict[str, Any]:
    """The stimuli by population, counted in steps."""
    if stimulus is None:
        return {}
    if model.network is None:
        return {LONE: checked_stimulus(model.populations[LONE], stimulus, dt, dtype)}
    cells = [label for label, part in model.populations.items() if not is_source(part)]
    if not isinstance(stimulus, Mapping):
        raise ModelError(
            f"the stimulus of a network is given by population: stimulus={{{next(iter(model.populations))!r}: step('0.1 nA')}}."
        )
    for name in stimulus:
        if name not in cells:
            raise ModelError(f"there is no population of cells '{name}' to stimulate; there are {', '.join(cells)}.")
    return {name: checked_stimulus(model.populations[name], given, dt, dtype) for name, given in stimulus.items()}


def record(model: Model, layout: Layout, name: str) -> Record:
    """What ``"V"`` of a lone cell, or ``"cells.V"``, ``"E.INa.m"``, ``"cells[:10].V"``, ``"exc.g"`` of a network stands for.

    Raises:
        UnknownName: where there is no such thing, with what there is.
    """
    if model.network is None:
        (probe,) = probes(model.populations[LONE], [name])
        size = model.populations[LONE].size
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
        (probe,) = probes(population, [field])
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
