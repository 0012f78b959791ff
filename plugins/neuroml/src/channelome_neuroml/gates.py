"""Gates of NeuroML: how each state moves, and the factor of the conductance that it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from channelome.formulas import expression as x
from channelome.formulas.expression import Formula

from .formulas import Value
from .lems import CELSIUS, INSIDE, OUTSIDE, ROLES, Instance, Reading, V
from .text import Element
from .units import DIMENSIONS, NONE, ZERO_CELSIUS, Dimension, named

HODGKIN_HUXLEY = frozenset(
    ["gateHHrates", "gateHHtauInf", "gateHHratesTau", "gateHHratesInf", "gateHHratesTauInf", "gateHHInstantaneous"]
)
_PARTS: Mapping[str, tuple[str, ...]] = {
    "gateHHrates": ("forwardRate", "reverseRate"), "gateHHtauInf": ("timeCourse", "steadyState"),
    "gateHHratesTau": ("forwardRate", "reverseRate", "timeCourse"), "gateHHratesInf": ("forwardRate", "reverseRate", "steadyState"),
    "gateHHratesTauInf": ("forwardRate", "reverseRate", "timeCourse", "steadyState"), "gateHHInstantaneous": ("steadyState",),
    "subGate": ("timeCourse", "steadyState"),
}  # fmt: skip
_EXPOSES = {"forwardRate": "r", "reverseRate": "r", "timeCourse": "t", "steadyState": "x"}
_PASSED = frozenset(["notes", "annotation", "property", "q10Settings"])
STATES = ("closedState", "openState", "KSState")
"""Of a gateKS."""
_ZERO = x.number(0)
_ONE = x.number(1)


@dataclass
class Opened:
    """What the gates of a channel amount to.

    Attributes:
        fopen: the share that is open, of states and what is around.
        gates: ``("rates", alpha, beta)`` or ``("gate", inf, tau)`` of each.
        scheme: rates of the one kinetic scheme, by pair of states.
        variables: states that are no gates: rate per ms, and what each starts from.
    """

    fopen: Formula = _ONE
    gates: dict[str, tuple[str, Formula, Formula]] = field(default_factory=dict[str, tuple[str, Formula, Formula]])
    scheme: dict[tuple[str, str], Formula] = field(default_factory=dict[tuple[str, str], Formula])
    variables: dict[str, tuple[Formula, Formula]] = field(default_factory=dict[str, tuple[Formula, Formula]])


def around(reading: Reading, shift: Value) -> dict[str, Value]:
    """What every rate can ask for."""
    kelvin = x.add(x.symbol(CELSIUS), x.number(float(ZERO_CELSIUS)))
    return {
        "v": Value(x.symbol(V), DIMENSIONS["voltage"]),
        "temperature": Value(kelvin, DIMENSIONS["temperature"]),
        "caConc": Value(x.symbol(INSIDE), DIMENSIONS["concentration"]),
        "caConcExt": Value(x.symbol(OUTSIDE), DIMENSIONS["concentration"]),
        "vShift": shift,
    }


class Gates:
    """Reads the gates of one channel."""

    def __init__(self, reading: Reading, scope: Mapping[str, Value]) -> None:
        self.reading, self.scope = reading, dict(scope)
        self.found = Opened()

    def take(self, element: Element) -> None:
        """Read a gate, and multiply what is open with what it gives.

        Raises:
            NeuroMLError: for a gate that is not one of NeuroML's, nor defined so that it can be followed.
        """
        document = self.reading.document
        lineage = list(document.lineage(document.kind(element)))
        own = [document.types[name] for name in lineage if name in document.types]
        base = next((name for name in lineage if name in _PARTS or name in ("gateFractional", "gateKS")), "")
        if any(one.rates or one.derived or one.states for one in own):
            self._multiply(self.custom(element, "fcond", self._name(element)))
        elif base == "gateFractional":
            self._multiply(self._raised(element, self._fractional(element)))
        elif base == "gateKS":
            self._multiply(self._raised(element, self._scheme(element)))
        elif base in HODGKIN_HUXLEY:
            self._multiply(self._raised(element, self._hodgkin_huxley(element, base)))
        else:
            raise element.refuse(
                f"the gate '{element.id}' is of the type '{document.kind(element)}', which is not known."
            )

    def scaled(self, element: Element) -> None:
        """Multiply with a scaling of the conductance."""
        self._multiply(self.reading.value(element, "factor", element.id or "scaling", self.scope))

    def _multiply(self, factor: Formula) -> None:
        self.found.fopen = x.mul(self.found.fopen, factor)

    def _name(self, element: Element) -> str:
        if not element.id:
            raise element.refuse(f"a {element.tag} has no id.")
        if element.id in (*self.found.gates, *self.found.variables):
            raise element.refuse(f"two gates are called '{element.id}'.")
        return element.id

    def _raised(self, element: Element, q: Formula) -> Formula:
        found = self.reading.document.measures.of(element.get("instances", "1"), "none", element.place, "instances")
        if not 0 < found.value <= 100:
            raise element.refuse(f"{element} has {found.value:g} instances.")
        return x.power(q, x.number(found.value))

    # ---- Hodgkin and Huxley's ----

    def _hodgkin_huxley(self, element: Element, base: str) -> Formula:
        name = self._name(element)
        parts = self._parts(element, base, name)
        inf = parts.get("steadyState")
        if base == "gateHHInstantaneous":
            assert inf is not None
            return inf
        speed, alpha, beta = parts["rateScale"], parts.get("forwardRate"), parts.get("reverseRate")
        tau = parts.get("timeCourse")
        if inf is None and tau is None:
            assert alpha is not None and beta is not None
            self.found.gates[name] = ("rates", x.mul(speed, alpha), x.mul(speed, beta))
            return x.symbol(name)
        if inf is None:
            assert alpha is not None and beta is not None
            inf = x.div(alpha, x.add(alpha, beta))
        if tau is None:
            assert alpha is not None and beta is not None
            tau = x.div(_ONE, x.add(alpha, beta))
        self.found.gates[name] = ("gate", inf, x.div(tau, speed))
        return x.symbol(name)

    def _parts(self, element: Element, base: str, label: str, speed: Formula | None = None) -> dict[str, Formula]:
        """The rates, time course, steady state and speed of a gate; later ones may ask for earlier ones."""
        for child in element.children:
            if child.tag not in (*_PARTS[base], *_PASSED):
                raise child.refuse(f"{element}, a {base}, has a {child.tag}, which such a gate has not.")
        if speed is None:
            speed = self._speed(element, label)
        elif element.all("q10Settings"):
            raise element.refuse(f"{element} has q10Settings of its own, which a {base} has not.")
        found = {"rateScale": speed}
        scope = {**self.scope, "rateScale": Value(speed, NONE)}
        for tag in sorted(_PARTS[base], key=lambda tag: list(_EXPOSES).index(tag)):
            part = element.one(tag)
            if part is None:
                raise element.refuse(f"{element}, a {base}, has no {tag}.")
            found[tag] = self.reading.value(part, _EXPOSES[tag], f"{label}_{ROLES[tag]}", scope)
            if tag in ("forwardRate", "reverseRate"):
                scope[ROLES[tag]] = Value(found[tag], DIMENSIONS["per_time"])
        return found

    def _speed(self, element: Element, label: str) -> Formula:
        speed = _ONE
        for i, one in enumerate(element.all("q10Settings")):
            speed = x.mul(speed, self.reading.value(one, "q10", f"{label}{'_' * i}", self.scope))
        return speed

    def _fractional(self, element: Element) -> Formula:
        name, found = self._name(element), _ZERO
        speed = self._speed(element, name)
        subs = element.all("subGate")
        for child in element.children:
            if child.tag not in (*_PASSED, "subGate"):
                raise child.refuse(f"{element}, a gateFractional, has a {child.tag}, which such a gate has not.")
        if not subs:
            raise element.refuse(f"{element} has no subGate.")
        for sub in subs:
            own = f"{name}_{sub.id}" if sub.id else ""
            if not own or own in self.found.gates:
                raise sub.refuse(f"the subGates of {element} need ids, each its own.")
            parts = self._parts(sub, "subGate", own, speed)
            self.found.gates[own] = ("gate", parts["steadyState"], x.div(parts["timeCourse"], speed))
            share = self.reading.parameter(sub, "fractionalConductance", "none", f"{own}_share").formula
            found = x.add(found, x.mul(share, x.symbol(own)))
        return found

    # ---- kinetic schemes ----

    def _scheme(self, element: Element) -> Formula:
        name = self._name(element)
        shares = {one.id: self._share(one, name) for one in element.children if one.tag in STATES}
        rates: dict[tuple[str, str], Formula] = {}
        for child in element.children:
            if child.tag.endswith("Transition"):
                self._transition(child, element, shares, rates, name)
            elif child.tag not in (*_PASSED, *STATES):
                raise child.refuse(f"{element}, a gateKS, has a {child.tag}, which such a gate has not.")
        if element.all("q10Settings"):
            self.reading.note(
                f"the q10Settings of {element} are without effect, as in NeuroML's definition of a gateKS"
            )
        if len(shares) < 2 or "" in shares:
            raise element.refuse(f"{element} needs two states or more, with ids.")
        self._check_connected(element, list(shares), list(rates))
        if len(shares) == 2:
            return self._of_two(name, shares, rates)
        if self.found.scheme:
            raise element.refuse(f"{element} is the second scheme of more than two states; a channel here has one.")
        states = {one: one if one not in self.found.gates else f"{name}_{one}" for one in shares}
        self.found.scheme = {(states[a], states[b]): rate for (a, b), rate in rates.items()}
        found = _ZERO
        for one, share in shares.items():
            found = x.add(found, x.mul(share, x.symbol(states[one])))
        return found

    def _of_two(self, name: str, shares: dict[str, Formula], rates: dict[tuple[str, str], Formula]) -> Formula:
        """A scheme of two states is a gate."""
        (closed, low), (open_, high) = sorted(
            shares.items(), key=lambda item: item[1].value if item[1].op == "number" else 0.5
        )
        self.found.gates[name] = ("rates", rates.get((closed, open_), _ZERO), rates.get((open_, closed), _ZERO))
        q = x.symbol(name)
        return x.add(x.mul(low, x.sub(_ONE, q)), x.mul(high, q))

    def _share(self, state: Element, name: str) -> Formula:
        if state.tag == "KSState":
            return self.reading.parameter(state, "relativeConductance", "none", f"{name}_{state.id}_share").formula
        return _ONE if state.tag == "openState" else _ZERO

    def _transition(
        self,
        element: Element,
        gate: Element,
        states: Mapping[str, Formula],
        rates: dict[tuple[str, str], Formula],
        name: str,
    ) -> None:
        ends = element.need("from"), element.need("to")
        for end in ends:
            if end not in states:
                raise element.refuse(f"{element} names the state '{end}', which {gate} has not.")
        if ends[0] == ends[1]:
            raise element.refuse(f"{element} leads from '{ends[0]}' to itself.")
        forth, back = self._rates(element, f"{name}_{element.id or '_'.join(ends)}")
        for pair, rate in ((ends, forth), ((ends[1], ends[0]), back)):
            if not x.is_number(rate, 0):
                rates[pair] = x.add(rates[pair], rate) if pair in rates else rate

    def _rates(self, element: Element, label: str) -> tuple[Formula, Formula]:
        if element.tag in ("forwardTransition", "reverseTransition"):
            rate = self.reading.value(self._child(element, "rate"), "r", label, self.scope)
            return (rate, _ZERO) if element.tag == "forwardTransition" else (_ZERO, rate)
        if element.tag == "tauInfTransition":
            tau = self.reading.value(self._child(element, "timeCourse"), "t", f"{label}_tau", self.scope)
            inf = self.reading.value(self._child(element, "steadyState"), "x", f"{label}_inf", self.scope)
            return x.div(inf, tau), x.div(x.sub(_ONE, inf), tau)
        if element.tag == "vHalfTransition":
            return self._of_half(element, label)
        raise element.refuse(f"a {element.tag} is no transition that is known.")

    def _of_half(self, element: Element, label: str) -> tuple[Formula, Formula]:
        """Destexhe's form, with kT/e = 25.3 mV whatever the temperature, as NeuroML defines it."""
        kinds = {"vHalf": "voltage", "z": "none", "gamma": "none", "tau": "time", "tauMin": "time"}
        p = {one: self.reading.parameter(element, one, kind, f"{label}_{one}").formula for one, kind in kinds.items()}
        along = x.div(x.mul(p["z"], x.sub(x.symbol(V), p["vHalf"])), x.number(25.3))
        forth = x.mul(p["gamma"], along)
        back = x.neg(x.mul(x.sub(_ONE, p["gamma"]), along))
        one, other = (x.div(_ONE, x.add(x.mul(p["tau"], x.call("exp", x.neg(e))), p["tauMin"])) for e in (forth, back))
        return one, other

    def _child(self, element: Element, tag: str) -> Element:
        found = element.one(tag)
        if found is None:
            raise element.refuse(f"{element} has no {tag}.")
        return found

    def _check_connected(self, element: Element, states: list[str], pairs: list[tuple[str, str]]) -> None:
        reached, old = {states[0]}, 0
        while len(reached) > old:
            old = len(reached)
            reached |= {one for pair in pairs if reached & {*pair} for one in pair}
        if loose := [one for one in states if one not in reached]:
            raise element.refuse(f"no transition of {element} leads to the state '{loose[0]}'.")

    # ---- what a file defines itself ----

    def custom(self, element: Element, exposure: str, label: str) -> Formula:
        """What a component with dynamics of its own exposes; its states become variables of the channel."""
        chain = [
            self.reading.document.types[one]
            for one in self.reading.document.lineage(self.reading.document.kind(element))
            if one in self.reading.document.types
        ]
        states: dict[str, tuple[str, Dimension]] = {}
        for one in chain:
            for name, state in one.states.items():
                dimension = self.reading.document.measures.dimension(state.get("dimension") or "none", state.place)
                states.setdefault(name, (label if name == "q" else f"{label}_{name}", dimension))
        symbols = {name: Value(x.symbol(own), dimension) for name, (own, dimension) in states.items()}
        made = Instance(self.reading, element, label, self.scope, symbols)
        for one in chain:
            if one.conditions:
                raise one.conditions[0].refuse(
                    f"{one.conditions[0].tag} of {element} is not followed: what happens at once has no rate."
                )
        for name, (own, dimension) in states.items():
            self.found.variables[own] = self._variable(made, name, dimension)
        found = made.value(exposure, element)
        if found.dimension != NONE:
            raise element.refuse(f"{exposure} of {element} is a {named(found.dimension or NONE)}, not a number.")
        return found.formula

    def _variable(self, made: Instance, name: str, dimension: Dimension) -> tuple[Formula, Formula]:
        rates = [one.rates[name] for one in made.chain if name in one.rates]
        starts = [one.starts[name] for one in made.chain if name in one.starts]
        if not rates:
            raise made.element.refuse(f"nothing says how the state '{name}' of {made.element} changes.")
        rate = made.expression(rates[0].need("value"), rates[0])
        wanted = tuple(a - (i == 2) for i, a in enumerate(dimension))
        if rate.dimension != wanted and not x.is_number(rate.formula, 0):
            raise rates[0].refuse(f"the change of '{name}' is a {named(rate.dimension or NONE)}, not one per time.")
        if not starts:
            return rate.formula, _ZERO
        start = made.expression(starts[0].need("value"), starts[0])
        if start.dimension != dimension and not x.is_number(start.formula, 0):
            raise starts[0].refuse(f"what '{name}' starts from is a {named(start.dimension or NONE)}.")
        return rate.formula, start.formula
