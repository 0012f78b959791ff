"""`simulate`: one door for lone cells and networks, and the results that each is handed."""

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..errors import ModelError
from ..networks import Network
from ..results import Activity, SpikeTrains, Traces, crossings
from ..results.along import Located, located
from ..state import NetworkState, State
from .collected import counts_of, of_groups
from .continuing import checked_network_state
from .model import LONE, Model
from .prepare import Prepared, prepared
from .provenance import Provenance, provenance
from .records import projection_of
from .request import at_least_one, checked_state, first_step, whole_steps
from .run import Ran, chunked
from .sharding import check_shares, mesh_of
from .solvers import solver as find_solver
from .states import in_arrays, outside
from .traced import traced


def simulate(
    cell: Any,
    duration: Any,
    *,
    dt: Any,
    stimulus: Any = None,
    record: str | Sequence[str] | None = None,
    every: int = 1,
    solver: Any = "staggered",
    state: State | NetworkState | None = None,
    start: Any = None,
    progress: bool | None = None,
    chunk: int | None = None,
    segment: int | None = None,
    devices: Any = None,
    check: bool = True,
) -> Any:
    """Run a cell or a network for `duration` and return what was recorded, t = 0 included.

    Works on its own, where it compiles once for each structure and goes in chunks, and inside ``jax.jit``, ``jax.vmap``
    and ``jax.grad``, where it is one scan, with checkpointed gradients.

    Args:
        cell: a cell or a `Network`; its parameters, the stimulus and the state are arguments of the compiled program.
        duration: with a unit; a whole number of steps times `every`.
        dt: the step, with a unit.
        stimulus: injected current: of `step`, `ramp`, `sine`, `noise`, `pulses`, `samples` or `function`, or a constant; or a
            `voltage_clamp`. For a network by population: ``{"cells": step("0.1 nA")}``.
        record: names: ``"V"``, ``"INa.m"`` (a gate), ``"INa.current"`` (a current density), ``"ca.C_in"``, ``"ca.E"``,
            ``"spikes"``, of a clamp ``"clamp.current"``. ``"V"`` if None. In a network below a population, a group or a part, ``"cells[:5].V"``, or a
            projection, ``"exc.g"``; nothing if None, and spikes are recorded as they are.
        every: record every so many steps. Spikes are found at every step.
        solver: a registered name, or an object that is a `Solver`.
        state: where to start, for instance ``traces.final``; the cell's `initial_state` if None.
        start: the time at which the run begins, with a unit, for stimuli and in `t`; 0 if None, also of a run that goes on.
        progress: show a progress bar; if None, on long runs in a terminal or notebook.
        chunk: samples per chunk, if the default (by memory and length) shall not be used.
        segment: samples between which reverse-mode differentiation recomputes; by default all while the states of all steps take
            less than 32 MB, else about the square root of all.
        devices: share the neurons of each population among so many devices, or among those given; results stay the same. Under a trace what
            has synapses is not shared.
        check: raise where the state became NaN or infinite, with the time and the place. Not possible under a trace.

    Returns:
        `Traces`, of a network `Activity`, with arrays of shape (samples, *size); sample k is the state at ``t[k]``.
        Ctrl-C returns what was computed until then, with ``interrupted`` set.

    Raises:
        UnknownName: for an unknown solver or record.
        ModelError: for a duration that is no whole number of steps, a stimulus finer than `dt` or of another shape, a population that `devices`
            cannot share evenly.
        UnitError: for a missing or wrong unit.
        SimulationError: where the state became NaN or infinite.
    """
    step_ms, count = whole_steps(duration, dt, every)
    every, chunk, segment = int(every), _samples("chunk", chunk), _samples("segment", segment)
    origin_step = first_step(start, step_ms, count * every)
    model = Model.of(cell)
    names = _names(model, record)
    mesh = None if devices is None else mesh_of(devices)
    if mesh is not None:
        check_shares([(label, part.size) for label, part in model.populations.items()], mesh.size)
    prepare = functools.partial(
        prepared, model, solver=find_solver(solver), stimulus=stimulus, every=every, dt=step_ms, origin=origin_step,
        state=state, mesh=mesh, steps=count * every,
    )  # fmt: skip
    run = prepare(names=names)
    begin = _begun(model, run, state)
    origins = provenance(model, run.plan.solver, step_ms)
    if run.tracing:
        final, data = traced(run, begin, count, segment)
        final = outside(run.layout, final)
        return _traced_results(model, run, names, final, data, origin_step, count, step_ms, origins)
    ran = chunked(run, begin, count, dt=step_ms, length=chunk, progress=progress, check=check)
    t = (origin_step + np.arange(ran.samples + 1) * every) * step_ms
    if model.network is None:
        again = functools.partial(_V_again, model.populations[LONE], prepare, begin, ran.samples, step_ms)
        return _traces(model, run, ran, names, t, begin, origin_step, step_ms, origins, again)
    return _activity(model, run, ran, t, origin_step, origins)


def _samples(name: str, asked: Any) -> int | None:
    return None if asked is None else at_least_one(name, asked, "a whole number of samples")


def _names(model: Model, record: str | Sequence[str] | None) -> tuple[str, ...]:
    if record is None:
        return ("V",) if model.network is None else ()
    names = (record,) if isinstance(record, str) or not isinstance(record, Iterable) else tuple(record)
    if not all(isinstance(name, str) for name in names):
        raise ModelError(f"record is a name such as 'V', or a list of names, not {record!r:.80}.")
    return names


def _begun(model: Model, run: Prepared, state: Any) -> NetworkState | None:
    """The state that the run begins from, checked and in the arrays of the run; None for rest."""
    if state is None:
        return None
    if model.network is None:
        cell = checked_state(model.populations[LONE], state, run.dt.dtype)
        return in_arrays(run.layout, NetworkState({LONE: cell}, {}, {}, {}, np.int32(0)))
    return in_arrays(run.layout, checked_network_state(run, state))


# ---- what comes back -----------------------------------------------------------------------------------------------


def _units(model: Model, run: Prepared, names: Sequence[str]) -> dict[str, str]:
    asked = {"spikes": "1"} if model.network is None and "spikes" in names else {}
    return {record.name: record.unit for record in run.plan.records} | asked


def _traced_results(
    model: Model, run: Prepared, names: Sequence[str], final: NetworkState, data: dict[str, Any], first: int, count: int,
    dt: float, origins: Provenance,
) -> Any:  # fmt: skip
    t = jnp.asarray((first + np.arange(count + 1) * run.plan.every) * dt, run.dt.dtype)
    units = _units(model, run, names)
    places = _places(model, run)
    if model.network is None:
        return Traces(t=t, data={name: data[name] for name in units}, units=units, end=final.cells[LONE], places=places)
    units |= {name: "1" for _, name in run.plan.counted}
    data = {name: data[name] for name in units}
    return Activity(t=t, data=data, units=units, end=final, provenance=origins, places=places)


def _places(model: Model, run: Prepared) -> Located | None:
    """Where on cells with compartments the records stand; None of a lone population of points."""
    names = [record.name for record in run.plan.records]
    if model.network is None:
        cell = model.populations[LONE]
        return None if cell.pointwise else located((name, cell, name) for name in names)
    own = [name for name in names if projection_of(name) not in model.projections]
    return located((name, *_asked(model.network, name)) for name in own)


def _asked(network: Network, name: str) -> tuple[Any, str]:
    """The population that a record is of, and what is asked of it."""
    head, _, field = name.partition(".")
    return network.populations[network.indices(head)[0]], field


def _traces(
    model: Model, run: Prepared, ran: Ran, names: Sequence[str], t: Any, begin: NetworkState | None, first: int, dt: float,
    origins: Provenance, again: Any,
) -> Traces:  # fmt: skip
    cell: Any = model.populations[LONE]
    data = _read_only(run, ran)
    spikes: Any = ran.collected.spikes(first).get(LONE)
    if spikes is None and "V" in data and run.plan.every == 1 and cell.pointwise:
        spikes = crossings(t, data["V"], cell.V_th)
    if spikes is None:
        spikes = functools.partial(_found_again, run, begin, ran.samples, first, dt)
    if "spikes" in names:
        data["spikes"] = counts_of(spikes, t, cell.size, run.dt.dtype)
        data["spikes"].flags.writeable = False
    return Traces(
        t=t, data=data, units=_units(model, run, names), spikes=spikes, end=lambda: ran.final().cells[LONE],
        interrupted=ran.interrupted, V_th=float(cell.V_th) if np.ndim(cell.V_th) == 0 else None, provenance=origins,
        places=_places(model, run), again=None if cell.pointwise else again,
    )  # fmt: skip


def _V_again(
    cell: Any, prepare: Any, begin: NetworkState | None, count: int, dt: float
) -> tuple[Located | None, np.ndarray]:
    """V of all compartments of a lone cell, and where it stands, by the same run once more: for pictures of the whole cell, of which most
    runs record a few places."""
    ran = chunked(prepare(names=("V",)), begin, count, dt=dt, length=None, progress=None, check=False)
    return located([("V", cell, "V")]), ran.collected.data["V"][: count + 1]


def _found_again(run: Prepared, begin: NetworkState | None, count: int, first: int, dt: float) -> SpikeTrains:
    """The spikes of a lone cell by the same run once more, which looks at V at every step. To look costs a small population up to
    three times its steps, and most runs that record something else never ask."""
    looking = run._replace(plan=run.plan._replace(records=(), shares=(LONE,)))
    ran = chunked(looking, begin, count, dt=dt, length=None, progress=None, check=False)
    return ran.collected.spikes(first)[LONE]


def _activity(model: Model, run: Prepared, ran: Ran, t: np.ndarray, first: int, origins: Provenance) -> Activity:
    assert model.network is not None
    spikes = ran.collected.spikes(first)
    return Activity(
        t=t, data=_read_only(run, ran), units=_units(model, run, ()), spikes=spikes | of_groups(model.network, spikes),
        end=ran.final, interrupted=ran.interrupted, provenance=origins, places=_places(model, run),
    )  # fmt: skip


def _read_only(run: Prepared, ran: Ran) -> dict[str, Any]:
    data = {record.name: ran.collected.data[record.name][: ran.samples + 1] for record in run.plan.records}
    for samples in data.values():
        samples.flags.writeable = False
    return data
