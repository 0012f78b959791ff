"""Currents that are neither ohmic nor GHK, and states that are no gates: what is left of published channels.

A `General` current may be any function of V and states, and may be carried by several species in parts of their own. Its
`variables` are states with any rate of change, coupled or not, which need not lie between 0 and 1; solvers that relax
gates take a linearly implicit step of them (Rosenbrock 1963, doi:10.1093/comjnl/5.4.329).
"""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
from jax import Array

from .channels import Channel, Environment, States
from .implicit import real, stepped
from .kinetics import Rule, Scheme


class General(Channel):
    """A current of any form: the class writes ``density`` of its states, in uA/cm^2, outward positive.

    With the class keyword ``states`` it has a kinetic scheme, whose ``transitions`` are written as those of `Markov`.
    ``density`` may return a mapping from species to densities instead, with ``""`` for what no ion carries; the class keyword
    ``ion`` then names each species. With the class keyword ``variables=("x", ...)`` the class also writes ``derivatives``, which
    returns the rate of change of each per ms, and ``rest``, which returns what each starts from; neither has to be a steady state.
    Gates are written as in other channels, and may not depend on variables.
    """

    def __init_subclass__(cls, *, variables: tuple[str, ...] = (), **kwargs: Any) -> None:
        cls.variables = tuple(variables) or cls.variables
        schemed = ("transitions",) if kwargs.get("states") or cls.occupancies else ()
        cls._roots = (*schemed, *(("rest", "derivatives") if cls.variables else ()), "density")
        super().__init_subclass__(**kwargs)

    def steady_state(self, env: Environment) -> States:
        gates = Channel.steady_state(self, env)
        known = {**env, **gates}
        if self.occupancies:
            known |= (scheme := self._over(env, self._scheme(known).steady_state()))
            gates = gates | scheme
        return gates | self._over(env, self._call("rest", known) if self.variables else {})

    def slope(self, states: Mapping[str, Array], env: Environment) -> States:
        known = {**env, **states}
        scheme = self._scheme(known).slope(states) if self.occupancies else {}
        return Channel.slope(self, states, env) | scheme | self._derivatives(states, env)

    def relax(self, states: Mapping[str, Array], env: Environment, dt: Any, rule: Rule) -> States:
        gates = Channel.relax(self, states, env, dt, rule)
        middle = {name: (states[name] + after) / 2 for name, after in gates.items()}
        if self.occupancies:
            scheme = self._scheme({**env, **middle}).relax(states, dt, rule)
            gates = gates | scheme
            middle |= {name: (states[name] + after) / 2 for name, after in scheme.items()}
        return gates | self._moved({**states, **middle}, env, dt, rule) if self.variables else gates

    def current(self, states: Mapping[str, Array], env: Environment) -> Array:
        density = self._call("density", {**env, **states})
        return sum(density.values(), jnp.zeros_like(env["V"])) if isinstance(density, Mapping) else density

    def carried(self, current: Any, states: Mapping[str, Array], env: Environment) -> dict[str, Any]:
        density = self._call("density", {**env, **states})
        if not isinstance(density, Mapping):
            return Channel.carried(self, current, states, env)
        return {species: part for species, part in density.items() if species}

    def _scheme(self, known: Environment) -> Scheme:
        return Scheme(self.occupancies, self._call("transitions", known))

    def _derivatives(self, states: Mapping[str, Array], env: Environment) -> States:
        return self._over(env, self._call("derivatives", {**env, **states}) if self.variables else {})

    def _over(self, env: Environment, values: Mapping[str, Any]) -> States:
        return {name: jnp.broadcast_to(real(value, env["V"]), jnp.shape(env["V"])) for name, value in values.items()}

    def _moved(self, states: Mapping[str, Array], env: Environment, dt: Any, rule: Rule) -> States:
        """The variables after a linearly implicit step: see `implicit`."""

        def rates(x: States) -> States:
            return self._derivatives({**states, **x}, env)

        return stepped(rates, {name: states[name] for name in self.variables}, dt, rule)
