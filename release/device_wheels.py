"""Wheels with which `benchmarks/device.sh` runs on a bare machine: Python 3.12, x86-64, no network, with JAX and tests' tools there.

    python release/device_wheels.py [--out .device-wheels] [MORE ...]

What is there (`THERE`, with all that it needs) is left out; what core and packs need beyond it is downloaded for that machine, and our own
distributions are built. MORE names what shall travel too, peers for example; it is taken in the version that pip chooses.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dist

THERE = ("jax", "jaxlib", "numpy", "scipy", "pytest", "pytest-xdist", "diffrax", "matplotlib")
NEEDED_BY_TESTS = ("hypothesis", "mpmath")
PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)] + [
    "manylinux2014_x86_64",
    "manylinux1_x86_64",
]
"""pip takes wheels of the platforms that it is told, and not of older ones."""
FOR = ("--only-binary=:all:", "--python-version", "3.12", *(word for one in PLATFORMS for word in ("--platform", one)))
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
CONSTRAINTS = ("-c", str(dist.ROOT / "constraints.txt"))


def needed(wanted: list[str], *more: str) -> dict[str, str]:
    """Versions of all that would be installed there, by name; nothing is."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        dist.run(
            *PIP, "install", "--quiet", "--dry-run", "--ignore-installed", "--target", folder, "--report", report, *FOR, *more, *wanted
        )  # fmt: skip
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {one["metadata"]["name"].lower().replace("_", "-"): one["metadata"]["version"] for one in found}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("more", nargs="*", metavar="MORE", help="other distributions that shall travel")
    parser.add_argument("--out", type=Path, default=dist.ROOT / ".device-wheels")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for old in given.out.iterdir():
        old.unlink()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        built = [f for files in pool.map(lambda name: dist.built(name, Path(folder)), dist.FOLDERS) for f in files]
        ours = [Path(f.rename(given.out / f.name)) for f in built if f.suffix == ".whl"]
    there = needed(list(THERE), *CONSTRAINTS)
    wanted = needed([*map(str, ours), *NEEDED_BY_TESTS], *CONSTRAINTS)
    if given.more:
        wanted = needed(given.more) | wanted
    travel = sorted(
        f"{name}=={version}" for name, version in wanted.items() if name not in there and name not in dist.FOLDERS
    )
    subprocess.run([*PIP, "download", "--quiet", "--no-deps", "--dest", given.out, *FOR, *travel], check=True)
    wheels = list(given.out.glob("*.whl"))
    size = sum(wheel.stat().st_size for wheel in wheels) / 2**20
    print(f"{len(wheels)} wheels of {size:.1f} MiB in {given.out.name}/; beside ours {', '.join(travel)}")


if __name__ == "__main__":
    main()
