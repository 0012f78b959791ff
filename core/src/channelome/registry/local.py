"""Registering what a script or notebook defines. Imports the engine, which looking up does not."""

from typing import Any

from ..channels import Channel
from ..describe import describe
from ..errors import ModelError
from ..ions import Ion


def register_local(what: Any, name: str | None, aliases: tuple[str, ...]) -> Any:
    """Put `what` into the process's registry, under the kind that it is."""
    from . import registry

    if isinstance(what, type) and issubclass(what, Channel | Ion):
        kind = "channel" if issubclass(what, Channel) else "ion"
        registry.register(what, name=name, kind=kind, aliases=aliases, table=describe(what))
    elif _is_solver(what):
        if name is None:
            raise ModelError("a solver is registered under a name: register(solver, name='mine').")
        registry.register(what, name=name, kind="solver", aliases=aliases)
    else:
        raise ModelError(f"only channel and ion classes and solver objects can be registered, not {what!r}.")
    return what


def _is_solver(what: object) -> bool:
    return not isinstance(what, type) and all(callable(getattr(what, m, None)) for m in ("start", "step", "state"))
