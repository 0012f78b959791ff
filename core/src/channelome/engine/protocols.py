"""What the engine asks of a solver, and what it tells one of a step."""

from collections.abc import Sequence
from typing import Any, Protocol

from jax import Array

from ..cells.protocol import Cell, Inject
from ..state import State


class Drive(Protocol):
    """What is put into a cell during one step. Shares count from the beginning of the step, 0, to its end, 1."""

    @property
    def edges(self) -> int:
        """How many edges of the stimulus may lie inside a step, at most; static."""
        ...

    def edge(self, share: Any) -> Any:
        """The share of the first edge after `share`, 1 where there is none; for all cells, or by cell."""
        ...

    def mean(self, first: Any = 0.0, last: Any = 1.0, *, synapses: float | None = None) -> Inject:
        """The stimulus' mean from share `first` to `last`, exact wherever its edges lie; synapses in the middle, or at a share."""
        ...

    def at(self, share: Any) -> Inject:
        """The stimulus and the synapses at a share of the step."""
        ...

    def stages(self, nodes: Sequence[float], weights: Sequence[float]) -> list[Inject]:
        """As `at` each node, moved by what makes the sum over `weights` the mean: charge is exact, smooth currents keep order."""
        ...


class Solver(Protocol):
    """A method of integration. The carry is whatever it keeps between steps: a pytree.

    What it may say of itself by further attributes, of which it has none otherwise:

    - `points_only`, a text: why it is no solver for cells whose V is coupled in space.
    - `by_mean`: it moves V by `Cell.advance`, under the mean over the whole step of what is put in; so a clamp that is faster than the step is
      followed, and a place of a cell can be held ideally.
    - `middle_gates`: V at the end of a step goes with the gates of its middle, which the current of a fast clamp makes up for.
    - `staggered`: it keeps gates half a step from V, which gap junctions between points must know.
    - `slow_clamps`, a text: what it is called where a clamp that charges a cell faster than in half a step is refused.
    """

    def start(self, cell: Cell, state: State, dt: Any) -> tuple[Any, Any]:
        """The carry at the start, from the state then, and the number of its first step: 0, or of a carry that goes on 1."""
        ...

    def step(self, cell: Cell, carry: Any, n: Any, dt: Any, drive: Drive) -> Any:
        """The carry after step number `n`, which takes `dt` ms."""
        ...

    def voltage(self, carry: Any) -> Array:
        """V at the carry's time."""
        ...

    def state(self, cell: Cell, carry: Any, n: Any, dt: Any) -> State:
        """The state before step number `n`, all of it at one time."""
        ...
