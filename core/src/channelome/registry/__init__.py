"""Names: which packs are installed, what they offer, and how it is loaded. Imports neither JAX nor any pack."""

from typing import Any

from .discovery import Problem as Problem
from .manifest import API_VERSION as API_VERSION
from .manifest import Entry as Entry
from .store import Registry as Registry

registry: Registry
"""The one registry of the process: discovered at first use, then read-only but for `register`."""


def __getattr__(name: str) -> Any:
    if name == "registry":
        globals()["registry"] = found = Registry.discover()
        return found
    raise AttributeError(f"module 'channelome.registry' has no attribute '{name}'")
