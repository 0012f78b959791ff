"""Reading a mechanism off its blocks: what each state's rate and each current is a function of."""

import contextlib
import re
from collections.abc import Mapping
from typing import Any

from channelome.mechanisms.ions import VALENCE
from channelome.units import Unit

from . import expression as x
from .execute import Arrow, Machine
from .expression import Formula
from .gates import steady_state
from .meaning import Meaning, Quantity, check_kind
from .numeric import same, sample, stationary, values
from .safe import Guarded
from .singular import Singular
from .text import NmodlError
from .tree import Declared, File
from .units import unit_of

_GIVEN = frozenset({"v", "celsius", "t", "dt", "diam", "area", "L", "nseg", "secondorder", "stoprun", "phi_rest"})


def mean(file: File) -> Meaning:
    """What a file means.

    Raises:
        NmodlError: with the line and the reason, for what no channel here can be.
    """
    check_kind(file)
    return _Reader(file).read()


class _Reader:
    def __init__(self, file: File) -> None:
        self.file, self.where = file, file.source.name
        self.first, self.cycle = Machine(file), Machine(file)
        self.states = self.cycle.states()
        self.meaning = Meaning(file, file.name)
        self.ion_names = {name for ion in file.ions for name in ion.reads}
        self.own_currents = {f"i{ion.species}" for ion in file.ions for name in ion.writes if name == f"i{ion.species}"}
        self._resolving: list[str] = []
        self._known: dict[str, Formula] = {}

    def read(self) -> Meaning:
        meaning = self.meaning
        self.first.run(self.file.plain.get("INITIAL", ()))
        self.cycle.run(self.file.plain["BREAKPOINT"])
        self._procedures()
        self._kinetics()
        self._hidden()
        solved = self.cycle.solved
        for name, rate in solved.rates.items():
            if name not in self.states:
                raise self.cycle.refuse(solved.lines.get(name, 0), f"{name}' is the rate of what is no STATE.")
            meaning.rates[name] = self._resolved(rate)
        self._currents()
        self._drop_unused()
        self._starts()
        self._regular()
        self._check_symbols()
        meaning.methods = dict(solved.methods)
        meaning.notes += [*dict.fromkeys((*self.first.notes, *self.cycle.notes))]
        return meaning

    # ---- states ----

    def _procedures(self) -> None:
        """Undo what hand-written updates make of states: ``x'`` is the slope of the update by dt, at dt = 0."""
        solved = self.cycle.solved
        for name, update in solved.updates.items():
            solved.rates[name] = self._undone(name, self._resolved(update), solved.lines.get(name, 0))

    def _undone(self, name: str, update: Formula, line: int) -> Formula:
        nothing = {"dt": x.number(0)}
        if "dt" not in update.symbols:
            raise self.cycle.refuse(
                line, f"{name} changes with each step whatever dt is, which is not a channel's way."
            )
        still = x.substituted(update, nothing)
        held = {p: x.number(value) for p, value in self._defaults(still).items() if p in still.symbols}
        if held:
            still, update = x.substituted(still, held), x.substituted(update, held)
            self.meaning.notes.append(
                f"{', '.join(sorted(held))} of the update of {name} is taken at its value in the file"
            )
        at = sample(still.symbols | {name}, self._defaults(still))
        after, before = values([still, x.symbol(name)], at)
        after = after + 0 * before
        good = abs(after - before) <= 1e-9 * (1 + abs(before))
        if not good.any() or not good[(after == after)].all():
            raise self.cycle.refuse(
                line, f"the update of {name} moves it even where dt is 0; what it means is not clear."
            )
        rate = x.substituted(x.slope(update, "dt"), nothing)
        self.meaning.notes.append(
            f"the hand-written update of {name} was undone: its rate of change is that of dt -> 0"
        )
        return _tidy(rate)

    def _hidden(self) -> None:
        """Variables that are no STATE and remember: states all the same where they move with dt."""
        for name, value in list(self.cycle.env.items()):
            if "@" in name or name in self.states or name not in value.symbols or value is x.symbol(name):
                continue
            resolved = self._resolved(value, keep=name)
            if name in resolved.symbols and "dt" in resolved.symbols:
                self.states.add(name)
                self.cycle.solved.rates[name] = self._undone(name, resolved, 0)
                del self.cycle.env[name]
                self.meaning.notes.append(f"{name} is no STATE in the file, but is one")

    def _kinetics(self) -> None:
        solved = self.cycle.solved
        if not solved.arrows and not solved.sources:
            return
        flows: dict[str, Formula] = {}
        for arrow in solved.arrows:
            flow = arrow.rate
            for count, name in arrow.left:
                flow = x.mul(flow, x.power(self._here(name), x.number(count)))
            for side, sign in ((arrow.left, -1.0), (arrow.right, 1.0)):
                for count, name in side:
                    if name in self.states:
                        part = x.mul(x.number(sign * count), flow)
                        flows[name] = x.add(flows.get(name, x.number(0)), part)
        for name, flow in solved.sources:
            flows[name] = x.add(flows.get(name, x.number(0)), flow)
        for name, flow in flows.items():
            volume = solved.volumes.get(name)
            solved.rates[name] = flow if volume is None else x.div(flow, volume)
        self.meaning.arrows = [
            Arrow(arrow.left, arrow.right, self._resolved(arrow.rate), arrow.line) for arrow in solved.arrows
        ]
        if not self._is_scheme(flows):
            self.meaning.arrows = []

    def _here(self, name: str) -> Formula:
        return x.symbol(name) if name in self.states else self.cycle.env.get(name, x.symbol(name))

    def _is_scheme(self, flows: Mapping[str, Formula]) -> bool:
        """Whether the reactions are those of one closed scheme of one channel: from one state to one other, no volumes."""
        solved = self.cycle.solved
        if solved.sources or solved.volumes or not self.meaning.arrows:
            return False
        ends = [arrow.left + arrow.right for arrow in self.meaning.arrows]
        if any(len(arrow.left) != 1 or len(arrow.right) != 1 for arrow in self.meaning.arrows):
            return False
        if any(count != 1 or name not in flows for pair in ends for count, name in pair):
            return False
        if any(arrow.rate.symbols & set(flows) for arrow in self.meaning.arrows):
            return False
        reached, old = {ends[0][0][1]}, 0
        while len(reached) > old:
            old = len(reached)
            reached |= {n for pair in ends for _, n in pair if reached & {name for _, name in pair}}
        return reached == set(flows)

    def _starts(self) -> None:
        """What INITIAL makes of each state; None where that is its steady state."""
        meaning, env = self.meaning, self.first.env
        settled = self.first.solved.steady
        for equation, _ in self.first.solved.equations:
            settled = settled | (equation.symbols & self.states)
        for name, rate in meaning.rates.items():
            if name in settled and (name not in env or name in env[name].symbols):
                meaning.starts[name] = None
                continue
            start = self._started(name)
            steady = None if name in meaning.scheme else steady_state(rate, name)
            others = steady.symbols & set(meaning.rates) if steady is not None else frozenset[str]()
            if any(name in meaning.rates[other].symbols for other in others):
                steady = None  # they move each other: where one stands still says nothing of the others
            meaning.starts[name] = None if steady is not None and self._alike(start, steady) else start
        if meaning.arrows:
            self._check_scheme_start()
        if self.first.solved.equations:
            self._check_equations()
        self._check_steady()

    def _started(self, name: str) -> Formula:
        value = self.first.env.get(name)
        if value is None or value is x.symbol(name):
            default = self._declared(f"{name}0")
            return x.symbol(f"{name}0") if default is not None else x.number(0)
        value = self._resolved_first(value)
        for _ in range(20):
            if not (used := value.symbols & self.states):
                break
            value = x.substituted(
                value, {one: self._resolved_first(self.first.env.get(one, x.number(0))) for one in used}
            )
        return value

    def _alike(self, start: Formula, steady: Formula) -> bool:
        """Whether a state starts at its steady state, which may be of other states at theirs."""
        for name in steady.symbols & self.states:
            steady = x.substituted(steady, {name: self._started(name)})
        clean = Singular(self._defaults(start) | self._defaults(steady))
        return same(
            clean.removed(start), clean.removed(steady), self._defaults(start) | self._defaults(steady), rtol=1e-7
        )

    def _check_scheme_start(self) -> None:
        starts = [self.meaning.starts[name] for name in self.meaning.scheme]
        if any(start is not None for start in starts):
            self.meaning.arrows = []  # it starts elsewhere than at rest, so its states are variables

    def _check_equations(self) -> None:
        """Say where a LINEAR block, which INITIAL solves, does not hold at the steady state, from which the scheme starts here."""
        meaning = self.meaning
        if not meaning.arrows:
            raise NmodlError(
                f"{self.where}: INITIAL solves a LINEAR block for states that are no closed kinetic scheme."
            )
        equations = [self._resolved_first(f) for f, _ in self.first.solved.equations]
        rates = [arrow.rate for arrow in meaning.arrows]
        plain = {**self._plain(*equations, *rates), "v": -57.3}
        pairs = [(arrow.left[0][1], arrow.right[0][1]) for arrow in meaning.arrows]
        occupied = stationary(meaning.scheme, pairs, values(rates, plain))
        off = values(equations, plain | occupied)
        size = max(abs(float(one)) for one in values(rates, plain))
        if any(abs(float(one)) > 1e-6 * max(size, 1.0) for one in off):
            meaning.findings.append(
                "its LINEAR block does not give the steady state, from which the scheme starts here"
            )

    def _check_steady(self) -> None:
        """States that start at their steady state, and are neither gates nor of the scheme, are given the formula of it."""
        meaning = self.meaning
        for name, rate in meaning.rates.items():
            if meaning.starts[name] is not None or name in meaning.scheme:
                continue
            if steady_state(rate, name) is None:
                raise NmodlError(f"{self.where}: {name} starts at a steady state for which there is no formula here.")

    def _resolved_first(self, f: Formula) -> Formula:
        """A formula of INITIAL with what is not set before it in INITIAL."""
        changes = {
            name: self._ion_or_default(name)
            for name in f.symbols - self.states - {"v", "celsius"}
            if name not in self.ion_names
        }
        return x.substituted(f, {name: value for name, value in changes.items() if value is not None})

    def _ion_or_default(self, name: str) -> Formula | None:
        declared = self._declared(name)
        if declared is None:
            return x.number(0)
        if declared.value is None and name in self.cycle.env and self.first.env.get(name) is None:
            said = f"INITIAL uses {name}, which nothing has set by then: 0 here, in NEURON what an earlier run left"
            if said not in self.meaning.findings:
                self.meaning.findings.append(said)
            return x.number(0)
        return None

    # ---- currents ----

    def _currents(self) -> None:
        for ion in self.file.ions:
            name = f"i{ion.species}"
            if name in ion.writes:
                self.meaning.currents[self._species(ion.species, ion.valence, ion.line)] = self._final(name)
        for name in self.file.lists.get("NONSPECIFIC_CURRENT", ()):
            flow = self._final(name)
            known = self.meaning.currents.get("")
            self.meaning.currents[""] = flow if known is None else x.add(known, flow)
        if not any(not x.is_number(flow, 0) for flow in self.meaning.currents.values()):
            raise NmodlError(f"{self.where}: its current is 0 whatever happens.")

    def _final(self, name: str) -> Formula:
        value = self.cycle.env.get(name)
        if value is not None and name in value.symbols:
            value = self._if_never_set(name, value)
        if value is None:
            self.meaning.findings.append(f"{name} is said to be written, and is not")
            return x.number(0)
        return self._resolved(value)

    def _species(self, species: str, valence: float | None, line: int) -> str:
        if species.casefold() in VALENCE and species not in VALENCE:
            raise self.cycle.refuse(
                line, f"the ion '{species}' is to NEURON another than '{species.casefold()}'; rename it."
            )
        if species not in VALENCE:
            self.meaning.valences[species] = int(valence) if valence is not None else 1
        return species

    # ---- names ----

    def _declared(self, name: str) -> Declared | None:
        return self.file.parameters.get(name) or self.file.assigned.get(name)

    def _resolved(self, f: Formula, keep: str = "") -> Formula:
        """`f` of nothing but V, celsius, ions, states and parameters: what is computed elsewhere in the file is put in."""
        changes: dict[str, Formula] = {}
        for _ in range(60):
            changes = {}
            for name in f.symbols - self.states - {keep}:
                value = self._value_of(name)
                if value is not None:
                    changes[name] = value
            if not changes:
                return f
            f = x.substituted(f, changes)
        raise NmodlError(f"{self.where}: {', '.join(sorted(changes))} depend on each other in a circle.")

    def _value_of(self, name: str) -> Formula | None:
        """What a symbol stands for at the end of a step, or since INITIAL; None for what is given."""
        value = self.cycle.env.get(name)
        if name in _GIVEN:
            return None
        if value is not None and value is not x.symbol(name):
            if name in value.symbols:
                value = self._if_never_set(name, value)
            if name in value.symbols:
                raise NmodlError(
                    f"{self.where}: {name} remembers what it was a step before, in a way that depends on the step."
                )
            return value
        value = self.first.env.get(name)
        if name not in self.ion_names and value is not None and value is not x.symbol(name):
            value = self._since_initial(name, value)
            return None if value is x.symbol(name) else value
        return None

    def _if_never_set(self, name: str, value: Formula) -> Formula:
        """What a variable is that is set only if a parameter says so: else it stays as it began."""
        began = self.first.env.get(name, x.number(0))
        if began.symbols & (self.states | {"v", "t", name}):
            return value

        def change(f: Formula, args: tuple[Formula, ...]) -> Formula:
            if f.op == "where" and x.symbol(name) in f.args[1:]:
                tested = self._resolved(f.args[0]) if name not in f.args[0].symbols else f.args[0]
                if not tested.symbols & (self.states | self.ion_names | {"v", "t", "dt", name}):
                    args = (args[0], *(began if arg is x.symbol(name) else arg for arg in args[1:]))
            return f if args == f.args else x.build(f.op, args)

        return x.rebuilt(value, change)

    def _since_initial(self, name: str, value: Formula) -> Formula:
        value = self._resolved_first(value)
        if name in value.symbols:
            return x.substituted(value, {name: x.number(0)}) if self._declared(name) is None else value
        bad = value.symbols & (self.states | {"v", "t"})
        if bad:
            raise NmodlError(
                f"{self.where}: {name} is set once, in INITIAL, from {', '.join(sorted(bad))}: a channel here has no such memory."
            )
        return value

    def _drop_unused(self) -> None:
        """States that no current depends on, directly or by other states, are left out."""
        rates = self.meaning.rates
        needed = set[str]().union(*(flow.symbols for flow in self.meaning.currents.values())) & self.states
        if self.meaning.arrows and needed & set(self.meaning.scheme):
            needed |= set(self.meaning.scheme)
        elif self.meaning.arrows:
            self.meaning.arrows = []
        old = -1
        while len(needed) > old:
            old = len(needed)
            for name in list(needed):
                if name in rates:
                    needed |= rates[name].symbols & self.states
        for name in sorted(needed - set(rates)):
            held = self._started(name)
            if held.symbols & (self.states | {"v"}):
                raise NmodlError(f"{self.where}: the state {name} is used, and nothing says how it changes.")
            change = {name: held}
            self.meaning.currents = {s: x.substituted(f, change) for s, f in self.meaning.currents.items()}
            self.meaning.rates = rates = {s: x.substituted(f, change) for s, f in rates.items()}
            self.meaning.findings.append(f"the state {name} never changes")
        for name in sorted(set(rates) - needed):
            del rates[name]
            self.meaning.notes.append(f"the state {name} was left out: no current depends on it")

    def _regular(self) -> None:
        """Take out singular quotients everywhere."""
        meaning = self.meaning
        everything = [*meaning.rates.values(), *meaning.currents.values(), *(a.rate for a in meaning.arrows)]
        clean = Singular(self._defaults(*everything))
        meaning.rates = {name: clean.removed(f) for name, f in meaning.rates.items()}
        meaning.currents = {name: clean.removed(f) for name, f in meaning.currents.items()}
        meaning.starts = {name: f and clean.removed(f) for name, f in meaning.starts.items()}
        for arrow in meaning.arrows:
            arrow.rate = clean.removed(arrow.rate)
        meaning.findings += clean.findings
        guarded = Guarded(self._plain(*self._formulas()))
        meaning.rates = {name: guarded.safe(f) for name, f in meaning.rates.items()}
        meaning.currents = {name: guarded.safe(f) for name, f in meaning.currents.items()}
        meaning.starts = {name: f and guarded.safe(f) for name, f in meaning.starts.items()}
        for arrow in meaning.arrows:
            arrow.rate = guarded.safe(arrow.rate)
        for f, name in {**self.first.names, **self.cycle.names}.items():
            if f.symbols.isdisjoint(("dt", "t")):
                with contextlib.suppress(NmodlError):
                    meaning.names.setdefault(guarded.safe(clean.removed(self._resolved(f))), name)

    def _plain(self, *formulas: Formula) -> dict[str, float]:
        """A number of every symbol but V: defaults of parameters, states half open."""
        names = frozenset[str]().union(*(f.symbols for f in formulas))
        return dict.fromkeys(names, 0.5) | {"celsius": 25.0} | self._defaults(*formulas)

    def _formulas(self) -> list[Formula]:
        m = self.meaning
        return [
            *m.rates.values(),
            *m.currents.values(),
            *(f for f in m.starts.values() if f),
            *(a.rate for a in m.arrows),
        ]

    def _check_symbols(self) -> None:
        """Every symbol is V, celsius, a state, an ion's or a parameter; the parameters are written down."""
        used = frozenset[str]().union(*(f.symbols for f in self._formulas()))
        for name in sorted(used - self.states - {"v", "celsius"}):
            if name in ("t", "dt"):
                raise NmodlError(
                    f"{self.where}: its current depends on {'time' if name == 't' else 'the length of a step'} itself ({name})."
                )
            if name in ("diam", "area", "L", "nseg"):
                raise NmodlError(
                    f"{self.where}: it depends on the section's {name}, which a channel here does not know."
                )
            if name in self.ion_names:
                self._check_ion_name(name)
                continue
            self.meaning.quantities[name] = self._quantity(name)

    def _check_ion_name(self, name: str) -> None:
        for ion in self.file.ions:
            if name == f"i{ion.species}":
                raise self.cycle.refuse(
                    ion.line, f"it depends on {name}, the sum over all channels, which one channel does not know."
                )
            if name in ion.reads:
                self._species(ion.species, ion.valence, ion.line)

    def _quantity(self, name: str) -> Quantity:
        declared = self._declared(name)
        if declared is None:
            base = re.sub(r"\[\d+\]$", "", name)
            declared = self._declared(base)
            if declared is None and name.endswith("0") and name[:-1] in self.states:
                return Quantity(name, Unit.parse("1"), "", 0.0, self.file.lines.get("INITIAL", 0), "starting value")
            if declared is None:
                if any(local == base for local, _ in self.file.file_locals):
                    return Quantity(name, Unit.parse("1"), "", 0.0, 0, "never set in the file")
                raise NmodlError(f"{self.where}: {name} is used, and is not declared.")
        value = declared.value
        note = "" if value is not None else "no value in the file, which is 0 in NEURON"
        if isinstance(value, str) or (value is not None and not isinstance(value, float)):
            value = float(self.file.defined.get(str(value), 0))
        return Quantity(name, unit_of(declared.unit), declared.unit, value or 0.0, declared.line, note)

    def _defaults(self, *formulas: Formula) -> dict[str, float]:
        names = frozenset[str]().union(*(f.symbols for f in formulas)) - self.states - _GIVEN
        found: dict[str, float] = {}
        for name in names:
            declared = self._declared(name)
            value: Any = declared.value if declared else None
            if isinstance(value, float):
                found[name] = value
            elif name in self.ion_names:
                found[name] = _plausible(name)
        return found


def _plausible(name: str) -> float:
    """A number of an ion's variable, for trying formulas out."""
    if name.startswith("e"):
        return {"ena": 50.0, "ek": -80.0, "eca": 120.0}.get(name, -30.0)
    if name.endswith("o"):
        return {"cao": 2.0, "nao": 140.0, "ko": 3.5}.get(name, 2.0)
    return {"cai": 1e-4, "nai": 10.0, "ki": 140.0}.get(name, 1e-3)


def _tidy(rate: Formula) -> Formula:
    """A rate with factors of 1 and signs that cancel taken out, as slopes of updates have them."""
    return x.rebuilt(rate, lambda f, args: f if not args else x.build(f.op, args))
