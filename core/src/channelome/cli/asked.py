"""What `channelome run` is asked to inject and to record, of points and of reconstructed cells."""

import math
from typing import Any

from ..cells import MultiCompartment
from ..cells.record import probes
from ..errors import ModelError, UnitError, UnknownName
from ..networks.landing import split
from ..stimuli.places import Spots, at
from ..units import Unit, convert
from .output import Failure

_NA = Unit.parse("nA")


def into_cell(cell: Any, given: tuple[str, ...]) -> Any:
    """The stimulus of a cell: one value, or values at places of a reconstructed cell, ``soma=0.5 nA``."""
    placed = [text for text in given if "=" in text]
    if not isinstance(cell, MultiCompartment):
        if placed:
            raise Failure(f"a point neuron has no places: --stimulus '{placed[0].rpartition('=')[2].strip()}'.")
        if len(given) > 1:
            raise Failure("a cell has one --stimulus.")
        return given[0] if given else None
    bare = [text for text in given if "=" not in text]
    for text in bare:
        if _is_absolute(text):
            raise Failure(
                f"a current goes in at a place of a reconstructed cell: --stimulus 'soma={text}'. A density may go in everywhere."
            )
    if bare and len(given) > 1:
        raise Failure(f"of several stimuli each has its place: --stimulus 'soma={bare[0]}'.")
    spots = [_at(text) for text in placed]
    return sum(spots[1:], spots[0]) if spots else bare[0] if bare else None


def into_network(pairs: list[tuple[str, str]]) -> dict[str, Any] | None:
    """The stimuli of a network by population, ``cells=0.2 nA``, those of reconstructed cells with a place, ``pyr.soma=0.5 nA``."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        group, place = split(name)
        what: Any = value if place is None else at(place, value)
        if group in found and not (isinstance(what, Spots) and isinstance(found[group], Spots)):
            raise Failure(f"'{group}' is given two stimuli: one for a population, or at places, '{group}.soma=...'.")
        found[group] = found[group] + what if group in found else what
    return found or None


def recorded_of_cell(cell: Any, names: tuple[str, ...]) -> list[str]:
    """What of a cell is recorded: V if nothing is asked, of a reconstructed cell where its spikes are."""
    default = f"{cell.spikes_at}.V" if isinstance(cell, MultiCompartment) else "V"
    return list(dict.fromkeys([*(names or [default]), "spikes"]))


def width_of_cell(cell: Any, names: list[str]) -> int:
    """Values of each sample of what is recorded."""
    return sum(math.prod(probe.shape(cell.size)) for probe in probes(cell, names))


def width_of_network(net: Any, name: str) -> int:
    """Values of each sample of a network's record; 0 for a name that it does not have, which the run refuses."""
    head, _, rest = name.partition(".")
    path = net.projections.get(head)
    if path is not None:
        return path.wiring.edges.n_post
    try:
        label, neurons = net.indices(head)
        cell = net.populations[label]
        places = math.prod(probes(cell, [rest])[0].shape(())) if isinstance(cell, MultiCompartment) else 1
    except (ModelError, UnknownName, IndexError):
        return 0
    return neurons.size * places


def _at(text: str) -> Spots:
    place, _, value = text.rpartition("=")  # a place may hold one, 'distance = 100 um'
    if not place.strip() or not value.strip():
        raise Failure(f"--stimulus takes PLACE=VALUE here, such as soma='0.5 nA', not '{text}'.")
    return at(place.strip(), value.strip())


def _is_absolute(text: str) -> bool:
    try:
        convert(text, _NA, "")
    except UnitError:
        return False
    return True
