"""Cells of compartments side by side, filled up to as many as vectors take.

XLA makes vectors along the last axis of an array, here the cells beside one another at each node: a power of two of them, or of more than 64 a
multiple of 16. Of 3, 10 or 100 it works out one after the other, which takes three to ten times as long as of 4, 16 or 112. So a step is that of
some more cells, each like the last, which are nobody's: what is handed in is filled up, what is asked for is without them.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ...cells.cable import Cable
from ...cells.protocol import Inject
from ...state import State
from ..protocols import Drive, Solver

ROW, ROWS = 16, 64
"""Beyond `ROWS` cells are filled up to whole rows of so many, below to a power of two."""


def filled_up(n: int) -> int:
    """As how many cells a step takes `n`."""
    return -(-n // ROW) * ROW if n > ROWS else 1 << (n - 1).bit_length()


@dataclass(frozen=True)
class Filled:
    """Takes the place of a solver for cells of the shape `beside` at each node."""

    solver: Solver
    beside: tuple[int, ...]

    @property
    def n(self) -> int:
        return math.prod(self.beside)

    def start(self, cell: Any, state: State, dt: Any) -> tuple[Any, Any]:
        return self.solver.start(self._cable(cell), jax.tree.map(self._fill, state), dt)

    def step(self, cell: Any, carry: Any, n: Any, dt: Any, drive: Any) -> Any:
        return self.solver.step(self._cable(cell), carry, n, dt, Driven(self, drive))

    def voltage(self, carry: Any) -> Array:
        return self.cut(self.solver.voltage(carry))

    def state(self, cell: Any, carry: Any, n: Any, dt: Any) -> State:
        return jax.tree.map(self.cut, self.solver.state(self._cable(cell), carry, n, dt))

    def cut(self, x: Array) -> Array:
        """An array over nodes and cells without those that are nobody's; a number as it is."""
        return x if jnp.ndim(x) < 2 else x[:, : self.n].reshape(x.shape[0], *self.beside)

    def inside(self, inject: Inject) -> Inject:
        """What is put into the cells, of V of all; what is over cells alone is the same at all nodes."""

        def all_of_it(V: Array) -> Any:
            amount = inject(self.cut(V))
            return self._fill(amount[None] if jnp.ndim(amount) == len(self.beside) else amount)

        return all_of_it

    def _fill(self, x: Any) -> Any:
        """An array with cells after the nodes, one for all or their number, filled up; of one axis or none it is the same for all."""
        k = 1 + len(self.beside)
        if jnp.ndim(x) < k:
            return x
        if math.prod(x.shape[1:k]) == 1:
            return x.reshape(x.shape[0], 1, *x.shape[k:])
        flat = jnp.broadcast_to(x, (x.shape[0], *self.beside, *x.shape[k:])).reshape(x.shape[0], self.n, *x.shape[k:])
        more = [(0, filled_up(self.n) - self.n) if axis == 1 else (0, 0) for axis in range(flat.ndim)]
        return jnp.pad(flat, more, mode="edge")

    def _cable(self, cell: Cable) -> Any:
        """The cells, and those that are nobody's; how their nodes hang together is the same for all."""
        own = {name: jax.tree.map(self._fill, getattr(cell, name)) for name in _BY_CELL}
        links = cell.links._replace(g=self._fill(cell.links.g), total=self._fill(cell.links.total))
        size = (filled_up(self.n),)
        return dataclasses.replace(cell, **own, links=links, size=size, width=size)


_BY_CELL = ("channels", "ions", "celsius", "V", "area", "capacity", "diffusion")
"""What of a cable has numbers that may be those of each cell, beside its links."""


@dataclass(frozen=True)
class Driven:
    """What is put into cells that are filled up, a `protocols.Drive`."""

    filled: Filled
    drive: Drive

    @property
    def edges(self) -> int:
        return self.drive.edges

    def edge(self, share: Any) -> Any:
        return self.drive.edge(share)

    def mean(self, first: Any = 0.0, last: Any = 1.0, *, synapses: float | None = None) -> Inject:
        return self.filled.inside(self.drive.mean(first, last, synapses=synapses))

    def at(self, share: Any) -> Inject:
        return self.filled.inside(self.drive.at(share))

    def stages(self, nodes: Sequence[float], weights: Sequence[float]) -> list[Inject]:
        return [self.filled.inside(inject) for inject in self.drive.stages(nodes, weights)]
