"""Linear equations of formulas, solved by elimination: a LINEAR block that INITIAL solves."""

from collections.abc import Mapping, Sequence

from channelome.formulas import expression as x
from channelome.formulas.expression import Formula
from channelome.formulas.numeric import values

Row = dict[str, Formula]
"""Coefficients by unknown, and under ``""`` what they sum up to."""


def solved(equations: Sequence[Formula], unknowns: Sequence[str], at: Mapping[str, float]) -> dict[str, Formula] | None:
    """The unknowns of which all `equations` are 0; None where they are not linear, or do not say all unknowns.

    Args:
        at: numbers of all other symbols, at which pivots are chosen: the largest of each column.
    """
    rows = [_row(f, unknowns) for f in equations]
    if any(row is None for row in rows) or len(rows) < len(unknowns):
        return None
    left = [row for row in rows if row is not None]
    done: list[tuple[str, Row]] = []
    for name in unknowns:
        sizes = [abs(_number(row[name], at)) if name in row else 0.0 for row in left]
        if not sizes or max(sizes) <= 0:
            return None
        pivot = left.pop(sizes.index(max(sizes)))
        left = [_without(row, pivot, name) for row in left]
        done.append((name, pivot))
    found: dict[str, Formula] = {}
    for name, pivot in reversed(done):
        total = pivot.get("", x.number(0))
        for other, factor in pivot.items():
            if other in found:
                total = x.sub(total, x.mul(factor, found[other]))
        found[name] = x.div(total, pivot[name])
    return found


def _row(f: Formula, unknowns: Sequence[str]) -> Row | None:
    row: Row = {}
    for name in unknowns:
        parts = x.linear(f, name)
        if parts is None or parts[1].symbols & {*unknowns}:
            return None
        f, factor = parts
        if not x.is_number(factor, 0):
            row[name] = factor
    return {**row, "": x.neg(f)}


def _without(row: Row, pivot: Row, name: str) -> Row:
    """A row with a multiple of another taken off, so that an unknown is no more in it."""
    if name not in row:
        return row
    share = x.div(row[name], pivot[name])
    made = {key: factor for key, factor in row.items() if key != name}
    for key, factor in pivot.items():
        if key != name:
            made[key] = x.sub(made.get(key, x.number(0)), x.mul(share, factor))
    return made


def _number(f: Formula, at: Mapping[str, float]) -> float:
    (found,) = values([f], at)
    return float(found)
