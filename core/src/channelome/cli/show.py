"""``channelome show NAME``: everything that its manifest says. Imports neither JAX nor the pack."""

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from ..errors import ModelError, PackError
from ..registry import Entry, Registry
from ..registry.document import read_document
from ..registry.schema import check_form
from ..registry.words import printable
from .completion import names
from .listing import facts, kind_of, pack
from .output import as_json, print_json, say, table


@click.command()
@click.argument("name", shell_complete=names())
@as_json
def show(name: str, as_json: bool) -> None:
    """Parameters, gates, equations and references of NAME."""
    from ..registry import registry

    entry = registry.find(name)
    if as_json:
        print_json(_everything(registry, entry))
    else:
        say("\n\n".join(_sections(registry, entry)))


def _everything(registry: Registry, entry: Entry) -> dict[str, Any]:
    return facts(entry) | {
        "aliases": [{"name": a.name, "deprecated_since": a.deprecated_since or None} for a in entry.aliases],
        "versions": _versions(registry, entry),
        "temperature": entry.table.get("temperature"),
        "parameters": entry.table.get("parameters", {}),
        "equations": entry.table.get("equations", ""),
        "notes": entry.table.get("notes", ""),
        "model": _model(entry),
        "references": [{"key": r.key, "role": r.role, "text": r.text, "doi": r.doi or None} for r in entry.references],
    }


def _sections(registry: Registry, entry: Entry) -> Iterator[str]:
    yield f"{entry.name}\n{printable(entry.summary)}".rstrip()
    yield "\n".join(f"{what:<13}{printable(value)}" for what, value in _header(registry, entry).items() if value)
    if parameters := entry.table.get("parameters"):
        rows = [(name, _default(p), p.get("unit", ""), p.get("source", "")) for name, p in parameters.items()]
        yield table(("PARAMETER", "DEFAULT", "UNIT", "SOURCE"), rows)
    if model := _model(entry):
        yield table(("PART", "MECHANISM", "PARAMETERS"), list(_parts(model)))
    if equations := str(entry.table.get("equations", "")).strip():
        yield "equations\n" + textwrap.indent(equations, "    ")
    if entry.references:
        yield "references\n" + "\n".join(
            printable(f"    {r.role}: {r.text}{f' doi:{r.doi}' if r.doi else ''}") for r in entry.references
        )


def _header(registry: Registry, entry: Entry) -> dict[str, str]:
    return {
        "kind": kind_of(entry),
        "pack": pack(entry),
        "version": ", ".join(map(str, _versions(registry, entry))),
        "also called": ", ".join(
            alias.name + (f" (deprecated since {alias.deprecated_since})" if alias.deprecated_since else "")
            for alias in entry.aliases
        ),
        "ion": entry.ion or "",
        "reads": ", ".join(entry.table.get("reads", ())),
        "gates": ", ".join(entry.table.get("gates", ())),
        "temperature": "the cell must have one" if entry.table.get("temperature") else "",
        "notes": str(entry.table.get("notes", "")),
    }


def _versions(registry: Registry, entry: Entry) -> list[int]:
    """All versions that are installed, the newest first."""
    known = {e.version for m in registry.manifests for e in m.entries if (e.name, e.kind) == (entry.name, entry.kind)}
    return sorted(known | {entry.version}, reverse=True)


def _default(parameter: Mapping[str, Any]) -> str:
    default = parameter.get("default", "must be given")
    if isinstance(default, Mapping):
        return f"{default['q10']:g}^((celsius - {default['reference']:g})/10)"
    return default if isinstance(default, str) else f"{default:g}"


def _model(entry: Entry) -> dict[str, Any] | None:
    """The table of a cell or network; None of anything else."""
    if not isinstance(entry.where, Path):
        return None
    try:
        model = read_document(entry.where)
        check_form(model, entry.where.name)
    except ModelError as error:
        raise PackError(f"{entry.distribution}: {error}") from error
    return model


def _parts(model: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    if model.get("kind") != "Network":
        yield from _parts_of_cell(model, "cell", "")
        return
    for label, population in model.get("populations", {}).items():
        yield from _parts_of_cell(population, label, f"{label}.")
    for label, where in model.get("groups", {}).items():
        yield label, where, ""
    for label, projection in model.get("projections", {}).items():
        rule = projection["connect"]
        how = ", ".join([rule["rule"], *(f"{name} = {value}" for name, value in rule.items() if name != "rule")])
        given = {name: projection[name] for name in ("weight", "delay", "initial") if name in projection}
        yield label, f"{projection['pre']} -> {projection['post']}", "; ".join([how, _given(given)])
        for part in ("synapse", "plasticity"):
            if part in projection:
                yield f"{label}.{part}", projection[part]["use"], _given(projection[part])


def _parts_of_cell(table: Mapping[str, Any], label: str, place: str) -> Iterator[tuple[str, str, str]]:
    size = {"size": table["size"]} if "size" in table else {}
    values = [*filter(None, [_given({**table, **size})]), *_shape(table)]
    yield label, str(table.get("use", table.get("kind", "SingleCompartment"))), ", ".join(values)
    for section in ("ions", "channels"):
        for name, part in table.get(section, {}).items():
            where = [f"on {part['on']}"] if "on" in part else []
            yield f"{place}{name}", str(part.get("use", "")), ", ".join([*where, *filter(None, [_given(part)])])


def _shape(table: Mapping[str, Any]) -> Iterator[str]:
    """The shape of a reconstructed cell and how it is cut, in short."""
    shape, cut = table.get("morphology"), table.get("discretise", {})
    if isinstance(shape, Mapping):
        shape = shape.get("swc", shape.get("source", f"{len(shape.get('branches', ()))} branches"))
    if shape is not None:
        yield f"morphology = {shape}"
    for name, value in cut.items():
        yield f"{name} = {'[...]' if isinstance(value, list | Mapping) and 'unit' not in value else _value(value)}"


def _given(part: Mapping[str, Any]) -> str:
    """Sizes and values with a unit, in short."""
    return ", ".join(f"{name} = {_value(value)}" for name, value in part.items() if name == "size" or _has_unit(value))


def _has_unit(value: Any) -> bool:
    return isinstance(value, Mapping) and "unit" in value


def _value(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    if "sample" in value:
        a, b = (number for name, number in value.items() if name not in ("sample", "unit", "seed"))
        return f"{value['sample']}({_number(a)}, {_number(b)}) {value['unit']}"
    return f"{_number(value['value'])} {value['unit']}"


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else "[...]"
