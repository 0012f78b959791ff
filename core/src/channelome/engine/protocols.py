"""What the engine accepts of a Solver and a Stimulus: a few data and at most four methods each."""

from collections.abc import Callable
from typing import Any, Protocol

from jax import Array

from ..cells.protocol import Cell, Inject
from ..state import State

Drive = Callable[[Any], Inject]
"""From a time in ms what is injected then."""


class Solver(Protocol):
    """A method of integration. The carry is whatever it keeps between steps: a pytree. A run begins at t = 0."""

    def start(self, cell: Cell, state: State, dt: Any) -> Any:
        """The carry at the start, from the state then."""
        ...

    def step(self, cell: Cell, carry: Any, t: Any, dt: Any, drive: Drive) -> Any:
        """The carry at ``t + dt``, from that at `t`."""
        ...

    def voltage(self, carry: Any) -> Array:
        """V at the carry's time."""
        ...

    def state(self, cell: Cell, carry: Any, t: Any, dt: Any) -> State:
        """The state at the carry's time `t`, all of it at one time."""
        ...


class Stimulus(Protocol):
    """A current put into a cell as a function of time: a pytree."""

    @property
    def unit(self) -> str:
        """``"uA/cm^2"`` for a density, ``"nA"`` for an absolute current."""
        ...

    @property
    def detail(self) -> float:
        """The shortest feature in time, in ms (infinity for none): steps may not be longer."""
        ...

    def __call__(self, t: Any) -> Any:
        """The current at `t` (ms), a scalar or of the shape of the population."""
        ...
