"""Registering what a script or notebook defines. Imports the engine, which looking up does not."""

from typing import Any

from ..describe import KINDS_OF_CLASSES, describe
from ..errors import ModelError


def register_local(what: Any, name: str | None, aliases: tuple[str, ...]) -> None:
    """Put `what` into the process's registry, under the kind that it is."""
    from . import registry

    kind = next((kind for kind, bases in KINDS_OF_CLASSES.items() if any(_is(what, base) for base in bases)), None)
    if kind is not None:
        registry.register(what, name=name, kind=kind, aliases=aliases, table=describe(what))
    elif all(callable(getattr(what, member, None)) for member in ("start", "step", "voltage", "state")):
        if name is None:
            raise ModelError("a solver is registered under a name: register(solver, name='mine').")
        registry.register(what, name=name, kind="solver", aliases=aliases)
    else:
        raise ModelError(
            f"only classes of channels, ions and synapses and solver objects can be registered, not {what!r}."
        )


def _is(what: Any, base: type) -> bool:
    return isinstance(what, type) and issubclass(what, base)
