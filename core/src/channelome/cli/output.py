"""What commands print: aligned tables for people, JSON for programs, one line for errors; nothing that a terminal obeys."""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import click

from ..registry.words import printable

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


class Failure(click.ClickException):
    """A mistake in what was asked for: one line on stderr, exit code 2; of a command with ``--json`` an object, ``{"error": ...}``."""

    exit_code = 2

    def __init__(self, message: str, *, as_json: bool = False) -> None:
        super().__init__(message)
        self.as_json = as_json

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line."""
        said = printable(self.format_message())
        line = json.dumps({"error": said}, ensure_ascii=False) if self.as_json else f"error: {said}"
        click.echo(line, file=file, err=file is None)


def say(text: str, *, err: bool = False) -> None:
    """Print lines, of which others may have written a part: control characters are written out."""
    click.echo(printable(text, lines=True), err=err)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, indent: str = "") -> str:
    """Columns aligned on the left under their heads, without lines around; what stands in a field stays in its line."""
    grid = [tuple(head), *(tuple(map(printable, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    return "\n".join(
        indent + "  ".join(field.ljust(width) for field, width in zip(row, widths, strict=True)).rstrip()
        for row in grid
    )


def print_json(value: Any) -> None:
    """`value` as indented JSON, in which no character is left to a terminal."""
    click.echo(safe_json(json.dumps(value, indent=2, ensure_ascii=False)))


def safe_json(text: str) -> str:
    """JSON that means the same, with characters that have no shape written as ``\\u001b``."""
    return re.sub(r"[^\n]", lambda c: c[0] if c[0].isprintable() else _escaped(c[0]), text)


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"


def writable(path: Path | None) -> None:
    """Stop before the work is done if a file cannot be written: no folder, or no leave to write there."""
    if path is None:
        return
    folder = path.absolute().parent
    if not folder.is_dir():
        raise Failure(f"there is no folder {path.parent} to write {path.name} to.")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise Failure(f"{path} cannot be written: there is no leave to.")


def use_agg() -> None:
    """Let matplotlib draw into files, without a display."""
    try:
        import matplotlib
    except ImportError as error:
        raise Failure('plotting needs matplotlib: pip install "channelome[plot]".') from error
    matplotlib.use("Agg")


def picture(path: Path | None) -> None:
    """Stop before the work is done if a picture cannot be drawn into this file; let matplotlib draw without a display."""
    if path is None:
        return
    writable(path)
    use_agg()
    from matplotlib.backend_bases import FigureCanvasBase

    known = sorted(FigureCanvasBase.get_supported_filetypes())
    if path.suffix[1:].lower() not in known:
        raise Failure(f"{path}: pictures are {', '.join(known)}, not '{path.suffix}'. Name it {path.stem}.png.")
