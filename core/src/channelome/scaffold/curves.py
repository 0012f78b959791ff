"""The curves of a channel as a picture in its pack, for the README."""

import importlib
import importlib.util
from pathlib import Path

from .channel import find_place, importable
from .request import Outline


def draw_curves(outline: Outline, folder: Path) -> Path | None:
    """Draw ``curves/NAME.png`` in the pack in `folder`, from the channel's file as it is.

    None where the pack has no folder of curves, or without matplotlib. It is what
    ``channelome plot NAME -o curves/NAME.png`` draws once the pack is installed.
    """
    file = folder / "curves" / f"{outline.name}.png"
    if not file.parent.is_dir() or importlib.util.find_spec("matplotlib") is None:
        return None
    import matplotlib

    from ..instruments.portrait import portrait

    matplotlib.use("Agg")
    package = find_place(folder, outline.family).package
    with importable(package):
        channel = getattr(importlib.import_module(f"{package.name}.{outline.module}"), outline.name)
    portrait(channel, title=outline.name).savefig(file, dpi=100)
    return file
