"""Running a pack's code, guarded: whatever it does wrong becomes a `PackError` that says where and what."""

import sys
import traceback
from importlib import import_module
from typing import Any

from ..errors import PackError


def load_object(where: str) -> Any:
    """The object ``"module:name"``.

    Raises:
        PackError: where its module cannot be imported or lacks it: "loading it from FILE:LINE failed: CAUSE".
    """
    module, _, name = where.partition(":")
    try:
        return getattr(import_module(module), name)
    except (Exception, SystemExit) as error:  # a pack that calls exit() must not take the session with it
        raise PackError(f"loading it from {place(error, module)} failed: {type(error).__name__}: {error}") from error


def outer_level() -> int:
    """The `stacklevel` with which the caller warns about the line outside channelome that led here."""
    level, frame = 1, sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "channelome":
        level, frame = level + 1, frame.f_back
    return level


def place(error: BaseException, module: str) -> str:
    """The line to look at: that of a syntax error, else the last one of the pack itself."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    package = module.partition(".")[0]
    found = getattr(sys.modules.get(module), "__file__", None) or module
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_globals.get("__name__", "").partition(".")[0] == package:
            found = f"{frame.f_code.co_filename}:{line}"
    return found
