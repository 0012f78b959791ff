"""From a name, a class or an instance to a part of a cell."""

from typing import Any, TypeVar

from ..channels import Channel
from ..errors import ModelError
from ..ions import Ion
from ..registry import registry

T = TypeVar("T")


def build_channel(what: Any, label: str) -> Channel:
    """The channel that `what` names or is: a registered name, a subclass of `Channel`, or an instance.

    Raises:
        UnknownName: where no installed pack has the name.
        ModelError: where `what` is no channel.
    """
    return _build(what, Channel, "channel", f"the channel '{label}'")


def build_ion(what: Any) -> Ion:
    """The ion that `what` names or is: a registered name, a subclass of `Ion`, or an instance."""
    return _build(what, Ion, "ion", "an ion")


def channel(name: str | type[Channel], /, **parameters: Any) -> Channel:
    """A channel by name (``"INa_TM1991"``) or class, with parameters (with units) other than its defaults.

    Raises:
        UnknownName: where no installed pack has the name.
        UnitError, ModelError: as the channel's constructor.
    """
    return _class(name, Channel, "channel")(**parameters)


def ion(name: str | type[Ion], /, **parameters: Any) -> Ion:
    """An ion by name (``"SodiumFixed"``) or class, with parameters (with units) other than its defaults."""
    return _class(name, Ion, "ion")(**parameters)


def _build(what: Any, base: type[T], kind: str, where: str) -> T:
    if isinstance(what, base):
        return what
    if isinstance(what, str) or (isinstance(what, type) and issubclass(what, base)):
        return _class(what, base, kind)()
    raise ModelError(
        f"{where} must be a registered name, a subclass of {base.__name__} or an instance of one, not {what!r}."
    )


def _class(what: Any, base: type, kind: str) -> Any:
    if isinstance(what, str):
        return registry.load(what, kind)
    if isinstance(what, type) and issubclass(what, base):
        return what
    raise ModelError(f"a {kind} is named by a string or a class, not {what!r}.")
