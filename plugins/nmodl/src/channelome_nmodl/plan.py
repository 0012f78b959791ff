"""From a mechanism's meaning to the class that it becomes: its base, fields and methods, as `build` makes and `write` writes them."""

from typing import Any

from channelome.authoring import General, Markov, Ohmic
from channelome.formulas import expression as x
from channelome.formulas.expression import Formula
from channelome.formulas.gates import as_gate, steady_state
from channelome.formulas.plan import NAMES, Field, Method, free, identifier
from channelome.formulas.plan import Plan as Planned
from channelome.formulas.singular import factors
from channelome.mechanisms.channels import Channel
from channelome.units import Unit

from .meaning import Meaning
from .text import NmodlError
from .units import is_density

_MILLIAMPERE = 1e3
"""uA in a mA: what a current of a file is multiplied with."""
_CONDUCTANCE = Unit.parse("mS/cm^2")
_TAKEN = NAMES | {name for name in dir(General) if not name.startswith("__")} | {
    "V", "celsius", "rest", "derivatives", "density", "conductance", "transitions", "permeability",
}  # fmt: skip


Plan = Planned[Meaning]
"""A class of what was understood of a .mod file."""


def plan(meaning: Meaning) -> Plan:
    """The class that a mechanism becomes."""
    return _Planner(meaning).plan()


class _Planner:
    def __init__(self, meaning: Meaning) -> None:
        self.meaning = meaning
        self.gates, self.variables = _sorted_states(meaning)
        self.symbols: dict[str, str] = {"v": "V", "celsius": "celsius"}
        self.species = {ion.species for ion in meaning.file.ions}
        self.readers: dict[str, str] = {}
        self.ions: dict[str, str] = {}
        for ion in meaning.file.ions:
            for name in (*ion.reads, *ion.writes):
                view = {f"e{ion.species}": "E", f"{ion.species}i": "C_in", f"{ion.species}o": "C_out"}.get(name)
                if view:
                    self.symbols[name] = f"{ion.species}.{view}"
                    self.ions[name] = ion.species
        for state in meaning.rates:
            self.symbols[state] = self._free(identifier(state), {"g_max", "E", *self.symbols.values()})

    def plan(self) -> Plan:
        meaning = self.meaning
        ohmic = self._ohmic()
        scheme = bool(meaning.arrows)
        base = (Markov if scheme else Ohmic) if ohmic else General
        if self.variables and ohmic:
            base = General
        species = [name for name in meaning.currents if name]
        several = base is General and (len(meaning.currents) > 1)
        ion = tuple(species) if several else (species[0] if species else None)
        made = Plan(meaning, base, ion, ())
        root = self._root(base, ohmic, several)
        if scheme:
            made.keywords["states"] = tuple(self.symbols[name] for name in meaning.scheme)
        if self.variables:
            made.keywords["variables"] = tuple(self.symbols[name] for name in self.variables)
        made.methods = [*self._methods(), root]
        made.reads = tuple(sorted({*meaning.valences}))
        self._fields(made, ohmic)
        made.symbols = self.symbols
        return made

    # ---- the current ----

    def _ohmic(self) -> tuple[Formula, str] | None:
        """Conductance in mA/cm2 per mV and what it reverses at, where the one current is ``g (v - E)``."""
        ((species, flow),) = self.meaning.currents.items() if len(self.meaning.currents) == 1 else (("", None),)
        if flow is None:
            return None
        found = _driven(flow)
        if found is None:
            return None
        g, E = found
        if E.op == "symbol" and E.value in self.meaning.quantities:
            return (g, E.value) if E.value not in g.symbols and not self._elsewhere(E.value) else None
        if E.op == "symbol" and species and E.value == f"e{species}" and E.value in self.symbols:
            return g, E.value
        return None

    def _elsewhere(self, name: str) -> bool:
        return any(name in rate.symbols for rate in self.meaning.rates.values())

    def _root(self, base: type[Channel], ohmic: tuple[Formula, str] | None, several: bool) -> Method:
        if base is not General and ohmic is not None:
            g = x.mul(ohmic[0], x.number(_MILLIAMPERE))
            return Method("conductance", self._arguments([g]), "value", (g,))
        flows = {species: x.mul(flow, x.number(_MILLIAMPERE)) for species, flow in self.meaning.currents.items()}
        if several:
            return Method("density", self._arguments(flows.values()), "table", tuple(flows.values()), tuple(flows))
        (flow,) = flows.values()
        return Method("density", self._arguments([flow]), "value", (flow,))

    # ---- states ----

    def _methods(self) -> list[Method]:
        meaning, found = self.meaning, list[Method]()
        if meaning.arrows:
            rates: dict[tuple[str, str], Formula] = {}
            for arrow in meaning.arrows:
                pair = (self.symbols[arrow.left[0][1]], self.symbols[arrow.right[0][1]])
                rates[pair] = x.add(rates[pair], arrow.rate) if pair in rates else arrow.rate
            flows = tuple(rates.values())
            found.append(Method("transitions", self._arguments(flows), "table", flows, tuple(rates)))
        for name in self.gates:
            gate = as_gate(meaning.rates[name], name)
            assert gate is not None
            found.append(Method(self.symbols[name], self._arguments(gate[1:]), gate[0], gate[1:]))
        if self.variables:
            keys = tuple(self.symbols[name] for name in self.variables)
            starts = tuple(self._start(name) for name in self.variables)
            found.append(Method("rest", self._arguments(starts), "table", starts, keys))
            rates_ = tuple(meaning.rates[name] for name in self.variables)
            found.append(Method("derivatives", self._arguments(rates_), "table", rates_, keys))
        return found

    def _start(self, name: str, trail: tuple[str, ...] = ()) -> Formula:
        """What a variable starts from, of nothing but V, celsius, ions, gates and the scheme."""
        start = self.meaning.starts[name]
        if start is None:
            start = steady_state(self.meaning.rates[name], name)
            assert start is not None
        used = start.symbols & {*self.variables}
        if used & {name, *trail}:
            raise NmodlError(
                f"{self.meaning.file.source.place(name, 'INITIAL')}: the steady states of {', '.join(sorted({name, *trail}))} depend on each other."
            )
        return x.substituted(start, {one: self._start(one, (*trail, name)) for one in sorted(used)})

    def _arguments(self, formulas: Any) -> tuple[str, ...]:
        """Arguments of a method: V, celsius, ions by species, states."""
        used = frozenset[str]().union(*(f.symbols for f in formulas))
        first = [self.symbols[name] for name in ("v", "celsius") if name in used]
        ions = sorted({self.ions[name] for name in used if name in self.ions})
        return (*first, *ions, *(self.symbols[name] for name in self.meaning.rates if name in used))

    # ---- parameters ----

    def _fields(self, made: Plan, ohmic: tuple[Formula, str] | None) -> None:
        meaning = self.meaning
        maximal = _maximal(made.methods[-1].formulas, meaning)
        taken = {*self.symbols.values(), *(m.name for m in made.methods)}
        used = frozenset[str]().union(*(f.symbols for m in made.methods for f in m.formulas))
        if ohmic is not None and made.base is not General and ohmic[1] in meaning.quantities:
            used |= {ohmic[1]}
            taken.add("E")
        if maximal:
            taken.add("g_max")
        for name, quantity in meaning.quantities.items():
            if name not in used:
                continue
            unit = quantity.unit or Unit.parse("1")
            scale = 1.0
            own = self._free(identifier(name), taken)
            if made.base is not General and ohmic is not None and name == ohmic[1]:
                own, unit = "E", Unit.parse("mV")
            elif name == maximal:
                own, unit, scale = "g_max", _CONDUCTANCE, _times(unit)
                made.methods = [_changed(method, name, scale) for method in made.methods]
            taken.add(own)
            self.symbols[name] = f"self.{own}"
            value = None if quantity.value is None else quantity.value * scale
            made.fields.append(Field(own, quantity, unit, value))
        made.fields.sort(key=lambda f: (f.name != "g_max", f.name != "E", *in_file(f)))

    def _free(self, name: str, taken: set[str]) -> str:
        return free(name, {*_TAKEN, *taken, *self.species})


def in_file(one: Field) -> tuple[bool, int]:
    """What sorts fields as the file has them: those that stand nowhere in it come last."""
    return not one.quantity.line, one.quantity.line


def _times(unit: Unit) -> float:
    """How many mS/cm^2 one of a unit is."""
    return float(f"{unit.scale / _CONDUCTANCE.scale:.12g}")


def _changed(method: Method, name: str, unit: float) -> Method:
    """The method in the unit of the class: factors of 1000 of mA and S cancel."""
    made = tuple(_scaled(f, name, unit) if name in f.symbols else f for f in method.formulas)
    return Method(method.name, method.arguments, method.returns, made, method.keys)


def _scaled(f: Formula, name: str, unit: float) -> Formula:
    """`f` with a parameter in a unit of which one of the file's has `unit`; where it is one factor of the whole, the numbers are put together."""
    for rest, factor in _with_factor(f, name):
        if factor.op == "symbol" and name not in rest.symbols:
            scale, plain = _number_of(rest)
            scale = scale / unit
            return x.mul(x.mul(x.number(scale), x.symbol(name)) if abs(scale - 1) > 1e-12 else x.symbol(name), plain)
    return x.substituted(f, {name: x.div(x.symbol(name), x.number(unit))})


def _with_factor(f: Formula, name: str) -> list[tuple[Formula, Formula]]:
    return [pair for pair in factors(f) if pair[1] is x.symbol(name)]


def _number_of(f: Formula) -> tuple[float, Formula]:
    """The number in a product, and the rest of it."""
    if f.op == "number":
        return f.value, x.number(1)
    if f.op == "*":
        (a, one), (b, other) = _number_of(f.args[0]), _number_of(f.args[1])
        return a * b, x.mul(one, other)
    if f.op == "/":
        (a, one), (b, other) = _number_of(f.args[0]), _number_of(f.args[1])
        return (a / b if b else a), x.div(one, other if b else f.args[1])
    if f.op == "neg":
        a, one = _number_of(f.args[0])
        return -a, one
    return 1.0, f


def _maximal(formulas: tuple[Formula, ...], meaning: Meaning) -> str:
    """The one parameter that is the maximal conductance: a factor of the whole current, in the unit of one."""
    names = [
        name
        for name, quantity in meaning.quantities.items()
        if is_density(quantity.unit)
        and all(_with_factor(f, name) for f in formulas)
        and not any(name in rate.symbols for rate in meaning.rates.values())
    ]
    return names[0] if len(names) == 1 else ""


def _sorted_states(meaning: Meaning) -> tuple[list[str], list[str]]:
    """Which states are gates, in an order in which each comes after those it depends on, and which are variables."""
    scheme = {*meaning.scheme}
    own = [name for name in meaning.rates if name not in scheme]
    free = {
        name
        for name in own
        if meaning.starts[name] is not None
        or as_gate(meaning.rates[name], name) is None
        or meaning.rates[name].symbols & scheme
    }
    while True:
        gates = [name for name in own if name not in free]
        needs = {name: meaning.rates[name].symbols & {*own} - {name} for name in gates}
        ordered = _order({name: needs[name] - free for name in gates})
        if ordered is not None and not any(needs[name] & free for name in ordered):
            return ordered, [name for name in own if name in free]
        free |= {name for name in gates if needs[name] & free or (ordered is None and needs[name])}


def _order(needs: dict[str, frozenset[str] | set[str]]) -> list[str] | None:
    done: list[str] = []
    while len(done) < len(needs):
        ready = [name for name in needs if name not in done and needs[name] <= {*done}]
        if not ready:
            return None
        done += ready
    return done


def _driven(flow: Formula) -> tuple[Formula, Formula] | None:
    """``(g, E)`` of a current that is ``g * (v - E)``, g also of v."""
    v = x.symbol("v")
    for g, factor in factors(flow):
        if factor.op == "-" and factor.args[0] is v and "v" not in factor.args[1].symbols:
            return g, factor.args[1]
        if factor.op == "-" and factor.args[1] is v and "v" not in factor.args[0].symbols:
            return x.neg(g), factor.args[0]
    return None
