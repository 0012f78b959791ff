# pyright: basic
# (SciPy has no types here)
"""An imported ion beside the same file in NEURON: concentrations and reversal potential under constant currents."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

from channelome.errors import ModelError
from channelome.mechanisms.ions import VALENCE, Ion

from . import tree
from .clamped import DIAMETER, given, is_exact, parameters
from .motion import CELSIUS
from .oracle import Comparison
from .plan import Plan
from .seen import LEAST, Seen, compared, value_of

CURRENTS, TIMES = (-21.0, -1.7, -0.13, 0.0), (0.05, 0.3, 1.0, 4.0, 20.0, 100.0)
"""uA/cm^2, of a cation, and ms. None empties a pool: NEURON's sparse method holds what falls below 0 at 0."""


def driver(plan: Plan) -> str:
    """The text of a mechanism that carries a current of the species, as strong as it is told."""
    species = plan.meaning.species
    valence = "" if species in VALENCE else f" VALENCE {valence_of(plan)}"
    return (
        f"NEURON {{ SUFFIX chdriver_{species} USEION {species} WRITE i{species}{valence} RANGE amp }}\n"
        f"PARAMETER {{ amp = 0 (mA/cm2) }}\nASSIGNED {{ i{species} (mA/cm2) }}\nBREAKPOINT {{ i{species} = amp }}\n"
    )


def job_of(plan: Plan, library: str, mechanism: str, names: Sequence[Seen]) -> dict[str, Any]:
    """What NEURON is asked."""
    return {
        "kind": "ion", "library": library, "mechanism": mechanism, "driver": f"chdriver_{plan.meaning.species}", "celsius": CELSIUS, "diam": DIAMETER,
        "currents": [1e-3 * current for current in drives(valence_of(plan))], "times": TIMES, "way": way(plan, names), "parameters": parameters(plan),
        "variables": [one.theirs for one in names], "states": [one.theirs for one in names if one.is_state],
    }  # fmt: skip


def valence_of(plan: Plan) -> int:
    """The valence of the species of an ion's class."""
    species = plan.meaning.species
    return VALENCE[species] if species in VALENCE else plan.meaning.valences[species]


def drives(valence: int) -> tuple[float, ...]:
    """The currents that fill a pool, in uA/cm^2."""
    return tuple(current if valence > 0 else -current for current in CURRENTS)


def way(plan: Plan, names: Sequence[Seen]) -> str:
    """How NEURON gets there: what BREAKPOINT puts into an ion it does in fixed steps alone, which are made ever shorter then."""
    put = {one.theirs for one in names if not one.is_state}
    if put - _solved_for(plan):
        return "extrapolated"
    return "exact" if is_exact(plan) and not put else "variable"


def _solved_for(plan: Plan) -> set[str]:
    """What the blocks that are solved set themselves, which the solver sets again whenever it asks for them."""
    routines, methods = plan.meaning.file.routines, plan.meaning.methods
    bodies = [
        routines[name].body for name in methods if name in routines and routines[name].kind in ("KINETIC", "DERIVATIVE")
    ]
    return {one.target.name for body in bodies for one in body if isinstance(one, tree.Assign)}


def judged(cls: type[Ion], plan: Plan, names: Sequence[Seen], answer: Mapping[str, Any]) -> list[Comparison]:
    """Our numbers beside NEURON's: of each variable, relative to its largest."""
    with jax.enable_x64(True):
        ours = followed(cls, names)
    return [since_start(names, ours, np.asarray(answer["rows"]), drives(valence_of(plan)), str(answer["version"]))]


def since_start(
    names: Sequence[Seen], ours: np.ndarray, theirs: np.ndarray, currents: Sequence[float], version: str
) -> Comparison:
    """The comparison of variables of shape (currents, times with 0, variables)."""
    starts = np.max(np.abs(theirs[:, 0]), axis=0)
    size = np.maximum(np.max(np.abs(theirs), axis=(0, 1)), np.where(starts == 0, LEAST, 0.0))
    first = np.abs(ours - theirs)[:, 0] / np.where(size > 0, size, 1.0)
    # what the file puts into an ion as it solves is not yet there at the start, in NEURON
    return compared(names, [(ours[:, 1:], theirs[:, 1:], place_under(currents))], version, starts, float(np.max(first)))


def place_under(currents: Sequence[float]) -> Callable[[int, int], str]:
    """What says where a current and a time are."""
    return lambda i, j: f"{TIMES[j]:g} ms after the begin of {currents[i]:g} uA/cm^2"


def followed(cls: type[Ion], names: Sequence[Seen]) -> np.ndarray:
    """Our numbers, of shape (currents, times with 0, variables), integrated by SciPy."""
    ion = given(cls)
    start = {name: float(value) for name, value in ion.initial().items()}
    found = []
    for current in drives(ion.valence):
        states = [{name: jnp.asarray(value) for name, value in one.items()} for one in _integrated(ion, start, current)]
        own = [(one, {ion.species: ion.view(one, CELSIUS)}) for one in states]
        found.append([[float(value_of(name, {}, {ion.species: one}, view)) for name in names] for one, view in own])
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
