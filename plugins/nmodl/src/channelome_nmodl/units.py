"""Units as .mod files write them: constants by unit, and what unit a parameter has here."""

import math
import re
from typing import Any

from channelome.errors import UnitError
from channelome.maths import FARADAY, GAS
from channelome.units import Unit

from .text import NmodlError
from .tree import File

_NATURE = {
    "faraday": FARADAY,
    "k mole": GAS,
    "pi": 3.141592653589793,
    "e": 1.602176634e-19,
    "avogadro": 6.02214076e23,
    "mole": 6.02214076e23,
    "k": 1.380649e-23,
}
"""What a constant given by units stands for, in SI (CODATA 2018, as NEURON 9)."""
_PREFIX = {"kilo": 1e3, "milli": 1e-3, "micro": 1e-6, "nano": 1e-9, "centi": 1e-2, "mega": 1e6, "k": 1e3, "m": 1e-3}
_BASES = ("coulombs", "coulomb", "coul", "joules", "joule", "volts", "volt", "degC", "degK", "kelvin", "mole", "mol")
_WORDS = {
    "millivolt": "mV", "volt": "V", "milliamp": "mA", "nanoamp": "nA", "microamp": "uA", "millimolar": "mM", "mollar": "M", "molar": "M",
    "micromolar": "uM", "nanomolar": "nM", "microns": "um", "micron": "um", "mho": "S", "umho": "uS", "mmho": "mS", "micromho": "uS",
    "siemens": "S", "celsius": "degC", "sec": "s", "seconds": "s", "second": "s", "msec": "ms", "micrometer": "um", "pmho": "pS",
    "microsiemens": "uS", "kelvin": "K", "degK": "K", "coulomb": "C", "coulombs": "C", "joule": "J", "mole": "mol", "hz": "Hz", "/ms": "1/ms",
    "nanosiemens": "nS", "picosiemens": "pS", "mamp": "mA", "namp": "nA", "Mho": "S", "milli": "mM", "mmol": "mmol",
}  # fmt: skip


def constant(name: str, value: float | None, units: tuple[str, ...], file: File) -> float:
    """The number of ``FARADAY = (faraday) (coulomb)`` or ``F = 96480 (coulomb)`` of a UNITS block.

    Raises:
        NmodlError: for a constant of nature, or a unit of one, that is not known here.
    """
    if value is not None:
        return value
    if not units:
        raise NmodlError(f"{file.source.place(name)}: the constant {name} of UNITS has no value.")
    given = " ".join(sorted(re.findall("[a-z]+", units[0].lower())))
    if given not in _NATURE:
        raise NmodlError(
            f"{file.source.place(name)}: the constant {name} = ({units[0]}) is not one that is known here."
        )
    return _NATURE[given] / (_factor(units[1], name, file) if len(units) > 1 else 1.0)


def _factor(unit: str, name: str, file: File) -> float:
    """How many SI units one of `unit` is, for those that such constants are asked in."""
    scale, sign = 1.0, 1
    for part in re.findall(r"/|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[A-Za-z]+|[^\s-]", unit):
        if part == "/":
            sign = -1
        else:
            of = float(part) if part.strip(".")[:1].isdecimal() else _word(part, name, file)
            scale = scale * of if sign > 0 or not of else scale / of
    if not 0 < scale < math.inf:
        raise NmodlError(
            f"{file.source.place(name)}: the unit ({unit}) of the constant {name} is no positive number of any unit."
        )
    return scale


def _word(word: str, name: str, file: File) -> float:
    for base in _BASES:
        if word.endswith(base) and word.removesuffix(base) in ("", *_PREFIX):
            return _PREFIX.get(word.removesuffix(base), 1.0)
    if word in ("mV", "K", "C", "J", "V"):
        return 1e-3 if word == "mV" else 1.0
    raise NmodlError(
        f"{file.source.place(name)}: the unit ({word}) of the constant {name} is not one that is known here."
    )


def unit_of(written: str) -> Unit | None:
    """The unit that a file writes for a variable; None where it is none, or not one that is read here."""
    text = written.strip()
    if text in ("", "1"):
        return Unit.parse("1")
    text = re.sub(r"[A-Za-z]+", lambda m: _WORDS.get(m[0], m[0]), text).replace("-", "*", 1) if text[0] != "-" else text
    text = re.sub(r"(?<=[A-Za-z])\*(?=\d)", "-", text)  # cm-2
    text = re.sub(r"(?<=[A-Za-z])(\d)", r"^\1", text)
    text = f"1{text}" if text.startswith("/") else text
    try:
        return Unit.parse(_products(text))
    except (UnitError, IndexError, ValueError):
        return None


def _products(text: str) -> str:
    """Units side by side as products: all that stand after a ``/`` divide, as in NEURON."""
    above, *below = text.split("/")
    parts = re.split(r"[\s*]+", " ".join(below).strip()) if below else []
    return "/".join([re.sub(r"[\s*]+", "*", above.strip()), *(part for part in parts if part)])


def is_density(unit: Any) -> bool:
    """Whether it is a conductance per area."""
    return unit is not None and unit.dimension == Unit.parse("mS/cm^2").dimension
