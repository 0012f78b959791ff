"""What components amount to: NeuroML's own rates, variables and times, and those whose dynamics a file writes itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from channelome.formulas import expression as x
from channelome.formulas.expression import Formula
from channelome.formulas.plan import Quantity
from channelome.units import Unit

from . import formulas
from .document import Document
from .formulas import Value
from .meaning import Found
from .text import Element, NeuroMLError
from .types import Type
from .units import DIMENSIONS, NONE, OURS, ZERO_CELSIUS, named

V, CELSIUS, INSIDE, OUTSIDE = "v", "celsius", "caConc", "caConcExt"
"""The symbols of what is around a channel."""
Scope = Mapping[str, Value]
_DEGREES = Unit.parse("degC")
_VOLTAGE = {"midpoint": "voltage", "scale": "voltage"}
_RATE: Mapping[str, str] = {"rate": "per_time", **_VOLTAGE}
_VARIABLE: Mapping[str, str] = {"rate": "none", **_VOLTAGE}


def _exp(p: Callable[[str], Formula]) -> Formula:
    return x.mul(p("rate"), x.call("exp", x.div(x.sub(x.symbol(V), p("midpoint")), p("scale"))))


def _sigmoid(p: Callable[[str], Formula]) -> Formula:
    return x.div(p("rate"), x.add(x.number(1), x.call("exp", x.div(x.sub(p("midpoint"), x.symbol(V)), p("scale")))))


def _linear(p: Callable[[str], Formula]) -> Formula:
    return x.mul(x.div(p("rate"), p("scale")), x.call("linoid", x.sub(p("midpoint"), x.symbol(V)), p("scale")))


def _of_temperature(p: Callable[[str], Formula]) -> Formula:
    return x.power(p("q10Factor"), x.div(x.sub(x.symbol(CELSIUS), p("experimentalTemp")), x.number(10)))


OWN: Mapping[str, tuple[str, Mapping[str, str], Callable[[Callable[[str], Formula]], Formula]]] = {
    "HHExpRate": ("r", _RATE, _exp), "HHSigmoidRate": ("r", _RATE, _sigmoid), "HHExpLinearRate": ("r", _RATE, _linear),
    "HHExpVariable": ("x", _VARIABLE, _exp), "HHSigmoidVariable": ("x", _VARIABLE, _sigmoid),
    "HHExpLinearVariable": ("x", _VARIABLE, _linear),
    "fixedTimeCourse": ("t", {"tau": "time"}, lambda p: p("tau")),
    "q10Fixed": ("q10", {"fixedQ10": "none"}, lambda p: p("fixedQ10")),
    "q10ExpTemp": ("q10", {"q10Factor": "none", "experimentalTemp": "temperature"}, _of_temperature),
    "q10ConductanceScaling": ("factor", {"q10Factor": "none", "experimentalTemp": "temperature"}, _of_temperature),
}  # fmt: skip
"""NeuroML's own: what each exposes, its parameters with their dimensions, and its formula."""
_OF_BASES: Mapping[str, Mapping[str, str]] = {
    "baseHHRate": _RATE, "baseHHVariable": _VARIABLE, "baseGate": {"instances": "none"}, "gate": {"instances": "none"},
    **{name: parameters for name, (_, parameters, _) in OWN.items()},
}  # fmt: skip
"""Parameters of types that others extend."""
EXPOSED: Mapping[str, str] = {"r": "per_time", "x": "none", "t": "time", "q10": "none", "factor": "none"}


@dataclass
class Reading(Found):
    """What is found out about one mechanism on the way."""

    document: Document

    def note(self, said: str) -> None:
        if said not in self.notes:
            self.notes.append(said)

    def parameter(self, element: Element, name: str, dimension: str, label: str, text: str = "") -> Value:
        """A parameter of a component: a symbol, or a number where it has a unit that no field has.

        Args:
            label: what its field is called, if that is free.
            text: what it is, if the component's attribute does not say.
        """
        measures, place = self.document.measures, element.place
        wanted = measures.dimension(dimension, place)
        found = measures.of(text or element.need(name), dimension, place, f"{name} of {element}")
        if wanted not in OURS and wanted != DIMENSIONS["temperature"]:
            return Value(x.number(found.value), wanted)
        hot = wanted == DIMENSIONS["temperature"]
        value = float(f"{found.value - float(ZERO_CELSIUS):.12g}") if hot else found.value
        note = "" if place.file == self.document.name.rpartition("/")[2] else f"in {place.file}"
        made = Quantity(
            f"{name} of {element}", _DEGREES if hot else OURS[wanted], found.written, value, place.line, note
        )
        symbol = label
        while symbol in self.quantities and self.quantities[symbol] != made:
            symbol += "_"
        self.quantities[symbol] = made
        formula = x.symbol(symbol)
        return Value(x.add(formula, x.number(float(ZERO_CELSIUS))) if hot else formula, wanted)

    def value(self, element: Element, exposure: str, label: str, scope: Scope) -> Formula:
        """What a rate, a variable, a time course or a factor is.

        Raises:
            NeuroMLError: for a type that is not known, and for what it does that is not followed.
        """
        kind = self.document.kind(element)
        if kind in OWN and kind not in self.document.types:
            if OWN[kind][0] != exposure:
                raise element.refuse(f"{element} is a {kind}, which is no {_WHAT[exposure]}.")
            self._check_attributes(element, OWN[kind][1])
            return self.own(element, kind, label)
        if kind not in self.document.types:
            raise element.refuse(
                f"the type '{kind}' is neither NeuroML's nor defined in the file or what it includes.{self._left()}"
            )
        found = Instance(self, element, label, scope).value(exposure, element)
        if found.dimension != DIMENSIONS[EXPOSED[exposure]]:
            raise element.refuse(
                f"{exposure} of {element} is a {named(found.dimension or NONE)}, not a {EXPOSED[exposure]}."
            )
        return found.formula

    def own(self, element: Element, kind: str, label: str) -> Formula:
        """The formula of one of NeuroML's own types."""
        _, parameters, made = OWN[kind]
        return made(lambda name: self._own(element, name, parameters[name], label))

    def _own(self, element: Element, name: str, dimension: str, label: str) -> Formula:
        plain = name == "tau" and label.endswith("tau")
        own = label if plain else f"{label}_q10" if name == "fixedQ10" else f"{label}_{name}"
        formula = self.parameter(element, name, dimension, own).formula
        # a difference of temperatures is the same in K and in degC
        return formula.args[0] if name == "experimentalTemp" else formula

    def _check_attributes(self, element: Element, known: Mapping[str, str]) -> None:
        for name in element.attributes:
            if (
                name not in (*known, "id", "type", "name", "metaid", "neuroLexId")
                and ":" not in name
                and name != "xmlns"
            ):
                raise element.refuse(f"{element} has '{name[:60]}', which a {self.document.kind(element)} has not.")

    def _left(self) -> str:
        left = self.document.left
        return f" Not read: {'; '.join(left.values())}." if left else ""


_WHAT = {"r": "rate", "x": "variable", "t": "time course", "q10": "Q10 setting", "factor": "scaling of the conductance"}


class Instance:
    """A component of a type that a file defines.

    Attributes:
        chain: its types, the most special first.
        states: symbols of its state variables, by name.
    """

    def __init__(
        self, reading: Reading, element: Element, label: str, scope: Scope, states: Mapping[str, Value] | None = None
    ) -> None:
        self.reading, self.element, self.label, self.scope = reading, element, label, scope
        self.states = dict(states or {})
        document = reading.document
        names = list(document.lineage(document.kind(element)))
        self.chain: list[Type] = [document.types[name] for name in names if name in document.types]
        self.bases = [name for name in names if name not in document.types]
        self.given: dict[str, Value] = {}
        self._values: dict[str, Value] = {}
        self._open: list[str] = []
        for one in self.chain:
            if one.others:
                raise one.others[0].refuse(f"{one.others[0].tag} of a ComponentType is not followed.")
            if one.conditions and states is None:
                raise one.conditions[0].refuse(f"{one.conditions[0].tag} of a ComponentType is not followed there.")
        self._own_states = {name for one in self.chain for name in one.states}
        if self._own_states and states is None:
            raise self.chain[0].element.refuse(
                f"{self.chain[0].name} has states of its own, which is not followed there."
            )

    def value(self, name: str, place: Element) -> Value:
        """What a name stands for inside the component.

        Raises:
            NeuroMLError: where it stands for nothing, or depends on itself.
        """
        if name not in self._values:
            if name in self._open:
                raise place.refuse(
                    f"'{name}' of {self.element} depends on itself: {' -> '.join([*self._open, name][:20])}."
                )
            if len(self._open) > 100:
                raise place.refuse(f"the variables of {self.element} use one another too deep.")
            self._open.append(name)
            found = self._find(name)
            self._open.pop()
            if found is None:
                raise place.refuse(
                    f"'{name}' is nothing that {self.element}, a {self.reading.document.kind(self.element)}, has."
                )
            self._values[name] = found
        return self._values[name]

    def expression(self, text: str, place: Element) -> Value:
        """What an expression means inside the component."""
        return formulas.read(text, lambda name: self._known(name, place), place.place)

    def _known(self, name: str, place: Element) -> Value | None:
        try:
            return self.value(name, place)
        except _Nothing:
            return None

    def _find(self, name: str) -> Value | None:
        if name in self.states:
            return self.states[name]
        if name in self.given:
            return self.given[name]
        for one in self.chain:
            if name in one.derived:
                return self._derived(one.derived[name], name)
            if name in one.constants:
                element = one.constants[name]
                found = self.reading.document.measures.of(
                    element.need("value"), element.get("dimension") or "none", element.place, f"the constant {name}"
                )
                return Value(x.number(found.value), found.dimension)
            if name in one.parameters:
                return self._parameter(name, one.parameters[name].get("dimension") or "none", one.parameters[name])
        for base in self.bases:
            if base in OWN and OWN[base][0] == name:
                return Value(self.reading.own(self.element, base, self.label), DIMENSIONS[EXPOSED[name]])
            if name in _OF_BASES.get(base, {}):
                return self._parameter(name, _OF_BASES[base][name], self.element)
        exposed = next((e for one in self.chain for e in one.derived.values() if e.get("exposure") == name), None)
        if exposed is not None:
            return self._derived(exposed, exposed.get("name"))
        if name in self.scope:
            return self.scope[name]
        raise _Nothing(
            f"{self.element.place}: '{name}' is nothing that {self.element}, a {self.reading.document.kind(self.element)}, has."
        )

    def _parameter(self, name: str, dimension: str, declared: Element) -> Value:
        text = self.element.get(name)
        if not text:
            fixed = next((one.fixed[name] for one in self.chain if name in one.fixed), None)
            text = fixed.need("value") if fixed is not None else declared.get("defaultValue")
        if not text and name not in self.element.attributes:
            raise self.element.refuse(f"{self.element} has no {name}, which its type asks for.")
        return self.reading.parameter(
            self.element, name, dimension, f"{self.label}_{name}" if self.label else name, text
        )

    def _derived(self, element: Element, name: str) -> Value:
        if element.tag == "ConditionalDerivedVariable":
            found = self._cases(element)
        elif "select" in element.attributes:
            found = self._selected(element)
        else:
            found = self.expression(element.need("value"), element)
        if found.dimension is None:
            raise element.refuse(f"'{name}' is a condition, not a number.")
        wanted = self.reading.document.measures.dimension(element.get("dimension") or "none", element.place)
        if found.dimension != wanted and not x.is_number(found.formula, 0):
            raise element.refuse(f"'{name}' is said to be a {named(wanted)}, and is a {named(found.dimension)}.")
        if found.formula.args:
            self.reading.names.setdefault(found.formula, name)
        return Value(found.formula, wanted)

    def _cases(self, element: Element) -> Value:
        cases = element.all("Case")
        if not cases:
            raise element.refuse("a ConditionalDerivedVariable has cases.")
        plain = [case for case in cases if not case.get("condition")]
        if len(plain) > 1 or (plain and plain[0] is not cases[-1]):
            raise plain[0].refuse("only the last case may be without a condition.")
        made = [self.expression(case.need("value"), case) for case in cases]
        dimension = next((one.dimension for one in made if not x.is_number(one.formula, 0)), made[0].dimension)
        if any(one.dimension != dimension and not x.is_number(one.formula, 0) for one in made):
            raise element.refuse("its cases have different dimensions.")
        # where no case holds, the last does: of conditions that are exhaustive it is the one left
        if not plain and not self._exhaustive(cases):
            self.reading.note(f"where no condition of '{element.get('name')}' holds, its last case is taken")
        found = made[-1].formula
        for case, one in zip(cases[-2::-1], made[-2::-1], strict=True):
            test = self.expression(case.need("condition"), case)
            if test.dimension is not None:
                raise case.refuse(f"'{case.get('condition')[:60]}' is no condition.")
            found = x.where(test.formula, one.formula, found)
        return Value(found, dimension)

    def _exhaustive(self, cases: list[Element]) -> bool:
        if len(cases) != 2:
            return False
        one, other = (self.expression(case.get("condition"), case).formula for case in cases)
        opposite = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
        return opposite.get(one.op) == other.op and one.args == other.args

    def _selected(self, element: Element) -> Value:
        path, _, exposure = element.get("select").rpartition("/")
        many = path.endswith("[*]")
        path = path.removesuffix("[*]")
        if not path or exposure not in EXPOSED or "/" in path or "[" in path:
            raise element.refuse(f"select='{element.get('select')[:80]}' is not followed.")
        children = [child for child in self.element.children if child.tag == path or self._fits(child, path)]
        if not many and len(children) != 1:
            raise self.element.refuse(f"{self.element} has {len(children)} of {path}, and should have one.")
        reduce = element.get("reduce")
        if many and reduce not in ("multiply", "add"):
            raise element.refuse(f"reduce='{reduce[:40]}' is not followed.")
        if not children:
            dimension = self.reading.document.measures.dimension(element.get("dimension") or "none", element.place)
            return Value(x.number(1 if reduce == "multiply" else 0), dimension)
        values = [
            Value(self.reading.value(child, exposure, self._label(child), self.scope), None) for child in children
        ]
        found = values[0].formula
        for one in values[1:]:
            found = (x.mul if reduce == "multiply" else x.add)(found, one.formula)
        return Value(found, DIMENSIONS[EXPOSED[exposure]])

    def _fits(self, child: Element, path: str) -> bool:
        """Whether a child is one of those that its parent's type calls `path`."""
        base = {"q10Settings": "baseQ10Settings", "conductanceScaling": "baseConductanceScaling"}.get(path, "")
        return bool(base) and base in self.reading.document.lineage(self.reading.document.kind(child))

    def _label(self, child: Element) -> str:
        return f"{self.label}_{ROLES.get(child.tag, child.tag)}"


class _Nothing(NeuroMLError):
    """A name that stands for nothing."""


ROLES: Mapping[str, str] = {
    "forwardRate": "alpha",
    "reverseRate": "beta",
    "steadyState": "inf",
    "timeCourse": "tau",
    "q10Settings": "q10",
}
"""What the parts of a gate are called in the names of fields."""
