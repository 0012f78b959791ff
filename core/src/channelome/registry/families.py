"""Families that are only known at run time, which plugins offer by ``channelome_families``."""

from ..errors import PackError
from .discovery import Problem, Switches
from .manifest import Manifest, read_manifest
from .plugins import installed_plugins

FAMILIES = "channelome_families"
"""The one hook that looking up names asks."""


def dynamic_families(switches: Switches) -> tuple[list[Manifest], list[Problem]]:
    """The manifests that plugins name by ``channelome_families``, and what is wrong with some of them."""
    asked = [plugin for plugin in installed_plugins(switches) if plugin.has(FAMILIES)]
    if not asked:
        return [], []
    from .hooks import families, manager  # only where a plugin has the hook: pluggy takes its time

    found, problems = families(manager(asked))
    manifests: list[Manifest] = []
    for distribution, family, path in found:
        if not switches.admits(family, distribution.split()[0]):
            continue
        try:
            manifests.append(read_manifest(path, family=family, distribution=distribution))
        except PackError as error:
            remedy = f"Update or remove it: pip uninstall {distribution.split()[0]}."
            problems.append(Problem(distribution, str(error), remedy, family))
    return manifests, problems
