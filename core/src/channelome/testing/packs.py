"""A pack as the kit sees it: an installed distribution; a folder or wheel is made to look like one, in another process."""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import PackError, UnknownName
from ..registry import Entry, Problem, registry
from ..registry.discovery import normal
from ..registry.manifest import Manifest
from .report import Expected, Report

_GROUP = "channelome.packs"


class PackSubject:
    """An installed distribution: what it offers, and what is wrong with it so far.

    Args:
        name: of the distribution.
        manifests: one for each family.
        problems: that the registry has with it.
        check_names: all names that a check may have.
    """

    def __init__(
        self, name: str, manifests: Iterable[Manifest], problems: Iterable[Problem], check_names: Iterable[str]
    ) -> None:
        self.name, self.manifests, self.problems = name, tuple(manifests), tuple(problems)
        self.check_names = frozenset(check_names)

    def tables(self) -> Iterator[tuple[Manifest, dict[str, Any]]]:
        """Each manifest and what stands in it."""
        for one in self.manifests:
            yield one, tomllib.loads(one.path.read_text(encoding="utf-8"))

    @property
    def expected(self) -> list[Expected]:
        """The failures that its manifests declare."""
        declared = [entry for _, table in self.tables() for entry in table.get("expected_failures", ())]
        return [Expected(*(str(entry.get(key, "")) for key in ("check", "name", "reason"))) for entry in declared]

    @property
    def entries(self) -> list[Entry]:
        """The newest version of each thing that it offers."""
        newest: dict[str, Entry] = {}
        for entry in (entry for one in self.manifests for entry in one.entries):
            if entry.name not in newest or newest[entry.name].version < entry.version:
                newest[entry.name] = entry
        return list(newest.values())

    @property
    def modules(self) -> tuple[str, ...]:
        """Its packages and the modules that its names lie in."""
        homes = [e.where.partition(":")[0] for one in self.manifests for e in one.entries if isinstance(e.where, str)]
        return tuple(dict.fromkeys([*(one.path.parent.name for one in self.manifests), *homes]))


def installed_pack(what: str, check_names: Iterable[str] = ()) -> PackSubject:
    """The installed pack that `what` names: its distribution or one of its families.

    Raises:
        UnknownName: where no pack has the name.
    """
    wanted = normal(what)
    named = [
        one for one in registry.manifests if wanted in (normal(_name(one.distribution)), normal(one.family or "-"))
    ]
    distributions = {_name(one.distribution) for one in named}
    broken = [p for p in registry.problems if wanted in (normal(_name(p.distribution)), normal(p.family or "-"))]
    distributions |= {_name(problem.distribution) for problem in broken}
    if not distributions:
        known = sorted({_name(one.distribution) for one in registry.manifests})
        raise UnknownName(f"no installed pack is called '{what}'. Installed: {', '.join(known)}.")
    name = sorted(distributions)[0]
    own = [one for one in registry.manifests if _name(one.distribution) == name]
    problems = [problem for problem in registry.problems if _name(problem.distribution) == name]
    return PackSubject(name, own, problems, check_names)


def _name(distribution: str) -> str:
    return distribution.split()[0]


def is_file_or_folder(what: str | os.PathLike[str]) -> bool:
    """Whether `what` is meant as a path: a wheel, a folder, or anything with a separator."""
    text = os.fspath(what)
    return (
        isinstance(what, Path) or text.endswith(".whl") or os.sep in text or (Path(text) / "pyproject.toml").is_file()
    )


def check_elsewhere(what: Path, level: str) -> Report:
    """The report on a pack's source folder or wheel, made by a process in which it comes first on the path.

    Raises:
        PackError: where it is no pack.
    """
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        name, paths = _from_wheel(what, site) if what.suffix == ".whl" else _from_source(what, site)
        golden = [str(path) for path in golden_files(what / "tests")] if what.is_dir() else []
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([*map(str, paths), *(p for p in sys.path if p)])}
        command = [sys.executable, "-P", "-m", "channelome.testing", name, level, *golden]
        run = subprocess.run(command, env=environment, capture_output=True, text=True)
        try:
            return Report.from_data(json.loads(run.stdout.strip().splitlines()[-1]))
        except (ValueError, IndexError):
            last = (run.stderr.strip().splitlines() or ["nothing was said"])[-1]
            raise PackError(f"{what.name} cannot be checked: {last}") from None


def golden_files(folder: Path) -> list[Path]:
    """JSON files in `folder` that hold golden data: lists of cases that name a channel."""

    def holds(path: Path) -> bool:
        cases = json.loads(path.read_text(encoding="utf-8"))
        return isinstance(cases, list) and bool(cases) and all(isinstance(c, dict) and "channel" in c for c in cases)

    return [path for path in sorted(folder.glob("*.json")) if holds(path)]


def _from_wheel(wheel: Path, site: Path) -> tuple[str, list[Path]]:
    try:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    except (OSError, zipfile.BadZipFile) as error:
        raise PackError(f"{wheel} is not a wheel: {error}") from None
    points = list(site.glob("*.dist-info/entry_points.txt"))
    if not points or _GROUP not in points[0].read_text(encoding="utf-8"):
        raise PackError(f"{wheel.name} has no entry point {_GROUP}: see [project.entry-points] of its pyproject.toml")
    return wheel.name.partition("-")[0].replace("_", "-"), [site]


def _from_source(folder: Path, site: Path) -> tuple[str, list[Path]]:
    """A folder with a pyproject.toml, as an installer would show it: metadata beside its source."""
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        name, points = project["name"], project["entry-points"][_GROUP]
    except FileNotFoundError:
        raise PackError(
            f"{folder} has no pyproject.toml: name the folder of a pack, a wheel or an installed pack"
        ) from None
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise PackError(f"{folder / 'pyproject.toml'} is not that of a pack: {error} is missing or wrong") from None
    info = site / f"{normal(name).replace('-', '_')}-{project.get('version', '0')}.dist-info"
    info.mkdir()
    licence = f"License-Expression: {project['license']}\n" if isinstance(project.get("license"), str) else ""
    header = f"Metadata-Version: 2.4\nName: {name}\nVersion: {project.get('version', '0')}\n"
    (info / "METADATA").write_text(header + licence, encoding="utf-8")
    lines = [f"{family} = {value}" for family, value in points.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{_GROUP}]", *lines]) + "\n", encoding="utf-8")
    source = folder / "src" if (folder / "src").is_dir() else folder
    return name, [site, source.resolve()]
