"""From a concentrationModel to the ion that it becomes: a `Pool` where it is linear, else a `GeneralIon`."""

from channelome.authoring import GeneralIon, Pool
from channelome.formulas import expression as x
from channelome.formulas.expression import Formula
from channelome.formulas.gates import as_gate
from channelome.formulas.numeric import same
from channelome.formulas.plan import NAMES, Field, Method
from channelome.formulas.safe import Guarded
from channelome.formulas.singular import Singular

from .document import Document
from .fields import fields_of, free, given, used
from .formulas import Value
from .lems import Instance, Reading
from .meaning import Meaning, Plan
from .text import Element
from .units import DIMENSIONS

KINDS = ("decayingPoolConcentrationModel", "fixedFactorConcentrationModel", "fixedFactorConcentrationModelTraub")
_FARADAY, _PI = 96485.3, 3.14159
"""As NeuroML's definition has them, so that its numbers come out."""
_DENSITY = -1e-5
"""nA/um^2 inward in a uA/cm^2 outward."""
CURRENT, AREA, INSIDE, OUTSIDE = "I", "surfaceArea", "concentration", "extConcentration"
_OURS = {CURRENT: "I", INSIDE: "C_in", OUTSIDE: "C_out"}
_TAKEN = NAMES | {name for name in dir(GeneralIon) if not name.startswith("__")} | {
    "I", "C_in", "C_out", "C_rest", "area", "balance", "rest", "derivatives", "potential", "celsius", "species", "valence",
}  # fmt: skip
_PASSED = frozenset(["notes", "annotation", "property"])


def plan_pool(document: Document, element: Element, is_closed: bool = False) -> Plan:
    """The ion that a concentration model becomes.

    Args:
        is_closed: whether nothing asks for what is outside, so that it has neither that nor a reversal potential.

    Raises:
        NeuroMLError: for what no ion here is, with the place and the reason.
    """
    return _Planner(document, element, is_closed).plan()


class _Planner:
    def __init__(self, document: Document, element: Element, is_closed: bool) -> None:
        self.document, self.element, self.is_closed = document, element, is_closed
        self.reading = Reading(document)
        self.symbols = dict(_OURS)
        ion = element.get("ion") or element.get("species") or "ca"
        if ion != "ca":
            raise element.refuse(
                f"{element} is of the ion '{ion[:40]}'; NeuroML's concentration models follow the current of ca."
            )
        for child in element.children:
            if child.tag not in _PASSED:
                raise child.refuse(f"{element} has a {child.tag}, which a concentration model has not.")

    def plan(self) -> Plan:
        kind = self.document.kind(self.element)
        if kind in KINDS and kind not in self.document.types:
            rates = {INSIDE: self._own(kind)}
            starts: dict[str, Formula] = {}
        else:
            rates, starts = self._custom()
        rates = {name: self._regular(f) for name, f in rates.items()}
        meaning = Meaning(
            self.element.id, self.document.name.rpartition("/")[2], kind, self.element.place, species="ca"
        )
        made = Plan(meaning, GeneralIon, None, ())
        made.words["species"] = "ca"
        gate = as_gate(rates[INSIDE], INSIDE) if list(rates) == [INSIDE] else None
        fields = [self._rest()]
        if gate is not None and gate[0] != "rates" and not self.is_closed:
            made.base, self.symbols[OUTSIDE] = Pool, "self.C_out"
            made.methods = [Method("balance", ("I",), gate[0], gate[1:])]
        else:
            made.methods = self._methods(rates, starts)
            made.keywords["variables"] = tuple(self.symbols[name] for name in rates)
        if not self.is_closed or OUTSIDE in used(rates.values()):
            fields.append(given("C_out", "mM", "initialExtConcentration of a species", self.element.place))
        if AREA in used(f for method in made.methods for f in method.formulas):
            self.symbols[AREA] = "self.area"
            fields.append(given("area", "um^2", "surfaceArea of the compartment", self.element.place))
        made.fields = fields + fields_of(made.methods, self.reading.quantities, self.symbols, _TAKEN)
        made.symbols = self.symbols
        meaning.rates, meaning.starts = rates, dict.fromkeys(rates)
        meaning.quantities, meaning.names = self.reading.quantities, self.reading.names
        meaning.notes, meaning.findings = self.reading.notes, self.reading.findings
        return made

    def _own(self, kind: str) -> Formula:
        p = self._parameter
        inflow = x.mul(x.number(_DENSITY), x.symbol(CURRENT))
        above = x.sub(x.symbol(INSIDE), p("restingConc", "concentration"))
        self._clipped()
        if kind == "decayingPoolConcentrationModel":
            flow = x.mul(
                inflow, x.div(x.symbol(AREA), x.mul(x.number(2 * _FARADAY), self._shell(p("shellThickness", "length"))))
            )
            # nA ms are pC; C/mol are pC in 1e-12 mol, and a mM in a um^3 is 1e-18 mol
            flow = x.mul(x.number(1e6), flow)
            return x.sub(flow, x.div(above, p("decayConstant", "time")))
        if kind == "fixedFactorConcentrationModel":
            return x.sub(x.mul(inflow, p("rho", "rho_factor")), x.div(above, p("decayConstant", "time")))
        flow = x.mul(x.mul(inflow, x.number(1e-9)), p("phi", "rho_factor"))
        return x.sub(flow, x.mul(above, p("beta", "per_time")))

    def _shell(self, depth: Formula) -> Formula:
        """The volume of a shell under the surface of a sphere of the compartment's area."""
        radius = x.call("sqrt", x.div(x.symbol(AREA), x.number(4 * _PI)))
        inner = x.sub(radius, depth)
        self.reading.names |= {radius: "effectiveRadius", inner: "innerRadius"}
        outer, hollow = (x.power(r, x.number(3)) for r in (radius, inner))
        return x.mul(x.number(4 * _PI / 3), x.sub(outer, hollow))

    def _parameter(self, name: str, dimension: str) -> Formula:
        return self.reading.parameter(self.element, name, dimension, name).formula

    def _clipped(self) -> None:
        self.reading.note("a concentration below 0 is set to 0 by NeuroML; here it is not")

    # ---- what a file defines itself ----

    def _custom(self) -> tuple[dict[str, Formula], dict[str, Formula]]:
        document, element = self.document, self.element
        kind = document.kind(element)
        concentration, current, area = (DIMENSIONS[name] for name in ("concentration", "current", "area"))
        inflow = x.mul(x.mul(x.number(_DENSITY), x.symbol(CURRENT)), x.symbol(AREA))
        states = {INSIDE: Value(x.symbol(INSIDE), concentration), OUTSIDE: Value(x.symbol(OUTSIDE), concentration)}
        types = [document.types[name] for name in document.lineage(kind) if name in document.types]
        for name, state in ((name, state) for one in types for name, state in one.states.items()):
            if name not in states:
                self.symbols[name] = free(name, _TAKEN)
                states[name] = Value(
                    x.symbol(name), document.measures.dimension(state.get("dimension") or "none", state.place)
                )
        scope = {
            "iCa": Value(inflow, current), "surfaceArea": Value(x.symbol(AREA), area),
            "initialConcentration": Value(x.symbol("C_rest"), concentration),
            "initialExtConcentration": Value(x.symbol(OUTSIDE), concentration),
        }  # fmt: skip
        made = Instance(self.reading, element, "", scope, states)
        for condition in (one for type_ in made.chain for one in type_.conditions):
            self._check_clip(condition)
        rates = {name: f for name in states if (f := self._rate(made, name, states[name])) is not None}
        if INSIDE not in rates:
            raise element.refuse(f"nothing says how the concentration of {element} changes.")
        if OUTSIDE in rates:
            raise element.refuse(f"{element} changes the concentration outside, which is not followed.")
        starts = {name: self._start(made, name, states[name]) for name in rates if name != INSIDE}
        return rates, starts

    def _check_clip(self, condition: Element) -> None:
        said = "".join(condition.get("test").split())
        inside = [(one.tag, one.get("variable"), one.get("value")) for one in condition.children]
        if said not in ("concentration.lt.0", "concentration.leq.0") or inside not in (
            [("StateAssignment", INSIDE, "0")],
            [("StateAssignment", INSIDE, "0.0")],
        ):
            raise condition.refuse("what happens at once, but for a concentration below 0 set to 0, is not followed.")
        self._clipped()

    def _rate(self, made: Instance, name: str, state: Value) -> Formula | None:
        found = next((one.rates[name] for one in made.chain if name in one.rates), None)
        if found is None:
            return None
        rate = made.expression(found.need("value"), found)
        wanted = tuple(a - (i == 2) for i, a in enumerate(state.dimension or ()))
        if rate.dimension != wanted and not x.is_number(rate.formula, 0):
            raise found.refuse(f"the change of '{name}' is not of its dimension per time.")
        return rate.formula

    def _start(self, made: Instance, name: str, state: Value) -> Formula:
        found = next((one.starts[name] for one in made.chain if name in one.starts), None)
        if found is None:
            return x.number(0)
        start = made.expression(found.need("value"), found)
        if start.formula.symbols & {*made.states, CURRENT, AREA} or (
            start.dimension != state.dimension and not x.is_number(start.formula, 0)
        ):
            raise found.refuse(f"what '{name}' starts from is not followed.")
        return start.formula

    def _regular(self, rate: Formula) -> Formula:
        """The rate without the area where it cancels, without singular quotients, with harmless branches."""
        twice = x.substituted(rate, {AREA: x.mul(x.number(2), x.symbol(AREA))})
        if AREA in rate.symbols and same(rate, twice, self.reading.defaults):
            rate = x.substituted(rate, {AREA: x.number(1)})
        clean = Singular(self.reading.defaults)
        found = clean.removed(rate)
        self.reading.findings += clean.findings
        defaults = self.reading.defaults
        return Guarded({name: defaults.get(name, 0.5) for name in found.symbols}).safe(found)

    # ---- the class ----

    def _rest(self) -> Field:
        resting = self.reading.quantities.get("restingConc")
        said = (
            "initialConcentration of a species; restingConc if left out"
            if resting
            else "initialConcentration of a species"
        )
        self.symbols["C_rest"] = "self.C_rest"
        return given("C_rest", "mM", said, self.element.place, resting.value if resting else None)

    def _methods(self, rates: dict[str, Formula], starts: dict[str, Formula]) -> list[Method]:
        keys = tuple(self.symbols[name] for name in rates)
        first = tuple(starts.get(name, x.symbol("C_rest")) for name in rates)
        names = used(rates.values())
        arguments = tuple(
            view for name, view in self.symbols.items() if name in names and (name in _OURS or name in rates)
        )
        return [
            Method("rest", (), "table", first, keys),
            Method("derivatives", arguments, "table", tuple(rates.values()), keys),
        ]
