"""Checks of ions: reversal potentials over concentrations, and pools that a current fills."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...maths import FARADAY
from ...mechanisms.general_ions import GeneralIon
from ...mechanisms.ions import Pool
from ...mechanisms.rules import CLIPPED_PADE, EXACT, IMPLICIT
from ...module import Parameter
from ...units import Unit
from ..kit import Check, Problems, Skip, check
from ..subjects import CELSIUS, IonSubject

_C = np.geomspace(1e-6, 10.0, 1024)
_UM = Unit.parse("um").dimension


def _pool(subject: IonSubject) -> Pool:
    if _keeps(subject.ion):
        raise Skip("its variables take linearly implicit steps, which follow whatever its rates say")
    if not isinstance(subject.ion, Pool):
        raise Skip("its concentrations are constant")
    return subject.ion


def _keeps(ion: Any) -> bool:
    """Whether it is a `GeneralIon` that follows what is inside."""
    return isinstance(ion, GeneralIon) and "C_in" in ion.variables


@check(hint="E by Nernst: nernst(C_in, C_out, valence, celsius), which is finite for an emptied pool too.")
def potential(subject: IonSubject) -> Problems:
    """E is finite from 1e-6 to 10 mM inside, and falls with the concentration of a cation."""
    ion = subject.ion
    if not ion.needs_celsius:
        if not np.isfinite(float(ion.view(ion.initial(), None).E)):
            yield "E is not finite"
        return
    C = jnp.asarray(_C)
    at = ion if ion.initial() else ion.replace(C_in=(C, "mM"))
    states = {name: jnp.asarray(x + np.zeros(1024)) for name, x in ion.initial().items()} | {"C_in": C}
    E = np.broadcast_to(np.asarray(at.view(states, CELSIUS).E), _C.shape)
    if not np.all(np.isfinite(E)):
        yield f"E is {E[~np.isfinite(E)][0]} at C_in = {_C[~np.isfinite(E)][0]:.3g} mM"
    elif np.any(np.diff(E) * np.sign(ion.valence) >= 0):
        yield f"E does not {'fall' if ion.valence > 0 else 'rise'} with C_in, whose valence is {ion.valence}"
    if np.allclose(E, np.asarray(at.view(states, CELSIUS + 10).E)):
        yield "E does not depend on the temperature"


@check(
    hint="Currents are outward positive: an inward one is negative and raises a cation, dC/dt = -10 I / (z F d) with d in um."
)
def influx(subject: IonSubject) -> Problems:
    """An inward current of a cation raises its concentration, by the charge that it carries where a shell's depth is given."""
    pool = subject.ion if _keeps(subject.ion) else _pool(subject)
    C = {name: jnp.asarray(x + np.zeros(1024)) for name, x in pool.initial().items()}
    inward, none = (np.asarray(pool.slope(C, jnp.full(1024, I))["C_in"])[0] for I in (-1.0 * pool.valence, 0.0))
    if not inward > none:
        yield f"an inward current of 1 uA/cm^2 changes C_in by {inward - none:.3g} mM/ms"
    depths = [name for name, p in type(pool).parameters.items() if p.unit.dimension == _UM]
    if len(depths) == 1 and inward > none and isinstance(pool, Pool):
        wanted = 10 / (FARADAY * getattr(pool, depths[0]))
        if not np.isclose(inward - none, wanted, rtol=1e-4):
            yield f"1 uA/cm^2 changes C_in by {inward - none:.4g} mM/ms; its charge in a shell of {depths[0]} is {wanted:.4g}"


@check(hint="balance(I) returns Gate or Linear with a source that is not negative, such as maximum(influx, 0).")
def pool_steps(subject: IonSubject) -> Problems:
    """One step of up to 5 ms keeps the concentration positive and finite, and follows the rate of change."""
    pool = _pool(subject)
    dt = jnp.asarray(np.resize((0.01, 0.1, 1.0, 5.0), 1024))
    states = {"C_in": jnp.asarray(_C)}
    for I in (-100.0, 0.0, 100.0):
        for rule in (EXACT, CLIPPED_PADE, IMPLICIT):
            after = np.asarray(pool.relax(states, jnp.full(1024, I), dt, rule)["C_in"])
            bad = ~((after >= 0) & np.isfinite(after))
            if bad.any():
                i = int(np.argmax(bad))
                yield f"C_in goes from {_C[i]:.3g} to {after[i]:.3g} mM in {float(dt[i]):g} ms at {I:g} uA/cm^2"
        h = 1e-6
        moved = np.asarray(pool.relax(states, jnp.full(1024, I), h, EXACT)["C_in"] - states["C_in"]) / h
        slope = np.broadcast_to(np.asarray(pool.slope(states, jnp.full(1024, I))["C_in"]), moved.shape)
        if not np.allclose(moved, slope, rtol=1e-3, atol=1e-6 * np.max(np.abs(slope))):
            yield f"a short step at {I:g} uA/cm^2 does not go where the rate of change points"


@check(hint="Read a parameter as self.NAME, or take the field away.")
def ion_parameters(subject: IonSubject) -> Problems:
    """Every parameter has an effect, and its gradient is finite."""
    ion = subject.ion
    before = _shown(ion)
    for parameter in type(ion).parameters.values():
        value = getattr(ion, parameter.name)
        if value is None:
            continue
        moved = ion.replace(**{parameter.name: (_moved(value, parameter), parameter.unit.symbol)})
        if all(np.allclose(a, b, rtol=1e-7, atol=0) for a, b in zip(_shown(moved), before, strict=True)):
            yield f"{parameter.name} has no effect"
    # None stands for what an ion was built without
    slopes = jax.grad(lambda ion: sum(jnp.sum(jnp.asarray(x)) for x in _shown(ion)))(jax.tree.map(jnp.asarray, ion))
    for name in type(ion).parameters:
        slope = getattr(slopes, name)
        if slope is not None and not np.all(np.isfinite(slope)):
            yield f"the gradient over {name} is {slope}"


def _moved(value: Any, parameter: Parameter) -> float:
    return value + 1.5 if parameter.unit.symbol == "mV" or value == 0 else 1.25 * value


def _shown(ion: Any) -> list[Any]:
    """All that cells see of an ion: the start, the view at rest, the rates of change there and elsewhere."""
    states = {name: jnp.asarray(x, float) for name, x in ion.initial().items()}
    view = ion.view(states, CELSIUS)
    seen = [x for x in view._values.values() if x is not None]
    away = {name: 1.7 * x + 1e-9 for name, x in states.items()}  # at rest some things cancel
    slopes = [x for where in (states, away) for I in (-1.0, 1.0) for x in ion.slope(where, I).values()]
    moves = [x for each in ion.diffusing(2.0).values() for x in each]
    return [*states.values(), *seen, *slopes, *moves]


IONS: tuple[Check, ...] = (potential, influx, pool_steps, ion_parameters)
