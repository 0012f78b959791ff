"""A voltage clamp: what holds a cell at a commanded voltage, ideally or through a series resistance."""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from ..equality import same
from ..errors import ModelError, UnitError
from ..streams import Stream
from ..units import Unit, convert
from .amounts import VOLTAGE, number, written
from .current import Counted, Current
from .epochs import command as held

RESISTANCE, SPECIFIC = "Mohm", "kohm*cm^2"
_TO_DENSITY = 1e5
"""From uS/um^2 to mS/cm^2."""


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False, repr=False)
class Clamp:
    """A voltage clamp as a stimulus, what `voltage_clamp` makes. A current may be added: it is injected beside the clamp.

    Attributes:
        command: the voltage, in mV.
        resistance: in series with the cell, in `unit`; None for an ideal clamp.
        unit: ``"Mohm"``, or ``"kohm*cm^2"`` for a cell without an area.
        beside: a current that is injected as well, or None.
    """

    command: Current
    resistance: Any = None
    unit: str = RESISTANCE
    beside: Current | None = None
    __array_ufunc__ = None

    def __add__(self, other: Any) -> "Clamp":
        if isinstance(other, Clamp):
            raise ModelError("two clamps cannot hold one cell: add their commands, or leave one out.")
        if not isinstance(other, Current):
            return NotImplemented
        if other.unit == VOLTAGE:
            raise UnitError("a voltage cannot be injected beside a clamp: add it to the clamp's command.")
        return Clamp(self.command, self.resistance, self.unit, other if self.beside is None else self.beside + other)

    def __radd__(self, other: Any) -> "Clamp":
        return self if isinstance(other, int) and other == 0 else self + other  # where `sum` begins

    def __sub__(self, other: Any) -> "Clamp":
        return self + (-other) if isinstance(other, Current) else NotImplemented

    def __mul__(self, other: Any) -> Any:
        raise ModelError("a clamp holds a cell as it is: multiply or subtract its command, voltage_clamp(2 * command).")

    __rmul__ = __truediv__ = __rsub__ = __mul__

    def __neg__(self) -> Any:
        return self * -1

    def counted(self, cell: Any, dt: float, dtype: Any, origin: int, stream: Stream) -> "CountedClamp":
        """The same for a run of a cell with steps of `dt` ms, whose first has the number `origin`; see `Current.counted`."""
        g = None
        if self.resistance is not None:
            g = number(
                1 / self.resistance if self.unit == SPECIFIC else _TO_DENSITY / (self.resistance * cell.area), dtype
            )
        command = self.command.counted(dt, dtype, stream)
        return CountedClamp(command, g, np.int32(origin), self.command.span[0] < origin * dt)

    def __eq__(self, other: object) -> bool:
        return same(self, other) if isinstance(other, Clamp) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.unit, self.command))

    def __repr__(self) -> str:
        series = "" if self.resistance is None else f", series_resistance={written(self.resistance, self.unit)}"
        return f"voltage_clamp({self.command!r}{series}){'' if self.beside is None else f' + {self.beside!r}'}"

    def tree_flatten(self) -> tuple[tuple[Any, ...], str]:
        return (self.command, self.resistance, self.beside), self.unit

    @classmethod
    def tree_unflatten(cls, unit: str, children: tuple[Any, ...]) -> "Clamp":
        return cls(children[0], children[1], unit, children[2])


def clamp(command: Any, series_resistance: Any = None) -> Clamp:
    """The clamp with this command: a waveform in mV, or a voltage to hold.

    Raises:
        UnitError: for a command that is no voltage, and for a resistance without or with another unit.
        ModelError: for a series resistance of 0 or below.
    """
    if not isinstance(command, Current):
        command = held((convert(command, Unit.parse(VOLTAGE), "the command of a voltage clamp"), VOLTAGE))
    if command.unit != VOLTAGE:
        raise UnitError(
            f"the command of a voltage clamp is a voltage, in mV, and not in {command.unit}: a current is injected as it is, "
            f"stimulus=step(...)."
        )
    if series_resistance is None:
        return Clamp(command)
    unit, value = _resistance(series_resistance)
    if not isinstance(value, Tracer) and not np.all((np.asarray(value) > 0) & np.isfinite(value)):
        raise ModelError(
            f"a series resistance must be more than 0, and finite, got {value} {unit}: leave it out for an ideal clamp."
        )
    return Clamp(command, value, unit)


def _resistance(value: Any) -> tuple[str, Any]:
    what = "the series resistance of the clamp"
    try:
        return SPECIFIC, convert(value, Unit.parse(SPECIFIC), what)
    except UnitError:
        return RESISTANCE, convert(value, Unit.parse(RESISTANCE), what)


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False)
class CountedClamp:
    """A clamp in steps of a run: an argument of the compiled program.

    Attributes:
        command: in mV.
        conductance: of the series resistance, in mS/cm^2; None for an ideal clamp.
        origin: number of the run's first step.
        earlier: whether the command says what was held before it.
    """

    command: Counted
    conductance: Any
    origin: Any
    earlier: bool = True

    @property
    def ideal(self) -> bool:
        return self.conductance is None

    def before(self) -> Any:
        """The voltage that was held until the run began, in mV; the first one where the command begins only then."""
        return self.command.at(self.origin - 1, 1.0) if self.earlier else self.command.at(self.origin, 0.0)

    def slope(self, n: Any, dt: Any) -> Any:
        """How fast the command moves when step `n` begins, in mV/ms: the mean of before and after. Jumps are left out."""

        dtype = np.result_type(dt)

        def side(n: Any, share: float) -> Any:
            here, one = (np.asarray(x, dtype) for x in (share, 1.0))
            return jax.jvp(lambda s: self.command.at(n, s), (here,), (one,))[1]

        just_before = 1 - 16 * float(np.finfo(dtype).eps)
        return (side(n - 1, just_before) + side(n, 0.0)) / (2 * dt)

    def tree_flatten(self) -> tuple[tuple[Any, ...], bool]:
        return (self.command, self.conductance, self.origin), self.earlier

    @classmethod
    def tree_unflatten(cls, earlier: bool, children: tuple[Any, ...]) -> "CountedClamp":
        command, conductance, origin = children
        return cls(command, conductance, origin, earlier)
