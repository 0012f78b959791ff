"""NeuroML's units, read to the last digit: each quantity becomes a number of one coherent system, which is also channelome's.

Lengths are in um, times in ms, currents in nA, potentials in mV, concentrations in mM; all else follows (conductances in uS). All of these are
powers of ten of SI, so formulas are the same in both.
"""

import math
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from channelome.units import Unit

from .text import Element, Place

Dimension = tuple[int, int, int, int, int, int, int]
"""Exponents of mass, length, time, current, temperature, amount and luminous intensity."""
NONE: Dimension = (0, 0, 0, 0, 0, 0, 0)
_AXES = ("m", "l", "t", "i", "k", "n", "j")
_TENS: Dimension = (-9, -6, -3, -9, 0, -18, 0)
"""How many powers of ten one of the system's units of each axis has of SI."""
ZERO_CELSIUS = Decimal("273.15")


class Measure(NamedTuple):
    """A unit: its dimension, and ``SI = number * scale * 10^power + offset``."""

    dimension: Dimension
    power: int = 0
    scale: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)


DIMENSIONS: Mapping[str, Dimension] = {
    "none": NONE, "time": (0, 0, 1, 0, 0, 0, 0), "per_time": (0, 0, -1, 0, 0, 0, 0), "voltage": (1, 2, -3, -1, 0, 0, 0),
    "per_voltage": (-1, -2, 3, 1, 0, 0, 0), "conductance": (-1, -2, 3, 2, 0, 0, 0), "conductanceDensity": (-1, -4, 3, 2, 0, 0, 0),
    "capacitance": (-1, -2, 4, 2, 0, 0, 0), "specificCapacitance": (-1, -4, 4, 2, 0, 0, 0), "resistance": (1, 2, -3, -2, 0, 0, 0),
    "resistivity": (1, 3, -3, -2, 0, 0, 0), "charge": (0, 0, 1, 1, 0, 0, 0), "charge_per_mole": (0, 0, 1, 1, 0, -1, 0),
    "current": (0, 0, 0, 1, 0, 0, 0), "currentDensity": (0, -2, 0, 1, 0, 0, 0), "length": (0, 1, 0, 0, 0, 0, 0), "area": (0, 2, 0, 0, 0, 0, 0),
    "volume": (0, 3, 0, 0, 0, 0, 0), "concentration": (0, -3, 0, 0, 0, 1, 0), "substance": (0, 0, 0, 0, 0, 1, 0),
    "permeability": (0, 1, -1, 0, 0, 0, 0), "temperature": (0, 0, 0, 0, 1, 0, 0), "idealGasConstantDims": (1, 2, -2, 0, -1, -1, 0),
    "conductance_per_voltage": (-2, -4, 6, 3, 0, 0, 0), "rho_factor": (0, -1, -1, -1, 0, 1, 0),
}  # fmt: skip
_UNITS = {
    "time": "s:0 ms:-3 us:-6 min:0:60 hour:0:3600", "per_time": "per_s:0 Hz:0 kHz:3 per_ms:3 per_us:6 per_min:0:1/60 per_hour:0:1/3600",
    "length": "m:0 cm:-2 mm:-3 um:-6 nm:-9", "area": "m2:0 cm2:-4 um2:-12", "volume": "m3:0 cm3:-6 litre:-3 um3:-18",
    "voltage": "V:0 mV:-3 uV:-6", "per_voltage": "per_V:0 per_mV:3", "resistance": "ohm:0 kohm:3 Mohm:6",
    "conductance": "S:0 mS:-3 uS:-6 nS:-9 pS:-12", "conductanceDensity": "S_per_m2:0 mS_per_cm2:1 S_per_cm2:4 uS_per_cm2:-2 pS_per_um2:0",
    "capacitance": "F:0 uF:-6 nF:-9 pF:-12", "specificCapacitance": "F_per_m2:0 uF_per_cm2:-2", "resistivity": "ohm_m:0 kohm_cm:1 ohm_cm:-2",
    "charge": "C:0 e:0:1.602176634e-19", "charge_per_mole": "C_per_mol:0 nA_ms_per_amol:6 pC_per_umol:-6",
    "current": "A:0 uA:-6 nA:-9 pA:-12", "currentDensity": "A_per_m2:0 uA_per_cm2:-2 mA_per_cm2:1",
    "concentration": "mol_per_m3:0 mol_per_cm3:6 M:3 mM:0 uM:-3 nM:-6", "substance": "mol:0", "permeability": "m_per_s:0 cm_per_s:-2 um_per_ms:-3 cm_per_ms:1",
    "idealGasConstantDims": "J_per_K_per_mol:0 fJ_per_K_per_umol:-9", "conductance_per_voltage": "S_per_V:0 nS_per_mV:-6",
    "rho_factor": "mol_per_m_per_A_per_s:0 mol_per_cm_per_uA_per_ms:11 umol_per_cm_per_nA_per_ms:8",
}  # fmt: skip


def _known() -> dict[str, Measure]:
    found = {"": Measure(NONE), "K": Measure(DIMENSIONS["temperature"])}
    found["degC"] = Measure(DIMENSIONS["temperature"], offset=ZERO_CELSIUS)
    for dimension, units in _UNITS.items():
        for unit in units.split():
            symbol, power, *scale = unit.split(":")
            number = Decimal(1)
            for part in scale:
                above, _, below = part.partition("/")
                number = Decimal(above) / Decimal(below or 1)
            found[symbol] = Measure(DIMENSIONS[dimension], int(power), number)
    return found


UNITS: Mapping[str, Measure] = _known()
OURS: Mapping[Dimension, Unit] = {
    DIMENSIONS[name]: Unit.parse(symbol)
    for name, symbol in {
        "none": "1", "time": "ms", "per_time": "1/ms", "voltage": "mV", "per_voltage": "1/mV", "conductance": "uS", "capacitance": "nF",
        "current": "nA", "length": "um", "area": "um^2", "concentration": "mM", "permeability": "um/ms", "charge": "pC",
        "currentDensity": "nA/um^2", "conductanceDensity": "uS/um^2", "rho_factor": "mM*um^2/(nA*ms)",
    }.items()
}  # fmt: skip
"""The unit that a parameter of a class has, by dimension; those of temperatures are degC, and 273.15 is added in formulas."""
_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?)\s*([A-Za-z_]\w*)?\s*")


class Number(NamedTuple):
    """A quantity in the coherent system, temperatures in K; `written` is its unit in the file."""

    value: float
    dimension: Dimension
    written: str


class Measures:
    """The units and dimensions that a document knows: NeuroML's, and those that it defines."""

    def __init__(self) -> None:
        self.dimensions = dict(DIMENSIONS)
        self.units = dict(UNITS)

    def define(self, element: Element) -> None:
        """Take up a Dimension or a Unit of a file.

        Raises:
            NeuroMLError: for one that is another than NeuroML's of that name.
        """
        if element.tag == "Dimension":
            name, made = element.need("name"), tuple(_whole(element, axis) for axis in _AXES)
            known = self.dimensions.setdefault(name, made)  # pyright: ignore[reportArgumentType]
            same = known == made
        else:
            name = element.need("symbol")
            made = self._unit(element)
            same = self.units.setdefault(name, made) == made
        if not same:
            raise element.refuse(f"{element.tag} '{name}' is another than the one that is known by this name.")

    def dimension(self, name: str, place: Place) -> Dimension:
        if name not in self.dimensions:
            raise place.refuse(f"the dimension '{name}' is not known.")
        return self.dimensions[name]

    def number(self, text: str, place: Place, name: str) -> Number:
        """A quantity as it is written.

        Raises:
            NeuroMLError: for what is none, and for a unit that is not known.
        """
        found = _QUANTITY.fullmatch(text)
        if found is None:
            raise place.refuse(f"{name} = '{text[:60]}' is no number with a unit.")
        symbol = found[2] or ""
        if symbol not in self.units:
            raise place.refuse(f"{name} = '{text[:60]}': the unit '{symbol}' is not known.")
        unit = self.units[symbol]
        try:
            exact = Decimal(found[1]) * unit.scale
            tens = unit.power - sum(a * b for a, b in zip(unit.dimension, _TENS, strict=True))
            value = float(exact.scaleb(tens) + unit.offset)
        except InvalidOperation:
            value = math.inf
        if not math.isfinite(value):
            raise place.refuse(f"{name} = '{text[:60]}' is too large a number.")
        return Number(value, unit.dimension, symbol)

    def of(self, text: str, dimension: str, place: Place, name: str) -> Number:
        """A quantity of a dimension.

        Raises:
            NeuroMLError: where it is of another.
        """
        found = self.number(text, place, name)
        if found.dimension != self.dimension(dimension, place):
            raise place.refuse(f"{name} = '{text[:60]}' is no {dimension}.")
        return found

    def _unit(self, element: Element) -> Measure:
        dimension = self.dimension(element.need("dimension"), element.place)
        try:
            power, scale, offset = (
                int(element.get("power", "0")),
                Decimal(element.get("scale", "1")),
                Decimal(element.get("offset", "0")),
            )
        except (ValueError, InvalidOperation):
            raise element.refuse("power, scale and offset of a Unit are numbers.") from None
        if (
            abs(power) > 60
            or not scale.is_finite()
            or not offset.is_finite()
            or scale <= 0
            or (offset and dimension[4] != 1)
        ):
            raise element.refuse("such a Unit is not read.")
        return Measure(dimension, power, scale, offset)


def named(dimension: Dimension) -> str:
    """What to call a dimension in messages."""
    for name, known in DIMENSIONS.items():
        if known == dimension:
            return "number" if name == "none" else name
    return "quantity of [" + " ".join(f"{axis}^{e}" for axis, e in zip(_AXES, dimension, strict=True) if e) + "]"


def _whole(element: Element, axis: str) -> int:
    text = element.get(axis, "0")
    if not re.fullmatch(r"[-+]?\d{1,2}", text):
        raise element.refuse(f"{axis} of a Dimension is a whole number, not '{text[:40]}'.")
    return int(text)
