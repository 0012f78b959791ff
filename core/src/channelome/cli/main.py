"""The command `channelome` and its subcommands. What is heavy is imported where it is used: `list` imports no JAX."""

import errno
import io
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import click

from .. import __version__
from ..errors import ChannelomeError
from ..registry.words import described
from .check import check
from .cite import cite
from .completion import completion
from .doctor import doctor
from .environment import env
from .freeze import freeze
from .import_ import import_
from .listing import list_
from .new import new
from .output import Failure
from .pack import pack
from .plot import plot
from .run import run
from .schema import schema
from .show import show

_JSON = "channelome.json"


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

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of a call, which knows whether its errors shall be JSON."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter is no reason to stop
        wants_json = "--json" in (args[: args.index("--")] if "--" in args else args)
        with _as_lines(wants_json):
            ctx = super().make_context(info_name, args, parent, **extra)
        ctx.meta[_JSON] = wants_json
        return ctx

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with _as_lines(ctx.meta.get(_JSON, False)):
            try:
                return super().invoke(ctx)
            except Exception as error:
                ours = ctx.invoked_subcommand in self.commands or ctx.invoked_subcommand is None
                expected = (click.ClickException, click.exceptions.Exit, click.Abort, ChannelomeError, OSError)
                if ours or isinstance(error, expected):
                    raise
                said = f"the command '{ctx.invoked_subcommand}' of a plugin failed: {described(error)}."
                raise Failure(f"{said} `channelome doctor` names the plugins.") from error


@contextmanager
def _as_lines(as_json: bool) -> Generator[None, None, None]:
    """Let what a person can mend end with one line, and leave the rest as it is."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx is not None else "channelome"
        said = " ".join(error.format_message().split())
        raise Failure(f"{said if said.endswith('.') else said + '.'} See `{path} --help`.", as_json=as_json) from error
    except click.ClickException as error:
        raise Failure(error.format_message(), as_json=as_json) from error
    except ChannelomeError as error:
        raise Failure(str(error), as_json=as_json) from error
    except MemoryError as error:
        raise Failure("what was asked for does not fit into memory.", as_json=as_json) from error
    except OSError as error:
        if error.filename is not None:
            said = f"{error.filename}: {(error.strerror or 'cannot be used').lower()}."
        elif error.errno == errno.EPIPE:  # whoever reads, such as `head`, has read enough; click ends without a word
            _forget_stdout()
            raise
        else:
            _forget_stdout()
            said = f"the output cannot be written: {(error.strerror or 'it is refused').lower()}."
        raise Failure(said, as_json=as_json) from error


def _forget_stdout() -> None:
    """Let what could not be written go, or the end of Python tries again and fails with a traceback."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):  # it is no file
        pass


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="channelome %(version)s")
def main() -> None:
    """Ion channels by name, and the engine that runs them."""


for _command in (list_, show, plot, run, check, cite, freeze, import_, schema, doctor, env, pack, new, completion):
    main.add_command(_command)
