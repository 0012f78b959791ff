"""The fourth-order solver: its order under stimuli whose edges lie anywhere, with pools, in networks; its own error; its limits."""

import functools
import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import some_of
from engine.models import BUMP, calcium, hippocampal, model, run, squid
from jax.flatten_util import ravel_pytree
from scipy.integrate import solve_ivp

import channelome as ch
from channelome.engine.drive import Drive
from channelome.engine.solvers.staggered4 import STAGGERED4

END = 5.12
TIMES = (1.28, 2.56, 3.84, END)
ACCURACY: dict[str, Any] = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-13}
OWN = np.array([0.5, 1.5, -0.7, 2.0, 0.3, 1.1, -1.0, 0.9, 1.7, 0.2])


def step(start: float, stop: float) -> ch.stimuli.current.Current:
    return ch.step("2 uA/cm^2", start=(start, "ms"), stop=(stop, "ms"))


STIMULI: dict[str, tuple[Any, tuple[float, ...]]] = {
    "a step, edges on steps": (step(0.64, 2.56), (0.64, 2.56)),
    "a step, edges between steps": (step(0.6137, 2.4711), (0.6137, 2.4711)),
    "a ramp that ends between steps": (
        ch.ramp("1 uA/cm^2", "3 uA/cm^2", start="0.6137 ms", stop="2.4711 ms"),
        (0.6137, 2.4711),
    ),
    "a ramp that ends on steps": (ch.ramp("0 uA/cm^2", "3 uA/cm^2", start="0.64 ms", stop="2.56 ms"), (0.64, 2.56)),
    "pulses between steps": (
        ch.pulses("3 uA/cm^2", times=([0.513, 1.77, 3.1], "ms"), width="0.377 ms"),
        (0.513, 0.89, 1.77, 2.147, 3.1, 3.477),
    ),
    "samples with lines between, of another step": (
        ch.samples((OWN, "uA/cm^2"), dt="0.537 ms", start="0.211 ms"),
        tuple(0.211 + 0.537 * np.arange(10)),
    ),
    "samples that are held, of another step": (
        ch.samples((OWN, "uA/cm^2"), dt="0.537 ms", start="0.211 ms", hold=True),
        tuple(0.211 + 0.537 * np.arange(10)),
    ),
    "noise of another step": (
        ch.noise("1 uA/cm^2", "1 uA/cm^2", key=3, dt="0.733 ms"),
        tuple(0.733 * np.arange(1, 7)),
    ),
    "a sum whose edges may lie in one step": (
        step(0.6137, 2.4711) + 0.5 * step(0.64, 2.4899),
        (0.6137, 0.64, 2.4711, 2.4899),
    ),
    "a sine": (ch.sine("2 uA/cm^2", period="1.3 ms"), ()),
}


def by_scipy(
    cell: Any, inject: Callable[[Any], Any], breaks: tuple[float, ...], times: tuple[float, ...]
) -> np.ndarray:
    """V at `times`, integrated from break to break."""
    y, unravel = ravel_pytree(cell.initial_state())

    @jax.jit
    def slope(t: Any, y: Any, middle: Any) -> Any:
        return ravel_pytree(cell.derivative(unravel(y), inject(t, middle)))[0]

    found = {}
    ends = sorted({0.0, *breaks, *times})
    for a, b in itertools.pairwise(ends):
        if a >= times[-1]:
            break
        y = solve_ivp(lambda t, y, m=(a + b) / 2: slope(t, y, m), (a, b), np.asarray(y), **ACCURACY).y[:, -1]
        found[b] = np.asarray(unravel(y).V)
    return np.array([found[t] for t in times])


@functools.cache
def reference(name: str, case: str) -> np.ndarray:
    stimulus, breaks = STIMULI[case]

    def inject(t: Any, middle: Any) -> Callable[[Any], Any]:
        inside = middle + (t - middle) * (1 - 1e-9)  # on its side of the edges at both ends
        return lambda V: stimulus(inside)

    return by_scipy(model(name), inject, breaks, TIMES)


def orders(error: Callable[[float], float], steps: tuple[float, ...]) -> float:
    """The mean slope of the logarithm of the error over `steps`, each half of the one before."""
    errors = [error(dt) for dt in steps]
    assert 0 < errors[-1] < 0.01, "it converges to the reference"
    return float(np.log2(errors[0] / errors[-1]) / (len(steps) - 1))


def error_under(name: str, case: str, solver: str, dt: float) -> float:
    V = run(name, solver, dt, round(END / dt), stimulus=STIMULI[case][0], record=["V"])["V"]
    return float(np.sqrt(np.mean((V[[round(t / dt) for t in TIMES]] - reference(name, case)) ** 2)))


@pytest.mark.parametrize(
    "case",
    some_of(
        STIMULI,
        "a step, edges between steps",
        "pulses between steps",
        "samples that are held, of another step",
        "a sine",
    ),
)
def test_it_is_of_fourth_order_wherever_the_edges_of_a_stimulus_lie(case: str):
    assert orders(lambda dt: error_under("squid", case, "staggered4", dt), (0.08, 0.04, 0.02, 0.01)) > 3.6


@pytest.mark.parametrize(
    "case", some_of(["a step, edges between steps", "pulses between steps"], "pulses between steps")
)
def test_it_is_of_fourth_order_with_a_pool_and_a_scheme_under_edges(case: str):
    error = functools.partial(error_under, "calcium", case, "staggered4")
    assert orders(error, (0.04, 0.02, 0.01)) > 3.6
    assert error(0.04) < error_under("calcium", case, "rk4", 0.04) / 1000, "rk4 sees means over steps"


def test_the_default_and_runge_kutta_are_of_second_order_there():
    """What the cut is for: with the mean over the step alone an edge inside it costs the order."""
    for solver in ("staggered", "rk4"):
        error = functools.partial(error_under, "squid", "a step, edges between steps", solver)
        assert orders(error, (0.08, 0.04, 0.02, 0.01)) < 3


def test_each_neuron_has_its_own_edges():
    starts = np.array([0.6137, 0.64, 0.9031])
    stimulus = ch.step("2 uA/cm^2", start=(starts, "ms"), stop="2.4711 ms")
    together = ch.simulate(squid(3), (END, "ms"), dt="0.04 ms", stimulus=stimulus, solver="staggered4")["V"]
    for i, start in enumerate(starts):
        alone = run("squid", "staggered4", 0.04, 128, stimulus=step(start, 2.4711), record=["V"])["V"]
        np.testing.assert_allclose(together[:, i], alone[:, 0], rtol=0, atol=1e-11)


def test_pulses_and_steps_of_each_neuron_may_share_a_step():
    starts = np.array([0.6137, 0.64])
    pulses = ch.pulses("3 uA/cm^2", times=([0.613, 1.77], "ms"), width="0.377 ms")
    stimulus = ch.step("2 uA/cm^2", start=(starts, "ms"), stop="2.4711 ms") + pulses
    together = ch.simulate(squid(2), (END, "ms"), dt="0.04 ms", stimulus=stimulus, solver="staggered4")["V"]
    for i, start in enumerate(starts):
        alone = run("squid", "staggered4", 0.04, 128, stimulus=step(start, 2.4711) + pulses, record=["V"])["V"]
        np.testing.assert_allclose(together[:, i], alone[:, 0], rtol=0, atol=1e-11)


@pytest.mark.thorough
def test_an_edge_between_steps_has_a_gradient():
    def V_end(start: Any) -> Any:
        stimulus = ch.step("2 uA/cm^2", start=(start, "ms"), stop="2.5 ms")
        return ch.simulate(squid(), "4 ms", dt="0.05 ms", stimulus=stimulus, solver="staggered4")["V"][-1, 0]

    eps = 1e-4
    finite = (V_end(0.613 + eps) - V_end(0.613 - eps)) / (2 * eps)
    assert jax.grad(V_end)(0.613) == pytest.approx(float(finite), rel=1e-5)
    assert jax.jvp(V_end, (0.613,), (1.0,))[1] == pytest.approx(float(finite), rel=1e-5)


# ---- networks ------------------------------------------------------------------------------------------------------

SPIKES = (0.64, 1.28, 1.92)
TAU = {"exc": 1.7, "inh": 3.1}


def excited(dt: float, solver: str, **more: Any) -> np.ndarray:
    """V of a cell with excitatory and inhibitory synapses, whose spikes come at whole steps."""
    source = ch.SpikeSource(1, times=(np.array(SPIKES), "ms"), neurons=[0, 0, 0])
    given: dict[str, Any] = {"connect": ch.all_to_all(), "weight": "5 nS"}
    net = ch.Network(
        source=source,
        cells=hippocampal(1),
        exc=ch.Projection("source", "cells", ch.synapse("Expon", tau=(TAU["exc"], "ms")), **given),
        inh=ch.Projection("source", "cells", ch.synapse("Expon", E="-80 mV", tau=(TAU["inh"], "ms")), **given),
    )
    activity = ch.simulate(net, (END, "ms"), dt=(dt, "ms"), solver=solver, record="cells.V", **more)
    return activity["cells.V"][[round(t / dt) for t in TIMES]]


@functools.cache
def excited_reference() -> np.ndarray:
    cell = hippocampal(1)

    def conductance(t: Any, middle: Any, tau: float) -> Any:
        """In mS/cm^2, of 5 nS over 20000 um^2, after all spikes before `middle`; a spike arrives at the end of its step."""
        return sum(jnp.where(middle > s, jnp.exp(-(t - s) / tau), 0.0) for s in SPIKES) * (5 * 100 / 20000)

    def inject(t: Any, middle: Any) -> Callable[[Any], Any]:
        exc, inh = (conductance(t, middle, TAU[name]) for name in ("exc", "inh"))
        return lambda V: exc * (0.0 - V) + inh * (-80.0 - V)

    return by_scipy(cell, inject, SPIKES, TIMES)


def test_it_is_of_fourth_order_under_synapses_whose_spikes_come_at_whole_steps():
    def error(dt: float) -> float:
        return float(np.sqrt(np.mean((excited(dt, "staggered4") - excited_reference()) ** 2)))

    assert orders(error, (0.08, 0.04, 0.02, 0.01)) > 3.6


# ---- its own error -------------------------------------------------------------------------------------------------


def test_what_it_corrects_is_the_error_of_the_second_order_result():
    """One step from the rest of the squid axon, against SciPy, in which the fourth-order result is exact to 1e-8 of it."""
    cell, dt = model("squid"), 0.04
    state = cell.initial_state()._replace(V=jnp.array([-40.0]))
    after, error = STAGGERED4.with_error(cell, state, 0, dt, Drive(0))
    start, unravel = ravel_pytree(state)
    slope = jax.jit(lambda t, y: ravel_pytree(cell.derivative(unravel(y), lambda V: 0.0 * V))[0])
    exact = unravel(jnp.asarray(solve_ivp(slope, (0, dt), np.asarray(start), **ACCURACY).y[:, -1]))
    second = jax.tree.map(lambda y, e: y - e, after, error)
    for wanted, got, estimate in zip(*map(jax.tree.leaves, (exact, second, error)), strict=True):
        np.testing.assert_allclose(np.asarray(wanted - got), np.asarray(estimate), rtol=0.02)


# ---- steadiness, precision, limits ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dt", [0.1, 0.2])
def test_it_is_steady_at_steps_at_which_rk4_leaves_the_numbers(dt: float):
    options: dict[str, Any] = {"dt": (dt, "ms"), "stimulus": "10 uA/cm^2"}
    with pytest.raises(ch.SimulationError):
        ch.simulate(squid(), "100 ms", solver="rk4", **options)
    traces = ch.simulate(squid(), "100 ms", solver="staggered4", **options)
    assert len(traces.spikes) == 7


def test_it_is_itself_in_float32():
    expected = run("calcium", "staggered4", 0.04, 128)["V"][-1]
    with jax.enable_x64(False):
        V = run("calcium", "staggered4", 0.04, 128)["V"][-1]
    assert V.dtype == np.float32
    np.testing.assert_allclose(V, expected, rtol=0, atol=2e-3)


def test_a_run_in_two_parts_is_one_run():
    whole = ch.simulate(calcium(), "4 ms", dt="0.04 ms", stimulus=BUMP, solver="staggered4")
    first = ch.simulate(calcium(), "2 ms", dt="0.04 ms", stimulus=BUMP, solver="staggered4")
    then = ch.simulate(
        calcium(), "2 ms", dt="0.04 ms", stimulus=BUMP, solver="staggered4", state=first.final, start="2 ms"
    )
    np.testing.assert_array_equal(np.concatenate([first["V"], then["V"][1:]]), whole["V"])


def test_it_says_that_it_is_for_points_and_why():
    assert "cable" in STAGGERED4.points_only
