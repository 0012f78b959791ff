"""Checks of a whole pack: its manifest, its references, and what importing it does."""

import functools
import json
import os
import re
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

from ...registry.sync import synced
from ..kit import Check, Problems, check
from ..packs import PackSubject

SECONDS = 1.0
"""CPU time that importing a pack may take on top of channelome.authoring: what a user waits for the first name of it."""
_DOI = re.compile(r"10\.\d{4,9}/\S+")
_PROBE = Path(__file__).parents[1] / "import_probe.py"


@check(level="quick", hint="`channelome doctor` says more; docs/registry.md has the form of a manifest.")
def manifest(subject: PackSubject) -> Problems:
    """The manifest is valid, fits this API, and no other pack claims its names."""
    yield from (f"{problem.what}. {problem.remedy}" for problem in subject.problems)
    for one in subject.manifests:
        if not one.entries:
            yield f"{one.path.name} offers nothing"


@check(level="quick", hint="Run `channelome pack sync FOLDER`.")
def in_line(subject: PackSubject) -> Problems:
    """The manifest says what the classes say."""
    for one, table in subject.tables():
        wanted = synced(table, one.path.parent.name)
        for kind in ("channel", "ion", "synapse"):
            theirs, ours = table.get(kind, {}), wanted.get(kind, {})
            yield from (f"{name} is not in {one.path.name}" for name in ours.keys() - theirs.keys())
            yield from (f"{name} of {one.path.name} is no class of the pack" for name in theirs.keys() - ours.keys())
            for name in sorted(ours.keys() & theirs.keys()):
                other = sorted(
                    key for key in {*ours[name], *theirs[name]} if ours[name].get(key) != theirs[name].get(key)
                )
                if other:
                    yield f"{name}: {', '.join(other)} of {one.path.name} and of the class differ"
        yield from _same_names(one.path.parent.name)


def _same_names(package: str) -> Problems:
    """Two classes of one name in one pack: a manifest can offer only one of them."""
    seen: dict[str, str] = {}
    for module in [name for name in sys.modules if name.partition(".")[0] == package]:
        for name, value in vars(sys.modules[module]).items():
            if isinstance(value, type) and value.__module__ == module and hasattr(value, "parameters"):
                if name in seen:
                    yield f"{seen[name]} and {module} both have a class {name}"
                seen[name] = module


@check(
    level="quick",
    hint="Give each reference a role and, where it is a paper, its doi = '10....'; cite it in references = [...].",
)
def references(subject: PackSubject) -> Problems:
    """There are references with text, role and DOI, and everything cites at least one."""
    for one in subject.manifests:
        if not one.references and one.family:
            yield f"{one.path.name} has no [references]"
        for reference in one.references:
            if reference.role != "implementation" and not reference.doi:
                yield f"references.{reference.key}, of the role {reference.role}, has no doi"
            if reference.doi and not _DOI.fullmatch(reference.doi):
                yield f"'{reference.doi}' of references.{reference.key} is not a DOI, such as 10.1113/jphysiol.1952.sp004764"
        if one.family:
            yield from (f"{entry.name} cites no reference" for entry in one.entries if not entry.references)


@check(
    level="quick",
    hint="Write license = 'Apache-2.0' (an SPDX expression) and title = '...' into the manifest, as in pyproject.toml.",
)
def licence(subject: PackSubject) -> Problems:
    """Title and licence are stated, and the licence is that of the distribution."""
    for one in subject.manifests:
        if not one.title.strip():
            yield f"{one.path.name} has no title"
        if not one.license.strip():
            yield f"{one.path.name} states no licence"
        try:
            stated = metadata.metadata(subject.name).json.get("license_expression")
        except metadata.PackageNotFoundError:
            continue
        if stated and one.license and stated != one.license:
            yield f"{one.path.name} states the licence {one.license}, the distribution {stated}"


@check(level="quick", hint="Write check, name and reason, of what fails: [[expected_failures]] of the manifest.")
def expected_failures(subject: PackSubject) -> Problems:
    """Each failure that the manifest declares has a reason, and is of a check and a name that there are."""
    names = {subject.name, *(entry.name for one in subject.manifests for entry in one.entries)}
    for one in subject.expected:
        if len(one.reason.split()) < 3:
            yield f"the expected failure of {one.check} of {one.name} has no reason"
        if one.name not in names:
            yield f"the expected failure of {one.check} is of '{one.name}', which the pack does not have"
        if one.check not in subject.check_names:
            yield f"there is no check '{one.check}'"


@check(
    hint="A module only defines: no array, no jax.config, no print, no download, nothing compiled or installed at import."
)
def imports(subject: PackSubject) -> Problems:
    """Importing it starts no JAX backend, no process and no connection, changes no setting, prints nothing, and is quick."""
    found, printed = imported(subject.modules)
    if printed.strip():
        yield f"it prints {printed.strip().splitlines()[0]!r:.100}"
    if found["error"]:
        yield f"it fails: {found['error']}"
    if found["backends"]:
        yield f"it starts JAX's {', '.join(found['backends'])} backend, as any array does"
    yield from (f"it changes JAX's setting {name}" for name in found["settings"])
    yield from (f"it changes the environment variable {name}" for name in found["environment"])
    yield from (f"it reaches out: {event}" for event in found["events"])
    if found["seconds"] > SECONDS:
        yield f"it takes {found['seconds']:.2g} s, more than {SECONDS:g}"


@functools.cache
def imported(modules: tuple[str, ...]) -> tuple[dict[str, Any], str]:
    """What importing `modules` does in a process of its own, and what it prints; where it is slow, again with bytecode there."""
    with tempfile.TemporaryDirectory() as folder:
        found, printed = _imported(modules, Path(folder))
        if found["seconds"] > SECONDS:
            found["seconds"] = min(found["seconds"], _imported(modules, Path(folder))[0]["seconds"])
        return found, printed


def _imported(modules: tuple[str, ...], folder: Path) -> tuple[dict[str, Any], str]:
    out = folder / "found.json"
    kept = {name: word for name, word in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    path = os.pathsep.join(path for path in sys.path if path)
    environment = kept | {"PYTHONPATH": path, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    command = [sys.executable, "-P", str(_PROBE), str(out), *modules]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    if not out.is_file():
        nothing = {"seconds": 0.0, "backends": [], "settings": [], "environment": [], "events": []}
        return {"error": f"the process ended with {run.returncode}"} | nothing, run.stdout + run.stderr
    return json.loads(out.read_text(encoding="utf-8")), run.stdout + run.stderr


PACK: tuple[Check, ...] = (manifest, in_line, references, licence, expected_failures, imports)
