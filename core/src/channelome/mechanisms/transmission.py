"""Synapses: what an arriving spike does to the target, and the base that authors of synapses subclass.

A synapse's states belong to the target neuron: synapses of one projection onto one neuron add up, since between spikes
their equations are linear. `flow` is the exact solution over any time, so the solver of the cell can ask for the
conductance in the middle of its step.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import Array

from ..errors import DefinitionError
from ..module import Module
from ..units import Unit, Voltage

S = dict[str, Array]


class Contact(Module):
    """What a projection is made of: a chemical `Synapse`, or an electrical `Coupling`."""

    states: ClassVar[tuple[str, ...]] = ()

    def longest_step(self) -> Any:
        """The longest step in ms that it can be run with; infinity for any."""
        return math.inf


class Synapse(Contact):
    """Base of synapses: states of the target, how they pass time, and what they let through.

    Class keyword:
        states: names of the states, each in the unit of the projection's weight, zero at rest.

    The weight's unit decides what the synapse is. A conductance (``"6 nS"``, ``"0.1 mS/cm^2"``) gives the current
    ``conductance (V - E)``, which enters the cell's own step in its linear part; a current (``"20 pA"``,
    ``"1 uA/cm^2"``) is put into the cell, inward positive.
    """

    E: Voltage = 0.0

    def __init_subclass__(cls, *, states: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.states = tuple(states) or cls.states
        for method in ("flow", "receive", "conductance"):
            if cls.states and getattr(cls, method) is getattr(Synapse, method):
                raise DefinitionError(f"class {cls.__name__} needs a method {method}: see the class Synapse.")

    def flow(self, s: S, dt: Any) -> S:
        """The states after `dt` ms without a spike: the exact solution."""
        raise NotImplementedError

    def receive(self, s: S, arrived: Any) -> S:
        """The states after spikes whose weights add up to `arrived`, an array over the target neurons."""
        raise NotImplementedError

    def conductance(self, s: S, V: Array) -> Array:
        """Conductance, or current where the weight is one, in the unit of the weight."""
        raise NotImplementedError

    def initial(self, size: tuple[int, ...], dtype: Any) -> S:
        return {name: jnp.zeros(size, dtype) for name in self.states}


class Followed(Synapse):
    """Base of synapses whose kinetics are the same for all synapses of a source, and are followed there.

    The targets hold two sums over their synapses, which `receive` gets as ``arrived[..., 0]`` and ``arrived[..., 1]``.
    """

    graded: ClassVar[bool] = False
    """Whether what a source sends at each step takes the place of what it sent before; `initial` has no meaning then."""

    def source_initial(self, size: tuple[int, ...], dtype: Any) -> S:
        """States of the sources at rest."""
        raise NotImplementedError

    def source_flow(self, s: S, dt: Any) -> S:
        """States of the sources after `dt` ms without a spike."""
        raise NotImplementedError

    def source_emit(self, s: S, spiked: Array, dt: Any) -> tuple[S, Array, Array]:
        """The states after the spikes (1 or 0; several within a step are one), who sends now with what sign, and the two numbers sent, on a last axis."""
        raise NotImplementedError

    def owing(self, s: S) -> Array:
        """Which sources (1 or 0) have sent what they are yet to take back, so that weights must not change until then."""
        return jnp.ones_like(next(iter(s.values())))


class Release(Module):
    """Base of what a source neuron does with its spikes: states of the source, and the amount that each spike sends.

    Class keyword:
        states: names of the states with their values at rest.
    """

    states: ClassVar[Mapping[str, float]] = MappingProxyType({})

    def __init_subclass__(cls, *, states: Mapping[str, float] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.states = MappingProxyType(dict(states or cls.states))

    def flow(self, s: S, dt: Any) -> S:
        """The states after `dt` ms without a spike."""
        raise NotImplementedError

    def release(self, s: S, spiked: Array) -> tuple[S, Array]:
        """The states after the spikes (1 or 0 for each source), and what a spike of each source sends, 1 as it is.

        Of several within a step, each sends that.
        """
        raise NotImplementedError

    def initial(self, size: tuple[int, ...], dtype: Any) -> S:
        return {name: jnp.full(size, value, dtype) for name, value in self.states.items()}


class Coupling(Contact):
    """Base of electrical synapses, which conduct both ways at all times: weight times the difference of the voltages."""


NANOSIEMENS, NANOAMPERE = Unit.parse("nS"), Unit.parse("nA")
CONDUCTANCE_DENSITY, CURRENT_DENSITY = Unit.parse("mS/cm^2"), Unit.parse("uA/cm^2")
WEIGHTS = (NANOSIEMENS, CONDUCTANCE_DENSITY, NANOAMPERE, CURRENT_DENSITY)
"""What a weight may be: absolute or per membrane area, a conductance or a current."""
TO_DENSITY = {"nS": 100.0, "nA": 1e5}
"""From nS and nA over um^2 to mS/cm^2 and uA/cm^2."""
