"""The three kinds of channel that authors subclass: `Ohmic`, `Permeable` (GHK) and `Markov`.

A channel is written as its paper writes it: a method per gate, whose argument names say what the gate depends on, and one
method that puts the gates together. `definition` checks it when the class is defined.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import Array

from ..maths import ghk
from ..module import Module
from .definition import analyse
from .kinetics import Relaxation, Rule, Scheme
from .source import source_of

States = dict[str, Array]
Environment = Mapping[str, Any]
"""What surrounds a channel: ``V`` in mV, ``celsius`` in degC, and an `IonView` by species."""


class Channel(Module):
    """Base of all channels: gates, what they depend on, and the current density that they let through.

    Class keywords:
        ion: the species that carries the current. For a current of several species a mapping from species to the name of
            the parameter that holds its share; the class then has its own ``E``.
        reads: species that the methods ask for by name and that are not common ones (na, k, ca, cl, mg, h).
    """

    ion: ClassVar[str | None] = None
    carries: ClassVar[Mapping[str, str | None]] = MappingProxyType({})
    reads: ClassVar[tuple[str, ...]] = ()
    gates: ClassVar[tuple[str, ...]] = ()
    occupancies: ClassVar[tuple[str, ...]] = ()
    variables: ClassVar[tuple[str, ...]] = ()
    needs_celsius: ClassVar[bool] = False
    measured_at: ClassVar[float | None] = None
    asks_celsius: ClassVar[bool] = False
    _roots: ClassVar[tuple[str, ...]] = ()
    _arguments: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
    _declared: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(
        cls,
        *,
        ion: str | Mapping[str, str] | None = None,
        reads: tuple[str, ...] = (),
        states: tuple[str, ...] = (),
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        if ion is not None:
            cls.ion = ion if isinstance(ion, str) else None
            cls.carries = MappingProxyType({ion: None} if isinstance(ion, str) else dict(ion))
        cls._declared = cls._declared + tuple(reads)
        cls.occupancies = tuple(states) or cls.occupancies
        if cls._roots and callable(getattr(cls, cls._roots[-1], None)):
            analyse(cls, Channel)

    def steady_state(self, env: Environment) -> States:
        """The states at rest in `env`, by name, each of the shape of ``env["V"]``."""
        known = dict(env)
        for name in self.gates:
            known[name] = jnp.broadcast_to(self._gate(name, known).steady_state, jnp.shape(env["V"]))
        return {name: known[name] for name in self.gates}

    def slope(self, states: Mapping[str, Array], env: Environment) -> States:
        """Rates of change of the states, in 1/ms."""
        known = {**env, **states}
        return {name: self._gate(name, known).slope(states[name]) for name in self.gates}

    def relax(self, states: Mapping[str, Array], env: Environment, dt: Any, rule: Rule) -> States:
        """The states after `dt` ms in a constant environment. A gate that depends on another sees its mean."""
        known = {**env, **states}
        after: States = {}
        for name in self.gates:
            after[name] = self._gate(name, known).relax(states[name], dt, rule)
            known[name] = (states[name] + after[name]) / 2
        return after

    def current(self, states: Mapping[str, Array], env: Environment) -> Array:
        """Current density in uA/cm^2, outward positive."""
        raise NotImplementedError

    def carried(self, current: Any, states: Mapping[str, Array], env: Environment) -> dict[str, Any]:
        """What each species carries of the channel's `current` (uA/cm^2), by species."""
        shares = {species: 1.0 if share is None else getattr(self, share) for species, share in self.carries.items()}
        return {species: share * current for species, share in shares.items()}

    def _gate(self, name: str, known: Environment) -> Relaxation:
        return self._call(name, known)

    def _call(self, method: str, known: Environment) -> Any:
        return getattr(self, method)(*[known[argument] for argument in self._arguments[method]])


class Ohmic(Channel):
    """A current ``g (V - E)``; the class writes ``conductance`` of its gates, in mS/cm^2.

    E is the reversal potential of the ion that carries it, or the class's own field ``E``.
    """

    _roots: ClassVar[tuple[str, ...]] = ("conductance",)

    def current(self, states: Mapping[str, Array], env: Environment) -> Array:
        E = _reversal_potential(self, env)
        return self._call("conductance", {**env, **states}) * (env["V"] - E)


class Permeable(Channel):
    """A current by the Goldman-Hodgkin-Katz equation; the class writes ``permeability`` of its gates, in cm/s.

    It depends on the cell's temperature and on both concentrations of the ion that carries it.
    """

    _roots: ClassVar[tuple[str, ...]] = ("permeability",)
    needs_celsius: ClassVar[bool] = True

    def current(self, states: Mapping[str, Array], env: Environment) -> Array:
        ion = env[self.ion or ""]
        unit_current = ghk(env["V"], ion.C_in, ion.C_out, ion.valence, env["celsius"])
        return self._call("permeability", {**env, **states}) * unit_current


class Markov(Channel):
    """An ohmic current through a kinetic scheme: class keyword ``states=("C", "O", ...)``.

    The class writes ``transitions``, which returns the rate in 1/ms of each ``(from, to)``, and ``conductance`` of the
    occupancies, in mS/cm^2. Occupancies stay positive and sum to 1.
    """

    _roots: ClassVar[tuple[str, ...]] = ("transitions", "conductance")

    def steady_state(self, env: Environment) -> States:
        gates = Channel.steady_state(self, env)
        scheme = self._scheme({**env, **gates}).steady_state()
        return gates | {name: jnp.broadcast_to(p, jnp.shape(env["V"])) for name, p in scheme.items()}

    def slope(self, states: Mapping[str, Array], env: Environment) -> States:
        return Channel.slope(self, states, env) | self._scheme({**env, **states}).slope(states)

    def relax(self, states: Mapping[str, Array], env: Environment, dt: Any, rule: Rule) -> States:
        gates = Channel.relax(self, states, env, dt, rule)
        middle = {name: (states[name] + after) / 2 for name, after in gates.items()}
        return gates | self._scheme({**env, **middle}).relax(states, dt, rule)

    def current(self, states: Mapping[str, Array], env: Environment) -> Array:
        E = _reversal_potential(self, env)
        return self._call("conductance", {**env, **states}) * (env["V"] - E)

    def _scheme(self, known: Environment) -> Scheme:
        return Scheme(self.occupancies, self._call("transitions", known))


def _reversal_potential(channel: Channel, env: Environment) -> Any:
    return getattr(channel, "E") if "E" in channel.parameters else env[channel.ion or ""].E  # noqa: B009


# ---- what the manifest says of a class ----------------------------------------------------------------------------


def equations(cls: type[Channel]) -> str:
    """Source text of the methods that hold the class's equations; empty where it is not there."""
    sources = [source_of(getattr(cls, method)) for method in dict.fromkeys((*cls.gates, *cls._arguments))]
    return "\n\n".join(sources) if all(sources) else ""
