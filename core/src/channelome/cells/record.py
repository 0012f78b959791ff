"""What a run records, by name: ``"V"``, ``"INa.m"``, ``"INa.current"``, ``"ca.C_in"``, ``"ca.E"``, ``"spikes"``."""

import difflib
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from ..errors import UnknownName
from ..mechanisms.general_ions import GeneralIon
from ..state import State

_ION_UNITS = {"C_in": "mM", "C_out": "mM", "E": "mV"}


class Probe(NamedTuple):
    """One thing to record: its name as given, its unit, and where it is found."""

    name: str
    unit: str
    part: str
    field: str

    def read(self, cell: Any, state: State) -> Array:
        """Its value in `state`, an array of the shape of V."""
        if self.part == "":
            return state.V
        if self.field == "current":
            return cell.currents(state)[self.part]
        if self.part in cell.channels:
            return state.channels[self.part][self.field]
        if self.field in state.ions[self.part]:
            return state.ions[self.part][self.field]
        return jnp.broadcast_to(getattr(cell.views(state)[self.part], self.field), state.V.shape)


def probes(cell: Any, names: Sequence[str]) -> tuple[Probe, ...]:
    """The probes that `names` ask for, ``"spikes"`` left out.

    Raises:
        UnknownName: for a name that the cell has not, with those that it has.
    """
    known = {probe.name: probe for probe in _all(cell)}
    for name in names:
        if name not in known and name != "spikes":
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean '{close[0]}'?" if close else f"It has {', '.join([*known, 'spikes'])}."
            raise UnknownName(f"nothing named '{name}' can be recorded from this cell. {hint}")
    return tuple(known[name] for name in dict.fromkeys(names) if name != "spikes")


def _all(cell: Any) -> list[Probe]:
    found = [Probe("V", "mV", "", "V")]
    for label, channel in cell.channels.items():
        found += [
            Probe(f"{label}.{gate}", "1", label, gate)
            for gate in (*channel.gates, *channel.occupancies, *channel.variables)
        ]
        found.append(Probe(f"{label}.current", "uA/cm^2", label, "current"))
    for species, ion in cell.ions.items():
        found += [Probe(f"{species}.{field}", unit, species, field) for field, unit in _ION_UNITS.items()]
        own = ion.variables if isinstance(ion, GeneralIon) else ()
        found += [Probe(f"{species}.{name}", "1", species, name) for name in own if name not in _ION_UNITS]
    return found
