"""What came of a file of another format that `channelome import` looked at: lines for a terminal, a table for a browser."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape as html_escape
from pathlib import Path

from .channel import Written


@dataclass
class Looked:
    """A mechanism of a file, or why there is none.

    Attributes:
        name: what the file calls it.
        kind: of its classes, in words: ``"Ohmic and Pool"``; empty where it is refused.
        states: of these.
        told: all that is known of it, in lines.
        refusal: why it is nothing here; empty where it is something.
        is_other: whether what is refused is no mechanism of a membrane at all.
        difference: from another simulator, of the largest number; None if it was not asked.
        is_different: whether that is more than it may be.
        trouble: why it could not be compared.
        oracle: the other simulator.
        notes: what was read otherwise than it stands there, and what is wrong with it.
        base: what its class in a pack is called before the family, ``"IKv"``.
        ion: that its channel is carried by.
        named: what all its classes are called, if the first has a given name.
        write: the module with its classes, the first under a given name; None where a pack cannot hold it.
        packed: the name of its class in a pack that it was put into.
    """

    path: Path
    name: str = ""
    kind: str = ""
    states: tuple[str, ...] = ()
    told: str = ""
    refusal: str = ""
    is_other: bool = False
    difference: float | None = None
    is_different: bool = False
    trouble: str = ""
    oracle: str = "NEURON"
    notes: tuple[str, ...] = ()
    base: str = ""
    ion: str = ""
    named: Callable[[str], tuple[str, ...]] = field(default=lambda name: (name,), repr=False)
    write: Callable[[str], Written] | None = field(default=None, repr=False)
    packed: str = ""

    @property
    def failed(self) -> bool:
        return bool(self.refusal) or self.is_different


def line_of(one: Looked) -> str:
    """A mechanism in one line."""
    if one.refusal:
        return f"{'other  ' if one.is_other else 'refused'}  {one.refusal}"
    beside = f"  {one.difference:.1e} from {one.oracle}" if one.difference is not None else ""
    trouble = f"  not compared: {one.trouble}" if one.trouble else ""
    return f"{'DIFFERS' if one.is_different else 'ok     '}  {one.path.name}: {one.name}, {one.kind}{beside}{trouble}"


def html(results: Sequence[Looked]) -> str:
    """A page with a row for each mechanism. What stands in a file is escaped."""
    rows = "\n".join(map(_row, results))
    good = sum(not one.refusal for one in results)
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Imported mechanisms</title>\n"
        "<style>body{font:14px sans-serif;margin:2em}td,th{border:1px solid #ccc;padding:4px;text-align:left;vertical-align:top}"
        "table{border-collapse:collapse}.no{background:#fee}.yes{background:#efe}</style>\n"
        f"<h1>Imported mechanisms</h1><p>{good} of {len(results)} {counted(results)}.</p>\n"
        "<table><tr><th>file<th>mechanism<th>in the pack<th>kind<th>states<th>beside another simulator<th>notes</tr>\n"
        f"{rows}\n</table></html>\n"
    )


def counted(results: Sequence[Looked]) -> str:
    """What there are so many of."""
    return "files" if len({one.path for one in results}) == len(results) else "mechanisms"


def escape(text: str) -> str:
    """Text of a file in HTML; what cannot be printed is written out."""
    return html_escape("".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text))


def _row(one: Looked) -> str:
    if one.refusal:
        kind = "nothing here" if one.is_other else "refused"
        return f"<tr class='no'><td>{escape(one.path.name)}<td>{escape(one.name)}<td><td>{kind}<td><td><td>{escape(one.refusal)}</tr>"
    beside = f"{one.difference:.1e} from {one.oracle}" if one.difference is not None else escape(one.trouble)
    cells = [one.path.name, one.name, one.packed, one.kind, ", ".join(one.states)]
    row = "".join(f"<td>{escape(cell)}" for cell in cells)
    notes = "<br>".join(map(escape, one.notes))
    return f"<tr class='{'no' if one.is_different else 'yes'}'>{row}<td>{beside}<td>{notes}</tr>"
