"""What a class is made of: its base, its fields, and formulas for methods. `build` makes it, `write` writes it."""

import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from ..module import Module
from ..units import Unit
from .expression import Formula

AUTHORING = (
    "Annotated", "Any", "Area", "Array", "Concentration", "Conductance", "CurrentDensity", "Factor", "Gate", "General", "GeneralIon", "IonView", "Length",
    "Linear", "Markov", "Ohmic", "Pool", "Rate", "Rates", "Release", "Synapse", "Temperature", "Time", "Unit", "Voltage", "abs", "exp", "linoid", "log",
    "param", "rates", "sqrt", "tanh", "where",
)  # fmt: skip
"""What a class that is written imports, and `abs`."""
NAMES = frozenset([*AUTHORING, "parameters", "self", "jnp", "jax", "dict", "tuple"])
"""What a class that is written needs for something else."""


@dataclass(frozen=True)
class Quantity:
    """A parameter of the file: its unit (None where it has none that is read), value, and the line that it stands in, of `file` if that is another.

    A value of None is one that must be given: it is of the section, as `diam`.
    """

    name: str
    unit: Unit | None
    written: str
    value: float | None
    line: int
    note: str = ""
    file: str = ""


class Understood(Protocol):
    """What was understood of a file, as far as a class needs it.

    Attributes:
        name: of the mechanism.
        species: of an ion; empty for what is none.
        names: what the file calls some of its formulas.
    """

    @property
    def name(self) -> str: ...
    @property
    def species(self) -> str: ...
    @property
    def names(self) -> Mapping[Formula, str]: ...
    @property
    def where(self) -> str:
        """The name of the file."""
        ...


M = TypeVar("M", bound=Understood)


@dataclass(frozen=True)
class Field:
    """A parameter of the class: its name here, the file's quantity, its unit and default here; None where it must be given, or where
    it is `of_place`, which compartments give."""

    name: str
    quantity: Quantity
    unit: Unit
    default: float | None
    of_place: bool = False


@dataclass(frozen=True)
class Method:
    """A method: what it is a function of, and the formulas of what it returns.

    `returns` is ``rates``, ``gate``, ``linear`` (two formulas), ``value`` (one), ``table`` (one for each of `keys`), ``pairs`` (two for each) or ``sent``
    (a table, and a value).
    """

    name: str
    arguments: tuple[str, ...]
    returns: str
    formulas: tuple[Formula, ...]
    keys: tuple[Any, ...] = ()


@dataclass
class Plan(Generic[M]):
    """A class: `symbols` says what each symbol of the formulas is, ``V``, ``self.g_max``, ``k.E`` or a state's name."""

    meaning: M
    base: type[Module]
    ion: str | tuple[str, ...] | None
    reads: tuple[str, ...]
    keywords: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    words: dict[str, Any] = field(default_factory=dict[str, Any])
    fields: list[Field] = field(default_factory=list[Field])
    methods: list[Method] = field(default_factory=list[Method])
    symbols: dict[str, str] = field(default_factory=dict[str, str])


def identifier(name: str) -> str:
    return name.replace("[", "_").replace("]", "").removesuffix("#")


def free(name: str, taken: Iterable[str]) -> str:
    """A name for a field, a state or a method that nothing else has, and that Python reads as one of an attribute that is public."""
    name, taken = re.sub(r"\W", "_", name, flags=re.ASCII).lstrip("_"), frozenset(taken)
    name = name if name[:1].isalpha() else f"x{name}"
    while name in taken or keyword.iskeyword(name):
        name += "_"
    return name
