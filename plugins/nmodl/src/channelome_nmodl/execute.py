"""Blocks run on formulas in place of numbers: what each variable is at the end of them, whatever the voltage was.

Functions and procedures are followed where they are called, both branches of an ``if`` are run and joined by ``where``,
loops with known bounds are unrolled. What a variable is before anything was put into it is a symbol of its name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from channelome.formulas import expression as x
from channelome.formulas.expression import Formula

from . import tree
from .arrays import MOST_ROUNDS, size_of, states_of
from .solved import Arrow, Solved, at_defaults
from .text import NmodlError
from .tree import File, Name
from .units import constant
from .verbatim import is_harmless

DEEPEST = 40
RANDOM = frozenset(["exprand", "scop_random", "normrand", "unifrand", "gauss", "poisrand", "set_seed", "random_uniform", "nrnRan4int"])  # fmt: skip
_SILENT = frozenset(["printf", "fprintf", "error"])
_EVENTS = frozenset(["net_send", "net_move", "net_event", "at_time"])

Scope = Mapping[str, str]
"""From a name that is written to the variable that it is there: locals have names of their own."""


class Machine:
    """Runs the blocks of one file.

    Attributes:
        states: names of states, elements of arrays one by one.
        env: what each variable is now, by name; ``x[2]`` for an element of an array.
        solved: what was found in the blocks that were solved.
        notes: what was passed over, each once.
    """

    def __init__(self, file: File) -> None:
        self.file = file
        self.env: dict[str, Formula] = {}
        self.solved = Solved()
        self.notes: dict[str, None] = {}
        self.names: dict[Formula, str] = {}
        self.states = states_of(file)
        self._depth = 0
        self._count = 0
        self._constants = {
            name: x.number(constant(name, value, units, file)) for name, (value, units) in file.constants.items()
        }

    def run(self, body: Sequence[Any], given: Mapping[str, str] | None = None) -> None:
        """Run a block; `given` are its arguments, with the symbols that they begin as."""
        scope = dict(given or {})
        for key in scope.values():
            self.env.setdefault(key, x.symbol(key))
        self._body(body, scope)

    def refuse(self, line: int, reason: str) -> NmodlError:
        return NmodlError(f"{self.file.place(line)}: {reason}")

    # ---- statements ----

    def _body(self, body: Sequence[Any], scope: Scope) -> None:
        for statement in body:
            if isinstance(statement, tree.Local):
                scope = {**scope, **self._locals(statement)}
            else:
                self._statement(statement, scope)

    def _locals(self, local: tree.Local) -> dict[str, str]:
        self._count += 1
        return {name: f"{name}@{self._count}" for name, _ in local.names}

    def _statement(self, s: Any, scope: Scope) -> None:
        match s:
            case tree.Assign():
                self._assign(s, scope)
            case tree.Prime():
                if s.order != 1:
                    raise self.refuse(s.line, f"{s.name} has a derivative of order {s.order}; of the first are read.")
                self.solved.rates[s.name] = self._value(s.value, scope)
                self.solved.lines.setdefault(s.name, s.line)
            case tree.If():
                self._if(s, scope)
            case tree.Do():
                self._do(s.call, scope)
            case tree.Begin():
                pass  # of connections: `receive` runs it apart
            case tree.Loop():
                self._loop(s, scope)
            case tree.While():
                self._while(s, scope)
            case tree.Solve():
                self._solve(s)
            case tree.Block():
                self._body(s.body, scope)
            case tree.Reaction() | tree.Flux() | tree.Compartment() | tree.Along() | tree.Conserve() | tree.Equation():
                self._kinetic(s, scope)
            case tree.Verbatim():
                if not is_harmless(s):
                    raise self.refuse(s.line, "VERBATIM holds C code that does something, which is not read.")
                self.notes["VERBATIM without effect was passed over"] = None
            case tree.Table():
                self.notes["TABLE was left out: functions are computed, not interpolated"] = None
            case tree.Other():
                raise self.refuse(s.line, f"{s.word} has no meaning for a mechanism here.")
            case _:
                raise self.refuse(0, f"the statement {s} is not understood.")

    def _assign(self, s: tree.Assign, scope: Scope) -> None:
        key = self._key(s.target, scope)
        value = self._value(s.value, scope)
        self.env[key] = value
        if value.args and "[" not in key:
            self.names.setdefault(value, s.target.name)

    def _if(self, s: tree.If, scope: Scope) -> None:
        test = x.truth(self._value(s.test, scope))
        if test.op == "number":
            self._body(s.then if test.value else s.other, scope)
            return
        before, solved = dict(self.env), self.solved.said
        self._body(s.then, scope)
        then, self.env = self.env, dict(before)
        self._body(s.other, scope)
        if self.solved.said != solved:
            raise self.refuse(s.line, "a derivative or a reaction that stands in an if is not read.")
        other = self.env
        for key in {**then, **other}:
            a, b = then.get(key, x.symbol(key)), other.get(key, x.symbol(key))
            self.env[key] = x.where(test, a, b)
            if self.env[key].op == "where" and "[" not in key:
                self.names.setdefault(self.env[key], key.partition("@")[0])

    def _loop(self, s: tree.Loop, scope: Scope) -> None:
        first, last = self._whole(s.first, scope, s.line), self._whole(s.last, scope, s.line)
        step = 1 if s.step is None else self._whole(s.step, scope, s.line)
        if not step or (last - first) // step > MOST_ROUNDS:
            raise self.refuse(s.line, f"the loop has more than {MOST_ROUNDS} rounds.")
        self._count += 1
        inner = {**scope, s.name: f"{s.name}@{self._count}"}
        for i in range(first, last + (1 if step > 0 else -1), step):
            self.env[inner[s.name]] = x.number(i)
            self._body(s.body, inner)

    def _while(self, s: tree.While, scope: Scope) -> None:
        for _ in range(MOST_ROUNDS):
            test = x.truth(self._value(s.test, scope))
            if test.op != "number":
                raise self.refuse(s.line, "a WHILE whose end depends on the voltage or a parameter is not read.")
            if not test.value:
                return
            self._body(s.body, scope)
        raise self.refuse(s.line, f"the WHILE does not end in {MOST_ROUNDS} rounds.")

    def _solve(self, s: tree.Solve) -> None:
        block = self.file.routines.get(s.block)
        if block is None:
            raise self.refuse(s.line, f"SOLVE {s.block}: the file has no block of that name.")
        self.solved.methods[s.block] = s.method
        before = {*self.solved.rates}, len(self.solved.arrows)
        voltage = self.env.get("v")
        if block.kind in ("LINEAR", "NONLINEAR") and not s.steady:
            self._enter(block.body, block, {})
            if block.kind == "NONLINEAR":
                raise self.refuse(s.line, "NONLINEAR equations are not solved here.")
            return
        self._enter(block.body, block, {})
        if block.kind == "PROCEDURE":
            for name in [
                one for one in self.env if one in self.states
            ]:  # in the file's order; a set has another in each process
                value = self.env[name]
                if value is not x.symbol(name) and (name in value.symbols or "dt" in value.symbols):
                    self.solved.updates[name] = value
                    self.solved.lines.setdefault(name, s.line)
                    del self.env[name]
        self.env.pop("v", None)  # the current is computed apart from the states, of V as it is
        if voltage is not None:
            self.env["v"] = voltage
        if s.steady:
            found = {*self.solved.rates} - before[0]
            for arrow in self.solved.arrows[before[1] :]:
                found |= {name for _, name in (*arrow.left, *arrow.right)}
            self.solved.steady |= found & self.states
            for name in found & self.states:
                self.env.pop(name, None)

    # ---- kinetic schemes ----

    def _kinetic(self, s: Any, scope: Scope) -> None:
        match s:
            case tree.Reaction():
                left, right = self._side(s.left, scope), self._side(s.right, scope)
                there = self._arrow(left, right, self._value(s.forward, scope), s.line)
                back = self._arrow(right, left, self._value(s.backward, scope), s.line)
                self.env |= {"f_flux": there, "b_flux": back}
            case tree.Flux():
                into, value = self._key(s.into, scope), self._value(s.value, scope)
                self.solved.sources.append((into, value))
                self.env |= {"f_flux": x.number(0), "b_flux": value}
            case tree.Compartment():
                for name in s.states:
                    self.solved.volumes |= self._of_each(s, s.volume, name, scope)
            case tree.Along():
                for name in s.states:
                    found = self._of_each(s, s.value, name, scope)
                    self.solved.along |= {key: (value, s.line) for key, value in found.items()}
            case tree.Conserve():
                self.solved.conserved.append((self._value(s.left, scope), self._value(s.right, scope)))
            case _:
                self.solved.equations.append((x.sub(self._value(s.left, scope), self._value(s.right, scope)), s.line))

    def _of_each(self, s: tree.Compartment | tree.Along, said: Any, name: Name, scope: Scope) -> dict[str, Formula]:
        """What is `said` of a state, or of each element of one, of whose number it may be a function; nothing of what is no state."""
        if name.name not in self.file.states:
            return {}
        count = size_of(self.file, self.file.states[name.name].size, s.line) if name.index is None else None
        if count is None:
            return {self._key(name, scope): self._value(said, scope)}
        found = dict[str, Formula]()
        for i in range(count):
            inner = {**scope, s.counter: f"{s.counter}@volume"} if s.counter else scope
            self.env[f"{s.counter}@volume"] = x.number(i)
            found[f"{name.name}[{i}]"] = self._value(said, inner)
        return found

    def _side(self, side: Any, scope: Scope) -> tuple[tuple[float, str], ...]:
        return tuple((count, self._key(name, scope)) for count, name in side)

    def _arrow(self, left: Any, right: Any, rate: Formula, line: int) -> Formula:
        """One way of a reaction; how much goes it."""
        if x.is_number(rate, 0):
            return rate
        self.solved.arrows.append(Arrow(left, right, rate, line))
        flow = rate
        for count, name in left:
            held = x.symbol(name) if name in self.states else self.env.get(name, x.symbol(name))
            flow = x.mul(flow, x.power(held, x.number(count)))
        return flow

    # ---- expressions ----

    def _key(self, name: Name, scope: Scope) -> str:
        key = scope.get(name.name, name.name)
        if name.index is None:
            return key
        return f"{key}[{self._whole(name.index, scope, name.line)}]"

    def _whole(self, e: Any, scope: Scope, line: int) -> int:
        value = self._value(e, scope)
        if value.op != "number":
            value, taken = at_defaults(value, self.file)
            for name in taken:
                self.notes[f"{name} is a bound of a loop, and is taken at its value in the file"] = None
        if value.op != "number" or not float(value.value).is_integer():
            raise self.refuse(line, "an index or the bound of a loop is not a whole number that is known.")
        return int(value.value)

    def _value(self, e: Any, scope: Scope) -> Formula:
        match e:
            case tree.Number():
                return x.number(e.value)
            case Name():
                return self._read(e, scope)
            case tree.Binary():
                return x.counted(self._binary(e, scope))
            case tree.Unary():
                value = self._value(e.operand, scope)
                return x.counted(x.negated(value)) if e.sign == "!" else x.neg(value) if e.sign == "-" else value
            case tree.Call():
                return self._call(e, scope)
            case tree.Text():
                return x.number(0)
            case _:
                raise self.refuse(0, f"{e} is not understood.")

    def _read(self, name: Name, scope: Scope) -> Formula:
        if name.name not in scope:
            if name.name in self.file.defined:
                return x.number(self.file.defined[name.name])
            if name.name in self._constants:
                return self._constants[name.name]
            if name.name.startswith("usetable"):
                return x.number(0)
        key = self._key(name, scope)
        if key not in self.env and "@" in key:
            return x.number(0)  # a local that nothing was put into
        return self.env.get(key, x.symbol(key))

    def _binary(self, e: tree.Binary, scope: Scope) -> Formula:
        a, b = self._value(e.left, scope), self._value(e.right, scope)
        if e.sign in ("&&", "||"):
            return x.both(a, b) if e.sign == "&&" else x.either(a, b)
        return x.build(e.sign, (a, b))

    def _do(self, call: tree.Call, scope: Scope) -> None:
        if call.name == "state_discontinuity" and len(call.arguments) == 2 and isinstance(call.arguments[0], Name):
            self._assign(tree.Assign(*call.arguments), scope)
        else:
            self._call(call, scope)

    def _call(self, call: tree.Call, scope: Scope) -> Formula:
        routine = self.file.routines.get(call.name)
        if routine is not None and routine.kind in ("FUNCTION", "PROCEDURE"):
            arguments = [self._value(argument, scope) for argument in call.arguments]
            return self._routine(routine, arguments, call.line)
        if routine is not None and routine.kind == "FUNCTION_TABLE":
            raise self.refuse(call.line, f"{call.name} is a FUNCTION_TABLE, whose numbers are not in the file.")
        if call.name in RANDOM:
            raise self.refuse(call.line, f"{call.name}() draws random numbers, which no mechanism here does.")
        if call.name in _SILENT:
            self.notes[f"{call.name}() was passed over"] = None
            return x.number(0)
        if call.name == "exprelr" and len(call.arguments) == 1:
            return x.call("linoid", self._value(call.arguments[0], scope), x.number(1))
        if call.name in x.FUNCTIONS and call.name != "linoid":
            arguments = [self._value(argument, scope) for argument in call.arguments]
            wanted = 2 if call.name in ("pow", "atan2", "fmod") else 1
            if len(arguments) != wanted:
                raise self.refuse(call.line, f"{call.name}() takes {wanted} argument(s), not {len(arguments)}.")
            return x.call(call.name, *arguments)
        if call.name in _EVENTS:
            raise self.refuse(call.line, f"{call.name}() makes events of its own, which no mechanism here does.")
        raise self.refuse(call.line, f"{call.name}() is neither in the file nor a function that is known.")

    def _routine(self, routine: tree.Routine, arguments: list[Formula], line: int) -> Formula:
        if len(arguments) != len(routine.arguments):
            raise self.refuse(
                line, f"{routine.name}() takes {len(routine.arguments)} arguments, and is given {len(arguments)}."
            )
        self._count += 1
        scope = {name: f"{name}@{self._count}" for name in routine.arguments}
        self.env.update(zip(scope.values(), arguments, strict=True))
        if routine.kind == "FUNCTION":
            scope[routine.name] = f"{routine.name}@{self._count}"
            self.env[scope[routine.name]] = x.number(0)
        self._enter(routine.body, routine, scope)
        value = self.env[scope[routine.name]] if routine.kind == "FUNCTION" else x.number(0)
        for key in scope.values():
            self.env.pop(key, None)
        return value

    def _enter(self, body: Sequence[Any], routine: tree.Routine, scope: Scope) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self.refuse(routine.line, f"{routine.name} calls itself, or calls are nested deeper than {DEEPEST}.")
        self._body(body, scope)
        self._depth -= 1
