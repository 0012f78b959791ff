"""Cells of compartments of which one follows a command exactly, by an ideal clamp: the others are advanced by the solver.

V there is known, so that its neighbours see a battery behind their branch: TR-BDF2 is told V at its three stages, of which the last is where the
command is when the step ends, and those before are moved by what makes the charge that of the mean. The compartment itself is a point that is
held, `held`: its gates and concentrations follow the command in closed form, wherever it jumps. What diffuses along the cell does so there, too:
these concentrations are those of the solver, and gates see them as they are in the middle of the step.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ...cells.cable import NA_PER_UM2, Cable, Everywhere, change
from ...cells.membrane import Advancing
from ...cells.stages import AGAIN, GAMMA, WEIGHT
from ...cells.tree import Links
from ...mechanisms.kinetics import Rule
from ...mechanisms.rules import IMPLICIT
from ...state import State
from ..protocols import Solver
from .held import cross


class Pin(NamedTuple):
    """Where a cell is held: the node, and of each part that is there in which of the part's rows; static."""

    node: int
    rows: tuple[tuple[str, int], ...]

    def cell(self, cable: Cable) -> Cable:
        """The node as a cell of its own."""
        rows = dict(self.rows)

        def here(label: str, part: Any) -> Any:
            return jax.tree.map(lambda x: _row(x, rows[label]), part)

        return replace(
            cable,
            channels={label: here(label, x) for label, x in cable.channels.items() if label in rows},
            ions={species: here(species, x) for species, x in cable.ions.items() if species in rows},
            area=cable.area[self.node : self.node + 1],
            capacity=_row(cable.capacity, self.node),
            links=Links.of(jnp.zeros(1, jnp.int32), jnp.zeros(1)),
            tables={},
            diffusion={},
            where=tuple((label, Everywhere()) for label in rows),
        )

    def moving(self, cable: Cable) -> tuple[str, ...]:
        """The ions at the node that diffuse along the cell."""
        return tuple(label for label, _ in self.rows if label in cable.diffusion)

    def cut(self, state: State) -> State:
        """Of the state of the whole cell that of the node."""
        own: list[dict[str, dict[str, Array]]] = [
            {
                label: {k: x[row : row + 1] for k, x in parts[label].items()}
                for label, row in self.rows
                if label in parts
            }
            for parts in (state.channels, state.ions)
        ]
        return State(state.V[self.node : self.node + 1], *own)

    def put(self, state: State, there: State) -> State:
        """The state with that of the node in its place."""
        rows = dict(self.rows)
        new = [
            whole
            | {
                label: {k: whole[label][k].at[rows[label]].set(x[0]) for k, x in of.items()}
                for label, of in own.items()
            }
            for whole, own in ((state.channels, there.channels), (state.ions, there.ions))
        ]
        return state._replace(V=state.V.at[self.node].set(there.V[0]), channels=new[0], ions=new[1])


def _row(x: Any, row: int) -> Any:
    """Of a number one for all nodes, or one by node, that of a row."""
    return x if jnp.ndim(x) == 0 or x.shape[0] == 1 else x[row : row + 1]


def _over_nodes(x: Any) -> Any:
    """Of a number one for all cells, or one by cell, the same with an axis for the node."""
    return x if jnp.ndim(x) == 0 else x[None]


class Carry(NamedTuple):
    """The solver's own carry, and what is at the node, all of it at one time."""

    whole: Any
    there: State


@dataclass(frozen=True)
class Pinned:
    """Takes the place of a solver that moves V by `Cell.advance`, where cells are held at a node."""

    solver: Solver
    pin: Pin

    def start(self, cell: Any, state: State, dt: Any) -> tuple[Carry, Any]:
        whole, first = self.solver.start(cell, state, dt)
        return Carry(whole, self.pin.cut(state)), first

    def step(self, cell: Any, carry: Carry, n: Any, dt: Any, drive: Any) -> Carry:
        command, now = drive.clamp.command, drive.n
        begin, end, mean = (_over_nodes(x) for x in (command.at(now, 0.0), command.at(now, 1.0), command.mean(now)))
        commanded: Any = Commanded(cell, self.pin.node, drive)
        whole = self.solver.step(commanded, carry.whole, n, dt, drive)
        own, there, reached = self.pin.cell(cell), carry.there, {}
        if moving := self.pin.moving(cell):
            ions = self.pin.cut(State(whole.V, {}, whole.ions)).ions
            reached = {species: ions[species] for species in moving}
            middle = jax.tree.map(
                lambda x, y: (x + y) / 2, {species: there.ions[species] for species in moving}, reached
            )
            own, there = Still(own, moving), there._replace(ions=there.ions | middle)
        there = cross(own, there, begin, end, mean, jnp.asarray(dt, there.V.dtype))
        V = jnp.broadcast_to(_over_nodes(command.at(now + 1, 0.0)), there.V.shape)
        there = there._replace(V=V, ions=there.ions | reached)
        return Carry(whole._replace(V=whole.V.at[self.pin.node].set(V[0])), there)

    def voltage(self, carry: Carry) -> Array:
        return self.solver.voltage(carry.whole)

    def state(self, cell: Any, carry: Carry, n: Any, dt: Any) -> State:
        return self.pin.put(self.solver.state(cell, carry.whole, n, dt), carry.there)


class Still(Advancing):
    """A cell of which some ions stay as they are."""

    def __init__(self, cell: Cable, species: tuple[str, ...]) -> None:
        self._cell, self._species = cell, species

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cell, name)

    def half_way(self, state: State, dt: Any, rule: Rule) -> State:
        return self._with(state, self._cell.half_way(state, dt, rule))

    def pools(self, state: State, carried: Any, dt: Any, rule: Rule) -> dict[str, dict[str, Array]]:
        return self._with(state, state._replace(ions=self._cell.pools(state, carried, dt, rule))).ions

    def _with(self, state: State, new: State) -> State:
        return new._replace(ions=new.ions | {species: state.ions[species] for species in self._species})


class Commanded(Advancing):
    """A cell of which in a step V of one node is the command."""

    def __init__(self, cell: Cable, node: int, drive: Any) -> None:
        self._cell, self._node = cell, node
        command, n = drive.clamp.command, drive.n
        begin, middle, self._end = (command.at(n, share) for share in (0.0, GAMMA, 1.0))
        share = (1 - WEIGHT) / 2  # of each of the first two stages in the step
        missing = command.mean(n) - share * (begin + middle) - WEIGHT * self._end
        self._begin, self._middle = (x + missing / (2 * share) for x in (begin, middle))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cell, name)

    def charged(self, at: State, behind: Array | None, I: Array, G: Array, dt: Any, rule: Rule) -> Array:
        cell, node = self._cell, self._node
        area, capacity = cell.area * NA_PER_UM2, cell.capacity / dt
        if rule is IMPLICIT:
            V = at.V.at[node].set(self._end)
            links = Held(cell.links, node, 0.0, 0.0)
        else:
            V = at.V.at[node].set(self._begin)
            first = self._middle - self._begin
            links = Held(cell.links, node, first, self._end - self._begin - AGAIN * first)
        force = -area * I - cell.links.outflow(V)
        return V + change(links, capacity, area * G, force, behind, rule)


class Held(NamedTuple):
    """The equations of a tree of which one node goes by `first` in the first of a pair of equations, and by `second` in the second, as `tr_bdf2` has them."""

    links: Links
    node: int
    first: Any
    second: Any

    def pair(self, held: Array, passed: Array, first: Array, second: Array, weight: float) -> tuple[Array, Array]:
        """As `Links.pair`: what is known goes to the right side, and the node hangs on nothing."""
        links, node = self.links, self.node
        x, y = (jnp.zeros_like(held).at[node].set(known) for known in (self.first, self.second))
        d = (held + weight * links.totals(held))[node]
        first = (first - weight * links.outflow(x)).at[node].set(d * x[node])
        second = (second - weight * links.outflow(y)).at[node].set(d * y[node] - passed[node] * x[node])
        return self._alone().pair(held, passed, first, second, weight)

    def once(self, held: Array, force: Array, weight: float) -> Array:
        """As `Links.once`."""
        links, node = self.links, self.node
        x = jnp.zeros_like(held).at[node].set(self.first)
        d = (held + weight * links.totals(held))[node]
        return self._alone().once(held, (force - weight * links.outflow(x)).at[node].set(d * x[node]), weight)

    def _alone(self) -> Links:
        """The tree with the node cut off; what goes through it stays in the totals."""
        links, node = self.links, self.node
        return links._replace(g=jnp.where(_by_node(links.parent == node, links.g), 0, links.g).at[node].set(0))


def _by_node(flags: Array, like: Any) -> Array:
    return flags.reshape(-1, *(1,) * (jnp.ndim(like) - 1))
