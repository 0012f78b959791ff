"""The command `channelome` and its subcommands. What is heavy is imported where it is used: `list` imports no JAX."""

from typing import Any

import click

from .. import __version__
from ..errors import ChannelomeError
from .check import check
from .cite import cite
from .doctor import doctor
from .environment import env
from .freeze import freeze
from .listing import list_
from .new import new
from .output import Failure
from .pack import pack
from .plot import plot
from .run import run
from .schema import schema
from .show import show


class Commands(click.Group):
    """A group whose commands end with one line, ``error: ...``, and exit code 2 where channelome finds a mistake.

    Plugins add commands. They are asked for help and for a name that none of ours has, so that ours start quickly.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, for help."""
        from ..registry import hooks

        return sorted({*super().list_commands(ctx), *hooks.commands()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; ours wins."""
        return super().get_command(ctx, cmd_name) or self._added(cmd_name)

    def _added(self, name: str) -> click.Command | None:
        from ..registry import hooks

        return hooks.commands().get(name)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except ChannelomeError as error:
            raise Failure(str(error)) from error
        except OSError as error:
            if error.filename is None:
                raise
            raise Failure(f"{error.filename}: {(error.strerror or 'cannot be used').lower()}.") from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="channelome %(version)s")
def main() -> None:
    """Ion channels by name, and the engine that runs them."""


for _command in (list_, show, plot, run, check, cite, freeze, schema, doctor, env, pack, new):
    main.add_command(_command)
