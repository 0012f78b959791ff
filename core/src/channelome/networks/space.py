"""Where neurons stand, how far apart they are, and weights and delays that go by that."""

import functools
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..distances import ByDistance
from ..errors import ModelError
from ..units import Unit, convert
from .edges import Ends

_UM = Unit.parse("um")
SPACINGS = "grid spacings"


class Where(NamedTuple):
    """Where the neurons of a population stand.

    Attributes:
        points: of shape (neurons, axes), in `unit`.
        period: extent of their grid on each axis; None where they are on none.
        unit: ``"um"``, or `SPACINGS` where nothing was said.
        shape: of the population.
        grid: spacing and centre of the grid that was asked for, in um; None where none was.
    """

    points: np.ndarray
    period: np.ndarray | None
    unit: str
    shape: tuple[int, ...]
    grid: tuple[np.ndarray, np.ndarray] | None = None


@dataclass(frozen=True)
class Grid:
    """A regular grid of a population's shape; see `grid`."""

    spacing: Any = None
    extent: Any = None
    centre: Any = None


def grid(*, spacing: Any = None, extent: Any = None, centre: Any = None) -> Grid:
    """Positions on a regular grid of the population's shape: ``Network(..., positions={"E": grid(spacing="50 um")})``.

    Each argument has a unit, and is one for all axes or a tuple of one for each.

    Args:
        spacing: between neighbours.
        extent: of the whole, in place of the spacing: n neurons share it evenly, half a spacing from its edges.
        centre: of the grid; 0 if None.

    Raises:
        ModelError: where both or none of spacing and extent are given.
    """
    if (spacing is None) == (extent is None):
        raise ModelError("grid() needs a spacing or an extent, one of them: grid(spacing='50 um').")
    return Grid(spacing, extent, centre)


def stand(given: Any, size: tuple[int, ...], label: str) -> Where:
    """Where a population stands: on a `Grid`, at coordinates of its own, or if None on the grid of its shape."""
    where = f"the positions of '{label}'"
    if given is None:
        return Where(_indices(size), np.asarray(size, float), SPACINGS, size)
    if isinstance(given, Grid):
        count = np.asarray(size, float)
        if given.spacing is not None:
            spacing = _per_axis(given.spacing, len(size), f"spacing of {where}")
        else:
            spacing = _per_axis(given.extent, len(size), f"extent of {where}") / count
        if not np.all(spacing > 0):
            raise ModelError(f"{where}: spacing and extent must be more than 0.")
        centre = _per_axis((0.0, "um") if given.centre is None else given.centre, len(size), f"centre of {where}")
        points = (_indices(size) + 0.5 - count / 2) * spacing + centre
        return Where(points, spacing * count, "um", size, (spacing, centre))
    points = np.asarray(convert(given, _UM, where), float)
    n = math.prod(size)
    if points.ndim > 2 and points.shape[:-1] == size:
        points = points.reshape(n, -1)
    if points.ndim != 2 or points.shape[0] != n or not 1 <= points.shape[1] <= 3:
        raise ModelError(
            f"{where} have the shape {points.shape}: give one row of 1 to 3 coordinates for each of {n} neurons."
        )
    if not np.all(np.isfinite(points)):
        raise ModelError(f"{where} must be finite.")
    return Where(points, None, "um", size)


@functools.lru_cache(maxsize=8)
def _indices(size: tuple[int, ...]) -> np.ndarray:
    return np.stack([axis.ravel() for axis in np.indices(size)], axis=-1).astype(float)


def _per_axis(value: Any, axes: int, where: str) -> np.ndarray:
    several = isinstance(value, tuple | list) and not (
        len(value) == 2 and isinstance(value[1], str) and not isinstance(value[0], str)
    )
    numbers = [convert(x, _UM, where) for x in value] if several else convert(value, _UM, where)
    if np.ndim(numbers) and np.shape(numbers) != (axes,):
        raise ModelError(f"{where} has {np.size(numbers)} numbers, but the population has {axes} axes.")
    return np.broadcast_to(np.asarray(numbers, float), (axes,))


class Apart(NamedTuple):
    """How far apart neurons of two groups are: points of both, and the period of each axis, if any."""

    pre: np.ndarray
    post: np.ndarray
    period: np.ndarray | None

    def of(self, sources: np.ndarray, targets: np.ndarray) -> np.ndarray:
        between = self.pre[sources] - self.post[targets]
        if self.period is not None:
            between -= self.period * np.rint(between / self.period)
        return np.sqrt(np.einsum("ij,ij->i", between, between))


def apart(ends: Ends, periodic: Any, what: str) -> Apart:
    """The distances between two groups.

    Raises:
        ModelError: where nothing says how their positions lie to each other, or they have other axes.
    """
    a, b = ends.pre_where, ends.post_where
    unknown = a.unit != b.unit or (a.unit == SPACINGS and a.shape != b.shape)
    if unknown:
        raise ModelError(
            f"{what} is between populations of the shapes {a.shape} and {b.shape}, and it is not said how they lie to each other: "
            f"Network(..., positions={{label: grid(extent=...), ...}}) for both."
        )
    if a.points.shape[1] != b.points.shape[1]:
        raise ModelError(f"{what} is between positions of {a.points.shape[1]} and of {b.points.shape[1]} axes.")
    period = None
    if periodic is True:
        if a.period is None or b.period is None or not np.allclose(a.period, b.period):
            raise ModelError(
                f"{what}: periodic=True needs grids of one extent; else give it, periodic=('1 mm', '1 mm')."
            )
        period = a.period
    elif periodic:
        period = np.broadcast_to(np.asarray(periodic, float), (a.points.shape[1],))
    return Apart(a.points[ends.pre], b.points[ends.post], period)


def at_distances(
    value: ByDistance, ends: Ends, sources: np.ndarray, targets: np.ndarray, where: str
) -> tuple[np.ndarray, str]:
    """The values for pairs of neurons, by their numbers in their populations, with their unit."""
    whole = ends._replace(pre=np.arange(len(ends.pre_where.points)), post=np.arange(len(ends.post_where.points)))
    d = apart(whole, value.periodic, where).of(sources, targets)
    found = np.asarray(value.function(d), float)
    if found.shape not in ((), d.shape):
        raise ModelError(
            f"{where}: the function of by_distance() gives the shape {found.shape} for {d.shape} distances."
        )
    return np.broadcast_to(found, d.shape).copy(), value.unit
