"""`Registry`: names to things. Looking up reads manifests; only `load` imports a pack, and it guards against what that does."""

import functools
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn, cast

from ..errors import ChannelomeDeprecationWarning, CollisionError, ModelError, PackError, UnknownName
from .claims import family_problems, own_names, owners_of, same
from .code import Code
from .discovery import Problem, Source, Switches, installed_sources, read_packs
from .families import dynamic_families
from .loading import outer_level
from .manifest import Alias, Entry, Manifest, read_manifest
from .suggest import unknown_name
from .switches import unknown_words


class Registry:
    """Everything that has a name, found once and then read-only but for what a script registers. Threads may share it.

    ``"INa_TM1991" in registry``, iteration over names, ``len``, and ``registry.TM1991`` for a family.

    Args:
        manifests: of packs.
        problems: of packs that could not be read.
        left_out: installed packs that the environment does not admit.
        strict: whether code that is another than its manifest says raises where it is loaded.
    """

    def __init__(
        self,
        manifests: Iterable[Manifest] = (),
        problems: Iterable[Problem] = (),
        left_out: Iterable[Source] = (),
        *,
        strict: bool = False,
    ) -> None:
        self.manifests = tuple(manifests)
        self._left_out = tuple(left_out)
        self._owners = owners_of(self.manifests)
        self._names, misnamed = own_names(self.manifests, self._owners)
        self._problems = (*problems, *family_problems(self._owners), *misnamed)
        self._code = Code(strict=strict)
        self._lock = threading.Lock()

    @staticmethod
    def discover(sources: Iterable[Source] | None = None, switches: Switches | None = None) -> "Registry":
        """The registry of what is installed: core's own manifest and those of the packs that the environment admits.

        Raises:
            PackError: for any problem, if the switches are strict.
        """
        switches = Switches.from_environment() if switches is None else switches
        admitted: list[Source] = []
        left_out: list[Source] = []
        for source in installed_sources() if sources is None else sources:
            wanted = switches.admits(source.family, source.distribution.split()[0])
            (admitted if wanted else left_out).append(source)
        manifests, problems = read_packs(admitted)
        made, wrong, offered = dynamic_families(switches) if sources is None else ([], [], [])
        problems = [*problems, *wrong, *unknown_words(switches, [*admitted, *left_out], offered)]
        registry = Registry([core_manifest(), *manifests, *made], problems, left_out, strict=switches.strict)
        if switches.strict and registry.problems:
            raise PackError(f"{' '.join(map(str, registry.problems))} (CHANNELOME_STRICT is set.)")
        return registry

    # ---- looking up ----

    def find(self, name: str, kind: str | None = None) -> Entry:
        """The entry that `name` means: a name, an alias, or ``NAME@2`` for a version; the newest one if none is said.

        Raises:
            UnknownName: where nothing has the name, with what is near and the pack to install where it is known.
            CollisionError: where two distributions claim it.

        Warns:
            ChannelomeDeprecationWarning: of an alias that shall go away.
        """
        plain, at, version = name.partition("@")
        names, alias = self._names, None
        found = names.claims.get(plain, ())
        if not found and plain in names.aliases:
            alias, target = names.aliases[plain][0]
            found = names.claims[target.name]
        if kind is not None and found and not any(entry.kind == kind for entry in found):
            raise UnknownName(f"'{name}' is {_a(found[0].kind)}, not {_a(kind)}.")
        if not found:
            raise UnknownName(self._unknown(plain, kind))
        distributions = sorted({entry.distribution for entry in found})
        owners = [distribution for _, distribution in self._owners.get(same(found[0].family), ())]
        if len(distributions) > 1 or len(owners) > 1:
            _collision(plain, distributions if len(distributions) > 1 else owners)
        if alias is not None and alias.deprecated_since:
            warnings.warn(
                f"'{alias.name}' is an old name, deprecated since {alias.deprecated_since}: write '{found[0].name}'.",
                ChannelomeDeprecationWarning, stacklevel=outer_level(),
            )  # fmt: skip
        return _version(found, name, version if at else None)

    def entries(self, *, kind: str | None = None, ion: str | None = None, family: str | None = None) -> list[Entry]:
        """The newest version of each thing, by name, perhaps of one kind, one carried ion or one family only.

        What two distributions claim is listed for each of them; only using it is an error.
        """
        newest: dict[tuple[str, str], Entry] = {}
        for entry in self._names:
            key = entry.name, entry.distribution
            if key not in newest or newest[key].version < entry.version:
                newest[key] = entry
        return [
            entry
            for _, entry in sorted(newest.items(), key=lambda item: item[0])
            if kind in (None, entry.kind) and ion in (None, entry.ion) and family in (None, entry.family)
        ]

    @property
    def families(self) -> list[str]:
        """The families that installed packs own, by name."""
        return sorted({family for claims in self._owners.values() for family, _ in claims})

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with installed packs, and with the code that was loaded; see also `diagnose`, which loads all."""
        return (*self._problems, *self._code.problems)

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        plain, at, version = name.partition("@")
        return any(not at or version == str(entry.version) for entry in self._names.meaning(plain))

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._names.claims))

    def __len__(self) -> int:
        return len(self._names.claims)

    def __getattr__(self, family: str) -> Mapping[str, Entry]:
        if family.startswith("_") or family not in self.families:
            known = ", ".join(self.families) if not family.startswith("_") else ""
            raise AttributeError(f"no installed pack is of the family '{family}'. Installed: {known or 'none'}.")
        return MappingProxyType({entry.name: entry for entry in self.entries(family=family)})

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.families]

    # ---- getting ----

    def load(self, name: str, kind: str | None = None) -> Any:
        """The class or object behind a name; the pack is imported at the first use of one of its names.

        Raises:
            UnknownName, CollisionError: as `find`.
            PackError: where importing the pack fails, or gives what the name is not, naming distribution, file and cause.
        """
        entry = self.find(name, kind)
        if not isinstance(entry.where, str):
            return entry.where
        try:
            return self._code.load(entry, self._names)
        except PackError as error:
            raise PackError(
                f"'{entry.name}' is offered by {entry.distribution}, but {error}. "
                f"Update or remove that pack; `channelome doctor` says more."
            ) from error.__cause__

    def facts(self, entry: Entry) -> Mapping[str, Any]:
        """What is so of a mechanism: what its manifest says, or, where its code is another than that, what its class says.

        Raises:
            PackError: as `load`.
        """
        self.load(f"{entry.name}@{entry.version}", entry.kind)
        return self._code.facts(entry) or entry.table

    def file(self, name: str, kind: str) -> Path:
        """The data file behind a name, of a cell for instance."""
        where = self.find(name, kind).where
        if not isinstance(where, Path):
            raise ModelError(f"'{name}' is not data.")
        return where

    def entry_of(self, cls: type) -> Entry | None:
        """The entry whose class this is, of whichever version; None where it has no name."""
        where = f"{cls.__module__}:{cls.__qualname__}"
        for entry in self._names:
            if where == (entry.where if isinstance(entry.where, str) else ":".join(_identity(entry.where))):
                return entry
        return None

    def diagnose(self) -> list[Problem]:
        """All problems, found by importing every pack and everything that it offers."""
        broken = self._code.broken(self._names)
        return [*self.problems, *broken]

    # ---- a script's own ----

    def register(
        self, what: Any, *, name: str | None = None, kind: str, aliases: Iterable[str] = (), table: Any = None
    ) -> None:
        """Give a class or object of this process a name. The same class registered again replaces itself, under all its names.

        Raises:
            CollisionError: where something else has the name, or one of the aliases.
            ModelError: where the name is no name.
        """
        name, aliases = str(name or what.__name__), tuple(aliases)
        with self._lock:  # between a look and what is done about it
            before = next(iter(self._names.claims.get(name, ())), None)
            if before is not None and (before.distribution != "local" or _identity(before.where) != _identity(what)):
                before = None
            for wanted in (name, *aliases):
                if not wanted.isidentifier():
                    raise ModelError(f"{wanted!r} cannot be a name: letters, digits and _ make one.")
                taken = [entry for entry in self._names.meaning(wanted) if entry is not before]
                if taken:
                    raise CollisionError(
                        f"'{wanted}' is taken by {taken[0].distribution}: register it under another, "
                        f"register(..., name='My{wanted}')."
                    )
            if before is not None:
                aliases = tuple(dict.fromkeys([*(alias.name for alias in before.aliases), *aliases]))
            entry = Entry(name, kind, 1, "", "local", what, tuple(map(Alias, aliases)), (), table or {})
            self._names = self._names.replacing(before, entry)

    # ---- inside ----

    def _unknown(self, name: str, kind: str | None) -> str:
        names = [entry.name for entry in self.entries(kind=kind)]
        names += [
            alias.name
            for meant in self._names.aliases.values()
            for alias, entry in meant
            if not alias.deprecated_since and kind in (None, entry.kind)
        ]
        return unknown_name(name, kind, names, self.families, self._problems, self._left_out)


def _version(found: tuple[Entry, ...], name: str, version: str | None) -> Entry:
    if version is None:
        return max(found, key=lambda entry: entry.version)
    for entry in found:
        if str(entry.version) == version:
            return entry
    known = ", ".join(f"{entry.name}@{entry.version}" for entry in sorted(found, key=lambda entry: entry.version))
    raise UnknownName(f"there is no '{name}'; {found[0].distribution} has {known}.")


def _collision(name: str, distributions: list[str]) -> NoReturn:
    both = " and ".join(distributions)
    remedy = f"Uninstall one, or disable it: CHANNELOME_DISABLE_PACKS={distributions[0].split()[0]}"
    raise CollisionError(f"'{name}' is claimed by {both}. {remedy}.")


@functools.cache
def core_manifest() -> Manifest:
    """Core's own manifest: what belongs to no paper."""
    from .. import __version__

    path = Path(__file__).parents[1] / "pack.toml"
    return read_manifest(path, family="", distribution=f"channelome {__version__}")


def _identity(what: Any) -> tuple[str, str]:
    """What the code that made it is called; of an object, that of its class: the cell of a notebook makes both anew."""
    if isinstance(what, Path):  # the file of a model
        return str(what.parent), what.name
    made = what if hasattr(what, "__qualname__") else cast(Any, type(what))
    return made.__module__, made.__qualname__


def _a(kind: str) -> str:
    return f"{'an' if kind == 'ion' else 'a'} {kind}"
