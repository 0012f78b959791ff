"""Reading a synapse off a POINT_PROCESS with NET_RECEIVE: what its states do between spikes, and what a spike does."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from channelome.formulas import expression as x
from channelome.formulas.expression import Formula
from channelome.formulas.singular import factors

from .execute import Machine
from .meaning import Meaning, check_words
from .names import SECTION, Names
from .rates import read_rates
from .regular import regular
from .text import NmodlError
from .tree import Begin, File, Routine

WEIGHT, ELAPSED = "weight@net", "elapsed@net"
"""Symbols of the weight, and of the time since the source's last spike."""


@dataclass
class Synaptic:
    """What a spike does.

    Attributes:
        meaning: rates and, as ``conductance``, the conductance of the states; parameters.
        reversal: the potential at which the current is 0.
        jumps: by state, how much a weight of 1 adds to it, but for `amount`.
        amount: what the source sends, of variables of the source; None where it always sends 1.
        kept: variables of the source: what each is after a spike, of those before.
        begins: what they start from.
    """

    meaning: Meaning
    reversal: Formula
    jumps: dict[str, Formula] = field(default_factory=dict[str, Formula])
    amount: Formula | None = None
    kept: dict[str, Formula] = field(default_factory=dict[str, Formula])
    begins: dict[str, float] = field(default_factory=dict[str, float])


def mean_synapse(file: File) -> Synaptic:
    """What a file means as a synapse.

    Raises:
        NmodlError: with the line and the reason, for what no synapse here can be.
    """
    check_words(file)
    receive = file.routines.get("NET_RECEIVE")
    if receive is None:
        raise NmodlError(
            f"{file.source.place('POINT_PROCESS')}: POINT_PROCESS {file.name} has no NET_RECEIVE: no spike reaches it, so it is no synapse."
        )
    for ion in file.ions:
        if ion.writes:
            raise NmodlError(
                f"{file.place(ion.line)}: it writes {', '.join(ion.writes)}: a synapse here is carried by no ion."
            )
    names = Names(file)
    names.run()
    read_rates(names)
    names.meaning.arrows = []
    found = Synaptic(names.meaning, x.number(0))
    _current(names, found)
    _needed(names)
    _at_rest(names)
    _spike(names, receive, found)
    regular(names)
    _check_symbols(names, found)
    names.meant()
    return found


def _current(names: Names, found: Synaptic) -> None:
    """The conductance and the reversal potential of all currents together."""
    flows = [names.final(name) for name in names.file.lists.get("NONSPECIFIC_CURRENT", ())]
    total = x.number(0)
    for flow in flows:
        total = x.add(total, flow)
    if x.is_number(total, 0):
        raise NmodlError(f"{names.place('BREAKPOINT')}: its current is 0 whatever happens.")
    driven = _driven(total)
    if driven is None or driven[1].symbols & (names.states | {"v"}):
        raise NmodlError(
            f"{names.place('BREAKPOINT')}: its current is not g*(v - e) with one e; a synapse here has a conductance and one reversal potential."
        )
    names.meaning.currents = {"": driven[0]}
    found.reversal = driven[1]


def _driven(f: Formula) -> tuple[Formula, Formula] | None:
    """``(g, E)`` of ``g * (v - E)``, also of a sum of such with one E."""
    if f.op == "+":
        one, other = _driven(f.args[0]), _driven(f.args[1])
        return (x.add(one[0], other[0]), one[1]) if one and other and one[1] is other[1] else None
    v = x.symbol("v")
    for g, factor in factors(f):
        if factor is v:
            return g, x.number(0)
        if factor.op == "-" and factor.args[0] is v and "v" not in factor.args[1].symbols:
            return g, factor.args[1]
        if factor.op == "-" and factor.args[1] is v and "v" not in factor.args[0].symbols:
            return x.neg(g), factor.args[0]
    return None


def _needed(names: Names) -> None:
    """Leave out states that the conductance does not depend on."""
    meaning = names.meaning
    needed, old = meaning.currents[""].symbols & names.states, -1
    while len(needed) > old:
        old = len(needed)
        for name in sorted(needed):
            if name not in meaning.rates:
                raise NmodlError(f"{names.place(name)}: the state {name} is used, and nothing says how it changes.")
            needed |= meaning.rates[name].symbols & names.states
    meaning.rates = {name: rate for name, rate in meaning.rates.items() if name in needed}
    if not needed:
        raise NmodlError(
            f"{names.place('BREAKPOINT')}: its conductance depends on no state: a spike would change nothing."
        )
    scaled = {name: x.mul(x.number(2), x.symbol(name)) for name in needed}
    twice = x.substituted(meaning.currents[""], scaled)
    if not names.alike(twice, x.mul(x.number(2), meaning.currents[""])):
        raise NmodlError(
            f"{names.place('BREAKPOINT')}: its conductance is not proportional to its states, as a synapse's here is."
        )


def _at_rest(names: Names) -> None:
    for name in names.meaning.rates:
        if not x.is_number(names.started(name), 0):
            raise NmodlError(
                f"{names.place(name, 'INITIAL')}: the state {name} does not start from 0, where a synapse here is at rest."
            )


def _spike(names: Names, receive: Routine, found: Synaptic) -> None:
    """What one event does to the states, and to what each connection remembers."""
    if not receive.arguments:
        raise names.cycle.refuse(receive.line, "NET_RECEIVE has no weight.")
    weight, *others = receive.arguments
    scope = {weight: WEIGHT} | {name: f"{name}@net" for name in others}
    machine, first = Machine(names.file), Machine(names.file)
    machine.env["flag"] = x.number(0)
    machine.run(receive.body, scope)
    for statement in receive.body:
        if isinstance(statement, Begin):
            first.run(statement.body, scope)
    names.cycle.notes.update(machine.notes)
    if machine.env.get(WEIGHT, x.symbol(WEIGHT)) is not x.symbol(WEIGHT):
        raise names.cycle.refuse(
            receive.line, f"NET_RECEIVE changes {weight}: weights that spikes change are not read."
        )
    clock = [key for name in others if machine.env[key := scope[name]] is x.symbol("t")]
    late = _Since(clock)
    for name in others:
        key = scope[name]
        if key not in clock:
            found.kept[key] = late.of(_known(names, machine.env[key]))
            begin = first.env.get(key, x.number(0))
            found.begins[key] = _number(names, x.number(0) if begin is x.symbol(key) else begin, name)
    changed = {name: late.of(_known(names, machine.env[name])) for name in names.meaning.rates if name in machine.env}
    _jumps(names, receive, found, changed)
    _check_clock(names, receive, found, first, clock)
    for name, value in machine.env.items():
        if (
            "@" not in name
            and name not in names.meaning.rates
            and _matters(names, found, name)
            and value is not x.symbol(name)
        ):
            raise names.cycle.refuse(
                receive.line, f"NET_RECEIVE sets {name}, which is no state and on which the rest depends."
            )


def _known(names: Names, f: Formula) -> Formula:
    """`f` with what the file computes elsewhere put in; what NET_RECEIVE has of its own stays."""
    own = {name for name in f.symbols if "@" in name}
    names.kept |= own
    return names.resolved(f)


def _jumps(names: Names, receive: Routine, found: Synaptic, changed: Mapping[str, Formula]) -> None:
    sent: dict[str, Formula] = {}
    for name, after in changed.items():
        parts = x.linear(after, name)
        by = x.linear(parts[0], WEIGHT) if parts is not None and x.is_number(parts[1], 1) else None
        if by is None or not x.is_number(by[0], 0) or by[1].symbols & ({"v", WEIGHT} | names.states):
            raise names.cycle.refuse(receive.line, f"a spike changes {name} by what is no multiple of the weight.")
        found.jumps[name], sent[name] = _split(by[1])
    amounts = {id(f): f for f in sent.values()}
    if len(amounts) > 1:
        raise names.cycle.refuse(receive.line, "a spike sends different amounts to different states.")
    if not amounts:
        raise names.cycle.refuse(receive.line, "a spike changes no state.")
    (amount,) = amounts.values()
    found.amount = None if x.is_number(amount, 1) else amount
    if found.amount is None:
        found.kept, found.begins = {}, {}


def _split(f: Formula) -> tuple[Formula, Formula]:
    """The factors of `f` that are parameters alone, and those of what a connection remembers."""
    if not any("@" in name for name in f.symbols):
        return f, x.number(1)
    if f.op == "*":
        (a, b), (c, d) = _split(f.args[0]), _split(f.args[1])
        return x.mul(a, c), x.mul(b, d)
    if f.op == "/" and not any("@" in name for name in f.args[1].symbols):
        a, b = _split(f.args[0])
        return x.div(a, f.args[1]), b
    return x.number(1), f


def _check_clock(names: Names, receive: Routine, found: Synaptic, first: Machine, clock: list[str]) -> None:
    formulas = [*found.kept.values(), *found.jumps.values(), *([found.amount] if found.amount else [])]
    used = frozenset[str]().union(*(f.symbols for f in formulas))
    if WEIGHT in used or used & (names.states | {"v"}):
        raise names.cycle.refuse(
            receive.line, "what a source remembers depends on the weight or on the target, which it does not know."
        )
    if used & {"t", "dt", *clock}:
        raise names.cycle.refuse(
            receive.line, "what a spike does depends on time itself, not on the time since the last alone."
        )
    if ELAPSED in used:
        begins = {_number(names, first.env.get(key, x.number(0)), key) for key in clock}
        found.begins[ELAPSED] = 0.0 - min(begins)
        found.kept[ELAPSED] = x.number(0)


def _number(names: Names, f: Formula, name: str) -> float:
    """The number that a connection's variable starts from, with the file's defaults; t is 0 then."""
    f = names.resolved(x.substituted(f, {"t": x.number(0), f"{name}@net": x.number(0)}))
    held = {key: x.number(value) for key, value in names.defaults(f).items()}
    f = x.substituted(f, held)
    if f.op != "number":
        raise NmodlError(
            f"{names.place(name.partition('@')[0], 'NET_RECEIVE')}: {name.partition('@')[0]} of a connection starts from what is no number."
        )
    return float(f.value)


def _matters(names: Names, found: Synaptic, name: str) -> bool:
    formulas = (*names.meaning.rates.values(), names.meaning.currents[""], found.reversal)
    return any(name in f.symbols for f in formulas)


class _Since:
    """Puts the time since the last spike in the place of ``t - t0``."""

    def __init__(self, clock: list[str]) -> None:
        self.clock = {id(x.symbol(key)) for key in clock}

    def of(self, f: Formula) -> Formula:
        return x.rebuilt(f, self._part)

    def _part(self, f: Formula, args: tuple[Formula, ...]) -> Formula:
        if f.op == "-":
            a, b = args
            if a is x.symbol("t") and id(b) in self.clock:
                return x.symbol(ELAPSED)
            if b is x.symbol("t") and id(a) in self.clock:
                return x.neg(x.symbol(ELAPSED))
        return f if args == f.args else x.build(f.op, args)


def _check_symbols(names: Names, found: Synaptic) -> None:
    meaning = names.meaning
    between = frozenset[str]().union(*(f.symbols for f in meaning.rates.values()))
    if "v" in between:
        raise NmodlError(
            f"{names.place('v', 'DERIVATIVE', 'KINETIC')}: its states move with v; those of a synapse here pass time whatever the voltage is."
        )
    formulas = (
        *meaning.rates.values(),
        meaning.currents[""],
        found.reversal,
        *found.jumps.values(),
        *found.kept.values(),
    )
    used = frozenset[str]().union(*(f.symbols for f in (*formulas, *([found.amount] if found.amount else []))))
    for name in sorted(used - set(meaning.rates) - {"v"}):
        if "@" in name:
            continue
        if name in ("t", "dt", "nseg") or name in names.given:
            raise NmodlError(f"{names.place(name)}: it depends on {name}, which a synapse here does not see.")
        meaning.quantities[name] = names.section(name) if name in SECTION else names.quantity(name)
