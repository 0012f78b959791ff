"""What is said of a file that was imported, or was not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from channelome.errors import ChannelomeError
from channelome.formulas.plan import Field
from channelome.formulas.write import names_of
from channelome.scaffold import Looked
from channelome.scaffold.described import base_of, described, found_by_kit, states_of

from .compare import compare
from .load import Imported, load_all
from .oracle import Comparison
from .pack import of
from .text import NmodlError, read, title

TOLERANCE = 1e-6
"""Of the largest current: what counts as equal to NEURON."""
_KIND = re.compile(r"\b(SUFFIX|POINT_PROCESS|ARTIFICIAL_CELL)\b")
_OTHER = ("is not a channel", "is not a mechanism", "has no BREAKPOINT", "writes no current", "no spike reaches it")


@dataclass
class Result:
    """What came of one file.

    Attributes:
        parts: its classes.
        kind: what it calls itself, ``"SUFFIX"``, ``"POINT_PROCESS"`` or ``"ARTIFICIAL_CELL"``.
        refusal: why it is nothing here; empty where it is.
        comparisons: with NEURON, if asked; `trouble` where NEURON could not.
        checks: what the kit found.
    """

    path: Path
    kind: str = ""
    parts: tuple[Imported, ...] = ()
    refusal: str = ""
    comparisons: list[Comparison] = field(default_factory=list[Comparison])
    trouble: str = ""
    checks: list[str] = field(default_factory=list[str])

    @property
    def is_density(self) -> bool:
        """Whether the file is a density mechanism, to NEURON: a channel, a pool, a pump."""
        return self.kind in ("SUFFIX", "") and not any(word in self.refusal for word in _OTHER)

    @property
    def comparison(self) -> Comparison | None:
        """The worst one."""
        return max(self.comparisons, key=lambda one: one.relative, default=None)

    @property
    def differs(self) -> bool:
        return self.comparison is not None and not self.comparison.relative <= TOLERANCE

    @property
    def failed(self) -> bool:
        return not self.parts or self.differs


def looked_at(path: Path, *, python: str = "", check: bool = False) -> Result:
    """Import a file, and compare and check it if asked.

    Args:
        python: an interpreter that has NEURON; not compared if empty.
        check: whether the kit looks at it.
    """
    result = Result(path)
    try:
        result.parts = load_all(path)
    except NmodlError as error:
        result.refusal = str(error)
        return result
    finally:
        result.kind = _kind(path)
    if python:
        try:
            result.comparisons = compare(result.parts, path, python)
        except ChannelomeError as error:
            result.trouble = str(error)
    if check:
        result.checks = [line for one in result.parts for line in found_by_kit(one.cls)]
    return result


def _kind(path: Path) -> str:
    """The first word of a file that says what it is, if it can be read at all."""
    try:
        found = _KIND.search(read(path).text)
    except NmodlError:
        return ""
    return found[1] if found else ""


def told(result: Result) -> str:
    """All that is known of a file, in lines."""
    if not result.parts:
        return f"{result.refusal}"
    lines = [line for one in result.parts for line in described(one.cls, one.plan, _origin(result, one), _of_field)]
    return "\n".join([*lines, *_of_all(result)])


def _origin(result: Result, one: Imported) -> str:
    said = title(one.source)
    return f"{result.path.name}{f': {said}' if said else ''}"


def _of_field(one: Field) -> str:
    renamed = "" if one.name == one.quantity.name else f", {one.quantity.name} in the file"
    return f"{renamed}{'; ' + one.quantity.note if one.quantity.note else ''}"


def _of_all(result: Result) -> Iterator[str]:
    for found in result.checks:
        yield f"  the kit: {found}"
    for comparison in result.comparisons:
        yield f"  {'equal to' if comparison.relative <= TOLERANCE else 'differs from'} {comparison}"
    if result.trouble:
        yield f"  not compared: {result.trouble}"


def kind_of(result: Result) -> str:
    """What the classes of a file are, in words."""
    return " and ".join(one.plan.base.__name__ for one in result.parts)


def looks(path: Path, *, python: str = "", check: bool = False) -> list[Looked]:
    """What `channelome import` says of a file; arguments as of `looked_at`."""
    result = looked_at(path, python=python, check=check)
    if not result.parts:
        return [Looked(path, refusal=result.refusal, is_other=not result.is_density)]
    meanings = [one.plan.meaning for one in result.parts]
    states = tuple(state for one in result.parts for state in states_of(one.cls))
    said = tuple(text for one in meanings for text in (*one.notes, *one.findings))
    ion = result.parts[0].plan.ion
    return [
        Looked(
            path, meanings[0].name, kind_of(result), states, told(result),
            difference=result.comparison.relative if result.comparison else None, is_different=result.differs, trouble=result.trouble,
            notes=(*said, *result.checks), base=base_of(result.parts[0].cls, meanings[0]), ion=ion if isinstance(ion, str) else "",
            named=lambda name: tuple(names_of([one.plan for one in result.parts], name)), write=lambda name: of(result.parts, path, name),
        )
    ]  # fmt: skip
