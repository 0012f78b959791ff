"""Names: which packs are installed, what they offer, and how it is loaded. Imports neither JAX nor any pack."""

import os
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


def register(what: Any, *, name: str | None = None, aliases: tuple[str, ...] = (), check: bool = False) -> Any:
    """Give a channel, ion or synapse class of this script, or a solver, a name for this process; returns it, so it decorates.

    Args:
        what: a subclass of a channel, ion or synapse base, or a solver object (then with `name`).
        name: the class's own by default.
        aliases: other spellings.
        check: first put it through the checks that packs pass, `channelome.testing`; it has no name if one fails.

    Raises:
        CollisionError: where something else has the name.
        ModelError: where `what` is none of these, or fails a check.
    """
    from .local import register_local

    register_local(what, name, aliases, check)
    return what


def load_dir(folder: "str | os.PathLike[str]", *, check: bool = False) -> list[str]:
    """Register what the Python files and model files of a folder hold: a pack that is not packaged. Returns the names.

    Every public class of a channel, ion or synapse that a ``.py`` file defines is registered under its name, every cell and
    network of a ``.toml`` or ``.json`` file under the file's name. Called again, it takes what has changed.

    Args:
        folder: whose files are read, but for tests, names that begin with ``_`` and folders in it. This runs their Python code.
        check: first put the classes through the checks that packs pass, `channelome.testing`.

    Raises:
        PackError: where a file cannot be run, naming file and line.
        CollisionError: where something else has a name.
        ModelError: where there is no such folder, a model file is none, or a class fails a check.
    """
    from .local import load_folder

    return load_folder(folder, check)
