"""What this plugin tells channelome: who reads NeuroML files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from channelome.registry.hooks import hookimpl


@hookimpl
def channelome_mechanisms() -> dict[str, Callable[[Path], Any]]:
    """Channels, ions and synapses from NeuroML files."""
    return {".nml": _read, ".xml": _read}


def _read(path: Path) -> Any:
    from .load import classes

    return classes(path)


@hookimpl
def channelome_importers() -> dict[str, Callable[[Path], Any]]:
    """Cells from NeuroML files."""
    return {".nml": _cell, ".xml": _cell}


def _cell(path: Path) -> Any:
    from .cells import load_cell

    return load_cell(path)


@hookimpl
def channelome_writers() -> dict[str, Callable[[Path, str], Any]]:
    """Classes in the house style of NeuroML files."""
    return {".nml": _write, ".xml": _write}


def _write(path: Path, name: str) -> Any:
    from .pack import written

    return written(path, name)


@hookimpl
def channelome_imports() -> dict[str, Callable[..., list[Any]]]:
    """What NeuroML files are, for ``channelome import``."""
    return {".nml": _look, ".xml": _look}


def _look(path: Path, *, python: str, check: bool) -> list[Any]:
    from .report import looks

    return looks(path, python=python, check=check)
