"""A network's run: check what is asked, lay the synapses out, run the compiled loop in chunks, hand back the activity."""

import functools
import math
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from tqdm.auto import tqdm

from .. import __version__
from ..cells import SingleCompartment
from ..cells.show import origin, rows
from ..errors import ModelError, UnknownName
from ..mechanisms.transmission import Coupling
from ..networks.network import Network
from ..networks.projection import Pathway
from ..networks.rows import Rows, laid_out
from ..registry import registry
from ..registry.provenance import of_run
from ..results.activity import Activity
from ..state import NetworkState
from .collected import Collected, check_finite, of_groups
from .continuing import checked_state
from .delivery import Pairs
from .electrical import junctions_of
from .loops import Chunk, chunk, differentiable
from .plan import Parts, Path, Plan, Record, is_source
from .program import compiler_options
from .record import probes
from .request import checked_stimulus, in_precision, is_tracing, whole_steps
from .sharding import (
    check_shares,
    compiled_shares,
    finished_shares,
    initial_shares,
    local_parts,
    local_plan,
    mesh_of,
    shares,
)
from .solvers import solver as find_solver
from .step import initial, state_of

BUFFER_BYTES = 64 << 20
"""Records leave the device when they fill this much."""
CHUNKS = 50
"""A run is cut into about so many chunks, between which the progress bar moves and Ctrl-C is heard."""
SEGMENT_FROM = 500
"""Samples from which reverse-mode differentiation recomputes segments in place of keeping every step."""
SHORT_BYTES = 256 << 10
"""Runs whose records fill less than this compile one program between them, however long they are."""


def simulate_network(
    network: Network,
    duration: Any,
    *,
    dt: Any,
    stimulus: Any,
    record: str | Sequence[str] | None,
    every: int,
    solver: Any,
    state: Any,
    progress: bool | None,
    chunk_length: int | None,
    segment: int | None,
    check: bool,
    devices: Any,
) -> Activity:
    """Run a network; `channelome.simulate` documents the arguments."""
    step_ms, count = whole_steps(duration, dt, every)
    dtype = jax.dtypes.canonicalize_dtype(float)
    network = in_precision(network, dtype)
    stimuli = _stimuli(network, stimulus, step_ms, dtype)
    names = (record,) if isinstance(record, str) else tuple(record or ())
    records = tuple(_record(network, name) for name in dict.fromkeys(names))
    tracing = is_tracing() or any(isinstance(x, Tracer) for x in jax.tree.leaves((network, stimuli, state)))
    junctions = junctions_of(network)
    lanes = jax.default_backend() != "cpu"
    plan = Plan(find_solver(solver), _paths(network, step_ms), _sizes(network), records, every, junctions, lanes)
    h = np.asarray(step_ms, dtype)
    mesh = None if devices is None else mesh_of(devices)
    if mesh is not None:
        check_shares(plan.sizes, mesh.size)
    pairwise = {junction.label for junction in junctions}
    synapses = {
        label: _pairs(path, step_ms, label)
        if tracing or label in pairwise
        else _rows(path, step_ms, label, dtype, mesh)
        for label, path in network.projections.items()
    }
    numbers = {label: _numbers(path) for label, path in network.projections.items()}
    parts = Parts(network.populations, numbers, synapses, stimuli)
    if tracing:
        return _traced(network, plan, parts, state, h, step_ms, count, segment)
    length = chunk_length or _chunk_length(plan, count)
    return _chunked(network, plan, parts, state, h, mesh, step_ms, count, length, progress, check)


def _numbers(path: Pathway) -> tuple[Any, ...]:
    """What a run needs of a pathway beside its rows; a weight per synapse is in the rows."""
    return path.synapse, path.plasticity, path.weight if np.ndim(path.weight) == 0 else None, path.initial


def _sizes(network: Network) -> tuple[tuple[str, tuple[int, ...]], ...]:
    return tuple((name, part.size) for name, part in network.populations.items())


def _paths(network: Network, dt: float) -> tuple[Path, ...]:
    paths = []
    for label, path in network.projections.items():
        if isinstance(path.synapse, Coupling):
            continue
        wiring = path.wiring
        steps = wiring.delay_steps(dt, label)
        own = isinstance(steps, np.ndarray)
        slots = int(steps.max(initial=0)) + 1 if own else int(steps)
        paths.append(
            Path(label, wiring.pre, wiring.post, wiring.pre_first, wiring.pre_stop, slots, own,
                 np.ndim(path.weight) == 0, path.unit.symbol, path.frozen)
        )  # fmt: skip
    return tuple(paths)


def _rows(path: Pathway, dt: float, label: str, dtype: Any, mesh: Any) -> Rows:
    steps = path.wiring.delay_steps(dt, label)
    weight = np.asarray(path.weight, dtype) if np.ndim(path.weight) else None
    delays = steps if isinstance(steps, np.ndarray) else None
    if mesh is not None:
        return shares(path, mesh.size, weight, delays)
    shape = path.wiring.rows
    return Rows(
        shape.starts,
        path.wiring.targets,
        None if weight is None else laid_out(shape, weight, 0.0),
        None if delays is None else laid_out(shape, delays, 0),
    )


def _stimuli(network: Network, stimulus: Any, dt: float, dtype: Any) -> dict[str, Any]:
    if stimulus is None:
        return {}
    if not isinstance(stimulus, Mapping):
        raise ModelError(
            f"the stimulus of a network is given by population: stimulus={{{next(iter(network.populations))!r}: step('0.1 nA')}}."
        )
    found = {}
    for name, given in stimulus.items():
        if name not in network.populations or is_source(network.populations[name]):
            cells = [label for label, part in network.populations.items() if not is_source(part)]
            raise ModelError(f"there is no population of cells '{name}' to stimulate; there are {', '.join(cells)}.")
        found[name] = in_precision(checked_stimulus(network.populations[name], given, dt), dtype)
    return found


def _record(network: Network, name: str) -> Record:
    """What ``"cells.V"``, ``"E.INa.m"``, ``"cells[:10].V"`` or ``"exc.g"`` stands for."""
    head, _, field = name.partition(".")
    if head in network.projections:
        path = network.projections[head]
        if field in path.synapse.states:
            n = math.prod(network.populations[path.wiring.post].size)
            return Record(name, path.unit.symbol, head, field, 0, n, 1)
        known = [f"{head}.{state}" for state in path.synapse.states]
        raise UnknownName(f"nothing named '{name}' can be recorded; the projection '{head}' has {', '.join(known)}.")
    try:
        label, index = network.indices(head)
    except ModelError as error:
        raise UnknownName(f"cannot record '{name}': {error}") from None
    population = network.populations[label]
    if is_source(population):
        raise UnknownName(f"cannot record '{name}': '{label}' sends spikes only, which are recorded as they are.")
    by = int(index[1] - index[0]) if index.size > 1 else 1
    try:
        (probe,) = probes(population, [field])
    except UnknownName as error:
        raise UnknownName(f"cannot record '{name}': {error}") from None
    return Record(name, probe.unit, label, probe, int(index[0]), int(index[-1]) + 1, by)


def _pairs(path: Pathway, dt: float, label: str) -> Pairs:
    edges, wiring = path.wiring.edges, path.wiring
    steps = wiring.delay_steps(dt, label)
    return Pairs(
        edges.sources + np.int32(wiring.pre_first),
        edges.targets,
        path.weight if np.ndim(path.weight) else None,
        steps if isinstance(steps, np.ndarray) else None,
    )


def _begun(state: Any, new: Callable[[], NetworkState]) -> NetworkState:
    """The state that a run begins from: `new`, or the one given."""
    return new() if state is None else checked_state(state, jax.eval_shape(new))


def _traced(
    network: Network, plan: Plan, parts: Parts, state: Any, dt: Any, step_ms: float, count: int, segment: int | None
) -> Activity:
    state = _begun(state, lambda: initial(plan, parts, dt.dtype, walking=False))
    length = segment or (count if count < SEGMENT_FROM else math.isqrt(count))
    final, data = differentiable(plan, parts, state, dt, count, length)
    units = {record.name: record.unit for record in plan.records} | {f"{name}.spikes": "1" for name, _ in plan.sizes}
    return Activity(
        t=jnp.asarray(np.arange(count + 1) * (step_ms * plan.every), dt.dtype),
        data={name: data[name] for name in units},
        units=units,
        end=final,
        provenance=_provenance(network, plan, step_ms),
    )


# ---- chunks --------------------------------------------------------------------------------------------------------


@functools.cache
def compiled_chunk() -> Any:
    """The loop as an outermost jit, with the compiler options that this processor profits from."""
    return jax.jit(chunk, static_argnums=(0, 1, 2), compiler_options=compiler_options())


@functools.partial(jax.jit, static_argnums=0)
def finish(plan: Plan, parts: Parts, carry: Any, n: Any, dt: Any) -> NetworkState:
    return state_of(plan, parts, carry, n, dt)


def _chunked(
    network: Network, plan: Plan, parts: Parts, state: Any, dt: Any, mesh: Any, step_ms: float, count: int,
    length: int, progress: Any, check: bool,
) -> Activity:  # fmt: skip
    collected = Collected(network, plan, 1 if mesh is None else mesh.size, step_ms)
    if mesh is None:
        run, end = compiled_chunk(), finish
        carry = _begun(state, lambda: initial(plan, parts, dt.dtype, walking=True))
    else:
        run, end = compiled_shares(mesh), finished_shares(mesh)
        carry = _begun(state, lambda: initial_shares(plan, parts, dt.dtype, mesh.size))
        plan = local_plan(plan, mesh)
        parts = local_parts(plan, parts)
    done, interrupted, waiting = 0, False, None
    shown = progress if progress is not None else sys.stderr.isatty() or "ipykernel" in sys.modules
    bar = tqdm(total=count * plan.every, unit=" steps", unit_scale=True, delay=0 if progress else 1, disable=not shown)

    def take(out: Chunk, begin: int, now: int) -> int:
        if check:
            check_finite(plan, parts, out.carry, step_ms, begin, now)
        collected.take(out, begin, now)
        bar.update(now * plan.every)
        return begin + now

    with bar:
        try:
            for begin in range(0, count, length):
                now = min(length, count - begin)
                out = run(plan, length, begin == 0, parts, carry, dt, np.int32(begin), np.int32(now))
                if waiting is not None:  # while the device runs on, what it has done is unpacked here
                    done = take(*waiting)
                waiting, carry = (out, begin, now), out.carry
            if waiting is not None:
                done = take(*waiting)
        except KeyboardInterrupt:
            if not done:
                raise
            interrupted, carry = True, None
            warnings.warn(
                f"interrupted after {done * plan.every * step_ms:g} ms; what was computed is returned.", stacklevel=4
            )
    spikes = collected.spikes()
    return Activity(
        t=np.arange(done + 1) * (step_ms * plan.every),
        data={name: np.concatenate(blocks) for name, blocks in collected.data.items()},
        units={record.name: record.unit for record in plan.records},
        spikes=spikes | of_groups(network, spikes),
        end=None if carry is None else functools.partial(end, plan, parts, carry, np.int32(done * plan.every), dt),
        interrupted=interrupted,
        provenance=_provenance(network, plan, step_ms),
    )


def _provenance(network: Network, plan: Plan, step_ms: float) -> dict[str, str]:
    """What was run, by which versions."""
    found = {
        "channelome": __version__,
        "jax": jax.__version__,
        "solver": type(plan.solver).__name__,
        "dt": f"{step_ms:g} ms",
    }
    for name, part in network.populations.items():
        found[name] = type(part).__name__
        if isinstance(part, SingleCompartment):
            found |= {f"{name}.{row.label}": f"{row.name} ({row.origin})" for row in rows(part)}
    for label, path in network.projections.items():
        found[label] = f"{type(path.synapse).__name__} ({origin(type(path.synapse))})"
        if path.plasticity is not None:
            found[f"{label}.plasticity"] = f"{type(path.plasticity).__name__} ({origin(type(path.plasticity))})"
    found |= {f"group {name}": where for name, where in network.groups}
    return found | of_run(registry, network.about, network.classes)


def _chunk_length(plan: Plan, count: int) -> int:
    """Samples that the compiled loop has room for: rounded up, so that runs of about one length share a program."""
    spikes = plan.every * sum(4 * -(-math.prod(size) // 32) for _, size in plan.sizes)
    row = spikes + 8 * sum(len(range(r.first, r.stop, r.by)) for r in plan.records)
    wanted = math.ceil(count / CHUNKS) if count * row > SHORT_BYTES else count
    grain = 1 << max(0, wanted.bit_length() - 4)  # an eighth of the power of two below
    return max(1, min(BUFFER_BYTES // row, max(SHORT_BYTES // row, -(-wanted // grain) * grain)))
