"""An index of names, which nothing changes: what is registered later makes the next one, so that readers need no lock."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .manifest import Alias, Entry

Meant = tuple[Alias, Entry]


@dataclass(frozen=True)
class Names:
    """What each name and each alias means: all claims to it, of several versions or of several packs.

    Attributes:
        claims: entries, by name.
        aliases: by alias.
    """

    claims: Mapping[str, tuple[Entry, ...]]
    aliases: Mapping[str, tuple[Meant, ...]]

    @staticmethod
    def of(entries: Iterable[Entry]) -> "Names":
        """The index of `entries`."""
        claims: defaultdict[str, list[Entry]] = defaultdict(list)
        aliases: defaultdict[str, list[Meant]] = defaultdict(list)
        for entry in entries:
            claims[entry.name].append(entry)
            for alias in entry.aliases:
                aliases[alias.name].append((alias, entry))
        return Names(_frozen(claims), _frozen(aliases))

    def replacing(self, before: Entry | None, entry: Entry) -> "Names":
        """The index with `entry`, in the place of `before` if there is one."""
        return Names.of([*(known for known in self if known is not before), entry])

    def meaning(self, name: str) -> tuple[Entry, ...]:
        """All that have the name, or the alias."""
        return self.claims.get(name) or tuple(entry for _, entry in self.aliases.get(name, ()))

    def __iter__(self) -> Iterator[Entry]:
        return (entry for claims in self.claims.values() for entry in claims)


def _frozen(lists: Mapping[str, list[Any]]) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(values) for name, values in lists.items()}
