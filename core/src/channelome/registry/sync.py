"""Write the part of a manifest that classes know: parameters, gates, equations. The header, references and aliases are the author's."""

import re
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

from ..errors import PackError
from ..mechanisms.channels import Channel
from ..mechanisms.describe import KINDS_OF_CLASSES, describe, placeholders
from ..mechanisms.transmission import Contact, Coupling, Release
from ..module import REQUIRED, Module
from .words import described

_GENERATED = ("channel", "ion", "synapse")
_EXPECTED = "expected_failures"
_ORDER = (
    "object",
    "summary",
    "kind",
    "ion",
    "reads",
    "gates",
    "temperature",
    "digest",
    "version",
    "aliases",
    "references",
    "notes",
)


def sync(manifest: Path, *, check: bool = False) -> bool:
    """Bring the channel and ion tables of the file `manifest` in line with the classes of its package.

    The rest of the file stays as it is written, comments too; only what was expected of placeholders goes with them.

    Args:
        check: change nothing.

    Returns:
        Whether the file was in line before.

    Raises:
        PackError: where the manifest or the package cannot be read.
    """
    try:
        text = manifest.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PackError(f"cannot read {manifest}: {error}.") from error
    wanted = synced(table, manifest.parent.name)
    if wanted == table:
        return True
    if not check:
        manifest.write_text(_rewritten(text, wanted), encoding="utf-8")
    return False


def _rewritten(text: str, wanted: dict[str, Any]) -> str:
    """The manifest `text` with the generated tables of `wanted` in place of its own."""
    import tomli_w

    generated = tomli_w.dumps({key: wanted[key] for key in _GENERATED if key in wanted}, multiline_strings=True)
    before, after = "", ""
    for section in re.split(r"^(?=\[)", text, flags=re.M):
        key = re.match(r"\[+\s*[\"']?(\w+)", section)
        if key and (key[1] in _GENERATED or (key[1] == _EXPECTED and not _is_kept(section, wanted))):
            continue
        if after or (key and key[1] in ("solver", "cell", "network")):
            after += section
        else:
            before += section
    whole = "\n\n".join(part.strip() for part in (before, generated, after) if part.strip()) + "\n"
    try:
        kept = tomllib.loads(whole) == wanted
    except tomllib.TOMLDecodeError:
        kept = False
    # a line of a text may look like a table; then nothing is risked for the sake of comments
    return whole if kept else tomli_w.dumps(wanted, multiline_strings=True)


def _is_kept(section: str, wanted: dict[str, Any]) -> bool:
    return all(failure in wanted.get(_EXPECTED, ()) for failure in tomllib.loads(section).get(_EXPECTED, ()))


def synced(table: dict[str, Any], package: str) -> dict[str, Any]:
    """The manifest `table` with what the classes of `package` say of themselves."""
    wanted = {key: value for key, value in table.items() if key not in _GENERATED}
    suffix = f"_{table['family']}" if table.get("family") else ""
    found = list[type[Module]]()
    for kind, bases in KINDS_OF_CLASSES.items():
        tables: dict[str, Any] = {}
        for cls in _classes(package, bases, suffix):
            found.append(cls)
            name, before = cls.__name__, table.get(kind, {}).get(cls.__name__, {})
            entry = {
                "object": f"{cls.__module__}:{name}",
                "references": list(table.get("references", {}))[:1] if suffix else [],
            }
            entry |= {
                key: value for key, value in before.items() if key in ("version", "aliases", "references", "notes")
            }
            facts = describe(cls)
            parameters, equations = facts.pop("parameters"), facts.pop("equations", None)
            entry |= facts
            ordered = {key: entry[key] for key in _ORDER if key in entry}
            tables[name] = ordered | ({"equations": equations} if equations else {}) | {"parameters": parameters}
        older = {name: entry for name, entry in table.get(kind, {}).items() if "@" in name}
        if tables or older:
            wanted[kind] = dict(sorted((tables | older).items()))
    done = {cls.__name__ for cls in found if not placeholders(cls)}
    if _EXPECTED in wanted:
        wanted[_EXPECTED] = [
            f for f in wanted[_EXPECTED] if f.get("check") != "placeholders" or f.get("name") not in done
        ]
        if not wanted[_EXPECTED]:
            del wanted[_EXPECTED]
    order = (
        "schema",
        "api",
        "family",
        "title",
        "license",
        "references",
        _EXPECTED,
        "channel",
        "ion",
        "synapse",
        "solver",
        "cell",
        "network",
    )
    return {key: wanted[key] for key in order if key in wanted}


def _classes(package: str, bases: tuple[type, ...], suffix: str) -> list[type]:
    """Subclasses of `bases` that the package defines and offers: public, complete and named for its family."""
    own_modules = package == __name__.partition(".")[0]
    names = (
        [f"{package}.mechanisms.{module}" for module in ("ions", "leak", "shells", "synapses")] if own_modules else []
    )
    try:
        top = import_module(package)
        if not own_modules:
            walked = [info.name for info in walk_packages(top.__path__, f"{package}.")]
            names = [package, *(name for name in walked if not {"tests", "__main__"} & set(name.split(".")))]
        for name in names:
            import_module(name)
    except KeyboardInterrupt:  # of the user
        raise
    except BaseException as error:
        raise PackError(f"the package {package} cannot be imported: {described(error)}.") from error
    found: dict[str, type] = {}
    for name in names:
        for value in vars(sys.modules[name]).values():
            own = isinstance(value, type) and value.__module__.partition(".")[0] == package
            if own and issubclass(value, bases) and is_offered(value, suffix):
                found[value.__name__] = value
    return list(found.values())


def is_offered(cls: type, suffix: str) -> bool:
    """Whether a class is public, named for its family, and complete: what its kind needs is there."""
    if cls.__name__.startswith("_") or not cls.__name__.endswith(suffix):
        return False
    if issubclass(cls, Channel):
        return bool(cls.__dict__.get("_arguments") or cls._arguments)  # pyright: ignore[reportPrivateUsage]
    if issubclass(cls, Contact | Release):
        return (bool(cls.states) or (issubclass(cls, Coupling) and cls is not Coupling)) and not any(
            parameter.default is REQUIRED for parameter in cls.parameters.values()
        )
    return isinstance(getattr(cls, "species", None), str) or "species" in cls._static  # pyright: ignore
