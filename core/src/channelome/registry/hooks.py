"""Hooks: the one-to-many parts of the plugin system, by pluggy. Never name lookup, never inside traced code.

A plugin is a module named by the entry-point group ``channelome.plugins``; it marks its functions with `hookimpl`. One that
fails to import, whose hook is misspelt, or which fails when it is called, is named in the problems and leaves the others
as they are. The switches ``CHANNELOME_PACKS`` and ``CHANNELOME_DISABLE_PACKS`` hold for plugins too.
"""

import functools
from collections.abc import Iterable, Iterator
from typing import Any, cast

import pluggy

from .discovery import GROUP as PACKS
from .discovery import Problem, Switches, installed_points

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
        label = f"{distribution}/{name}"  # two distributions may use one name
        try:
            pm.register(point.load(), name=label)
        except (Exception, SystemExit) as error:
            if pm.has_plugin(label):  # older pluggy (1.5) takes it in before its hooks are checked
                pm.unregister(name=label)
            what = f"its plugin '{name}' cannot be loaded: {type(error).__name__}: {error}"
            problems.append(Problem(distribution, what, "Update or remove it."))
            continue
        try:
            pm.check_pending()
        except pluggy.PluginValidationError as error:
            pm.unregister(name=label)
            what = f"its plugin '{name}' has a hook that does not exist: {error}"
            problems.append(
                Problem(distribution, what, "A hook's name may be misspelt; hooks are listed in docs/registry.md.")
            )
    return pm, problems


@functools.cache
def installed() -> tuple[pluggy.PluginManager, list[Problem]]:
    """The manager of the installed plugins, made at the first call of a hook."""
    return manager()


def environment(asked: tuple[pluggy.PluginManager, list[Problem]] | None = None) -> dict[str, str]:
    """What all plugins say for ``channelome env``; `asked` is a `manager`, that of the installed ones if None."""
    pm, _ = installed() if asked is None else asked
    said: dict[str, str] = {}
    for label, answer in _answers(pm, "channelome_environment"):
        said |= {label: answer.what} if isinstance(answer, Problem) else answer
    return said


def diagnose(asked: tuple[pluggy.PluginManager, list[Problem]] | None = None) -> list[Problem]:
    """Problems of plugins, and those that plugins find; `asked` is a `manager`, that of the installed ones if None."""
    pm, problems = installed() if asked is None else asked
    found = list(problems)
    for _, answer in _answers(pm, "channelome_diagnose"):
        found += [answer] if isinstance(answer, Problem) else answer
    return found + [answer for _, answer in _answers(pm, "channelome_environment") if isinstance(answer, Problem)]


def _answers(pm: pluggy.PluginManager, hook: str) -> Iterator[tuple[str, Any]]:
    """What each plugin answers, asked alone: a problem in place of the answer where it fails or is of another type."""
    for label, plugin in pm.list_name_plugin():
        caller = pm.subset_hook_caller(hook, [other for other in pm.get_plugins() if other is not plugin])
        distribution, _, name = label.partition("/")
        cause = ""
        try:
            for answer in cast("list[Any]", caller()):
                if _fits(hook, answer):
                    yield label, answer
                else:
                    cause = f"answered {answer!r}"
        except (Exception, SystemExit) as error:
            cause = f"failed with {type(error).__name__}: {error}"
        if cause:
            yield label, Problem(distribution, f"its plugin '{name}', asked {hook}, {cause}", "Update or remove it.")


def _fits(hook: str, answer: Any) -> bool:
    if hook == "channelome_environment":
        table = cast("dict[Any, Any]", answer)
        return isinstance(answer, dict) and all(isinstance(text, str) for pair in table.items() for text in pair)
    return isinstance(answer, list) and all(isinstance(item, Problem) for item in cast("list[Any]", answer))


def _installed() -> Iterator[tuple[str, str, Any]]:
    switches = Switches.from_environment()
    families = {name: [point.name for point in points] for name, points in installed_points(PACKS)}
    for distribution, points in installed_points(GROUP):
        for point in points:
            if switches.admits(distribution.split()[0], point.name, *families.get(distribution, ())):
                yield distribution, point.name, point
