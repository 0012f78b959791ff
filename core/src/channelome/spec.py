"""Cells as data: from a TOML table to a cell, by name. No code, no module path can stand in it.

```toml
schema = 1
kind = "SingleCompartment"
C = { value = 1, unit = "uF/cm^2" }
celsius = { value = 6.3, unit = "degC" }

[ions]
na = { use = "SodiumFixed", E = { value = 50, unit = "mV" } }

[channels]
INa = { use = "INa_HH1952" }
IL = { use = "IL", g_max = { value = 0.3, unit = "mS/cm^2" }, E = { value = -54.387, unit = "mV" } }
```
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .cells import SingleCompartment, channel, ion
from .errors import ModelError
from .ions import Ion
from .registry import registry

SCHEMA = 1
_OWN = ("C", "V", "V_th", "area", "celsius", "size")


def cell(
    what: "str | os.PathLike[str] | Mapping[str, Any]", /, *, size: Any = None, **changes: Any
) -> SingleCompartment:
    """A whole cell, by name (``"SquidAxon_HH1952"``), from a TOML file, or from a table of the same form.

    Args:
        what: a registered name; a path ending in ``.toml``; or a mapping.
        size: of the population, if not the model's own.
        changes: parameters other than the model's, with units: ``C=...``, ``**{"INa.g_max": ...}``.

    Raises:
        UnknownName: where no installed pack has the name.
        ModelError: for a table that is not a cell, naming the entry.
        UnitError: for a value with a missing or wrong unit.
    """
    table, where = _table(what)
    built = build(table, where, size=size)
    return built.replace(**changes) if changes else built


def build(table: Mapping[str, Any], where: str, *, size: Any = None) -> SingleCompartment:
    """The cell that `table` describes; `where` names the table in errors."""
    schema = table.get("schema")
    if schema != SCHEMA:
        raise ModelError(f"{where}: schema must be {SCHEMA}, not {schema!r}; a newer channelome may have written it.")
    kind = table.get("kind", "SingleCompartment")
    if kind != "SingleCompartment":
        raise ModelError(f"{where}: kind must be 'SingleCompartment', not {kind!r}.")
    unknown = set(table) - {"schema", "kind", "title", "references", "ions", "channels", *_OWN}
    if unknown:
        raise ModelError(f"{where}: unknown entries {sorted(unknown)}; a cell has ions, channels, {', '.join(_OWN)}.")
    own = {name: table[name] for name in _OWN if name in table and name != "size"}
    ions = [_ion(species, entry, where) for species, entry in _section(table, "ions", where).items()]
    channels = {
        label: channel(*_use(entry, f"{where}: channels.{label}"), **_parameters(entry))
        for label, entry in _section(table, "channels", where).items()
    }
    shape = table.get("size", 1) if size is None else size
    return SingleCompartment(tuple(shape) if isinstance(shape, list) else shape, *ions, **own, **channels)


def _table(what: Any) -> tuple[Mapping[str, Any], str]:
    if isinstance(what, Mapping):
        return what, "the cell's table"
    if isinstance(what, str) and not what.endswith(".toml"):
        path, where = registry.file(what, "cell"), f"the cell '{what}'"
    else:
        path, where = Path(what), str(what)
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8")), where
    except FileNotFoundError:
        raise ModelError(f"there is no file {path}. A cell by name is written without '.toml'.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{where} is not TOML: {error}.") from error


def _section(table: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    section = table.get(name, {})
    if not isinstance(section, Mapping):
        raise ModelError(f"{where}: {name} must be a table, not {section!r}.")
    return section


def _use(entry: Any, where: str) -> tuple[str]:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("use"), str):
        raise ModelError(f"{where} must be a table with use = 'NAME' and parameters {{ value = ..., unit = '...' }}.")
    return (entry["use"],)


def _ion(species: str, entry: Any, where: str) -> Ion:
    built = ion(*_use(entry, f"{where}: ions.{species}"), **_parameters(entry))
    if built.species != species:
        raise ModelError(f"{where}: ions.{species} uses '{entry['use']}', which is the species '{built.species}'.")
    return built


def _parameters(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "use"}
