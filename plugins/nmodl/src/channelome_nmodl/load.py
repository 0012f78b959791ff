"""From a .mod file to a class of channels: read, understood, planned and built."""

from pathlib import Path
from typing import NamedTuple

from channelome.errors import ChannelomeError
from channelome.mechanisms.channels import Channel

from . import expression
from .build import build
from .includes import with_includes
from .meaning import check_is_of_membrane
from .plan import Plan, plan
from .reader import mean
from .syntax import parse
from .text import NmodlError, Source, read


class Imported(NamedTuple):
    """A class, and what was understood on the way to it."""

    cls: type[Channel]
    plan: Plan
    source: Source


def load(path: Path) -> Imported:
    """The class of the mechanism in a file, with what is known of it.

    Raises:
        NmodlError: for what cannot be read, and for what no channel here can be, with the line and the reason.
    """
    return understood(read(path), path.parent)


def understood(source: Source, folder: Path) -> Imported:
    """As `load`, of text that is in memory; INCLUDE is looked for in `folder`, and nowhere else."""
    expression.forget()
    try:
        file = parse(source)
        check_is_of_membrane(file)
        made = plan(mean(with_includes(file, folder)))
        return Imported(build(made, source.name), made, source)
    except NmodlError:
        raise
    except RecursionError:
        raise NmodlError(f"{source.name}: its formulas are nested too deeply.") from None
    except ChannelomeError as error:
        raise NmodlError(f"{source.name}: {error}") from error


def channel_class(path: Path) -> type[Channel]:
    """The class of the mechanism in a file: what `ch.load_channel` returns."""
    return load(path).cls
