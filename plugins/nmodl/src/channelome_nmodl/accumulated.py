# pyright: basic
# (SciPy has no types here)
"""An imported ion beside the same file in NEURON: concentrations and reversal potential under constant currents."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

from channelome.errors import ModelError
from channelome.mechanisms.ions import VALENCE, Ion

from .clamped import CELSIUS, DIAMETER, given, is_exact, parameters
from .meaning import kept
from .oracle import Comparison
from .plan import Plan

CURRENTS, TIMES = (-21.0, -1.7, -0.13, 0.0), (0.05, 0.3, 1.0, 4.0, 20.0, 100.0)
"""uA/cm^2, of a cation, and ms. None empties a pool: NEURON's sparse method holds what falls below 0 at 0."""


def driver(plan: Plan) -> str:
    """The text of a mechanism that carries a current of the species, as strong as it is told."""
    species = plan.meaning.species
    valence = "" if species in VALENCE else f" VALENCE {_valence(plan)}"
    return (
        f"NEURON {{ SUFFIX chdriver_{species} USEION {species} WRITE i{species}{valence} RANGE amp }}\n"
        f"PARAMETER {{ amp = 0 (mA/cm2) }}\nASSIGNED {{ i{species} (mA/cm2) }}\nBREAKPOINT {{ i{species} = amp }}\n"
    )


def job_of(plan: Plan, library: str, mechanism: str) -> dict[str, Any]:
    """What NEURON is asked."""
    return {
        "kind": "ion", "library": library, "mechanism": mechanism, "driver": f"chdriver_{plan.meaning.species}", "celsius": CELSIUS, "diam": DIAMETER,
        "currents": [1e-3 * current for current in _currents(_valence(plan))], "times": TIMES, "variables": variables(plan), "way": _way(plan), "parameters": parameters(plan),
    }  # fmt: skip


def _valence(plan: Plan) -> int:
    species = plan.meaning.species
    return VALENCE[species] if species in VALENCE else plan.meaning.valences[species]


def _currents(valence: int) -> tuple[float, ...]:
    """Those that fill the pool."""
    return tuple(current if valence > 0 else -current for current in CURRENTS)


def _way(plan: Plan) -> str:
    """How NEURON gets there: what BREAKPOINT puts into an ion it does in fixed steps alone, which are made ever shorter then."""
    if any(name not in plan.meaning.file.states for name in variables(plan)):
        return "extrapolated"
    return "exact" if is_exact(plan) else "variable"


def variables(plan: Plan) -> list[str]:
    """What of the ion the file writes, in NEURON's names."""
    return list(dict.fromkeys(kept(plan.meaning.file)[plan.meaning.species]))


def judged(cls: type[Ion], plan: Plan, answer: Mapping[str, Any]) -> Comparison:
    """Our numbers beside NEURON's: of each variable, relative to its largest."""
    theirs = np.asarray(answer["rows"])
    if not np.all(np.isfinite(theirs)):
        raise ModelError("NEURON's own numbers of the ion are none.")
    with jax.enable_x64(True):
        species = plan.meaning.species
        views = {f"{species}i": "C_in", f"{species}o": "C_out", f"e{species}": "E"}
        ours = followed(cls, [views[name] for name in variables(plan)])
    size = np.max(np.abs(theirs), axis=(0, 1))
    off = np.abs(ours - theirs) / np.where(size > 0, size, 1.0)
    off = np.where(np.isfinite(off), off, np.inf)
    later = off[:, 1:]  # what the file puts into an ion as it solves is not yet there at the start, in NEURON
    i, j, _ = np.unravel_index(int(np.argmax(later)), later.shape)
    where = f"{TIMES[j]:g} ms after the begin of {CURRENTS[i]:g} uA/cm^2"
    return Comparison(
        float(later.max()),
        1.0,
        float(off[:, 0].max()),
        where,
        f"of {' and '.join(variables(plan))}",
        str(answer["version"]),
    )


def followed(cls: type[Ion], views: list[str]) -> np.ndarray:
    """Our numbers, of shape (currents, times with 0, views), integrated by SciPy."""
    ion = given(cls)
    start = {name: float(value) for name, value in ion.initial().items()}
    found = []
    for current in _currents(ion.valence):
        states = _integrated(ion, start, current)
        rows = [ion.view({name: jnp.asarray(value) for name, value in one.items()}, CELSIUS) for one in states]
        found.append([[float(getattr(view, name)) for name in views] for view in rows])
    return np.asarray(found)


def _integrated(ion: Ion, start: Mapping[str, float], current: float) -> list[dict[str, float]]:
    """The states at the start and at `TIMES`, each in the unit of its own size."""
    names = list(start)
    if not names:
        return [{}] * (1 + len(TIMES))
    unit = np.asarray([abs(start[name]) or 1.0 for name in names])

    @jax.jit
    def slope(y: Any) -> Any:
        moved = ion.slope({name: y[i] * unit[i] for i, name in enumerate(names)}, current)
        return jnp.stack([jnp.asarray(moved[name]) / unit[i] for i, name in enumerate(names)])

    jacobian = jax.jit(jax.jacfwd(slope))
    y = np.asarray([start[name] for name in names]) / unit
    done = solve_ivp(
        lambda t, y: np.asarray(slope(y)), (0.0, TIMES[-1]), y, "Radau", t_eval=TIMES, rtol=1e-10, atol=1e-13,
        jac=lambda t, y: np.asarray(jacobian(y)),
    )  # fmt: skip
    if not done.success:
        raise ModelError(f"the ion cannot be integrated: {done.message}")
    return [dict(zip(names, column * unit, strict=True)) for column in (y, *done.y.T)]
