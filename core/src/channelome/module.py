"""Frozen pytree classes whose fields carry units: all the metaprogramming there is.

A subclass of `Module` declares its parameters as annotated fields; it gets a keyword-only constructor that converts units
and checks values, a `replace`, a `repr` with units, and registration as a JAX pytree whose leaves are its parameters.
"""

import dataclasses
import difflib
import inspect
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self, dataclass_transform

import jax
import numpy as np
from jax.core import Tracer

from .distances import ByDistance
from .equality import same
from .errors import DefinitionError, ModelError
from .maths import q10
from .sampled import Sampled
from .streams import Stream
from .units import Bound, Unit, convert


class _Required:
    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Any = _Required()
"""The default of a parameter that must be given."""


@dataclasses.dataclass(frozen=True)
class Parameter:
    """What is known of one field: name, unit, default (`REQUIRED` if none), its source, and the values allowed."""

    name: str
    unit: Unit
    default: Any = REQUIRED
    source: str = ""
    bound: Bound | None = None


@dataclasses.dataclass(frozen=True)
class _Default:
    value: Any
    source: str


def param(default: Any = REQUIRED, *, source: str = "") -> Any:
    """A field's default, in the field's unit, with the source it was taken from (or ``"our choice"``).

    Args:
        default: a number, an array or a `Q10`; without it the parameter must be given.
        source: where the number comes from: a key of the pack's references, or words.
    """
    return _Default(default, source)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Q10:
    """A speed that follows the cell's temperature: 1 at `reference` degC, `factor` times more for each 10 degC above.

    The default of a `Factor` such as ``phi``. A number given in its place is used as it is.
    """

    factor: Any
    reference: Any

    def at(self, celsius: Any) -> Any:
        return q10(celsius, self.reference, self.factor)


@dataclasses.dataclass(frozen=True)
class _Role:
    name: str


STATIC = _Role("static")
"""Marks a field that is part of the structure: hashable, a change of it compiles anew."""
NODE = _Role("node")
"""Marks a field that holds other modules or mappings of them."""


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(param,))
class Module:
    """Base of everything that has parameters: frozen, a pytree, units checked at construction.

    Raises:
        UnitError: at construction, for a value with a missing or wrong unit or out of bounds.
        ModelError: at construction, for an unknown or a missing parameter or a value that is not finite.
    """

    parameters: ClassVar[Mapping[str, Parameter]] = MappingProxyType({})
    _nodes: ClassVar[tuple[str, ...]] = ()
    _static: ClassVar[tuple[str, ...]] = ()
    _drawn: ClassVar[Mapping[str, tuple["Sampled", Any]]] = MappingProxyType({})
    """Of an instance, what was sampled and the values drawn, so that a file can hold the one for the other."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        parameters, nodes, static = dict(cls.parameters), list(cls._nodes), list(cls._static)
        hints = typing.get_type_hints(cls, include_extras=True)
        for name in inspect.get_annotations(cls):
            hint = hints[name]
            if name.startswith("_") or typing.get_origin(hint) is ClassVar:
                continue
            marks = getattr(hint, "__metadata__", ())
            if STATIC in marks:
                static.append(name)
            elif NODE in marks:
                nodes.append(name)
            else:
                parameters[name] = _parameter(cls, name, marks)
        _check_bare(cls, parameters)
        for name in parameters.keys() & cls.__dict__.keys():
            if name not in inspect.get_annotations(cls):
                parameters[name] = dataclasses.replace(parameters[name], **_default(cls, name))
            default = parameters[name].default
            type.__delattr__(cls, name) if default is REQUIRED else setattr(cls, name, default)
        cls.parameters = MappingProxyType(parameters)
        cls._nodes, cls._static = tuple(nodes), tuple(static)
        jax.tree_util.register_pytree_with_keys(cls, _flatten_with_keys, _unflattener(cls), _flatten)

    def __init__(self, **values: Any) -> None:
        cls = type(self)
        for name in values:
            if name not in cls.parameters and name not in cls._nodes and name not in cls._static:
                raise ModelError(f"{cls.__name__} has no parameter '{name}'. {_did_you_mean(cls, name)}")
        for name, parameter in cls.parameters.items():
            self._set(name, self._checked(parameter, values[name]) if name in values else self._default(parameter))
        for name in cls._nodes + cls._static:
            value = values[name] if name in values else getattr(cls, name, REQUIRED)
            if value is REQUIRED:
                raise ModelError(f"{cls.__name__} must be given {name}.")
            self._set(name, value)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _default(self, parameter: Parameter) -> Any:
        if parameter.default is REQUIRED:
            raise ModelError(f"{type(self).__name__} must be given {parameter.name}, in {parameter.unit}.")
        return parameter.default

    def _checked(self, parameter: Parameter, value: Any) -> Any:
        where = f"{parameter.name} of {type(self).__name__}"
        if isinstance(value, Q10) and parameter.unit.is_dimensionless:
            return value
        if value is None and parameter.default is None:
            return None
        if isinstance(value, Sampled):
            return value.converted(parameter.unit, where)
        if isinstance(value, ByDistance):
            raise ModelError(
                f"{where} is given by_distance(), which asks where it is: on a cell with compartments, on('all', ..., {parameter.name}=...)."
            )
        bare = convert(value, parameter.unit, where)
        check_values(bare, where, parameter)
        return bare

    def replace(self, **changes: Any) -> Self:
        """A copy in which the named parameters have new values, converted and checked like the constructor's.

        Raises:
            UnitError: for a missing or wrong unit.
            ModelError: for a name that is not a parameter.
        """
        cls = type(self)
        new = object.__new__(cls)
        new.__dict__.update(self.__dict__)
        for name, value in changes.items():
            if name not in cls.parameters:
                raise ModelError(f"{cls.__name__} has no parameter '{name}'. {_did_you_mean(cls, name)}")
            new._set(name, new._checked(cls.parameters[name], value))
        new._forget(changes)
        return new

    def _forget(self, names: Iterable[str]) -> None:
        """Let go of what was drawn for parameters that have other values now."""
        if self._drawn:
            self._set("_drawn", {name: drawn for name, drawn in self._drawn.items() if name not in names})

    def at(self, celsius: Any) -> Self:
        """A copy in which every parameter that follows the temperature (`Q10`) is its number at `celsius` (degC)."""
        following = {name: value for name, value in self._leaves() if isinstance(value, Q10)}
        if not following:
            return self
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        for name, value in following.items():
            new._set(name, value.at(celsius))
        return new

    def drawn(self, size: tuple[int, ...], stream: Stream) -> Self:
        """A copy in which what is `Sampled` is an array over `size`, and what was and follows from the stream is drawn from it."""
        sampled = {name: value for name, (value, _) in self._drawn.items() if value.seed is None}
        sampled |= {name: value for name, value in self._leaves() if isinstance(value, Sampled)}
        if not sampled:
            return self
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        drawn = {name: (value, value.over(size, stream.of(name))) for name, value in sampled.items()}
        for name, (_, values) in drawn.items():
            check_values(values, f"{name} of {type(self).__name__}", type(self).parameters[name])
            new._set(name, values)
        new._set("_drawn", {**self._drawn, **drawn})
        return new

    def _leaves(self) -> Iterator[tuple[str, Any]]:
        for name in type(self).parameters:
            yield name, getattr(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed; make the next one with .replace({name}=...).")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed.")

    def __eq__(self, other: object) -> bool:
        """Whether `other` is of the same class and holds the same, numbers to the last bit; sampled values as drawn."""
        if not isinstance(other, Module):
            return NotImplemented
        if self is other:
            return True
        cls = type(self)
        names = (*cls.parameters, *cls._nodes, *cls._static)
        return type(other) is cls and all(same(getattr(self, name), getattr(other, name)) for name in names)

    def __hash__(self) -> int:
        return hash(type(self).__qualname__)  # arrays have none, and what is equal must agree

    def __reduce__(self) -> tuple[Any, ...]:
        """To travel: by name and version where the registry gave the class out, else as the class travels."""
        return _rebuilt, (type(self).__dict__.get("_reference", type(self)), dict(self.__dict__))

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={show(value, type(self).parameters[name].unit)}" for name, value in self._leaves())
        return f"{type(self).__name__}({inside})"


def _rebuilt(reference: Any, state: dict[str, Any]) -> Module:
    """A module that arrived: of a class, or of what gives it (`cells.travel.ByName`)."""
    cls = reference if isinstance(reference, type) else reference()
    module = object.__new__(cls)
    module.__dict__.update(state)
    return module


def check_values(value: Any, where: str, parameter: Parameter) -> None:
    """Raise where a concrete value is not finite (`ModelError`) or out of its bound (`UnitError`); traced values pass."""
    if isinstance(value, Tracer) or value is None:
        return
    array = np.asarray(value)
    if not np.all(np.isfinite(array)):
        raise ModelError(f"{where} must be finite, got {array}.")
    if parameter.bound is not None:
        parameter.bound.check(array, where, parameter.unit)


def show(value: Any, unit: Unit) -> str:
    """A parameter's value for people: ``120 mS/cm^2``, or the range of an array."""
    if isinstance(value, Q10):
        return f"{show(value.factor, unit)}^((celsius - {show(value.reference, unit)})/10)"
    if value is None or isinstance(value, Sampled):
        return str(value)
    if isinstance(value, Tracer):
        return f"<traced> {unit}"
    suffix = "" if unit.symbol == "1" else f" {unit}"
    array = np.asarray(value)
    if array.ndim == 0:
        return f"{array:g}{suffix}"
    low, high = array.min(initial=np.inf), array.max(initial=-np.inf)
    return f"[{low:g} .. {high:g}]{suffix} x {'x'.join(map(str, array.shape))}"


def _parameter(cls: type, name: str, marks: tuple[Any, ...]) -> Parameter:
    unit = next((mark for mark in marks if isinstance(mark, Unit)), None)
    if unit is None:
        raise _without_unit(cls, name)
    bound = next((mark for mark in marks if isinstance(mark, Bound)), None)
    return Parameter(name, unit, bound=bound, **(_default(cls, name) if name in cls.__dict__ else {}))


def _check_bare(cls: type, known: Mapping[str, Parameter]) -> None:
    """Raise for a number that the class holds without saying what it is: it would look like a parameter and be none."""
    for name, value in cls.__dict__.items():
        number = isinstance(value, int | float | Q10 | _Default) and not isinstance(value, bool)
        if number and name not in known and not any(hasattr(base, name) for base in cls.__bases__):
            raise _without_unit(cls, name)


def _without_unit(cls: type, name: str) -> DefinitionError:
    return DefinitionError(
        f"field '{name}' of class {cls.__name__} has no unit. Annotate it with a unit type of channelome.authoring "
        f"(Conductance, Voltage, Factor, ...), or with Annotated[Any, Unit.parse('1/ms')]."
    )


def _default(cls: type, name: str) -> dict[str, Any]:
    given = cls.__dict__[name]
    default, source = (given.value, given.source) if isinstance(given, _Default) else (given, "")
    numeric = isinstance(default, int | float | np.ndarray) and not isinstance(default, bool)
    if not (numeric or isinstance(default, Q10) or default is None or default is REQUIRED):
        raise DefinitionError(
            f"the default of '{name}' in class {cls.__name__} must be a bare number in the field's unit, not {default!r}."
        )
    return {"default": float(default) if isinstance(default, int) else default, "source": source}


def _did_you_mean(cls: type[Module], name: str) -> str:
    if name in (*cls._nodes, *cls._static):
        return f"Its {name} is given when it is made: make another {cls.__name__}. Its parameters are {', '.join(cls.parameters) or 'none'}."
    known = [*cls.parameters, *cls._nodes, *cls._static]
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean '{close[0]}'?" if close else f"It has {', '.join(known) or 'none'}."


def _flatten(module: Module) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    cls = type(module)
    children = tuple(getattr(module, name) for name in (*cls.parameters, *cls._nodes))
    return children, tuple(getattr(module, name) for name in cls._static)


def _flatten_with_keys(module: Module) -> tuple[tuple[tuple[Any, Any], ...], tuple[Any, ...]]:
    children, static = _flatten(module)
    names = (*type(module).parameters, *type(module)._nodes)
    return tuple((jax.tree_util.GetAttrKey(n), child) for n, child in zip(names, children, strict=True)), static


def _unflattener(cls: type[Module]) -> Callable[[tuple[Any, ...], Any], Module]:
    def unflatten(static: tuple[Any, ...], children: Any) -> Module:
        module = object.__new__(cls)
        names = (*cls.parameters, *cls._nodes, *cls._static)
        module.__dict__.update(zip(names, (*children, *static), strict=True))
        return module

    return unflatten
