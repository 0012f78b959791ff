"""From a .mod file to classes: read, understood, planned and built."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from channelome.errors import ChannelomeError
from channelome.formulas import expression
from channelome.formulas.build import build

from .includes import Beside, with_includes
from .meaning import carried, check_is_of_membrane, kept
from .plan import Plan, plan
from .plan_ions import plan_ion
from .plan_synapses import plan_synapse
from .pools import mean_ions
from .reader import NoCurrent, mean
from .spikes import mean_synapse
from .syntax import parse
from .text import NmodlError, Source, read, source
from .tree import File


class Imported(NamedTuple):
    """A class, what was understood on the way to it, and the texts that the file includes, by name."""

    cls: type[Any]
    plan: Plan
    source: Source
    included: tuple[tuple[str, str], ...] = ()


def load(path: Path) -> Imported:
    """The first class of the mechanism in a file, with what is known of it: its channel, if it has one.

    Raises:
        NmodlError: for what cannot be read, and for what no mechanism here can be, with the line and the reason.
    """
    return load_all(path)[0]


def load_all(path: Path) -> tuple[Imported, ...]:
    """All classes of the mechanism in a file: a channel, ions whose concentrations it keeps, a synapse and its plasticity."""
    return understood(read(path), path.parent)


def understood(held: Source, folder: Path | None, texts: Mapping[str, str] | None = None) -> tuple[Imported, ...]:
    """As `load_all`, of text that is in memory; INCLUDE is looked for in `folder`, or in `texts` by name, and nowhere else.

    Of one text there is one class in a process, however often it is loaded.
    """
    expression.forget()
    try:
        file = parse(held)
        beside = Beside(folder, texts, held.text.count("\n") + 1)
        whole = with_includes(file, beside)
        arrived = Arrived(held.name, held.raw, tuple(sorted(beside.texts.items())))
        if arrived not in _known:
            if len(_known) >= MOST:
                del _known[next(iter(_known))]
            with np.errstate(all="ignore"):  # numbers at which formulas are tried may overflow
                _known[arrived] = tuple(_imported(made, held, arrived, i) for i, made in enumerate(_plans(whole)))
        return _known[arrived]
    except NmodlError:
        raise
    except RecursionError:
        raise NmodlError(f"{held.name}: its formulas are nested too deeply.") from None
    except ChannelomeError as error:
        raise NmodlError(f"{held.name}: {error}") from error


class Arrived(NamedTuple):
    """A file as it travels to another process: its name and text, and what it includes."""

    name: str
    text: str
    included: tuple[tuple[str, str], ...]


class OfText(NamedTuple):
    """How an instance of a class of a file travels: called, it gives the class of the process that it is in.

    Attributes:
        part: which class of the file it is of.
        digest: SHA-256 of the text, so that what arrives is what was sent.

    Raises:
        ModelError: where the text is another.
    """

    file: Arrived
    part: int
    digest: str

    def __call__(self) -> type[Any]:
        if _digest(self.file) != self.digest:
            raise NmodlError(f"{self.file.name}: the text that arrived is not the one that was sent.")
        return understood(source(self.file.text, self.file.name), None, dict(self.file.included))[self.part].cls


MOST = 1000
"""Files whose classes are remembered."""
_known: dict[Arrived, tuple[Imported, ...]] = {}


def _imported(made: Plan, held: Source, file: Arrived, part: int) -> Imported:
    cls = build(made, held.name)
    setattr(cls, "_reference", OfText(file, part, _digest(file)))  # noqa: B010
    return Imported(cls, made, held, file.included)


def _digest(file: Arrived) -> str:
    return hashlib.sha256(repr(tuple(file)).encode()).hexdigest()


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
