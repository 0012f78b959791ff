"""``channelome import``: what a .mod file is, what was read and what was not, and how it compares with NEURON."""

import sys
from pathlib import Path
from typing import Any

import click

from channelome.cli.output import Failure, say

_PATH = click.Path(exists=True, path_type=Path)


@click.command("import")
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=_PATH)
@click.option(
    "--compare", "with_neuron", is_flag=True, help="Compile each with NEURON, and compare currents under voltage clamp."
)
@click.option("--check", "with_kit", is_flag=True, help="Put each through the checks that packs pass.")
@click.option(
    "--python", default=sys.executable, metavar="PYTHON", help="An interpreter that has NEURON; this one if left out."
)
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="An HTML file to write the table to.")
@click.pass_context
def import_(
    ctx: click.Context, paths: tuple[Path, ...], with_neuron: bool, with_kit: bool, python: str, report: Path | None
) -> None:
    """Read FILE, a .mod file of NEURON or a folder of them, and say what it is as a channel.

    Nothing is installed or written but the report: `channelome new channel NAME --from FILE` writes a class of one. Exit code 1 where
    a file that was named cannot be imported, or differs from NEURON.
    """
    from .report import html, line_of, looked_at, told

    files = sorted(dict.fromkeys(file for path in paths for file in _files(path)))
    if not files:
        raise Failure(f"{', '.join(map(str, paths))} holds no .mod file.")
    alone, results = len(files) == 1, list[Any]()
    for file in files:
        result = looked_at(file, python=python if with_neuron else "", check=with_kit)
        results.append(result)
        say(told(result) if alone else line_of(result))
    if not alone:
        good = sum(bool(result.parts) for result in results)
        others = sum(not result.parts and not result.is_density for result in results)
        say(
            f"{good} of {len(results)} files are channels here; {others} are something else, {len(results) - good - others} are refused."
        )
    if report is not None:
        report.write_text(html(results), encoding="utf-8")
        say(f"wrote {report}")
    named = {path for path in paths if path.is_file()}
    ctx.exit(1 if any(result.failed for result in results if result.path in named or result.differs) else 0)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return [file for file in path.rglob("*") if file.suffix.lower() == ".mod" and file.is_file()]
