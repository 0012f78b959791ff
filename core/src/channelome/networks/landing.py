"""Where on cells of many compartments synapses land: ``"pyr.apical(0.5)"``, ``"pyr.terminals"``, ``"pyr.spread(dend | apical)"``."""

import re
from typing import Any, NamedTuple

import numpy as np

from ..cells import MultiCompartment
from ..errors import ModelError, told_of
from ..streams import Stream

_PLACED = re.compile(r"\s*(\w+\s*(?:\[[^\[\]]*\])?)\s*\.\s*(\S.*)", re.DOTALL)
_SPREAD = re.compile(r"spread\((.*)\)\s*", re.DOTALL)


class Landing(NamedTuple):
    """Where the synapses of a projection are on each target.

    Attributes:
        compartments: their numbers, each once.
        which: which of them each synapse is in; None where there is one.
    """

    compartments: tuple[int, ...]
    which: np.ndarray | None


def split(name: Any) -> tuple[Any, str | None]:
    """A group of targets, and the place on them, if one is said."""
    match = _PLACED.fullmatch(name) if isinstance(name, str) else None
    return (match[1].strip(), match[2]) if match else (name, None)


def landing(
    cell: Any, place: str | None, count: int, stream: Stream, where: str, whose: str = "targets"
) -> Landing | None:
    """Where `count` synapses land; None on points.

    Args:
        place: one place; several, among which synapses are spread evenly; or ``spread(region)``, over a region by area.

    Raises:
        ModelError: for a place on a point, or none on cells of compartments.
    """
    if not isinstance(cell, MultiCompartment):
        if place is not None:
            raise ModelError(
                f"{where}: '{place}' is a place on a cell, and the {whose} are point neurons, which have none."
            )
        return None
    if place is None:
        raise ModelError(
            f"{where}: the {whose} have {len(cell.compartments)} compartments: say where the synapses are, such as 'pyr.apical(0.5)', "
            f"'pyr.terminals' or, over a region by area, 'pyr.spread(dend)'."
        )
    with told_of(where):
        compartments, found = cell.compartments, _asked(cell, place)
    if len(found) == 1:
        return Landing((int(found[0]),), None)
    share = compartments.area[found] if _SPREAD.fullmatch(place) else _how_many(compartments.of_each(place), found)
    which = stream.of("places").generator().choice(len(found), count, p=share / share.sum())
    taken, which = np.unique(which, return_inverse=True)
    return Landing(tuple(int(i) for i in found[taken]), which.astype(np.int32))


def _how_many(holding: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Shape (k,): how many places each of the compartments `found` holds."""
    return (holding == found[:, None]).sum(axis=1).astype(float)


def same_places(cell: Any, one: str | None, other: str | None) -> bool:
    """Whether two texts ask for the same places of a cell, however they are written."""
    if one is None or other is None or not isinstance(cell, MultiCompartment):
        return one == other
    return np.array_equal(_asked(cell, one), _asked(cell, other))


def _asked(cell: MultiCompartment, place: str) -> np.ndarray:
    """Shape (k,), int: the compartments of a place, or of the region of ``spread(region)``."""
    region = _SPREAD.fullmatch(place)
    return cell.compartments.numbers(region[1]) if region else cell.compartments.indices(place)
