"""Diffusion along a cell: what an ion's states flow by from compartment to compartment, and one step of it.

A step is that of a theta rule: half implicit, so of second order, and more where half would let a concentration fall below zero
(compartments that exchange all they hold within a step). It is solved for the increment by the elimination that V is solved by. What leaves a
compartment enters its neighbour, and the sum over the cell stays what it was, to rounding.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ..mechanisms.ions import Ion
from ..mechanisms.kinetics import Rule
from ..mechanisms.rules import IMPLICIT
from .tree import Links, implicit

States = dict[str, Array]


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class Diffusion:
    """What of one ion diffuses, on the nodes where it is and the junctions between them.

    Attributes:
        volume: um^3 of each node, 0 for junctions; of shape (m, ...), with a last axis over `names` where they are several.
        links: how nodes hang together, by conductances in um^3/ms of the shape of `volume`.
        fastest: 1/ms, the highest share of what it holds that a node exchanges; over one node in place of m.
        inside: at which node each place of the ion stands; None where all nodes are places of it.
        names: of the states that diffuse.
        branched: whether there are junctions.
    """

    volume: Any
    links: Links
    fastest: Any
    inside: Any
    names: tuple[str, ...] = field(metadata={"static": True})
    branched: bool = field(metadata={"static": True})

    def cross(self, states: States, dt: Any, rule: Rule) -> States:
        """The states after `dt` ms of nothing but diffusion along the cell."""
        x = self._settled(self._entered(states))
        theta = rule.theta(jnp.asarray(dt * self.fastest, x.dtype))
        change = self._solved(x, theta, dt, -self.links.outflow(x))
        return states | self._left(x + change)

    def glance(self, states: States, dt: Any) -> States:
        """The states after `dt` ms to first order, each node with its neighbours as they are: no negative ones, but a little made or lost."""
        x = self._settled(self._entered(states))
        volume, total = (jnp.asarray(each, x.dtype) for each in (self.volume, self.links.total))
        alone = volume / dt + total
        return states | self._left(x - self.links.outflow(x) / jnp.where(alone > 0, alone, 1))

    def slope(self, states: States) -> States:
        """Rate of change of what diffuses, per ms, by state; 0 for junctions."""
        x = self._settled(self._entered(states))
        volume = jnp.asarray(self.volume, x.dtype)
        held = volume > 0
        return self._left(jnp.where(held, -self.links.outflow(x) / jnp.where(held, volume, 1), 0))

    def answered(self, change: States, dt: Any) -> States:
        """The increments of one implicit step of `dt` ms, of those that an explicit one would make."""
        x = self._entered(change)
        return change | self._left(self._solved(x, 1.0, dt, jnp.asarray(self.volume, x.dtype) * x / dt))

    def _solved(self, x: Array, theta: Any, dt: Any, force: Array) -> Array:
        """The increment with ``volume increment / dt + theta K increment = force``."""
        held = jnp.broadcast_to(jnp.asarray(self.volume, x.dtype) / dt, x.shape)
        g, total = (jnp.asarray(each, x.dtype) for each in (self.links.g, self.links.total))
        return implicit(self.links._replace(g=theta * g, total=theta * total), held, force)

    def _settled(self, x: Array) -> Array:
        """With junctions, which hold nothing, at the mean of their neighbours."""
        if not self.branched:
            return x
        held = jnp.asarray(self.volume, x.dtype) > 0
        total = jnp.where(held, 1, jnp.asarray(self.links.total, x.dtype))
        return jnp.where(held, x, x - self.links.outflow(x) / total)

    def _entered(self, states: States) -> Array:
        """What diffuses as one array over the nodes."""
        each = [states[name] for name in self.names]
        x = each[0] if len(each) == 1 else jnp.stack(each, -1)
        if self.inside is None:
            return x
        whole = jnp.zeros((self.links.parent.shape[0], *x.shape[1:]), x.dtype)
        return whole.at[self.inside].set(x, mode="promise_in_bounds", unique_indices=True, indices_are_sorted=True)

    def _left(self, x: Array) -> States:
        """The reverse of `_entered`."""
        if self.inside is not None:
            x = x.at[self.inside].get(mode="promise_in_bounds", unique_indices=True, indices_are_sorted=True)
        return {self.names[0]: x} if len(self.names) == 1 else {name: x[..., i] for i, name in enumerate(self.names)}


def moving(ion: Ion, along: Diffusion | None, states: Mapping[str, Array], current: Any) -> States:
    """Rates of change of an ion's states, of which some may diffuse `along` the cell."""
    rates = ion.slope(states, current)
    return rates if along is None else _added(rates, along.slope(dict(states)))


def foreseen(
    ion: Ion, along: Diffusion | None, states: Mapping[str, Array], current: Any, dt: Any, rule: Rule
) -> States:
    """An ion's states after `dt` ms to first order: what V of a step is advanced with, and nothing goes on from."""
    soon = ion.relax(states, current, dt, rule)
    return soon if along is None else along.glance(soon, dt)


def crossed(
    ion: Ion, along: Diffusion | None, states: Mapping[str, Array], current: Any, dt: Any, rule: Rule
) -> States:
    """An ion's states after `dt` ms at a constant current density.

    What happens within compartments goes half a step before and half a step after what flows between them, which is of second order
    (Strang 1968, doi:10.1137/0705041). Solvers that are implicit in the whole state need the implicit equation of both together: it is
    factored in its increments, so that what is at rest stays there, and what is left out is of the third power of `dt` (Beam & Warming 1976,
    doi:10.1016/0021-9991(76)90110-8).
    """
    if along is None:
        return ion.relax(states, current, dt, rule)
    if rule is not IMPLICIT:
        half = ion.relax(states, current, dt / 2, rule)
        return ion.relax(along.cross(half, dt, rule), current, dt / 2, rule)
    start = dict(states)
    change = along.answered({name: dt * rate for name, rate in moving(ion, along, start, current).items()}, dt)
    _, change = jax.jvp(lambda x: ion.relax(x, current, dt, rule), (start,), (change,))
    return _added(start, change)


def _added(states: States, more: States) -> States:
    return states | {name: states[name] + x for name, x in more.items()}
