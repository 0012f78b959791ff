"""``channelome new``: a pack, or a channel in one, that can be checked, built and installed as it is made."""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from .output import Failure

_FOLDER = click.Path(file_okay=False, path_type=Path)
_SOURCE = "Where the equations are from: a paper's citation with its DOI, or 'own work'"
_PORTED = "Code that they were ported from, with its licence"


class _Gates(click.Command):
    """A command whose ``--gates`` takes all words up to the next option: ``--gates m^3 h --ion na``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments with the words of ``--gates`` as one."""
        if "--gates" in args:
            first = args.index("--gates") + 1
            last = next((n for n in range(first, len(args)) if args[n].startswith("-")), len(args))
            args = [*args[:first], " ".join(args[first:last]), *args[last:]]
        return super().parse_args(ctx, args)


@click.group()
def new() -> None:
    """Make a pack, or a channel in one."""


def _origin_options(command: Any) -> Any:
    for option in (
        click.option("-y", "--yes", is_flag=True, help="Ask nothing: take what is proposed where no option says."),
        click.option("--ported-from", help=f"{_PORTED}; 'no' if they were not."),
        click.option("--doi", default="", help="Of that paper, if it is not in the citation."),
        click.option("--source", help=f"{_SOURCE}."),
    ):
        command = option(command)
    return command


@new.command(cls=_Gates)
@click.argument("name")
@click.option("--channel", help="Its first channel; INa_NAME if left out.")
@click.option("--gates", default="m^3 h", show_default=True, help="With their powers.")
@click.option("--ion", default="na", show_default=True, help="na, k, ca, cl, mg, h; none for a current with its own E.")
@click.option("--license", "licence", help="SPDX identifier: Apache-2.0, MIT, BSD-3-Clause, ...")
@_origin_options
@click.option("--author", default="", help="For the metadata.")
@click.option("--folder", type=_FOLDER, help="To make; channelome-<name> if left out.")
def pack(
    name: str,
    channel: str | None,
    gates: str,
    ion: str,
    licence: str | None,
    source: str | None,
    doi: str,
    ported_from: str | None,
    yes: bool,
    author: str,
    folder: Path | None,
) -> None:
    """Make the pack of a new family NAME, named after author and year: Smith2020.

    It is complete: metadata, manifest, one channel with placeholder kinetics, tests, workflows that check and publish it.
    What is not said by an option is asked for.
    """
    from ..scaffold import new_pack
    from ..scaffold.request import family, origin, outline
    from ..scaffold.request import licence as spdx

    name = family(name)
    sketch = outline(channel or f"INa_{name}", [gates], ion)
    if sketch.family != name:
        raise Failure(f"'{sketch.name}' is not of the family '{name}': call it {sketch.current}_{name}.")
    _can_ask(yes, {"--license": licence, "--source": source, "--ported-from": ported_from})
    licence = _answer(spdx, licence, yes, "Licence of the pack, as SPDX identifier", "Apache-2.0")
    source = _answer(str, source, yes, _SOURCE, "own work")
    ported_from = _answer(str, ported_from, yes, _PORTED, "no")
    whence = origin(source, doi, ported_from)
    made, files = new_pack(sketch, whence, licence, author=author.strip(), folder=folder)
    click.echo(f"made {made}: {len(files)} files, with the channel {sketch.name}")
    _say_what_is_left(made, next(str(made / file) for file in files if file.stem == sketch.module), sketch)
    if not (made / "LICENSE").exists():
        click.echo(f"  - put the text of the licence {licence} into {made / 'LICENSE'}")
    if whence.ported_from:
        click.echo(f"  - see that the licence of what was ported, {whence.ported_from}, allows {licence}")
    click.echo(f"next: pip install -e {made} && channelome check {sketch.family}")


@new.command(cls=_Gates)
@click.argument("name")
@click.option("--gates", default="", help="With their powers: m^3 h.")
@click.option("--ion", default="", help="na, k, ca, cl, mg, h; none for a current with its own E.")
@click.option(
    "--from",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that a plugin reads, such as NEURON's .mod: its equations in place of placeholders.",
)
@click.option("--pack", "folder", type=_FOLDER, default=".", show_default=True, help="The pack's folder.")
@_origin_options
def channel(
    name: str,
    gates: str,
    ion: str,
    file: Path | None,
    folder: Path,
    source: str | None,
    doi: str,
    ported_from: str | None,
    yes: bool,
) -> None:
    """Make the channel NAME, <current>_<FAMILY>, in the pack of that family.

    Where its equations are from is asked for; the key of a reference in the pack's manifest will do.
    """
    from ..scaffold import new_channel
    from ..scaffold.channel import find_place
    from ..scaffold.request import origin, outline

    if file is None and not (gates and ion):
        raise Failure("say --gates and --ion, or --from FILE, whose equations are taken.")
    sketch = outline(name, [gates or "m"], ion or "none")
    find_place(folder, sketch.family)
    written = None if file is None else _written(file, name)
    _can_ask(yes, {"--source": source, "--ported-from": ported_from})
    source = _answer(str, source, yes, f"{_SOURCE}, or the key of a reference", sketch.family)
    ported_from = _answer(str, ported_from, yes, _PORTED, "no" if file is None else _digest(file))
    files = new_channel(sketch, folder, origin(source, doi, ported_from), written)
    if file is not None:
        click.echo(f"made {files[0]} of {file}, and brought {', '.join(path.name for path in files[1:])} in line")
        click.echo(
            f"left to do: the paper's reference and DOI in pack.toml; see that the licence of {file.name} allows this;"
        )
        if written is not None and written.golden:
            click.echo(
                f"  see tests/golden.json, which was made from the formulas of {file.name}; `channelome import --compare` asks NEURON"
            )
        return
    click.echo(f"made {files[0]}, and brought {', '.join(path.name for path in files[1:])} in line")
    _say_what_is_left(folder, str(files[0]), sketch)


def _written(file: Path, name: str) -> Any:
    """The module with the mechanism of a file of another format, by the plugin that reads it."""
    from ..registry.hooks import importer
    from ..scaffold import Written

    write = importer(file.suffix.lower(), hook="channelome_writers")
    if write is None:
        raise Failure(
            f"no installed plugin writes channels of '{file.suffix}' files; channelome-nmodl does of .mod files, channelome-neuroml of .nml."
        )
    made = write(file, name)
    return made if isinstance(made, Written) else Written(str(made))


def _digest(file: Path) -> str:
    """What stands for a file that equations were taken from."""
    return f"{file.name}, SHA-256 {hashlib.sha256(file.read_bytes()).hexdigest()}, licence not stated"


def _can_ask(yes: bool, needed: dict[str, str | None]) -> None:
    """Stop where something must be asked for and there is no one to answer."""
    missing = [option for option, value in needed.items() if value is None]
    if missing and not yes and not interactive():
        raise Failure(f"there is no terminal to ask at: say {', '.join(missing)}, or --yes to take what is proposed.")


def interactive() -> bool:
    """Whether someone can answer."""
    return sys.stdin.isatty()


def _answer(checked: Callable[[str], str], given: str | None, yes: bool, question: str, proposed: str) -> str:
    """What an option gave, or the answer to a question."""
    return checked(given if given is not None else proposed if yes else click.prompt(question, default=proposed))


def _say_what_is_left(folder: Path, file: str, sketch: Any) -> None:
    """Draw the curves, and name what a person has to do."""
    from ..scaffold import draw_curves

    curves = folder / "curves" / f"{sketch.name}.png"
    drawn = draw_curves(sketch, folder)
    click.echo("left to do; `channelome check` lists what is still a placeholder:")
    click.echo(f"  - write the equations of the source into {file}, then `channelome pack sync {folder}`")
    if curves.parent.is_dir():
        again = "draw the curves again" if drawn else "draw its curves"
        click.echo(f"  - {again}: `channelome plot {sketch.name} -o {curves}`")
