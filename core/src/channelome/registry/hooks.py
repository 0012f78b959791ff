"""Hooks: the one-to-many parts of the plugin system, by pluggy. Never name lookup, never inside traced code.

A plugin is a module named by the entry-point group ``channelome.plugins``; it marks its functions with `hookimpl`. One that
fails to import, or whose hook is misspelt, is named in the problems and leaves the others as they are.
"""

import functools
from collections.abc import Iterable
from typing import Any, cast

import pluggy

from .discovery import Problem

GROUP = "channelome.plugins"

hookspec = pluggy.HookspecMarker("channelome")
hookimpl = pluggy.HookimplMarker("channelome")


class Hooks:
    """What a plugin can do."""

    @hookspec
    def channelome_environment(self) -> dict[str, str]:  # pyright: ignore[reportReturnType]
        """Lines for ``channelome env``: what it is, and its value, such as the version of a library."""

    @hookspec
    def channelome_diagnose(self) -> list[Problem]:  # pyright: ignore[reportReturnType]
        """Problems for ``channelome doctor`` that only the plugin can find."""


def manager(plugins: Iterable[tuple[str, str, Any]] | None = None) -> tuple[pluggy.PluginManager, list[Problem]]:
    """A plugin manager with all plugins, and what is wrong with some of them.

    Args:
        plugins: distribution, name and entry point (anything with ``load()``) of each; those installed if None.
    """
    pm, problems = pluggy.PluginManager("channelome"), list[Problem]()
    pm.add_hookspecs(Hooks)
    for distribution, name, point in _installed() if plugins is None else plugins:
        try:
            pm.register(point.load(), name=name)
        except Exception as error:
            what = f"its plugin '{name}' cannot be loaded: {type(error).__name__}: {error}"
            problems.append(Problem(distribution, what, "Update or remove it."))
            continue
        try:
            pm.check_pending()
        except pluggy.PluginValidationError as error:
            pm.unregister(name=name)
            what = f"its plugin '{name}' has a hook that does not exist: {error}"
            problems.append(
                Problem(distribution, what, "A hook's name may be misspelt; hooks are listed in docs/registry.md.")
            )
    return pm, problems


@functools.cache
def installed() -> tuple[pluggy.PluginManager, list[Problem]]:
    """The manager of the installed plugins, made at the first call of a hook."""
    return manager()


def environment() -> dict[str, str]:
    """What all plugins say for ``channelome env``."""
    pm, _ = installed()
    said: dict[str, str] = {}
    for lines in cast("list[dict[str, str]]", pm.hook.channelome_environment()):
        said |= lines
    return said


def diagnose() -> list[Problem]:
    """Problems of plugins, and those that plugins find."""
    pm, problems = installed()
    return [*problems, *(p for found in cast("list[list[Problem]]", pm.hook.channelome_diagnose()) for p in found)]


def _installed() -> Iterable[tuple[str, str, Any]]:
    import importlib_metadata

    points: Any = importlib_metadata.entry_points(group=GROUP)  # pyright: ignore[reportUnknownMemberType]
    for point in points:
        dist = point.dist
        yield (f"{dist.metadata['Name']} {dist.version}" if dist else "unknown"), point.name, point
