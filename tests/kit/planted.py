"""What a planted defect is: a class or object that the kit must refuse, by the check that is there for it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from channelome.authoring import param


@dataclass(frozen=True)
class Defect:
    """A mistake, planted.

    Attributes:
        what: the mistake, in words.
        of: whose code has it, by `reference`; empty for one of our own making.
        kind: of the subject: channel, ion, synapse or solver.
        check: that must catch it.
        subject: what is checked.
    """

    what: str
    of: str
    kind: str
    check: str
    subject: Any


def collector(kind: str, into: list[Defect]) -> Callable[..., Callable[[Any], Any]]:
    """A decorator that notes a class as a defect."""

    def planted(what: str, check: str, of: str = "") -> Callable[[Any], Any]:
        def note(subject: Any) -> Any:
            into.append(Defect(what, of, kind, check, subject))
            return subject

        return note

    return planted


def stated(value: Any) -> Any:
    """A parameter with a source, so that nothing but the planted mistake is wrong."""
    return param(value, source="our choice")
