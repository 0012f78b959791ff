"""`check_channel` and its like: run the checks of a kind, at a level, and report."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import ModelError
from ..mechanisms.channels import Channel
from ..mechanisms.ions import Ion
from ..mechanisms.transmission import Contact, Release
from ..registry import registry
from ..registry.words import printable
from .checks import CHECKS, SUBJECTS, checks_of
from .kit import Check, Level, at_level, run_check
from .packs import PackSubject, check_elsewhere, installed_pack, is_file_or_folder
from .report import Finding, Report, with_expected


def check_names() -> frozenset[str]:
    """The names of all checks, those that plugins add too."""
    return frozenset(check.name for kind in (*CHECKS, "pack") for check in checks_of(kind))


def check_channel(what: str | type[Channel], *, level: Level = "default", golden: Iterable[Path] = ()) -> Report:
    """Check a channel, by its registered name or its class.

    Args:
        what: a name or a class.
        level: ``"quick"`` (rates and words), ``"default"`` or ``"full"``.
        golden: files of golden data, as of `check_golden`.

    Raises:
        UnknownName: for a name that no installed pack provides.
    """
    return _report("channel", what, level, golden)


def check_ion(what: str | type[Ion], *, level: Level = "default") -> Report:
    """Check an ion, by its registered name or its class."""
    return _report("ion", what, level)


def check_synapse(what: str | type[Contact | Release], *, level: Level = "default") -> Report:
    """Check a synapse or a plasticity, by its registered name or its class."""
    return _report("synapse", what, level)


def check_solver(what: Any, *, level: Level = "default") -> Report:
    """Check a solver, by its registered name or the object itself."""
    return _report("solver", what, level)


def check_cell(what: str, *, level: Level = "default") -> Report:
    """Check a cell that a pack offers, points or reconstructed, by its registered name.

    Raises:
        ModelError: for a cell itself.
    """
    if not isinstance(what, str):
        raise ModelError(
            f"check_cell() is given the name under which a pack offers a cell, 'RE_Li2017', not a {type(what).__name__}."
        )
    return _report("cell", what, level)


def check_one(name: str, *, level: Level = "default") -> Report:
    """Check one thing of any kind by its registered name."""
    entry = registry.find(name)
    if entry.kind not in CHECKS:
        raise ModelError(f"'{name}' is of the kind '{entry.kind}', which the kit has no checks for.")
    return _report(entry.kind, name, level)


def check_pack(what: str | os.PathLike[str], *, level: Level = "default", golden: Iterable[Path] = ()) -> Report:
    """Check a pack and everything that it offers.

    Args:
        what: the name of an installed distribution or of its family; or the path of a pack's folder, whose golden data are
            those in ``tests/*.json``, or of a wheel, which need not be installed.
        level: as of `check_channel`.
        golden: files of golden data for an installed pack.

    Raises:
        UnknownName: where no installed pack has the name.
        PackError: for a path that is no pack.
    """
    if is_file_or_folder(what):
        return check_elsewhere(Path(what), level)
    return check_installed(os.fspath(what), level=level, golden=golden)


def check_installed(name: str, *, level: Level, golden: Iterable[Path] = ()) -> Report:
    """`check_pack` of an installed distribution, also where a folder of that name lies in the current one."""
    pack = installed_pack(name, check_names())
    findings = [with_expected(job.run(), pack.expected) for job in pack_jobs(pack, level, tuple(golden))]
    return Report(pack.name, level, tuple(findings))


class Job(NamedTuple):
    """One check of one thing of a pack, which nothing of is imported before it runs."""

    name: str
    kind: str
    check: Check
    subject: "LazySubject"

    def run(self) -> Finding:
        """What the check says."""
        try:
            subject = self.subject.made()
        except KeyboardInterrupt:  # of the user
            raise
        except BaseException as error:
            said = printable(error)
            return Finding(self.check.name, self.name, "failed", f"it cannot be loaded: {said}", "`channelome doctor`")
        return run_check(self.check, subject)


class LazySubject:
    """A subject, made when it is first asked for: its checks share what it has computed."""

    def __init__(self, kind: str, what: Any, golden: tuple[Path, ...]) -> None:
        self._given, self._made = (kind, what, golden), None

    def made(self) -> Any:
        """The subject."""
        if self._made is None:
            kind, what, golden = self._given
            self._made = what if kind == "pack" else SUBJECTS[kind](what, golden)
        return self._made


def pack_jobs(pack: PackSubject, level: Level, golden: tuple[Path, ...]) -> Iterator[Job]:
    """All checks of a pack and of what it offers, of the kinds that the kit knows."""
    whole = LazySubject("pack", pack, ())
    yield from (Job(pack.name, "pack", check, whole) for check in at_level(checks_of("pack"), level))
    for entry in pack.entries:
        subject = LazySubject(entry.kind, entry.name, golden)
        checks = at_level(checks_of(entry.kind), level)
        yield from (Job(entry.name, entry.kind, check, subject) for check in checks)


def _report(kind: str, what: Any, level: Level, golden: Iterable[Path] = ()) -> Report:
    subject = SUBJECTS[kind](what, tuple(golden))
    return Report(subject.name, level, tuple(run_check(check, subject) for check in at_level(checks_of(kind), level)))
