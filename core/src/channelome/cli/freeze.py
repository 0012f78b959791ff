"""``channelome freeze``: the versions to install to get the same numbers again. Imports neither JAX nor a pack."""

import click

from .completion import names
from .output import say


@click.command()
@click.argument("model", required=False, shell_complete=names("cell", "network"))
def freeze(model: str | None) -> None:
    """Lines for a requirements file: the packs of MODEL, a name or a file, or all that are installed.

    For a file that was saved by channelome they are the versions that it was saved with.
    """
    from ..registry import registry
    from ..registry.provenance import pins_of

    say("\n".join(pins_of(registry, model)))
