"""From a name, a class or an instance to a part of a cell."""

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
    if is_quantity(what) and not isinstance(what, int | float):
        raise ModelError(f"'{label}' is no parameter of the cell, so that {what!r} cannot be its value. {meant(label)}")
    return build_part(what, Channel, "channel", f"the channel '{label}'")


OWN = {
    "size": "the number of neurons", "C": "the capacitance", "V": "the initial voltage", "V_th": "the threshold of spikes",
    "area": "the membrane area", "celsius": "the temperature",
}  # fmt: skip
"""The names that a cell has itself, beside those of its channels."""
_ELSEWHERE = {
    "V": "v vm v0 vm0 vinit initv vrest erest el vreset", "C": "c cm capacitance", "celsius": "t temp temperature degc kelvin",
    "V_th": "vth vthreshold threshold vt", "area": "a surface s", "size": "n nneurons num",
}  # fmt: skip
"""What people and other simulators call them, without case and underscores."""


def meant(label: str) -> str:
    """Which of the cell's own names `label` may stand for."""
    said = label.replace("_", "").casefold()
    for name, spellings in _ELSEWHERE.items():
        if said in spellings.split():
            return f"{OWN[name].capitalize()} is {name}=...."
    return f"Its own are {', '.join(f'{name} ({what})' for name, what in OWN.items())}; a part's parameter is the part's: channel('...', g_max=...)."


def check_own(name: str, value: Any) -> None:
    """Refuse a channel under a name that is the cell's own."""
    word = (
        isinstance(value, str)
        and not is_quantity(value)
        and (value in registry if name == "size" else value[:1].isalpha())
    )
    if word or isinstance(value, Channel) or (isinstance(value, type) and issubclass(value, Channel)):
        shown = (
            value if isinstance(value, str) else type(value).__name__ if isinstance(value, Channel) else value.__name__
        )
        raise ModelError(
            f"'{name}' is {OWN[name]} of the cell, and cannot be the label of the channel {shown!r}: give it another, I{name}=...."
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
