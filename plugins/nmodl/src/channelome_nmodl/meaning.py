"""What a mechanism is: rates of states and currents as formulas of V, celsius, ions, states and parameters."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from channelome.formulas.expression import Formula
from channelome.formulas.plan import Quantity

from .solved import Arrow
from .text import NmodlError
from .tree import File


@dataclass
class Meaning:
    """A density mechanism, or what it is of one ion.

    Attributes:
        name: its SUFFIX.
        species: the ion, of a pool; empty for a channel.
        potential: of a pool the formula of its reversal potential, where the file has one.
        of_neuron: of a pool the concentrations that start from what NEURON has, since the file says nothing.
        steps: states whose hand-written update is no exponential, so that it depends on dt in NEURON.
        quantities: parameters that the formulas use, by name.
        rates: ``x'`` per ms of each state.
        starts: of each state the formula that INITIAL gives it; None where it is the steady state.
        along: of each state that diffuses along a cell its coefficient in um2/ms and the cross-section that it fills in um2.
        arrows: the kinetic scheme, if every state is one of it; empty otherwise.
        currents: mA/cm2 by species, ``""`` for what no ion carries.
        valences: of the species that are not common.
        notes: what was read otherwise than it stands there, or passed over.
        findings: what is wrong with the file.
    """

    file: File
    name: str
    species: str = ""
    potential: Formula | None = None
    of_neuron: set[str] = field(default_factory=set[str])
    steps: set[str] = field(default_factory=set[str])
    quantities: dict[str, Quantity] = field(default_factory=dict[str, Quantity])
    rates: dict[str, Formula] = field(default_factory=dict[str, Formula])
    starts: dict[str, Formula | None] = field(default_factory=dict[str, Formula | None])
    along: dict[str, tuple[Formula, Formula]] = field(default_factory=dict[str, tuple[Formula, Formula]])
    arrows: list[Arrow] = field(default_factory=list[Arrow])
    currents: dict[str, Formula] = field(default_factory=dict[str, Formula])
    valences: dict[str, int] = field(default_factory=dict[str, int])
    names: dict[Formula, str] = field(default_factory=dict[Formula, str])
    methods: dict[str, str] = field(default_factory=dict[str, str])
    notes: list[str] = field(default_factory=list[str])
    findings: list[str] = field(default_factory=list[str])

    @property
    def where(self) -> str:
        """The name of the file."""
        return self.file.source.name

    @property
    def scheme(self) -> tuple[str, ...]:
        """The states of the kinetic scheme, in the order of the file's STATE."""
        names = {name for arrow in self.arrows for _, name in (*arrow.left, *arrow.right)}
        return tuple(name for name in self.rates if name in names)

    @property
    def defaults(self) -> dict[str, float]:
        return {name: one.value for name, one in self.quantities.items() if one.value is not None}


def check_is_of_membrane(file: File) -> None:
    """Refuse what says itself that it is no mechanism of the membrane.

    Raises:
        NmodlError: for a POINT_PROCESS or an ARTIFICIAL_CELL.
    """
    if file.kind and file.kind != "SUFFIX":
        raise NmodlError(f"{file.source.place(file.kind)}: {file.kind} {file.name} is not a channel of the membrane.")


def check_kind(file: File) -> None:
    """Refuse what is no density mechanism.

    Raises:
        NmodlError: naming what it is.
    """
    where = file.source.name
    if not file.kind:
        raise NmodlError(f"{where}: it has no SUFFIX: it is not a mechanism.")
    check_is_of_membrane(file)
    check_words(file)


def check_words(file: File) -> None:
    """Refuse what no mechanism here has.

    Raises:
        NmodlError: naming it, with its line.
    """
    for word in ("POINTER", "BBCOREPOINTER", "ELECTRODE_CURRENT", "RANDOM"):
        if named := file.lists.get(word):
            raise NmodlError(f"{file.source.place(word)}: {word} {', '.join(named)} is what no mechanism here has.")
    for other in file.others:
        raise NmodlError(f"{file.place(other.line)}: {other.word} has no meaning for a mechanism here.")


def carried(file: File) -> list[str]:
    """The currents that a file says it writes."""
    of_ions = [name for ion in file.ions for name in ion.writes if name == f"i{ion.species}"]
    return [*of_ions, *file.lists.get("NONSPECIFIC_CURRENT", ())]


def kept(file: File) -> dict[str, tuple[str, ...]]:
    """By species, the concentrations and reversal potentials that a file says it writes."""
    found: dict[str, tuple[str, ...]] = {}
    for ion in file.ions:
        names = tuple(name for name in ion.writes if name != f"i{ion.species}")
        if names:
            found[ion.species] = (*found.get(ion.species, ()), *names)
    return found


def check_current(file: File) -> None:
    """Refuse what has no current.

    Raises:
        NmodlError: for a file that writes none.
    """
    if "BREAKPOINT" not in file.plain:
        raise NmodlError(f"{file.source.name}: it has no BREAKPOINT, so it has no current.")
    if not carried(file):
        raise NmodlError(f"{file.source.name}: it writes no current, so it is not a channel.")


def all_formulas(meaning: Meaning) -> Iterator[Formula]:
    """Every formula that a mechanism has."""
    yield from meaning.rates.values()
    yield from meaning.currents.values()
    yield from (start for start in meaning.starts.values() if start is not None)
    yield from (arrow.rate for arrow in meaning.arrows)
    yield from (f for pair in meaning.along.values() for f in pair)
    if meaning.potential is not None:
        yield meaning.potential
