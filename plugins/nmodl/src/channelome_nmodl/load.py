"""From a .mod file to classes: read, understood, planned and built."""

from pathlib import Path
from typing import Any, NamedTuple

from channelome.errors import ChannelomeError

from . import expression
from .build import build
from .includes import with_includes
from .meaning import carried, check_is_of_membrane, kept
from .plan import Plan, plan
from .plan_ions import plan_ion
from .plan_synapses import plan_synapse
from .pools import mean_ions
from .reader import NoCurrent, mean
from .spikes import mean_synapse
from .syntax import parse
from .text import NmodlError, Source, read
from .tree import File


class Imported(NamedTuple):
    """A class, and what was understood on the way to it."""

    cls: type[Any]
    plan: Plan
    source: Source


def load(path: Path) -> Imported:
    """The first class of the mechanism in a file, with what is known of it: its channel, if it has one.

    Raises:
        NmodlError: for what cannot be read, and for what no mechanism here can be, with the line and the reason.
    """
    return load_all(path)[0]


def load_all(path: Path) -> tuple[Imported, ...]:
    """All classes of the mechanism in a file: a channel, ions whose concentrations it keeps, a synapse and its plasticity."""
    return understood(read(path), path.parent)


def understood(source: Source, folder: Path) -> tuple[Imported, ...]:
    """As `load_all`, of text that is in memory; INCLUDE is looked for in `folder`, and nowhere else."""
    expression.forget()
    try:
        file = parse(source)
        plans = _plans(with_includes(file, folder))
        return tuple(Imported(build(made, source.name), made, source) for made in plans)
    except NmodlError:
        raise
    except RecursionError:
        raise NmodlError(f"{source.name}: its formulas are nested too deeply.") from None
    except ChannelomeError as error:
        raise NmodlError(f"{source.name}: {error}") from error


def _plans(file: File) -> list[Plan]:
    """What the file's classes are: of a file that keeps an ion, a current that is always 0 is none."""
    if file.kind == "POINT_PROCESS":
        return plan_synapse(mean_synapse(file))
    check_is_of_membrane(file)
    pools = kept(file)
    found: list[Plan] = []
    if carried(file) or not pools:
        try:
            found.append(plan(mean(file)))
        except NoCurrent:
            if not pools:
                raise
    return [*found, *(plan_ion(meaning) for meaning in mean_ions(file))]


def classes(path: Path) -> list[type[Any]]:
    """The classes of the mechanism in a file: what `ch.load_channel` and its like choose from."""
    return [one.cls for one in load_all(path)]
