"""Running a pack's code, guarded: whatever it does wrong becomes a `PackError` that says where and what."""

import sys
import traceback
from importlib import import_module
from types import ModuleType
from typing import Any

from ..errors import PackError
from .words import described


def load_object(where: str) -> Any:
    """The object ``"module:name"``.

    Raises:
        PackError: where its module cannot be imported or lacks it: "loading it from FILE:LINE failed: CAUSE".
    """
    module, _, name = where.partition(":")
    try:
        return getattr(import_module(module), name)
    except KeyboardInterrupt:  # of the user
        raise
    except BaseException as error:  # a pack that calls exit() must not take the session with it
        raise PackError(f"loading it from {place(error, module)} failed: {described(error)}") from error


def outer_level() -> int:
    """The `stacklevel` with which the caller warns about the line outside channelome that led here."""
    level, frame = 1, sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame.f_back is not None and _package(frame.f_globals) == "channelome":
        level, frame = level + 1, frame.f_back
    return level


def place(error: BaseException, module: str) -> str:
    """The line to look at: that of a syntax error, else the last one of the pack itself."""
    if type(error) in (SyntaxError, IndentationError, TabError) and isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    package = module.partition(".")[0]
    found = str(vars(sys.modules[module]).get("__file__") or module) if _is_module(module) else module
    for frame, line in traceback.walk_tb(error.__traceback__):
        if _package(frame.f_globals) == package:
            found = f"{frame.f_code.co_filename}:{line}"
    return found


def _package(module_globals: dict[str, Any]) -> str:
    name = module_globals.get("__name__")
    return name.partition(".")[0] if type(name) is str else ""


def _is_module(name: str) -> bool:
    """Whether a plain module has the name; a pack may put anything in its place."""
    return type(sys.modules.get(name)) is ModuleType
