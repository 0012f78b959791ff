"""What is checked when a class of channels is defined, and what is found out about it: its gates, and what they depend on.

Argument names say what a method depends on. Each method is evaluated once on abstract values, so that a mistake is reported
where it was written: a wrong name, a wrong return, Python that JAX cannot trace, a gate that nothing asks for.
"""

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ..errors import DefinitionError
from ..module import Q10
from .ions import VALENCE, IonView
from .kinetics import Gate, Linear, Rates


def analyse(cls: Any, base: type) -> None:
    """Check a class of channels, and find its gates and what they depend on.

    Args:
        base: the class whose methods are no author's.

    Raises:
        DefinitionError: naming the class, the method and the remedy.
    """
    arguments: dict[str, tuple[str, ...]] = {}
    gates: list[str] = []
    for root in cls._roots:
        if not callable(getattr(cls, root, None)):
            raise DefinitionError(f"class {cls.__name__} needs a method {root}(self, ...).")
        _follow(cls, base, root, arguments, gates, ())
    own = {*gates, *cls.occupancies, *cls.variables}
    asked = {name for names in arguments.values() for name in names} - own
    cls._arguments = MappingProxyType(arguments)
    cls.gates = tuple(gates)
    following = [p.default.reference for p in cls.parameters.values() if isinstance(p.default, Q10)]
    cls.measured_at = following[0] if following else None
    cls.asks_celsius = "celsius" in asked or "permeability" in cls._roots
    cls.needs_celsius = cls.asks_celsius or bool(following)
    cls.reads = tuple(sorted(asked - {"V", "celsius"} - {cls.ion}))
    _check_ion(cls)
    channel = _abstract(cls)
    _check_values(channel)
    _check_all_asked(channel, base)


def _follow(
    cls: Any, base: type, method: str, arguments: dict[str, tuple[str, ...]], gates: list[str], trail: tuple[str, ...]
) -> None:
    """Collect the arguments of `method` and of the gates that it asks for, each gate after those that it needs."""
    if method in trail:
        raise DefinitionError(
            f"class {cls.__name__}: gates depend on each other in a circle, {' -> '.join((*trail, method))}."
        )
    if method in arguments:
        return
    names = _argument_names(cls, method)
    arguments[method] = names
    for name in names:
        if name in cls.occupancies:
            if method == "transitions":
                raise DefinitionError(
                    f"class {cls.__name__}: transitions() asks for the occupancy '{name}', but rates may depend on V, "
                    f"celsius, ions and gates only; what is proportional to an occupancy is a transition from it."
                )
        elif name in cls.variables:
            if method not in ("derivatives", "density"):
                raise DefinitionError(
                    f"class {cls.__name__}: {method}() asks for the variable '{name}', which only derivatives() and density() "
                    f"may; a gate that depends on it is a variable too."
                )
        elif callable(getattr(cls, name, None)) and not hasattr(base, name):
            _follow(cls, base, name, arguments, gates, (*trail, method))
        elif name not in {"V", "celsius", *VALENCE, *cls._declared, *cls.carries}:
            raise DefinitionError(_unknown_argument(cls, method, name))
    if method not in cls._roots:
        gates.append(method)


def _argument_names(cls: Any, method: str) -> tuple[str, ...]:
    parameters = list(inspect.signature(getattr(cls, method)).parameters.values())
    for parameter in parameters[1:]:
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD or parameter.default is not parameter.empty:
            raise DefinitionError(
                f"{cls.__name__}.{method}: '{parameter}' must be a plain argument without a default; "
                f"the name says what the method depends on. Constants are fields of the class."
            )
    return tuple(parameter.name for parameter in parameters[1:])


def _unknown_argument(cls: Any, method: str, name: str) -> str:
    if method in ("conductance", "permeability"):
        return (
            f"{cls.__name__}.{method} asks for '{name}', but {cls.__name__} has no gate of that name. "
            f"Write a method {name}(self, V) that returns rates(alpha, beta) or Gate(inf, tau)."
        )
    return (
        f"{cls.__name__}.{method} asks for '{name}', which is neither V, celsius, another gate nor an ion "
        f"({', '.join(VALENCE)}). A parameter is a field, read as self.{name}; a species of your own is declared by "
        f"class {cls.__name__}(..., reads=('{name}',))."
    )


def _check_ion(cls: Any) -> None:
    own_E = "E" in cls.parameters
    permeable = "permeability" in cls._roots
    if cls.ion is None and not own_E and not permeable and "density" not in cls._roots:
        raise DefinitionError(
            f"class {cls.__name__} has no reversal potential: say which ion carries it, class {cls.__name__}(..., ion='k'), "
            f"or give it a field E: Voltage."
        )
    if permeable and cls.ion is None:
        raise DefinitionError(
            f"class {cls.__name__}: a Permeable channel needs one ion, class {cls.__name__}(Permeable, ion='ca')."
        )
    for species in {*cls.carries} - {*VALENCE, *cls._declared}:
        if species.casefold() in VALENCE:
            raise DefinitionError(f"class {cls.__name__}: '{species}' is no ion. Did you mean '{species.casefold()}'?")
    for species, share in cls.carries.items():
        if share is not None and share not in cls.parameters:
            raise DefinitionError(
                f"class {cls.__name__}: the share of '{species}' is to be the field '{share}', which does not exist."
            )


def _abstract(cls: Any) -> Any:
    """A channel with any numbers, to evaluate its methods on abstract values."""
    channel = object.__new__(cls)
    for name, parameter in cls.parameters.items():
        default = parameter.default
        channel._set(name, 1.0 if isinstance(default, Q10) or not isinstance(default, int | float) else default)
    return channel


def _evaluate(channel: Any, method: str, arguments: tuple[str, ...], use: Callable[[Any], Any]) -> Any:
    """What `use` makes of the method's value for abstract scalars."""
    cls = type(channel)
    scalars = {"V", "celsius", *cls.gates, *cls.occupancies, *cls.variables}

    def probe(x: Array) -> Any:
        return use(getattr(channel, method)(*[x if n in scalars else IonView(n, 1, x, x, x) for n in arguments]))

    return jax.eval_shape(probe, jax.ShapeDtypeStruct((), jnp.float32))


def _check_all_asked(channel: Any, base: type) -> None:
    """A method of the class that is a gate, and that nothing asks for, was forgotten."""
    cls = type(channel)
    for name, function in vars(cls).items():
        if name.startswith("_") or not inspect.isfunction(function) or name in cls._arguments or hasattr(base, name):
            continue
        try:
            found = list[bool]()
            _evaluate(channel, name, _argument_names(cls, name), lambda x, found=found: found.append(_is_gate(x)))
        except Exception:  # a method of the author's own, for other arguments
            continue
        if found == [True]:
            raise DefinitionError(
                f"class {cls.__name__}: nothing asks for the gate '{name}'. Make it an argument, {cls._roots[-1]}(self, ..., {name}), "
                f"or call the method _{name} if others use it themselves."
            )


def _is_gate(value: Any) -> bool:
    return isinstance(value, Rates | Gate | Linear)


def _check_values(channel: Any) -> None:
    """Evaluate every method on abstract scalars: finds wrong returns and Python that JAX cannot trace."""
    cls = type(channel)
    for method in (*cls.gates, *cls._roots):
        try:
            _evaluate(
                channel, method, cls._arguments[method], lambda value, method=method: _checked(cls, method, value)
            )
        except DefinitionError:
            raise
        except Exception as error:
            raise DefinitionError(
                f"{cls.__name__}.{method} fails when it is evaluated: {_first_line(error)}{_remedy(cls, method, error)}"
            ) from error


def _checked(cls: Any, method: str, value: Any) -> Any:
    if method in ("rest", "derivatives") or (method == "density" and isinstance(value, Mapping)):
        return _checked_mapping(cls, method, value)
    if method == "transitions":
        _check_transitions(cls, value)
        return dict(value).copy() and [jnp.asarray(rate) for rate in value.values()]
    if method in cls.gates:
        if not _is_gate(value):
            got = "an array" if isinstance(value, jax.Array) else type(value).__name__
            raise DefinitionError(
                f"{cls.__name__}.{method} must return rates(alpha, beta) or Gate(inf, tau), not {got}."
                + _instantaneous(cls, method, value)
            )
        return [jnp.asarray(part) for part in value]
    if value is None or isinstance(value, Rates | Gate | tuple | dict):
        raise DefinitionError(
            f"{cls.__name__}.{method} must return a number in {_UNITS[method]}, not {type(value).__name__}."
        )
    return jnp.asarray(value)


def _instantaneous(cls: Any, method: str, value: Any) -> str:
    """What to do with a gate that is a number, for it follows at once."""
    if not isinstance(value, int | float | jax.Array):
        return ""
    arguments = ", ".join(cls._arguments[method])
    user = next((root for root in cls._roots if method in cls._arguments[root]), cls._roots[-1])
    return (
        f" A gate that follows {arguments or 'V'} at once has no state: call the method _{method}, and write what it is where it is used, "
        f"def {user}(self, {arguments or 'V'}, ...) with {method} = self._{method}({arguments})."
    )


_UNITS = {"permeability": "cm/s", "conductance": "mS/cm^2", "density": "uA/cm^2"}


def _checked_mapping(cls: Any, method: str, value: Any) -> Any:
    """Of ``rest`` and ``derivatives`` a number for each variable, of ``density`` one for each species or ``""``."""
    wanted = {*cls.carries, ""} if method == "density" else {*cls.variables}
    given = {*value} if isinstance(value, Mapping) else set[str]()
    if not given or given - wanted or (method != "density" and wanted - given):
        said = ", ".join(repr(name) for name in sorted(wanted))
        got = sorted(map(repr, given)) if isinstance(value, Mapping) else type(value).__name__
        raise DefinitionError(f"{cls.__name__}.{method} must return {{name: number}} of {said}, not of {got}.")
    return {name: jnp.asarray(one) for name, one in value.items()}


def _check_transitions(cls: Any, value: Any) -> None:
    if not isinstance(value, Mapping) or not value:
        raise DefinitionError(
            f"{cls.__name__}.transitions must return {{('C', 'O'): rate, ...}}, not {type(value).__name__}."
        )
    for key in value:
        if not (isinstance(key, tuple) and len(key) == 2 and set(key) <= set(cls.occupancies) and key[0] != key[1]):
            raise DefinitionError(
                f"{cls.__name__}.transitions has the key {key!r}; each is (from, to) of {', '.join(cls.occupancies)}."
            )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".") + "."


def _remedy(cls: Any, method: str, error: Exception) -> str:
    ions = [name for name in cls._arguments[method] if name in {*VALENCE, *cls._declared, *cls.carries}]
    if ions and "IonView" in str(error):
        return (
            f" Here {', '.join(map(repr, ions))} stands for an ion, whose numbers are .C_in, .C_out and .E. "
            f"A gate of that name needs a method, {ions[0]}(self, V)."
        )
    if isinstance(error, jax.errors.TracerBoolConversionError):
        return " A gate may not branch on V with if: write where(condition, this, that)."
    if isinstance(error, jax.errors.TracerArrayConversionError | jax.errors.ConcretizationTypeError):
        return " Use exp, where, ... of channelome.authoring in place of NumPy's or math's."
    return ""
