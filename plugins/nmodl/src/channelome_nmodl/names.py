"""What the names of a file stand for, once INITIAL and BREAKPOINT have been run on formulas."""

import re
from collections.abc import Mapping
from typing import Any

from channelome.formulas import expression as x
from channelome.formulas.expression import Formula
from channelome.formulas.numeric import same
from channelome.formulas.plan import Quantity
from channelome.mechanisms.ions import VALENCE
from channelome.units import Unit

from .execute import Machine
from .meaning import Meaning, kept
from .text import NmodlError
from .tree import Declared, File
from .units import unit_of

GIVEN = frozenset({"v", "celsius", "t", "dt", "diam", "area", "L", "nseg", "secondorder", "stoprun", "phi_rest"})
SECTION: Mapping[str, str] = {"diam": "um", "area": "um^2", "L": "um", "celsius": "degC"}
"""What a mechanism of NEURON knows of where it is, with its unit; here it must be given, but for the temperature of a channel."""
OWN = "#"
"""What is put behind the name of a parameter that INITIAL changes, where its value in the file is meant."""


class Names:
    """The two machines of a file, and what its names are.

    Attributes:
        first, cycle: the machines that ran INITIAL and BREAKPOINT.
        states: names of states; what is found to be one is added.
        given: names that the surroundings set, as what the file reads of ions: where nothing else is known, they are not looked up.
        kept: names that are never looked up.
        began: of concentrations that the file writes the name of what NEURON has begun them with before INITIAL.
        meaning: what has been understood so far.
    """

    def __init__(self, file: File) -> None:
        self.file, self.where = file, file.source.name
        self.first, self.cycle = Machine(file), Machine(file)
        self.states = set(self.cycle.states)
        for name in sorted(self.states & {"v", "celsius", "t", "dt", *SECTION}):
            raise NmodlError(f"{file.place(file.states[name].line)}: {name} is NEURON's, and no STATE of a mechanism.")
        self.given = {name for ion in file.ions for name in ion.reads}
        self.kept = set[str]()
        self.began = dict[str, str]()
        self.meaning = Meaning(file, file.name)

    def run(self) -> None:
        """Run INITIAL and BREAKPOINT."""
        self.first.run(self.file.plain.get("INITIAL", ()))
        self.cycle.run(self.file.plain.get("BREAKPOINT", ()))

    def meant(self) -> Meaning:
        """The meaning, with what was passed over on the way."""
        self.meaning.methods = dict(self.cycle.solved.methods)
        self.meaning.notes += [*dict.fromkeys((*self.first.notes, *self.cycle.notes))]
        return self.meaning

    def place(self, name: str, *blocks: str) -> str:
        """The file, with the line that first names something: see `Source.place`."""
        return self.file.source.place(name.removesuffix(OWN), *blocks)

    def declared(self, name: str) -> Declared | None:
        name = name.removesuffix(OWN)
        return self.file.parameters.get(name) or self.file.assigned.get(name)

    def resolved(self, f: Formula, keep: str = "") -> Formula:
        """`f` of nothing but V, celsius, ions, states and parameters: what is computed elsewhere in the file is put in."""
        changes: dict[str, Formula] = {}
        for _ in range(60):
            changes = {}
            for name in sorted(f.symbols - self.states - self.kept - {keep}):
                value = self._value_of(name)
                if value is not None:
                    changes[name] = value
            if not changes:
                return f
            f = x.substituted(f, changes)
        raise NmodlError(f"{self.place(min(changes))}: {', '.join(sorted(changes))} depend on each other in a circle.")

    def _value_of(self, name: str) -> Formula | None:
        """What a symbol stands for at the end of a step, or since INITIAL; None for what is given."""
        value = self.cycle.env.get(name)
        if name in GIVEN:
            return None
        if value is not None and value is not x.symbol(name):
            if name in value.symbols:
                value = self.if_never_set(name, value)
            if name in value.symbols:
                raise NmodlError(
                    f"{self.place(name)}: {name} remembers what it was a step before, in a way that depends on the step."
                )
            return value
        value = self.first.env.get(name)
        if name not in self.given and value is not None and value is not x.symbol(name):
            value = self._since_initial(name, value)
            return None if value is x.symbol(name) else value
        return None

    def if_never_set(self, name: str, value: Formula) -> Formula:
        """What a variable is that is set only if a parameter says so: else it stays as it began."""
        began = self.first.env.get(name, x.number(0))
        if began.symbols & (self.states | {"v", "t", name}):
            return value

        def change(f: Formula, args: tuple[Formula, ...]) -> Formula:
            if f.op == "where" and x.symbol(name) in f.args[1:]:
                tested = self.resolved(f.args[0]) if name not in f.args[0].symbols else f.args[0]
                if not tested.symbols & (self.states | self.given | {"v", "t", "dt", name}):
                    args = (args[0], *(began if arg is x.symbol(name) else arg for arg in args[1:]))
            return f if args == f.args else x.build(f.op, args)

        return x.rebuilt(value, change)

    def _since_initial(self, name: str, value: Formula) -> Formula:
        again = name in value.symbols
        value = self.resolved_first(value)
        if name in value.symbols and self.declared(name) is None:
            return x.substituted(value, {name: x.number(0)})
        if again and name in self.file.parameters:
            said = f"INITIAL changes {name} itself; in NEURON it does so again each time that a run is begun"
            if said not in self.meaning.findings:
                self.meaning.findings.append(said)
        value = x.substituted(value, {name: x.symbol(f"{name}{OWN}")})
        bad = value.symbols & (self.states | {"v", "t"} | {f"i{ion.species}" for ion in self.file.ions})
        if bad:
            raise NmodlError(
                f"{self.place(name, 'INITIAL')}: {name} is set once, in INITIAL, from {', '.join(sorted(bad))}: a mechanism here has no such memory."
            )
        return self._remembered(name, value)

    def _remembered(self, name: str, value: Formula) -> Formula:
        """What INITIAL made of ions once: of a concentration that the file keeps what it began with; of others what they are, and it is said."""
        read = sorted(value.symbols & self.given)
        still = {
            f"{species}{side}" for species in kept(self.file) for side in "io"
        }  # the file would say how they change
        followed = [one for one in read if one not in still]
        if followed:
            said = f"{name} is set once, in INITIAL, from {' and '.join(followed)}, and stays so in NEURON; here it follows what that is"
            if said not in self.meaning.findings:
                self.meaning.findings.append(said)
        return x.substituted(value, {one: x.symbol(self.began[one]) for one in read if one in self.began})

    def resolved_first(self, f: Formula) -> Formula:
        """A formula of INITIAL with what is not set before it in INITIAL."""
        changes = {
            name: x.symbol(f"{name}{OWN}") if self._is_changed(name) else self._before_all(name)
            for name in f.symbols - self.states - {"v", "celsius"}
            if name not in self.given
        }
        return x.substituted(f, {name: value for name, value in changes.items() if value is not None})

    def _is_changed(self, name: str) -> bool:
        """Whether it is a parameter that INITIAL sets: before that it is what the file says."""
        value = self.first.env.get(name)
        return name in self.file.parameters and value is not None and value is not x.symbol(name)

    def _before_all(self, name: str) -> Formula | None:
        """What is known of a variable that nothing has set yet."""
        if name in self.began:
            return x.symbol(self.began[name])
        declared = self.declared(name)
        if declared is None:
            return x.number(0)
        if declared.value is None and name in self.cycle.env and self.first.env.get(name) is None:
            said = f"INITIAL uses {name}, which nothing has set by then: 0 here, in NEURON what an earlier run left"
            if said not in self.meaning.findings:
                self.meaning.findings.append(said)
            return x.number(0)
        return None

    def final(self, name: str) -> Formula:
        """What the file leaves in a variable at the end of a step; 0, and a finding, where it leaves nothing."""
        value = self.cycle.env.get(name)
        if value is not None and name in value.symbols:
            value = self.if_never_set(name, value)
        if value is None:
            self.meaning.findings.append(f"{name} is said to be written, and is not")
            return x.number(0)
        return self.resolved(value)

    def started(self, name: str) -> Formula:
        """What INITIAL gives a state, of parameters, V, ions and what it solves for; what it reads of states before is their default."""
        value = self.first.env.get(name)
        if value is None or value is x.symbol(name):
            return self._before(name)
        value = self.resolved_first(value)
        used = value.symbols & self.states - self.first.solved.steady
        value = x.substituted(value, {one: self._before(one) for one in used})
        if "dt" in value.symbols:
            said = "INITIAL takes a step of dt; here the start is that of dt = 0"
            if said not in self.meaning.findings:
                self.meaning.findings.append(said)
            value = x.substituted(value, {"dt": x.number(0)})
        return value

    def _before(self, name: str) -> Formula:
        """What a state is before INITIAL."""
        return x.symbol(f"{name}0") if self.declared(f"{name}0") is not None else x.number(0)

    def species(self, species: str, valence: float | None, line: int) -> str:
        if species.casefold() in VALENCE and species not in VALENCE:
            raise self.cycle.refuse(
                line, f"the ion '{species}' is to NEURON another than '{species.casefold()}'; rename it."
            )
        if valence is not None and not float(valence).is_integer():
            raise self.cycle.refuse(line, f"the VALENCE of {species}, {valence:g}, is no whole number.")
        if species not in VALENCE:
            self.meaning.valences[species] = int(valence) if valence is not None else 1
        return species

    def alike(self, a: Formula, b: Formula) -> bool:
        """Whether two formulas have the same numbers, near the file's defaults."""
        return same(a, b, self.defaults(a) | self.defaults(b), rtol=1e-9)

    def section(self, name: str) -> Quantity:
        """A quantity of where a mechanism is, which must be given: one of `SECTION`."""
        unit = Unit.parse(SECTION[name])
        return Quantity(name, unit, unit.symbol, None, 0, "of the section; must be given")

    def plain(self, *formulas: Formula) -> dict[str, float]:
        """A number of every symbol but V: defaults of parameters, states half open."""
        names = frozenset[str]().union(*(f.symbols for f in formulas))
        return dict.fromkeys(names, 0.5) | {"celsius": 25.0} | self.defaults(*formulas)

    def quantity(self, name: str) -> Quantity:
        for concentration, start in self.began.items():
            if name == start:
                value = of_neuron(concentration[:-1], concentration[-1])
                return Quantity(name, Unit.parse("mM"), "mM", value, 0, f"what NEURON has begun {concentration} with")
        declared = self.declared(name)
        name = name.removesuffix(OWN)
        if declared is None:
            base = re.sub(r"\[\d+\]$", "", name)
            declared = self.declared(base)
            if declared is None and name.endswith("0") and name[:-1] in self.states:
                return Quantity(name, Unit.parse("1"), "", 0.0, **self.standing("INITIAL"), note="starting value")
            if declared is None:
                if any(local == base for local, _ in self.file.file_locals):
                    return Quantity(name, Unit.parse("1"), "", 0.0, 0, "never set in the file")
                if base in self.file.lists.get("EXTERNAL", ()):
                    raise NmodlError(
                        f"{self.place(name)}: {name} is EXTERNAL, of another mechanism, which none here sees."
                    )
                raise NmodlError(f"{self.place(name)}: {name} is used, and is not declared.")
        value = declared.value
        note = "" if value is not None else "no value in the file, which is 0 in NEURON"
        if isinstance(value, str) or (value is not None and not isinstance(value, float)):
            value = float(self.file.defined.get(str(value), 0))
        return Quantity(
            name, unit_of(declared.unit), declared.unit, value or 0.0, **self.standing(declared.line), note=note
        )

    def standing(self, line: int | str) -> dict[str, Any]:
        """A line, or that of a block, where it stands: its number and, if that is one that is included, its file."""
        file, own = self.file.at(line if isinstance(line, int) else self.file.lines.get(line, 0))
        return {"line": own, "file": "" if file == self.where else file}

    def defaults(self, *formulas: Formula) -> dict[str, float]:
        names = frozenset[str]().union(*(f.symbols for f in formulas)) - self.states - GIVEN
        found: dict[str, float] = {}
        for name in names:
            declared = self.declared(name)
            value: Any = declared.value if declared else None
            if isinstance(value, float):
                found[name] = value
            elif name in self.given:
                found[name] = plausible(name)
            elif name in self.began.values():
                found[name] = self.quantity(name).value or 0.0
        return found


def of_neuron(species: str, side: str) -> float:
    """mM: what NEURON starts a concentration with, inside (``"i"``) or outside, where no file says anything."""
    known = {
        ("na", "i"): 10.0,
        ("na", "o"): 140.0,
        ("k", "i"): 54.4,
        ("k", "o"): 2.5,
        ("ca", "i"): 5e-5,
        ("ca", "o"): 2.0,
    }
    return known.get((species, side), 1.0)


def plausible(name: str) -> float:
    """A number of an ion's variable, for trying formulas out."""
    if name.startswith("e"):
        return {"ena": 50.0, "ek": -80.0, "eca": 120.0}.get(name, -30.0)
    if name.endswith("o"):
        return {"cao": 2.0, "nao": 140.0, "ko": 3.5}.get(name, 2.0)
    return {"cai": 1e-4, "nai": 10.0, "ki": 140.0}.get(name, 1e-3)
