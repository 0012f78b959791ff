"""Checks of how a class of channels or ions is defined: words, units, sources, defaults, and that it cannot change."""

import json
from typing import Any

import jax
import numpy as np

from ...errors import ChannelomeError, UnitError
from ...mechanisms.describe import placeholders as names_of_placeholders
from ...mechanisms.ions import Ion
from ...models import cell
from ...module import REQUIRED, Parameter
from ...units import Unit
from ..kit import Check, Problems, Skip, check
from ..subjects import CELSIUS, ChannelSubject, Part

_CONVENTIONS = {"E": "mV", "V_": "mV", "g_max": "mS/cm^2", "tau": "ms", "C_": "mM", "p_max": "cm/s"}
"""Units of parameters by how their names begin."""


@check(level="quick", hint="Begin the class with a sentence that says what the current is and of which cells.")
def docstring(subject: Part) -> Problems:
    """The class says in a sentence what it is."""
    text = (subject.cls.__dict__.get("__doc__") or "").strip()
    if not text:
        yield f"class {subject.cls.__name__} has no docstring"
    elif len(text.split()) < 2:
        yield f"the docstring of {subject.cls.__name__}, {text!r}, is too short to say what it is"
    elif not text.split("\n\n")[0].rstrip().endswith((".", ":")):
        yield f"the first sentence of its docstring has no end: {text.splitlines()[0]!r}"


@check(level="quick", hint="Write param(default, source='key of a reference'), or source='our choice'.")
def sources(subject: Part) -> Problems:
    """Every default says where it comes from."""
    for parameter in subject.cls.parameters.values():
        given = parameter.default is not REQUIRED and parameter.default is not None
        if given and not parameter.source.strip():
            yield f"{parameter.name} = {parameter.default} has no source"


@check(
    level="quick",
    hint="Write the source's equations and numbers in their place, then `channelome pack sync`.",
)
def placeholders(subject: Part) -> Problems:
    """No number is a placeholder, as those that `channelome new` writes are until the source's replace them."""
    if held := names_of_placeholders(subject.cls):
        yield f"{', '.join(held)} of {subject.cls.__name__} {'are placeholders' if len(held) > 1 else 'is a placeholder'}"


@check(
    level="quick", hint="Annotate a field with the unit type of what it is: Voltage, PositiveTime, Conductance, Factor."
)
def units(subject: Part) -> Problems:
    """Every parameter is converted from its unit, refuses others, and has the unit that its name says."""
    for parameter in subject.cls.parameters.values():
        wanted = next((unit for start, unit in _CONVENTIONS.items() if _begins(parameter.name, start)), None)
        if wanted is not None and Unit.parse(wanted).dimension != parameter.unit.dimension:
            yield f"{parameter.name} is in {parameter.unit}, but a parameter of that name is in {wanted}"
        if _refuses_units(subject, parameter):
            yield f"{parameter.name} takes a number without its unit, {parameter.unit}"


def _begins(name: str, start: str) -> bool:
    return name == start if start in ("E", "g_max", "p_max") else name.startswith(start)


def _refuses_units(subject: Part, parameter: Parameter) -> bool:
    if parameter.unit.is_dimensionless or parameter.unit.symbol == "degC":
        return False
    try:
        subject.built.replace(**{parameter.name: 1.0})
    except UnitError:
        return False
    return True


@check(
    level="quick", hint="Give every parameter a default within its bounds, or say what must be given by leaving it out."
)
def defaults(subject: Part) -> Problems:
    """It can be built with its defaults."""
    try:
        subject.built  # noqa: B018
    except Skip as error:
        yield f"{subject.cls.__name__}() fails: {error.__cause__}"


@check(level="quick", hint="What a class knows is in fields and in class keywords; hold nothing that can change on it.")
def frozen(subject: Part) -> Problems:
    """Neither the class nor an instance can be changed, nor does building one change them."""
    before = _snapshot(subject.cls)
    own = [base for base in subject.cls.__mro__ if base.__module__.partition(".")[0] != "channelome"]
    for base in own:
        for name, value in vars(base).items():
            if isinstance(value, dict | list | set | np.ndarray) and not name.startswith("__"):
                yield f"{base.__name__}.{name} is a {type(value).__name__}, which one instance can change for all"
    instance = subject.built
    held = dict(vars(instance))
    if isinstance(subject, ChannelSubject):
        subject.curves(np.linspace(-90.0, 0.0, 1024))  # pyright: ignore[reportArgumentType]
    if _snapshot(subject.cls) != before:
        yield "the class is changed by building an instance or evaluating it"
    if vars(instance) != held:
        changed = sorted(set(vars(instance)) ^ set(held)) or [n for n in held if vars(instance)[n] is not held[n]]
        yield f"evaluating it changes the instance: {', '.join(changed)}"
    for name in list(subject.cls.parameters)[:1]:
        try:
            setattr(instance, name, 0.0)
        except AttributeError:
            continue
        yield f"{name} of an instance can be assigned"


def _snapshot(cls: type) -> list[tuple[str, str]]:
    return [(f"{base.__name__}.{name}", repr(value)) for base in cls.__mro__[:-1] for name, value in vars(base).items()
            if not name.startswith(("__", "_abc"))]  # fmt: skip


@check(
    hint="A model file holds names, numbers and units: a parameter must be a number, and the registered name the class's own."
)
def model_file(subject: Part) -> Problems:
    """A cell with it, written as a table with units and read again, has the same parameters."""
    if not subject.registered or subject.given_species:
        raise Skip("it has no name in the registry" if not subject.registered else "it is built by its species")
    part = subject.built
    if getattr(part, "diameter", 0) is None:
        part = part.replace(diameter="2 um")  # shells of a point, which has none
    table: dict[str, Any] = {"use": subject.name}
    for parameter in type(part).parameters.values():
        value = getattr(part, parameter.name)
        if isinstance(value, int | float):
            table[parameter.name] = {"value": value, "unit": parameter.unit.symbol}
    read = json.loads(json.dumps(_model(subject, table)))
    try:
        built = cell(read)
    except ChannelomeError as error:
        yield f"the cell cannot be read: {error}"
        return
    found: Any = built.channels["it"] if isinstance(subject, ChannelSubject) else built.ions[part.species]
    if type(found) is not type(part):
        yield f"{subject.name} of a file is read as {type(found).__name__}, not as {type(part).__name__}"
    elif jax.tree.leaves(found) != jax.tree.leaves(part):
        yield f"{found!r} is read for {part!r}"


def _model(subject: Part, table: dict[str, Any]) -> dict[str, Any]:
    around = {"schema": 1, "celsius": {"value": CELSIUS, "unit": "degC"}}
    if isinstance(subject, ChannelSubject):
        ions = {species: _ion_table(ion) for species, ion in subject.ions.items()}
        return around | {"ions": ions, "channels": {"it": table}}
    return around | {"ions": {subject.built.species: table}}


def _ion_table(ion: Ion) -> dict[str, Any]:
    values = {p.name: {"value": getattr(ion, p.name), "unit": p.unit.symbol} for p in type(ion).parameters.values()}
    if "species" in type(ion)._static:
        raise Skip(f"a model file has no built-in ion '{ion.species}'")
    return {"use": type(ion).__name__} | values


WORDS: tuple[Check, ...] = (docstring, sources, placeholders, units, defaults, frozen)
"""What holds of every class of parameters, synapses too."""
DEFINITION: tuple[Check, ...] = (*WORDS, model_file)
