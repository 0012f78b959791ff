"""Smooth currents: sines, and functions of one's own."""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from ..clock import rhythm
from ..equality import arrived, sent
from ..errors import ModelError, UnitError
from ..units import Unit, convert
from .amounts import ABSOLUTE, DENSITY, RATE, VOLTAGE, alike, amplitude_of, finite, length_of, number, time_of
from .current import Current
from .edges import Edgeless, positive
from .form import Form, Named, Numbers


def sine(amplitude: Any, *, period: Any, offset: Any = None, phase: float = 0.0) -> Current:
    """``offset + amplitude sin(2 pi t / period + phase)``, phase in radians."""
    unit, value = amplitude_of(amplitude)
    mean = 0.0 if offset is None else alike(offset, unit, "the offset of the sine")
    length = finite(time_of(period, "period"), "the period of the sine")
    positive(length, "the period of the sine")
    turned = convert(phase, Unit.parse("1"), "the phase of the sine, in radians,")
    numbers = {"amplitude": value, "period": length, "offset": mean, "phase": finite(turned, "the phase of the sine")}
    return Current(unit, SINE, numbers, length_of(0.0, length) / 2)


@dataclass(frozen=True)
class _Sine(Edgeless, Named):
    def counted(self, numbers: Numbers, dt: float, dtype: Any) -> tuple[Form, Numbers]:
        amounts = {name: number(numbers[name], dtype) for name in ("amplitude", "offset", "phase")}
        return self, {**amounts, "turns": rhythm(dt, numbers["period"], 0.0, dtype)}

    def mean(self, numbers: Numbers, n: Any, first: Any, last: Any) -> Any:
        """Of a sine over an interval: its middle, times the sine of half the angle over that."""
        width = (last - first) * numbers["turns"].ratio
        middle = self._wave(numbers, n, (first + last) / 2)
        return numbers["offset"] + numbers["amplitude"] * jnp.sinc(width) * middle

    def at(self, numbers: Numbers, n: Any, share: Any) -> Any:
        return numbers["offset"] + numbers["amplitude"] * self._wave(numbers, n, share)

    def span(self, numbers: Numbers) -> tuple[float, float]:
        return -math.inf, math.inf

    def _wave(self, numbers: Numbers, n: Any, share: Any) -> Any:
        _, turned = numbers["turns"].at(n)
        return jnp.sin(2 * jnp.pi * (turned + share * numbers["turns"].ratio) + numbers["phase"])


SINE = _Sine("sine", (("amplitude", 0), ("offset", 0), ("phase", 0), ("turns", 0)), {"period": "ms", "phase": ""})


def function(f: Callable[[Any], Any], *, unit: str, detail: Any = None) -> Current:
    """A current given as a function of the time in ms, which JAX can trace, in `unit`.

    Over a step it is taken at two points, whose mean is that of any cubic.

    Args:
        unit: of what `f` returns, for instance ``"nA"`` or ``"uA/cm^2"``, ``"mV"`` for a clamp's command or ``"Hz"`` for the rate
            of a source.
        detail: the shortest feature of `f` in time, if steps of integration shall be checked against it.
    """
    if not callable(f) or not _takes_one(f):
        raise ModelError(f"a stimulus function takes the time in ms, f(t); got {f!r}.")
    if not isinstance(unit, str):
        raise UnitError(f"the unit of a stimulus function is a text, such as 'nA', not {unit!r}.")
    own = Unit.parse(unit)
    target = next((u for u in (DENSITY, ABSOLUTE, VOLTAGE, RATE) if Unit.parse(u).dimension == own.dimension), None)
    if target is None:
        raise UnitError(
            f"the unit of a stimulus must be a current or a current density, such as 'nA' or 'uA/cm^2', of a clamp's command a "
            f"voltage, of a rate a frequency, not '{unit}'."
        )
    scale = own.scale / Unit.parse(target).scale
    return Current(target, _Function(f), {"scale": scale}, math.inf if detail is None else time_of(detail, "detail"))


def _takes_one(f: Callable[..., Any]) -> bool:
    try:
        return len(inspect.signature(f).parameters) == 1
    except ValueError:  # what is built in may not say what it takes
        return False


_GAUSS = (0.5 - math.sqrt(1 / 12), 0.5 + math.sqrt(1 / 12))


@dataclass(frozen=True)
class _Function(Edgeless):
    f: Callable[[Any], Any]

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (sent(self.f),)

    def counted(self, numbers: Numbers, dt: float, dtype: Any) -> tuple[Form, Numbers]:
        return self, {"scale": number(numbers["scale"], dtype), "ms": rhythm(dt, 1.0, 0.0, dtype)}

    def mean(self, numbers: Numbers, n: Any, first: Any, last: Any) -> Any:
        one, two = (self.at(numbers, n, first + (last - first) * node) for node in _GAUSS)
        return (one + two) / 2

    def at(self, numbers: Numbers, n: Any, share: Any) -> Any:
        whole, part = numbers["ms"].at(n)
        part = part + share * numbers["ms"].ratio
        return numbers["scale"] * self._asked(whole.astype(part.dtype) + part)

    def _asked(self, t: Any) -> Any:
        name = getattr(self.f, "__name__", "f")
        try:
            value = jnp.asarray(self.f(t))
        except (TypeError, ValueError, jax.errors.JAXIndexError) as error:
            raise ModelError(
                f"the stimulus function '{name}' is no function of a time that JAX traces: take jax.numpy in place of math and numpy, "
                f"jnp.where in place of if, and return a number. JAX says: {str(error).splitlines()[0]}"
            ) from error
        if (not jnp.issubdtype(value.dtype, jnp.number) and value.dtype != bool) or jnp.iscomplexobj(value):
            raise ModelError(f"the stimulus function '{name}' returns {value.dtype}, and a current is a real number.")
        return value.astype(t.dtype)

    def span(self, numbers: Numbers) -> tuple[float, float]:
        return -math.inf, math.inf

    def neurons(self, numbers: Numbers) -> Any:
        return {"scale": 0, "ms": type(numbers["ms"])(-1, -1, -1, -1, type(numbers["ms"].offset)(-1, -1))}

    def text(self, numbers: Numbers, unit: str) -> str:
        return f"function({getattr(self.f, '__name__', 'f')}, unit={unit!r})"


def _arrived(f: Any) -> _Function:
    return _Function(arrived(f))
