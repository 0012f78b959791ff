# pyright: basic
# (formulas are evaluated in NumPy and JAX alike)
"""An imported synapse beside the same file in NEURON: its current after a train of spikes, at several voltages."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from channelome.errors import ModelError

from .clamped import built, parameters
from .motion import CELSIUS
from .oracle import Comparison
from .plan import Plan

SPIKES, TIMES = (1.0, 4.0, 16.0, 20.0, 130.0), (1.5, 3.0, 5.0, 10.0, 18.0, 40.0, 100.0, 135.0, 200.0)
"""When spikes arrive, and when the current is looked at, in ms."""
VOLTAGES, WEIGHT = (-81.3, -31.7, 12.1), 1.3e-3
"""mV; in the unit of NEURON's weight, uS where its file says no other."""


def job_of(plan: Plan, library: str, mechanism: str) -> dict[str, Any]:
    """What NEURON is asked."""
    return {
        "kind": "synapse", "library": library, "mechanism": mechanism, "celsius": CELSIUS, "spikes": SPIKES, "times": TIMES,
        "voltages": VOLTAGES, "weight": WEIGHT, "currents": plan.meaning.file.lists["NONSPECIFIC_CURRENT"],
        "parameters": parameters(plan),
    }  # fmt: skip


def judged(parts: tuple[tuple[type[Any], Plan], ...], answer: Mapping[str, Any]) -> list[Comparison]:
    """Our currents beside NEURON's, outward positive, in nA."""
    theirs = np.asarray(answer["rows"])
    if not np.all(np.isfinite(theirs)):
        raise ModelError("NEURON's own current is not a number.")
    if not np.any(theirs):
        raise ModelError("its current is 0 with the file's defaults: there is nothing to compare.")
    with jax.enable_x64(True):
        ours = currents(tuple(built(cls, plan) for cls, plan in parts))
    off = np.abs(ours - theirs)
    off = np.where(np.isfinite(off), off, np.inf)
    i, j = np.unravel_index(int(np.argmax(off)), off.shape)
    where = f"at {TIMES[j]:g} ms and {VOLTAGES[i]:g} mV"
    largest, first = float(np.max(np.abs(theirs))), float(off[:, 0].max())
    return [Comparison(float(off.max()), largest, first, where, "nA", str(answer["version"]))]


def currents(parts: tuple[Any, ...]) -> np.ndarray:
    """Our currents of a synapse and, if there is one, its plasticity, of shape (voltages, times)."""
    synapse, *rest = parts
    release = rest[0] if rest else None
    s = synapse.initial((), float)
    source = release.initial((), float) if release is not None else {}
    found, t = np.zeros((len(VOLTAGES), len(TIMES))), 0.0
    for time, spike in sorted([(one, True) for one in SPIKES] + [(one, False) for one in TIMES]):
        s, amount = synapse.flow(s, time - t), 1.0
        if release is not None:
            source = release.flow(source, time - t)
        t = time
        if spike:
            if release is not None:
                source, amount = release.release(source, jnp.asarray(1.0))
            s = synapse.receive(s, WEIGHT * jnp.asarray(amount))
        else:
            for i, V in enumerate(VOLTAGES):
                found[i, TIMES.index(time)] = float(synapse.conductance(s, jnp.asarray(V)) * (V - synapse.E))
    return found
