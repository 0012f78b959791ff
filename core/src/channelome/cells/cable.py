"""A cell of many compartments as a run has it: arrays by node of the tree, ready for the step.

What a modeller writes is in `multi`, in the order of branches; here all stands in the order of the sweep, junctions among the
compartments. A junction has no membrane: its area is 0, so that whatever its gates do lets nothing through.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..mechanisms.channels import Channel
from ..mechanisms.ions import Ion, IonView
from ..mechanisms.kinetics import Rule
from ..mechanisms.rules import IMPLICIT, lag
from ..state import State
from .diffusion import Diffusion
from .membrane import Membrane
from .protocol import Inject
from .stages import gain
from .tree import Linked, Links, flowing, implicit, tr_bdf2

NA_PER_UM2 = 1e-5
"""From uA/cm^2 over 1 um^2 to nA."""


def nodes_last(x: Any) -> Any:
    """An array of a run, in which nodes stand first, as it is handed out: cells first."""
    return x if np.ndim(x) < 2 else jnp.moveaxis(x, 0, -1)


def nodes_first(x: Any) -> Any:
    """The reverse of `nodes_last`."""
    return x if np.ndim(x) < 2 else jnp.moveaxis(x, -1, 0)


def change(links: Linked, capacity: Any, slope: Array, force: Array, behind: Array | None, rule: Rule) -> Array:
    """By how much V changes in a step: by TR-BDF2 or, of the implicit rule, backward Euler.

    Args:
        capacity: uS, over the step.
        slope: uS, of the currents through the membrane by V.
        force: nA, what would charge the nodes if V stayed.
        behind: from V to where the step began; None where it began there.
    """
    if rule is not IMPLICIT:
        return tr_bdf2(links, jnp.broadcast_to(capacity, force.shape), slope, force)
    return implicit(links, capacity + slope, force if behind is None else force + capacity * behind)


@dataclass(frozen=True)
class Everywhere:
    """Where a part is that is in the whole cell."""

    def take(self, x: Array, tables: Mapping[str, Any]) -> Array:
        return x

    def put(self, x: Array, tables: Mapping[str, Any], like: Array) -> Array:
        return x


@dataclass(frozen=True)
class Slice:
    """Where a part is that is in nodes side by side."""

    first: int
    stop: int

    def take(self, x: Array, tables: Mapping[str, Any]) -> Array:
        return x[self.first : self.stop]

    def put(self, x: Array, tables: Mapping[str, Any], like: Array) -> Array:
        return jnp.pad(x, [(self.first, like.shape[0] - self.stop), *[(0, 0)] * (x.ndim - 1)])


@dataclass(frozen=True)
class Some:
    """Where a part is that is in some nodes; `table` names their numbers."""

    table: str

    def take(self, x: Array, tables: Mapping[str, Any]) -> Array:
        return x.at[tables[self.table]].get(mode="promise_in_bounds", unique_indices=True, indices_are_sorted=True)

    def put(self, x: Array, tables: Mapping[str, Any], like: Array) -> Array:
        whole = jnp.zeros((like.shape[0], *x.shape[1:]), x.dtype)
        return whole.at[tables[self.table]].set(
            x, mode="promise_in_bounds", unique_indices=True, indices_are_sorted=True
        )


Where = Everywhere | Slice | Some


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False)
class Cable(Membrane):
    """A `Cell` whose V is coupled along a tree of m nodes.

    Attributes:
        channels, ions: by label; arrays of theirs have the nodes where the part is along their first axis.
        celsius: in degC, or None.
        V: where the cell starts, mV.
        V_th: threshold of its spikes, mV.
        area: of shape (m, 1...) in um^2; 0 for junctions.
        capacity: nA ms/mV of each node.
        links: how nodes hang together.
        tables: numbers of nodes by name: of regions, and ``"spikes"``, the one at which spikes are detected, of a forest one of each tree.
        size: shape of the population.
        diffusion: by species, how what diffuses along the cell does.
        where: of each part.
        width: shape of the cells beside one another at each node; that of the population if None.
    """

    pointwise: ClassVar[bool] = False
    channels: Mapping[str, Channel]
    ions: Mapping[str, Ion]
    celsius: Any
    V: Any
    V_th: Any
    area: Any
    capacity: Any
    links: Links
    tables: Mapping[str, Any]
    diffusion: Mapping[str, Diffusion]
    size: tuple[int, ...]
    where: tuple[tuple[str, Where], ...]
    width: tuple[int, ...] | None = None

    # ---- the Cell protocol ----

    def initial_state(self, V: Any = None) -> State:
        start = jnp.asarray(self.V if V is None else V, dtype=float)
        width = self.size if self.width is None else self.width
        return self.rest(jnp.broadcast_to(start, (self.links.parent.shape[0], *width)))

    def derivative(self, state: State, inject: Inject) -> State:
        """A junction goes as the mean of its neighbours does, so that what flows there stays 0."""
        inward = self.area * NA_PER_UM2 * (inject(state.V) - self.outward(state)) - self.links.outflow(state.V)
        charged = self.capacity > 0
        dV = jnp.where(charged, inward / jnp.where(charged, self.capacity, 1), 0)
        carried = -self.links.outflow(dV) / jnp.where(charged, 1, self.links.total)
        return self.slopes(state, jnp.where(charged, dV, carried))

    def spiking(self, V: Array) -> Array:
        return V[self.tables["spikes"]].reshape(self.size)

    def charged(self, at: State, behind: Array | None, I: Array, G: Array, dt: Any, rule: Rule) -> Array:
        area, capacity = self.area * NA_PER_UM2, self.capacity / dt
        if rule is not IMPLICIT:
            return at.V + flowing(self.links, at.V, jnp.broadcast_to(capacity, at.V.shape), area * G, -area * I)
        force = -area * I - self.links.outflow(at.V)
        return at.V + change(self.links, capacity, area * G, force, behind, rule)

    def lead(self, g: Any, dt: Any) -> Any:
        """By which share the end of a step stands for its mean, see `rules.lag`, for a clamp of the conductance `g` (mS/cm^2) by node."""
        held = g * self.area * NA_PER_UM2
        clamped = held > 0
        z = dt * (held + self.links.total) / jnp.where(clamped, self.capacity, 1)
        return jnp.where(clamped, lag(gain, jnp.where(clamped, z, 1.0)), 0)

    # ---- parts in some places ----

    def within(self, label: str, x: Any) -> Any:
        return x if jnp.ndim(x) == 0 else self._where[label].take(x, self.tables)

    def over(self, label: str, x: Any) -> Any:
        return x if jnp.ndim(x) == 0 else self._where[label].put(x, self.tables, self.area)

    def along(self, species: str) -> Diffusion | None:
        return self.diffusion.get(species)

    def outward(self, state: State) -> Array:
        """As for every membrane; what is in the same places is added up there."""
        together: dict[Where, Any] = {}
        for label, I in self.currents(state).items():
            where = self._where[label]
            together[where] = together[where] + I if where in together else I
        spread = (where.put(I, self.tables, self.area) for where, I in together.items())
        return sum(spread, jnp.zeros_like(state.V))

    def _seen(self, view: IonView, label: str) -> IonView:
        known, channel = self._where, self.channels[label]
        if known[view.species] == known[label] or view.species not in (*channel.reads, *channel.carries):
            return view

        def moved(x: Any) -> Any:
            same_everywhere = jnp.ndim(x) == 0 or x.shape[0] == 1  # numbers, of all cells or by cell
            return x if same_everywhere else self._between(view.species, label, x)

        return view.each(moved)

    def _between(self, label: str, other: str, x: Any) -> Any:
        if jnp.ndim(x) == 0 or self._where[label] == self._where[other]:
            return x
        return self.within(other, self.over(label, x))

    @property
    def _where(self) -> dict[str, Where]:
        return dict(self.where)

    # ---- pytree ----

    def tree_flatten_with_keys(self) -> tuple[Any, Any]:
        keys = [field.name for field in fields(self)][:-3]
        return tuple((jax.tree_util.GetAttrKey(k), getattr(self, k)) for k in keys), self._static

    def tree_flatten(self) -> tuple[Any, Any]:
        return tuple(getattr(self, field.name) for field in fields(self)[:-3]), self._static

    @property
    def _static(self) -> Any:
        return self.size, self.where, self.width

    @classmethod
    def tree_unflatten(cls, static: Any, children: Any) -> Self:
        return cls(*children, *static)
