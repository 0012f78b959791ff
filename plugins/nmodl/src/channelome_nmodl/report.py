"""What is said of a file that was imported, or was not: lines for a terminal, a table for a browser."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from channelome.errors import ChannelomeError

from .compare import Comparison, compare
from .load import Imported, load
from .text import NmodlError, title

TOLERANCE = 1e-6
"""Of the largest current: what counts as equal to NEURON."""
_OTHER = ("is not a channel", "is not a mechanism", "has no BREAKPOINT", "is a pool or pump", "writes no current")


@dataclass
class Result:
    """What came of one file.

    Attributes:
        refusal: why it is no channel here; empty where it is.
        comparison: with NEURON, if asked; `trouble` where NEURON could not.
        checks: what the kit found.
    """

    path: Path
    imported: Imported | None = None
    refusal: str = ""
    comparison: Comparison | None = None
    trouble: str = ""
    checks: list[str] = field(default_factory=list[str])

    @property
    def is_channel(self) -> bool:
        """Whether the file is a channel at all, to NEURON."""
        return self.imported is not None or not any(word in self.refusal for word in _OTHER)

    @property
    def differs(self) -> bool:
        return self.comparison is not None and not self.comparison.relative <= TOLERANCE

    @property
    def failed(self) -> bool:
        return self.imported is None or self.differs


def looked_at(path: Path, *, python: str = "", check: bool = False) -> Result:
    """Import a file, and compare and check it if asked.

    Args:
        python: an interpreter that has NEURON; not compared if empty.
        check: whether the kit looks at it.
    """
    result = Result(path)
    try:
        result.imported = load(path)
    except NmodlError as error:
        result.refusal = str(error)
        return result
    if python:
        try:
            result.comparison = compare(result.imported, path, python)
        except ChannelomeError as error:
            result.trouble = str(error)
    if check:
        from channelome.testing import check_channel

        report = check_channel(result.imported.cls)
        result.checks = [f"{found.check}: {found.message}" for found in report.findings if found.status == "failed"]
    return result


def told(result: Result) -> str:
    """All that is known of a file, in lines."""
    if result.imported is None:
        return f"{result.refusal}"
    return "\n".join(_told(result, result.imported))


def _told(result: Result, imported: Imported) -> Iterator[str]:
    plan, meaning, cls = imported.plan, imported.plan.meaning, imported.cls
    said = title(imported.source)
    yield f"{meaning.name}: {plan.base.__name__}, from {result.path.name}{f': {said}' if said else ''}"
    carried = ", ".join(cls.carries) or "no ion; it has its own E"
    reads = f"; reads {', '.join(cls.reads)}" if cls.reads else ""
    yield f"  carried by {carried}{reads}{'; needs a temperature' if cls.needs_celsius else ''}"
    states = [*cls.gates, *cls.occupancies, *cls.variables]
    yield f"  states: {', '.join(states) or 'none'}"
    yield "  parameters:"
    for one in plan.fields:
        unit = "" if one.unit.symbol == "1" else f" {one.unit.symbol}"
        renamed = "" if one.name == one.quantity.name else f", {one.quantity.name} in the file"
        yield f"    {one.name} = {one.default:g}{unit} (line {one.quantity.line}{renamed}{'; ' + one.quantity.note if one.quantity.note else ''})"
    for note in meaning.notes:
        yield f"  note: {note}"
    for finding in meaning.findings:
        yield f"  found in the file: {finding}"
    for found in result.checks:
        yield f"  the kit: {found}"
    if result.comparison is not None:
        yield f"  {'differs from' if result.differs else 'equal to'} {result.comparison}"
    if result.trouble:
        yield f"  not compared: {result.trouble}"


def line_of(result: Result) -> str:
    """A file in one line."""
    if result.imported is None:
        return f"{'refused' if result.is_channel else 'other  '}  {result.refusal}"
    plan = result.imported.plan
    beside = f"  {result.comparison.relative:.1e} from NEURON" if result.comparison else ""
    trouble = f"  not compared: {result.trouble}" if result.trouble else ""
    return f"{'DIFFERS' if result.differs else 'ok     '}  {result.path.name}: {plan.meaning.name}, {plan.base.__name__}{beside}{trouble}"


def html(results: list[Result]) -> str:
    """A page with a row for each file. What stands in a file is escaped."""
    rows = "\n".join(_row(result) for result in results)
    good = sum(result.imported is not None for result in results)
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Imported channels</title>\n"
        "<style>body{font:14px sans-serif;margin:2em}td,th{border:1px solid #ccc;padding:4px;text-align:left;vertical-align:top}"
        "table{border-collapse:collapse}.no{background:#fee}.yes{background:#efe}</style>\n"
        f"<h1>Imported channels</h1><p>{good} of {len(results)} files.</p>\n"
        "<table><tr><th>file<th>mechanism<th>kind<th>states<th>beside NEURON<th>notes</tr>\n"
        f"{rows}\n</table></html>\n"
    )


def _row(result: Result) -> str:
    if result.imported is None:
        kind = "refused" if result.is_channel else "no channel"
        return f"<tr class='no'><td>{escape(result.path.name)}<td><td>{kind}<td><td><td>{escape(result.refusal)}</tr>"
    plan, cls = result.imported.plan, result.imported.cls
    beside = f"{result.comparison.relative:.1e}" if result.comparison else escape(result.trouble)
    notes = "<br>".join(map(escape, (*plan.meaning.notes, *plan.meaning.findings, *result.checks)))
    states = escape(", ".join((*cls.gates, *cls.occupancies, *cls.variables)))
    colour = "no" if result.differs else "yes"
    name, kind = escape(plan.meaning.name), plan.base.__name__
    return f"<tr class='{colour}'><td>{escape(result.path.name)}<td>{name}<td>{kind}<td>{states}<td>{beside}<td>{notes}</tr>"
