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
