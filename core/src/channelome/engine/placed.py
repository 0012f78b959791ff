"""Stimuli of cells of many compartments: what goes in at which node."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..cells import MultiCompartment
from ..errors import ModelError, UnitError
from ..stimuli.amounts import ABSOLUTE, DENSITY
from ..stimuli.clamp import Clamp
from ..stimuli.current import Counted, Form, Numbers, summed
from ..stimuli.places import Spot, Spots
from ..streams import Stream
from .request import UM2_NA_TO_DENSITY, checked_current


def nodes_at(cell: MultiCompartment, place: str) -> np.ndarray:
    """Shape (k,), int: the nodes of the tree that hold a place."""
    compartments = cell.compartments
    return compartments.tree.position[compartments.indices(place)].astype(np.int32)


def stimulus_at(cell: MultiCompartment, stimulus: Any, dt: float, dtype: Any, stream: Stream) -> Counted | None:
    """The stimulus of a cell as a density over its nodes, counted in steps of `dt` ms.

    Raises:
        ModelError, UnitError: as `checked_current`; for an absolute current without a place.
    """
    if stimulus is None:
        return None
    if not isinstance(stimulus, Spots):
        current, counted = checked_current(stimulus, cell.size, dt, dtype, stream)
        if current.unit == ABSOLUTE:
            raise UnitError(
                f"an absolute current goes in at a place of the cell: stimulus=at('soma', {current!r}); a density, in uA/cm^2, may go in "
                f"everywhere."
            )
        return counted
    found = [
        _at(cell, spot, dt, dtype, stream if i == 0 else stream.of(str(i)))
        for i, spot in enumerate(stimulus)
        if not isinstance(spot.what, Clamp)
    ]
    found += [_at(cell, Spot(s.place, s.what.beside), dt, dtype, stream.of("beside")) for s in stimulus if _beside(s)]
    total = found[0] if found else None
    for more in found[1:]:
        total = summed(total, more)  # pyright: ignore[reportArgumentType]
    return total


def _beside(spot: Spot) -> bool:
    return isinstance(spot.what, Clamp) and spot.what.beside is not None


def clamp_of(cell: MultiCompartment, spots: Sequence[Spot]) -> Spot | None:
    """The one clamp among stimuli.

    Raises:
        ModelError: for two, or for one at several places.
    """
    clamps = [spot for spot in spots if isinstance(spot.what, Clamp)]
    if len(clamps) > 1:
        raise ModelError("a cell has one clamp at most: two, at " + " and ".join(repr(c.place) for c in clamps) + ".")
    if clamps:
        cell.compartments.index(clamps[0].place)
    return clamps[0] if clamps else None


def _at(cell: MultiCompartment, spot: Spot, dt: float, dtype: Any, stream: Stream) -> Counted:
    current, counted = checked_current(spot.what, cell.size, dt, dtype, stream)
    nodes = nodes_at(cell, spot.place)
    area = cell.compartments.tree.area[nodes]
    factor = UM2_NA_TO_DENSITY / area if current.unit == ABSOLUTE else np.ones_like(area)
    form = _AtNodes(counted.form, (len(cell.compartments.tree), *cell.size))
    return Counted(DENSITY, form, {"inner": counted.numbers, "nodes": nodes, "factor": np.asarray(factor, dtype)})


@dataclass(frozen=True)
class _AtNodes:
    """A current into some nodes of a tree, as a density over all of them."""

    inner: Form
    shape: tuple[int, ...]

    def counted(self, numbers: Numbers, dt: float, dtype: Any) -> tuple[Form, Numbers]:
        raise NotImplementedError("it is counted already")

    def mean(self, numbers: Numbers, n: Any, first: Any, last: Any) -> Any:
        return self._spread(numbers, self.inner.mean(numbers["inner"], n, first, last))

    def at(self, numbers: Numbers, n: Any, share: Any) -> Any:
        return self._spread(numbers, self.inner.at(numbers["inner"], n, share))

    def edges(self, numbers: Numbers) -> int:
        return self.inner.edges(numbers["inner"])

    def edge(self, numbers: Numbers, n: Any, share: Any) -> Any:
        raise NotImplementedError("solvers that cut steps at edges are for points only")

    def neurons(self, numbers: Numbers) -> Any:
        return jax.tree.map(lambda _: -1, numbers)

    def span(self, numbers: Numbers) -> tuple[float, float]:
        return self.inner.span(numbers["inner"])

    def text(self, numbers: Numbers, unit: str) -> str:
        return f"{self.inner.text(numbers['inner'], unit)} at {np.size(numbers['nodes'])} places"

    def _spread(self, numbers: Numbers, amount: Any) -> Any:
        factor = jnp.asarray(numbers["factor"])
        amounts = jnp.broadcast_to(amount, (factor.size, *self.shape[1:]))
        rows = amounts * factor.reshape(-1, *(1,) * (amounts.ndim - 1))
        nothing = jnp.zeros(self.shape, rows.dtype)
        return nothing.at[jnp.asarray(numbers["nodes"])].add(rows, mode="promise_in_bounds")
