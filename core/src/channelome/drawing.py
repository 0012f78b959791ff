"""How pictures look, and matplotlib for them: imported when the first one is drawn."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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
