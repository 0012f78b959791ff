"""How a mechanism of a pack travels to another process: by name and version, loaded where it arrives."""

from typing import Any, NamedTuple

from ..registry import Entry, registry


class ByName(NamedTuple):
    """A class that a name stands for, as a pickle holds it. Called, it gives the class of the process that it is in.

    Raises:
        UnknownName, PackError: as any use of a name whose pack is missing or broken there.
    """

    name: str
    kind: str

    def __call__(self) -> Any:
        return named(registry.load(self.name, self.kind), registry.find(self.name, self.kind))


def named(cls: Any, entry: Entry) -> Any:
    """The class of an entry, which from now on travels by its name where it comes from a pack."""
    if isinstance(cls, type) and isinstance(entry.where, str) and "_reference" not in cls.__dict__:
        setattr(cls, "_reference", ByName(f"{entry.name}@{entry.version}", entry.kind))  # noqa: B010
    return cls
