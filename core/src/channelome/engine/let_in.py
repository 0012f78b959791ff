"""What synapses let into the cells that they are on: into points, and into nodes of a tree."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..mechanisms.transmission import TO_DENSITY
from .plan import Path


def let_in(path: Path, synapse: Any, state: Any, V: Array, cell: Any) -> Array:
    """The current density through the synapses of a path, inward positive, summed over its lanes."""
    if path.nodes:
        return _at_nodes(path, synapse, state, V, cell)
    at = V if path.lanes == 1 else V.reshape(1, -1)
    amount = synapse.conductance(state, at)
    density = TO_DENSITY[path.unit] / cell.area if path.unit in TO_DENSITY else None
    if density is not None and jnp.ndim(density) == 0:
        amount, density = amount * density, None  # at once, since it is the slope by V as well
    if path.unit in ("nS", "mS/cm^2"):
        amount = amount * (synapse.E - at)
    if path.lanes > 1:
        amount = jnp.sum(amount, axis=0).reshape(V.shape)
    return amount if density is None else amount * density


def _at_nodes(path: Path, synapse: Any, state: Any, V: Array, cell: Any) -> Array:
    """The same of synapses on cells of compartments, each at its node."""
    nodes = np.asarray(path.nodes, np.int32)
    there = V[nodes]
    at = there.reshape(path.size) if path.lanes == 1 else there.reshape(path.lanes, -1)
    amount = synapse.conductance(state, at)
    if path.unit in ("nS", "mS/cm^2"):
        amount = amount * (synapse.E - at)
    amount = amount.reshape(there.shape)
    if path.unit in TO_DENSITY:
        amount = amount * (TO_DENSITY[path.unit] / cell.area[nodes])
    return jnp.zeros_like(V).at[nodes].add(amount, mode="promise_in_bounds")
