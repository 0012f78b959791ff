"""`Registry`: names to things. Looking up reads manifests; only `load` imports a pack, and it guards against what that does."""

import functools
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from ..errors import ChannelomeDeprecationWarning, CollisionError, ModelError, PackError, UnknownName
from .discovery import Problem, Source, Switches, installed_sources, read_packs
from .document import read_document
from .families import dynamic_families
from .loading import load_object, outer_level
from .manifest import Alias, Entry, Manifest, read_manifest
from .schema import check_form
from .suggest import unknown_name


class Registry:
    """Everything that has a name, found once and then read-only but for what a script registers.

    ``"INa_TM1991" in registry``, iteration over names, ``len``, and ``registry.TM1991`` for a family.

    Args:
        manifests: of packs.
        problems: of packs that could not be read.
        left_out: installed packs that the environment does not admit.
    """

    def __init__(
        self, manifests: Iterable[Manifest] = (), problems: Iterable[Problem] = (), left_out: Iterable[Source] = ()
    ) -> None:
        self.manifests = tuple(manifests)
        self._left_out = tuple(left_out)
        self._problems = list(problems)
        self._claims: defaultdict[str, list[Entry]] = defaultdict(list)
        self._aliases: defaultdict[str, list[tuple[Alias, Entry]]] = defaultdict(list)
        self._owners: defaultdict[str, list[str]] = defaultdict(list)
        for manifest in self.manifests:
            if manifest.family:
                self._owners[manifest.family].append(manifest.distribution)
            for entry in manifest.entries:
                self._add(entry)
        for family, owners in self._owners.items():
            if len(owners) > 1:
                remedy = f"Uninstall one, or disable it: CHANNELOME_DISABLE_PACKS={owners[0].split()[0]}."
                self._problems += [
                    Problem(
                        owner,
                        f"it claims the family '{family}', which {_others(owner, owners)} claims too",
                        remedy,
                        family,
                    )
                    for owner in owners
                ]
        self._problems += self._alias_problems()

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
        made, wrong = dynamic_families(switches) if sources is None else ([], [])
        registry = Registry([core_manifest(), *manifests, *made], [*problems, *wrong], left_out)
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
        found, alias = self._claims.get(plain, []), None
        if not found and plain in self._aliases:
            meant = self._aliases[plain]
            if len({entry.name for _, entry in meant}) > 1:
                self._collision(plain, [entry.distribution for _, entry in meant])
            alias, target = meant[0]
            found = self._claims[target.name]
        if kind is not None and found and not any(entry.kind == kind for entry in found):
            raise UnknownName(f"'{name}' is {_a(found[0].kind)}, not {_a(kind)}.")
        if not found:
            raise UnknownName(self._unknown(plain, kind))
        distributions = sorted({entry.distribution for entry in found})
        owners = self._owners.get(found[0].family, [])
        if len(distributions) > 1 or len(owners) > 1:
            self._collision(plain, distributions if len(distributions) > 1 else owners)
        if alias is not None and alias.deprecated_since:
            warnings.warn(
                f"'{alias.name}' is an old name, deprecated since {alias.deprecated_since}: write '{found[0].name}'.",
                ChannelomeDeprecationWarning, stacklevel=outer_level(),
            )  # fmt: skip
        return self._version(found, name, version if at else None)

    def entries(self, *, kind: str | None = None, ion: str | None = None, family: str | None = None) -> list[Entry]:
        """The newest version of each thing, by name, perhaps of one kind, one carried ion or one family only.

        What two distributions claim is listed for each of them; only using it is an error.
        """
        newest: dict[tuple[str, str], Entry] = {}
        for entry in (entry for claims in self._claims.values() for entry in claims):
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
        return sorted(self._owners)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with installed packs; see also `diagnose`, which looks deeper."""
        return tuple(self._problems)

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        plain, at, version = name.partition("@")
        entries = self._claims.get(plain) or [entry for _, entry in self._aliases.get(plain, ())]
        return any(not at or version == str(entry.version) for entry in entries)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._claims))

    def __len__(self) -> int:
        return len(self._claims)

    def __getattr__(self, family: str) -> Mapping[str, Entry]:
        if family.startswith("_") or family not in self._owners:
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
            PackError: where importing the pack fails, naming distribution, file and cause.
        """
        entry = self.find(name, kind)
        if not isinstance(entry.where, str):
            return entry.where
        try:
            return load_object(entry.where)
        except PackError as error:
            raise PackError(
                f"'{entry.name}' is offered by {entry.distribution}, but {error}. "
                f"Update or remove that pack; `channelome doctor` says more."
            ) from error.__cause__

    def file(self, name: str, kind: str) -> Path:
        """The data file behind a name, of a cell for instance."""
        where = self.find(name, kind).where
        if not isinstance(where, Path):
            raise ModelError(f"'{name}' is not data.")
        return where

    def entry_of(self, cls: type) -> Entry | None:
        """The entry whose class this is, of whichever version; None where it has no name."""
        where = f"{cls.__module__}:{cls.__qualname__}"
        for entry in (entry for claims in self._claims.values() for entry in claims):
            if where == (entry.where if isinstance(entry.where, str) else ":".join(_identity(entry.where))):
                return entry
        return None

    def diagnose(self) -> list[Problem]:
        """All problems, found by importing every pack and everything that it offers."""
        broken: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
        for entry in (entry for claims in self._claims.values() for entry in claims):
            try:
                if isinstance(entry.where, str):
                    load_object(entry.where)
                elif isinstance(entry.where, Path):
                    _check_model(entry.where)
            except PackError as error:  # one problem for all names with this cause
                broken[entry.distribution, entry.family, str(error)].append(f"'{entry.name}'")
        return self._problems + [
            Problem(distribution, f"{', '.join(names)} cannot be used: {cause}", "Update or repair it.", family)
            for (distribution, family, cause), names in broken.items()
        ]

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
        before = next(iter(self._claims.get(name, ())), None)
        if before is not None and (before.distribution != "local" or _identity(before.where) != _identity(what)):
            before = None
        for wanted in (name, *aliases):
            if not wanted.isidentifier():
                raise ModelError(f"'{wanted}' cannot be a name: letters, digits and _ make one.")
            taken = [*self._claims.get(wanted, ()), *(entry for _, entry in self._aliases.get(wanted, ()))]
            if any(entry is not before for entry in taken):
                raise CollisionError(
                    f"'{wanted}' is taken by {taken[0].distribution}: register it under another, "
                    f"register(..., name='My{wanted}')."
                )
        if before is not None:
            aliases = tuple(dict.fromkeys([*(alias.name for alias in before.aliases), *aliases]))
            del self._claims[name]
            for alias in before.aliases:
                del self._aliases[alias.name]
        self._add(Entry(name, kind, 1, "", "local", what, tuple(map(Alias, aliases)), (), table or {}))

    # ---- inside ----

    def _add(self, entry: Entry) -> None:
        self._claims[entry.name].append(entry)
        for alias in entry.aliases:
            self._aliases[alias.name].append((alias, entry))

    def _alias_problems(self) -> Iterator[Problem]:
        """Aliases that mean something else too: a name wins over an alias, between two aliases none wins."""
        for alias, meant in self._aliases.items():
            names = sorted({entry.name for _, entry in meant})
            for entry in {entry.distribution: entry for _, entry in meant}.values():
                others = self._claims.get(alias) or [other for _, other in meant if other.name != entry.name]
                if others:
                    other = others[0]
                    what = f"its alias '{alias}' of '{entry.name}' is taken by '{other.name}' of {other.distribution}"
                    yield Problem(entry.distribution, what, f"Write {' or '.join(names)} instead.", entry.family)

    def _version(self, found: list[Entry], name: str, version: str | None) -> Entry:
        if version is None:
            return max(found, key=lambda entry: entry.version)
        for entry in found:
            if str(entry.version) == version:
                return entry
        known = ", ".join(f"{entry.name}@{entry.version}" for entry in sorted(found, key=lambda entry: entry.version))
        raise UnknownName(f"there is no '{name}'; {found[0].distribution} has {known}.")

    def _collision(self, name: str, distributions: list[str]) -> None:
        both = " and ".join(distributions)
        remedy = f"Uninstall one, or disable it: CHANNELOME_DISABLE_PACKS={distributions[0].split()[0]}"
        raise CollisionError(f"'{name}' is claimed by {both}. {remedy}.")

    def _unknown(self, name: str, kind: str | None) -> str:
        names = [entry.name for entry in self.entries(kind=kind)]
        names += [
            alias.name
            for meant in self._aliases.values()
            for alias, entry in meant
            if not alias.deprecated_since and kind in (None, entry.kind)
        ]
        return unknown_name(name, kind, names, set(self._owners), self._problems, self._left_out)


def _check_model(file: Path) -> None:
    """Raise `PackError` where a pack's model is not there or has not the form of one."""
    if not file.is_file():
        raise PackError(f"its file {file.name} is not there")
    try:
        check_form(read_document(file), file.name)
    except ModelError as error:
        raise PackError(str(error).removesuffix(".")) from error


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


def _others(owner: str, owners: list[str]) -> str:
    return " and ".join(other for other in owners if other != owner) or owner


def _a(kind: str) -> str:
    return f"{'an' if kind == 'ion' else 'a'} {kind}"
