"""The three kinds of channel that authors subclass: `Ohmic`, `Permeable` (GHK) and `Markov`.

A channel is written as its paper writes it: a method per gate, whose argument names say what the gate depends on, and one
method that puts the gates together. What the names may be is checked when the class is defined, and each method is
evaluated once on abstract values, so that a mistake is reported where it was written.
"""

import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from .errors import DefinitionError
from .ions import VALENCE, IonView
from .kinetics import Gate, Linear, Rates, Relaxation, Rule, Scheme
from .maths import ghk
from .module import Q10, Module

States = dict[str, Array]
Environment = Mapping[str, Any]
"""What surrounds a channel: ``V`` in mV, ``celsius`` in degC, and an `IonView` by species."""


class Channel(Module):
    """Base of all channels: gates, what they depend on, and the current density that they let through.

    Class keywords:
        ion: the species that carries the current. For a current of several species a mapping from species to the name of
            the parameter that holds its share; the class then has its own ``E``.
        reads: species that the methods ask for by name and that are not common ones (na, k, ca, cl, mg, h).
    """

    ion: ClassVar[str | None] = None
    carries: ClassVar[Mapping[str, str | None]] = MappingProxyType({})
    reads: ClassVar[tuple[str, ...]] = ()
    gates: ClassVar[tuple[str, ...]] = ()
    occupancies: ClassVar[tuple[str, ...]] = ()
    needs_celsius: ClassVar[bool] = False
    measured_at: ClassVar[float | None] = None
    asks_celsius: ClassVar[bool] = False
    _output: ClassVar[str] = ""
    _arguments: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
    _declared: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(
        cls,
        *,
        ion: str | Mapping[str, str] | None = None,
        reads: tuple[str, ...] = (),
        states: tuple[str, ...] = (),
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        if ion is not None:
            cls.ion = ion if isinstance(ion, str) else None
            cls.carries = MappingProxyType({ion: None} if isinstance(ion, str) else dict(ion))
        cls._declared = cls._declared + tuple(reads)
        cls.occupancies = tuple(states) or cls.occupancies
        if cls._output and (cls._output in cls.__dict__ or callable(getattr(cls, cls._output, None))):
            _analyse(cls)

    def steady_state(self, env: Environment) -> States:
        """The states at rest in `env`, by name, each of the shape of ``env["V"]``."""
        known = dict(env)
        for name in self.gates:
            known[name] = jnp.broadcast_to(self._gate(name, known).steady_state, jnp.shape(env["V"]))
        return {name: known[name] for name in self.gates}

    def slope(self, states: Mapping[str, Array], env: Environment) -> States:
        """Rates of change of the states, in 1/ms."""
        known = {**env, **states}
        return {name: self._gate(name, known).slope(states[name]) for name in self.gates}

    def relax(self, states: Mapping[str, Array], env: Environment, dt: Any, rule: Rule) -> States:
        """The states after `dt` ms in a constant environment. A gate that depends on another sees its mean."""
        known = {**env, **states}
        after: States = {}
        for name in self.gates:
            after[name] = self._gate(name, known).relax(states[name], dt, rule)
            known[name] = (states[name] + after[name]) / 2
        return after

    def current(self, states: Mapping[str, Array], env: Environment) -> Array:
        """Current density in uA/cm^2, outward positive."""
        raise NotImplementedError

    def _gate(self, name: str, known: Environment) -> Relaxation:
        return self._call(name, known)

    def _call(self, method: str, known: Environment) -> Any:
        return getattr(self, method)(*[known[argument] for argument in self._arguments[method]])


class Ohmic(Channel):
    """A current ``g (V - E)``; the class writes ``conductance`` of its gates, in mS/cm^2.

    E is the reversal potential of the ion that carries it, or the class's own field ``E``.
    """

    _output: ClassVar[str] = "conductance"

    def current(self, states: Mapping[str, Array], env: Environment) -> Array:
        E = _reversal_potential(self, env)
        return self._call("conductance", {**env, **states}) * (env["V"] - E)


class Permeable(Channel):
    """A current by the Goldman-Hodgkin-Katz equation; the class writes ``permeability`` of its gates, in cm/s.

    It depends on the cell's temperature and on both concentrations of the ion that carries it.
    """

    _output: ClassVar[str] = "permeability"
    needs_celsius: ClassVar[bool] = True

    def current(self, states: Mapping[str, Array], env: Environment) -> Array:
        ion = env[self.ion or ""]
        unit_current = ghk(env["V"], ion.C_in, ion.C_out, ion.valence, env["celsius"])
        return self._call("permeability", {**env, **states}) * unit_current


class Markov(Channel):
    """An ohmic current through a kinetic scheme: class keyword ``states=("C", "O", ...)``.

    The class writes ``transitions``, which returns the rate in 1/ms of each ``(from, to)``, and ``conductance`` of the
    occupancies, in mS/cm^2. Occupancies stay positive and sum to 1.
    """

    _output: ClassVar[str] = "conductance"

    def steady_state(self, env: Environment) -> States:
        gates = Channel.steady_state(self, env)
        scheme = self._scheme({**env, **gates}).steady_state()
        return gates | {name: jnp.broadcast_to(p, jnp.shape(env["V"])) for name, p in scheme.items()}

    def slope(self, states: Mapping[str, Array], env: Environment) -> States:
        return Channel.slope(self, states, env) | self._scheme({**env, **states}).slope(states)

    def relax(self, states: Mapping[str, Array], env: Environment, dt: Any, rule: Rule) -> States:
        gates = Channel.relax(self, states, env, dt, rule)
        middle = {name: (states[name] + after) / 2 for name, after in gates.items()}
        return gates | self._scheme({**env, **middle}).relax(states, dt, rule)

    def current(self, states: Mapping[str, Array], env: Environment) -> Array:
        E = _reversal_potential(self, env)
        return self._call("conductance", {**env, **states}) * (env["V"] - E)

    def _scheme(self, known: Environment) -> Scheme:
        return Scheme(self.occupancies, self._call("transitions", known))


def _reversal_potential(channel: Channel, env: Environment) -> Any:
    return getattr(channel, "E") if "E" in channel.parameters else env[channel.ion or ""].E  # noqa: B009


# ---- what is checked when a class is defined ----------------------------------------------------------------------


def _analyse(cls: type[Channel]) -> None:
    roots = (
        [cls._output] if cls._output != "conductance" or not issubclass(cls, Markov) else ["transitions", "conductance"]
    )
    arguments: dict[str, tuple[str, ...]] = {}
    gates: list[str] = []
    for root in roots:
        if not callable(getattr(cls, root, None)):
            raise DefinitionError(f"class {cls.__name__} needs a method {root}(self, ...).")
        _follow(cls, root, arguments, gates, ())
    own = {*gates, *cls.occupancies}
    asked = {name for names in arguments.values() for name in names} - own
    cls._arguments = MappingProxyType(arguments)
    cls.gates = tuple(gates)
    following = [p.default.reference for p in cls.parameters.values() if isinstance(p.default, Q10)]
    cls.measured_at = following[0] if following else None
    cls.asks_celsius = "celsius" in asked or issubclass(cls, Permeable)
    cls.needs_celsius = cls.asks_celsius or bool(following)
    cls.reads = tuple(sorted(asked - {"V", "celsius"} - {cls.ion}))
    _check_ion(cls)
    _check_values(cls, roots)


def _follow(
    cls: type[Channel], method: str, arguments: dict[str, tuple[str, ...]], gates: list[str], trail: tuple[str, ...]
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
        elif _is_method(cls, name):
            _follow(cls, name, arguments, gates, (*trail, method))
        elif name not in {"V", "celsius", *VALENCE, *cls._declared, *cls.carries}:
            raise DefinitionError(_unknown_argument(cls, method, name))
    if method not in ("conductance", "permeability", "transitions"):
        gates.append(method)


def _argument_names(cls: type[Channel], method: str) -> tuple[str, ...]:
    parameters = list(inspect.signature(getattr(cls, method)).parameters.values())
    for parameter in parameters[1:]:
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD or parameter.default is not parameter.empty:
            raise DefinitionError(
                f"{cls.__name__}.{method}: '{parameter}' must be a plain argument without a default; "
                f"the name says what the method depends on. Constants are fields of the class."
            )
    return tuple(parameter.name for parameter in parameters[1:])


def _is_method(cls: type[Channel], name: str) -> bool:
    return callable(getattr(cls, name, None)) and not hasattr(Channel, name)


def _unknown_argument(cls: type[Channel], method: str, name: str) -> str:
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


def _check_ion(cls: type[Channel]) -> None:
    own_E = "E" in cls.parameters
    if cls.ion is None and not own_E and not issubclass(cls, Permeable):
        raise DefinitionError(
            f"class {cls.__name__} has no reversal potential: say which ion carries it, class {cls.__name__}(..., ion='k'), "
            f"or give it a field E: Voltage."
        )
    if issubclass(cls, Permeable) and cls.ion is None:
        raise DefinitionError(
            f"class {cls.__name__}: a Permeable channel needs one ion, class {cls.__name__}(Permeable, ion='ca')."
        )
    for species, share in cls.carries.items():
        if share is not None and share not in cls.parameters:
            raise DefinitionError(
                f"class {cls.__name__}: the share of '{species}' is to be the field '{share}', which does not exist."
            )


def _check_values(cls: type[Channel], roots: list[str]) -> None:
    """Evaluate every method on abstract scalars: finds wrong returns and Python that JAX cannot trace."""
    channel = object.__new__(cls)
    for name, parameter in cls.parameters.items():
        default = parameter.default
        channel._set(name, 1.0 if isinstance(default, Q10) or not isinstance(default, int | float) else default)
    for method in (*cls.gates, *roots):

        def probe(x: Array, method: str = method) -> Any:
            names = cls._arguments[method]
            known = {
                n: x if n in ("V", "celsius", *cls.gates, *cls.occupancies) else IonView(n, 1, x, x, x) for n in names
            }
            return _checked(cls, method, channel._call(method, known))

        try:
            jax.eval_shape(probe, jax.ShapeDtypeStruct((), jnp.float32))
        except DefinitionError:
            raise
        except Exception as error:
            raise DefinitionError(
                f"{cls.__name__}.{method} fails when it is evaluated: {_first_line(error)}{_remedy(cls, method, error)}"
            ) from error


def _checked(cls: type[Channel], method: str, value: Any) -> Any:
    if method == "transitions":
        _check_transitions(cls, value)
        return dict(value).copy() and [jnp.asarray(rate) for rate in value.values()]
    if method in cls.gates:
        if not isinstance(value, Rates | Gate | Linear):
            raise DefinitionError(
                f"{cls.__name__}.{method} must return rates(alpha, beta) or Gate(inf, tau), not {type(value).__name__}."
            )
        return [jnp.asarray(part) for part in value]
    if value is None or isinstance(value, Rates | Gate | tuple | dict):
        raise DefinitionError(
            f"{cls.__name__}.{method} must return a number in {'cm/s' if method == 'permeability' else 'mS/cm^2'}, not {type(value).__name__}."
        )
    return jnp.asarray(value)


def _check_transitions(cls: type[Channel], value: Any) -> None:
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


def _remedy(cls: type[Channel], method: str, error: Exception) -> str:
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


# ---- what the manifest says of a class ----------------------------------------------------------------------------


def equations(cls: type[Channel]) -> str:
    """Source text of the methods that hold the class's equations."""

    def sources() -> Iterator[str]:
        for method in dict.fromkeys((*cls.gates, *cls._arguments)):
            function: Callable[..., Any] = getattr(cls, method)
            yield textwrap.dedent(inspect.getsource(function)).rstrip()

    try:
        return "\n\n".join(sources())
    except (OSError, TypeError):
        return ""
