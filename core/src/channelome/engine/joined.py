"""Cells of compartments that gap junctions join: all of them advanced by the solver at once, as one cell.

What a junction moves in a step must get on along the branch in the same step: apart from one another the two would leave V of a fine branch
zigzagging. So V of all of them is solved for in one system, `web`, by the same steps as that of one tree.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..cells.cable import NA_PER_UM2, change
from ..cells.membrane import Advancing
from ..cells.protocol import Inject
from ..cells.tree import Links
from ..errors import ModelError
from ..mechanisms.kinetics import Rule
from ..networks.projection import Pathway
from ..state import State
from .electrical import Junctions, Side, sides
from .web import End, Part, Web, together

NANO = 1e-3
"""From nS to uS."""


class Joint(NamedTuple):
    """What is static of populations that gap junctions join, directly or through others, some of which have compartments.

    Attributes:
        nodes: by block, the nodes of each of its cells where junctions are; the only one of points.
    """

    nodes: tuple[tuple[str, tuple[int, ...]], ...]
    junctions: tuple[Junctions, ...]


# ---- as a cell -----------------------------------------------------------------------------------------------------


class Joined(Advancing):
    """Blocks as one cell for a solver: V of all of them flat, gates and concentrations under the block and the label."""

    pointwise: ClassVar[bool] = False

    def __init__(self, blocks: Mapping[str, Any], web: Web) -> None:
        self._blocks, self._web = blocks, web
        scales = [_scales(block, part.shape) for block, part in zip(blocks.values(), web.parts, strict=True)]
        self._area, self._capacity = (together(each) for each in zip(*scales, strict=True))

    @property
    def channels(self) -> dict[Any, Any]:
        return {(name, label): x for name, block in self._blocks.items() for label, x in block.channels.items()}

    @property
    def ions(self) -> dict[Any, Any]:
        return {(name, species): x for name, block in self._blocks.items() for species, x in block.ions.items()}

    def joined(self, states: Mapping[str, State]) -> State:
        """Of states by block, the state."""
        channels = {(name, k): x for name, state in states.items() for k, x in state.channels.items()}
        ions = {(name, k): x for name, state in states.items() for k, x in state.ions.items()}
        return State(together(states[name].V for name in self._blocks), channels, ions)  # pyright: ignore[reportArgumentType]

    def apart(self, state: State) -> dict[str, State]:
        """Of the state, those of the blocks."""
        parts: dict[str, State] = {}
        for (name, block), V in zip(self._blocks.items(), self._web.apart(state.V), strict=True):
            channels = {label: state.channels[name, label] for label in block.channels}  # pyright: ignore[reportArgumentType]
            ions = {species: state.ions[name, species] for species in block.ions}  # pyright: ignore[reportArgumentType]
            parts[name] = State(V[0] if block.pointwise else V, channels, ions)
        return parts

    def inject(self, injects: Mapping[str, Inject]) -> Inject:
        """What is put into the blocks, as what is put into the cell."""

        def all_of_it(V: Array) -> Array:
            pieces = zip(self._blocks.items(), self._web.apart(V), strict=True)
            of = {name: (injects[name], x[0] if block.pointwise else x) for (name, block), x in pieces}
            return together(jnp.broadcast_to(f(x), x.shape) for f, x in of.values())

        return all_of_it

    def _each(self, method: Callable[[Any, State], State], state: State) -> State:
        parts = self.apart(state)
        return self.joined({name: method(block, parts[name]) for name, block in self._blocks.items()})

    # ---- what `Advancing` and solvers ask ----

    def relax(self, state: State, dt: Any, rule: Rule) -> State:
        return self._each(lambda block, x: block.relax(x, dt, rule), state)

    def half_way(self, state: State, dt: Any, rule: Rule) -> State:
        return self._each(lambda block, x: block.half_way(x, dt, rule), state)

    def outward(self, state: State) -> Array:
        parts = self.apart(state)
        return together(block.outward(parts[name]) for name, block in self._blocks.items())

    def currents(self, state: State) -> dict[Any, Array]:
        parts = self.apart(state)
        return {
            (name, label): I for name, block in self._blocks.items() for label, I in block.currents(parts[name]).items()
        }

    def carried(self, currents: Mapping[Any, Array], state: State) -> dict[Any, Any]:
        parts, found = self.apart(state), {}
        for name, block in self._blocks.items():
            own = {label: currents[name, label] for label in block.channels}
            found |= {(name, species): I for species, I in block.carried(own, parts[name]).items()}
        return found

    def pools(self, state: State, carried: Mapping[Any, Any], dt: Any, rule: Rule) -> dict[Any, Any]:
        parts, found = self.apart(state), {}
        for name, block in self._blocks.items():
            own = {species: carried[name, species] for species in block.ions}
            found |= {(name, species): x for species, x in block.pools(parts[name], own, dt, rule).items()}
        return found

    def charged(self, at: State, behind: Array | None, I: Array, G: Array, dt: Any, rule: Rule) -> Array:
        force = -self._area * I - self._web.outflow(at.V)
        return at.V + change(self._web, self._capacity / dt, self._area * G, force, behind, rule)

    def derivative(self, state: State, inject: Inject) -> State:
        web, parts = self._web, self.apart(state)
        V, amounts = web.apart(state.V), web.apart(inject(state.V))
        through = web.through([x[part.nodes] for x, part in zip(V, web.parts, strict=True)])
        areas, slopes = web.apart(self._area), {}
        for (name, block), part, given, out, area in zip(
            self._blocks.items(), web.parts, amounts, through, areas, strict=True
        ):
            amount = given.at[part.nodes].add(-out / area[part.nodes])
            amount = amount[0] if block.pointwise else amount
            slopes[name] = block.derivative(parts[name], lambda V, amount=amount: amount)
        return self.joined(slopes)


def _scales(block: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Area times what makes nA of a density, and capacity in nA ms/mV, of each node."""
    area = block.area * NA_PER_UM2
    capacity = area * block.C if block.pointwise else block.capacity
    return jnp.broadcast_to(area, shape), jnp.broadcast_to(capacity, shape)


class Drives(NamedTuple):
    """The `protocols.Drive` of blocks as one cell."""

    cell: Joined
    each: Mapping[str, Any]

    def mean(self, *shares: Any, **asked: Any) -> Inject:
        return self.cell.inject({name: drive.mean(*shares, **asked) for name, drive in self.each.items()})

    def at(self, share: Any) -> Inject:
        return self.cell.inject({name: drive.at(share) for name, drive in self.each.items()})

    def stages(self, nodes: Sequence[float], weights: Sequence[float]) -> list[Inject]:
        each = {name: drive.stages(nodes, weights) for name, drive in self.each.items()}
        return [self.cell.inject({name: of[i] for name, of in each.items()}) for i in range(len(nodes))]


# ---- which are joined ----------------------------------------------------------------------------------------------


def joints_of(
    junctions: Sequence[Junctions], projections: Mapping[str, Pathway], cells: Mapping[str, Any]
) -> tuple[Joint, ...]:
    """The joints among populations: those groups that junctions hold together in which a cell has compartments."""
    groups: list[set[str]] = []
    for j in junctions:
        mine = [group for group in groups if group & {j.pre, j.post}]
        groups = [group for group in groups if group not in mine] + [set().union({j.pre, j.post}, *mine)]
    found = []
    for group in groups:
        if all(cells[label].pointwise for label in group):
            continue
        own = tuple(j for j in junctions if j.pre in group)
        nodes = {label: _nodes(label, own, projections, cells[label]) for label in cells if label in group}
        found.append(Joint(tuple(nodes.items()), own))
    return tuple(found)


def _nodes(
    label: str, junctions: Sequence[Junctions], projections: Mapping[str, Pathway], cell: Any
) -> tuple[int, ...]:
    """At which nodes of a population's cells junctions are, in order."""
    if cell.pointwise:
        return (0,)
    wirings = [projections[j.label].wiring for j in junctions]
    landings = [w.leaving for w in wirings if w.pre == label] + [w.landing for w in wirings if w.post == label]
    compartments = sorted({i for landing in landings for i in landing.compartments})
    return tuple(sorted(cell.compartments.tree.position[compartments].tolist()))


def ends_of(joint: Joint, path: Pathway, cells: Mapping[str, Any]) -> tuple[Side, ...]:
    """The junctions of a projection as its ends see it, places of cells numbered place by place."""
    wiring, nodes = path.wiring, dict(joint.nodes)

    def numbered(label: str, neurons: np.ndarray, landing: Any) -> tuple[np.ndarray, int]:
        n = math.prod(cells[label].size)
        if landing is None:
            return neurons, n
        at = cells[label].compartments.tree.position[list(landing.compartments)]
        place = np.searchsorted(nodes[label], at).astype(np.int32)
        place = place[0] if landing.which is None else place[landing.which]
        return place * np.int32(n) + neurons, n * len(nodes[label])

    sources, n_pre = numbered(wiring.pre, wiring.sources, wiring.leaving)
    targets, n_post = numbered(wiring.post, wiring.edges.targets, wiring.landing)
    return sides(path, sources, targets, n_pre, n_post)


# ---- one step ------------------------------------------------------------------------------------------------------


def web_of(joint: Joint, parts: Any, V: Mapping[str, Array], axis: str | None, devices: int) -> Web:
    """The equations of a joint; V by block for its shapes."""
    names = [name for name, _ in joint.nodes]
    pieces = []
    for name, nodes in joint.nodes:
        block, x = parts.blocks[name], V[name]
        one = np.zeros(1, np.int32)
        links = Links.of(jnp.asarray(one), jnp.zeros(1, x.dtype)) if block.pointwise else block.links
        pieces.append(Part(links, (1, *x.shape) if block.pointwise else x.shape, np.asarray(nodes, np.int32)))
    ends = []
    for j in joint.junctions:
        weight = parts.pathways[j.label][2]
        g = NANO * jnp.asarray(1.0 if weight is None else weight, V[j.pre].dtype)
        for side, here, there in zip(parts.synapses[j.label], (j.pre, j.post), (j.post, j.pre), strict=False):
            ends.append(End(side, names.index(here), names.index(there), g))
    return Web(tuple(pieces), tuple(ends), axis, devices)


def stepped(
    joint: Joint, parts: Any, carries: Mapping[str, Any], n: Any, dt: Any, drives: Mapping[str, Any], solver: Any, axis: str | None, devices: int
) -> dict[str, Any]:  # fmt: skip
    """The carries of the blocks of a joint after step `n`, as the solver has them."""
    names = [name for name, _ in joint.nodes]
    if not all(isinstance(carries[name], State) for name in names):
        raise ModelError(
            f"{type(solver).__name__} keeps no State between steps, which gap junctions need: take another solver."
        )
    own = {name: carries[name] for name in names}
    web = web_of(joint, parts, {name: x.V for name, x in own.items()}, axis, devices)
    cell = Joined({name: parts.blocks[name] for name in names}, web)
    after = solver.step(cell, cell.joined(own), n, dt, Drives(cell, drives))
    return cell.apart(after)
