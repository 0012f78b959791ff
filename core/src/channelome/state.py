"""The state of a cell and of a network: what changes during a run. Plain data, which solvers, cells and results share."""

from typing import Any, NamedTuple

from jax import Array

from .equality import same


class State(NamedTuple):
    """Everything that a run advances, addressed by name.

    Attributes:
        V: membrane potential in mV, of the shape of the population.
        channels: gates and occupancies by label and name, each of that shape, in [0, 1].
        ions: by species; ``{"C_in": ...}`` in mM for a pool, empty for others.
        behind: gates and occupancies as they were `lag` ms before, where a solver keeps them so and hands them on; a run
            with the same solver and step goes on from these, any other from `channels`. None elsewhere.
        lag: in ms.
    """

    V: Array
    channels: dict[str, dict[str, Array]]
    ions: dict[str, dict[str, Array]]
    behind: dict[str, dict[str, Array]] | None = None
    lag: Any = None

    def __eq__(self, other: object) -> bool:
        return same(self, other)

    def __ne__(self, other: object) -> bool:
        return not same(self, other)

    def __hash__(self) -> int:
        return hash(frozenset(self.channels))

    def at_once(self) -> "State":
        """The state without what lags behind."""
        return self._replace(behind=None, lag=None)


class NetworkState(NamedTuple):
    """The state of a network: cells by population, synapses and sources by projection.

    Attributes:
        rings: spikes under way: by projection what its sources sent in as many steps as its longest delay has, the oldest first; None
            where nothing is. ``{}`` stands for nothing at all.
        steps: how many led to it, from the first run on.
        marks: by projection what it was made with, as far as what the state holds depends on it: delays, weights of receptors.
    """

    cells: dict[str, State]
    synapses: dict[str, dict[str, Array]]
    sources: dict[str, dict[str, Array]]
    rings: dict[str, Any]
    steps: Any
    marks: Any = None

    def __eq__(self, other: object) -> bool:
        return same(self, other)

    def __ne__(self, other: object) -> bool:
        return not same(self, other)

    def __hash__(self) -> int:
        return hash(frozenset(self.cells))
