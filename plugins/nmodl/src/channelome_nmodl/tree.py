"""What a .mod file says, as a tree: its blocks, statements and expressions, each with its line. Nothing is understood yet."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .text import Source

# ---- expressions ----


class Number(NamedTuple):
    value: float


class Name(NamedTuple):
    """A variable, with its index in an array if it has one."""

    name: str
    index: Any
    line: int


class Call(NamedTuple):
    name: str
    arguments: tuple[Any, ...]
    line: int


class Binary(NamedTuple):
    sign: str
    left: Any
    right: Any


class Unary(NamedTuple):
    sign: str
    operand: Any


class Text(NamedTuple):
    text: str


# ---- statements ----


class Local(NamedTuple):
    names: tuple[tuple[str, Any], ...]


class Assign(NamedTuple):
    target: Name
    value: Any


class Prime(NamedTuple):
    """``x' = value``."""

    name: str
    order: int
    value: Any
    line: int


class Do(NamedTuple):
    """A call that stands alone."""

    call: Call


class If(NamedTuple):
    test: Any
    then: tuple[Any, ...]
    other: tuple[Any, ...]
    line: int


class Loop(NamedTuple):
    """``FROM name = first TO last BY step { body }``."""

    name: str
    first: Any
    last: Any
    step: Any
    body: tuple[Any, ...]
    line: int


class While(NamedTuple):
    test: Any
    body: tuple[Any, ...]
    line: int


class Solve(NamedTuple):
    block: str
    method: str
    steady: bool
    line: int


class Table(NamedTuple):
    line: int


class Conserve(NamedTuple):
    left: Any
    right: Any
    line: int


class Compartment(NamedTuple):
    """Volumes of states; of arrays for each element, whose number is `counter` in the volume."""

    counter: str
    volume: Any
    states: tuple[Name, ...]
    line: int


class Along(NamedTuple):
    """``LONGITUDINAL_DIFFUSION``: of states their diffusion coefficient times the cross-section that they fill; of arrays as `Compartment`."""

    counter: str
    value: Any
    states: tuple[Name, ...]
    line: int


class Reaction(NamedTuple):
    """``~ left <-> right (forward, backward)``; sides as pairs of a coefficient and a state. `backward` may be 0."""

    left: tuple[tuple[float, Name], ...]
    right: tuple[tuple[float, Name], ...]
    forward: Any
    backward: Any
    line: int


class Flux(NamedTuple):
    """``~ x << (value)``."""

    into: Name
    value: Any
    line: int


class Equation(NamedTuple):
    """One of a LINEAR or NONLINEAR block."""

    left: Any
    right: Any
    line: int


class Verbatim(NamedTuple):
    text: str
    line: int


class Block(NamedTuple):
    """Statements in braces."""

    body: tuple[Any, ...]


class Begin(NamedTuple):
    """INITIAL of a NET_RECEIVE: what the variables of each connection start from."""

    body: tuple[Any, ...]


class Other(NamedTuple):
    """What is read and means nothing for a channel, or cannot be meant; by its keyword."""

    word: str
    line: int


# ---- the file ----


class Declared(NamedTuple):
    """A variable of PARAMETER, ASSIGNED or STATE."""

    name: str
    unit: str
    value: Any
    size: Any
    low: float | None
    high: float | None
    line: int


class Ion(NamedTuple):
    species: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    valence: float | None
    line: int


class Routine(NamedTuple):
    """A FUNCTION or PROCEDURE, or a block with a name."""

    kind: str
    name: str
    arguments: tuple[str, ...]
    body: tuple[Any, ...]
    line: int


@dataclass
class File:
    """All that one file says; filled while it is read, and not changed afterwards.

    Attributes:
        included: of each file that it includes how many lines are counted before its first, and its name.
    """

    source: Source
    kind: str = ""
    name: str = ""
    ions: list[Ion] = field(default_factory=list[Ion])
    lists: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    parameters: dict[str, Declared] = field(default_factory=dict[str, Declared])
    assigned: dict[str, Declared] = field(default_factory=dict[str, Declared])
    states: dict[str, Declared] = field(default_factory=dict[str, Declared])
    constants: dict[str, tuple[float | None, tuple[str, ...]]] = field(
        default_factory=dict[str, tuple[float | None, tuple[str, ...]]]
    )
    defined: dict[str, int] = field(default_factory=dict[str, int])
    file_locals: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    routines: dict[str, Routine] = field(default_factory=dict[str, Routine])
    plain: dict[str, tuple[Any, ...]] = field(default_factory=dict[str, tuple[Any, ...]])
    lines: dict[str, int] = field(default_factory=dict[str, int])
    verbatim: list[Verbatim] = field(default_factory=list[Verbatim])
    includes: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    others: list[Other] = field(default_factory=list[Other])
    included: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])

    def at(self, line: int) -> tuple[str, int]:
        """The file that a line stands in, this one or one that it includes, and its number there."""
        begins = [(self.source.before, self.source.name), *self.included]
        before, name = max((one for one in begins if one[0] < line), default=begins[0])
        return name, max(line - before, 0)

    def place(self, line: int) -> str:
        """A line as messages call it; the file alone where there is none."""
        name, own = self.at(line)
        return f"{name}, line {own}" if own else self.source.name
