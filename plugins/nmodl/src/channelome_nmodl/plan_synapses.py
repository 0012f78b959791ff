"""From what a spike does to the classes that it becomes: a `Synapse`, and a `Release` where the source remembers its spikes."""

from channelome.authoring import Release, Synapse
from channelome.formulas import expression as x
from channelome.formulas.expression import Formula
from channelome.formulas.plan import NAMES, Field, Method, Quantity, free, identifier
from channelome.units import Unit

from .plan import Plan, in_file
from .spikes import ELAPSED, Synaptic
from .text import NmodlError

_DT, _ARRIVED, _SPIKED = "dt@", "arrived@", "spiked@"
_OURS = {_DT: "dt", _ARRIVED: "arrived", _SPIKED: "spiked", "v": "V"}
_TAKEN = (
    NAMES
    | {name for one in (Synapse, Release) for name in dir(one) if not name.startswith("__")}
    | {"s", "E", *_OURS.values()}
)
_ELAPSED = "elapsed"


def plan_synapse(found: Synaptic) -> list[Plan]:
    """The class of a synapse, and that of its short-term plasticity if it has one."""
    synapse = _Planner(found).synapse()
    return [synapse] if found.amount is None else [synapse, _Planner(found).release(found.amount)]


class _Planner:
    def __init__(self, found: Synaptic) -> None:
        self.found, self.meaning = found, found.meaning
        self.symbols = dict(_OURS)
        self.fields: list[Field] = []

    def synapse(self) -> Plan:
        made = Plan(self.meaning, Synapse, None, ())
        states = {name: identifier(name) for name in self.meaning.rates}
        self.symbols |= {name: f's["{own}"]' for name, own in states.items()}
        made.keywords["states"] = tuple(states.values())
        keys = tuple(states.values())
        received = tuple(
            x.add(x.symbol(name), x.mul(self.found.jumps.get(name, x.number(0)), x.symbol(_ARRIVED))) for name in states
        )
        made.methods = [
            Method("flow", ("s", "dt"), "table", self._flow(), keys),
            Method("receive", ("s", "arrived"), "table", received, keys),
            Method("conductance", ("s", "V"), "value", (self.meaning.currents[""],)),
        ]
        self._reversal()
        return self._finished(made)

    def release(self, amount: Formula) -> Plan:
        made = Plan(self.meaning, Release, None, ())
        kept = list(self.found.kept)
        names = {key: _ELAPSED if key == ELAPSED else identifier(key.partition("@")[0]) for key in kept}
        self.symbols |= {key: f's["{own}"]' for key, own in names.items()}
        made.words["states"] = {names[key]: self.found.begins[key] for key in kept}
        spiked = x.compare(">", x.symbol(_SPIKED), x.number(0))
        moved = tuple(x.add(x.symbol(key), x.symbol(_DT)) if key == ELAPSED else x.symbol(key) for key in kept)
        after = tuple(x.where(spiked, f, x.symbol(key)) for key, f in self.found.kept.items())
        keys = tuple(names.values())
        made.methods = [
            Method("flow", ("s", "dt"), "table", moved, keys),
            Method("release", ("s", "spiked"), "sent", (*after, amount), keys),
        ]
        return self._finished(made)

    def _flow(self) -> tuple[Formula, ...]:
        """The states after `dt`: the exact solution of linear equations, of which one state may feed another."""
        own: dict[str, Formula] = {}
        fed: dict[str, dict[str, Formula]] = {}
        for name, rate in self.meaning.rates.items():
            rest = rate
            for other in self.meaning.rates:
                parts = x.linear(rest, other)
                if parts is None or parts[1].symbols & {*self.meaning.rates}:
                    raise NmodlError(
                        f"{self.meaning.file.source.place(name)}: {name} does not change in proportion to the states, so spikes do not add up."
                    )
                rest, factor = parts
                if other == name:
                    own[name] = factor
                elif not x.is_number(factor, 0):
                    fed.setdefault(name, {})[other] = factor
            if not x.is_number(rest, 0):
                raise NmodlError(f"{self.meaning.file.source.place(name)}: {name} changes without a spike.")
        return tuple(self._solved(name, own, fed) for name in self.meaning.rates)

    def _solved(self, name: str, own: dict[str, Formula], fed: dict[str, dict[str, Formula]]) -> Formula:
        decay = x.call("exp", _times_dt(own[name]))
        found = x.mul(x.symbol(name), decay)
        for other, factor in fed.get(name, {}).items():
            if other in fed:
                raise NmodlError(
                    f"{self.meaning.file.source.place(name)}: the states {name} and {other} are moved by others in turn, for which there is no formula here."
                )
            z = _times_dt(x.sub(own[name], own[other]))
            span = x.div(x.mul(x.symbol(_DT), decay), x.call("linoid", x.neg(z), x.number(1)))
            found = x.add(found, x.mul(x.mul(factor, x.symbol(other)), span))
        return found

    def _reversal(self) -> None:
        E = self.found.reversal
        millivolt = Unit.parse("mV")
        if E.op == "number":
            quantity = Quantity(
                "e",
                millivolt,
                "mV",
                E.value,
                self.meaning.file.at(self.meaning.file.lines.get("BREAKPOINT", 0))[1],
                "a number in BREAKPOINT",
            )
        elif E.op == "symbol" and E.value in self.meaning.quantities:
            quantity = self.meaning.quantities[E.value]
            self.symbols[E.value] = "self.E"
        else:
            raise NmodlError(
                f"{self.meaning.file.source.place('BREAKPOINT')}: its reversal potential is a formula; a synapse here has a number."
            )
        self.fields.append(Field("E", quantity, millivolt, quantity.value))

    def _finished(self, made: Plan) -> Plan:
        used = frozenset[str]().union(*(f.symbols for method in made.methods for f in method.formulas))
        for name, quantity in self.meaning.quantities.items():
            if name in used and name not in self.symbols:
                own = name if name == "celsius" else self._free(identifier(name))
                self.symbols[name] = f"self.{own}"
                self.fields.append(Field(own, quantity, quantity.unit or Unit.parse("1"), quantity.value))
        made.fields, made.symbols = sorted(self.fields, key=lambda f: (f.name != "E", *in_file(f))), self.symbols
        return made

    def _free(self, name: str) -> str:
        taken = _TAKEN | {text.removeprefix("self.") for text in self.symbols.values()}
        return free(name, taken)


def _times_dt(rate: Formula) -> Formula:
    """``rate * dt``, where the rate is ``-1/tau`` as ``-dt/tau``."""
    dt = x.symbol(_DT)
    if rate.op == "neg":
        return x.neg(_times_dt(rate.args[0]))
    if rate.op == "/" and rate.args[0].op == "number":
        return x.div(x.mul(rate.args[0], dt), rate.args[1])
    return x.mul(rate, dt)
