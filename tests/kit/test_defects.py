"""Every defect that we know of in shipped channel code, planted: the check that is there for it catches it."""

import re
from collections import Counter
from pathlib import Path

import pytest
from kit.channels import Mixed, Plain
from kit.pages import PAGE, markdown
from kit.parts import Decaying, Shell
from kit.planting import ALL, caught, checks
from kit.planting import said as in_short

from channelome.testing import Report, check_channel, check_ion, check_synapse
from channelome.testing.checks import SUBJECTS, checks_of


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    """What was said of each defect, by what it is."""
    return {}


@pytest.mark.parametrize("defect", ALL, ids=lambda defect: f"{defect.check}: {defect.what}")
def test_a_planted_defect_is_caught(defect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: dict[str, str]):
    monkeypatch.syspath_prepend(str(tmp_path))
    finding = caught(defect, tmp_path)
    assert finding.status == "failed"
    assert finding.hint
    said[defect.what] = in_short(finding)


def test_the_table_of_defects_is_that_of_the_docs(said: dict[str, str]):
    """All but the numbers, whose last digits are the machine's. If not: python tests/kit/planting.py"""
    if len(said) < len(ALL):
        pytest.skip("needs the tests above")
    page = PAGE.read_text(encoding="utf-8")
    for defect in ALL:
        (line,) = [line for line in page.splitlines() if line.startswith(f"| {defect.what} |")]
        shown = f"| {defect.what} | {defect.of} | {defect.kind}: {defect.check} | {said[defect.what]} |"
        assert _plain(line) == _plain(shown)


def test_the_table_of_checks_is_that_of_the_docs():
    assert markdown(checks()) in PAGE.read_text(encoding="utf-8")


def test_every_check_has_a_defect_that_it_catches():
    kinds = ("pack", *SUBJECTS)
    there = {check.name for kind in kinds for check in checks_of(kind)}
    assert there == {defect.check for defect in ALL}


def test_no_two_defects_have_one_name():
    assert [what for what, n in Counter(defect.what for defect in ALL).items() if n > 1] == []


@pytest.mark.parametrize(
    "report",
    [
        lambda: check_channel(Plain),
        lambda: check_channel(Mixed),
        lambda: check_ion(Shell),
        lambda: check_synapse(Decaying),
    ],
    ids=["channel", "general channel", "ion", "synapse"],
)
def test_what_the_defects_are_planted_in_is_right(report):
    made: Report = report()
    assert made.ok, str(made)


def _plain(text: str) -> str:
    return re.sub(r"-?(\d[\d.]*(e[+-]?\d+)?|nan|inf)", "#", text)
