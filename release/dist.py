"""Everything that would be published: built, looked at, and installed in empty environments on the oldest and the newest Python.

    python release/dist.py [--out dist] [DISTRIBUTION ...]

Of each distribution a source archive and a wheel are built (the wheel from the source archive, so that this lacks nothing), twine and
check-wheel-contents look at them, and licence, version and address are looked for in their metadata. All wheels are then installed
together, with what they need, and `tests/wheel_smoke.py` runs there. Needs `requirements-release.txt`.
"""

import argparse
import email
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {
    tomllib.loads(path.read_text(encoding="utf-8"))["project"]["name"]: path.parent
    for path in [ROOT / "core/pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]
}
MEANT = {"channelome": ("--ignore", "W002"), "channelome-all": ("--ignore", "W007,W008")}
"""The licence of core is also one that `channelome new` offers; `channelome-all` holds nothing."""
OLDEST, NEWEST = "3.11", ("3.14", "3.13", "3.12")


def run(*words: str | Path, cwd: Path = ROOT) -> str:
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        sys.exit(f"$ {' '.join(map(str, words))}\n{done.stdout}")
    return done.stdout


def version_of(name: str) -> str:
    """The one version of a distribution: of a pack in its pyproject.toml, of core in the package itself."""
    project = tomllib.loads((FOLDERS[name] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if "version" in project:
        return project["version"]
    text = (FOLDERS[name] / f"src/{name}/__init__.py").read_text(encoding="utf-8")
    return re.findall(r'^__version__ = "(.+)"$', text, flags=re.M)[0]


def of_tag(tag: str) -> str:
    """The distribution that a tag such as ``channelome-tm1991-v0.1.0`` publishes; its version must be the one that is here."""
    match = re.fullmatch(r"(channelome(?:-[a-z0-9]+)*)-v(\d[\w.]*)", tag)
    if match is None or match[1] not in FOLDERS:
        sys.exit(
            f"'{tag}' is no tag of a release: channelome-v0.1.0, channelome-tm1991-v0.1.0. There are {', '.join(FOLDERS)}."
        )
    if match[2] != version_of(match[1]):
        sys.exit(f"'{tag}' is of {match[2]}, and {match[1]} here of {version_of(match[1])}.")
    return match[1]


def built(name: str, out: Path) -> list[Path]:
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, FOLDERS[name])
    return sorted(out.glob(f"{name.replace('-', '_')}-{version_of(name)}*"))


def check(name: str, files: list[Path]) -> None:
    """What is in the metadata of a wheel, and in both archives."""
    wheel, source = next(f for f in files if f.suffix == ".whl"), next(f for f in files if f.suffix == ".gz")
    with zipfile.ZipFile(wheel) as archive:
        inside = archive.namelist()
        metadata = email.message_from_bytes(archive.read(next(one for one in inside if one.endswith("METADATA"))))
    with tarfile.open(source) as archive:
        sources = archive.getnames()
    wanted = {
        "a licence in the wheel": any(one.endswith("licenses/LICENSE") for one in inside),
        "a licence in the source archive": any(one.endswith("/LICENSE") for one in sources),
        "the licence in the metadata": metadata["License-Expression"] == "Apache-2.0"
        and metadata["License-File"] == "LICENSE",
        "its version": metadata["Version"] == version_of(name),
        "addresses": len(metadata.get_all("Project-URL", [])) >= 3,
        "keywords": bool(metadata["Keywords"]),
        "Python's versions": f"Programming Language :: Python :: {OLDEST}" in metadata.get_all("Classifier", []),
    }
    if missing := [what for what, there in wanted.items() if not there]:
        sys.exit(f"{name}: it lacks {', '.join(missing)}.")


def pythons() -> Iterator[tuple[str, str]]:
    """The oldest and the newest Python that are to be had here: version and executable."""
    for versions in ((OLDEST,), NEWEST):
        found = [(version, where) for version in versions if (where := python(version))]
        if not found:
            print(f"no Python {' or '.join(versions)} here: it was not tried", flush=True)
        yield from found[:1]


def python(version: str) -> str:
    """The executable of a version of Python, on the path or kept by pyenv; empty where there is none."""
    name = f"python{version}"
    candidates = [shutil.which(name) or ""]
    if pyenv := shutil.which("pyenv"):
        root = subprocess.run([pyenv, "root"], text=True, capture_output=True).stdout.strip()
        candidates += map(str, sorted(Path(root, "versions").glob(f"{version}.*/bin/{name}")))
    for candidate in candidates:
        if candidate and subprocess.run([candidate, "--version"], capture_output=True).returncode == 0:
            return candidate
    return ""


def installed(executable: str, wheels: list[Path], work: Path) -> str:
    """Install all wheels into an empty environment and run something: what it says."""
    run(executable, "-m", "venv", work)
    run(work / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wheels)
    run(work / "bin/channelome", "doctor", "--deep", cwd=work)
    return run(work / "bin/python", ROOT / "tests/wheel_smoke.py", cwd=work).strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="DISTRIBUTION", help="all of them if none is named")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--tag", help="of a release: builds what it publishes, and installs nothing")
    given = parser.parse_args()
    names = [of_tag(given.tag)] if given.tag else given.names or list(FOLDERS)
    if unknown := sorted(set(names) - set(FOLDERS)):
        parser.error(f"there is no {', '.join(unknown)}.")
    given.out.mkdir(parents=True, exist_ok=True)
    for old in given.out.iterdir():
        old.unlink()
    with ThreadPoolExecutor(2) as pool:
        files = dict(zip(names, pool.map(lambda name: built(name, given.out), names), strict=True))
    for name in names:
        check(name, files[name])
    every = [file for some in files.values() for file in some]
    wheels = [file for file in every if file.suffix == ".whl"]
    run(sys.executable, "-m", "twine", "check", "--strict", *every)
    for name in names:
        wheel = next(file for file in files[name] if file.suffix == ".whl")
        run(Path(sys.executable).with_name("check-wheel-contents"), *MEANT.get(name, ()), wheel)
    print(f"{len(every)} files of {len(names)} distributions in {given.out.name}/, checked", flush=True)
    for version, executable in () if given.tag else pythons():
        with tempfile.TemporaryDirectory() as work:
            print(f"Python {version}: {installed(executable, wheels, Path(work))}", flush=True)


if __name__ == "__main__":
    main()
