"""Traces for people to read: a line or a row of a table for each record."""

import html
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

Row = tuple[str, str, str, str]
"""Of a record its name, unit, shape and range."""


def row(name: str, unit: str, values: Any) -> Row:
    return name, unit, str(np.shape(values)), _range(values)


def text(title: str, rows: Sequence[Row]) -> str:
    """The ``repr``."""
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    lines = [" ".join(f"{cell:<{n}} " for cell, n in zip(row, [*widths, 0], strict=True)).rstrip() for row in rows]
    return "\n  ".join([title, *lines])


def as_html(title: str, rows: Sequence[Row]) -> str:
    """The same for notebooks."""
    head = "".join(f"<th>{cell}</th>" for cell in ("record", "unit", "shape", "range"))
    cells = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return f"<p>{html.escape(title)}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def is_concrete(values: Any) -> bool:
    """Whether they are numbers, and not traced by JAX."""
    return isinstance(values, np.ndarray | jax.Array) and not isinstance(values, Tracer)


def _range(values: Any) -> str:
    if not is_concrete(values) or values.size == 0:
        return ""
    low, high = float(values.min()), float(values.max())
    return f"{low:.4g} to {high:.4g}" if low == low else "holds NaN"
