"""`Registry`: names to things. Looking up reads manifests; only `load` imports a pack, and it guards against what that does."""

import difflib
import functools
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from ..errors import CollisionError, ModelError, PackError, UnknownName
from .discovery import Problem, Source, Switches, installed_sources, read_packs
from .manifest import Alias, Entry, Manifest, read_manifest

FIRST_PARTY = frozenset(
    [
        "HH1952",
        "TM1991",
        "Ba2002",
        "HM1992",
        "IS2008",
        "HP1992",
        "Re1993",
        "De1994",
        "De1996",
        "Ya1989",
        "Li2017",
        "Brette2007",
        "diffrax",
    ]
)
_PACK_OF = {"Brette2007": "tm1991"}


class Registry:
    """Everything that has a name, found once and then read-only but for what a script registers.

    ``"INa_TM1991" in registry``, iteration over names, ``len``, and ``registry.TM1991`` for a family.

    Args:
        manifests: of packs.
        problems: of packs that could not be read.
    """

    def __init__(self, manifests: Iterable[Manifest] = (), problems: Iterable[Problem] = ()) -> None:
        self.manifests = tuple(manifests)
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

    @staticmethod
    def discover(sources: Iterable[Source] | None = None, switches: Switches | None = None) -> "Registry":
        """The registry of what is installed: core's own manifest and those of the packs that the environment admits."""
        manifests, problems = read_packs(
            installed_sources() if sources is None else sources,
            Switches.from_environment() if switches is None else switches,
        )
        return Registry([core_manifest(), *manifests], problems)

    # ---- looking up ----

    def find(self, name: str, kind: str | None = None) -> Entry:
        """The entry that `name` means: a name, an alias, or ``NAME@2`` for a version; the newest one if none is said.

        Raises:
            UnknownName: where nothing has the name, with what is near and the pack to install where it is known.
            CollisionError: where two distributions claim it.
        """
        plain, _, version = name.partition("@")
        found, alias = self._claims.get(plain, []), None
        if not found and plain in self._aliases:
            meant = self._aliases[plain]
            if len({entry.name for _, entry in meant}) > 1:
                self._collision(plain, [entry.distribution for _, entry in meant])
            alias, target = meant[0]
            found = self._claims[target.name]
        if kind is not None and found and not any(entry.kind == kind for entry in found):
            raise UnknownName(f"'{name}' is a {found[0].kind}, not a {kind}.")
        if not found:
            raise UnknownName(self._unknown(plain, kind))
        distributions = sorted({entry.distribution for entry in found})
        owners = self._owners.get(found[0].family, [])
        if len(distributions) > 1 or len(owners) > 1:
            self._collision(plain, distributions if len(distributions) > 1 else owners)
        if alias is not None and alias.deprecated_since:
            warnings.warn(
                f"'{alias.name}' is an old name, deprecated since {alias.deprecated_since}: write '{found[0].name}'.",
                DeprecationWarning, stacklevel=3,
            )  # fmt: skip
        return self._version(found, name, version)

    def entries(self, *, kind: str | None = None, ion: str | None = None, family: str | None = None) -> list[Entry]:
        """The newest version of each thing, by name, perhaps of one kind, one carried ion or one family only."""
        newest = [max(claims, key=lambda entry: entry.version) for _, claims in sorted(self._claims.items())]
        return [
            entry
            for entry in newest
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
        return isinstance(name, str) and (name in self._claims or name in self._aliases)

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
        return entry.where if not isinstance(entry.where, str) else _imported(entry)

    def file(self, name: str, kind: str) -> Path:
        """The data file behind a name, of a cell for instance."""
        where = self.find(name, kind).where
        if not isinstance(where, Path):
            raise ModelError(f"'{name}' is not data.")
        return where

    def diagnose(self) -> list[Problem]:
        """All problems, found by importing every pack and everything that it offers."""
        found = list(self._problems)
        for claims in self._claims.values():
            for entry in claims:
                try:
                    if isinstance(entry.where, str):
                        _imported(entry)
                    elif isinstance(entry.where, Path) and not entry.where.is_file():
                        raise PackError(f"the file {entry.where.name} of '{entry.name}' is not there")
                except PackError as error:
                    cause = str(error.__cause__ or error).rstrip(".")
                    found.append(
                        Problem(
                            entry.distribution,
                            f"'{entry.name}' cannot be loaded: {cause}",
                            "Update or repair it.",
                            entry.family,
                        )
                    )
        return found

    # ---- a script's own ----

    def register(
        self, what: Any, *, name: str | None = None, kind: str, aliases: Iterable[str] = (), table: Any = None
    ) -> None:
        """Give a class or object of this process a name. The same class registered again replaces itself.

        Raises:
            CollisionError: where something else has the name.
        """
        name = str(name or what.__name__)
        same = [
            e for e in self._claims.get(name, []) if e.distribution == "local" and _identity(e.where) == _identity(what)
        ]
        if name in self and not same:
            owner = self.find(name).distribution
            raise CollisionError(
                f"'{name}' is taken by {owner}: register it under another, register(..., name='My{name}')."
            )
        self._claims.pop(name, None)
        self._add(Entry(name, kind, 1, "", "local", what, tuple(Alias(alias) for alias in aliases), (), table or {}))

    # ---- inside ----

    def _add(self, entry: Entry) -> None:
        self._claims[entry.name].append(entry)
        for alias in entry.aliases:
            self._aliases[alias.name].append((alias, entry))

    def _version(self, found: list[Entry], name: str, version: str) -> Entry:
        if not version:
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
        close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
        said = f"no installed pack provides {f'the {kind} ' if kind else ''}'{name}'."
        family = name.rpartition("_")[2]
        broken = next((problem for problem in self._problems if family and problem.family == family), None)
        if broken is not None:
            return f"{said} A pack that may is broken: {broken}"
        if "_" in name and family not in self._owners and family in FIRST_PARTY:
            return f"{said} Install its pack: pip install channelome-{_PACK_OF.get(family, family.lower())}."
        if close:
            return f"{said} Did you mean {' or '.join(close)}?"
        return f"{said} See `channelome list` for what is installed."


@functools.cache
def core_manifest() -> Manifest:
    """Core's own manifest: what belongs to no paper."""
    from .. import __version__

    path = Path(__file__).parents[1] / "pack.toml"
    return read_manifest(path, family="", distribution=f"channelome {__version__}")


def _imported(entry: Entry) -> Any:
    module, _, name = cast(str, entry.where).partition(":")
    try:
        return getattr(import_module(module), name)
    except Exception as error:
        place = getattr(error, "filename", None) or module
        cause = f"{type(error).__name__}: {error}"
        raise PackError(
            f"'{entry.name}' is offered by {entry.distribution}, but loading it from {place} failed: {cause}. "
            f"Update or remove that pack; `channelome doctor` says more."
        ) from error


def _identity(what: Any) -> tuple[str, str]:
    return getattr(what, "__module__", ""), getattr(what, "__qualname__", repr(what))


def _others(owner: str, owners: list[str]) -> str:
    return " and ".join(other for other in owners if other != owner) or owner
