"""``channelome check``: whether a pack, or one name of it, does what every pack must."""

from typing import Any

import click

from ..errors import UnknownName
from .output import as_json


@click.command()
@click.argument("what", metavar="PACK")
@click.option("--level", type=click.Choice(["quick", "default", "full"]), default="default", show_default=True)
@as_json
@click.pass_context
def check(ctx: click.Context, what: str, level: Any, as_json: bool) -> None:
    """Check PACK, an installed distribution or family, the folder of a pack, or a wheel. Exit code 1 if anything fails.

    The name of one thing, such as INa_TM1991, is checked alone. Failures come with a hint of how to repair them.
    """
    from ..registry import registry
    from ..testing.conformance import check_one, check_pack

    try:
        report = check_one(what, level=level) if what in registry else check_pack(what, level=level)
    except UnknownName as error:
        raise click.UsageError(f"{error} A folder needs a pyproject.toml, a wheel ends with .whl.") from error
    click.echo(report.to_json() if as_json else str(report))
    ctx.exit(0 if report.ok else 1)
