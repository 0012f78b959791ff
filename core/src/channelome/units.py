"""The unit system: what users write is converted here, at the door; behind it every number is bare.

Inside, values are in the field's usual units: mV, ms, mS/cm^2, uA/cm^2, uF/cm^2, mM, um, um^2, nA, degC.
A value at the door is a `brainunit` quantity, a string such as ``"120 mS/cm^2"``, a pair ``(array, "mS/cm^2")``
or a mapping ``{"value": 120, "unit": "mS/cm^2"}``. This module imports neither JAX nor brainunit.
"""

import functools
import math
import re
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from .errors import UnitError

Dimension = tuple[int, int, int, int, int, int, int]
"""Exponents of metre, kilogram, second, ampere, kelvin, mole and candela."""

NO_DIMENSION: Dimension = (0, 0, 0, 0, 0, 0, 0)

_BASE: dict[str, tuple[float, Dimension]] = {
    "1": (1.0, NO_DIMENSION),
    "m": (1.0, (1, 0, 0, 0, 0, 0, 0)),
    "g": (1e-3, (0, 1, 0, 0, 0, 0, 0)),
    "s": (1.0, (0, 0, 1, 0, 0, 0, 0)),
    "A": (1.0, (0, 0, 0, 1, 0, 0, 0)),
    "K": (1.0, (0, 0, 0, 0, 1, 0, 0)),
    "mol": (1.0, (0, 0, 0, 0, 0, 1, 0)),
    "M": (1e3, (-3, 0, 0, 0, 0, 1, 0)),
    "L": (1e-3, (3, 0, 0, 0, 0, 0, 0)),
    "Hz": (1.0, (0, 0, -1, 0, 0, 0, 0)),
    "V": (1.0, (2, 1, -3, -1, 0, 0, 0)),
    "S": (1.0, (-2, -1, 3, 2, 0, 0, 0)),
    "F": (1.0, (-2, -1, 4, 2, 0, 0, 0)),
    "C": (1.0, (0, 0, 1, 1, 0, 0, 0)),
    "J": (1.0, (2, 1, -2, 0, 0, 0, 0)),
    "ohm": (1.0, (2, 1, -3, -2, 0, 0, 0)),
    "degC": (1.0, (0, 0, 0, 0, 1, 0, 0)),
}
_PREFIX = {"p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "c": 1e-2, "k": 1e3, "M": 1e6, "G": 1e9}
_ZERO_CELSIUS = 273.15
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺"
_PLAIN = str.maketrans(_RAISED, "0123456789-+")
_DEGREES = re.compile("[\u00b0\u00ba\u02da] ?C")
"""Degrees in two signs; the first is also typed as an ordinal indicator or a ring."""
# What Unicode's own compatibility leaves: mu, omega, minus and dashes, dots and crosses of products, strokes of fractions.
_SPELT = str.maketrans({
    "\u03bc": "u", "\u03a9": "ohm", "\u2212": "-", "\u2010": "-", "\u2012": "-", "\u2013": "-",
    "\u00b7": "*", "\u22c5": "*", "\u2219": "*", "\u2022": "*", "\u00d7": "*", "\u2044": "/", "\u2215": "/",
})  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """A physical unit: its symbol, its factor to SI and its dimension.

    Attributes:
        symbol: as written, for instance ``"mS/cm^2"``.
        scale: how many SI units one of it is.
        dimension: exponents of the seven SI base units.
    """

    symbol: str
    scale: float
    dimension: Dimension

    @staticmethod
    def parse(symbol: str) -> "Unit":
        """The unit that `symbol` spells, with ``*`` or a space, ``/``, ``^`` or ``**`` and brackets, or as it is printed:
        ``"µA/cm²"``, ``"mS·cm⁻²"``, ``"Ω"``, ``"°C"``. Its own symbol has plain letters.

        Raises:
            UnitError: where the symbol is not understood, with the symbols that are.
        """
        return _parse(symbol)

    @property
    def is_dimensionless(self) -> bool:
        return self.dimension == NO_DIMENSION

    def __str__(self) -> str:
        return self.symbol


@functools.cache
def _parse(symbol: str) -> Unit:
    symbol = plain(symbol)
    tokens = re.findall(r"[A-Za-z]+|\d+|\*\*|[-^*/()]", symbol)
    if "".join(tokens) != re.sub(r"\s+", "", symbol):
        raise _not_a_unit(symbol)
    scale, dimension, rest = _product(tokens, symbol)
    if rest:
        raise _not_a_unit(symbol)
    return Unit(symbol, scale, dimension)


def plain(text: str) -> str:
    """A quantity or unit as it is printed, in plain letters: ``"−10 µA·cm⁻²"`` as ``"-10 uA*cm^-2"``."""
    if text.isascii():
        return text
    text = re.sub(f"[{_RAISED}]+", lambda raised: "^" + raised[0].translate(_PLAIN).lstrip("+"), text)
    return unicodedata.normalize("NFKC", _DEGREES.sub("degC", text)).replace("\u00b0C", "degC").translate(_SPELT)


def _product(tokens: list[str], symbol: str) -> tuple[float, Dimension, list[str]]:
    scale, dimension, sign = 1.0, NO_DIMENSION, 1
    while tokens and tokens[0] != ")":
        if tokens[0] in "*/" and len(tokens[0]) == 1:
            sign = 1 if tokens[0] == "*" else -1
            tokens = tokens[1:]
            if not tokens:
                raise _not_a_unit(symbol)
        factor, exponents, tokens = _factor(tokens, symbol)
        scale *= factor**sign
        dimension = _add(dimension, exponents, sign)
        sign = 1
    return scale, dimension, tokens


def _factor(tokens: list[str], symbol: str) -> tuple[float, Dimension, list[str]]:
    head, tokens = tokens[0], tokens[1:]
    if head == "(":
        scale, dimension, tokens = _product(tokens, symbol)
        if not tokens:
            raise _not_a_unit(symbol)
        tokens = tokens[1:]
    else:
        scale, dimension = _atom(head, symbol)
    if head != "1":
        exponent, tokens = _power(tokens, symbol)
        scale, dimension = scale**exponent, _add(NO_DIMENSION, dimension, exponent)
    return scale, dimension, tokens


def _power(tokens: list[str], symbol: str) -> tuple[int, list[str]]:
    """The exponent that `tokens` begin with, written ^2, **2, ^-2, -2 or 2, and what follows it; 1 if there is none."""
    rest = tokens[1:] if tokens[:1] in (["^"], ["**"]) else tokens
    sign, rest = (-1, rest[1:]) if rest[:1] == ["-"] else (1, rest)
    if rest and rest[0].isdigit() and len(rest[0]) == 1:
        return sign * int(rest[0]), rest[1:]
    if len(rest) < len(tokens):
        raise _not_a_unit(symbol)
    return 1, tokens


def _atom(name: str, symbol: str) -> tuple[float, Dimension]:
    if name in _BASE:
        return _BASE[name]
    prefix, base = name[:1], name[1:]
    if prefix in _PREFIX and base in _BASE and base not in ("1", "degC"):
        scale, dimension = _BASE[base]
        return scale * _PREFIX[prefix], dimension
    raise _not_a_unit(symbol)


def _add(dimension: Dimension, other: Dimension, times: int) -> Dimension:
    a, b = dimension, other
    return (
        a[0] + times * b[0],
        a[1] + times * b[1],
        a[2] + times * b[2],
        a[3] + times * b[3],
        a[4] + times * b[4],
        a[5] + times * b[5],
        a[6] + times * b[6],
    )


def _not_a_unit(symbol: str) -> UnitError:
    return UnitError(
        f"'{symbol}' is not a unit that channelome reads. Write products of "
        f"{', '.join(sorted(set(_BASE) - {'1'}))} with a prefix p n u m c k M G, such as 'mS/cm^2' or '1/(ms*mM^2)'."
    )


def convert(value: Any, unit: Unit, where: str) -> Any:
    """The bare number or array that `value` is in `unit`.

    Args:
        value: a brainunit quantity, a string ``"10 mV"``, a pair ``(array, "mV")``, a mapping with ``value`` and
            ``unit``; a bare number only where `unit` is dimensionless or a temperature in degC. The array of a
            quantity or pair may be traced by JAX.
        unit: the unit wanted.
        where: what the value is for, as the error shall name it: ``"g_max of INa_TM1991"``.

    Raises:
        UnitError: for a missing or wrong unit and for what is not a number.
    """
    number, given = _split(value, where)
    if given is None:
        if not unit.is_dimensionless and unit.symbol != "degC":
            raise UnitError(f"{where} needs a unit: got {_short(value)}, expected {_example(value, unit)}.")
        return _numeric(number, where)
    if given.dimension != unit.dimension:
        raise UnitError(f"{where} is in {unit}, but {_short(value)} is not: expected {_example(number, unit)}.")
    number = _numeric(number, where)
    if unit.symbol == "degC":
        return number if given.symbol == "degC" else number * given.scale - _ZERO_CELSIUS
    if given.symbol == "degC":
        raise UnitError(f"{where} is in {unit}; a temperature in degC cannot be converted to it: give it in K.")
    factor = given.scale / unit.scale
    return number if math.isclose(factor, 1.0, rel_tol=1e-12) else number * _tidy(factor)


def difference(value: Any, unit: Unit, where: str) -> Any:
    """As `convert`, of a difference or a spread: 1 K is 1 degC."""
    given = _split(value, where)[1]
    kelvin = unit.symbol == "degC" and given is not None and given.symbol != "degC"
    return convert(value, Unit.parse("K") if kelvin else unit, where)


def _tidy(factor: float) -> float:
    """The factor without the last-digit dust of products of powers of ten, so that 1 V is exactly 1000 mV."""
    return float(f"{factor:.14g}")


def _split(value: Any, where: str) -> tuple[Any, Unit | None]:
    if isinstance(value, str):
        return _split_text(value, where)
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], str):
        return value[0], Unit.parse(value[1])
    if isinstance(value, Mapping):
        if set(value) != {"value", "unit"}:
            raise UnitError(f"{where}: a table must hold exactly 'value' and 'unit', not {sorted(map(str, value))}.")
        return value["value"], Unit.parse(str(value["unit"]))
    kind: Any = type(value)
    if kind.__module__.split(".")[0] in ("brainunit", "saiunit"):
        if kind.__name__ == "Unit":
            return 1.0, _from_brainunit(value)
        quantity: Any = value
        return quantity.mantissa, _from_brainunit(quantity.unit)
    return value, None


_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+))(?:(?:[eE]|\s*\*\s*10\^)([-+]?\d+))?\s*(.*?)\s*")
"""A number, its power of ten (1e-3 or as it is printed, 1 × 10⁻³), and a unit."""


def is_quantity(value: Any) -> bool:
    """Whether `value` is a number, with or without a unit, in any of the ways in which one is written."""
    if isinstance(value, str):
        return _QUANTITY.fullmatch(plain(value).replace("_", "")) is not None
    try:
        _numeric(_split(value, "")[0], "")
    except UnitError:
        return False
    return True


def _split_text(text: str, where: str) -> tuple[float, Unit | None]:
    match = _QUANTITY.fullmatch(plain(text).replace("_", ""))
    if match is None:
        raise UnitError(f"{where}: cannot read '{text}' as a number with a unit, such as '10 mV'.")
    return float(f"{match[1]}e{match[2] or 0}"), Unit.parse(match[3]) if match[3] else None


def _from_brainunit(unit: Any) -> Unit:
    exponents = tuple(int(e) if float(e).is_integer() else float(e) for e in np.asarray(unit.dim._dims))
    return Unit(str(unit), float(unit.magnitude), exponents)  # pyright: ignore[reportArgumentType]


def _numeric(number: Any, where: str) -> Any:
    if isinstance(number, bool) or number is None:
        raise UnitError(f"{where} must be a number or an array of numbers, not {_short(number)}.")
    if isinstance(number, (int, float)):
        return float(number)
    if isinstance(number, (list, tuple, np.ndarray, np.generic)):
        try:
            if isinstance(number, (list, tuple)) and any(_is_jax(x) for x in number):
                return sys.modules["jax"].numpy.asarray(number, float)  # some may be traced
            array = np.asarray(number)
        except (TypeError, ValueError):
            raise UnitError(f"{where}: its rows must be equally long, and all of them numbers.") from None
        if array.dtype.kind not in "iuf":
            raise UnitError(f"{where} must be a number or an array of numbers, not {_short(number)}.")
        return array.astype(float) if array.ndim else float(array)
    if _is_jax(number):
        return number
    raise UnitError(f"{where} must be a number or an array of numbers, not {_short(number)}.")


def _is_jax(x: Any) -> bool:
    return type(x).__module__.split(".")[0] in ("jax", "jaxlib")


def _short(value: Any) -> str:
    if isinstance(value, tuple) and len(value) == 2 and getattr(value[0], "shape", ()) and isinstance(value[1], str):
        return f"an array of shape {value[0].shape} in {value[1]}"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _example(number: Any, unit: Unit) -> str:
    number = number if isinstance(number, (int, float)) and not isinstance(number, bool) else 1
    return f"for instance '{number:g} {unit}' or the same as a brainunit quantity"


@dataclass(frozen=True)
class Bound:
    """What values of a parameter are allowed: `least` itself is, unless `strict`; and `most`, above which `advice` helps."""

    least: float
    strict: bool = False
    most: float = math.inf
    advice: str = ""

    def check(self, value: np.ndarray | float, where: str, unit: Unit) -> None:
        low = np.less_equal if self.strict else np.less
        if np.any(low(value, self.least)):
            relation = "more than" if self.strict else "at least"
            raise UnitError(f"{where} must be {relation} {self.least:g} {unit}, got {np.min(value):g}.")
        if np.any(np.greater(value, self.most)):
            most = f"{self.most:g}" if unit.is_dimensionless else f"{self.most:g} {unit}"
            raise UnitError(f"{where} must be at most {most}, got {np.max(value):g}{self.advice}.")


def _kind(symbol: str) -> Unit:
    return Unit.parse(symbol)


# The types that parameters of channels, ions and cells are declared with. `Any` lets a field hold a float, an array,
# a traced array or a quantity at the door; the unit is what the engine and the manifest read.
Voltage = Annotated[Any, _kind("mV")]
Time = Annotated[Any, _kind("ms")]
PositiveTime = Annotated[Any, _kind("ms"), Bound(0.0, strict=True)]
Rate = Annotated[Any, _kind("1/ms")]
Conductance = Annotated[Any, _kind("mS/cm^2"), Bound(0.0)]
Permeability = Annotated[Any, _kind("cm/s"), Bound(0.0)]
CurrentDensity = Annotated[Any, _kind("uA/cm^2")]
Current = Annotated[Any, _kind("nA")]
Capacitance = Annotated[Any, _kind("uF/cm^2"), Bound(0.0, strict=True)]
Concentration = Annotated[Any, _kind("mM"), Bound(0.0)]
PositiveConcentration = Annotated[Any, _kind("mM"), Bound(0.0, strict=True)]
Length = Annotated[Any, _kind("um"), Bound(0.0, strict=True)]
Diffusivity = Annotated[Any, _kind("um^2/ms"), Bound(0.0, strict=True)]
Area = Annotated[Any, _kind("um^2"), Bound(0.0, strict=True)]
Temperature = Annotated[
    Any,
    _kind("degC"),
    Bound(
        -_ZERO_CELSIUS, strict=True, most=60.0, advice=", which no neuron stands: if it is in kelvin, write '309.15 K'"
    ),
]
Factor = Annotated[Any, _kind("1")]
Share = Annotated[Any, _kind("1"), Bound(0.0, most=1.0)]
