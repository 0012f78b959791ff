# pyright: basic
# (lark gives what the grammar makes)
"""From text to the tree of `tree`, by the grammar in grammar.lark."""

import functools
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput
from lark.exceptions import VisitError

from . import tree
from .text import NmodlError, Source
from .tree import File, Name


def parse(source: Source) -> File:
    """Read a file's text.

    Raises:
        NmodlError: with line and column of what is not NMODL.
    """
    try:
        blocks: Any = _parser().parse("\n" * source.before + source.text)
    except UnexpectedInput as error:
        raise NmodlError(_where(source, error)) from None
    except VisitError as error:
        raise NmodlError(f"{source.name}: {error.orig_exc}") from None
    except RecursionError:
        raise NmodlError(f"{source.name}: its expressions or blocks are nested too deeply to be read.") from None
    file = File(source)
    for fill in blocks:
        fill(file)
    return file


@functools.cache
def _parser() -> Lark:
    grammar = files("channelome_nmodl").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", transformer=_Tree(), maybe_placeholders=True)


def _where(source: Source, error: UnexpectedInput) -> str:
    line, column = int(getattr(error, "line", -1)) - source.before, int(getattr(error, "column", -1))
    if line < 1:
        return f"{source.name}, at its end: a block is not closed, or something is missing."
    written = source.raw.splitlines()[line - 1].strip() if line <= len(source.raw.splitlines()) else ""
    token = getattr(error, "token", None) or getattr(error, "char", "")
    return f"{source.name}, line {line}, column {column}: '{str(token)[:20]}' is not expected here, in: {written[:80]}"


def _numeric(token: Any) -> float:
    return float(str(token).replace("d", "e").replace("D", "e"))


def _bare(unit: Any) -> str:
    """``(mV)`` as ``mV``."""
    return str(unit)[1:-1].strip() if unit is not None else ""


class _Tree(Transformer[Token, Any]):
    """Makes of what the grammar finds the classes above; of a block a function that puts it into a `File`."""

    def start(self, blocks: list[Any]) -> list[Any]:
        return blocks

    # -- blocks --

    def _each(self, items: list[Any]) -> Any:
        def fill(file: File) -> None:
            for item in items:
                item(file)

        return fill

    neuron_block = units_block = _each

    def parameter_block(self, items: list[tree.Declared]) -> Any:
        return lambda file: file.parameters.update((one.name, one) for one in items)

    def assigned_block(self, items: list[tree.Declared]) -> Any:
        return lambda file: file.assigned.update((one.name, one) for one in items)

    def state_block(self, items: list[tree.Declared]) -> Any:
        return lambda file: file.states.update((one.name, one) for one in items)

    def ignored(self, items: list[Any]) -> Any:
        return lambda file=None: None

    def independent(self, items: list[Any]) -> None:
        return None

    def plain_block(self, items: list[Any]) -> Any:
        word, body = items

        def fill(file: File) -> None:
            file.plain[str(word)] = (*file.plain.get(str(word), ()), *body)  # of two NEURON makes one
            file.lines.setdefault(str(word), word.line)

        return fill

    def _routine(self, routine: tree.Routine) -> Any:
        def put(file: tree.File) -> None:
            if len({*routine.arguments}) < len(routine.arguments):
                raise NmodlError(
                    f"{file.place(routine.line)}: {routine.name} has two arguments of one name: {', '.join(routine.arguments)}."
                )
            file.routines[routine.name] = routine

        return put

    def named_block(self, items: list[Any]) -> Any:
        kind, name, body = items
        return self._routine(tree.Routine(str(kind), str(name), (), body, kind.line))

    def routine(self, items: list[Any]) -> Any:
        kind, name, arguments, _, body = items
        return self._routine(tree.Routine(str(kind), str(name), arguments or (), body, kind.line))

    def function_table(self, items: list[Any]) -> Any:
        return self._routine(tree.Routine("FUNCTION_TABLE", str(items[1]), items[2] or (), (), items[0].line))

    def net_receive(self, items: list[Any]) -> Any:
        return self._routine(tree.Routine("NET_RECEIVE", "NET_RECEIVE", items[1] or (), items[2], items[0].line))

    def hooked(self, items: list[Any]) -> Any:
        return lambda file: file.others.append(tree.Other(f"BEFORE or AFTER {items[0]}", items[0].line))

    def define(self, items: list[Any]) -> Any:
        def fill(file: tree.File) -> None:
            if not (number := _numeric(items[1])).is_integer():
                raise NmodlError(f"{file.place(items[0].line)}: DEFINE {items[0]} {items[1]} is no whole number.")
            file.defined[str(items[0])] = int(number)

        return fill

    def file_local(self, items: list[Any]) -> Any:
        return lambda file: file.file_locals.extend(items[0])

    def include(self, items: list[Any]) -> Any:
        return lambda file: file.includes.append((str(items[1])[1:-1], items[0].line))

    def verbatim_block(self, items: list[Any]) -> Any:
        return lambda file: file.verbatim.append(tree.Verbatim(str(items[0]), items[0].line))

    # -- NEURON --

    def kind(self, items: list[Any]) -> Any:
        def fill(file: File) -> None:
            file.kind, file.name = str(items[0]), str(items[1])

        return fill

    def read(self, items: list[Any]) -> Any:
        return ("read", items[0])

    def write(self, items: list[Any]) -> Any:
        return ("write", items[0])

    def valence(self, items: list[Any]) -> Any:
        return ("valence", items[0])

    def represents(self, items: list[Any]) -> Any:
        return ("represents", None)

    def useion(self, items: list[Any]) -> Any:
        word, species, *rest = items
        said: dict[str, Any] = {}
        for key, value in rest:
            said[key] = (*said.get(key, ()), *value) if key in ("read", "write") else value
        ion = tree.Ion(str(species), said.get("read", ()), said.get("write", ()), said.get("valence"), word.line)
        return lambda file: file.ions.append(ion)

    def listed(self, items: list[Any]) -> Any:
        return lambda file: file.lists.setdefault(str(items[0]), []).extend(items[1])

    def names(self, items: list[Any]) -> tuple[str, ...]:
        return tuple(str(item) for item in items if item is not None)

    # -- declarations --

    def constant(self, items: list[Any]) -> Any:
        name, value, *units = items
        return lambda file: file.constants.update({str(name): (value, tuple(map(_bare, units)))})

    def signed(self, items: list[Any]) -> float:
        sign, number = items
        return -_numeric(number) if sign == "-" else _numeric(number)

    def size(self, items: list[Any]) -> Any:
        return items[0]

    def limits(self, items: list[Any]) -> Any:
        return items

    def parameter(self, items: list[Any]) -> tree.Declared:
        name, size, value, unit, limits = items
        low, high = limits if limits and len(limits) == 2 else (None, None)
        return tree.Declared(str(name), _bare(unit), value, size, low, high, name.line)

    def declared(self, items: list[Any]) -> tree.Declared:
        name, size, *_, unit, _ = items
        return tree.Declared(str(name), _bare(unit), None, size, None, None, name.line)

    def argument(self, items: list[Any]) -> str:
        return str(items[0])

    def arguments(self, items: list[Any]) -> tuple[str, ...]:
        return tuple(items)

    def locals(self, items: list[Any]) -> tuple[tuple[str, Any], ...]:
        return tuple((str(name), size) for name, size in zip(items[::2], items[1::2], strict=True))

    # -- statements --

    def body(self, items: list[Any]) -> tuple[Any, ...]:
        return tuple(item for item in items if item is not None and not callable(item))

    def local(self, items: list[Any]) -> tree.Local:
        return tree.Local(items[0])

    def assign(self, items: list[Any]) -> tree.Assign:
        return tree.Assign(*items)

    def prime(self, items: list[Any]) -> tree.Prime:
        name, primes, value = items
        return tree.Prime(str(name), len(primes), value, name.line)

    def call_statement(self, items: list[Any]) -> tree.Do:
        return tree.Do(self.call(items))

    def if_statement(self, items: list[Any]) -> tree.If:
        word, test, then, _, other = items
        return tree.If(test, then, (other,) if isinstance(other, tree.If) else other or (), word.line)

    def while_statement(self, items: list[Any]) -> tree.While:
        return tree.While(items[1], items[2], items[0].line)

    def from_statement(self, items: list[Any]) -> tree.Loop:
        word, name, first, _, last, _, step, body = items
        return tree.Loop(str(name), first, last, step, body, word.line)

    def method(self, items: list[Any]) -> Any:
        return ("method", str(items[0]))

    def steadystate(self, items: list[Any]) -> Any:
        return ("steady", str(items[0]))

    def solve(self, items: list[Any]) -> tree.Solve:
        word, block, *rest = items
        said = dict(one for one in rest if isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], str))
        return tree.Solve(str(block), said.get("steady", said.get("method", "")), "steady" in said, word.line)

    def table(self, items: list[Any]) -> tree.Table:
        return tree.Table(items[0].line)

    def conserve(self, items: list[Any]) -> tree.Conserve:
        return tree.Conserve(items[1], items[2], items[0].line)

    def compartment(self, items: list[Any]) -> tree.Compartment:
        return tree.Compartment(str(items[1] or ""), items[2], items[3], items[0].line)

    def diffusion(self, items: list[Any]) -> tree.Along:
        return tree.Along(str(items[1] or ""), items[2], items[3], items[0].line)

    def symbols(self, items: list[Any]) -> tuple[Name, ...]:
        return tuple(Name(str(name), index, name.line) for name, index in zip(items[::2], items[1::2], strict=True))

    def reactant(self, items: list[Any]) -> tuple[float, Name]:
        count, name, index = items
        return (1.0 if count is None else _numeric(count), Name(str(name), index, name.line))

    def reactants(self, items: list[Any]) -> tuple[Any, ...]:
        return tuple(items)

    def reaction(self, items: list[Any]) -> tree.Reaction:
        left, right, forward, backward = items
        return tree.Reaction(left, right, forward, backward, left[0][1].line)

    def one_way(self, items: list[Any]) -> tree.Reaction:
        left, forward = items
        return tree.Reaction(left, (), forward, tree.Number(0.0), left[0][1].line)

    def flux(self, items: list[Any]) -> Any:
        (_, into), *_ = items[0]
        return tree.Flux(into, items[1], into.line)

    def equation(self, items: list[Any]) -> tree.Equation:
        return tree.Equation(items[0], items[1], 0)

    def watch(self, items: list[Any]) -> tree.Other:
        return tree.Other("WATCH", items[0].line)

    def inner_initial(self, items: list[Any]) -> tree.Begin:
        return tree.Begin(items[1])

    def netcons(self, items: list[Any]) -> tree.Other:
        return tree.Other("FOR_NETCONS", items[0].line)

    def verbatim(self, items: list[Any]) -> tree.Verbatim:
        return tree.Verbatim(str(items[0]), items[0].line)

    def block_statement(self, items: list[Any]) -> tree.Block:
        return tree.Block(items[0])

    # -- expressions --

    def target(self, items: list[Any]) -> Name:
        return Name(str(items[0]), items[1], items[0].line)

    def expressions(self, items: list[Any]) -> tuple[Any, ...]:
        return tuple(items)

    def binary(self, items: list[Any]) -> tree.Binary:
        return tree.Binary(str(items[1]), items[0], items[2])

    def unary(self, items: list[Any]) -> tree.Unary:
        return tree.Unary(str(items[0]), items[1])

    def number(self, items: list[Any]) -> tree.Number:
        return tree.Number(_numeric(items[0]))

    def name(self, items: list[Any]) -> Name:
        return Name(str(items[0]), None, items[0].line)

    def element(self, items: list[Any]) -> Name:
        return Name(str(items[0]), items[1], items[0].line)

    def call(self, items: list[Any]) -> tree.Call:
        return tree.Call(str(items[0]), items[1] or (), items[0].line)

    def inner(self, items: list[Any]) -> Any:
        return items[0]

    def string(self, items: list[Any]) -> tree.Text:
        return tree.Text(str(items[0])[1:-1])
