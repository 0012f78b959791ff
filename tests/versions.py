"""The lowest versions that are declared, and the newest there are on the newest Python here: each a set of its own, and tests in it.

    python tests/versions.py [lowest] [newest]

`lowest` takes the first version of each requirement that core and the packs declare, on the oldest Python; `newest` the newest of
all, without constraints.txt. Both run in environments outside the repository. Needs pip, and what `release/dist.py` finds of Pythons.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "release"))

import dist  # noqa: E402

TESTS = [
    *("tests/engine/test_simulate.py", "tests/engine/test_stimuli.py", "tests/engine/test_bad_input.py", "tests/test_traces.py"),
    *("tests/test_archives.py", "tests/network/test_network.py", "tests/network/test_activity.py", "tests/models/test_round_trip.py"),
    *("tests/registry/test_cite.py", "tests/registry/test_contained.py", "tests/cli/test_commands.py"),
    *("plugins/hh1952", "plugins/tm1991", "plugins/diffrax"),
]  # fmt: skip
"""What meets the edges of the versions: JAX's own, NumPy's, files, units, the command line, diffrax. Two minutes of the whole."""
TOOLS = [
    "pytest",
    "hypothesis",
    "jsonschema",
    "mpmath",
    "scipy",
    "pybtex",
    "citeproc-py",
    "check-jsonschema",
    "hatchling",
    "editables",
    "build",
]
SETS = ("lowest", "newest")
SHOWN = ("jax", "jaxlib", "numpy", "brainunit", "diffrax", "xarray", "scipy", "click")


def requirements() -> Iterator[str]:
    """What core and the packs ask for of others, extras as well."""
    for folder in dist.FOLDERS.values():
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        for asked in (project["dependencies"], *project.get("optional-dependencies", {}).values()):
            yield from (one for one in asked if not one.startswith("channelome"))


def lowest(requirement: str) -> str:
    """The first version that a requirement allows, exactly."""
    return re.sub(r">=([\w.]+).*", r"==\1", requirement)


def tried(what: str) -> bool:
    version, executable = next(dist.pythons()) if what == "lowest" else list(dist.pythons())[-1]
    wanted = [
        lowest(one) if what == "lowest" else re.split(r"[<>=~!]", one)[0] for one in dict.fromkeys(requirements())
    ]
    with tempfile.TemporaryDirectory() as folder:
        dist.run(executable, "-m", "venv", folder)
        python = Path(folder, "bin/python")
        pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install")
        dist.run(*pip, *wanted, *TOOLS)
        members = [word for one in dist.FOLDERS.values() for word in ("-e", one)]
        dist.run(*pip, "--no-deps", "--no-build-isolation", *members)
        found = dist.run(python, "-m", "pip", "--disable-pip-version-check", "list", "--format", "freeze").splitlines()
        print(
            f"{what}: Python {version}, {', '.join(one for one in found if one.partition('==')[0] in SHOWN)}",
            flush=True,
        )
        # what old versions of others warn of is theirs
        warnings = ("-o", "filterwarnings=default") if what == "lowest" else ()
        words = (
            python,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-m",
            "not slow and not release and not thorough",
            *warnings,
            *TESTS,
        )
        return subprocess.run([str(word) for word in words], cwd=ROOT).returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sets", nargs="*", metavar="{lowest,newest}")  # Python 3.11 holds none at all against choices
    passed = True
    sets = parser.parse_args().sets or SETS
    if unknown := [what for what in sets if what not in SETS]:
        parser.error(f"there is no set '{unknown[0]}', but {' and '.join(SETS)}")
    for what in sets:
        began = time.monotonic()
        good = tried(what)
        print(f"{what}: {'passed' if good else 'FAILED'} in {time.monotonic() - began:.0f} s", flush=True)
        passed = passed and good
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
