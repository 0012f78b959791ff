"""Each pack as its users get it: core's wheel and the pack's in an empty environment, and the pack's tests run there.

    python tests/packs_alone.py [PACK ...]

A pack is named as its folder in plugins/; all of them if none is named. The environment is made once, with core alone. Each
pack is installed from its wheel with what it depends on, its tests run from a copy outside the repository, and all that came
with it is taken out before the next. So what a wheel leaves out, a dependency that a pack does not declare, and a test that
needs the repository all fail here. The running Python needs `build` and `hatchling`.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MEMBERS = {
    table["name"]: (path.parent, table)
    for path in [ROOT / "core/pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]
    for table in [tomllib.loads(path.read_text(encoding="utf-8"))["project"]]
}
"""Folder and project table of each distribution of this repository."""
PRESENT = (
    "import json, importlib.metadata as m;"
    "print(json.dumps([d.name.lower().replace('_', '-') for d in m.distributions()]))"
)
PYTEST = [
    "-q", "-W", "error", "--import-mode=importlib", "-p", "no:cacheprovider",
    "-o", "markers=slow\nthorough", "-m", "not slow and not thorough",
]  # fmt: skip


class Failed(Exception):
    """A command that ended with another status than 0, with what it printed; or what is wrong in an environment."""


def run(*command: str | Path, cwd: Path) -> str:
    """What `command` prints. No setting of the caller's Python, pytest or channelome reaches it."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST", "CHANNELOME", "VIRTUAL_ENV"))}
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise Failed(f"$ {' '.join(words)}\n{done.stdout}")
    return done.stdout


def needs(name: str) -> set[str]:
    """The distributions of this repository that come with `name`: itself, what it declares, and what those declare."""
    ours = {asked_name(one) for one in MEMBERS[name][1]["dependencies"]} & set(MEMBERS)
    return {name}.union(*map(needs, ours))


def tests_need(name: str) -> set[str]:
    """The distributions of this repository that its tests need beside it: its extra `test`."""
    asked = MEMBERS[name][1].get("optional-dependencies", {}).get("test", [])
    return {asked_name(one) for one in asked} & set(MEMBERS)


def asked_name(requirement: str) -> str:
    return re.split(r"[\[<>=~!; ]", requirement)[0]


def build(names: Iterable[str], wheels: Path) -> None:
    """Build the wheels of some distributions of this repository, two at a time."""

    def one(name: str) -> str:
        folder = MEMBERS[name][0]
        return run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", wheels, folder, cwd=ROOT)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, names))


class Environment:
    """A virtual environment outside the repository, which gets our distributions from a folder of wheels alone."""

    def __init__(self, work: Path) -> None:
        self.work, self.python = work, work / "venv/bin/python"
        run(sys.executable, "-m", "venv", work / "venv", cwd=work)

    def pip(self, *words: str | Path) -> None:
        run(self.python, "-m", "pip", "--quiet", "--disable-pip-version-check", *words, cwd=self.work)

    def install(self, *names: str) -> None:
        """Install ours by name. What the metadata of a wheel asks for and is neither ours nor declared is not found."""
        every = set[str]().union(*map(needs, names))
        foreign = {one for name in every for one in MEMBERS[name][1]["dependencies"] if asked_name(one) not in MEMBERS}
        if foreign:
            self.pip("install", "-c", ROOT / "constraints.txt", *sorted(foreign))
        self.pip("install", "--no-index", "--find-links", self.work / "wheels", *names)
        ours = {name for name in self.present() if name.startswith("channelome")}
        if ours != every | {"channelome"}:
            raise Failed(f"{', '.join(sorted(ours))} are installed, not {', '.join(sorted(every))}.")

    def present(self) -> set[str]:
        """Names of all installed distributions."""
        return set(json.loads(run(self.python, "-c", PRESENT, cwd=self.work)))

    def back_to(self, before: set[str]) -> None:
        """Take out what was not there before."""
        if extra := sorted(self.present() - before):
            self.pip("uninstall", "--yes", *extra)

    def channelome(self, *words: str) -> str:
        return run(self.python.with_name("channelome"), *words, cwd=self.work)


def two_packs(environment: Environment) -> str:
    """Core and two packs with nothing else there, not even pytest: spikes from `wheel_smoke.py`, and the command itself."""
    environment.install("channelome-hh1952", "channelome-tm1991")
    shutil.copy(ROOT / "tests/wheel_smoke.py", environment.work)
    said = run(environment.python, "wheel_smoke.py", cwd=environment.work)
    environment.channelome("list")
    return said.strip()


def pack_alone(name: str, environment: Environment) -> str:
    """Install a pack, let `channelome doctor` look at it, run its tests: what pytest says in the end."""
    environment.install(name)
    environment.channelome("doctor")
    if beside := tests_need(name):
        environment.install(name, *sorted(beside))
    tests = environment.work / "tests" / name
    shutil.copytree(MEMBERS[name][0] / "tests", tests, ignore=shutil.ignore_patterns("__pycache__"))
    said = run(environment.python, "-m", "pytest", *PYTEST, f"--rootdir={tests}", tests, cwd=tests)
    return said.strip().splitlines()[-1].strip("= ")


def tried(title: str, step: Callable[[], str]) -> bool:
    """Whether `step` succeeds, with a line of the table: its title, how long it took in s, and what it says."""
    begin = time.perf_counter()
    try:
        said, failure = step(), ""
    except Failed as error:
        said, failure = "FAILED", str(error)
    print(f"{title:<22}{time.perf_counter() - begin:7.1f} s  {said}", flush=True)
    if failure:
        print(failure, flush=True)
    return not failure


def main() -> int:
    packs = [name.removeprefix("channelome-") for name in MEMBERS if name != "channelome"]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("packs", nargs="*", metavar="PACK", help=f"{', '.join(packs)}; all of them if none is named")
    asked = parser.parse_args().packs or packs
    if unknown := sorted(set(asked) - set(packs)):
        parser.error(f"plugins/ holds no {', '.join(unknown)}.")
    names = [f"channelome-{pack}" for pack in asked]
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="packs-alone-") as folder:
        good = try_all(names, Path(folder))
    print(f"{'in all':<22}{time.perf_counter() - begin:7.1f} s")
    return 0 if good else 1


def try_all(names: list[str], work: Path) -> bool:
    """Try each pack in one environment in `work`; whether all is well."""
    asked = {"channelome-hh1952", "channelome-tm1991", *names}.union(*map(tests_need, names))
    wheels = set[str]().union(*map(needs, asked))
    if not tried("wheels", lambda: build(sorted(wheels), work / "wheels") or f"{len(wheels)} built"):
        return False
    environment = Environment(work)

    def core_alone() -> str:
        environment.install("channelome")
        return f"{len(environment.present())} distributions"

    if not tried("core", core_alone):
        return False
    bare = environment.present()
    good = tried("two packs, no pytest", lambda: two_packs(environment))
    environment.back_to(bare)
    environment.pip("install", "-c", ROOT / "constraints.txt", "pytest")
    before = environment.present()
    for name in names:
        good &= tried(name, lambda name=name: pack_alone(name, environment))
        environment.back_to(before)
    return good


if __name__ == "__main__":
    sys.exit(main())
