"""``channelome check``: whether a pack, or one name of it, does what every pack must."""

from typing import Any

import click

from ..errors import UnknownName
from .completion import names
from .output import as_json, print_json, say


@click.command()
@click.argument("packs", metavar="PACK...", nargs=-1, required=True, shell_complete=names())
@click.option("--level", type=click.Choice(["quick", "default", "full"]), default="default", show_default=True)
@as_json
@click.pass_context
def check(ctx: click.Context, packs: tuple[str, ...], level: Any, as_json: bool) -> None:
    """Check PACK, an installed distribution or family, the folder of a pack, or a wheel. Exit code 1 if anything fails.

    This runs the pack's code, as does installing or using it: check what you would install.

    The name of one thing, such as INa_TM1991, is checked alone. Failures come with a hint of how to repair them. As JSON
    it is an object, or a list of them where several packs are named.
    """
    from ..registry import registry
    from ..testing.conformance import check_one, check_pack

    reports: list[Any] = []
    for what in packs:
        try:
            report = check_one(what, level=level) if what in registry else check_pack(what, level=level)
        except UnknownName as error:
            raise click.UsageError(f"{error} A folder needs a pyproject.toml, a wheel ends with .whl.") from error
        reports.append(report)
        if not as_json:
            say(str(report))
    if as_json:
        data = [report.to_data() for report in reports]
        print_json(data[0] if len(data) == 1 else data)
    ctx.exit(0 if all(report.ok for report in reports) else 1)
