"""Problems of a model, found when it is built, in Python, before anything is traced."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jax.core import Tracer

from ..errors import ModelError
from ..mechanisms.channels import Permeable
from ..mechanisms.ions import Ion
from ..mechanisms.shells import Shells
from ..module import Q10, Module, Parameter

if TYPE_CHECKING:
    from .single import SingleCompartment

_TAKEN = {"V", "spikes", "t", "celsius", "clamp"}


def check_cell(cell: "SingleCompartment") -> None:
    """Raise `ModelError` for what is wrong with the model, naming the part and the way out."""
    check_parts(cell)
    for species, ion in cell.ions.items():
        if "diameter" in type(ion).parameters:
            _check_diameter(species, ion)
        elif getattr(ion, "D", None) is not None:
            raise ModelError(
                f"the ion '{species}' ({type(ion).__name__}) is given a diffusion coefficient D, and a point neuron has no compartments to "
                f"diffuse between: leave D out, or build a MultiCompartment."
            )
    for where, parameter, value in _values(cell):
        _check_shape(where, parameter, value, cell.size)


def _check_diameter(species: str, ion: Any) -> None:
    where = f"the ion '{species}' ({type(ion).__name__})"
    if ion.diameter is None:
        raise ModelError(
            f"{where} depends on the diameter, and a point neuron has none: give it one, diameter='10 um', the cylinder's that it stands for."
        )
    if isinstance(ion, Shells):
        ion.check_room(where)


def _somewhere(ion: Ion) -> Ion:
    """The ion where it has a diameter, if what it starts from depends on one."""
    if isinstance(ion, Shells) or getattr(ion, "diameter", 0) is not None:
        return ion
    return ion.in_cylinders(1.0)


def check_parts(cell: Any) -> None:
    """Raise `ModelError` for parts that do not fit one another, whatever the kind of cell."""
    for label, channel in cell.channels.items():
        if not label.isidentifier() or label in _TAKEN or label in cell.ions or label in type(cell).parameters:
            taken = sorted({*_TAKEN, *cell.ions, *type(cell).parameters})
            raise ModelError(f"'{label}' cannot be a channel's label: it must be a name other than {', '.join(taken)}.")
        own_E = "E" in type(channel).parameters
        for species in (*channel.reads, *(() if own_E else channel.carries)):
            if species not in cell.ions:
                _lacks_ion(label, channel, species)
        if isinstance(channel, Permeable):
            ion = cell.ions[channel.ion or ""]
            _needs_concentrations(label, channel, ion)
            _positive(ion, f"the GHK current of the channel '{label}' ({type(channel).__name__})")
    for species, ion in cell.ions.items():
        at = _somewhere(ion)
        still = at.diffusing(1.0).keys() - at.initial().keys()
        if still:
            raise ModelError(
                f"the ion '{species}' ({type(ion).__name__}) is given a diffusion coefficient D, and has no {min(still)} that changes: take a "
                f"pool, or leave D out."
            )
        if ion.needs_celsius:
            _positive(ion, "its Nernst potential")
    if cell.celsius is None:
        _needs_temperature(cell)


def _lacks_ion(label: str, channel: Any, species: str) -> None:
    verb = "reads" if species in channel.reads else "is carried by"
    known = {"na": "'SodiumFixed'", "k": "'PotassiumFixed'", "ca": "'CalciumFixed' or 'CalciumDetailed'"}
    remedy = f"ion({known[species]})" if species in known else f"ion('Fixed', species='{species}', E=...)"
    raise ModelError(
        f"the channel '{label}' ({type(channel).__name__}) {verb} the ion '{species}', which the cell lacks: add {remedy}."
    )


def _needs_concentrations(label: str, channel: Permeable, ion: Ion) -> None:
    kept = _somewhere(ion).initial()
    missing = [name for name in ("C_in", "C_out") if getattr(ion, name, None) is None and name not in kept]
    if missing:
        raise ModelError(
            f"the channel '{label}' ({type(channel).__name__}) needs the concentrations of the ion '{ion.species}', which was "
            f"built without {' and '.join(missing)}: give {', '.join(f'{name}=...' for name in missing)}."
        )


def _positive(ion: Ion, why: str) -> None:
    """Refuse concentrations of 0 or below, of which there is no logarithm."""
    for name in ("C_in", "C_out", "C_rest"):
        value = getattr(ion, name, None)
        if value is not None and not isinstance(value, Tracer) and not np.all(np.asarray(value) > 0):
            raise ModelError(
                f"{name} of the ion '{ion.species}' ({type(ion).__name__}) must be more than 0 mM for {why}, got "
                f"{np.min(np.asarray(value)):g} mM: where there is next to none, give what is left, such as '1e-6 mM'."
            )


def _needs_temperature(cell: Any) -> None:
    needing: list[str] = []
    for label, channel in cell.channels.items():
        follows = any(isinstance(getattr(channel, name), Q10) for name in type(channel).parameters)
        if follows or channel.asks_celsius:
            at = channel.measured_at
            needing.append(
                f"'{label}' ({type(channel).__name__}{f', measured at {at:g} degC' if at is not None else ''})"
            )
    needing += [
        f"the ion '{s}' ({type(i).__name__}, for its Nernst potential)" for s, i in cell.ions.items() if i.needs_celsius
    ]
    if needing:
        raise ModelError(f"the cell needs a temperature, celsius=..., for {', '.join(needing)}.")


def _values(cell: "SingleCompartment") -> Iterator[tuple[str, Parameter, Any]]:
    parts: list[tuple[str, Module]] = [("", cell), *cell.channels.items(), *cell.ions.items()]  # pyright: ignore
    for label, part in parts:
        for name, parameter in type(part).parameters.items():
            for leaf in jax.tree.leaves(getattr(part, name)):
                yield f"{label}.{name}" if label else name, parameter, leaf


def _check_shape(where: str, parameter: Parameter, value: Any, size: tuple[int, ...]) -> None:
    shape = np.shape(value)
    if shape not in ((), size):
        raise ModelError(
            f"{where} has the shape {shape}, but the population has {size}: give one number, or an array of shape {size}."
        )
    if isinstance(value, Tracer):
        return
    if not np.all(np.isfinite(value)):
        raise ModelError(f"{where} must be finite, got {value!r}.")
    if parameter.bound is not None:
        parameter.bound.check(value, where, parameter.unit)
