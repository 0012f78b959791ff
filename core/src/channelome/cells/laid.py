"""From a cell as it is written to a cell as it runs: arrays by compartment become arrays by node of the tree."""

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from ..morphology.compartments import OHM_CM_PER_UM
from .cable import NA_PER_UM2, Cable, Everywhere, Slice, Some, Where
from .paths import paths
from .rounds import rounds_of
from .strips import strips_of
from .tree import Links

if TYPE_CHECKING:
    from .multi import MultiCompartment


def laid_out(cell: "MultiCompartment") -> Cable:
    """The cell in the order of its tree."""
    comps, tree = cell.compartments, cell.compartments.tree
    n = len(comps)
    whole = np.where(tree.node < n, tree.node, comps.parent[tree.node])  # a junction is as its parent
    parent = np.maximum(tree.parent, 0).astype(np.int32)
    bare = (len(tree), *(1,) * len(cell.size))
    area = tree.area.reshape(bare)
    resistivity = _rows(cell.Ra, whole, cell.size)
    above = resistivity if np.shape(resistivity)[:1] in ((), (1,)) else resistivity[parent]
    resistance = OHM_CM_PER_UM * (resistivity * tree.near.reshape(bare) + above * tree.far.reshape(bare))
    tables: dict[str, Any] = {"spikes": np.int32(tree.position[comps.index(cell.spikes_at)])}
    where, parts, diffusion = {}, {}, {}
    for label, part in (*cell.ions.items(), *cell.channels.items()):
        where[label], order = _where(cell, label, whole, tables)
        parts[label] = jax.tree.map(lambda x, order=order: _rows(x, order, cell.size), part)
        if label in cell.ions:
            diameter = comps.diameter[cell.numbers(label)[order]].reshape(-1, *bare[1:])
            parts[label] = parts[label].in_cylinders(diameter)
            moves = parts[label].diffusing(diameter)
            diffusion |= {label: paths(comps, nodes_of(cell, label), moves, bare)} if moves else {}
    return Cable(
        channels={label: parts[label] for label in cell.channels},
        ions={species: parts[species] for species in cell.ions},
        celsius=_rows(cell.celsius, whole, cell.size),
        V=_rows(cell.V, whole, cell.size),
        V_th=cell.V_th if np.ndim(cell.V_th) == 0 else cell.V_th.reshape(cell.size),
        area=area,
        capacity=_rows(cell.C, whole, cell.size) * area * NA_PER_UM2,
        links=_links(parent, resistance, several=bool(cell.size)),
        tables=tables,
        diffusion=diffusion,
        size=cell.size,
        where=tuple(where.items()),
    )


def _rows(value: Any, order: np.ndarray, size: tuple[int, ...]) -> Any:
    """A parameter with the axis of compartments first, in the order of the tree; a number stays one."""
    shape = np.shape(value)
    if not shape:
        return value
    of: Any = jnp if isinstance(value, jax.Array) else np
    rows = of.moveaxis(of.reshape(value, (*(1,) * (1 + len(size) - len(shape)), *shape)), -1, 0)
    return rows if shape[-1] == 1 and len(order) != 1 else rows[order]


def _where(cell: "MultiCompartment", label: str, whole: np.ndarray, tables: dict[str, Any]) -> tuple[Where, np.ndarray]:
    """Where a part is in the tree, and of each of its nodes which of the part's compartments it is."""
    region = dict(cell.regions).get(label)
    if region is None:
        return Everywhere(), whole
    comps, tree = cell.compartments, cell.compartments.tree
    numbers = comps.numbers(region)
    nodes = nodes_of(cell, label)
    return standing_at(nodes, len(tree), tables), np.searchsorted(numbers, tree.node[nodes])


def standing_at(nodes: np.ndarray, count: int, tables: dict[str, Any]) -> Where:
    """Where a part is that is at these nodes, in order, of so many; a table of theirs, if it needs one, is put among `tables`."""
    if len(nodes) == count:
        return Everywhere()
    if nodes[-1] - nodes[0] + 1 == len(nodes):
        return Slice(int(nodes[0]), int(nodes[-1]) + 1)
    for name, known in tables.items():
        if np.array_equal(known, nodes):
            return Some(name)
    name = f"region {len(tables)}"
    tables[name] = nodes.astype(np.int32)
    return Some(name)


def nodes_of(cell: "MultiCompartment", label: str) -> np.ndarray:
    """Shape (k,), int: the nodes where a part is, in the order of the tree; of one that is everywhere the junctions too."""
    tree = cell.compartments.tree
    if label not in dict(cell.regions):
        return np.arange(len(tree), dtype=np.int32)
    return np.sort(tree.position[cell.numbers(label)]).astype(np.int32)


def _links(parent: np.ndarray, resistance: Any, *, several: bool) -> Links:
    """As `Links.of`, in NumPy where the resistance is known; with rounds or, for one cell, strips where a sweep from node to node would be slow."""
    on_cpu = jax.default_backend() == "cpu"
    rounds, strips = None if on_cpu else rounds_of(parent), strips_of(parent) if on_cpu and not several else None
    if isinstance(resistance, jax.Array):
        return Links.of(jnp.asarray(parent), 1 / resistance.at[0].set(1.0), rounds, strips)  # the root's leads nowhere
    g = 1 / np.where(resistance > 0, resistance, np.inf)
    g[0] = 0
    total = g.copy()
    np.add.at(total, parent, g)
    return Links(parent, g, total, rounds, strips)  # pyright: ignore[reportArgumentType]
