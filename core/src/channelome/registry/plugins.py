"""Which plugins are installed and which hooks each has, learnt from metadata and from text: nothing of a plugin runs here.

A plugin is a module that an entry point of the group ``channelome.plugins`` names. It has a hook if the hook's name stands in
the text of that module; only then is it imported when the hook is asked. So `list` stays quick whatever is installed.
"""

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from .discovery import GROUP as PACKS
from .discovery import Switches, installed_points

GROUP = "channelome.plugins"


class Plugin(NamedTuple):
    """An entry point, anything with ``load()``, and the distribution that has it, as name and version."""

    distribution: str
    name: str
    point: Any

    @property
    def label(self) -> str:
        return f"{self.distribution}/{self.name}"  # two distributions may use one name

    @property
    def package(self) -> str:
        """The top package of its module; empty for what was plugged in as an object."""
        return str(getattr(self.point, "module", "")).partition(".")[0]

    @property
    def file(self) -> Path | None:
        """The file of its module, found without importing its package; None where there is no such file."""
        top, *inner = str(getattr(self.point, "module", "")).split(".")
        try:
            spec = getattr(sys.modules.get(top), "__spec__", None) or (find_spec(top) if top else None)
        except Exception:  # whatever was put in the place of a module
            return None
        if spec is None:
            return None
        places = [Path(place).joinpath(*inner) for place in spec.submodule_search_locations or ()]
        files = [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")]
        return next(
            (file for file in files if file.is_file()), Path(spec.origin) if spec.origin and not inner else None
        )

    def has(self, hook: str) -> bool:
        """Whether the hook's name stands in its text. True where there is none to read: importing it says what is wrong."""
        file = self.file
        try:
            return file is None or hook in file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return True


plugged_in: list[Plugin] = []
"""What `hooks.plugged` lets answer; nothing else fills it."""


def installed_plugins(switches: Switches | None = None) -> Iterator[Plugin]:
    """The plugins of the distributions that the environment admits, in the order in which they are found."""
    yield from plugged_in
    switches = Switches.from_environment() if switches is None else switches
    for distribution, points in installed_points(PACKS, GROUP):
        families = [point.name for point in points if point.group == PACKS]
        for point in (point for point in points if point.group == GROUP):
            if switches.admits(distribution.split()[0], point.name, *families):
                yield Plugin(distribution, point.name, point)
