"""What a run records, by name: ``"V"``, ``"INa.m"``, ``"INa.current"``, ``"ca.C_in"``, ``"ca.E"``, ``"spikes"``."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..errors import ModelError, UnknownName
from ..morphology import Compartments
from ..state import State

_ION_UNITS = {"C_in": "mM", "C_out": "mM", "E": "mV"}


class Probe(NamedTuple):
    """One thing to record: its name as given, its unit, and where it is found.

    Attributes:
        rows: of a cell of many compartments, the nodes that are asked for among those where the part is; None for points.
        several: whether the values have an axis over them.
        trees: of cells that stand in a forest, how many rows each of these has there.
    """

    name: str
    unit: str
    part: str
    field: str
    rows: tuple[int, ...] | None = None
    several: bool = False
    trees: int = 0

    def read(self, cell: Any, state: State) -> Array:
        """Its value in `state`: of the shape of the population, with a last axis over places where they are several."""
        if self.part == "":
            return self.of(state.V)
        if self.field == "current":
            return self.of(cell.currents(state)[self.part])
        if self.part in cell.channels:
            return self.of(state.channels[self.part][self.field])
        if self.field in state.ions[self.part]:
            return self.of(state.ions[self.part][self.field])
        seen = getattr(cell.views(state)[self.part], self.field)
        return self.of(jnp.broadcast_to(seen, cell.within(self.part, state.V).shape))

    def of(self, x: Array) -> Array:
        """Of an array over where the part is what was asked for."""
        if self.rows is None:
            return x
        if self.trees:
            each = x[np.asarray(self.rows, np.int32)].reshape(len(self.rows) // self.trees, -1)
            return jnp.moveaxis(each, 0, -1) if self.several else each[0]
        return jnp.moveaxis(x[np.asarray(self.rows, np.int32)], 0, -1) if self.several else x[self.rows[0]]

    def shape(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """Of its values in a population of this shape."""
        return (*size, len(self.rows)) if self.rows is not None and self.several else size


def probes(cell: Any, names: Sequence[str]) -> tuple[Probe, ...]:
    """The probes that `names` ask for, ``"spikes"`` left out.

    Raises:
        UnknownName: for a name that the cell has not, with those that it has.
        ModelError: for a place that is none, or where the part is not.
    """
    known = {probe.name: probe for probe in _all(cell)}
    find = _find if cell.pointwise else _find_in_places
    return tuple(find(cell, name, known) for name in dict.fromkeys(names) if name != "spikes")


def _find(cell: Any, name: str, known: Mapping[str, Probe]) -> Probe:
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean '{close[0]}'?" if close else f"It has {', '.join([*known, 'spikes'])}."
        raise UnknownName(f"nothing named '{name}' can be recorded from this cell. {hint}")
    return known[name]


def _find_in_places(cell: Any, name: str, known: Mapping[str, Probe]) -> Probe:
    """Of ``"soma.V"``, ``"apical[3](0.5).INa.m"`` the probe in its place, of ``"apical.V"`` in all compartments of the region; without
    either, in all where it is."""
    ends = [end for end in known if name == end or name.removesuffix(f".{end}") not in ("", name)]
    if not ends:
        hint = _meant(cell, name, known)
        raise UnknownName(
            f"nothing named '{name}' can be recorded from this cell: a name is a place and what is asked of it, 'soma.V'. {hint}"
        )
    end = max(ends, key=len)
    probe, compartments = known[end], cell.compartments
    place = name[: -len(end)].removesuffix(".")
    there = cell.numbers(probe.part) if probe.part else np.arange(len(compartments))
    asked, whole = _asked(compartments, name, place) if place else (there, True)
    missing = np.setdiff1d(asked, there)
    if missing.size:
        raise _missing(cell, name, place if whole else "", end, probe.part, missing)
    position = compartments.tree.position
    rows = position[asked]
    if probe.part in dict(cell.regions):
        rows = np.searchsorted(np.sort(position[there]), rows)
    return probe._replace(name=name, rows=tuple(rows.tolist()), several=whole or len(asked) > 1)


def _meant(cell: Any, name: str, known: Mapping[str, Probe]) -> str:
    """What may have been meant by a name that asks for nothing that the cell has."""
    last, pair = name.rpartition(".")[2].strip(), ".".join(name.rsplit(".", 2)[-2:])
    if last == "spikes":
        return f"Spikes are detected at '{cell.spikes_at}', which spikes_at= of the cell says: record 'spikes'."
    own = [one for one in known if one.startswith(f"{last}.")]
    if own:
        return f"Of {last} there are {', '.join(own)}."
    close = next((x for x in known if x.casefold() in (pair.casefold(), last.casefold())), None) or next(
        iter(difflib.get_close_matches(pair, known, n=1) or difflib.get_close_matches(last, known, n=1)), None
    )
    return f"Did you mean '...{close}'?" if close else f"It has {', '.join([*known, 'spikes'])}."


def _asked(compartments: Compartments, name: str, place: str) -> tuple[np.ndarray, bool]:
    try:
        return compartments.asked(place)
    except ModelError as error:
        raise ModelError(f"cannot record '{name}': {error}") from None


def _missing(cell: Any, name: str, region: str, end: str, part: str, missing: np.ndarray) -> ModelError:
    own = dict(cell.regions)[part]
    others = f" and {missing.size - 1} more" if missing.size > 1 else ""
    way_out = f": record '({region}) & ({own}).{end}', or '{end}' of all places where it is" if region else ""
    label = cell.compartments.label(int(missing[0]))
    return ModelError(f"cannot record '{name}': '{part}' is not in {label}{others}, but on '{own}'{way_out}.")


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
        found += [Probe(f"{species}.{name}", unit, species, state) for name, (state, unit) in ion.named().items()]
    return found
