"""``channelome cite``: the references of exactly what a model uses. Imports neither JAX nor a pack."""

import click

from .completion import names
from .output import safe_json, say

_FORMATS = ("text", "bibtex", "csl-json")


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="MODEL_OR_NAME...", shell_complete=names())
@click.option("--format", "style", type=click.Choice(_FORMATS), default="text", show_default=True)
def cite(what: tuple[str, ...], style: str) -> None:
    """References of cells and networks, by name or file, with all that they are made of, and of single mechanisms."""
    from ..registry import registry
    from ..registry.cite import formatted, origins, references

    found = references(registry, what)
    if not found:
        said = f"no reference: {', '.join(origins(registry, what))}"
        say(said, err=style != "text")  # a file of another form holds what its form is
    if found or style == "csl-json":
        text = formatted(found, style)
        say(safe_json(text) if style == "csl-json" else text)
