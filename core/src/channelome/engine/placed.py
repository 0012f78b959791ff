"""Stimuli of cells of many compartments: what goes in at which node."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..cells import MultiCompartment
from ..errors import ModelError, UnitError
from ..stimuli.amounts import ABSOLUTE, DENSITY
from ..stimuli.clamp import Clamp
from ..stimuli.current import Counted, summed
from ..stimuli.places import Spot, Spots
from ..streams import Stream
from .request import UM2_NA_TO_DENSITY, checked_current
from .solvers.pinned import Pin
from .spread import SomeNodes


def nodes_at(cell: MultiCompartment, place: str) -> np.ndarray:
    """Shape (k,), int: the nodes of the tree that hold these places, of each of them."""
    compartments = cell.compartments
    return compartments.tree.position[compartments.of_each(place)].astype(np.int32)


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
        m = len(cell.compartments.tree)
        return counted if counted.shape == () else _into(cell, counted, np.arange(m, dtype=np.int32), np.ones(m, dtype))
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


def pin_of(cell: MultiCompartment, spots: Sequence[Spot]) -> Pin:
    """Where the clamp among stimuli holds a cell."""
    spot = clamp_of(cell, spots)
    assert spot is not None
    compartment = cell.compartments.index(spot.place)
    position = cell.compartments.tree.position
    rows = []
    for label in (*cell.ions, *cell.channels):
        there = cell.numbers(label)
        everywhere = label not in dict(cell.regions)
        if everywhere:
            rows.append((label, int(position[compartment])))
        elif compartment in there:
            rows.append((label, int(np.searchsorted(np.sort(position[there]), position[compartment]))))
    return Pin(int(position[compartment]), tuple(rows))


def _at(cell: MultiCompartment, spot: Spot, dt: float, dtype: Any, stream: Stream) -> Counted:
    current, counted = checked_current(spot.what, cell.size, dt, dtype, stream)
    nodes = nodes_at(cell, spot.place)
    area = cell.compartments.tree.area[nodes]
    factor = UM2_NA_TO_DENSITY / area if current.unit == ABSOLUTE else np.ones_like(area)
    return _into(cell, counted, nodes, np.asarray(factor, dtype))


def _into(cell: MultiCompartment, counted: Counted, nodes: np.ndarray, factor: np.ndarray) -> Counted:
    form = SomeNodes(counted.form, (len(cell.compartments.tree), *(1,) * len(cell.size)))
    return Counted(DENSITY, form, {"inner": counted.numbers, "nodes": nodes, "factor": factor})
