"""From a NeuroML file to classes: read, understood, planned and built."""

import hashlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from channelome.errors import ChannelomeError
from channelome.formulas import expression
from channelome.formulas.build import build

from . import channels, pools, synapses
from .document import Document, Texts
from .meaning import Plan
from .text import Element, NeuroMLError


class Key(NamedTuple):
    """Which class of a document: a component, how it is driven (see `channels`; "closed" of a pool), and which of its classes it is."""

    id: str
    drive: str = ""
    ion: str = ""
    part: int = 0


class Imported(NamedTuple):
    """A class, and what was understood on the way to it."""

    cls: type[Any]
    plan: Plan


class OfText(NamedTuple):
    """How an instance of a class of a file travels: called, it gives the class of the process that it is in.

    Raises:
        NeuroMLError: where the text is another than was sent.
    """

    texts: Texts
    key: Key
    digest: str

    def __call__(self) -> type[Any]:
        if _digest(self.texts) != self.digest:
            raise NeuroMLError(f"{self.texts.name}: the text that arrived is not the one that was sent.")
        return made(Document(None, texts=self.texts), self.key).cls


MOST = 2000
"""Classes that are remembered."""
_known: dict[tuple[Texts, Key], Imported] = {}


def made(document: Document, key: Key) -> Imported:
    """The class of a component; of one text there is one in a process, however often it is loaded.

    Raises:
        NeuroMLError: with the place and the reason, for what nothing here can be.
    """
    kept = (document.texts, key)
    if kept not in _known:
        if len(_known) >= MOST:
            del _known[next(iter(_known))]
        _known[kept] = _built(document, key)
    return _known[kept]


def _built(document: Document, key: Key) -> Imported:
    expression.forget()
    try:
        element = next(one for one in document.components[key.id] if sort_of(document, one))
        with np.errstate(all="ignore"):  # numbers at which formulas are tried may overflow
            plan = plans(document, element, key.drive, key.ion)[key.part]
            cls = build(plan, plan.meaning.where)
    except NeuroMLError:
        raise
    except RecursionError:
        raise NeuroMLError(f"{document.name}: its formulas are nested too deeply.") from None
    except ChannelomeError as error:
        raise NeuroMLError(f"{document.name}: {key.id}: {error}") from error
    setattr(cls, "_reference", OfText(document.texts, key, _digest(document.texts)))  # noqa: B010
    return Imported(cls, plan)


def plans(document: Document, element: Element, drive: str = "", ion: str = "") -> list[Plan]:
    """What the classes of a component are: of a synapse with plasticity two, of all else one.

    Raises:
        NeuroMLError: with the place and the reason, for what nothing here can be.
    """
    sort = sort_of(document, element)
    if sort == "channel":
        return [channels.plan_channel(document, element, drive, ion)]
    if sort == "pool":
        return [pools.plan_pool(document, element, drive == "closed")]
    return synapses.plan_synapse(document, element)


_CHANNELS = frozenset([*channels.KINDS, "baseIonChannel"])
_POOLS = frozenset([*pools.KINDS, "concentrationModel"])
_SYNAPSES = frozenset(
    [*synapses.KINDS, *synapses.REFUSED, "baseSynapse", "baseVoltageDepSynapse", "baseConductanceBasedSynapse"]
)


def sort_of(document: Document, element: Element) -> str:
    """Whether a component is a ``"channel"``, a ``"pool"`` or a ``"synapse"``; empty for what is none."""
    lineage = {*document.lineage(document.kind(element)), element.tag}
    return (
        "channel" if lineage & _CHANNELS else "pool" if lineage & _POOLS else "synapse" if lineage & _SYNAPSES else ""
    )


def _digest(texts: Texts) -> str:
    return hashlib.sha256(repr(tuple(texts)).encode()).hexdigest()


class Outcome(NamedTuple):
    """What came of a component: a class, or why there is none."""

    element: Element
    imported: tuple[Imported, ...]
    refusal: str


def outcomes(document: Document) -> Iterator[Outcome]:
    """What comes of each mechanism that stands in the file itself."""
    for element in document.own:
        if not sort_of(document, element):
            continue
        try:
            if len(document.components[element.id]) > 1 or not element.id:
                raise element.refuse(f"{element} needs an id of its own.")
            first = made(document, Key(element.id))
            more = (made(document, Key(element.id, part=1)),) if element.all("plasticityMechanism") else ()
            yield Outcome(element, (first, *more), "")
        except NeuroMLError as error:
            yield Outcome(element, (), str(error))


def classes(path: Path) -> list[type[Any]]:
    """The classes of the mechanisms in a file: what `ch.load_channel` and its like choose from.

    Raises:
        NeuroMLError: where there is none; of several, one that is refused is named by a warning.
    """
    document = Document(path)
    found = list(outcomes(document))
    good = [part.cls for one in found for part in one.imported]
    refused = [one.refusal for one in found if not one.imported]
    if not good:
        raise NeuroMLError(refused[0] if refused else f"{path.name} holds no channel, concentration model or synapse.")
    for refusal in refused:
        warnings.warn(f"left out: {refusal}", stacklevel=2)
    return good
