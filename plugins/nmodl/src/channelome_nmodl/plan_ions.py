"""From an ion's meaning to the class that it becomes: a `Pool` where one linear equation says it all, else a `GeneralIon`."""

from dataclasses import replace
from typing import Any

from channelome.authoring import GeneralIon, Pool
from channelome.formulas import expression as x
from channelome.formulas.expression import Formula
from channelome.formulas.gates import as_gate
from channelome.formulas.plan import NAMES, Field, Method, Quantity, free, identifier
from channelome.mechanisms.ions import VALENCE
from channelome.units import Unit

from .meaning import Meaning
from .names import of_neuron
from .plan import Plan, in_file
from .pools import CURRENT, INSIDE, OUTSIDE

_OURS = {CURRENT: "I", INSIDE: "C_in", OUTSIDE: "C_out"}
_TAKEN = NAMES | {name for name in dir(GeneralIon) if not name.startswith("__")} | {
    "I", "C_in", "C_out", "C_rest", "balance", "rest", "derivatives", "diffusion", "diameter", "potential", "celsius", "species", "valence",
}  # fmt: skip
_OF_PLACE = {"celsius": "celsius", "diam": "diameter"}
"""What a mechanism of NEURON knows of where it is, as fields of ions are called; of these a compartment says its diameter itself."""
_MILLIMOLAR = Unit.parse("mM")


def plan_ion(meaning: Meaning) -> Plan:
    """The class that an ion becomes."""
    return _Planner(meaning).plan()


class _Planner:
    def __init__(self, meaning: Meaning) -> None:
        self.meaning = meaning
        self.symbols = dict(_OURS)
        for state in meaning.rates:
            if state not in _OURS:
                self.symbols[state] = self._free(identifier(state))
        self.fields: list[Field] = []

    def plan(self) -> Plan:
        meaning = self.meaning
        made = Plan(meaning, GeneralIon, None, ())
        made.words["species"] = meaning.species
        if meaning.species not in VALENCE:
            made.words["valence"] = meaning.valences[meaning.species]
        self.symbols |= {own: f"self.{_OURS[own]}" for own in (INSIDE, OUTSIDE) if own not in meaning.rates}
        gate = as_gate(meaning.rates[INSIDE], INSIDE) if list(meaning.rates) == [INSIDE] else None
        rest = meaning.starts.get(INSIDE)
        simple = rest is not None and (
            rest.op == "number" or (rest.op == "symbol" and rest.value in meaning.quantities)
        )
        alone = meaning.potential is None and not meaning.along
        if gate is not None and gate[0] != "rates" and alone and simple:
            made.base = Pool
            made.methods = [Method("balance", ("I",), gate[0], gate[1:])]
            self._rest(rest)
        else:
            made.keywords["variables"] = tuple(self.symbols[name] for name in meaning.rates)
            made.methods = self._methods()
        self._outside(made)
        self._others(made)
        made.fields, made.symbols = sorted(self.fields, key=lambda f: (f.name != "C_rest", *in_file(f))), self.symbols
        return made

    def _methods(self) -> list[Method]:
        meaning, found = self.meaning, list[Method]()
        keys = tuple(self.symbols[name] for name in meaning.rates)
        if keys:
            starts = tuple(start if start is not None else x.number(0) for start in meaning.starts.values())
            starts = tuple(dict(zip(meaning.starts, starts, strict=True))[name] for name in meaning.rates)
            rates = tuple(meaning.rates.values())
            found += [Method("rest", (), "table", starts, keys)]
            found += [Method("derivatives", self._arguments(rates), "table", rates, keys)]
        if meaning.along:
            moved = tuple(self.symbols[name] for name in meaning.along)
            found.append(
                Method("diffusion", (), "pairs", tuple(f for pair in meaning.along.values() for f in pair), moved)
            )
        if meaning.potential is not None:
            self.symbols["celsius"] = "celsius" if "celsius" not in meaning.quantities else "self.celsius"
            found.append(Method("potential", self._arguments((meaning.potential,)), "value", (meaning.potential,)))
        return found

    def _arguments(self, formulas: tuple[Formula, ...]) -> tuple[str, ...]:
        used = frozenset[str]().union(*(f.symbols for f in formulas))
        given = ["celsius"] if "celsius" in used and "celsius" not in self.meaning.quantities else []
        ours = [_OURS[name] for name in _OURS if name in used and not self.symbols[name].startswith("self.")]
        return (
            *given,
            *ours,
            *(self.symbols[name] for name in self.meaning.rates if name in used and name not in _OURS),
        )

    def _rest(self, rest: Formula | None) -> None:
        """The field that holds what the concentration starts from: the file's own parameter under our name."""
        assert rest is not None
        if rest.op == "symbol":
            quantity = self.meaning.quantities[rest.value]
            self.symbols[rest.value] = "self.C_rest"
            self._add("C_rest", quantity, _MILLIMOLAR, quantity.value or 0.0)
            return
        name, (_, line) = f"{self.meaning.species}i", self.meaning.file.at(self.meaning.file.lines.get("INITIAL", 0))
        own = Quantity(name, _MILLIMOLAR, "mM", rest.value, line, "INITIAL")
        self._add("C_rest", self._of_neuron("i") if INSIDE in self.meaning.of_neuron else own, _MILLIMOLAR, rest.value)

    def _outside(self, made: Plan) -> None:
        """Concentrations that are no variables are fields, with what NEURON starts with."""
        for side, own in (("i", INSIDE), ("o", OUTSIDE)):
            if own in self.meaning.rates or (made.base is Pool and side == "i"):
                continue
            quantity = self._of_neuron(side)
            self._add(_OURS[own], quantity, _MILLIMOLAR, quantity.value or 0.0)

    def _of_neuron(self, side: str) -> Quantity:
        species = self.meaning.species
        value = of_neuron(species, side)
        name = f"{species}{side}"
        return Quantity(name, _MILLIMOLAR, "mM", value, 0, f"what NEURON has in {name}0_{species}_ion")

    def _others(self, made: Plan) -> None:
        used = frozenset[str]().union(*(f.symbols for method in made.methods for f in method.formulas))
        for name, quantity in self.meaning.quantities.items():
            if name in used and not self.symbols.get(name, "").startswith("self."):
                own = _OF_PLACE.get(name) or self._free(identifier(name))
                self.symbols[name] = f"self.{own}"
                self._add(own, quantity, quantity.unit or Unit.parse("1"), quantity.value)
        if "celsius" in self.meaning.quantities and not any(one.name == "celsius" for one in self.fields):
            quantity = self.meaning.quantities["celsius"]
            self._add("celsius", quantity, Unit.parse("degC"), None)

    def _add(self, name: str, quantity: Quantity, unit: Unit, value: Any) -> None:
        if name == "diameter":
            quantity = replace(quantity, note="of the section; compartments have their own")
        self.fields.append(Field(name, quantity, unit, value, of_place=name == "diameter"))

    def _free(self, name: str) -> str:
        taken = _TAKEN | {text.removeprefix("self.") for text in self.symbols.values()}
        return free(name, taken)
