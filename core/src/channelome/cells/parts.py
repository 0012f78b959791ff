"""From a name, a class or an instance to a part of a cell."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from ..errors import ModelError
from ..mechanisms.channels import Channel
from ..mechanisms.ions import Ion
from ..registry import registry
from ..units import is_quantity
from .travel import named

T = TypeVar("T")


def build_channel(what: Any, label: str) -> Channel:
    """The channel that `what` names or is: a registered name, a subclass of `Channel`, or an instance.

    Raises:
        UnknownName: where no installed pack has the name.
        ModelError: where `what` is no channel.
    """
    no_quantity(what, label)
    return build_part(what, Channel, "channel", f"the channel '{label}'")


OWN = {
    "size": "the number of neurons", "C": "the capacitance", "V": "the initial voltage", "V_th": "the threshold of spikes",
    "area": "the membrane area", "celsius": "the temperature",
}  # fmt: skip
"""The names that a point neuron has itself, beside those of its channels."""
OWN_OF_MANY = {name: what for name, what in OWN.items() if name != "area"} | {
    "size": "the number of cells", "Ra": "the axial resistivity", "discretise": "the rule of the cut", "spikes_at": "the place of spikes",
}  # fmt: skip
"""Those of a cell of many compartments."""
_ELSEWHERE = {
    "V": "v vm v0 vm0 vinit initv vrest erest el vreset", "C": "c cm capacitance", "celsius": "t temp temperature degc kelvin",
    "V_th": "vth vthreshold threshold vt", "area": "a surface s", "size": "n nneurons num", "Ra": "ra ri rl raxial axialresistivity",
}  # fmt: skip
"""What people and other simulators call them, without case and underscores."""
_NAME = re.compile(r"[A-Za-z][\w.@-]*")
"""How names of mechanisms look, and numbers with a unit that no number are, ``"nan mV"``, do not."""
_WORDS = {"size", "discretise", "spikes_at"}
"""Own names whose values may be words themselves, or have an error of their own for words that are no channels."""


def meant(label: str, own: Mapping[str, str] = OWN) -> str:
    """Which of the cell's own names `label` may stand for; empty where it is none that people use."""
    said = label.replace("_", "").casefold()
    found = next((name for name, spellings in _ELSEWHERE.items() if name in own and said in spellings.split()), None)
    return f"{own[found].capitalize()} is {found}=...." if found else ""


def no_quantity(what: Any, label: str, own: Mapping[str, str] = OWN) -> None:
    """Refuse a number with a unit where a part of a cell goes, under a label that is none of the cell's own names."""
    if is_quantity(what) and (meant(label, own) or not isinstance(what, int | float)):
        names = ", ".join(f"{name} ({of})" for name, of in own.items())
        hint = meant(label, own) or f"Its own are {names}; a part's parameter is the part's: channel('...', g_max=...)."
        raise ModelError(f"'{label}' is no parameter of the cell, so that {what!r} cannot be its value. {hint}")


def check_own(name: str, value: Any, own: Mapping[str, str] = OWN) -> None:
    """Refuse a channel or an ion under a name that is the cell's own."""
    part = type(value) if isinstance(value, Channel | Ion) else value
    if isinstance(value, str):
        refused = value in registry if name in _WORDS else bool(_NAME.fullmatch(value)) and not is_quantity(value)
    else:
        refused = isinstance(part, type) and issubclass(part, Channel | Ion)
    if refused:
        kind = "ion" if isinstance(part, type) and issubclass(part, Ion) else "channel"
        shown = value if isinstance(value, str) else part.__name__
        raise ModelError(
            f"'{name}' is {own[name]} of the cell, and cannot be the label of the {kind} {shown!r}: give it another, I{name}=...."
        )


def unknown(path: str, has: Iterable[str], own: Mapping[str, str] = OWN) -> ModelError:
    """That the cell has no such part or parameter."""
    known = list(has)
    head, dot, tail = path.partition(".")
    close = [x for x in known if x.casefold() == head.casefold()] or get_close_matches(head, known, n=1)
    if path in ("size", "discretise", "morphology") or path in _WORDS & own.keys():
        hint = f"'{path}' is said when a cell is made, and not replaced: make another."
    else:
        hint = meant(path, own) or (f"Did you mean '{close[0]}{dot}{tail}'?" if close else "")
    return ModelError(
        f"the cell has no '{path}'. {hint}{' ' if hint else ''}It has {', '.join(known)}; a part's parameter is written 'INa.g_max'."
    )


def build_ion(what: Any) -> Ion:
    """The ion that `what` names or is: a registered name, a subclass of `Ion`, or an instance."""
    return build_part(what, Ion, "ion", "an ion")


def channel(name: str | type[Channel], /, **parameters: Any) -> Channel:
    """A channel by name (``"INa_TM1991"``) or class, with parameters (with units) other than its defaults.

    Raises:
        UnknownName: where no installed pack has the name.
        UnitError, ModelError: as the channel's constructor.
    """
    return class_of(name, Channel, "channel")(**parameters)


def ion(name: str | type[Ion], /, **parameters: Any) -> Ion:
    """An ion by name (``"SodiumFixed"``) or class, with parameters (with units) other than its defaults."""
    return class_of(name, Ion, "ion")(**parameters)


def build_part(what: Any, base: type[T], kind: str, where: str) -> T:
    """What a name, a class or an instance of `base` stands for; `where` is what the error shall name."""
    if isinstance(what, base):
        return what
    if isinstance(what, str) or (isinstance(what, type) and issubclass(what, base)):
        return class_of(what, base, kind)()
    raise ModelError(
        f"{where} must be a registered name, a subclass of {base.__name__} or an instance of one, not {what!r}."
    )


def class_of(what: Any, base: type, kind: str) -> Any:
    """The class that a name or a class stands for."""
    if isinstance(what, str):
        return named(registry.load(what, kind), registry.find(what, kind))
    if isinstance(what, type) and issubclass(what, base):
        return what
    raise ModelError(f"a {kind} is named by a string or a class, not {what!r}.")
