"""The hooks themselves: the questions that every plugin is asked. `hooks` asks them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pluggy

from .discovery import Problem

hookspec = pluggy.HookspecMarker("channelome")
hookimpl = pluggy.HookimplMarker("channelome")


class Hooks:
    """What a plugin can do. The first sentence of each is that of docs/hooks.md."""

    @hookspec
    def channelome_importers(self) -> dict[str, Callable[[Path], Any]]:  # pyright: ignore[reportReturnType]
        """Read models from other file formats: `ch.load` gives a file with the suffix to the function, which returns the table of a model, or a cell or network itself."""

    @hookspec
    def channelome_mechanisms(self) -> dict[str, Callable[[Path], Any]]:  # pyright: ignore[reportReturnType]
        """Read channels, ions and synapses from other file formats: `ch.load_channel` and its like give a file with the suffix to the function, which returns a class or a list of them."""

    @hookspec
    def channelome_writers(self) -> dict[str, Callable[[Path, str], Any]]:  # pyright: ignore[reportReturnType]
        """Write mechanisms of other file formats as code: `channelome new channel NAME --from FILE` gives file and name to the function, which returns the text of a module, or a `channelome.scaffold.Written`."""

    @hookspec
    def channelome_imports(self) -> dict[str, Callable[..., list[Any]]]:  # pyright: ignore[reportReturnType]
        """Say what files of other formats are: `channelome import FILE` gives a file with the suffix to the function, which returns a list of `channelome.scaffold.Looked`."""

    @hookspec
    def channelome_checks(self) -> dict[str, list[Any]]:  # pyright: ignore[reportReturnType]
        """Add checks to the conformance kit: by kind, a list of what `channelome.testing.kit.check` makes."""

    @hookspec
    def channelome_commands(self) -> list[Any]:  # pyright: ignore[reportReturnType]
        """Add commands to `channelome`: a list of click commands."""

    @hookspec
    def channelome_model_built(self, model: Any) -> None:
        """Do something whenever a cell or a network has been built: look at it, write it down, warn."""

    @hookspec
    def channelome_families(self) -> dict[str, Path]:  # pyright: ignore[reportReturnType]
        """Offer families that are only known at run time: by family, the path of a manifest that lies anywhere."""

    @hookspec
    def channelome_environment(self) -> dict[str, str]:  # pyright: ignore[reportReturnType]
        """Add lines to `channelome env`: what it is, and its value, such as the version of a library."""

    @hookspec
    def channelome_diagnose(self) -> list[Problem]:  # pyright: ignore[reportReturnType]
        """Tell `channelome doctor` of problems that only the plugin can find."""
