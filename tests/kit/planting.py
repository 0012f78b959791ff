"""The table of planted defects: each with the check that catches it and what it says.

``python tests/kit/planting.py`` writes it into docs/kit.md.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from kit.channels import CHANNELS
from kit.files import FILES, InFiles
from kit.pages import PAGE, markdown, with_table
from kit.parts import PARTS
from kit.planted import Defect

from channelome.testing.checks import SUBJECTS, checks_of
from channelome.testing.kit import run_check
from channelome.testing.report import Finding

ALL: list[Defect | InFiles] = [*CHANNELS, *PARTS, *FILES]


def caught(defect: Defect | InFiles, folder: Path) -> Finding:
    """What the check says that is there for the defect."""
    (check,) = [check for check in checks_of(defect.kind) if check.name == defect.check]
    if isinstance(defect, InFiles):
        return run_check(check, defect.make(folder))
    return run_check(check, SUBJECTS[defect.kind](defect.subject))


def said(finding: Finding) -> str:
    """The first of its problems, in short."""
    first = finding.message.partition("; ")[0].partition(" Mismatched")[0]
    return first if len(first) <= 150 else first[:147] + "..."


def rows(folder: Path) -> Iterator[tuple[str, ...]]:
    """A row of the table for each defect."""
    yield "planted defect", "shipped by", "check", "says, among others"
    for defect in ALL:
        finding = caught(defect, folder)
        yield defect.what, defect.of, f"{defect.kind}: {defect.check}", said(finding)


def checks() -> Iterator[tuple[str, ...]]:
    """A row for each check of the kit."""
    yield "check", "of", "level", "what holds", "if not"
    kinds: dict[Any, list[str]] = {}
    for kind in ("pack", *SUBJECTS):
        for check in checks_of(kind):
            kinds.setdefault(check, []).append(kind)
    for check, of in kinds.items():
        yield f"`{check.name}`", ", ".join(of), check.level, check.says, check.hint


def page() -> str:
    """docs/kit.md as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, folder)
        try:
            defects = markdown(rows(Path(folder)))
        finally:
            sys.path.remove(folder)
    return with_table(with_table(PAGE.read_text(encoding="utf-8"), "checks", markdown(checks())), "defects", defects)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
