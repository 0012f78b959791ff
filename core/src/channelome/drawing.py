"""How pictures look, and matplotlib for them: imported when the first one is drawn."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .errors import ModelError

STYLE: dict[Any, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.titlesize": "small",
    "axes.titlelocation": "left",
    "axes.xmargin": 0.0,
    "lines.linewidth": 0.9,
}
ONE = "#1f3b5c"
SEVERAL = (ONE, "#b3432b", "#3f7d53", "#8a6d1c", "#6a4c93", "#4c6a78")


@contextmanager
def pyplot() -> Iterator[Any]:
    """matplotlib.pyplot, in this style.

    Raises:
        ImportError: without matplotlib; names the extra.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError('plotting needs matplotlib: pip install "channelome[plot]"') from error
    with plt.rc_context(STYLE):
        yield plt


def axes_of(plt: Any, ax: Any, size: tuple[float, float]) -> tuple[Any, Any]:
    """The figure and the axes to draw on a plane in: those given, else new ones of this size (inches).

    Raises:
        ModelError: as `on_a_plane`.
    """
    if ax is None:
        return plt.subplots(figsize=size, layout="constrained")
    panel = on_a_plane(plt, ax)
    return panel.figure, panel


def on_a_plane(plt: Any, ax: Any) -> Any:
    """The axes given, to draw on a plane in.

    Raises:
        ModelError: for what are no axes, or axes in space.
    """
    if not isinstance(ax, plt.Axes):
        raise ModelError(f"ax must be axes of matplotlib, as plt.subplots() gives them, not {ax!r}.")
    if ax.name == "3d":
        raise ModelError(
            "these axes are in space, and this picture is flat: give axes made without projection='3d', or none."
        )
    return ax
