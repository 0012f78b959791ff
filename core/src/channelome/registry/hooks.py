"""Hooks: the one-to-many parts of the plugin system, by pluggy. Never name lookup, never inside traced code.

A plugin is a module named by the entry-point group ``channelome.plugins``; it marks its functions with `hookimpl`. One that
fails to import, whose hook is misspelt, or which fails when it is called, is named in the problems and leaves the others
as they are. The switches ``CHANNELOME_PACKS`` and ``CHANNELOME_DISABLE_PACKS`` hold for plugins too.
"""

import contextlib
import contextvars
import functools
import warnings
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import pluggy

from ..errors import CollisionError, PackError
from .discovery import Problem
from .document import SUFFIXES
from .hookspecs import Hooks as Hooks
from .hookspecs import hookimpl as hookimpl
from .loading import outer_level
from .manifest import KINDS
from .plugins import Plugin, installed_plugins, plugged_in
from .words import described


def _texts(answer: Any, key: type, value: Callable[[Any], bool]) -> bool:
    table = cast("dict[Any, Any]", answer)
    return isinstance(answer, dict) and all(isinstance(k, key) and value(v) for k, v in table.items())


def _list_of(value: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda answer: isinstance(answer, list) and all(map(value, cast("list[Any]", answer)))


def _is_command(command: Any) -> bool:
    import click  # of the command line alone

    named = isinstance(command, click.Command) and isinstance(command.name, str) and command.name.isprintable()
    return named and bool(command.name) and isinstance(command.get_short_help_str(), str)  # help for all asks for it


def _is_checks(answer: Any) -> bool:
    is_check = _list_of(lambda check: all(hasattr(check, name) for name in ("name", "level", "hint", "problems")))
    return _texts(answer, str, is_check) and set(answer) <= {*KINDS, "pack"}


def _is_readers(answer: Any) -> bool:
    return _texts(answer, str, callable) and all(suffix.startswith(".") for suffix in answer)


_FITS: dict[str, Callable[[Any], bool]] = {
    "channelome_importers": _is_readers,
    "channelome_mechanisms": _is_readers,
    "channelome_writers": _is_readers,
    "channelome_imports": _is_readers,
    "channelome_checks": _is_checks,
    "channelome_commands": _list_of(_is_command),
    "channelome_families": lambda answer: _texts(answer, str, lambda path: isinstance(path, Path)),
    "channelome_environment": lambda answer: _texts(answer, str, lambda text: isinstance(text, str)),
    "channelome_diagnose": _list_of(lambda problem: isinstance(problem, Problem)),
}
"""Whether an answer is one; `channelome_model_built` has none."""
_KEYS: dict[str, Callable[[Any], Iterable[str]]] = {
    "channelome_importers": list,
    "channelome_mechanisms": list,
    "channelome_writers": list,
    "channelome_imports": list,
    "channelome_commands": lambda answer: [command.name for command in answer],
}
"""What only one plugin can have, of the answers of hooks."""


class Asked(NamedTuple):
    """Plugins that are loaded, and what is wrong with those that could not be."""

    manager: pluggy.PluginManager
    problems: list[Problem]


def manager(plugins: Iterable[tuple[str, str, Any]] | None = None) -> Asked:
    """A plugin manager with all plugins, and what is wrong with some of them.

    Args:
        plugins: distribution, name and entry point (anything with ``load()``) of each; those installed if None.
    """
    pm, problems = pluggy.PluginManager("channelome"), list[Problem]()
    pm.add_hookspecs(Hooks)
    for plugin in map(Plugin._make, installed_plugins() if plugins is None else plugins):
        try:
            pm.register(plugin.point.load(), name=plugin.label)
        except KeyboardInterrupt:  # of the user
            raise
        except BaseException as error:
            if pm.has_plugin(plugin.label):  # older pluggy (1.5) takes it in before its hooks are checked
                pm.unregister(name=plugin.label)
            what = f"its plugin '{plugin.name}' cannot be loaded: {described(error)}"
            problems.append(Problem(plugin.distribution, what, "Update or remove it."))
            continue
        try:
            pm.check_pending()
        except pluggy.PluginValidationError as error:
            pm.unregister(name=plugin.label)
            what = f"its plugin '{plugin.name}' has a hook that does not exist: {error}"
            remedy = "A hook's name may be misspelt; hooks are listed in docs/hooks.md."
            problems.append(Problem(plugin.distribution, what, remedy))
    return Asked(pm, problems)


@functools.cache
def installed(hook: str = "") -> Asked:
    """The installed plugins that have `hook`, or all of them, loaded when they are first asked."""
    return manager([plugin for plugin in installed_plugins() if not hook or plugin.has(hook)])


@contextlib.contextmanager
def plugged(*plugins: Any) -> Generator[None, None, None]:
    """Let modules, or other objects with hooks, answer beside the installed plugins until the block ends: for trying and testing one.

    Raises:
        PackError: for a hook that does not exist, or has other arguments.
    """
    added = [Plugin("here", f"{number}", _Loaded(plugin)) for number, plugin in enumerate(plugins, len(plugged_in))]
    if problems := manager(added).problems:
        raise PackError(" ".join(map(str, problems)))
    plugged_in.extend(added)
    installed.cache_clear()
    try:
        yield
    finally:
        plugged_in[:] = [plugin for plugin in plugged_in if plugin not in added]
        installed.cache_clear()


class _Loaded(NamedTuple):
    plugin: Any

    def load(self) -> Any:
        return self.plugin


def importer(suffix: str, asked: Asked | None = None, hook: str = "channelome_importers") -> Callable[..., Any] | None:
    """The function that reads files with this suffix; None where no plugin does.

    Args:
        hook: ``channelome_importers`` for models, ``channelome_mechanisms``, ``channelome_writers`` and ``channelome_imports`` for channels.

    Raises:
        CollisionError: where two plugins read them.
    """
    found = [
        (label, answer[suffix])
        for label, answer in _good(_answers(asked or installed(hook), hook))
        if suffix in answer and suffix not in SUFFIXES
    ]
    if len(found) > 1:
        both = " and ".join(label for label, _ in found)
        raise CollisionError(
            f"'{suffix}' files are read by {both}. Uninstall one, or disable it: CHANNELOME_DISABLE_PACKS."
        )
    return found[0][1] if found else None


def suffixes(hook: str, asked: Asked | None = None) -> frozenset[str]:
    """The suffixes of files that plugins read by a hook."""
    return frozenset(suffix for _, answer in _good(_answers(asked or installed(hook), hook)) for suffix in answer)


def extra_checks(kind: str, asked: Asked | None = None) -> tuple[Any, ...]:
    """The checks of a kind, or of a ``"pack"``, that plugins add to the kit."""
    hook = "channelome_checks"
    return tuple(
        check for _, answer in _good(_answers(asked or installed(hook), hook)) for check in answer.get(kind, ())
    )


def commands(asked: Asked | None = None) -> dict[str, Any]:
    """The commands that plugins add, by name; of two with one name the first."""
    hook = "channelome_commands"
    found: dict[str, Any] = {}
    for _, answer in _good(_answers(asked or installed(hook), hook)):
        found = {**{command.name: command for command in answer}, **found}
    return found


def families(asked: Asked) -> tuple[list[tuple[str, str, Path]], list[Problem]]:
    """Plugin, family and manifest of each family that plugins offer, and what is wrong with some of the plugins."""
    found, problems = list[tuple[str, str, Path]](), list(asked.problems)
    for label, answer in _answers(asked, "channelome_families"):
        if isinstance(answer, Problem):
            problems.append(answer)
        else:
            found += [(label, family, path) for family, path in sorted(answer.items())]
    return found, problems


def environment(asked: Asked | None = None) -> dict[str, str]:
    """What all plugins say for ``channelome env``; `asked` is a `manager`, that of the installed ones if None."""
    hook = "channelome_environment"
    said: dict[str, str] = {}
    for label, answer in _answers(asked or installed(hook), hook):
        said |= {label: answer.what} if isinstance(answer, Problem) else answer
    return said


def diagnose(asked: Asked | None = None, our_commands: Iterable[str] = ()) -> list[Problem]:
    """Problems of plugins, and those that plugins find.

    Args:
        asked: a `manager`; that of the installed plugins if None.
        our_commands: names of commands that no plugin can have.
    """
    files = ("channelome_importers", "channelome_mechanisms", "channelome_writers", "channelome_imports")
    ours = {**dict.fromkeys(files, SUFFIXES), "channelome_commands": our_commands}
    everything = asked is None
    asked = installed() if asked is None else asked
    found = [*asked.problems, *(_unnamed(asked) if everything else ())]
    for hook in _FITS:
        claims: defaultdict[str, list[str]] = defaultdict(list)
        for label, answer in _answers(asked, hook):
            if isinstance(answer, Problem):
                found.append(answer)
            elif hook == "channelome_diagnose":
                found += answer
            elif hook in _KEYS:
                for key in _KEYS[hook](answer):
                    claims[key].append(label)
        for key, labels in claims.items():
            if key in ours[hook]:
                what = f"its plugin claims '{key}' by {hook}, which is channelome's own and stays so"
                found += [Problem(label.partition("/")[0], what, "Rename it there.") for label in labels]
            elif len(labels) > 1:
                what = f"its plugin claims '{key}' by {hook}, and so does that of {', '.join(labels[1:])}"
                found.append(
                    Problem(
                        labels[0].partition("/")[0], what, "Uninstall one, or disable it: CHANNELOME_DISABLE_PACKS."
                    )
                )
    return found


def _unnamed(asked: Asked) -> Iterator[Problem]:
    """Plugins with a hook whose name does not stand in their text, so that it is never asked."""
    for plugin in installed_plugins():
        loaded = asked.manager.get_plugin(plugin.label)
        callers = (asked.manager.get_hookcallers(loaded) or []) if loaded is not None else []
        for caller in callers:
            if not plugin.has(caller.name):
                what = f"its plugin '{plugin.name}' has {caller.name}, but its module does not name it"
                yield Problem(plugin.distribution, what, "Define it there, or import it there by its name.")


# ---- models ----

_inside = contextvars.ContextVar("inside", default=False)
"""Whether a `building` block is open."""


@contextlib.contextmanager
def building() -> Generator[None, None, None]:
    """The parts that are built in the block belong to one model: `model_built` waits for the whole."""
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)


def model_built(model: Any) -> None:
    """Tell the plugins of a cell or network. One that fails is named in a warning, and the model stays as it is."""
    hook = "channelome_model_built"
    if _inside.get() or not installed(hook).manager.get_plugins():
        return
    from jax import tree  # the model brought it
    from jax.core import Tracer

    if any(isinstance(leaf, Tracer) for leaf in tree.leaves(model)):
        return
    for _, answer in _answers(installed(hook), hook, model=model):
        if isinstance(answer, Problem):
            warnings.warn(str(answer), RuntimeWarning, stacklevel=outer_level())


# ---- inside ----


def _good(answers: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Without problems, which `diagnose` finds again."""
    return (pair for pair in answers if not isinstance(pair[1], Problem))


def _answers(asked: Asked, hook: str, **arguments: Any) -> Iterator[tuple[str, Any]]:
    """What each plugin answers, asked alone: a problem in place of the answer where it fails or is of another type."""
    pm = asked.manager
    for label, plugin in pm.list_name_plugin():
        caller = pm.subset_hook_caller(hook, [other for other in pm.get_plugins() if other is not plugin])
        distribution, _, name = label.partition("/")
        answers, cause = _asked(hook, caller, arguments)
        yield from ((label, answer) for answer in answers)
        if cause:
            yield label, Problem(distribution, f"its plugin '{name}', asked {hook}, {cause}", "Update or remove it.")


def _asked(hook: str, caller: Any, arguments: Mapping[str, Any]) -> tuple[list[Any], str]:
    """The answers of one plugin that are of the hook's form, and what is wrong with it: whatever it does, the others answer."""
    good: list[Any] = []
    cause = ""
    try:
        for answer in cast("list[Any]", caller(**arguments)):
            if hook not in _FITS:
                continue
            # a plain one, which cannot answer otherwise when it is read again
            plain: Any = answer
            if isinstance(answer, dict):
                plain = dict(cast("dict[Any, Any]", answer))
            elif isinstance(answer, list):
                plain = list(cast("list[Any]", answer))
            if _FITS[hook](plain):
                good.append(plain)
            else:
                cause = f"answered {answer!r}"
    except KeyboardInterrupt:  # of the user
        raise
    except BaseException as error:
        cause = f"failed with {described(error)}"
    return good, cause
