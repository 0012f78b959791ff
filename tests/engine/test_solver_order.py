"""Every solver converges at its order on composed models, and keeps gates and occupancies where they belong."""

import jax
import numpy as np
import pytest
from cases import some_of
from engine.models import EXPLICIT, MODELS, SOLVERS, converged, everything, model, run

import channelome as ch
from channelome.registry import registry

TIMES = (1.28, 2.56, 3.84, 5.12)
DT = {1: 0.01, 2: 0.01, 3: 0.02, 4: 0.04}
"""The finer of two steps, in ms, by order; half of it for the hippocampal cell, whose sodium gates are faster."""
TOLERANCE = 0.25


def error(name: str, solver: str, dt: float) -> float:
    """Root mean square in mV over `TIMES`, since errors may pass through zero at one time."""
    V = run(name, solver, dt, round(TIMES[-1] / dt))["V"]
    rows = [round(t / dt) for t in TIMES]
    return float(np.sqrt(np.mean((V[rows] - converged(name, TIMES)) ** 2)))


def test_every_solver_of_core_is_measured_here() -> None:
    assert {entry.name for entry in registry.entries(kind="solver") if not entry.family} == set(SOLVERS)


@pytest.mark.parametrize("name", SOLVERS)
def test_a_solver_states_its_order(name: str) -> None:
    assert ch.solver(name).order == SOLVERS[name]  # pyright: ignore


@pytest.mark.parametrize("name", some_of(MODELS, "calcium"))
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_solver_converges_at_its_order_on_composed_models(solver: str, name: str) -> None:
    order = SOLVERS[solver]
    dt = DT[order] / (2 if name == "hippocampal" else 1)
    fine, coarse = error(name, solver, dt), error(name, solver, 2 * dt)
    assert 0 < fine < 0.5, "it converges to the reference"
    assert np.log2(coarse / fine) == pytest.approx(order, abs=TOLERANCE)


@pytest.mark.parametrize("name", MODELS)
def test_the_default_solver_is_thirty_times_as_exact_as_exponential_euler(name: str) -> None:
    assert error(name, "staggered", 0.02) < error(name, "exp_euler", 0.02) / 30


@pytest.mark.parametrize("name", some_of(MODELS, "calcium"))
@pytest.mark.parametrize("solver", SOLVERS)
def test_gates_stay_in_0_to_1_at_any_step(solver: str, name: str) -> None:
    for dt in (0.1, 1.0, 5.0):
        traces = run(name, solver, dt, 24, check=False)
        for gate in everything(model(name))[1:]:
            x = in_the_numbers(traces[gate], solver)
            assert x.min() >= 0 and x.max() <= 1, (gate, dt)


@pytest.mark.parametrize("solver", SOLVERS)
def test_occupancies_are_positive_and_sum_to_1_at_any_step(solver: str) -> None:
    for dt in (0.1, 0.5, 1.0, 2.0, 5.0):
        traces = run("calcium", solver, dt, 24, check=False)
        states = np.stack([in_the_numbers(traces[f"KCa.{state}"], solver) for state in ("C1", "C2", "O")])
        assert states.min() >= 0
        np.testing.assert_allclose(states.sum(0), 1, rtol=0, atol=1e-12, err_msg=f"at dt = {dt} ms")


def in_the_numbers(x: np.ndarray, solver: str) -> np.ndarray:
    """`x` up to the sample where V left the numbers, which only explicit methods may do."""
    finite = np.all(np.isfinite(x), axis=1)
    assert np.all(finite) or solver in EXPLICIT
    return x[: len(x) if np.all(finite) else int(np.argmin(finite))]


@pytest.mark.parametrize("solver", [name for name in SOLVERS if name not in EXPLICIT])
def test_a_step_of_5_ms_leaves_the_voltage_between_the_reversal_potentials(solver: str) -> None:
    V = run("squid", solver, 5.0, 24, stimulus=None)["V"]
    assert V.min() > -80 and V.max() < 60


@pytest.mark.parametrize("solver", ["rk4", "exp_euler", "backward_euler", "staggered"])
def test_a_solver_agrees_with_itself_in_float32(solver: str) -> None:
    expected = run("calcium", solver, 0.04, 128)["V"][-1]
    with jax.enable_x64(False):
        V = run("calcium", solver, 0.04, 128)["V"][-1]
    assert V.dtype == np.float32
    np.testing.assert_allclose(V, expected, rtol=0, atol=2e-3)
