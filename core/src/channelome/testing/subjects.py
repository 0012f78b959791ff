"""What is checked: a channel, an ion, a solver or a cell, with what checks of it share."""

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..cells.parts import build_ion
from ..instruments.patch import DEFAULT_IONS
from ..mechanisms.channels import Channel, Permeable
from ..mechanisms.ions import VALENCE, Fixed, Ion, IonView
from ..mechanisms.transmission import Contact, Release
from ..module import Q10, REQUIRED, Module
from ..registry import registry
from .kit import Skip
from .sampling import Portrait, over_concentration, over_voltage

CELSIUS = 36.0
"""Temperature of the checks: far enough from where channels were measured that Q10 counts."""
SIZE = 1024


class Part:
    """A class of channels or ions.

    Args:
        cls: the class.
        name: as the report calls it; a registered name if `registered`.
        registered: whether it can be found by name.
        golden: files of golden data, as `check_golden` reads them, which may hold it.
    """

    def __init__(self, cls: type[Module], name: str, *, registered: bool, golden: Iterable[Path] = ()) -> None:
        self.cls, self.name, self.registered, self.golden = cls, name, registered, tuple(golden)

    @functools.cached_property
    def built(self) -> Any:
        """An instance with its defaults; what has none is given a plain value."""
        given: dict[str, Any] = {
            p.name: (1.0, p.unit.symbol) for p in self.cls.parameters.values() if p.default is REQUIRED
        }
        if "diameter" in self.cls.parameters:
            given["diameter"] = (2.0, "um")
        if self.given_species:
            given["species"] = "cl"
        try:
            return self.cls(**given)
        except Exception as error:
            raise Skip("it cannot be built with its defaults") from error

    @property
    def given_species(self) -> bool:
        """Whether each instance says its species itself, as `Fixed` does."""
        return "species" in self.cls._static


class ChannelSubject(Part):
    """A class of channels."""

    cls: type[Channel]

    @property
    def channel(self) -> Channel:
        return self.built

    @functools.cached_property
    def ions(self) -> dict[str, Ion]:
        """The ions that it is carried by or reads: those that stand in where none is given."""
        names = dict.fromkeys((*self.cls.carries, *self.cls.reads))
        return {species: _stand_in(species) for species in names}

    def env(self, V: Array, C_in: Array | None = None, celsius: float = CELSIUS) -> dict[str, Any]:
        """What surrounds the channel; `C_in` in mM is that of every ion whose concentration it reads."""
        views = {species: ion.view(ion.initial(), celsius) for species, ion in self.ions.items()}
        if C_in is not None:
            views = {s: IonView(s, v.valence, C_in, v._values["C_out"], v._values["E"]) for s, v in views.items()}
        return {"V": V, "celsius": celsius, **views}

    def at(self, celsius: float = CELSIUS) -> Channel:
        return self.channel.at(celsius)

    def curves(self, V: Array) -> dict[str, Array]:
        """Everything that the class computes of V, at 36 degC and resting concentrations."""
        return curves_of(self.at(), self.env(V))

    @functools.cached_property
    def portrait(self) -> Portrait:
        return over_voltage(self.curves)

    @functools.cached_property
    def concentrations(self) -> Portrait:
        """Everything that the class computes of concentrations, at -40 mV."""
        return over_concentration(lambda C: curves_of(self.at(), self.env(jnp.full_like(C, -40.0), C)))

    @property
    def reads_concentrations(self) -> bool:
        return bool(self.cls.reads) or issubclass(self.cls, Permeable)

    def spread(self) -> tuple[Array, Array | None]:
        """Potentials from -120 to 60 mV, and concentrations from 1e-6 to 1 mM to go with them where they are read."""
        V = np.linspace(-120.0, 60.0, SIZE)
        C = np.geomspace(1e-6, 1.0, SIZE)[(np.arange(SIZE) * 389) % SIZE]
        return jnp.asarray(V), jnp.asarray(C) if self.reads_concentrations else None

    def states(self, kind: str, env: dict[str, Any]) -> dict[str, Array]:
        """All gates closed, open or half open; of a kinetic scheme all in its first or last state, or evenly spread."""
        n, share = len(self.cls.occupancies), {"closed": 0.0, "open": 1.0, "half": 0.5}[kind]
        gates = dict.fromkeys(self.cls.gates, share)
        spread = {"closed": [1.0] + [0.0] * (n - 1), "open": [0.0] * (n - 1) + [1.0], "half": [1 / max(n, 1)] * n}[kind]
        gates |= dict(zip(self.cls.occupancies, spread, strict=False)) | dict.fromkeys(self.cls.variables, share)
        return {name: jnp.full_like(env["V"], share) for name, share in gates.items()}


def curves_of(channel: Channel, env: dict[str, Any]) -> dict[str, Array]:
    """Rates, steady states and time constants of all gates and schemes, and the current at rest, by a name for messages.

    Of variables, which have neither, what they start from and how they change below it, each by another share: at rest, and where all are scaled, that may
    be rounding alone.
    """
    states = channel.steady_state(env)
    known, found = {**env, **states}, dict[str, Any]()
    for gate in channel.gates:
        relaxation = channel._gate(gate, known)
        found |= {f"{field} of {gate}": getattr(relaxation, field) for field in relaxation._fields}
        found |= {f"the steady state of {gate}": states[gate], f"tau of {gate}": relaxation.tau}
    if channel.occupancies:
        found |= {f"the rate {a} -> {b}": rate for (a, b), rate in channel._call("transitions", known).items()}
        found |= {f"the steady state of {name}": states[name] for name in channel.occupancies}
    if channel.variables:
        found |= {f"the start of {name}": states[name] for name in channel.variables}
        count = len(channel.variables)
        off = {name: (0.95 - 0.3 * i / count) * states[name] for i, name in enumerate(channel.variables)}
        changes = channel._call("derivatives", {**known, **off})
        found |= {f"the change of {name}": changes[name] for name in channel.variables}
    return found | {"the current": channel.current(states, env)}


class IonSubject(Part):
    """A class of ions."""

    cls: type[Ion]

    @property
    def ion(self) -> Ion:
        return self.built


class SynapseSubject(Part):
    """A class of synapses, or of what a source does with its spikes."""

    cls: type[Contact | Release]


class SolverSubject:
    """A solver, with the order that its manifest states if it has one."""

    def __init__(self, solver: Any, name: str, order: int | None) -> None:
        self.solver, self.name = solver, name
        self.order: int | None = order if order is not None else getattr(solver, "order", None)


class CellSubject:
    """A cell or network that a pack holds as data."""

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, path


def channel_subject(what: str | type[Channel], golden: Iterable[Path] = ()) -> ChannelSubject:
    """The channel that `what` names or is."""
    if isinstance(what, str):
        return ChannelSubject(registry.load(what, "channel"), what, registered=True, golden=golden)
    return ChannelSubject(what, what.__name__, registered=False, golden=golden)


def ion_subject(what: str | type[Ion], golden: Iterable[Path] = ()) -> IonSubject:
    """The ion that `what` names or is."""
    if isinstance(what, str):
        return IonSubject(registry.load(what, "ion"), what, registered=True, golden=golden)
    return IonSubject(what, what.__name__, registered=False, golden=golden)


def synapse_subject(what: str | type[Contact | Release], golden: Iterable[Path] = ()) -> SynapseSubject:
    """The synapse or plasticity that `what` names or is."""
    if isinstance(what, str):
        return SynapseSubject(registry.load(what, "synapse"), what, registered=True, golden=golden)
    return SynapseSubject(what, what.__name__, registered=False, golden=golden)


def solver_subject(what: Any, golden: Iterable[Path] = ()) -> SolverSubject:
    """The solver that `what` names or is."""
    if isinstance(what, str):
        entry = registry.find(what, "solver")
        return SolverSubject(registry.load(what, "solver"), what, entry.table.get("order"))
    return SolverSubject(what, type(what).__name__, None)


def cell_subject(what: str, golden: Iterable[Path] = ()) -> CellSubject:
    """The cell that `what` names."""
    return CellSubject(what, registry.file(what, "cell"))


def network_subject(what: str, golden: Iterable[Path] = ()) -> CellSubject:
    """The network that `what` names."""
    return CellSubject(what, registry.file(what, "network"))


def _stand_in(species: str) -> Ion:
    if species in DEFAULT_IONS:
        return build_ion(DEFAULT_IONS[species])
    return Fixed(species=species, valence=VALENCE.get(species, 1), E="0 mV", C_in="1 mM", C_out="10 mM")


def follows_temperature(channel: Channel) -> list[str]:
    """Parameters whose default is a `Q10`."""
    return [name for name, parameter in type(channel).parameters.items() if isinstance(parameter.default, Q10)]
