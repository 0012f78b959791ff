"""Paths that one walk serves: to look for spikes and to begin a loop is then done once in a step, not for each kind of synapse.

Excitation and inhibition of a population are two paths, since what tells them apart are numbers, which are cheaper than arrays
of them. Where both deliver at once, and no synapse has a weight of its own, their synapses lie in the same rows: the places of
one path come after those of the other, as if they were lanes of one.
"""

from typing import Any

import numpy as np

from .layout import Bundle, Layout
from .plan import Abreast, Parts, Path, Plan
from .rings import sends_ones
from .wires import rows_for

MOST = 1 << 21
"""Synapses up to which it pays: beyond, a step takes so long that the walks' beginnings do not show, and rows take as long to merge as to build."""


def abreast_of(layout: Layout, plan: Plan, parts: Parts) -> tuple[Abreast, ...]:
    """The paths of a plan that walks can share."""
    groups: dict[Any, list[Path]] = {}
    for path in plan.paths:
        if path.delay == 0 and path.uniform and not path.nodes and sends_ones(parts, path):
            groups.setdefault((path.pre, path.post), []).append(path)
    shared = (paths for paths in groups.values() if len(paths) > 1 and _synapses(layout, paths) <= MOST)
    return tuple(_as_one(paths) for paths in shared)


def _synapses(layout: Layout, paths: list[Path]) -> int:
    members = (member for path in paths for member in layout.bundles[path.label].members)
    return sum(member.pathway.wiring.edges.n for member in members)


def _as_one(paths: list[Path]) -> Abreast:
    labels, lanes = tuple(path.label for path in paths), tuple(path.lanes for path in paths)
    counts = "" if any(not path.counts for path in paths) else str(np.result_type(*(path.counts for path in paths)))
    return Abreast(paths[0]._replace(label="+".join(labels), lanes=sum(lanes), first=0, counts=counts), labels, lanes)


def rows_abreast(layout: Layout, abreast: Abreast, dtype: Any) -> Any:
    """The synapses of all its paths, in the order of their sources."""
    members, before = [], 0
    for label, lanes in zip(abreast.labels, abreast.lanes, strict=True):
        members += [member._replace(lane=member.lane + before) for member in layout.bundles[label].members]
        before += lanes
    first = layout.bundles[abreast.labels[0]]
    bundle = Bundle(tuple(members), abreast.path.lanes, first.pre, first.post, first.several)
    return rows_for(layout, abreast.path, bundle, dtype, lanes=False)
