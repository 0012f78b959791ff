"""Extracellular potentials of a reconstructed cell: from V to membrane currents, and from these to a potential in the tissue, by LFPykit."""

from typing import Any, Literal

import jax
import numpy as np
from jax.core import Tracer

from ..cells import MultiCompartment
from ..errors import ModelError
from ..morphology import Compartments
from ..results import Traces
from ..units import Unit, convert

_UM, _SIEMENS = Unit.parse("um"), Unit.parse("S/m")


def membrane_currents(cell: MultiCompartment, V: Any) -> np.ndarray:
    """The current that leaves each compartment through its membrane, channels, capacity and electrodes together: what flows in along
    the branches.

    Args:
        cell: whose axial resistances count.
        V: shape (samples, *size, n), mV: of all compartments.

    Returns:
        Of the shape of V, nA, outward positive. Over the cell they sum to zero.

    Raises:
        ModelError: for another shape, or under a JAX transformation.
    """
    if not isinstance(cell, MultiCompartment):
        raise ModelError(
            f"membrane currents flow out of the compartments of a MultiCompartment; a {type(cell).__name__} has none."
        )
    comps = cell.compartments
    if any(isinstance(x, Tracer) for x in (V, cell.Ra)):
        raise ModelError("membrane_currents() is NumPy: call it outside jit, vmap and grad.")
    values = np.asarray(V, float)
    if values.shape[1:] != (*cell.size, len(comps)):
        raise ModelError(
            f"V has the shape {values.shape}, and (samples, {', '.join(map(str, (*cell.size, len(comps))))}) is needed: record 'V', of all "
            f"compartments."
        )
    each = values.reshape(len(values), -1, len(comps))
    resistivity = np.broadcast_to(np.asarray(cell.Ra, float), (*cell.size, len(comps))).reshape(-1, len(comps))
    found = [_inflow(comps, each[:, i], row) for i, row in enumerate(resistivity)]
    return np.stack(found, axis=1).reshape(values.shape)


def _inflow(comps: Compartments, V: np.ndarray, resistivity: np.ndarray) -> np.ndarray:
    """Of one cell, shape (samples, n): what flows into each compartment from its neighbours; junctions have the V at which nothing stays."""
    n, parent = len(comps), comps.parent
    child = np.arange(1, len(parent))
    above, g = parent[child], 1 / comps.axial_resistance(resistivity)[child]  # uS
    weighted, total = np.zeros((len(parent), len(V))), np.zeros(len(parent))
    whole = np.zeros((len(parent), len(V)))
    whole[:n] = V.T
    for a, b in ((child, above), (above, child)):
        np.add.at(weighted, a, g[:, None] * whole[b])
        np.add.at(total, a, g)
    whole[n:] = weighted[n:] / total[n:, None]  # neighbours of a junction are compartments
    along = g[:, None] * (whole[above] - whole[child])
    inflow = np.zeros_like(whole)
    np.add.at(inflow, child, along)
    np.add.at(inflow, above, -along)
    return inflow[:n].T


def extracellular(
    cell: MultiCompartment,
    traces: Traces,
    *,
    positions: Any,
    sigma: Any = "0.3 S/m",
    source: Literal["line", "point"] = "line",
) -> np.ndarray:
    """The potential in the tissue around a cell, against that far away; the tissue is infinite, uniform and ohmic.

    Args:
        cell: what was run.
        traces: with the record ``"V"`` of all compartments.
        positions: of the electrodes, shape (p, 3) with a unit of length, ``([[50, 0, 0]], "um")``, in the coordinates of the morphology.
        sigma: conductivity of the tissue, with a unit; 0.3 S/m is our choice, of the order of what is measured in cortex.
        source: each compartment's current leaves along a straight line between its ends, or at the middle of that line. Nearer to its axis than its radius,
            an electrode sees what it would see at the radius.

    Returns:
        Shape (samples, *size, p), mV: each cell alone.

    Raises:
        ModelError: without that record, for positions of another shape, an unknown source.
        UnitError: for a missing or wrong unit.
        ImportError: without LFPykit; names the extra.

    Source:
        Holt and Koch (1999), J Comput Neurosci 6:169, doi:10.1023/A:1008832702585; LFPykit.
    """
    try:
        import lfpykit
    except ImportError as error:
        raise ImportError('extracellular() needs LFPykit: pip install "channelome[lfp]"') from error
    kinds = {"line": lfpykit.LineSourcePotential, "point": lfpykit.PointSourcePotential}
    if source not in kinds:
        raise ModelError(f"source={source!r} is none: 'line' or 'point'.")
    where = np.asarray(convert(positions, _UM, "positions"), float)
    if where.ndim != 2 or where.shape[1] != 3 or not np.isfinite(where).all():
        raise ModelError(
            f"positions are of shape (p, 3), x, y and z of each electrode, and finite; these have the shape {where.shape}."
        )
    conductivity = convert(sigma, _SIEMENS, "sigma")
    if np.ndim(conductivity) or not (np.isfinite(conductivity) and conductivity > 0):
        raise ModelError(f"sigma must be positive, got {sigma!r}: one number, such as '0.3 S/m'.")
    currents = membrane_currents(cell, jax.device_get(traces["V"]))
    begin, end = _ends(cell.compartments)
    geometry = lfpykit.CellGeometry(
        **{axis: np.column_stack([begin[:, k], end[:, k]]) for k, axis in enumerate("xyz")},
        d=cell.compartments.diameter,
    )
    probe = kinds[source](cell=geometry, x=where[:, 0], y=where[:, 1], z=where[:, 2], sigma=conductivity)
    return currents @ np.asarray(probe.get_transformation_matrix()).T


def _ends(comps: Compartments) -> tuple[np.ndarray, np.ndarray]:
    """Where compartments begin and end, each of shape (n, 3), um."""
    count = np.diff(comps.first)[comps.branch]
    at = comps.anatomy.frusta.at
    half = 0.5 / count
    return at(comps.branch, (comps.x - half).clip(0, 1)).xyz, at(comps.branch, (comps.x + half).clip(0, 1)).xyz
