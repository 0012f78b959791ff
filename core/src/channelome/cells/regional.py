"""Problems of a cell of many compartments, found when it is built: parts by region, what they need there, arrays that do not fit."""

from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jax.core import Tracer

from ..errors import ModelError
from ..module import Module, Parameter
from .check import check_parts

if TYPE_CHECKING:
    from .multi import MultiCompartment


def check_regions(cell: "MultiCompartment") -> None:
    """Raise `ModelError` for what is wrong with the model, naming the part, the place and the way out."""
    check_parts(cell)
    cell.compartments.index(cell.spikes_at)
    for label, channel in cell.channels.items():
        for species in {*channel.reads, *(() if "E" in type(channel).parameters else channel.carries)}:
            _check_ion(cell, label, species)
    for name, parameter in type(cell).parameters.items():
        wide = len(cell.compartments) if name in ("C", "Ra", "V") else 1
        _check_fit(cell, name, parameter, getattr(cell, name), wide, "the whole cell")
    for species, ion in cell.ions.items():
        ion.in_cylinders(cell.compartments.diameter[cell.numbers(species)])
    parts: list[tuple[str, Module]] = [*cell.channels.items(), *cell.ions.items()]
    for label, part in parts:
        region = dict(cell.regions).get(label)
        where = "the whole cell" if region is None else f"'{region}'"
        for name, parameter in type(part).parameters.items():
            for leaf in jax.tree.leaves(getattr(part, name)):
                _check_fit(cell, f"{label}.{name}", parameter, leaf, len(cell.numbers(label)), where)


def _check_ion(cell: "MultiCompartment", label: str, species: str) -> None:
    missing = np.setdiff1d(cell.numbers(label), cell.numbers(species))
    if missing.size:
        raise ModelError(
            f"the channel '{label}' ({type(cell.channels[label]).__name__}) needs the ion '{species}' wherever it is; "
            f"{cell.compartments.label(int(missing[0]))}{f' and {missing.size - 1} more' if missing.size > 1 else ''} lack it, which is on "
            f"'{dict(cell.regions)[species]}': give the ion on a wider region, or the channel on a smaller one."
        )


def _check_fit(cell: "MultiCompartment", where: str, parameter: Parameter, value: Any, wide: int, region: str) -> None:
    shape, full = np.shape(value), (*cell.size, wide)
    try:
        fits = np.broadcast_shapes(shape, full) == full
    except ValueError:
        fits = False
    if shape and not fits:
        by_cell = f", or of shape {(*cell.size, 1)} by cell" if cell.size else ""
        one = "" if region == "the whole cell" else f" for the one compartment of {region}"
        along = f", an array over the {wide} compartments of {region}" if wide > 1 else one
        raise ModelError(f"{where} has the shape {shape}: give one number{along}{by_cell}.")
    if value is None or isinstance(value, Tracer):
        return
    if not np.all(np.isfinite(value)):
        raise ModelError(f"{where} must be finite, got {value!r}.")
    if parameter.bound is not None:
        parameter.bound.check(value, where, parameter.unit)
