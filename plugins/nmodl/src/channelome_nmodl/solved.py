"""What the blocks that SOLVE names say of states: rates, reactions, sources, updates."""

from dataclasses import dataclass, field

from channelome.formulas import expression as x
from channelome.formulas.expression import Formula

from .tree import File


@dataclass
class Arrow:
    """One transition or reaction of a kinetic scheme: `rate` times the product of `left` (with its powers) per ms."""

    left: tuple[tuple[float, str], ...]
    right: tuple[tuple[float, str], ...]
    rate: Formula
    line: int


@dataclass
class Solved:
    """What SOLVE blocks say of states.

    Attributes:
        rates: ``x'`` of DERIVATIVE blocks, by state.
        arrows, sources, volumes, conserved: of KINETIC blocks.
        along: of states that diffuse along a cell their coefficient times their cross-section, with the line.
        updates: what a procedure makes of a state in one step, by state.
        methods: by block.
    """

    rates: dict[str, Formula] = field(default_factory=dict[str, Formula])
    arrows: list[Arrow] = field(default_factory=list[Arrow])
    sources: list[tuple[str, Formula]] = field(default_factory=list[tuple[str, Formula]])
    volumes: dict[str, Formula] = field(default_factory=dict[str, Formula])
    along: dict[str, tuple[Formula, int]] = field(default_factory=dict[str, tuple[Formula, int]])
    conserved: list[tuple[Formula, Formula]] = field(default_factory=list[tuple[Formula, Formula]])
    updates: dict[str, Formula] = field(default_factory=dict[str, Formula])
    steady: set[str] = field(default_factory=set[str])
    equations: list[tuple[Formula, int]] = field(default_factory=list[tuple[Formula, int]])
    methods: dict[str, str] = field(default_factory=dict[str, str])
    lines: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def said(self) -> int:
        """How many rates, reactions and diffusions there are."""
        return len(self.rates) + len(self.arrows) + len(self.along)


def at_defaults(f: Formula, file: File) -> tuple[Formula, list[str]]:
    """A formula with parameters at their values in the file, and their names."""
    declared = {name: file.parameters[name].value for name in f.symbols if name in file.parameters}
    known = {name: x.number(value) for name, value in declared.items() if isinstance(value, float)}
    return x.substituted(f, known), sorted(known)
