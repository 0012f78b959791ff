"""What the kit says: a finding for each check and subject, and the report that holds them."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..registry.words import printable

Status = Literal["ok", "failed", "skipped", "expected"]


@dataclass(frozen=True)
class Finding:
    """What one check says of one subject.

    Attributes:
        check: name of the check.
        subject: name of the channel, ion, solver, cell or pack.
        status: ``ok``, ``failed``, ``skipped`` or ``expected``, a failure that the manifest declares.
        message: what is wrong, or why it was skipped or expected; empty if ok.
        hint: how to repair it.
    """

    check: str
    subject: str
    status: Status
    message: str = ""
    hint: str = ""

    @property
    def ok(self) -> bool:
        return self.status != "failed"

    def __str__(self) -> str:
        said = f"{self.subject}: {self.check} {self.status}"
        said += f": {printable(self.message)}" if self.message else ""
        return said + (f"\n    {self.hint}" if self.hint and self.status == "failed" else "")


@dataclass(frozen=True)
class Expected:
    """A failure that a pack declares, with its reason: an entry of ``[[expected_failures]]`` in its manifest."""

    check: str
    name: str
    reason: str


@dataclass(frozen=True)
class Report:
    """The findings on one subject, or on a pack and all that it offers.

    Attributes:
        subject: what was checked.
        level: ``quick``, ``default`` or ``full``.
        findings: in the order of the checks.
    """

    subject: str
    level: str
    findings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no check failed, but for the failures that the manifest declares."""
        return not self.failures

    @property
    def failures(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.ok)

    def raise_failures(self) -> None:
        """Raise `AssertionError` with all failures, for tests."""
        assert self.ok, "\n".join(map(str, self.failures))

    def __add__(self, other: "Report") -> "Report":
        return replace(self, findings=self.findings + other.findings)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        subjects = list(dict.fromkeys(finding.subject for finding in self.findings))
        width = max(map(len, subjects), default=0)
        for subject in subjects:
            own = [finding for finding in self.findings if finding.subject == subject]
            yield f"{subject:<{width}}  {_counts(own)}"
            for finding in own:
                if finding.status in ("failed", "expected"):
                    yield f"    {finding.check} {finding.status}: {printable(finding.message)}"
                if finding.status == "failed" and finding.hint:
                    yield f"        {finding.hint}"
        yield f"{self.subject}: {_counts(self.findings)} ({self.level})"

    def to_json(self) -> str:
        """The report as a JSON object: subject, level, ok and a list of findings."""
        return json.dumps(self.to_data(), indent=2, ensure_ascii=False)

    def to_data(self) -> dict[str, Any]:
        """The report as plain data."""
        findings = [vars(finding) for finding in self.findings]
        return {"subject": self.subject, "level": self.level, "ok": self.ok, "findings": findings}

    @staticmethod
    def from_data(data: dict[str, Any]) -> "Report":
        """The report that `to_data` made this of."""
        return Report(data["subject"], data["level"], tuple(Finding(**finding) for finding in data["findings"]))


def with_expected(finding: Finding, expected: Iterable[Expected]) -> Finding:
    """The finding, excused if its failure is declared, failed if it is declared and does not fail."""
    for one in expected:
        if (one.check, one.name) != (finding.check, finding.subject):
            continue
        if finding.status == "failed":
            return replace(finding, status="expected", message=f"{one.reason} ({finding.message})")
        if finding.status == "ok":
            remedy = "Take it out of [[expected_failures]] in the manifest."
            return replace(finding, status="failed", message="it passes, but its failure is declared", hint=remedy)
    return finding


def _counts(findings: Iterable[Finding]) -> str:
    counts = Counter(finding.status for finding in findings)
    return ", ".join(
        f"{counts[status]} {status}" for status in ("ok", "failed", "expected", "skipped") if counts[status]
    )
