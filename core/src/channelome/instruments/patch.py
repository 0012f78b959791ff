"""A channel alone: a patch of membrane with nothing else in it."""

from collections.abc import Iterable
from typing import Any

from ..cells import SingleCompartment
from ..cells.parts import build_channel, build_ion
from ..mechanisms.channels import Channel
from ..mechanisms.general import General
from ..registry.hooks import building

DEFAULT_IONS = {"na": "SodiumFixed", "k": "PotassiumFixed", "ca": "CalciumFixed"}
"""What stands for a species that is needed and not given."""


def patch(channel: Any, shape: tuple[int, ...], celsius: Any, ions: Iterable[Any] | None) -> SingleCompartment:
    """A population of this shape with the one channel and the ions that it needs: finds what is missing."""
    built = build_channel(channel, channel if isinstance(channel, str) else "channel")
    given = [build_ion(ion) for ion in ions or ()]
    species = {ion.species for ion in given}
    needed = [name for name in dict.fromkeys((*built.carries, *built.reads)) if name not in species]
    given += [build_ion(DEFAULT_IONS[name]) for name in needed if name in DEFAULT_IONS]
    with building():  # a tool of ours, and no model of the user's
        return SingleCompartment(shape, *given, celsius=celsius, **{_label(built): built})


def _label(channel: Channel) -> str:
    name = type(channel).__name__
    return name if name.isidentifier() and name not in SingleCompartment.parameters else "channel"


def only(cell: SingleCompartment) -> tuple[str, Channel]:
    """The channel of a patch, with its label."""
    ((label, channel),) = cell.channels.items()
    return label, channel.at(cell.celsius)


def rests_on(channel: Channel, method: str) -> frozenset[str]:
    """What a gate, or ``transitions``, depends on in the end: ``V``, ``celsius`` and ions by species."""
    asked = channel._arguments[method]
    own = {name for name in asked if name not in channel.gates}
    return frozenset(own).union(*(rests_on(channel, name) for name in asked if name in channel.gates))


def coupled(channel: Channel) -> bool:
    """Whether no closed form leads from one voltage to another: a gate, or a rate of the kinetic scheme, depends on another gate that moves
    when the voltage does, or the channel has variables, whose rates of change may be of any form."""
    if isinstance(channel, General) and channel.variables:
        return True
    moving = {gate for gate in channel.gates if "V" in rests_on(channel, gate)}
    methods = (*channel.gates, *(("transitions",) if channel.occupancies else ()))
    return any(moving.intersection(channel._arguments[method]) for method in methods)
