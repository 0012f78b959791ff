"""A pack's manifest: what it offers, as data. Reading one imports nothing of the pack."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ..errors import ModelError, PackError
from .lexical import check_text
from .words import printable

SCHEMA = 1
API_VERSION = "1.0"
"""Version of the interface that packs are written against: another major does not fit, a later minor is too new."""

KINDS = ("channel", "ion", "synapse", "solver", "cell", "network")
_MAX_BYTES = 4 << 20
DATA = ("cell", "network")
"""Kinds of which a pack ships a file, and no object."""
_HEADER = ("schema", "api", "family", "title", "license", "references", "expected_failures")
_FORMS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "text": ("text", lambda value: isinstance(value, str)),
    "texts": ("a list of texts", lambda value: _is_list(value, str)),
    "flag": ("true or false", lambda value: isinstance(value, bool)),
    "count": ("a whole number from 1", lambda value: type(value) is int and value > 0),
    "tables": ("a list of tables", lambda value: _is_list(value, dict)),
    "table": ("a table", lambda value: isinstance(value, dict)),
    "number": ("a number, or a table { q10, reference }", lambda value: _is_default(value)),
}
_ENTRY = {
    **dict.fromkeys(("object", "file", "summary", "kind", "ion", "equations", "notes", "digest"), "text"),
    **dict.fromkeys(("reads", "gates", "references"), "texts"),
    **dict.fromkeys(("version", "order"), "count"),
    **{"temperature": "flag", "aliases": "tables", "parameters": "table"},
}
_WORDS = {"api": "text", "title": "text", "license": "text", "expected_failures": "tables"}
_FAILURE = {"check": "text", "name": "text", "reason": "text"}
_REFERENCE = {"role": "text", "text": "text", "doi": "text"}
_ALIAS = {"name": "text", "deprecated_since": "text"}
_PARAMETER = {"default": "number", "unit": "text", "source": "text"}

Table = Mapping[str, Any]


@dataclass(frozen=True)
class Reference:
    """Where something comes from, and in which role: ``equations``, ``parameters`` or ``implementation``."""

    key: str
    role: str
    text: str
    doi: str = ""


@dataclass(frozen=True)
class Alias:
    """Another spelling of a name, perhaps one that shall go away."""

    name: str
    deprecated_since: str = ""


@dataclass(frozen=True)
class Entry:
    """One thing that a pack offers.

    Attributes:
        name: without version.
        kind: ``channel``, ``ion``, ``synapse``, ``solver``, ``cell`` or ``network``.
        version: a published thing whose equations or defaults change gets the next one.
        family: whose pack it is; empty for what belongs to no paper.
        distribution: that ships it, with its version; ``"local"`` for what a script registered.
        where: ``"module:object"``, or the file of a cell or network; for what a script registered the object itself.
        table: the manifest's words on it: summary, kind, ion, reads, gates, temperature, parameters, equations, digest.
        home: the top package that its code must lie in; empty where that does not matter, for what a script registered.
    """

    name: str
    kind: str
    version: int
    family: str
    distribution: str
    where: Any
    aliases: tuple[Alias, ...] = ()
    references: tuple[Reference, ...] = ()
    table: Table = field(default_factory=dict[str, Any])
    home: str = ""

    @property
    def summary(self) -> str:
        return str(self.table.get("summary", ""))

    @property
    def ion(self) -> str | None:
        return cast("str | None", self.table.get("ion"))


@dataclass(frozen=True)
class Manifest:
    """A pack: its header and its entries."""

    family: str
    title: str
    license: str
    distribution: str
    path: Path
    entries: tuple[Entry, ...]
    references: tuple[Reference, ...]


def read_manifest(path: Path, *, family: str, distribution: str, home: str | None = None) -> Manifest:
    """The manifest in the file `path`, which the entry point `family` of `distribution` names.

    Args:
        home: the package that its code lies in; the one that the manifest lies in if None, any if empty.

    Raises:
        PackError: where it is missing, malformed, of another API, or claims names that are not its own.
    """
    name = printable(path.name)
    try:
        if path.exists() and not path.is_file():
            raise PackError(f"its manifest {name} cannot be read: it is no file")
        with path.open("rb") as opened:
            raw = opened.read(_MAX_BYTES + 1)
        table = _parsed(raw, f"its manifest {name}")
    except FileNotFoundError:
        raise PackError(f"its manifest {name} is not there; the wheel may have been built without it") from None
    except OSError as error:
        raise PackError(f"its manifest {name} cannot be read: {error.strerror}") from error
    except ValueError as error:  # a NUL in the path
        raise PackError(f"its manifest {name} cannot be read: {error}") from error
    return _manifest(table, path, family, distribution, path.parent.name if home is None else home)


def _parsed(raw: bytes, where: str) -> Table:
    """The table in the bytes of a manifest; what takes a parser for ever is refused."""
    if len(raw) > _MAX_BYTES:
        raise PackError(f"{where} is larger than {_MAX_BYTES >> 20} MiB, the most that one may be")
    try:
        text = raw.decode("utf-8-sig")
        check_text(text, ".toml")
        return tomllib.loads(text)
    except ModelError as error:
        raise PackError(f"{where}: {error}") from error
    except RecursionError as error:
        raise PackError(f"{where} is nested too deep") from error
    except ValueError as error:  # of the decoder and of the parser
        raise PackError(f"{where} is not TOML: {printable(error)}") from error


def _manifest(table: Table, path: Path, family: str, distribution: str, home: str) -> Manifest:
    where = printable(path.name)
    unknown = set(table) - {*_HEADER, *KINDS}
    if unknown:
        raise PackError(f"{where} has unknown entries {sorted(unknown)}; it holds {', '.join((*_HEADER, *KINDS))}")
    if table.get("schema") != SCHEMA:
        raise PackError(f"{where} has schema {table.get('schema')!r}; this channelome reads {SCHEMA}")
    _check_forms({key: table[key] for key in _WORDS if key in table}, _WORDS, where)
    check_api(table.get("api", ""), where)
    if family and not re.fullmatch(r"[^\W_]+", family):
        raise PackError(f"{where}: {family!r} cannot be a family: letters and digits, as author and year")
    if table.get("family") != family:
        raise PackError(f"{where} is of the family {table.get('family')!r}, but its entry point is named '{family}'")
    for failure in table.get("expected_failures", ()):
        _check_forms(failure, _FAILURE, f"{where}: expected_failures")
    references = _references(table.get("references", {}), where)
    entries = tuple(
        _entry(kind, name, entry, family, distribution, references, path, home)
        for kind in KINDS
        for name, entry in _tables(table.get(kind, {}), f"{where}: {kind}")
    )
    _check_once(entries, where)
    title, license_ = str(table.get("title", "")), str(table.get("license", ""))
    return Manifest(family, title, license_, distribution, path, entries, tuple(references.values()))


def check_api(api: str, where: str) -> None:
    """Raise `PackError` where a pack that needs the version `api` does not fit this channelome."""
    own = [int(part) for part in API_VERSION.split(".")]
    parts = re.fullmatch(r"([0-9]{1,6})\.([0-9]{1,6})", api)
    if parts is None:
        raise PackError(f"{where} must say the API version that it needs, api = '{API_VERSION}', not {api!r:.80}")
    needed = [int(part) for part in parts.groups()]
    if needed[0] != own[0]:
        remedy = "update the pack" if needed[0] < own[0] else "update channelome"
        raise PackError(f"{where} is incompatible: it needs API {api}, this channelome has {API_VERSION}; {remedy}")
    if needed[1] > own[1]:
        raise PackError(f"{where} needs API {api}, this channelome has {API_VERSION}; update channelome")


def _entry(
    kind: str,
    name: str,
    table: Table,
    family: str,
    distribution: str,
    known: Mapping[str, Reference],
    path: Path,
    home: str,
) -> Entry:
    where = printable(f"{path.name}: {kind}.{name}")
    _check_forms(table, _ENTRY, where)
    for parameter, facts in _tables(table.get("parameters", {}), f"{where}.parameters"):
        _check_forms(facts, _PARAMETER, f"{where}.parameters.{parameter}")
    plain, at, number = name.partition("@")
    version = table.get("version", int(number) if re.fullmatch(r"[0-9]{1,9}", number) else 1)
    if not plain.isidentifier() or (at and number != str(version)):
        raise PackError(f"{where} is not a name: write NAME, or NAME@2 for version 2")
    if family and not plain.endswith(f"_{family}"):
        raise PackError(f"{where}: a name of this pack ends with _{family}")
    missing = [key for key in table.get("references", ()) if key not in known]
    if missing:
        raise PackError(f"{where} cites {missing[0]!r}, which [references] does not have")
    target = table.get("file") if kind in DATA else table.get("object")
    if not isinstance(target, str) or (kind not in DATA and ":" not in target):
        raise PackError(f"{where} needs {'file = ...' if kind in DATA else 'object = module:name'}")
    return Entry(
        name=plain, kind=kind, version=version, family=family, distribution=distribution,
        where=_inside(path.parent, target, where) if kind in DATA else target,
        aliases=tuple(_alias(alias, where) for alias in table.get("aliases", ())),
        references=tuple(known[key] for key in table.get("references", ())), table=table, home=home,
    )  # fmt: skip


def _check_forms(table: Table, forms: Mapping[str, str], where: str) -> None:
    unknown = set(table) - set(forms)
    if unknown:
        raise PackError(f"{where} has unknown entries {sorted(unknown)}; it holds {', '.join(forms)}")
    for key, value in table.items():
        said, fits = _FORMS[forms[key]]
        if not fits(value):
            raise PackError(f"{where}: {printable(key)} must be {said}, not {value!r:.80}")


def _check_once(entries: tuple[Entry, ...], where: str) -> None:
    """Raise where a name has two kinds, two entries are one version of it, or an alias has two meanings."""
    kinds: dict[str, str] = {}
    versions: set[tuple[str, int]] = set()
    meant = {entry.name: entry.name for entry in entries}
    for entry in entries:
        if kinds.setdefault(entry.name, entry.kind) != entry.kind:
            raise PackError(f"{where}: '{entry.name}' is there as {kinds[entry.name]} and as {entry.kind}")
        if (entry.name, entry.version) in versions:
            raise PackError(f"{where}: version {entry.version} of '{entry.name}' is there twice")
        versions.add((entry.name, entry.version))
        for alias in entry.aliases:
            if meant.setdefault(alias.name, entry.name) != entry.name:
                raise PackError(f"{where}: the alias '{alias.name}' of '{entry.name}' means '{meant[alias.name]}' too")


def _is_list(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(item, kind) for item in cast("list[Any]", value))


def _is_default(value: Any) -> bool:
    if isinstance(value, dict):
        table = cast("dict[str, Any]", value)
        return set(table) == {"q10", "reference"} and all(type(number) in (int, float) for number in table.values())
    return type(value) in (int, float)


def _inside(folder: Path, target: str, where: str) -> Path:
    try:
        if "\0" in target:  # newer Pythons resolve it
            raise ValueError("embedded null byte")
        path = (folder / target).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a NUL in it, links in a circle
        raise PackError(f"{where}: the file {target!r:.80} cannot be one: {printable(error)}") from error
    if not path.is_relative_to(folder.resolve()):
        raise PackError(f"{where}: the file {target!r:.80} lies outside the pack")
    return path


def _alias(alias: Any, where: str) -> Alias:
    if not isinstance(alias, Mapping) or not isinstance(cast("Table", alias).get("name"), str):
        raise PackError(f"{where}: an alias is written {{ name = 'Other' }}, perhaps with deprecated_since")
    table = cast("Table", alias)
    _check_forms(table, _ALIAS, f"{where}: an alias")
    if not table["name"].isidentifier():
        raise PackError(f"{where}: the alias {table['name']!r:.80} is not a name: letters, digits and _ make one")
    return Alias(table["name"], str(table.get("deprecated_since", "")))


def _references(table: Any, where: str) -> dict[str, Reference]:
    found: dict[str, Reference] = {}
    for key, entry in _tables(table, f"{where}: references"):
        _check_forms(entry, _REFERENCE, f"{where}: references.{key}")
        role, text = str(entry.get("role", "")), str(entry.get("text", ""))
        if role not in ("equations", "parameters", "implementation") or not text:
            raise PackError(
                f"{where}: references.{key} needs text, and a role: equations, parameters or implementation"
            )
        found[key] = Reference(key, role, text, str(entry.get("doi", "")))
    return found


def _tables(table: Any, where: str) -> Iterator[tuple[str, Table]]:
    if not isinstance(table, Mapping):
        raise PackError(f"{where} must be a table")
    for name, entry in cast("Table", table).items():
        if not isinstance(entry, Mapping):
            raise PackError(f"{where}.{name} must be a table")
        yield name, cast("Table", entry)
