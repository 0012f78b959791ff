"""What is asked for, checked before anything is written: names, gates, an ion, a licence, where the equations are from."""

import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import CollisionError, ModelError
from ..registry import registry
from ..registry.suggest import FIRST_PARTY

IONS = {"na": "Sodium", "k": "Potassium", "ca": "Calcium", "cl": "Chloride", "mg": "Magnesium", "h": "Proton"}
"""Species that need no declaration, with the word that begins a summary."""
LICENCES = (
    *("Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MPL-2.0", "CC0-1.0", "CC-BY-4.0", "Unlicense"),
    *("GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later"),
)
"""Licences that are often meant; any SPDX identifier will do."""
_TAKEN = {
    *("V", "E", "I", "celsius", "self", "conductance", "current", "gates", "parameters", "replace", "at", "drawn"),
    *("ion", "ions", "reads", "carries", "occupancies", "steady_state", "g_max"),
}
_GATE = re.compile(r"([A-Za-z][A-Za-z0-9_]*)(?:(?:\^|\*\*)([1-9][0-9]?))?")
_SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*(?: (?:AND|OR|WITH) [A-Za-z0-9][A-Za-z0-9.+-]*)*")

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_DOI_PREFIX = r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)"
_NO = ("", "no", "none", "n", "-")


class Gate(NamedTuple):
    """A gate and the power in which the conductance has it."""

    name: str
    power: int


@dataclass(frozen=True)
class Outline:
    """A channel to be written.

    Attributes:
        name: ``<current>_<FAMILY>``.
        gates: at least one.
        ion: who carries the current; empty for one with a reversal potential of its own.
    """

    name: str
    gates: tuple[Gate, ...]
    ion: str

    @property
    def current(self) -> str:
        return self.name.rpartition("_")[0]

    @property
    def family(self) -> str:
        return self.name.rpartition("_")[2]

    @property
    def module(self) -> str:
        word = self.current.lower()
        return f"{word}_current" if keyword.iskeyword(word) or word == "pack" else word


@dataclass(frozen=True)
class Origin:
    """Where the equations are from.

    Attributes:
        source: the citation of the paper, or words such as "own work".
        doi: of the paper; empty where there is none.
        ported_from: code that the equations were taken over from, with its licence; empty where they were not.
    """

    source: str
    doi: str = ""
    ported_from: str = ""


def outline(name: str, gates: Iterable[str], ion: str) -> Outline:
    """The channel `name` with gates such as ``("m^3", "h")``, carried by an ion, or by ``"none"`` in particular.

    Raises:
        ModelError: for a bad name, gate or ion, with the way out.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*_[A-Z][A-Za-z0-9]*", name):
        raise ModelError(f"'{name}' is not a channel's name: write <current>_<FAMILY>, such as INa_Smith2020.")
    species = ion.strip().casefold()
    if species not in (*IONS, "none"):
        raise ModelError(
            f"there is no ion '{ion}': write {', '.join(IONS)}, or none for a current with a reversal potential of its own."
        )
    return Outline(name, parse_gates(gates), "" if species == "none" else species)


def parse_gates(words: Iterable[str]) -> tuple[Gate, ...]:
    """Gates from words such as ``m^3``, ``m**3`` or ``h``; one word may hold several.

    Raises:
        ModelError: for a word that is not a gate, and for a gate that is there twice.
    """
    found: list[Gate] = []
    for word in " ".join(words).replace(",", " ").split():
        match = _GATE.fullmatch(word)
        if match is None:
            raise ModelError(
                f"'{word}' is not a gate: write its name and, after ^, its power from 1 to 99, such as m^3 h."
            )
        name, power = match[1], int(match[2] or 1)
        if name in _TAKEN or keyword.iskeyword(name):
            raise ModelError(f"a gate cannot be called '{name}', which means something else in a channel's file.")
        if name in [gate.name for gate in found]:
            raise ModelError(f"the gate '{name}' is there twice: write one gate with its power, such as {name}^2.")
        found.append(Gate(name, power))
    if not found:
        raise ModelError("a channel needs a gate: --gates m^3 h.")
    return tuple(found)


def family(name: str) -> str:
    """The name of a new family, if it can be one.

    Raises:
        ModelError: for a bad name, with one that would do.
        CollisionError: where a pack of that family is installed, or published by us.
    """
    owners = {one.family.casefold(): one.distribution for one in registry.manifests if one.family}
    owner = owners.get(name.casefold()) or FIRST_PARTY.get(name.casefold())
    if owner or name.casefold() == "all":
        owner = owner or "channelome-all"
        raise CollisionError(
            f"the family '{name}' is that of {owner}: add your channel there, or choose another name, such as {name}b."
        )
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name):
        words = re.findall(r"[A-Za-z0-9]+", re.sub(r"(?i)^channelome[-_.]", "", name))
        near = "".join(words).lstrip("0123456789")
        remedy = f"Did you mean {near[:1].upper()}{near[1:]}?" if near else "Write one such as Smith2020."
        raise ModelError(
            f"'{name}' cannot be a family: a capital letter, then letters and digits, as author and year. {remedy}"
        )
    return name


def licence(text: str) -> str:
    """An SPDX identifier or expression, in its own spelling.

    Raises:
        ModelError: for what is none.
    """
    known = {one.casefold(): one for one in LICENCES}
    text = known.get(text.strip().casefold(), text.strip())
    if not _SPDX.fullmatch(text):
        raise ModelError(f"'{text}' is not an SPDX identifier: write one such as {', '.join(LICENCES[:4])}.")
    return text


def origin(source: str, doi: str, ported_from: str) -> Origin:
    """Where the equations are from, in single lines; ``no`` and the like mean that they were not ported.

    A DOI may stand in `source`, alone or after a citation.

    Raises:
        ModelError: where there is no source, or the DOI is none.
    """
    source, ported_from = (" ".join(text.split()) for text in (source, ported_from))
    if not source:
        raise ModelError("say where the equations are from: a paper's citation or DOI, or 'own work'.")
    doi = "" if doi.strip().casefold() in _NO else re.sub(f"^{_DOI_PREFIX}", "", doi.strip(), flags=re.I)
    if doi and not _DOI.fullmatch(doi):
        raise ModelError(
            f"'{doi}' is not a DOI, such as 10.1113/jphysiol.1952.sp004764; leave it out where there is none."
        )
    within = re.search(f"(?:{_DOI_PREFIX})?({_DOI.pattern})", source, flags=re.I)
    if within and not doi:
        doi = _without_end(within[1])
        source = source.replace(within[0], "").strip(" ,;.()") or f"doi:{doi}"
    return Origin(source, doi, "" if ported_from.casefold() in _NO else ported_from)


def _without_end(doi: str) -> str:
    """A DOI without the punctuation of the sentence that it stands in."""
    doi = doi.rstrip(".,;")
    return doi.rstrip(")") if doi.count(")") > doi.count("(") else doi
