"""What the engine accepts of a cell: a few data and five methods.

A solver knows nothing of compartments: it asks a cell to relax its gates and to advance its membrane. So V may be
advanced pointwise (a point neuron), implicitly over a tree (a cable) or with synaptic conductance added (a network).
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from jax import Array

from ..mechanisms.channels import Channel
from ..mechanisms.ions import Ion
from ..mechanisms.kinetics import Rule
from ..state import State

Inject = Callable[[Array], Array]
"""From V (mV) the current density put into the cell (uA/cm^2, inward positive): stimuli, and synapses where they are."""


class Cell(Protocol):
    """A model of a cell, or of a population of cells.

    Its data: `size`, the shape of the population, which V of a point has too; the parts by name, `channels` and `ions`; and the
    threshold of its spikes, `V_th`.
    """

    @property
    def size(self) -> tuple[int, ...]: ...

    @property
    def channels(self) -> Mapping[str, Channel]: ...

    @property
    def ions(self) -> Mapping[str, Ion]: ...

    @property
    def V_th(self) -> Any: ...

    def initial_state(self, V: Any = None) -> State:
        """The state at V (mV; the cell's own if None), with gates and concentrations at rest."""
        ...

    def spiking(self, V: Array) -> Array:
        """V where spikes are detected, of the shape `size`."""
        ...

    def derivative(self, state: State, inject: Inject) -> State:
        """Rate of change of the whole state, per ms."""
        ...

    def relax(self, state: State, dt: Any, rule: Rule) -> State:
        """Gates and occupancies after `dt` ms, with V and concentrations held."""
        ...

    def advance(self, state: State, inject: Inject, dt: Any, rule: Rule, **implicit: Any) -> State:
        """V and concentrations after `dt` ms, with gates held.

        Keywords of implicit solvers: `guess`, the state to linearise at, and `follow`, a function from a state to the
        one whose gates go with its V.
        """
        ...
