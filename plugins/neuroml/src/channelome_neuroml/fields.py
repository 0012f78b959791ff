"""Names of fields, and the fields themselves, of classes that are no channels."""

from collections.abc import Iterable

from channelome.formulas.expression import Formula
from channelome.formulas.plan import Field, Method, Quantity, free
from channelome.units import Unit

from .text import Place


def used(formulas: Iterable[Formula]) -> frozenset[str]:
    """The symbols of formulas."""
    return frozenset[str]().union(*(f.symbols for f in formulas))


def fields_of(
    methods: Iterable[Method], quantities: dict[str, Quantity], symbols: dict[str, str], taken: frozenset[str]
) -> list[Field]:
    """The fields of the parameters that methods use; `symbols` gets what each is called."""
    names = used(f for method in methods for f in method.formulas)
    found = list[Field]()
    for symbol, quantity in quantities.items():
        if symbol in names and symbol not in symbols:
            own = free(symbol, taken | {text.rpartition(".")[2] for text in symbols.values()})
            symbols[symbol] = f"self.{own}"
            found.append(Field(own, quantity, quantity.unit or Unit.parse("1"), quantity.value))
    return found


def given(name: str, unit: str, said: str, place: Place, value: float | None = None) -> Field:
    """A field that is none of the component's attributes."""
    return Field(name, Quantity(said, Unit.parse(unit), unit, value, place.line), Unit.parse(unit), value)
