"""From a model and what is asked of it to what the engine runs: everything is checked here, before anything is traced."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.core import Tracer

from ..cells.cable import Cable
from ..cells.forest import grown
from ..errors import ModelError
from ..mechanisms.transmission import Coupling
from ..state import NetworkState
from .abreast import abreast_of, rows_abreast
from .blocks import stimuli_together, together
from .clamping import check_places, checked_clamp, checked_clamp_at
from .electrical import Junctions, junctions_of, sides
from .joined import ends_of, joints_of
from .layout import Layout, layout_of
from .model import LONE, Model
from .placed import pin_of
from .plan import Parts, Plan, Times, count_of, is_source
from .records import projection_of, record
from .request import in_precision, is_tracing
from .sharding import shares_for
from .solvers.filled import filled_up
from .stimulated import apart, source_counted, stimuli_of, stream_of
from .trees import over_trees
from .wires import numbers_of, pairs_for, path_of, rows_for


class Prepared(NamedTuple):
    """A run that can begin.

    Attributes:
        rows: under a trace, where `parts` holds the synapses one by one, the same in rows.
        mesh: the devices that share the run; None for one.
    """

    plan: Plan
    parts: Parts
    rows: Mapping[str, Any]
    layout: Layout
    times: Times
    dt: np.ndarray
    tracing: bool
    mesh: Any


def prepared(
    model: Model, *, solver: Any, stimulus: Any, names: Sequence[str], every: int, dt: float, origin: int, state: Any, mesh: Any,
    steps: int | None = None,
) -> Prepared:  # fmt: skip
    """Check the request, lay the model out, and collect the numbers. A clamp's command must last for so many `steps`.

    Raises:
        ModelError, UnitError, UnknownName: as `channelome.simulate`.
    """
    dtype = jax.dtypes.canonicalize_dtype(float)
    _check_solver(model, solver)
    currents, held = apart(model, stimulus)
    clamps = {
        label: (checked_clamp if model.populations[label].pointwise else checked_clamp_at)(
            model.populations[label],
            x,
            dt,
            dtype,
            solver=solver,
            first=origin,
            steps=steps,
            stream=stream_of(model, label, "clamp"),
        )
        for label, x in held.items()
    }
    check_places(model, clamps)
    stimuli = stimuli_of(model, currents, dt, dtype)
    numbers = (model.populations, model.projections, stimuli, clamps, state)
    tracing = is_tracing() or any(isinstance(x, Tracer) for x in jax.tree.leaves(numbers))
    if tracing and any(not isinstance(path.synapse, Coupling) for path in model.projections.values()):
        mesh = None  # synapses under a trace are not shared
    _check_steps(model, dt)
    recorded = {projection_of(name) for name in names} & set(model.projections)
    devices = 1 if mesh is None else mesh.size
    layout = layout_of(
        model.populations, model.projections, dt, recorded=recorded, together=not tracing, apart=_apart(model, clamps, mesh), devices=devices
    )  # fmt: skip
    blocks = {name: _block(model, layout, labels, dt) for name, labels in layout.members.items()}
    pins = {k: pin_of(model.populations[k], held[k]) for k, x in clamps.items() if x.ideal and not blocks[k].pointwise}
    plan = _plan(model, layout, blocks, solver, names, every, clamps, tracing)._replace(pinned=tuple(pins.items()))
    if mesh is None:
        plan = plan._replace(filled=_filled(plan, blocks, clamps))
    parts = _parts(model, layout, plan, blocks, stimuli, dtype)._replace(clamps=in_precision(clamps, dtype))
    if not tracing and mesh is None and not plan.lanes:
        plan = plan._replace(abreast=abreast_of(layout, plan, parts))
    parts = parts._replace(synapses=_synapses(model, layout, plan, dtype, tracing, mesh))
    rows = {
        path.label: rows_for(layout, path, layout.bundles[path.label], dtype, lanes=plan.lanes)
        for path in plan.paths
        if tracing
    }
    ages = {name: np.int32(0) for name, block in blocks.items() if not is_source(block)}
    past = state.steps if isinstance(state, NetworkState) else np.int32(0)
    times = Times(np.int32(origin), past, ages)
    return Prepared(plan, parts, rows, layout, times, np.asarray(dt, dtype), tracing, mesh)


def _apart(model: Model, clamps: Mapping[str, Any], mesh: Any) -> set[str]:
    """Populations that have a block each: what is clamped, and on devices, which share the cells beside one another, each shape."""
    cells = {label for label, x in model.populations.items() if not is_source(x) and not x.pointwise}
    return {*clamps, *cells} if mesh is not None else set(clamps)


def _plan(
    model: Model, layout: Layout, blocks: Mapping[str, Any], solver: Any, names: Sequence[str], every: int,
    clamps: Mapping[str, Any], tracing: bool,
) -> Plan:  # fmt: skip
    """What is static."""
    asked = [name for name in dict.fromkeys(names) if model.network is not None or name != "spikes"]
    return Plan(
        solver=solver,
        sizes=tuple((name, block.size) for name, block in blocks.items()),
        paths=tuple(path_of(layout, name, bundle, tracing) for name, bundle in layout.bundles.items()),
        records=tuple(record(model, layout, name, clamps) for name in asked),
        every=every,
        **_events(model, layout, names, blocks),
        **_joined(model),
        lanes=jax.default_backend() != "cpu",
        held=tuple(label for label, clamp in clamps.items() if clamp.ideal and blocks[label].pointwise),
    )


def _filled(
    plan: Plan, blocks: Mapping[str, Any], clamps: Mapping[str, Any]
) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The blocks of cells with compartments whose cells beside one another are no number that vectors take."""
    if plan.lanes:
        return ()
    other = {*clamps, *(name for joint in plan.joints for name, _ in joint.nodes)}
    cables = {name: x for name, x in blocks.items() if isinstance(x, Cable) and name not in other}
    beside = {name: x.size if x.width is None else x.width for name, x in cables.items()}
    return tuple((name, of) for name, of in beside.items() if of not in ((), (filled_up(math.prod(of)),)))


def _joined(model: Model) -> dict[str, Any]:
    """Gap junctions: those between points, and those of cells with compartments."""
    junctions = junctions_of(model.projections)
    joints = joints_of(junctions, model.projections, model.populations)
    others = {j for joint in joints for j in joint.junctions}
    return {"junctions": tuple(j for j in junctions if j not in others), "joints": joints}


def _all_junctions(plan: Plan) -> list[Junctions]:
    return [*plan.junctions, *(j for joint in plan.joints for j in joint.junctions)]


def _parts(
    model: Model, layout: Layout, plan: Plan, blocks: Mapping[str, Any], stimuli: Mapping[str, Any], dtype: Any
) -> Parts:
    """The numbers, but for the synapses, in the precision of the run."""
    pathways = {path.label: numbers_of(layout, layout.bundles[path.label]) for path in plan.paths}
    for junction in _all_junctions(plan):
        weight = model.projections[junction.label].weight
        pathways[junction.label] = (None, None, weight if np.ndim(weight) == 0 else None, None)
    currents = {}
    for name, labels in layout.members.items():
        each = [stimuli.get(label) for label in labels]
        if layout.places[labels[0]].stand is not None:
            currents[name] = over_trees([model.populations[label] for label in labels], each)
            continue
        counts, place = [layout.places[label].n for label in labels], layout.places[labels[0]]
        currents[name] = stimuli_together(each, counts, place.whole, place.alone, dtype)
    given = {name: current for name, current in currents.items() if current is not None}
    return in_precision(Parts(blocks, pathways, {}, given, {}), dtype)


def _synapses(model: Model, layout: Layout, plan: Plan, dtype: Any, tracing: bool, mesh: Any) -> dict[str, Any]:
    """The synapses by path, to walk or, under a trace, one by one; gap junctions from both sides."""
    found: dict[str, Any] = {}
    for junction in plan.junctions:
        path = model.projections[junction.label]
        n_pre, n_post = (count_of(model.populations[end].size) for end in (junction.pre, junction.post))
        both = sides(path, path.wiring.sources, path.wiring.edges.targets, n_pre, n_post)
        found[junction.label] = in_precision(both, dtype)
    for joint in plan.joints:
        for j in joint.junctions:
            found[j.label] = in_precision(ends_of(joint, model.projections[j.label], model.populations), dtype)
    found |= {abreast.path.label: rows_abreast(layout, abreast, dtype) for abreast in plan.abreast}
    served = {label for abreast in plan.abreast for label in abreast.labels}
    for path in plan.paths:
        if path.label in served:
            continue
        bundle = layout.bundles[path.label]
        if tracing:
            found[path.label] = in_precision(pairs_for(layout, path, bundle), dtype)
        elif mesh is None:
            found[path.label] = rows_for(layout, path, bundle, dtype, lanes=plan.lanes)
        else:
            found[path.label] = shares_for(layout, path, bundle, mesh.size, dtype)
    return found


def _block(model: Model, layout: Layout, labels: list[str], dt: float) -> Any:
    first = model.populations[labels[0]]
    if is_source(first):
        return source_counted(model, labels[0], dt)
    if not first.pointwise:
        return first.ready() if len(labels) == 1 else grown([model.populations[label] for label in labels])
    return together([model.populations[label] for label in labels], layout.places[labels[0]].whole)


def _check_solver(model: Model, solver: Any) -> None:
    """Refuse what is for points only where a cell has compartments."""
    for label, population in model.populations.items():
        if is_source(population) or population.pointwise:
            continue
        whose = f"'{label}'" if label else "the cell"
        if why := getattr(solver, "points_only", ""):
            raise ModelError(
                f"{type(solver).__name__} is a solver for point neurons, and {whose} has compartments: {why}. Take solver='staggered', of "
                f"second order, or 'backward_euler'."
            )


def _events(model: Model, layout: Layout, names: Sequence[str], blocks: Mapping[str, Any]) -> dict[str, Any]:
    """Of which blocks spikes are kept, and how."""
    if model.network is not None:
        counted = tuple((place.block, f"{label}.spikes") for label, place in layout.places.items() if place.alone)
        sources = tuple(name for name, block in blocks.items() if is_source(block))
        return {"events": tuple(name for name in blocks if name not in sources), "numbers": sources, "counted": counted}
    asked = "spikes" in names
    return {"shares": (LONE,) if asked else (), "counted": ((LONE, "spikes"),) if asked else ()}


def _check_steps(model: Model, dt: float) -> None:
    """Refuse a step that is longer than what a synapse does within one."""
    for label, path in model.projections.items():
        longest = path.synapse.longest_step()
        if not isinstance(longest, Tracer) and dt > np.min(longest) * (1 + 1e-9):
            raise ModelError(
                f"the step of {dt:g} ms is longer than the pulse of transmitter of '{label}' ({type(path.synapse).__name__}), "
                f"{np.min(longest):g} ms: take dt of at most that, or a longer T_dur."
            )
