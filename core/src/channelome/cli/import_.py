"""``channelome import``: what a file of another format is, what was read and what was not, how it compares; a pack of a folder."""

import sys
from pathlib import Path
from typing import Any

import click

from .output import Failure, say

_PATH = click.Path(exists=True, path_type=Path)


@click.command("import")
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=_PATH)
@click.option(
    "--compare",
    "with_neuron",
    is_flag=True,
    help="Compare each with the simulator that its format is of: NEURON, which compiles .mod, or the jLEMS of jNeuroML.",
)
@click.option(
    "--check", "with_kit", is_flag=True, help="Put each, or the whole pack, through the checks that packs pass."
)
@click.option(
    "--python",
    default=sys.executable,
    metavar="PYTHON",
    help="An interpreter that has NEURON, or pyNeuroML; this one if left out.",
)
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="An HTML file to write the table to.")
@click.option(
    "--pack",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of a pack to put all into; made if --family is said.",
)
@click.option("--family", default="", help="Of that pack, after author and year: Smith2020.")
@click.option("--license", "licence", default="", help="Of a pack that is made, as SPDX identifier.")
@click.option("--source", default="", help="Where the equations are from: a paper's citation with its DOI.")
@click.pass_context
def import_(
    ctx: click.Context,
    paths: tuple[Path, ...],
    with_neuron: bool,
    with_kit: bool,
    python: str,
    report: Path | None,
    pack: Path | None,
    family: str,
    licence: str,
    source: str,
) -> None:
    """Read FILE, which a plugin knows, as NEURON's .mod or NeuroML, or a folder of them, and say what it is: a channel, an ion, a synapse.

    With --pack all that can be imported, and does not differ where it was compared, becomes classes of a pack, with golden data
    and a reference to each file. Exit code 1 where a file that was named cannot be imported, or differs.
    """
    from ..scaffold.looked import counted, html, line_of

    files = sorted(dict.fromkeys(file for path in paths for file in _files(path)))
    if not files:
        raise Failure(f"{', '.join(map(str, paths))} holds no file that is read here.")
    results = list[Any]()
    for file in files:
        found = _look(file)(file, python=python if with_neuron else "", check=with_kit and pack is None)
        results += found
        alone = len(files) == 1 and len(found) == 1
        for one in found:
            say((one.refusal or one.told) if alone else line_of(one))
    if len(results) != 1:
        good, others = (sum(map(test, results)) for test in (lambda one: not one.refusal, lambda one: one.is_other))
        say(
            f"{good} of {len(results)} {counted(results)} are imported; {others} are something else, {len(results) - good - others} are refused."
        )
    failed = pack is not None and not _packed(results, pack, family, licence, source, with_kit)
    if report is not None:
        report.write_text(html(results), encoding="utf-8")
        say(f"wrote {report}")
    named = {path for path in paths if path.is_file()}
    ctx.exit(1 if failed or any(one.failed for one in results if one.path in named or one.is_different) else 0)


def _packed(results: list[Any], folder: Path, family: str, licence: str, source: str, with_kit: bool) -> bool:
    """Put what was imported into a pack, and check it if asked; whether it conforms, then."""
    from ..scaffold.imported import put
    from ..scaffold.looked import counted
    from ..scaffold.request import family as checked
    from ..scaffold.request import licence as spdx

    fit = [one for one in results if not one.failed]
    if family and not (folder / "pyproject.toml").is_file():
        family, licence = checked(family), spdx(licence or "Apache-2.0")
    made = put(fit, folder, family=family, licence=licence, source=source)
    say(
        f"{'made' if made.is_new else 'changed'} the pack in {folder}: {len(made.names)} {counted(fit)} became {', '.join(made.names)}"
    )
    say("left to do: the paper's reference and DOI in pack.toml; see that the licence of each file allows this")
    if not with_kit:
        say(f"next: `channelome check {folder}`")
        return True
    from ..testing import check_pack

    found = check_pack(folder)
    say(str(found))
    return found.ok


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    from ..registry.hooks import suffixes

    known = suffixes("channelome_imports")
    return [file for file in path.rglob("*") if file.suffix.lower() in known and file.is_file()]


def _look(file: Path) -> Any:
    from ..registry.hooks import importer

    found = importer(file.suffix.lower(), hook="channelome_imports") if file.suffix else None
    if found is None:
        raise Failure(
            f"no installed plugin reads '{file.suffix}' files, such as {file}: channelome-nmodl reads .mod, channelome-neuroml .nml."
        )
    return found
