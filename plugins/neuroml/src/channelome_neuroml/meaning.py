"""What a mechanism of a NeuroML document is, as far as its class and its report need it."""

from dataclasses import dataclass, field

from channelome.formulas.expression import Formula
from channelome.formulas.plan import Plan as Planned
from channelome.formulas.plan import Quantity

from .text import Place


@dataclass(kw_only=True)
class Found:
    """What is found out about a mechanism.

    Attributes:
        quantities: parameters that the formulas use, by symbol.
        names: what the file calls some of its formulas.
        notes: what was read otherwise than it stands there, or passed over.
        findings: what is wrong with the file.
    """

    quantities: dict[str, Quantity] = field(default_factory=dict[str, Quantity])
    names: dict[Formula, str] = field(default_factory=dict[Formula, str])
    notes: list[str] = field(default_factory=list[str])
    findings: list[str] = field(default_factory=list[str])

    @property
    def defaults(self) -> dict[str, float]:
        return {name: one.value for name, one in self.quantities.items() if one.value is not None}


@dataclass
class Meaning(Found):
    """A channel, a pool or a synapse, and what was found out about it.

    Attributes:
        name: its id.
        where: the name of the file.
        kind: the element that it is, as ``ionChannelHH``.
        place: where that stands.
        species: the ion, of a pool; empty for what is none.
        rates: of each state its change per ms.
        starts: of each state what it starts from; None where it is the steady state.
        scheme: of each pair of states of a kinetic scheme the rate per ms.
    """

    name: str
    where: str
    kind: str
    place: Place
    species: str = ""
    rates: dict[str, Formula] = field(default_factory=dict[str, Formula])
    starts: dict[str, Formula | None] = field(default_factory=dict[str, Formula | None])
    scheme: dict[tuple[str, str], Formula] = field(default_factory=dict[tuple[str, str], Formula])


Plan = Planned[Meaning]
"""A class of what was understood of a component."""
