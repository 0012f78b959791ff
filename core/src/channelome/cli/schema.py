"""``channelome schema``: the JSON Schemas of models and manifests, for editors."""

from pathlib import Path

import click

from .output import writable


@click.command()
@click.argument("of", metavar="model|pack", type=click.Choice(("model", "pack")))
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="The file; printed if left out.")
def schema(of: str, out: Path | None) -> None:
    """The JSON Schema of a model file or of a pack's manifest; editors complete and check with it."""
    from ..registry.schema import FOLDER

    text = (FOLDER / f"{of}.schema.json").read_text(encoding="utf-8")
    if out is None:
        click.echo(text, nl=False)
        return
    writable(out)
    out.write_text(text, encoding="utf-8")
    click.echo(f"wrote {out}")
