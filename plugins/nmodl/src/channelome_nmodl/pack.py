"""From .mod files to modules of a pack: classes in the house style, with golden data."""

from collections.abc import Sequence
from pathlib import Path

from channelome.scaffold import Written, described

from . import golden
from .load import Imported, load_all


def written(path: Path, name: str) -> Written:
    """The module of a file's classes, of which the first is called `name`, and golden data of a channel among them."""
    return of(load_all(path), path, name)


def of(parts: Sequence[Imported], path: Path, name: str) -> Written:
    """The module of the classes of one file."""
    first = parts[0]
    return described.written(first.cls, [one.plan for one in parts], path, name, lambda: golden.cases(first.plan))
