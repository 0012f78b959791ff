"""Which packs are installed: entry points and the manifests that they name, read without importing any of them."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import PackError
from .manifest import Manifest, read_manifest

GROUP = "channelome.packs"


@dataclass(frozen=True)
class Problem:
    """Something wrong with an installed pack, which leaves the others as they are.

    Attributes:
        distribution: name and version.
        what: the cause.
        remedy: the way out.
        family: that the pack claims, if it is a pack's.
    """

    distribution: str
    what: str
    remedy: str
    family: str = ""

    def __str__(self) -> str:
        return f"{self.distribution}: {self.what}. {self.remedy}"


class Source(NamedTuple):
    """A claim to a family: the entry point ``family = "module:file"`` of a distribution."""

    family: str
    module: str
    file: str
    distribution: str


class Switches(NamedTuple):
    """What the environment says: packs allowed (None for all), packs disabled, and whether problems raise."""

    allowed: frozenset[str] | None
    disabled: frozenset[str]
    strict: bool

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> "Switches":
        def names(variable: str) -> frozenset[str]:
            return frozenset(name for name in environment.get(variable, "").replace(",", " ").split() if name)

        allowed = names("CHANNELOME_PACKS") if "CHANNELOME_PACKS" in environment else None
        strict = environment.get("CHANNELOME_STRICT", "") not in ("", "0")
        return Switches(allowed, names("CHANNELOME_DISABLE_PACKS"), strict)

    def admits(self, source: Source) -> bool:
        """Whether a pack, named by its family or its distribution, is wanted."""
        names = {source.family, source.distribution.split()[0]}
        return not names & self.disabled and (self.allowed is None or bool(names & self.allowed))


def installed_sources() -> Iterator[Source]:
    """The claims of all installed distributions, in the order of their names."""
    import importlib_metadata

    seen: set[str] = set()
    found: list[Source] = []
    distributions: Iterable[Any] = importlib_metadata.distributions()  # pyright: ignore[reportUnknownMemberType]
    for distribution in distributions:
        name = distribution.metadata["Name"] if distribution.entry_points.select(group=GROUP) else None
        if name is None or name in seen:  # a second copy of a distribution is shadowed by the first, as for imports
            continue
        seen.add(name)
        for point in distribution.entry_points.select(group=GROUP):
            module, _, file = point.value.partition(":")
            found.append(Source(point.name, module.strip(), file.strip(), f"{name} {distribution.version}"))
    yield from sorted(found)


def read_packs(sources: Iterable[Source], switches: Switches) -> tuple[list[Manifest], list[Problem]]:
    """The manifests of the packs that are wanted, and what is wrong with those that cannot be read.

    Raises:
        PackError: for the first problem, if the switches are strict.
    """
    manifests: list[Manifest] = []
    problems: list[Problem] = []
    for source in sources:
        if not switches.admits(source):
            continue
        try:
            manifests.append(read_manifest(_locate(source), family=source.family, distribution=source.distribution))
        except PackError as error:
            name = source.distribution.split()[0]
            problem = Problem(
                source.distribution, str(error), f"Update or remove it: pip uninstall {name}.", source.family
            )
            if switches.strict:
                raise PackError(f"{problem} (CHANNELOME_STRICT is set.)") from error
            problems.append(problem)
    return manifests, problems


def _locate(source: Source) -> Path:
    """The manifest's file, found beside the pack's top package, of which nothing is run."""
    if not source.module.isidentifier() or not source.file or "/" in source.file or "\\" in source.file:
        raise PackError(f"its entry point must be 'top_package:file.toml', not '{source.module}:{source.file}'")
    loaded = sys.modules.get(source.module)
    spec = getattr(loaded, "__spec__", None) or find_spec(source.module)
    if spec is None or not spec.submodule_search_locations:
        raise PackError(f"its package {source.module} cannot be found")
    return Path(next(iter(spec.submodule_search_locations))) / source.file
