"""Names: which packs are installed, what they offer, and how it is loaded. Imports neither JAX nor any pack."""

import threading
from typing import Any

from ..errors import PackError
from .discovery import Problem as Problem
from .manifest import API_VERSION as API_VERSION
from .manifest import Entry as Entry
from .store import Registry as Registry

registry: Registry
"""The one registry of the process: discovered at first use, then read-only but for `register`."""

_lock = threading.RLock()
_discovering = False


def __getattr__(name: str) -> Any:
    if name == "registry":
        with _lock:  # who comes second waits for the one that the first finds
            return globals()["registry"] if "registry" in globals() else _discovered()
    raise AttributeError(f"module 'channelome.registry' has no attribute '{name}'")


def _discovered() -> Registry:
    """Find what is installed, once. A plugin that is asked for families has no registry to look into yet."""
    global _discovering
    if _discovering:
        raise PackError(
            "the registry is used by a plugin that helps to make it: look up names inside its other functions."
        )
    _discovering = True
    try:
        found = globals()["registry"] = Registry.discover()
    finally:
        _discovering = False
    return found
