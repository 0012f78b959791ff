"""What a manifest says of a class: read off the class, so that data and code cannot disagree."""

import inspect
from typing import Any

from ..module import Q10, REQUIRED, Module, Parameter
from .channels import Channel, Markov, Ohmic, Permeable, equations
from .general import General
from .general_ions import GeneralIon
from .ions import FixedIon, Ion, NernstIon, Pool
from .shells import Shells
from .source import digest_of
from .transmission import Contact, Coupling, Release, Synapse

KINDS_OF_CLASSES: dict[str, tuple[type[Module], ...]] = {
    "channel": (Channel,),
    "ion": (Ion,),
    "synapse": (Contact, Release),
}
"""What the registry calls a class, by what it is a subclass of."""
_KINDS: tuple[type[Module], ...] = (
    Markov,
    Permeable,
    Ohmic,
    General,
    GeneralIon,
    Pool,
    Shells,
    NernstIon,
    FixedIon,
    Synapse,
    Release,
    Coupling,
)


def describe(cls: type[Module]) -> dict[str, Any]:
    """The manifest's facts of a channel, ion or synapse class, in plain data.

    Returns:
        ``summary, kind, ion, reads, gates, temperature, parameters, equations, digest`` as `channelome.registry` documents them.
    """
    facts: dict[str, Any] = {
        "summary": (inspect.getdoc(cls) or "").strip().split("\n\n")[0].replace("\n", " "),
        "kind": next((kind.__name__ for kind in _KINDS if issubclass(cls, kind)), cls.__name__),
    }
    if issubclass(cls, Channel):
        if cls.ion is not None:
            facts["ion"] = cls.ion
        facts["reads"] = list(cls.reads)
        facts["gates"] = [*cls.gates, *cls.occupancies, *cls.variables]
        facts["temperature"] = cls.needs_celsius
        facts["equations"] = equations(cls)
    elif issubclass(cls, Ion):
        if isinstance(getattr(cls, "species", None), str):
            facts["ion"] = cls.species
        facts["temperature"] = cls.needs_celsius
    elif issubclass(cls, Contact | Release):
        facts["gates"] = [*cls.states]
    facts["parameters"] = {name: _parameter(parameter) for name, parameter in cls.parameters.items()}
    facts["digest"] = digest_of(cls, facts)
    return facts


def _parameter(parameter: Parameter) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if isinstance(parameter.default, Q10):
        facts["default"] = {"q10": float(parameter.default.factor), "reference": float(parameter.default.reference)}
    elif parameter.default is not REQUIRED and parameter.default is not None:
        facts["default"] = float(parameter.default)
    facts["unit"] = parameter.unit.symbol
    facts["source"] = parameter.source
    return facts


def placeholders(cls: type[Module]) -> list[str]:
    """Parameters that have no number of the source yet, only one that `channelome new` wrote."""
    return [p.name for p in cls.parameters.values() if p.source.strip().casefold() == "placeholder"]
