"""``channelome cite``: the references of exactly what a model uses. Imports neither JAX nor a pack."""

import click

_FORMATS = ("text", "bibtex", "csl-json")


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="MODEL_OR_NAME...")
@click.option("--format", "style", type=click.Choice(_FORMATS), default="text", show_default=True)
def cite(what: tuple[str, ...], style: str) -> None:
    """References of cells and networks, by name or file, with all that they are made of, and of single mechanisms."""
    from ..registry import registry
    from ..registry.cite import formatted, references

    click.echo(formatted(references(registry, what), style))
