"""How a mechanism of a pack travels to another process: by name and version, loaded where it arrives."""

from typing import Any, NamedTuple


class ByName(NamedTuple):
    """A class that the registry gave out, as a pickle holds it. Called, it gives the class of the process that it is in.

    Raises:
        UnknownName, PackError: as any use of a name whose pack is missing or broken there.
    """

    name: str
    kind: str

    def __call__(self) -> Any:
        from . import registry

        return registry.load(self.name, self.kind)
