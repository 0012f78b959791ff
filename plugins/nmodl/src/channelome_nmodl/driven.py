# pyright: basic
# (formulas are evaluated in NumPy and JAX alike)
"""A channel and the ions that its file keeps beside the same file in NEURON, while a current of one of them flows in at a held voltage."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from channelome.mechanisms.channels import Channel
from channelome.mechanisms.ions import Ion

from . import accumulated, clamped
from .accumulated import TIMES, drives, place_under, valence_of
from .clamped import built, given
from .motion import CELSIUS, Followed, Motion
from .oracle import Comparison
from .plan import Plan
from .seen import Seen

HOLD = -65.0
"""mV, at which NEURON begins in `worker.py`."""


def job_of(channel: Plan, ion: Plan, library: str, mechanism: str, names: Sequence[Seen]) -> dict[str, Any]:
    """What NEURON is asked.

    Args:
        ion: that which the current is of.
        names: what is seen of all that the file keeps.
    """
    asked = accumulated.job_of(ion, library, mechanism, names)
    fixed = bool(channel.meaning.steps) or asked["way"] == "extrapolated"
    return asked | {
        "way": "extrapolated" if fixed else "variable", "ions": clamped.around(channel), "carries": clamped.carries(channel, mechanism),
        "parameters": clamped.parameters(ion) | clamped.parameters(channel),
    }  # fmt: skip


def judged(
    cls: type[Channel],
    plan: Plan,
    pools: tuple[type[Ion], ...],
    ion: Plan,
    names: Sequence[Seen],
    answer: Mapping[str, Any],
) -> list[Comparison]:
    """What the file keeps beside NEURON's, and the currents if there are any.

    Args:
        pools: the ions that the file keeps.
        ion: the one which the current is of.
        names: what of them and of the states is seen.
    """
    currents, species, version = drives(valence_of(ion)), ion.meaning.species, str(answer["version"])
    with jax.enable_x64(True):
        channel = built(cls, plan).at(CELSIUS)
        ours = followed(channel, tuple(given(pool) for pool in pools), species, currents, names)
    found = [accumulated.since_start(names, ours.kept, np.asarray(answer["rows"]), currents, version)]
    theirs = np.asarray(answer["carried"])
    if f"i{species}" in clamped.carries(plan, ""):  # NEURON has but the sum with what flows in
        theirs = theirs - np.asarray(currents)[:, None]
    pairs = [(ours.currents[:, 1:], theirs[:, 1:], place_under(currents))]
    if clamped.is_carried(pairs):
        begun = float(np.max(np.abs(ours.currents - theirs)[:, 0]))
        found.append(clamped.beside(pairs, begun, version))
    return found


def followed(
    channel: Channel, pools: tuple[Ion, ...], species: str, currents: Sequence[float], names: Sequence[Seen]
) -> Followed:
    """Ours at the start and at the times of `accumulated`, a sweep for each current."""
    motion = Motion(channel, pools, len(currents), names, {species: jnp.asarray(currents)})
    V = jnp.full(len(currents), HOLD)
    return motion.after(V, [(V, TIMES)], with_start=True)
