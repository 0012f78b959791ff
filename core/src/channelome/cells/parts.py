"""From a name, a class or an instance to a part of a cell."""

from typing import Any, TypeVar

from ..errors import ModelError
from ..mechanisms.channels import Channel
from ..mechanisms.ions import Ion
from ..registry import registry
from .travel import named

T = TypeVar("T")


def build_channel(what: Any, label: str) -> Channel:
    """The channel that `what` names or is: a registered name, a subclass of `Channel`, or an instance.

    Raises:
        UnknownName: where no installed pack has the name.
        ModelError: where `what` is no channel.
    """
    return build_part(what, Channel, "channel", f"the channel '{label}'")


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
