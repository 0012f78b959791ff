"""Which axis of each array of a run is shared among devices: neurons of points, cells beside one another of trees, and of synapses that over devices."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import PartitionSpec

from ..cells.cable import Cable
from ..cells.record import Probe
from ..networks.rows import Rows
from ..state import NetworkState, State
from ..stimuli.clamp import CountedClamp
from .blocks import by_neuron, resized
from .loops import Chunk, Running
from .plan import Carry, Parts, Plan, count_of, is_source

AXIS = "neurons"
WHOLE, NEURONS = PartitionSpec(), PartitionSpec(AXIS)
CELLS, RINGS = PartitionSpec(None, AXIS), PartitionSpec(None, None, AXIS)
"""The second axis: neurons under lanes, cells under nodes of a tree, both under samples; and the third."""


# ---- one device's share of what is static --------------------------------------------------------------------------


def local_plan(plan: Plan, devices: int) -> Plan:
    """The plan of one device's share. Records are of whole populations: who asked for a part takes it afterwards."""
    sizes = {name: (size[0] // devices,) for name, size in plan.sizes}
    records = []
    for r in plan.records:
        shape = r.probe.shape(sizes[r.over]) if isinstance(r.probe, Probe) else sizes[r.over]
        records.append(r._replace(first=0, stop=count_of(shape), by=1, listed=None, shape=shape))
    paths = tuple(path._replace(size=tuple(n // devices for n in path.size)) for path in plan.paths)
    return plan._replace(sizes=tuple(sizes.items()), records=tuple(records), paths=paths, axis=AXIS, devices=devices)


def local_parts(plan: Plan, parts: Parts) -> Parts:
    """Cells that know the size of one device's share; their arrays are whole still, and the mesh divides them."""
    sizes = dict(plan.sizes)

    def local(name: str, block: Any) -> Any:
        if is_source(block):
            return block
        return dataclasses.replace(block, size=sizes[name]) if isinstance(block, Cable) else resized(block, sizes[name])

    return parts._replace(blocks={name: local(name, x) for name, x in parts.blocks.items()})


# ---- arguments -----------------------------------------------------------------------------------------------------


def of_parts(parts: Parts) -> Parts:
    """Of what belongs to neurons the axis over them, of synapses the one over devices."""

    def rows(x: Any) -> Any:
        return jax.tree.map(lambda _: NEURONS if isinstance(x, Rows) else WHOLE, x)

    return Parts(
        {name: _of_block(x) for name, x in parts.blocks.items()},
        {label: jax.tree.map(_over, x) for label, x in parts.pathways.items()},
        {label: rows(x) for label, x in parts.synapses.items()},
        {name: _of_current(x, not parts.blocks[name].pointwise) for name, x in parts.stimuli.items()},
        {name: _of_clamp(x) for name, x in parts.clamps.items()},
    )


def _over(x: Any) -> PartitionSpec:
    """Parameters are numbers, arrays over neurons, or arrays over lanes and neurons."""
    return (WHOLE, NEURONS, CELLS)[jnp.ndim(x)]


def _whole(tree: Any) -> Any:
    return jax.tree.map(lambda _: WHOLE, tree)


def _of_block(block: Any) -> Any:
    if is_source(block):
        return _whole(block)
    return _of_cable(block) if isinstance(block, Cable) else jax.tree.map(_over, block)


def _of_cable(cable: Cable) -> Any:
    """Arrays over nodes have cells second, one for all or their number; which nodes there are, every device knows."""

    def second(x: Any) -> PartitionSpec:
        return CELLS if jnp.ndim(x) > 1 and jnp.shape(x)[1] > 1 else WHOLE

    def linked(links: Any, own: Any) -> Any:
        return own._replace(parent=WHOLE, rounds=_whole(links.rounds))

    specs: Any = jax.tree.map(second, cable)
    moves = {
        species: dataclasses.replace(
            own, links=linked(cable.diffusion[species].links, own.links), inside=_whole(own.inside)
        )
        for species, own in specs.diffusion.items()
    }
    return dataclasses.replace(
        specs,
        V_th=_over(cable.V_th),
        links=linked(cable.links, specs.links),
        tables=_whole(cable.tables),
        diffusion=moves,
    )


def _of_current(current: Any, over_nodes: bool) -> Any:
    if not by_neuron(current, over_nodes):
        return _whole(current)

    def along(axis: int, x: Any) -> PartitionSpec:
        return PartitionSpec(*[None] * axis, AXIS) if 0 <= axis < jnp.ndim(x) else WHOLE

    return jax.tree.map(along, current.neurons(), current)


def _of_clamp(clamp: CountedClamp) -> Any:
    g = None if clamp.conductance is None else _over(clamp.conductance)
    command: Any = _of_current(clamp.command, False)
    return CountedClamp(command, g, WHOLE, clamp.earlier)  # pyright: ignore[reportArgumentType]


# ---- states --------------------------------------------------------------------------------------------------------


def of_cells(parts: Parts) -> dict[str, PartitionSpec]:
    """By block the shared axis of arrays over its neurons, or over its nodes and cells."""
    return {name: NEURONS if block.pointwise else CELLS for name, block in parts.blocks.items() if not is_source(block)}


def of_state(plan: Plan, parts: Parts) -> NetworkState:
    """What sources sent is whole on every device."""
    cells: Any = {name: State(*[of] * 4, lag=WHOLE) for name, of in of_cells(parts).items()}  # pyright: ignore
    return NetworkState(cells, _of_synapses(plan), NEURONS, WHOLE, WHOLE)  # pyright: ignore


def _of_synapses(plan: Plan) -> Any:
    return {path.label: NEURONS if path.lanes == 1 else CELLS for path in plan.paths}


def of_running(plan: Plan, parts: Parts) -> Running:
    waiting = {path.label: CELLS if path.lanes == 1 else RINGS for path in plan.paths}
    rings = {path.label: waiting[path.label] if path.delay is None else WHOLE for path in plan.paths}
    return Running(Carry(of_cells(parts), _of_synapses(plan), NEURONS, rings, WHOLE), WHOLE)  # pyright: ignore


def of_chunk(plan: Plan, parts: Parts) -> Chunk:
    def third(names: Any) -> Any:
        return dict.fromkeys(names, RINGS)

    samples: Any = {record.name: CELLS for record in plan.records}
    return Chunk(of_running(plan, parts), samples, third(plan.events), third(plan.shares), third(plan.numbers))


def as_vectors(running: Running, parts: Parts) -> Running:
    """With the scalars of the solver's carry as arrays of one for each device, since only what has an axis can be shared."""

    def vectors(of: PartitionSpec, cells: Any) -> Any:
        return jax.tree.map(lambda x: x.reshape((1,) * len(of)) if x.ndim == 0 else x, cells)

    cells = {name: vectors(of, running.carry.cells[name]) for name, of in of_cells(parts).items()}
    return running._replace(carry=running.carry._replace(cells=cells))


def with_scalars(running: Running, like: Running) -> Running:
    """The reverse, `like` what it was."""
    cells = jax.tree.map(lambda x, y: x.reshape(y.shape), running.carry.cells, like.carry.cells)
    return running._replace(carry=running.carry._replace(cells=cells))
