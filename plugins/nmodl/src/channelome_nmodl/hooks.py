"""What this plugin tells channelome: who reads .mod files."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from channelome.registry.hooks import hookimpl


@hookimpl
def channelome_mechanisms() -> dict[str, Callable[[Path], Any]]:
    """Channels, ions and synapses from .mod files."""
    return {".mod": _read}


@hookimpl
def channelome_writers() -> dict[str, Callable[[Path, str], Any]]:
    """Classes in the house style of .mod files."""
    return {".mod": _write}


@hookimpl
def channelome_imports() -> dict[str, Callable[..., list[Any]]]:
    """What .mod files are, for ``channelome import``."""
    return {".mod": _look}


@hookimpl
def channelome_environment() -> dict[str, str]:
    """The version of the library that parses, for ``channelome env``."""
    return {"lark": version("lark")}


def _read(path: Path) -> Any:
    from .load import classes

    return classes(path)


def _write(path: Path, name: str) -> Any:
    from .pack import written

    return written(path, name)


def _look(path: Path, *, python: str, check: bool) -> list[Any]:
    from .report import looks

    return looks(path, python=python, check=check)
