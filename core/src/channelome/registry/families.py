"""Families that are only known at run time, which plugins offer by ``channelome_families``."""

from .discovery import Problem, Switches, read_guarded
from .manifest import Manifest
from .plugins import installed_plugins

FAMILIES = "channelome_families"
"""The one hook that looking up names asks."""


def dynamic_families(switches: Switches) -> tuple[list[Manifest], list[Problem], list[str]]:
    """The manifests that plugins name by ``channelome_families``, what is wrong with some, and all families that were offered."""
    asked = [plugin for plugin in installed_plugins(switches) if plugin.has(FAMILIES)]
    if not asked:
        return [], [], []
    from .hooks import families, manager  # only where a plugin has the hook: pluggy takes its time

    offered, problems = families(manager(asked))
    homes = {plugin.label: plugin.package for plugin in asked}
    manifests: list[Manifest] = []
    for label, family, path in offered:
        distribution = label.partition("/")[0]
        if not switches.admits(family, distribution.split()[0]):
            continue
        found = read_guarded(lambda path=path: path, family, distribution, homes[label])
        (problems if isinstance(found, Problem) else manifests).append(found)  # pyright: ignore[reportArgumentType]
    return manifests, problems, [family for _, family, _ in offered]
