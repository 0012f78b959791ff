"""Whether a step is short enough: the same run with half of it, and what the difference says of the error."""

import math
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..engine.model import Model
from ..engine.request import first_step, is_tracing, whole_steps
from ..engine.simulation import simulate
from ..engine.solvers import solver as find_solver
from ..engine.solvers.staggered4 import Staggered4
from ..engine.stimulated import apart, source_counted, stimuli_of
from ..errors import ModelError, SimulationError
from ..mechanisms.transmission import Coupling
from ..networks import Network, Poisson, SpikeSource
from ..results import SpikeTrains, crossings
from ..state import NetworkState
from ..stimuli.clamp import Clamp
from ..stimuli.places import Spot, Spots
from .estimate import ErrorEstimate, Moved

WATCHED = 100
"""Neurons of each population of a network whose V is compared; spikes are of all."""
_ROOM = 1 << 26
"""Values of V that a run may hold; beyond them V is compared at fewer samples."""
_HALVINGS = 8
"""How often a step is halved to find one that an estimate can be based on."""
_TOGETHER, _FAR = 1.0, 5.0
"""In ms and mV: what spikes and a V without spikes may move by where an order still says something."""


def estimate_error(
    model: Any, duration: Any, *, dt: Any, stimulus: Any = None, solver: Any = "staggered", state: Any = None,
    start: Any = None, accuracy: Any = None,
) -> ErrorEstimate:  # fmt: skip
    """Run a cell or a network with the step `dt` and with half of it, and say by how much V, spikes and rates move.

    What is random is the same in both: noise is a function of time, and Poisson sources send the spikes of the shorter step.
    Spike times of solvers of more than second order are found on cubics through four samples; those of networks stand at whole steps.

    Args:
        model, duration, dt, stimulus, solver, state, start: as of `simulate`; the state of a network with delays has spikes under way
            in steps of one length, and cannot be given.
        accuracy: for which a step is to be suggested: in ms of spikes, in mV of V. Where `dt` is too long for an estimate, it
            is halved until one can be made.

    Raises:
        ModelError: for an accuracy that no step reaches in this precision, a network of sources alone, under a transformation of
            JAX, and as `simulate`.
        SimulationError: where the run leaves the numbers at `dt`, if no accuracy is asked for.
        UnitError: for a missing or wrong unit.
    """
    step_ms, _ = whole_steps(duration, dt, 1)
    _check(Model.of(model), state)
    asked = _Asked(model, duration, stimulus, find_solver(solver), solver, state, start)
    if accuracy is None:
        return _estimate(asked, step_ms)
    for halvings in range(_HALVINGS + 1):
        try:
            estimate = _estimate(asked, step_ms / 2**halvings)
        except SimulationError:
            if halvings == _HALVINGS:
                raise
            continue
        if estimate.trusted or estimate.own_steps or halvings == _HALVINGS:
            return replace(estimate, suggested=estimate.dt_for(accuracy))
    raise AssertionError("the loop returns")


# ---- two runs ------------------------------------------------------------------------------------------------------


def _check(model: Model, state: Any) -> None:
    if is_tracing():
        raise ModelError("estimate_error compares the numbers of two runs: call it outside of jit, vmap and grad.")
    if all(map(_sends, model.populations.values())):
        raise ModelError("the network has sources alone, whose spikes no step moves: there is no error to estimate.")
    if isinstance(state, NetworkState) and any(ring is not None for ring in state.rings.values()):
        raise ModelError(
            "the state has spikes under way, counted in steps of the run that it is from, and half the step would count them otherwise: "
            "estimate from the beginning, without state=."
        )


class _Asked(NamedTuple):
    model: Any
    duration: Any
    stimulus: Any
    solver: Any
    given: Any
    state: Any
    start: Any


class _Half(NamedTuple):
    """Of a population in one run: V at the samples that are compared, of shape (samples, neurons), spikes, and the end in ms."""

    V: np.ndarray
    spikes: SpikeTrains
    end: float


def _estimate(asked: _Asked, dt: float) -> ErrorEstimate:
    fine_dt, steps = whole_steps(asked.duration, (dt / 2, "ms"), 1)
    model = _with_given_spikes(asked, fine_dt, steps)
    coarse = _run(asked, model, dt, steps // 2, 1)
    fine = _run(asked, model, fine_dt, steps, 2)
    length = steps * fine_dt
    whole = isinstance(model, Network)
    populations = {name: _moved(coarse[name], fine[name], length, dt, whole) for name in coarse}
    trusted = all(
        (m.spikes < _TOGETHER if sum(m.counts) else m.V < _FAR) for m in populations.values()
    )  # NaN is not less
    name = asked.given if isinstance(asked.given, str) else type(asked.solver).__name__
    dtype = str(jax.dtypes.canonicalize_dtype(float))
    own_steps = getattr(asked.solver, "max_steps", None) is not None
    return ErrorEstimate(dt, length, name, _order(asked, dt), populations, trusted, dtype, whole, own_steps)


def _order(asked: _Asked, dt: float) -> int:
    """By which power of the step the error of this run falls."""
    order = int(getattr(asked.solver, "order", 1))
    model = Model.of(asked.model)
    kinds = [path.synapse for path in model.projections.values()]
    if any(not isinstance(kind, Coupling) for kind in kinds):
        return 1  # a spike stands at the end of its step
    currents, clamps = apart(model, asked.stimulus)
    dtype = jax.dtypes.canonicalize_dtype(float)
    held = [
        spot.what if isinstance(spot, Spot) else spot
        for x in clamps.values()
        for spot in (x if isinstance(x, Spots) else [x])
    ]
    commands = [x.command.counted(dt, dtype) for x in held if isinstance(x, Clamp)]
    counted = [*stimuli_of(model, currents, dt, dtype).values(), *commands]
    edges = any(x.edges for x in counted) and not isinstance(asked.solver, Staggered4)
    return min(order, 2) if kinds or edges else order


def _run(asked: _Asked, model: Any, dt: float, steps: int, by: int) -> dict[str, _Half]:
    """One run, with V at every `by`-th step, or at fewer where they would not fit."""
    options: dict[str, Any] = {
        "dt": (dt, "ms"), "stimulus": asked.stimulus, "solver": asked.solver, "state": asked.state, "start": asked.start,
        "progress": False,
    }  # fmt: skip
    if not isinstance(model, Network):
        n = math.prod(model.size)
        every = by * _fewer(n * steps / by, steps // by)
        cubic = int(getattr(asked.solver, "order", 1)) > 2 and n * steps <= _ROOM
        every = 1 if cubic else every
        traces = simulate(model, asked.duration, record=["V", "spikes"], every=every, **options)
        V = np.asarray(traces["V"]).reshape(len(traces.t), -1)
        spikes = crossings(traces.t, traces["V"], model.V_th, cubic=True) if cubic else traces.spikes
        return {"cell": _Half(V[:: by if cubic else 1], spikes, float(traces.t[-1]))}
    cells = {label: min(math.prod(p.size), WATCHED) for label, p in model.populations.items() if not _sends(p)}
    every = by * _fewer(sum(cells.values()) * steps / by, steps // by)
    names = {label: f"{label}[:{n}].V" for label, n in cells.items()}
    activity = simulate(model, asked.duration, record=list(names.values()), every=every, **options)
    return {
        label: _Half(
            np.asarray(activity[name]).reshape(len(activity.t), -1), activity.spikes[label], float(activity.t[-1])
        )
        for label, name in names.items()
    }


def _fewer(values: float, samples: int) -> int:
    """A number of samples that divides all of them, so that no more values than there is room for are held."""
    least = max(1, math.ceil(values / _ROOM))
    return next(k for k in range(least, samples + 1) if samples % k == 0)


def _sends(population: Any) -> bool:
    return isinstance(population, Poisson | SpikeSource)


def _with_given_spikes(asked: _Asked, dt: float, steps: int) -> Any:
    """The model with the spikes that its Poisson sources send in steps of `dt` as given ones, for both runs."""
    net = asked.model
    if not isinstance(net, Network) or not any(isinstance(p, Poisson) for p in net.populations.values()):
        return net
    first = first_step(asked.start, dt, steps)
    past = int(asked.state.steps) if isinstance(asked.state, NetworkState) else 0
    populations: dict[str, Any] = dict(net.populations)
    for label, source in net.populations.items():
        if isinstance(source, Poisson):
            populations[label] = _sent(source_counted(Model.of(net), label, dt), dt, steps, first, past)
    new: Any = object.__new__(type(net))
    new.__dict__.update(net.__dict__)
    new._set("populations", populations)
    return new


def _sent(by_step: Any, dt: float, steps: int, first: int, past: int) -> SpikeSource:
    count = math.prod(by_step.size)
    block = max(1, min(steps, (1 << 22) // max(count, 1)))
    draw = jax.jit(lambda ns: jax.lax.map(lambda n: by_step.spikes(first + n, past + n).ravel(), ns))
    rows, neurons = [], []
    for begin in range(0, steps, block):
        numbers = np.asarray(draw(jnp.arange(begin, begin + block, dtype=jnp.int32)))[: steps - begin]
        row, who = np.nonzero(numbers)
        rows.append(np.repeat(row + begin, numbers[row, who]))
        neurons.append(np.repeat(who, numbers[row, who]))
    times = (first + np.concatenate(rows) + 1) * dt
    given = SpikeSource(count, times=(times, "ms"), neurons=np.concatenate(neurons))
    given._set("size", by_step.size)
    return given


# ---- what moves ----------------------------------------------------------------------------------------------------


def _moved(coarse: _Half, fine: _Half, length: float, dt: float, whole_steps: bool) -> Moved:
    difference = np.abs(coarse.V.astype(float) - fine.V.astype(float))
    counts = len(coarse.spikes), len(fine.spikes)
    n = math.prod(coarse.spikes.size)
    rates = counts[0] * 1e3 / (length * n), counts[1] * 1e3 / (length * n)
    rms = float(np.sqrt(np.mean(difference**2)))
    shift = _shift(coarse.spikes, fine.spikes, fine.end - (dt if whole_steps else 0))
    slow = _slowest_rise(fine.V, dt) if sum(counts) else 0.0
    return Moved(float(difference.max()), rms, shift, counts, rates, slow)


def _shift(a: SpikeTrains, b: SpikeTrains, end: float) -> float:
    """The greatest shift of a spike; NaN where a neuron has more spikes in one, but for those that the end of the run may cut off:
    shifts grow from spike to spike, and the next one of a neuron shifts by as much more."""
    greatest, extra = 0.0, list[tuple[float, float | None]]()
    for neuron in np.union1d(a.neurons, b.neurons):
        one, two = np.sort(a.times[a.neurons == neuron]), np.sort(b.times[b.neurons == neuron])
        both = min(len(one), len(two))
        own = float(np.abs(one[:both] - two[:both]).max(initial=0.0))
        greatest = max(greatest, own)
        extra += [(float(t), own * (both + 1) / both if both else None) for t in (*one[both:], *two[both:])]
    cut = all(t > end - (greatest if margin is None else margin) for t, margin in extra)
    return greatest if cut else math.nan


def _slowest_rise(V: np.ndarray, dt: float) -> float:
    """What 1 mV moves a spike by, in ms: one over the steepest rise of the neuron whose steepest rise is least."""
    rises = np.diff(V, axis=0).max(axis=0) / dt
    spiking = rises > 1.0  # mV/ms
    return float(1 / rises[spiking].min()) if spiking.any() else 0.0
