"""A cell for people to read: parts, parameters with units, and where each part comes from."""

import functools
import html
from typing import Any, NamedTuple

from ..module import Module, show


class Row(NamedTuple):
    """One part of a cell: its label, its class, its parameters and the distribution that it comes from."""

    label: str
    name: str
    parameters: str
    origin: str


def rows(cell: Any) -> list[Row]:
    """The cell's ions and channels, in this order."""
    parts: list[tuple[str, Module]] = [*cell.ions.items(), *cell.channels.items()]
    where = {} if cell.pointwise else dict(cell.regions)
    return [
        Row(
            f"{label} on {where[label]}" if label in where else label,
            type(part).__name__,
            _parameters(part),
            origin(type(part)),
        )
        for label, part in parts
    ]


def text(cell: Any) -> str:
    """The ``repr`` of a cell: a line for itself and one for each part."""
    table = rows(cell)
    widths = [max((len(row[i]) for row in table), default=0) for i in range(3)]
    lines = [
        "  ".join(field.ljust(width) for field, width in zip(row, [*widths, 0], strict=True)).rstrip() for row in table
    ]
    return "\n  ".join([f"{_title(cell)}: {_parameters(cell)}", *lines])


def as_html(cell: Any) -> str:
    """The same as a table for notebooks."""
    head = "".join(f"<th>{field}</th>" for field in ("label", "mechanism", "parameters", "from"))
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(field)}</td>' for field in row)}</tr>" for row in rows(cell))
    caption = html.escape(f"{_title(cell)}: {_parameters(cell)}")
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


@functools.cache
def origin(cls: type) -> str:
    """The distribution and version that a class comes from, ``"local"`` for a script's or notebook's own."""
    import importlib_metadata

    package = cls.__module__.partition(".")[0]
    names = (
        [package.replace("_", "-")]
        if package.startswith("channelome")
        else importlib_metadata.packages_distributions().get(package, [])
    )
    for name in names:
        try:
            return f"{name} {importlib_metadata.version(name)}"
        except importlib_metadata.PackageNotFoundError:
            continue
    return "local"


def _title(cell: Any) -> str:
    if not cell.pointwise:
        cells = f"{'x'.join(map(str, cell.size))} cells" if cell.size else "one cell"
        return f"{type(cell).__name__} of {cells}, {len(cell.compartments)} compartments of {cell.compartments.anatomy.source}"
    count = "x".join(map(str, cell.size))
    return f"{type(cell).__name__} of {count} neuron{'s' if count != '1' else ''}"


def _parameters(part: Module) -> str:
    given = ((name, getattr(part, name), parameter.unit) for name, parameter in type(part).parameters.items())
    return ", ".join(f"{name} = {show(value, unit)}" for name, value, unit in given if value is not None)
