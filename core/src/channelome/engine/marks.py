"""What a state of a network was made with: numbers for each projection, with others of which its state would mean something else."""

import zlib
from typing import Any

import numpy as np
from jax import Array
from jax.core import Tracer

from ..mechanisms.transmission import Followed
from ..networks.wiring import Wiring
from .layout import Layout, Member
from .wires import summable

Marks = dict[str, dict[str, np.ndarray | Array]]


def marks_of(layout: Layout, dtype: Any) -> Marks:
    """In the precision of a run, by projection its ``unit``; ``delays`` where it has any; of receptors that are followed ``edges``, and ``weight`` or, where these are
    no one number, ``weights``."""
    members = [member for bundle in layout.bundles.values() for member in bundle.members]
    return {member.label: _unit(member) | _delays(layout, member) | _of_receptors(member, dtype) for member in members}


def _unit(member: Member) -> dict[str, Any]:
    return {"unit": np.asarray(zlib.crc32(member.pathway.unit.symbol.encode()), np.uint32)}


def _delays(layout: Layout, member: Member) -> dict[str, Any]:
    """Spikes under way are found again from when they were sent, and so arrive as they should with the same delays alone."""
    if not member.longest:
        return {}
    wiring, key = member.pathway.wiring, ("delays", layout.dt)
    if key not in wiring.kept:
        steps = np.asarray(wiring.delay_steps(layout.dt, member.label), np.int32)
        number = zlib.crc32(np.asarray([layout.dt, member.longest], float).tobytes())
        if np.any(steps != member.longest):
            number = zlib.crc32(steps.data, _of_edges(wiring, number))
        wiring.kept[key] = np.asarray(number, np.uint32)
    return {"delays": wiring.kept[key]}


def _of_edges(wiring: Wiring, number: int = 0) -> int:
    for part in (np.asarray([wiring.pre_first, *wiring.edges.counts], np.int64), wiring.edges.targets):
        number = zlib.crc32(np.ascontiguousarray(part).data, number)
    return number


def _of_receptors(member: Member, dtype: Any) -> dict[str, Any]:
    """What pulses of transmitter have added is taken away as they end, along the synapses and with the weights of then."""
    synapse, wiring, given = member.pathway.synapse, member.pathway.wiring, member.pathway.weight
    if not isinstance(synapse, Followed) or synapse.graded:
        return {}
    if "edges" not in wiring.kept:
        wiring.kept["edges"] = np.asarray(_of_edges(wiring), np.uint32)
    edges = {"edges": wiring.kept["edges"]}
    if isinstance(given, Tracer):
        return edges if given.ndim else edges | {"weight": given.astype(dtype)}
    key = "marked", str(dtype)
    if wiring.kept.get(key, (None,))[0] is not given:
        wiring.kept[key] = given, _of_weights(np.asarray(summable(member.pathway, dtype), dtype))
    return edges | wiring.kept[key][1]


def _of_weights(weight: np.ndarray) -> dict[str, Any]:
    if weight.size and np.all(weight == weight.flat[0]):
        return {"weight": np.asarray(weight.flat[0])}
    return {"weights": np.asarray(zlib.crc32(np.ascontiguousarray(weight).data), np.uint32)}
