"""Channels and ions in a membrane: what all kinds of cell do with them, whatever becomes of V.

A part may be in the whole cell or in some places of it only. `within` and `over` go from arrays over the cell to arrays over
where a part is, and back; in a point they are one.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ..mechanisms.channels import Channel, Environment
from ..mechanisms.ions import Ion, IonView
from ..mechanisms.kinetics import Rule
from ..state import State
from .diffusion import Diffusion, crossed, foreseen, moving
from .protocol import Inject


class Advancing:
    """What anything inherits that is advanced from its parts, several cells at once too: it has the methods of `Membrane` that this one asks."""

    def advance(
        self: Any,
        state: State,
        inject: Inject,
        dt: Any,
        rule: Rule,
        *,
        guess: State | None = None,
        follow: Callable[[State], State] = lambda state: state,
    ) -> State:
        """V and concentrations after `dt` ms, with gates held; `guess` and `follow` as `Cell.advance` has them."""
        at = self.half_way(state, dt, rule) if guess is None else guess

        def outward(V: Array) -> Array:
            return self.outward(follow(at._replace(V=V))) - inject(V)

        I, G = jax.jvp(outward, (at.V,), (jnp.ones_like(at.V),))  # exact, not a finite difference
        V = self.charged(at, None if guess is None else state.V - at.V, I, G, dt, rule)
        if not any(state.ions.values()):
            return state._replace(V=V)
        reached = follow(at._replace(V=(state.V + V) / 2 if guess is None else V))
        carried = self.carried(self.currents(reached), reached)
        return state._replace(V=V, ions=self.pools(state, carried, dt, rule))


class Membrane(Advancing):
    """What a cell inherits that has `channels` and `ions` by label, and a temperature."""

    channels: Mapping[str, Channel]
    ions: Mapping[str, Ion]
    celsius: Any

    def within(self, label: str, x: Any) -> Any:
        """Of an array over the cell what is where the part `label` is; a number stays one."""
        return x

    def over(self, label: str, x: Any) -> Any:
        """An array over the cell with `x` where the part `label` is, and 0 elsewhere; a number stays one."""
        return x

    def along(self, species: str) -> Diffusion | None:
        """How what diffuses of an ion along the cell does; None where nothing does."""
        return None

    # ---- one state, or one step of it ----

    def rest(self, V: Array) -> State:
        """The state at V, with gates and concentrations at rest."""
        ions = {
            species: {
                name: jnp.broadcast_to(jnp.asarray(value, V.dtype), self.within(species, V).shape)
                for name, value in ion.initial().items()
            }
            for species, ion in self.ions.items()
        }
        around = self._around(State(V, {}, ions))
        gates = {
            label: channel.at(self.celsius).steady_state(around(label)) for label, channel in self.channels.items()
        }
        return State(V, gates, ions)

    def slopes(self, state: State, dV: Array) -> State:
        """Rate of change of the whole state, of which that of V is known."""
        around = self._around(state)
        gates = {
            label: channel.at(self.celsius).slope(state.channels[label], around(label))
            for label, channel in self.channels.items()
        }
        carried = self.carried(self.currents(state), state)
        ions = {s: moving(ion, self.along(s), state.ions[s], carried[s]) for s, ion in self.ions.items()}
        return State(dV, gates, ions)

    def relax(self, state: State, dt: Any, rule: Rule) -> State:
        """Gates and occupancies after `dt` ms, with V and concentrations held."""
        around = self._around(state)
        gates = {
            label: channel.at(self.celsius).relax(state.channels[label], around(label), dt, rule)
            for label, channel in self.channels.items()
        }
        return state._replace(channels=gates)

    def charged(self, at: State, behind: Array | None, I: Array, G: Array, dt: Any, rule: Rule) -> Array:
        """V after `dt` ms under the current `I` out of the cell at `at` and its slope `G` by V; what each kind of cell solves in its way.

        Args:
            behind: from V at `at` to where the step began, None where it began there.
        """
        raise NotImplementedError

    def currents(self, state: State) -> dict[str, Array]:
        """Current density of each channel by label, in uA/cm^2, outward positive, where it is."""
        around = self._around(state)
        return {
            label: channel.at(self.celsius).current(state.channels[label], around(label))
            for label, channel in self.channels.items()
        }

    def outward(self, state: State) -> Array:
        """The sum of the currents over the cell."""
        return sum((self.over(label, I) for label, I in self.currents(state).items()), jnp.zeros_like(state.V))

    def views(self, state: State) -> dict[str, IonView]:
        """What channels see of each ion, by species, where it is."""
        return {species: ion.view(state.ions[species], self.celsius) for species, ion in self.ions.items()}

    def carried(self, currents: Mapping[str, Array], state: State) -> dict[str, Any]:
        """Current density that each ion carries, where it is: a channel's charge is credited to the species it declares, no other."""
        found: dict[str, Any] = dict.fromkeys(self.ions, 0.0)
        around = self._around(state)
        for label, channel in self.channels.items():
            parts = channel.at(self.celsius).carried(currents[label], state.channels[label], around(label))
            for species, part in parts.items():
                if species in found:
                    found[species] = found[species] + self._between(label, species, part)
        return found

    def half_way(self, state: State, dt: Any, rule: Rule) -> State:
        """The state with its concentrations predicted for the middle of the step, which keeps V second order."""
        if not any(state.ions.values()):
            return state
        carried = self.carried(self.currents(state), state)
        soon = {
            s: foreseen(ion, self.along(s), state.ions[s], carried[s], dt / 2, rule) for s, ion in self.ions.items()
        }
        return state._replace(ions=soon)

    def pools(self, state: State, carried: Mapping[str, Any], dt: Any, rule: Rule) -> dict[str, dict[str, Array]]:
        """Concentrations after `dt` ms under the current that each ion carries."""
        return {s: crossed(ion, self.along(s), state.ions[s], carried[s], dt, rule) for s, ion in self.ions.items()}

    # ---- who sees what ----

    def _around(self, state: State) -> Callable[[str], Environment]:
        """By label, what surrounds a channel."""
        views = self.views(state)

        def around(label: str) -> Environment:
            seen = {species: self._seen(view, label) for species, view in views.items()}
            return {"V": self.within(label, state.V), "celsius": self.celsius, **seen}

        return around

    def _seen(self, view: IonView, label: str) -> IonView:
        """Of what an ion is where it is, what a channel sees where that is."""
        return view

    def _between(self, label: str, other: str, x: Any) -> Any:
        """From where one part is to where another is."""
        return x
