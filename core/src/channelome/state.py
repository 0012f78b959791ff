"""The state of a cell: what changes during a run."""

from typing import NamedTuple

from jax import Array


class State(NamedTuple):
    """Everything that a run advances, addressed by name.

    Attributes:
        V: membrane potential in mV, of the shape of the population.
        channels: gates and occupancies by label and name, each of that shape, in [0, 1].
        ions: by species; ``{"C_in": ...}`` in mM for a pool, empty for others.
    """

    V: Array
    channels: dict[str, dict[str, Array]]
    ions: dict[str, dict[str, Array]]
