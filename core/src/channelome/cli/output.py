"""What commands print: aligned tables for people, JSON for programs, one line for errors."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import click

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


class Failure(click.ClickException):
    """A mistake in what was asked for: one line on stderr, exit code 2."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line."""
        click.echo(f"error: {self.format_message()}", file=file, err=file is None)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, indent: str = "") -> str:
    """Columns aligned on the left under their heads, without lines around."""
    grid = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    return "\n".join(
        indent + "  ".join(field.ljust(width) for field, width in zip(row, widths, strict=True)).rstrip()
        for row in grid
    )


def print_json(value: Any) -> None:
    """`value` as indented JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def writable(path: Path | None) -> None:
    """Stop before the work is done if the folder of a file to write is not there."""
    if path is not None and not path.absolute().parent.is_dir():
        raise Failure(f"there is no folder {path.parent} to write {path.name} to.")


def use_agg() -> None:
    """Let matplotlib draw into files, without a display."""
    try:
        import matplotlib
    except ImportError as error:
        raise Failure('plotting needs matplotlib: pip install "channelome[plot]".') from error
    matplotlib.use("Agg")
