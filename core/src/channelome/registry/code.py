"""What is loaded of packs: guarded, of the kind and of the pack that its name says, and held beside its manifest."""

import sys
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ModelError, PackError
from .discovery import Problem
from .document import read_document
from .loading import load_object
from .manifest import Entry
from .schema import check_form
from .words import described

_SYNC = "Update it; its author runs `channelome pack sync`."
Key = tuple[str, str, int]


@dataclass(frozen=True)
class _Seen:
    """What was seen of the code behind an entry: where it is another than the manifest says, and then what it says itself."""

    differences: tuple[str, ...] = ()
    facts: Mapping[str, Any] | None = None


class Code:
    """The code behind entries.

    Args:
        strict: whether code that is another than its manifest says raises.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._seen: dict[Key, _Seen] = {}
        self._of: dict[Key, Entry] = {}
        self._lock = threading.Lock()

    def load(self, entry: Entry, names: Iterable[Entry]) -> Any:
        """The class or object of an entry. What else of its pack has been imported by then is compared too.

        Raises:
            PackError: where it cannot be had, is of another kind or another pack, or, if strict, differs from the manifest.
        """
        made = self._made(entry)
        if _key(entry) not in self._seen:
            for other in names:
                if (other.distribution, other.family) == (entry.distribution, entry.family):
                    self._compare(other)
        problems = [problem for problem in self.problems if problem.distribution == entry.distribution]
        if self._strict and problems:
            raise PackError(f"{problems[0].what} (CHANNELOME_STRICT is set)")
        return made

    def facts(self, entry: Entry) -> Mapping[str, Any] | None:
        """What the loaded code says of itself where that is another than the manifest; None where the two agree."""
        return self._seen.get(_key(entry), _Seen()).facts

    @property
    def problems(self) -> tuple[Problem, ...]:
        """One for each pack whose code, as far as it was loaded, is another than its manifest says."""
        found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for key, seen in tuple(self._seen.items()):
            if seen.differences:
                entry = self._of[key]
                found[entry.distribution, entry.family].append(f"'{entry.name}': {', '.join(seen.differences)}")
        return tuple(
            Problem(distribution, f"its manifest is not what its code says: {'; '.join(sorted(said))}", _SYNC, family)
            for (distribution, family), said in found.items()
        )

    def broken(self, names: Iterable[Entry]) -> list[Problem]:
        """What cannot be used, found by loading everything; one problem for all names with one cause."""
        causes: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
        for entry in names:
            try:
                if isinstance(entry.where, str):
                    self._made(entry)
                    self._compare(entry)
                elif isinstance(entry.where, Path):
                    _check_model(entry.where)
            except KeyboardInterrupt:  # of the user
                raise
            except BaseException as error:
                cause = str(error) if type(error) is PackError else described(error)
                causes[entry.distribution, entry.family, cause].append(f"'{entry.name}'")
        return [
            Problem(distribution, f"{', '.join(found)} cannot be used: {cause}", "Update or repair it.", family)
            for (distribution, family, cause), found in causes.items()
        ]

    def _made(self, entry: Entry) -> Any:
        module = entry.where.partition(":")[0]
        _check_home(entry, module, entry.where)
        made = load_object(entry.where)
        if _key(entry) in self._seen:
            return made
        from .agreement import misfit  # of the engine, which the pack has just imported

        wrong = _guarded(lambda: misfit(entry, made))
        if wrong:
            raise PackError(wrong)
        if isinstance(made, type):
            _check_home(entry, made.__module__, f"{made.__module__}:{made.__qualname__}")
        return made

    def _compare(self, entry: Entry) -> None:
        """Hold an entry's code, if it is imported, beside what its manifest says of it; once."""
        if _key(entry) in self._seen or not isinstance(entry.where, str):
            return
        if entry.where.partition(":")[0] not in sys.modules:
            return
        from .agreement import differences, facts_of

        try:
            made = self._made(entry)
        except PackError:  # said to whom uses it
            return
        facts: dict[str, Any] = {}

        def compared() -> list[str]:
            facts.update(facts_of(entry, made))
            return differences(entry.table, facts)

        found = _guarded(compared)
        different = (found,) if isinstance(found, str) else tuple(found)
        with self._lock:
            self._of[_key(entry)] = entry
            self._seen[_key(entry)] = _Seen(different, facts if different else None)


def _guarded(look: Any) -> Any:
    """What `look` gives, or in words how the pack's code failed under it."""
    try:
        return look()
    except KeyboardInterrupt:  # of the user
        raise
    except BaseException as error:
        return f"looking at it failed: {described(error)}"


def _check_home(entry: Entry, module: str, said: str) -> None:
    """Raise `PackError` where a module is not of the distribution that offers the entry."""
    top = module.partition(".")[0]
    if entry.home and top != entry.home and not _ships(entry.distribution, top):
        raise PackError(f"it names {said}, which is not of that pack: its code must lie in {entry.home}")


def _ships(distribution: str, top: str) -> bool:
    """Whether an installed distribution has files in the top package or module `top`."""
    import importlib_metadata

    try:
        files = importlib_metadata.distribution(distribution.split()[0]).files or []
        return any(file.parts[0] in (top, f"{top}.py") for file in files)
    except Exception:  # it is not installed, or its record is broken
        return False


def _check_model(file: Path) -> None:
    """Raise `PackError` where a pack's model is not there or has not the form of one."""
    if not file.is_file():
        raise PackError(f"its file {file.name} is not there")
    try:
        check_form(read_document(file), file.name)
    except ModelError as error:
        raise PackError(str(error).removesuffix(".")) from error


def _key(entry: Entry) -> Key:
    return entry.distribution, entry.name, entry.version
