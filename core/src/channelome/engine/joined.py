"""Cells of compartments that gap junctions join: all of them advanced by the solver at once, as one cell.

What a junction moves in a step must get on along the branch in the same step: apart from one another the two would leave V of a fine branch
zigzagging. So V of all of them is solved for in one system, by the same steps as that of one tree: each tree is solved with a unit of current at
each of its places with junctions, which says how these answer; what flows through the junctions is then a small system, solved by conjugate
gradients; and what flows into one end flows out of the other, whatever the tolerance.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ..cells.cable import NA_PER_UM2, change
from ..cells.membrane import advanced
from ..cells.protocol import Inject
from ..cells.tree import Links, solved_pair
from ..errors import ModelError
from ..mechanisms.kinetics import Rule
from ..networks.projection import Pathway
from ..state import State
from .electrical import Junctions, Side, flow, sides

NANO = 1e-3
"""From nS to uS."""


class Joint(NamedTuple):
    """What is static of populations that gap junctions join, directly or through others, some of which have compartments.

    Attributes:
        nodes: by block, the nodes of each of its cells where junctions are; the only one of points.
    """

    nodes: tuple[tuple[str, tuple[int, ...]], ...]
    junctions: tuple[Junctions, ...]


class Part(NamedTuple):
    """The equations of one block: of m nodes by cells, points having one node."""

    links: Links
    shape: tuple[int, ...]
    nodes: np.ndarray


class End(NamedTuple):
    """One end of junctions: from which part to which, and their conductance in uS where it is one for all, else a unit of it."""

    side: Side
    here: int
    there: int
    g: Any


class Web(NamedTuple):
    """The equations of several blocks, over their nodes one after another, flat."""

    parts: tuple[Part, ...]
    ends: tuple[End, ...]

    def apart(self, x: Array) -> list[Array]:
        """By part, of its shape."""
        cuts = np.cumsum([int(np.prod(part.shape)) for part in self.parts])[:-1]
        return [piece.reshape(part.shape) for piece, part in zip(jnp.split(x, cuts), self.parts, strict=True)]

    def outflow(self, x: Array) -> Array:
        """What flows from each node along its branches and through its junctions, nA of mV."""
        pieces = self.apart(x)
        through = self.through([V[part.nodes] for V, part in zip(pieces, self.parts, strict=True)])
        return together(
            part.links.outflow(V).at[part.nodes].add(y) for part, V, y in zip(self.parts, pieces, through, strict=True)
        )

    def through(self, V: Sequence[Array]) -> list[Array]:
        """What flows out through the junctions, from V at the places where they are; by part, of shape (places, cells)."""
        out = [jnp.zeros_like(x) for x in V]
        for side, here, there, g in self.ends:
            flows = flow(side, V[here].ravel(), V[there].ravel(), unrolled=False)
            out[here] = out[here] + g * flows.reshape(V[here].shape)
        return out

    def pair(self, held: Array, passed: Array, first: Array, second: Array, weight: float) -> tuple[Array, Array]:
        """As `Links.pair`."""

        def matrix(pair: tuple[Array, Array]) -> tuple[Array, Array]:
            x, y = (held * one + weight * self.outflow(one) for one in pair)
            return x, y - passed * pair[0]

        def solve(_: Any, right: tuple[Array, Array]) -> tuple[Array, Array]:
            answers = Answers.of(self, self.apart(held), self.apart(right[0]), weight)
            x = answers.joined(answers.alone)
            y = answers.joined(answers.of_trees(self.apart(right[1] + passed * x)))
            return x, y

        return solved_pair(matrix, solve, (first, second))


class Answers(NamedTuple):
    """How the trees of a web answer to a unit of current at each place with junctions, and to a first right side.

    Attributes:
        columns: by part, of shape (places, m, cells).
        alone: by part, of shape (m, cells): the solution as if there were no junctions.
    """

    web: Web
    held: list[Array]
    weight: float
    columns: list[Array]
    alone: list[Array]

    @classmethod
    def of(cls, web: Web, held: list[Array], first: list[Array], weight: float) -> "Answers":
        columns, alone = [], []
        for part, d, right in zip(web.parts, held, first, strict=True):
            places = len(part.nodes)
            units = jnp.zeros((places, *right.shape), right.dtype).at[np.arange(places), part.nodes].set(1)
            rights = jnp.zeros_like(units).at[0].set(right)
            column, x = jax.vmap(lambda a, b, part=part, d=d: part.links.swept(d, a, b, weight))(units, rights)
            columns.append(column)
            alone.append(x[0])
        return cls(web, held, weight, columns, alone)

    def of_trees(self, right: list[Array]) -> list[Array]:
        """By part, the solution as if there were no junctions."""
        trees = zip(self.web.parts, self.held, right, strict=True)
        return [part.links.swept(d, b, jnp.zeros_like(b), self.weight)[0] for part, d, b in trees]

    def joined(self, alone: list[Array]) -> Array:
        """The solution, from that without junctions."""
        put_in = self._currents([x[part.nodes] for part, x in zip(self.web.parts, alone, strict=True)])
        return together(
            x + jnp.sum(column * y[:, None], axis=0)
            for x, column, y in zip(alone, self.columns, put_in, strict=True)
        )

    def _currents(self, V: list[Array]) -> list[Array]:
        """What junctions put in at their places, from V there without them: the y with ``(1 + w L R) y = -w L V``.

        L is the junctions' matrix and R the answers at the places, both symmetric; conjugate gradients in the product of R. All that is added
        up is through junctions, and so sums to zero.
        """

        def answered(y: list[Array]) -> list[Array]:
            return [
                jnp.sum(column[:, part.nodes] * x[:, None], axis=0)
                for part, column, x in zip(self.web.parts, self.columns, y, strict=True)
            ]

        def moved(V: list[Array]) -> list[Array]:
            return [self.weight * x for x in self.web.through(V)]

        def product(a: list[Array], b: list[Array]) -> Array:
            return sum((jnp.sum(x * y) for x, y in zip(a, b, strict=True)), jnp.zeros((), a[0].dtype))

        def axpy(a: Any, x: list[Array], y: list[Array]) -> list[Array]:
            return [a * p + q for p, q in zip(x, y, strict=True)]

        def unfinished(loop: Any) -> Array:
            return (loop[-1] > tolerance * start) & (loop[0] < most)

        def iterate(loop: Any) -> Any:
            count, y, r, p, Rp, size = loop
            Ap = axpy(1.0, moved(Rp), p)
            share = size / product(Rp, Ap)
            y, r = axpy(share, p, y), axpy(-share, Ap, r)
            Rr = answered(r)
            new = product(r, Rr)
            return count + 1, y, r, axpy(new / size, p, r), axpy(new / size, Rp, Rr), new

        r = [-x for x in moved(V)]
        Rr = answered(r)
        start = product(r, Rr)
        tolerance = 16 * float(jnp.finfo(start.dtype).eps) ** 2
        most = 10 * sum(x.size for x in V)
        return lax.while_loop(unfinished, iterate, (0, [jnp.zeros_like(x) for x in r], r, r, Rr, start))[1]


def together(pieces: Any) -> Array:
    """The reverse of `Web.apart`."""
    return jnp.concatenate([jnp.ravel(piece) for piece in pieces])


# ---- as a cell -----------------------------------------------------------------------------------------------------


class Joined:
    """Blocks as one cell for a solver: V of all of them flat, gates and concentrations under the block and the label."""

    pointwise: ClassVar[bool] = False

    def __init__(self, blocks: Mapping[str, Any], web: Web) -> None:
        self._blocks, self._web = blocks, web
        scales = [_scales(block, part.shape) for block, part in zip(blocks.values(), web.parts, strict=True)]
        self._area, self._capacity = (together(each) for each in zip(*scales, strict=True))

    @property
    def channels(self) -> dict[Any, Any]:
        return {(name, label): x for name, block in self._blocks.items() for label, x in block.channels.items()}

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

    # ---- what `advanced` and solvers ask ----

    def relax(self, state: State, dt: Any, rule: Rule) -> State:
        return self._each(lambda block, x: block.relax(x, dt, rule), state)

    def half_way(self, state: State, dt: Any, rule: Rule) -> State:
        return self._each(lambda block, x: block.half_way(x, dt, rule), state)

    def advance(self, state: State, inject: Inject, dt: Any, rule: Rule, **implicit: Any) -> State:
        return advanced(self, state, inject, dt, rule, implicit.pop("guess", None), **implicit)

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


def joints_of(junctions: Sequence[Junctions], projections: Mapping[str, Pathway], cells: Mapping[str, Any]) -> tuple[Joint, ...]:
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


def _nodes(label: str, junctions: Sequence[Junctions], projections: Mapping[str, Pathway], cell: Any) -> tuple[int, ...]:
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


def web_of(joint: Joint, parts: Any, V: Mapping[str, Array]) -> Web:
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
    return Web(tuple(pieces), tuple(ends))


def stepped(
    joint: Joint, parts: Any, carries: Mapping[str, Any], n: Any, dt: Any, drives: Mapping[str, Any], solver: Any
) -> dict[str, Any]:
    """The carries of the blocks of a joint after step `n`, as the solver has them."""
    names = [name for name, _ in joint.nodes]
    if not all(isinstance(carries[name], State) for name in names):
        raise ModelError(
            f"{type(solver).__name__} keeps no State between steps, which gap junctions need: take another solver."
        )
    cell = Joined({name: parts.blocks[name] for name in names}, web_of(joint, parts, {k: carries[k].V for k in names}))
    after = solver.step(cell, cell.joined(carries), n, dt, Drives(cell, drives))
    return cell.apart(after)
