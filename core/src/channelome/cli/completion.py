"""``channelome completion``: what makes a shell complete commands, options and names."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from ..registry import Entry
from ..registry.manifest import KINDS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_PROGRAM = "channelome"
_VARIABLE = "_CHANNELOME_COMPLETE"
_HOW = {
    "bash": 'eval "$(channelome completion bash)"',
    "zsh": 'eval "$(channelome completion zsh)"',
    "fish": "channelome completion fish | source",
}


@click.command(epilog="Into the file that starts your shell: " + "; ".join(f"{s}: {how}" for s, how in _HOW.items()))
@click.argument("shell", metavar="bash|zsh|fish", type=click.Choice(tuple(_HOW)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the lines that make SHELL complete commands, options and the names of what is installed."""
    from click.shell_completion import ShellComplete, get_completion_class  # slow, and of no other command

    made = get_completion_class(shell)
    assert made is not None  # click has all three
    # the base class's, since bash's own asks which bash runs
    click.echo(ShellComplete.source(made(ctx.find_root().command, {}, _PROGRAM, _VARIABLE)))


Complete = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]


def names(*kinds: str) -> Complete:
    """Complete the names of what is installed, of these kinds, and files where models are meant."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        from ..registry import registry

        item = _item()
        found = [entry for entry in registry.entries() if not kinds or entry.kind in kinds]
        items = [item(e.name, help=e.summary) for e in found if e.name.startswith(incomplete)]
        files = [item(incomplete, type="file")] if "cell" in kinds and not items else []
        return items + files

    return complete


def families(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete the families that are installed."""
    from ..registry import registry

    return [_item()(family) for family in registry.families if family.startswith(incomplete)]


def kinds(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete kinds, and the bases of what is installed."""
    from ..registry import registry

    return [_item()(kind) for kind in known_kinds(registry.entries()) if kind.startswith(incomplete)]


def known_kinds(entries: Iterable[Entry]) -> list[str]:
    """The kinds that there can be, and then the base classes of these entries."""
    return list(dict.fromkeys([*KINDS, *sorted(str(e.table["kind"]) for e in entries if "kind" in e.table)]))


def _item() -> "type[CompletionItem]":
    from click.shell_completion import CompletionItem

    return CompletionItem
