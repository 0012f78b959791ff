"""Checks of solvers: their order on a composed model, gates in range, labels, and one program for all parameters."""

import functools
from typing import Any

import jax
import numpy as np

from ...engine.drive import Drive
from ...engine.solvers import solver
from ..kit import Check, Problems, Skip, check, quick
from ..patients import BUMP, patient
from ..subjects import SolverSubject

_SAMPLES, _BETWEEN = 16, 0.16
"""How often the patient is looked at, and the time between in ms where dt divides it."""
_METHODS = ("start", "step", "voltage", "state")


@check(level="quick", hint="A solver has the methods start, step, voltage and state, and says its order.")
def methods(subject: SolverSubject) -> Problems:
    """It has the four methods of a solver and a stated order, the same in the manifest."""
    for name in _METHODS:
        if not callable(getattr(subject.solver, name, None)):
            yield f"it has no method {name}"
    own = getattr(subject.solver, "order", None)
    if subject.order is None:
        yield "it states no order"
    elif own is not None and own != subject.order:
        yield f"its manifest states order {subject.order}, it says {own}"


@check(
    hint="Every part must be advanced with the others at the time that the method asks for: advance the whole state at once."
)
def converges(subject: SolverSubject) -> Problems:
    """On a composed model it converges at the order that it states."""
    if subject.order is None:
        raise Skip("it states no order")
    wanted = _reference()
    dt = {1: 0.01, 2: 0.02}.get(subject.order, 0.04)
    coarse, fine = (float(np.sqrt(np.mean((_run(subject.solver, h) - wanted) ** 2))) for h in (2 * dt, dt))
    if fine > 0.3 or not np.isfinite(fine):
        yield f"with dt = {dt:g} ms it is {fine:.3g} mV off"
    elif fine > (
        1e-8 if subject.order <= 2 else 1e-5
    ):  # below: the reference's error, or an adaptive method's tolerance
        found = float(np.log2(coarse / fine))
        if abs(found - subject.order) > 0.35:
            yield f"it states order {subject.order}, but halving dt divides the error by {coarse / fine:.3g}: order {found:.2f}"


@check(hint="Step gates and occupancies with cell.relax, or confine them.")
def gates_in_range(subject: SolverSubject) -> Problems:
    """Steps of up to 5 ms keep gates and occupancies in [0, 1] for as long as V is finite."""
    for dt in (0.1, 1.0, 5.0):
        V, states = _seen(subject.solver, dt, 1)
        finite = np.isfinite(V)
        for label, gates in states.items():
            for name, x in gates.items():
                x = np.asarray(x)[finite, 0]
                if np.any((x < -1e-9) | (x > 1 + 1e-9)):
                    yield f"{label}.{name} reaches {x[np.argmax(np.abs(x - 0.5))]:.4g} with dt = {dt:g} ms"


def _run(solver: Any, dt: float) -> np.ndarray:
    """V over 2.56 ms, in mV."""
    return _seen(solver, dt, round(_BETWEEN / dt))[0]


def _seen(solver: Any, dt: float, count: int) -> tuple[np.ndarray, Any]:
    """V and the states of channels after every `count` steps."""
    V, states = _program(solver)(dt, np.int32(count), BUMP.counted(dt, jax.dtypes.canonicalize_dtype(float)))
    return np.asarray(V)[:, 0], states


@functools.lru_cache(maxsize=4)
def _program(solver: Any) -> Any:
    """One program for all dt: compiling it is what the checks of a solver take their time for."""
    cell: Any = patient()

    def run(dt: Any, count: Any, current: Any) -> Any:
        def sample(carry: Any, k: Any) -> Any:
            after = jax.lax.fori_loop(
                k * count, (k + 1) * count, lambda i, x: solver.step(cell, x, first + i, dt, Drive(i, current)), carry
            )
            return after, (solver.voltage(after), solver.state(cell, after, first + (k + 1) * count, dt).channels)

        start, first = solver.start(cell, cell.initial_state(), dt)
        return jax.lax.scan(sample, start, jax.numpy.arange(_SAMPLES, dtype=count.dtype))[1]

    return quick(run)


@functools.cache
def _reference() -> np.ndarray:
    """By the classical method of fourth order with dt = 0.01 ms, whose error is below 1e-8 mV."""
    return _run(solver("rk4"), 0.01)


SOLVERS: tuple[Check, ...] = (methods, converges, gates_in_range)
