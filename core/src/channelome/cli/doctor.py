"""``channelome doctor``: what is wrong with installed packs and plugins, and the way out."""

from collections.abc import Callable, Iterator
from typing import Any

import click

from ..registry import Problem, Registry
from ..registry.words import described, printable
from .output import as_json, print_json


@click.command()
@click.option(
    "--deep", is_flag=True, help="Also build every cell and network, and hold manifests beside all of the code."
)
@as_json
@click.pass_context
def doctor(ctx: click.Context, deep: bool, as_json: bool) -> None:
    """Import every installed pack and plugin, hold it beside its manifest, and name what is wrong. Exit code 1 if anything is."""
    from ..registry import hooks, registry

    ours = getattr(ctx.find_root().command, "commands", ())
    problems = [*registry.diagnose(), *hooks.diagnose(our_commands=ours)]
    if deep:
        problems += _deeper(registry, {problem.distribution for problem in problems})
    if as_json:
        found = [{"distribution": p.distribution, "what": p.what, "remedy": p.remedy} for p in problems]
        print_json({"names": len(registry), "families": registry.families, "problems": found})
    else:
        for problem in problems:
            click.echo(f"problem: {printable(problem)}")
        checked = f"{len(registry)} names of core and {len(registry.families)} families checked"
        click.echo(f"{checked}: {_count(len(problems))}.")
    ctx.exit(1 if problems else 0)


def _deeper(registry: Registry, known: set[str]) -> Iterator[Problem]:
    """What only building finds, and manifests that lack or reword what there is, of packs that nothing was wrong with so far."""
    from ..models import cell, network
    from ..registry.sync import sync

    for manifest in registry.manifests:
        if manifest.distribution in known:
            continue
        looks = {f"'{e.name}' cannot be built": (cell if e.kind == "cell" else network, e.name)
                 for e in registry.entries(family=manifest.family) if e.kind in ("cell", "network")}  # fmt: skip
        for said, (build, name) in looks.items():
            if cause := _cause(lambda build=build, name=name: build(name)):
                yield Problem(manifest.distribution, f"{said}: {cause}", "Update or repair it.", manifest.family)
        if any(entry.home != manifest.path.parent.name for entry in manifest.entries):
            continue  # made at run time, and kept in line by whoever makes it
        in_line: list[bool] = []
        cause = _cause(lambda in_line=in_line, path=manifest.path: in_line.append(sync(path, check=True)))
        if cause or not all(in_line):
            what = cause or f"its manifest {manifest.path.name} is not all that its classes say"
            yield Problem(manifest.distribution, what, "Its author runs `channelome pack sync`.", manifest.family)


def _cause(look: Callable[[], Any]) -> str:
    """How `look` failed, in words; nothing where it did not."""
    try:
        look()
    except KeyboardInterrupt:  # of the user
        raise
    except BaseException as error:
        return described(error)
    return ""


def _count(problems: int) -> str:
    return "no problems" if not problems else f"{problems} problem{'s' if problems > 1 else ''}"
