"""Values that follow from a distance: weights and delays of synapses, parameters along a cell."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .equality import arrived, sent
from .errors import ModelError
from .units import Unit, convert

_UM = Unit.parse("um")


@dataclass(frozen=True)
class ByDistance:
    """A value that follows from the distance; see `by_distance`."""

    function: Callable[[np.ndarray], Any]
    unit: str
    periodic: Any = False

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (sent(self.function), self.unit, self.periodic)


def _arrived(function: Any, unit: str, periodic: Any) -> ByDistance:
    return ByDistance(arrived(function), unit, periodic)


def by_distance(function: Callable[[np.ndarray], Any], unit: str, *, periodic: Any = False) -> ByDistance:
    """A weight or a delay as a function of the distance of source and target, ``delay=by_distance(lambda d: 0.5 + d / 300, "ms")``, or
    a parameter of a channel as one of the way from the soma, ``g_max=by_distance(lambda x: 0.02 * jnp.exp(x / 300), "mS/cm^2")``.

    Args:
        function: of an array of distances, in um (in grid spacings where a network has no positions), one number for each. Along a
            cell it may hold what is differentiated.
        unit: of what it gives.
        periodic: as of `distance_dependent`, whose own is not known here; of a network only.

    Raises:
        ModelError: for what is no function.
        UnitError: for a unit that is none.
    """
    if not callable(function):
        raise ModelError(f"by_distance() needs a function of the distance, not {function!r}.")
    Unit.parse(unit)
    return ByDistance(function, unit, period_of(periodic, "by_distance()"))


def period_of(periodic: Any, what: str) -> Any:
    """Whether a space closes on itself: a bool, or the period on each axis in um or, as bare numbers, in grid spacings."""
    if isinstance(periodic, bool | np.bool_):
        return bool(periodic)
    lengths: list[Any] = list(periodic) if isinstance(periodic, tuple | list) else [periodic]
    bare = (x if isinstance(x, int | float | np.number) else convert(x, _UM, f"the period of {what}") for x in lengths)
    found = [float(x) for x in bare]
    if not found or not all(x > 0 for x in found):
        raise ModelError(f"the period of {what} must be positive, not {periodic!r}.")
    return tuple(found) if len(found) > 1 else found[0]
