"""A cell of cable_cases.py by SciPy: our compartments and our channels, integrated by none of our solvers.

A population of points stands for the compartments, and what flows along the axis is put into it as a current; junctions, which have no
membrane, are eliminated. So what NEURON computed is held against geometry and mechanisms alone, and solvers for cables against both.
"""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from cable_cases import BALL_AND_STICK, CELLS, DURATION, INTERVAL, LONGEST, RA, SETS, UNITS, V0, C, Mechanism
from jax.flatten_util import ravel_pytree
from scipy.integrate import solve_ivp

import channelome as ch

HERE = Path(__file__).parent
FOLDERS = [parent / "shared/data" for parent in HERE.parents if (parent / "shared/data").is_dir()]
"""Where reconstructions lie that are not ours to ship."""
SAMPLES = np.arange(round(DURATION / INTERVAL) + 1) * INTERVAL


def morphology(name: str) -> ch.Morphology:
    if name == "ball_and_stick":
        return ch.Morphology.ball_and_stick(**{part: (size, "um") for part, size in BALL_AND_STICK.items()})
    return ch.Morphology.example() if name == "pyramidal" else ch.Morphology.from_swc(FOLDERS[0] / f"{name}.swc")


def compartments(name: str) -> ch.Compartments:
    return morphology(name).discretise(ch.max_length((LONGEST, "um")))


def given(mechanism: Mechanism) -> dict[str, Any]:
    """Its parameters, with units."""
    return {what: (value, UNITS[what]) for what, value in mechanism.values.items()}


def points(name: str, kind: str, comps: ch.Compartments) -> ch.SingleCompartment:
    """The compartments as a population, channels without conductance where they are not."""
    cell, mixture, ions, channels = CELLS[name], SETS[kind], [], {}
    for mechanism in mixture.mechanisms:
        values = given(mechanism)
        if "g_max" not in mechanism.values:
            ions.append(ch.ion(mechanism.name, **values))
            continue
        g = np.full(len(comps), mechanism.values["g_max"])
        if mechanism.where:
            g = g * comps.mask(" | ".join(cell.region(mechanism.where)))
        if mechanism.growth:
            g = g * np.exp(comps.distance / mechanism.growth)
        channels[mechanism.label] = ch.channel(mechanism.name, **(values | {"g_max": (g, "mS/cm^2")}))
    return ch.SingleCompartment(len(comps), *ions, **channels, C=(C, "uF/cm^2"), V=(V0, "mV"), celsius=mixture.celsius)


def along(comps: ch.Compartments, Ra: float = RA) -> np.ndarray:
    """Shape (n, n), uS: what flows out of each compartment along the axis for potentials of all."""
    n = len(comps)
    whole = np.zeros((len(comps.parent),) * 2)
    for i, (p, R) in enumerate(zip(comps.parent, comps.axial_resistance(Ra), strict=True)):
        if p >= 0:
            whole[[i, p, i, p], [i, p, p, i]] += np.array([1, 1, -1, -1]) / R
    return whole[:n, :n] - whole[:n, n:] @ np.linalg.solve(whole[n:, n:], whole[n:, :n])


def solved(name: str, kind: str, rtol: float) -> np.ndarray:
    """V at SAMPLES of the cell's places, shape (places, samples)."""
    comps, mixture, cell = compartments(name), SETS[kind], CELLS[name]
    population, flow, area = points(name, kind, comps), jnp.asarray(along(comps)), jnp.asarray(comps.area * 1e-5)
    there = [comps.index(place) for place in cell.places]
    amplitude = cell.current[kind.split(",")[0]]
    y, unravel = ravel_pytree(population.initial_state())

    @jax.jit
    def slope(y: jax.Array, I: jax.Array) -> jax.Array:
        state = unravel(y)
        into = (jnp.zeros(len(comps)).at[there[mixture.at]].set(I) - flow @ state.V) / area
        return ravel_pytree(population.derivative(state, lambda V: into))[0]

    jacobian = jax.jit(jax.jacfwd(slope))
    found, begin, t = [], 0.0, SAMPLES
    for end, I in ((mixture.start, 0.0), (mixture.stop, amplitude), (DURATION + INTERVAL, 0.0)):
        times = t[(t >= begin) & (t < end)]
        run = solve_ivp(
            lambda t, y, I=I: np.asarray(slope(y, I)), (begin, end), y, "LSODA", t_eval=np.append(times, end),
            jac=lambda t, y, I=I: np.asarray(jacobian(y, I)), rtol=rtol, atol=rtol / 10,
        )  # fmt: skip
        assert run.success, run.message
        V = np.array([unravel(column).V for column in run.y.T])
        found.append(V[: len(times), there])
        y, begin = run.y[:, -1], end
    return np.concatenate(found).T
