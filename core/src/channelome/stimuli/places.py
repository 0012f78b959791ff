"""Stimuli at places of a cell: a current or a clamp, and where it goes in."""

from typing import Any, NamedTuple

from ..errors import ModelError
from .clamp import Clamp
from .current import Current
from .edges import step


class Spot(NamedTuple):
    """One stimulus at the places that a text names."""

    place: str
    what: Any


class Spots(tuple[Spot, ...]):
    """Stimuli at places, what `at` makes: added up, or given in a list, they are one; scaled as each of them is."""

    __array_ufunc__ = None

    def __add__(self, other: Any) -> "Spots":  # pyright: ignore[reportIncompatibleMethodOverride]
        return Spots((*self, *other)) if isinstance(other, Spots) else NotImplemented

    def __radd__(self, other: Any) -> "Spots":
        return self if isinstance(other, int) and other == 0 else NotImplemented  # where `sum` begins

    def __mul__(self, factor: Any) -> "Spots":  # pyright: ignore[reportIncompatibleMethodOverride]
        return Spots(Spot(place, _stimulus(what) * factor) for place, what in self)

    __rmul__ = __mul__  # pyright: ignore[reportAssignmentType]

    def __truediv__(self, divisor: Any) -> "Spots":
        return Spots(Spot(place, _stimulus(what) / divisor) for place, what in self)

    def __neg__(self) -> "Spots":
        return self * -1.0

    def __sub__(self, other: Any) -> "Spots":
        return self + (-other) if isinstance(other, Spots) else NotImplemented

    def __repr__(self) -> str:
        return " + ".join(f"at({spot.place!r}, {spot.what!r})" for spot in self)


def _stimulus(what: Any) -> Current | Clamp:
    return what if isinstance(what, Current | Clamp) else step(what)


def at(place: str, what: Any, /) -> Spots:
    """A stimulus at a place of a reconstructed cell: ``stimulus=at("soma", step("0.5 nA"))``; several in a list.

    Args:
        place: as in `Compartments.indices`: ``"soma"``, ``"apical[3](0.5)"``; at several places, ``"terminals"``, each gets all of it.
        what: a current, absolute or a density, or a `voltage_clamp`, ideal or with a series resistance.

    Raises:
        ModelError: for a place that is no text, or a stimulus that is at a place already.
    """
    if not isinstance(place, str):
        raise ModelError(f"at() is given a place first, such as 'soma', and then the stimulus, not {place!r}.")
    if isinstance(what, Spots):
        raise ModelError(f"the stimulus is at a place already: {what!r}.")
    return Spots((Spot(place, what),))


def gathered(stimulus: Any) -> Any:
    """Several stimuli at places in a list as one; anything else as it is.

    Raises:
        ModelError: where one of the list is at no place.
    """
    if type(stimulus) not in (list, tuple) or not any(isinstance(one, Spots) for one in stimulus):
        return stimulus
    for one in stimulus:
        if not isinstance(one, Spots):
            raise ModelError(f"of several stimuli each is at a place, at('soma', ...), and {one!r} is at none.")
    return sum(stimulus[1:], stimulus[0])
