"""Which packs are installed: entry points and the manifests that they name, read without importing any of them."""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import PackError
from .manifest import Manifest, read_manifest
from .words import described, printable

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

    def __post_init__(self) -> None:
        for name in ("distribution", "what", "remedy", "family"):  # others wrote it, and people read it in a terminal
            object.__setattr__(self, name, printable(getattr(self, name)))

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
            return frozenset(map(normal, environment.get(variable, "").replace(",", " ").split()))

        allowed = names("CHANNELOME_PACKS") if "CHANNELOME_PACKS" in environment else None
        strict = environment.get("CHANNELOME_STRICT", "").strip().casefold() not in ("", "0", "false", "no", "off")
        return Switches(allowed, names("CHANNELOME_DISABLE_PACKS"), strict)

    def admits(self, *names: str) -> bool:
        """Whether a pack, named by its families and its distribution, is wanted. Case, ``-`` and ``_`` do not matter."""
        known = set(map(normal, names))
        return not known & self.disabled and (self.allowed is None or bool(known & self.allowed))


def normal(name: str) -> str:
    """A name as names of distributions are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).casefold()


def installed_sources() -> Iterator[Source]:
    """The claims of all installed distributions, in the order of their families."""
    seen: set[str] = set()
    found: list[Source] = []
    for name, points in installed_points(GROUP):
        if normal(name.split()[0]) in seen:  # a second copy is shadowed by the first, as for imports
            continue
        seen.add(normal(name.split()[0]))
        for point in points:
            module, _, file = point.value.partition(":")
            found.append(Source(point.name, module.strip(), file.strip(), name))
    yield from sorted(found)


def installed_points(*groups: str) -> Iterator[tuple[str, list[Any]]]:
    """Distributions, as name and version, that have entry points in `groups`, and these.

    Other people's broken metadata is passed over: whatever lies in the environment must not break the packs in it.
    """
    import importlib_metadata

    distributions: Iterable[Any] = importlib_metadata.distributions()  # pyright: ignore[reportUnknownMemberType]
    for distribution in distributions:
        try:
            points = [point for point in distribution.entry_points if point.group in groups]
        except Exception:  # a problem when it is read
            points = [
                importlib_metadata.EntryPoint(name="", value="", group=group)
                for group in groups
                if _mentions(distribution, group)
            ]
        if points:
            yield _named(distribution, points), points


def _mentions(distribution: Any, group: str) -> bool:
    """Whether entry points that cannot be read are, by their text, of the group."""
    try:
        return group in (distribution.read_text("entry_points.txt") or "")
    except UnicodeDecodeError as error:
        return group.encode() in error.object
    except Exception:
        return False


def _named(distribution: Any, points: Iterable[Any]) -> str:
    try:
        metadata = distribution.metadata  # read anew each time
        name, version = (str(metadata[key]).strip() for key in ("Name", "Version"))
        if name and " " not in name:
            return printable(f"{name} {version}")
    except Exception:
        pass  # said below
    return printable(f"{next(iter(points)).value.partition(':')[0] or 'nameless'} (its metadata is broken)")


def read_packs(sources: Iterable[Source]) -> tuple[list[Manifest], list[Problem]]:
    """The manifests of packs, and what is wrong with those that cannot be read."""
    manifests: list[Manifest] = []
    problems: list[Problem] = []
    for source in sources:
        found = read_guarded(lambda source=source: _locate(source), source.family, source.distribution, source.module)
        (problems if isinstance(found, Problem) else manifests).append(found)  # pyright: ignore[reportArgumentType]
    return manifests, problems


def read_guarded(path: Callable[[], Path], family: str, distribution: str, home: str) -> Manifest | Problem:
    """The manifest of a pack, or what is wrong with it: whatever a pack holds, the others must be found.

    Args:
        path: finds the file.
        home: as of `read_manifest`.
    """
    try:
        if not family:  # core alone has none
            raise PackError("it names no family: its entry point must be FAMILY = 'top_package:file.toml'")
        return read_manifest(path(), family=family, distribution=distribution, home=home)
    except KeyboardInterrupt:  # of the user
        raise
    except BaseException as error:
        what = str(error) if type(error) is PackError else described(error)
        return Problem(distribution, what, f"Update or remove it: pip uninstall {distribution.split()[0]}.", family)


def _locate(source: Source) -> Path:
    """The manifest's file, found beside the pack's top package, of which nothing is run."""
    if not source.module.isidentifier() or not source.file or {"/", "\\", "\0"} & set(source.file):
        raise PackError(f"its entry point must be 'top_package:file.toml', not '{source.module}:{source.file}'")
    loaded = sys.modules.get(source.module)
    spec = getattr(loaded, "__spec__", None) or find_spec(source.module)
    if spec is None:
        raise PackError(f"its package {source.module} cannot be found")
    if not spec.submodule_search_locations:
        raise PackError(f"{source.module} is a module, not a package with a manifest in it")
    return Path(next(iter(spec.submodule_search_locations))) / source.file
