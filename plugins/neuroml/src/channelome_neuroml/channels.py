"""From an ionChannel to the class that it becomes."""

from collections.abc import Iterable

from channelome.authoring import General, Markov, Ohmic, Permeable
from channelome.formulas import expression as x
from channelome.formulas.expression import Formula
from channelome.formulas.gates import as_gate, steady_state
from channelome.formulas.numeric import same
from channelome.formulas.plan import NAMES, Field, Method, Quantity
from channelome.formulas.safe import Guarded
from channelome.formulas.singular import Singular
from channelome.mechanisms.channels import Channel
from channelome.mechanisms.ions import VALENCE
from channelome.units import Unit

from .document import Document
from .fields import free
from .formulas import Value
from .gates import Gates, Opened, around
from .lems import CELSIUS, INSIDE, OUTSIDE, OWN, Reading, V
from .meaning import Meaning, Plan
from .text import Element
from .units import DIMENSIONS

KINDS = ("ionChannel", "ionChannelHH", "ionChannelKS", "ionChannelPassive", "ionChannelVShift")
OHMIC, FIXED, GHK, GHK2 = "ohmic", "fixed", "ghk", "ghk2"
"""How a conductance becomes a current: with the E of the cell's ion, with one of its own, by the equations of Goldman, Hodgkin and Katz."""
_CALCIUM = "ca"
_AROUND = {V: "V", CELSIUS: "celsius", INSIDE: "ca.C_in", OUTSIDE: "ca.C_out"}
_TAKEN = NAMES | {name for name in dir(General) if not name.startswith("__")} | {
    "V", "celsius", "rest", "derivatives", "density", "conductance", "transitions", "permeability", "g_max", "E", "P_max", "Permeable",
}  # fmt: skip
_PASSED = frozenset(["notes", "annotation", "property"])


def plan_channel(document: Document, element: Element, drive: str = "", ion: str = "") -> Plan:
    """The class that a channel becomes.

    Args:
        drive: how it is driven; with the E of its ion, if it names one that is known, else with its own, if empty.
        ion: what carries it, if the channel itself does not say.

    Raises:
        NeuroMLError: for what no channel here is, with the place and the reason.
    """
    return _Planner(document, element, drive, ion).plan()


def species_of(element: Element, ion: str = "") -> str:
    """The ion that carries a channel; empty for one that is not known, such as "non_specific".

    ``h`` is the cation current of HCN channels there, not that of protons.
    """
    found = (ion or element.get("species")).lower()
    return found if found in VALENCE and found != "h" else ""


def has_shift(document: Document, element: Element) -> bool:
    """Whether a channel has a vShift of its own; what is of another type, as its attribute ``type`` says, has none, whatever stands there."""
    lineage = [*document.lineage(document.kind(element))]
    declared = any("vShift" in document.types[name].parameters for name in lineage if name in document.types)
    return "vShift" in element.attributes and ("ionChannelVShift" in lineage or declared)


class _Planner:
    def __init__(self, document: Document, element: Element, drive: str, ion: str) -> None:
        self.document, self.element = document, element
        self.species = species_of(element, ion)
        self.drive = drive or (OHMIC if self.species else FIXED)
        self.reading = Reading(document)
        self.symbols = dict(_AROUND)
        self.fields: list[Field] = []

    def plan(self) -> Plan:
        opened = self._regular(self._opened())
        meaning = Meaning(
            self.element.id, self.document.name.rpartition("/")[2], self.document.kind(self.element), self.element.place
        )
        meaning.scheme = opened.scheme
        made = Plan(meaning, self._base(opened), self.species or None, ())
        states = [*dict.fromkeys(end for pair in opened.scheme for end in pair)]
        for name in (*opened.gates, *states, *opened.variables):
            self.symbols[name] = self._free(name)
        if states:
            made.keywords["states"] = tuple(self.symbols[name] for name in states)
        if opened.variables:
            made.keywords["variables"] = tuple(self.symbols[name] for name in opened.variables)
        made.methods = [*self._methods(opened), self._root(opened)]
        self._fields(made)
        made.symbols = self.symbols
        for name, (kind, a, b) in opened.gates.items():
            meaning.rates[name] = _rate(kind, a, b, x.symbol(name))
            meaning.starts[name] = None
        for name, (rate, start) in opened.variables.items():
            meaning.rates[name], meaning.starts[name] = rate, start
        meaning.quantities, meaning.names = self.reading.quantities, self.reading.names
        meaning.notes, meaning.findings = self.reading.notes, self.reading.findings
        return made

    # ---- what is open ----

    def _opened(self) -> Opened:
        element, document = self.element, self.document
        lineage = list(document.lineage(document.kind(element)))
        base = next((name for name in lineage if name in KINDS), "")
        own = [document.types[name] for name in lineage if name in document.types]
        if not base and "baseIonChannel" not in lineage:
            raise element.refuse(f"{element} is no ion channel.")
        gates = Gates(self.reading, around(self.reading, self._shift()))
        if any(one.derived or one.states or one.rates for one in own):
            gates.found.fopen = gates.custom(element, "fopen", "")
            return gates.found
        kind = element.get("type") if base == "ionChannel" else ""
        if kind and kind not in KINDS and kind not in document.types:
            raise element.refuse(f"{element} is of the type '{kind[:60]}', which is not known.")
        for child in element.children:
            if child.tag in _PASSED:
                continue
            if "conductanceScaling" in child.tag or child.tag in OWN:
                if base == "ionChannelKS":
                    self.reading.note(
                        "conductanceScaling is without effect in an ionChannelKS, as in NeuroML's definition"
                    )
                else:
                    gates.scaled(child)
            elif base == "ionChannelPassive":
                raise child.refuse(f"{element} is passive, and has a {child.tag}.")
            else:
                gates.take(child)
        return gates.found

    def _shift(self) -> Value:
        """vShift of rates: of the channel, or of the density that it stands in."""
        element = self.element
        if has_shift(self.document, element):
            return self.reading.parameter(element, "vShift", "voltage", "vShift")
        return Value(x.symbol("vShift"), DIMENSIONS["voltage"])

    def _regular(self, opened: Opened) -> Opened:
        """Singular quotients taken out, branches that are not taken made harmless, variables that are gates made gates."""
        used = [opened.fopen, *opened.scheme.values()]
        used += [f for _, a, b in opened.gates.values() for f in (a, b)]
        used += [f for pair in opened.variables.values() for f in pair]
        if any("vShift" in f.symbols for f in used) and "vShift" not in self.reading.quantities:
            self.reading.quantities["vShift"] = Quantity(
                "vShift",
                Unit.parse("mV"),
                "mV",
                0.0,
                self.element.place.line,
                "0 unless a channelDensityVShift gives it",
            )
        defaults = self.reading.defaults
        clean = Singular(defaults)
        guarded = Guarded(
            {name: defaults.get(name, 25.0 if name == CELSIUS else 0.5) for f in used for name in f.symbols}
        )

        def good(f: Formula) -> Formula:
            return guarded.safe(clean.removed(f))

        made = Opened(good(opened.fopen))
        made.scheme = {pair: good(f) for pair, f in opened.scheme.items()}
        made.gates = {name: (kind, good(a), good(b)) for name, (kind, a, b) in opened.gates.items()}
        for name, (rate, start) in opened.variables.items():
            self._sorted(made, name, good(rate), good(start), {*opened.variables})
        self.reading.names = {good(f): name for f, name in self.reading.names.items()}
        self.reading.findings += clean.findings
        return made

    def _sorted(self, made: Opened, name: str, rate: Formula, start: Formula, states: set[str]) -> None:
        gate = as_gate(rate, name) if not (rate.symbols & (states - {name})) else None
        rest = steady_state(rate, name)
        if gate is not None and gate[0] != "linear" and rest is not None and same(rest, start, self.reading.defaults):
            made.gates[name] = gate
        else:
            made.variables[name] = (rate, start)

    # ---- the class ----

    def _base(self, opened: Opened) -> type[Channel]:
        if opened.variables or self.drive == GHK2:
            return General
        if self.drive == GHK:
            if opened.scheme:
                raise self.element.refuse(
                    f"{self.element} is a kinetic scheme with a current by the GHK equation, which no class here is."
                )
            return Permeable
        return Markov if opened.scheme else Ohmic

    def _methods(self, opened: Opened) -> list[Method]:
        found = list[Method]()
        if opened.scheme:
            flows = tuple(opened.scheme.values())
            pairs = tuple((self.symbols[a], self.symbols[b]) for a, b in opened.scheme)
            found.append(Method("transitions", self._arguments(flows), "table", flows, pairs))
        for name, (kind, a, b) in opened.gates.items():
            found.append(Method(self.symbols[name], self._arguments((a, b)), kind, (a, b)))
        if opened.variables:
            keys = tuple(self.symbols[name] for name in opened.variables)
            starts = tuple(start for _, start in opened.variables.values())
            rates = tuple(rate for rate, _ in opened.variables.values())
            for start in starts:
                if start.symbols & {*opened.variables}:
                    raise self.element.refuse(f"what a state of {self.element} starts from depends on a state.")
            found.append(Method("rest", self._arguments(starts), "table", starts, keys))
            found.append(Method("derivatives", self._arguments(rates), "table", rates, keys))
        return found

    def _root(self, opened: Opened) -> Method:
        base = self._base(opened)
        if base is Permeable:
            flow = x.mul(self._new("P_max", "cm/s", "permeability of a channelDensityGHK"), opened.fopen)
            return Method("permeability", self._arguments([flow]), "value", (flow,))
        g = x.mul(self._new("g_max", "mS/cm^2", "condDensity of a channelDensity"), opened.fopen)
        if self.drive == GHK2:
            g = x.mul(g, _driven_by_calcium())
            return Method("density", self._arguments([g]), "value", (g,))
        if self.drive == OHMIC:
            reversal = x.symbol(f"E of {self.species}")
            self.symbols[reversal.value] = f"{self.species}.E"
        else:
            reversal = self._new("E", "mV", "erev of a channelDensity")
        if base is not General:
            return Method("conductance", self._arguments([g]), "value", (g,))
        flow = x.mul(g, x.sub(x.symbol(V), reversal))
        return Method("density", self._arguments([flow]), "value", (flow,))

    def _new(self, name: str, unit: str, said: str) -> Formula:
        """A field that the channel itself has no value of: whoever uses it gives it."""
        quantity = Quantity(said, Unit.parse(unit), unit, None, self.element.place.line)
        symbol = x.symbol(f"{name} to give")
        self.symbols[symbol.value] = f"self.{name}"
        self.fields.append(Field(name, quantity, Unit.parse(unit), None))
        return symbol

    def _arguments(self, formulas: Iterable[Formula]) -> tuple[str, ...]:
        """Arguments of a method: V, celsius, ions by species, states."""
        used = frozenset[str]().union(*(f.symbols for f in formulas))
        first = [_AROUND[name] for name in (V, CELSIUS) if name in used]
        views = {
            view.partition(".")[0]
            for name, view in self.symbols.items()
            if name in used and "." in view and not view.startswith("self.")
        }
        plain = [
            view for name, view in self.symbols.items() if name in used and name not in _AROUND and "." not in view
        ]
        return (*first, *sorted(views), *plain)

    def _fields(self, made: Plan) -> None:
        used = frozenset[str]().union(*(f.symbols for m in made.methods for f in m.formulas))
        for symbol, quantity in self.reading.quantities.items():
            if symbol in used:
                assert quantity.unit is not None
                own = self._free(symbol)
                self.symbols[symbol] = f"self.{own}"
                self.fields.append(Field(own, quantity, quantity.unit, quantity.value))
        made.fields = self.fields

    def _free(self, name: str) -> str:
        taken = {text.rpartition(".")[2] for text in self.symbols.values()}
        return free(name, {*_TAKEN, *taken, _CALCIUM, self.species})


def _rate(kind: str, a: Formula, b: Formula, state: Formula) -> Formula:
    if kind == "rates":
        return x.sub(x.mul(a, x.sub(x.number(1), state)), x.mul(b, state))
    return x.div(x.sub(a, state), b)


def _driven_by_calcium() -> Formula:
    """What NeuroML's channelDensityGHK2 multiplies a conductance with, in mV, outward: Jaffe et al. (1994), doi:10.1152/jn.1994.71.3.1065."""
    tmp = x.div(x.mul(x.number(25), x.add(x.symbol(CELSIUS), x.number(273.15))), x.number(293.15 * 2))
    V_ = x.symbol(V)
    ratio = x.div(x.symbol(INSIDE), x.symbol(OUTSIDE))
    inside = x.sub(x.number(1), x.mul(ratio, x.call("exp", x.div(V_, tmp))))
    return x.neg(x.mul(inside, x.call("linoid", V_, tmp)))
