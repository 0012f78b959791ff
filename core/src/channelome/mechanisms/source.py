"""The text of what a class computes with, and its digest: what a manifest was made from."""

import hashlib
import inspect
import json
import linecache
import textwrap
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

import jax
import numpy as np

_FACTS = ("kind", "ion", "reads", "gates", "temperature")
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


def source_of(function: Callable[..., Any]) -> str:
    """The text of a function, without its indent; empty where that is not there, as in a package without sources."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if not isinstance(code, CodeType):
        return ""
    linecache.checkcache(code.co_filename)  # it may have been edited and imported again
    lines = linecache.getlines(code.co_filename, getattr(function, "__globals__", None))[code.co_firstlineno - 1 :]
    return textwrap.dedent("".join(inspect.getblock(lines))).rstrip() if lines else ""


def digest_of(cls: type, facts: Mapping[str, Any]) -> str:
    """Sixteen digits that stand for a class: kind, gates, parameters with defaults and units, and all of its code.

    Its code are its methods, those that it inherits, and what they name, as far as it lies in the class's own package; of
    core's in its own file. Words are left out. Empty where sources are not there.

    Args:
        facts: as of `describe`.
    """
    code = _Code(cls)
    if not code.whole:
        return ""
    parameters = {
        name: [parameter.get("default"), parameter["unit"]] for name, parameter in facts["parameters"].items()
    }
    said = [{key: facts[key] for key in _FACTS if key in facts}, parameters, sorted(code.texts)]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


class _Code:
    """What a class computes with: where, and the text of each function or the value of each constant."""

    def __init__(self, cls: type) -> None:
        self._home = cls.__module__
        self._package = cls.__module__.partition(".")[0]
        self._seen: set[Any] = set()
        self.texts: list[tuple[str, str]] = []
        self.whole = True
        for base in cls.__mro__:
            self._add_class(base)

    def _is_ours(self, module: Any) -> bool:
        return module == self._home or (
            self._package != __name__.partition(".")[0] and str(module).partition(".")[0] == self._package
        )

    def _add_class(self, cls: type) -> None:
        if self._is_ours(cls.__module__) and cls not in self._seen:
            self._seen.add(cls)
            for value in vars(cls).values():
                self._add_function(_function(value))

    def _add_function(self, function: FunctionType | None) -> None:
        if function is None or function.__code__ in self._seen or not self._is_ours(function.__module__):
            return
        self._seen.add(function.__code__)
        text = source_of(function)
        self.whole = self.whole and bool(text)
        self.texts.append((f"{function.__module__}.{function.__qualname__}", without_blanks(text)))
        for name in _names(function.__code__):
            if name in function.__globals__:
                self._add(f"{function.__module__}.{name}", function.__globals__[name], function.__code__)

    def _add(self, name: str, value: Any, code: CodeType) -> None:
        if isinstance(value, ModuleType):  # what is used of it is named beside it: `rates.alpha`
            if self._is_ours(value.__name__):
                for inner in dict.fromkeys(_names(code)):
                    found = vars(value).get(inner)
                    if found is not None and not isinstance(found, ModuleType):
                        self._add(f"{value.__name__}.{inner}", found, code)
        elif isinstance(value, type):
            self._add_class(value)
        elif isinstance(value, np.ndarray | np.generic | jax.Array):
            self._add_value(name, repr(np.asarray(value).tolist()))
        elif _is_plain(value):
            self._add_value(name, repr(value))
        else:
            self._add_function(_function(value))

    def _add_value(self, name: str, said: str) -> None:
        if name not in self._seen:
            self._seen.add(name)
            self.texts.append((name, said))


def _function(value: Any) -> FunctionType | None:
    """The function in what stands in a class or a module: a method of any kind, a property, a partial or wrapped one."""
    for one in (value, *(getattr(value, name, None) for name in ("__func__", "fget", "func", "__wrapped__"))):
        if isinstance(one, FunctionType):
            return one if one.__code__.co_filename != "<string>" else None  # made by a dataclass
    return None


def _names(code: CodeType) -> Iterator[str]:
    """What a function names: globals and attributes, also in the functions within it."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


def _is_plain(value: Any) -> bool:
    if type(value) in (tuple, list):
        return all(map(_is_plain, value))
    if type(value) is dict:
        return all(_is_plain(key) and _is_plain(inner) for key, inner in value.items())
    return type(value) in _PLAIN


def without_blanks(text: str) -> str:
    """The lines of a text that are not blank."""
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())
