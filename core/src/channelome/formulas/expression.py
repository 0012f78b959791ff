"""Formulas as trees: what the statements of a file amount to. Equal formulas are one object, so sharing is seen for free."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..errors import ModelError

LARGEST = 200_000
"""Different formulas of one file; a loop that makes more is refused."""


class Formula:
    """A number, a symbol, or an operation on formulas. Made by the functions below, which simplify, never by hand.

    Attributes:
        op: ``"number"``, ``"symbol"``, ``"+ - * / ^"``, ``"neg"``, ``"where"``, a comparison, ``"and" "or" "not"`` or the name of
            a function.
        args: the formulas that it is of.
        value: of a number; the name of a symbol.
    """

    __slots__ = ("args", "op", "symbols", "value")
    op: str
    args: "tuple[Formula, ...]"
    value: Any
    symbols: frozenset[str]

    def __repr__(self) -> str:
        if self.op in ("number", "symbol"):
            return str(self.value)
        return f"{self.op}({', '.join(map(repr, self.args))})"


_known: dict[tuple[Any, ...], Formula] = {}


def forget() -> None:
    """Let go of all formulas: before another file is read."""
    _known.clear()


def _make(op: str, args: tuple[Formula, ...] = (), value: Any = None) -> Formula:
    key = (op, value, *map(id, args))
    found = _known.get(key)
    if found is None:
        if len(_known) > LARGEST:
            raise ModelError("it amounts to more formulas than are read: a loop makes too many.")
        found = Formula()
        found.op, found.args, found.value = op, args, value
        own = frozenset((value,)) if op == "symbol" else frozenset[str]()
        found.symbols = own.union(*(arg.symbols for arg in args))
        _known[key] = found
    return found


def number(value: float) -> Formula:
    return _make("number", value=float(value) + 0.0)


def symbol(name: str) -> Formula:
    return _make("symbol", value=name)


def is_number(f: Formula, value: float | None = None) -> bool:
    return f.op == "number" and (value is None or f.value == value)


def is_symbol(f: Formula, name: str) -> bool:
    """Whether it is that symbol, also of a formula that was made before `forget`."""
    return f.op == "symbol" and f.value == name


def add(a: Formula, b: Formula) -> Formula:
    if a.op == "number" and b.op == "number":
        return number(a.value + b.value)
    if is_number(a, 0):
        return b
    if is_number(b, 0):
        return a
    if b.op == "neg":
        return sub(a, b.args[0])
    if is_number(b) and b.value < 0:
        return sub(a, number(-b.value))
    return _make("+", (a, b))


def sub(a: Formula, b: Formula) -> Formula:
    if a.op == "number" and b.op == "number":
        return number(a.value - b.value)
    if is_number(b, 0):
        return a
    if is_number(a, 0):
        return neg(b)
    if a is b:
        return number(0)
    if b.op == "neg":
        return add(a, b.args[0])
    if is_number(b) and b.value < 0:
        return _make("+", (a, number(-b.value)))
    return _make("-", (a, b))


def neg(a: Formula) -> Formula:
    if a.op == "number":
        return number(-a.value)
    if a.op == "neg":
        return a.args[0]
    if a.op == "-":
        return sub(a.args[1], a.args[0])
    if a.op == "/" and a.args[0].op == "number":
        return div(number(-a.args[0].value), a.args[1])
    return _make("neg", (a,))


def mul(a: Formula, b: Formula) -> Formula:
    if a.op == "number" and b.op == "number":
        return number(a.value * b.value)
    for one, other in ((a, b), (b, a)):
        if is_number(one, 0):
            return number(0)
        if is_number(one, 1):
            return other
        if is_number(one, -1):
            return neg(other)
    if a.op == "neg":
        return neg(mul(a.args[0], b))
    if b.op == "neg":
        return neg(mul(a, b.args[0]))
    return _make("*", (a, b))


def div(a: Formula, b: Formula) -> Formula:
    if a.op == "number" and b.op == "number" and b.value:
        return number(a.value / b.value)
    if is_number(b, 1):
        return a
    if is_number(b, -1):
        return neg(a)
    if is_number(a, 0) and not is_number(b, 0):
        return number(0)
    if a.op == "neg" and b.op == "neg":
        return div(a.args[0], b.args[0])
    if b.op == "neg":
        return neg(div(a, b.args[0]))
    if a.op == "neg":
        return neg(div(a.args[0], b))
    if b.op == "/" and b.args[0] is a:
        return b.args[1]
    if a.op == "number" and b.op == "/" and b.args[0].op == "number" and b.args[0].value:
        return mul(number(a.value / b.args[0].value), b.args[1])
    return number(1) if a is b else _make("/", (a, b))


def power(a: Formula, b: Formula) -> Formula:
    if is_number(b, 1):
        return a
    if is_number(b, 0):
        return number(1)
    if a.op == "number" and b.op == "number":
        return _folded("^", lambda: a.value**b.value, (a, b))
    return _make("^", (a, b))


_NAMES = "exp log log10 sqrt sin cos tan sinh cosh tanh asin acos atan atan2 floor ceil fabs erf fmod"
_FOLDED: dict[str, Callable[..., float]] = {name: getattr(math, name) for name in _NAMES.split()}
FUNCTIONS = frozenset(_FOLDED) | {"pow", "abs", "linoid"}
"""What a file can call beside its own."""


def call(name: str, *args: Formula) -> Formula:
    """A function of formulas: one of `FUNCTIONS`."""
    if name == "pow":
        return power(*args)
    name = "fabs" if name == "abs" else name
    if name in _FOLDED and all(arg.op == "number" for arg in args):
        return _folded(name, lambda: _FOLDED[name](*(arg.value for arg in args)), args)
    return _make(name, args)


def _folded(op: str, value: Callable[[], Any], args: tuple[Formula, ...]) -> Formula:
    try:
        found = value()
    except (ValueError, OverflowError, ZeroDivisionError):
        return _make(op, args)
    return number(found) if isinstance(found, float) and math.isfinite(found) else _make(op, args)


COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
}  # fmt: skip


_OPPOSITE: Mapping[str, str] = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
"""What holds where a comparison of numbers does not."""


def compare(sign: str, a: Formula, b: Formula) -> Formula:
    if a.op == "number" and b.op == "number":
        return number(float(COMPARE[sign](a.value, b.value)))
    return _make(sign, (a, b))


def truth(f: Formula) -> Formula:
    """A condition of what may be a number: C's, where all but 0 is true."""
    if f.op == "number":
        return number(float(f.value != 0))
    if f.op == "where" and is_number(f.args[1], 1) and is_number(f.args[2], 0):
        return f.args[0]
    return f if f.op in COMPARE or f.op in ("and", "or", "not") else compare("!=", f, number(0))


def counted(f: Formula) -> Formula:
    """A number of what may be a condition: C's, where what is true is 1."""
    return where(f, number(1), number(0)) if f.op in COMPARE or f.op in ("and", "or", "not") else f


def both(a: Formula, b: Formula) -> Formula:
    a, b = truth(a), truth(b)
    if is_number(a, 0) or is_number(b, 0):
        return number(0)
    return b if is_number(a) else a if is_number(b) else _make("and", (a, b))


def either(a: Formula, b: Formula) -> Formula:
    a, b = truth(a), truth(b)
    if is_number(a, 1) or is_number(b, 1):
        return number(1)
    return b if is_number(a) else a if is_number(b) else _make("or", (a, b))


def negated(a: Formula) -> Formula:
    a = truth(a)
    if a.op in _OPPOSITE:
        return _make(_OPPOSITE[a.op], a.args)
    return number(1 - a.value) if a.op == "number" else a.args[0] if a.op == "not" else _make("not", (a,))


def where(test: Formula, a: Formula, b: Formula) -> Formula:
    test = truth(test)
    if a is b:
        return a
    if test.op == "number":
        return a if test.value else b
    return _make("where", (test, a, b))


def build(op: str, args: tuple[Formula, ...]) -> Formula:
    """The operation again, of other arguments, simplified."""
    simple: dict[str, Callable[..., Formula]] = {
        "+": add, "-": sub, "*": mul, "/": div, "^": power, "neg": neg, "where": where,
        "and": both, "or": either, "not": negated,
    }  # fmt: skip
    if op in simple:
        return simple[op](*args)
    return compare(op, *args) if op in COMPARE else call(op, *args)


# ---- reading formulas ----


def walk(roots: Iterable[Formula]) -> Iterator[Formula]:
    """Each formula in `roots` once, those that it is of before it."""
    seen, stack = set[int](), [(root, False) for root in reversed(list(roots))]
    while stack:
        f, ready = stack.pop()
        if ready:
            yield f
        elif id(f) not in seen:
            seen.add(id(f))
            stack.append((f, True))
            stack += [(arg, False) for arg in reversed(f.args)]


def rebuilt(f: Formula, change: Callable[[Formula, tuple[Formula, ...]], Formula]) -> Formula:
    """What `change` makes of every formula in `f`, given those that it is of already changed."""
    done: dict[int, Formula] = {}
    for part in walk([f]):
        done[id(part)] = change(part, tuple(done[id(arg)] for arg in part.args))
    return done[id(f)]


def substituted(f: Formula, values: Mapping[str, Formula]) -> Formula:
    """`f` with formulas in the place of symbols."""
    if f.symbols.isdisjoint(values):
        return f

    def change(part: Formula, args: tuple[Formula, ...]) -> Formula:
        if part.op == "symbol":
            return values.get(part.value, part)
        return part if args == part.args else build(part.op, args)

    return rebuilt(f, change)


def linear(f: Formula, name: str) -> tuple[Formula, Formula] | None:
    """``(a, b)`` with ``f = a + b * name``, neither of them of `name`; None where it is not seen to be linear."""
    if name not in f.symbols:
        return f, number(0)
    if f.op == "symbol":
        return number(0), number(1)
    if f.op in ("+", "-", "neg"):
        parts = [linear(arg, name) for arg in f.args]
        if any(part is None for part in parts):
            return None
        return build(f.op, tuple(p[0] for p in parts if p)), build(f.op, tuple(p[1] for p in parts if p))
    if f.op == "*":
        for one, other in (f.args, f.args[::-1]):
            part = linear(other, name)
            if name not in one.symbols and part is not None:
                return mul(one, part[0]), mul(one, part[1])
    if f.op == "/" and name not in f.args[1].symbols and (part := linear(f.args[0], name)) is not None:
        return div(part[0], f.args[1]), div(part[1], f.args[1])
    if f.op == "where" and name not in f.args[0].symbols:
        a, b = linear(f.args[1], name), linear(f.args[2], name)
        return (where(f.args[0], a[0], b[0]), where(f.args[0], a[1], b[1])) if a and b else None
    return None


def evaluated(f: Formula, values: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    """The value of `f`, in whatever arithmetic `functions` are of, by name as in `Formula.op`."""
    return evaluate([f], values, functions)[0]


def evaluate(
    roots: Iterable[Formula], values: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]
) -> list[Any]:
    """The values of several formulas, what they share computed once."""
    roots = list(roots)
    done: dict[int, Any] = {}
    for part in walk(roots):
        if part.op == "number":
            done[id(part)] = part.value
        elif part.op == "symbol":
            done[id(part)] = values[part.value]
        else:
            done[id(part)] = functions[part.op](*(done[id(arg)] for arg in part.args))
    return [done[id(root)] for root in roots]
