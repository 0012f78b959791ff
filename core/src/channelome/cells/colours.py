"""What of a cell is shown in colour: a parameter, a measure, a region, an array; where a part is not, nothing."""

import difflib
from typing import TYPE_CHECKING, Any

import numpy as np
from jax.core import Tracer

from ..errors import ModelError
from ..morphology.pictures import flat, region

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .multi import MultiCompartment

_MEASURES = {"area": "um^2", "diameter": "um", "distance": "um", "length": "um", "volume": "um^3"}
"""Of each compartment, by name."""


def coloured(cell: "MultiCompartment", color: Any, *, neuron: int, label: str, projection: str, ax: Any) -> "Figure":
    """The picture that `MultiCompartment.plot` is."""
    comps = cell.compartments
    if color is None:
        return flat(comps, None, label, projection, ax)
    if not isinstance(color, str):
        return flat(comps, _concrete(color, "color"), label, projection, ax)
    if color in cell.channels or color in cell.ions:
        return region(comps, np.isin(np.arange(len(comps)), cell.numbers(color)), projection, ax)
    found = _found(cell, color, neuron)
    if found is None:
        return region(comps, _mask(cell, color), projection, ax)
    values, unit = found
    return flat(comps, values, label or (color if unit == "1" else f"{color} ({unit})"), projection, ax)


def _found(cell: "MultiCompartment", color: str, neuron: int) -> tuple[np.ndarray, str] | None:
    """The values of a parameter or a measure, of shape (n,), and their unit; None for what is neither."""
    comps = cell.compartments
    if color in _MEASURES:
        return getattr(comps, color), _MEASURES[color]
    label, _, name = color.rpartition(".")
    part: Any = cell if not label else cell.channels.get(label, cell.ions.get(label))
    if part is None or name not in type(part).parameters:
        return None
    value = _concrete(getattr(part, name), f"'{color}'")
    there = cell.numbers(label) if label else np.arange(len(comps))
    each = np.broadcast_to(value, (*cell.size, len(there))).reshape(-1, len(there))
    if not isinstance(neuron, int | np.integer) or not 0 <= neuron < len(each):
        raise ModelError(f"there is no cell {neuron}: flat indices go from 0 to {len(each) - 1}.")
    values = np.full(len(comps), np.nan)
    values[there] = each[neuron]
    return values, type(part).parameters[name].unit.symbol


def _concrete(value: Any, what: str) -> np.ndarray:
    if isinstance(value, Tracer):
        raise ModelError(f"{what} is being traced by JAX: draw outside jit, vmap and grad.")
    if value is None:
        raise ModelError(f"{what} has no value in this cell: there is nothing to draw.")
    try:
        return np.asarray(value, float)
    except (TypeError, ValueError):
        raise ModelError(f"{what} is {value!r}, and no number or array to draw.") from None


def _mask(cell: "MultiCompartment", color: str) -> np.ndarray:
    """The compartments of a region, or an error that tells of parameters too."""
    label, dot, name = color.rpartition(".")
    part: Any = cell.channels.get(label, cell.ions.get(label)) if dot else None
    if part is not None:
        has = list(type(part).parameters)
        close = difflib.get_close_matches(name, has, n=1)
        raise ModelError(
            f"'{label}' ({type(part).__name__}) has no parameter '{name}': "
            + (f"did you mean '{label}.{close[0]}'?" if close else f"it has {', '.join(has)}.")
        )
    try:
        return cell.compartments.mask(color)
    except ModelError as error:
        known = [*type(cell).parameters, *_MEASURES, *cell.channels, *cell.ions]
        raise ModelError(
            f"color={color!r} is no parameter, measure or part of the cell ({', '.join(known)}; 'INa.g_max' of a part), and as a region: {error}"
        ) from error
