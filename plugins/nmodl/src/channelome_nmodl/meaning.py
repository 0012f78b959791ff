"""What a mechanism is: rates of states and currents as formulas of V, celsius, ions, states and parameters."""

from dataclasses import dataclass, field

from channelome.units import Unit

from .execute import Arrow
from .expression import Formula
from .text import NmodlError
from .tree import File


@dataclass(frozen=True)
class Quantity:
    """A parameter of the file: its unit (None where it has none that is read), value, and the line that it stands in."""

    name: str
    unit: Unit | None
    written: str
    value: float
    line: int
    note: str = ""


@dataclass
class Meaning:
    """A density mechanism.

    Attributes:
        name: its SUFFIX.
        quantities: parameters that the formulas use, by name.
        rates: ``x'`` per ms of each state.
        starts: of each state the formula that INITIAL gives it; None where it is the steady state.
        arrows: the kinetic scheme, if every state is one of it; empty otherwise.
        currents: mA/cm2 by species, ``""`` for what no ion carries.
        valences: of the species that are not common.
        notes: what was read otherwise than it stands there, or passed over.
        findings: what is wrong with the file.
    """

    file: File
    name: str
    quantities: dict[str, Quantity] = field(default_factory=dict[str, Quantity])
    rates: dict[str, Formula] = field(default_factory=dict[str, Formula])
    starts: dict[str, Formula | None] = field(default_factory=dict[str, Formula | None])
    arrows: list[Arrow] = field(default_factory=list[Arrow])
    currents: dict[str, Formula] = field(default_factory=dict[str, Formula])
    valences: dict[str, int] = field(default_factory=dict[str, int])
    names: dict[Formula, str] = field(default_factory=dict[Formula, str])
    methods: dict[str, str] = field(default_factory=dict[str, str])
    notes: list[str] = field(default_factory=list[str])
    findings: list[str] = field(default_factory=list[str])

    @property
    def scheme(self) -> tuple[str, ...]:
        """The states of the kinetic scheme, in the order of the file's STATE."""
        names = {name for arrow in self.arrows for _, name in (*arrow.left, *arrow.right)}
        return tuple(name for name in self.rates if name in names)

    @property
    def defaults(self) -> dict[str, float]:
        return {name: one.value for name, one in self.quantities.items()}


def check_is_of_membrane(file: File) -> None:
    """Refuse what says itself that it is no mechanism of the membrane.

    Raises:
        NmodlError: for a POINT_PROCESS or an ARTIFICIAL_CELL.
    """
    if file.kind and file.kind != "SUFFIX":
        raise NmodlError(f"{file.source.name}: {file.kind} {file.name} is not a channel of the membrane.")


def check_kind(file: File) -> None:
    where = file.source.name
    if not file.kind:
        raise NmodlError(f"{where}: it has no SUFFIX: it is not a mechanism.")
    check_is_of_membrane(file)
    for word in ("POINTER", "BBCOREPOINTER", "ELECTRODE_CURRENT", "RANDOM"):
        if named := file.lists.get(word):
            raise NmodlError(f"{where}: {word} {', '.join(named)} is what no channel here has.")
    for other in file.others:
        raise NmodlError(f"{where}, line {other.line}: {other.word} has no meaning for a channel here.")
    if "BREAKPOINT" not in file.plain:
        raise NmodlError(f"{where}: it has no BREAKPOINT, so it has no current.")
    writes = [name for ion in file.ions for name in ion.writes if name != f"i{ion.species}"]
    carried = [name for ion in file.ions for name in ion.writes if name == f"i{ion.species}"]
    if writes:
        what = "it is a pool or pump, not a channel alone" if not carried else "it is a channel and a pool in one"
        raise NmodlError(f"{where}: it writes {', '.join(writes)}: {what}.")
    if not carried and not file.lists.get("NONSPECIFIC_CURRENT"):
        raise NmodlError(f"{where}: it writes no current, so it is not a channel.")
