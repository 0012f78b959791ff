"""``channelome doctor``: what is wrong with installed packs and plugins, and the way out."""

import click

from ..registry.words import printable
from .output import as_json, print_json


@click.command()
@as_json
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Import every installed pack and plugin and name what is wrong. Exit code 1 if anything is."""
    from ..registry import hooks, registry

    ours = getattr(ctx.find_root().command, "commands", ())
    problems = [*registry.diagnose(), *hooks.diagnose(our_commands=ours)]
    if as_json:
        found = [{"distribution": p.distribution, "what": p.what, "remedy": p.remedy} for p in problems]
        print_json({"names": len(registry), "families": registry.families, "problems": found})
    else:
        for problem in problems:
            click.echo(f"problem: {printable(problem)}")
        checked = f"{len(registry)} names of core and {len(registry.families)} families checked"
        click.echo(f"{checked}: {_count(len(problems))}.")
    ctx.exit(1 if problems else 0)


def _count(problems: int) -> str:
    return "no problems" if not problems else f"{problems} problem{'s' if problems > 1 else ''}"
