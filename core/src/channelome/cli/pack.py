"""``channelome pack sync``: keep a pack's manifest in line with its classes."""

import contextlib
import tomllib
from pathlib import Path
from typing import Any

import click

from .output import Failure

_GROUP = "channelome.packs"


@click.group()
def pack() -> None:
    """For authors of packs."""


@pack.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 if a manifest is out of line.")
@click.pass_context
def sync(ctx: click.Context, folder: Path, check: bool) -> None:
    """Write what the classes of the pack in FOLDER say of themselves into its manifests.

    FOLDER holds the pack's pyproject.toml; a manifest itself will do too. The classes are those that lie beside the manifest,
    whatever is installed.
    """
    from ..registry.sync import sync as bring_in_line
    from ..scaffold.channel import importable

    stale = False
    for manifest in _manifests(folder):
        here = manifest.resolve().parent
        with contextlib.nullcontext() if here.name == "channelome" else importable(here):
            in_line = bring_in_line(here / manifest.name, check=check)
        stale = stale or not in_line
        said = "is in line" if in_line else "is out of line" if check else "written"
        click.echo(f"{manifest.parent.name}/{manifest.name} {said}")
    if check and stale:
        click.echo(f"run `channelome pack sync {folder}`.", err=True)
        ctx.exit(1)


def _manifests(folder: Path) -> list[Path]:
    """The manifests that a pack's entry points name."""
    if folder.is_file():
        return [folder]
    project = folder / "pyproject.toml"
    if not project.is_file():
        raise Failure(f"{folder} has no pyproject.toml: name the folder of a pack, or its pack.toml.")
    try:
        table: dict[str, Any] = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {})
    except tomllib.TOMLDecodeError as error:
        raise Failure(f"{project} is not TOML: {error}.") from error
    points = table.get("entry-points", {}).get(_GROUP, {})
    files = [value.partition(":")[::2] for value in points.values()] or [(str(table.get("name")), "pack.toml")]
    found = [_located(folder, package, file) for package, file in files]
    return list(dict.fromkeys(found))


def _located(folder: Path, package: str, file: str) -> Path:
    for place in (folder / "src" / package / file, folder / package / file):
        if place.is_file():
            return place
    raise Failure(
        f"{folder}/pyproject.toml names the manifest {package}/{file}, which is neither there nor under src/."
    )
