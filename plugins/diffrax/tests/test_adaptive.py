"""Adaptive solvers against SciPy, finite differences and their own failure."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from channelome_diffrax.solvers import DOPRI8, KVAERNO5, TSIT5
from scipy.integrate import solve_ivp

import channelome as ch
from channelome.registry import Registry
from channelome.registry import registry as installed

NAMES = ("Tsit5_diffrax", "Dopri5_diffrax", "Dopri8_diffrax", "Kvaerno5_diffrax")


def axon(**changes):
    return ch.cell("SquidAxon_HH1952", size=1, **changes)


def run(cell, duration="20 ms", **kwargs):
    return ch.simulate(cell, duration, dt="0.1 ms", stimulus="10 uA/cm^2", **kwargs)


def squid_axon(t, y, current=10.0):
    """Hodgkin & Huxley (1952), apart from the packs; SciPy does not hit the singular points."""
    V, m, h, n = y
    I = 120 * m**3 * h * (V - 50) + 36 * n**4 * (V + 77) + 0.3 * (V + 54.387)
    return [
        current - I,
        0.1 * (V + 40) / -np.expm1(-(V + 40) / 10) * (1 - m) - 4 * np.exp(-(V + 65) / 18) * m,
        0.07 * np.exp(-(V + 65) / 20) * (1 - h) - h / (1 + np.exp(-(V + 35) / 10)),
        0.01 * (V + 55) / -np.expm1(-(V + 55) / 10) * (1 - n) - 0.125 * np.exp(-(V + 65) / 80) * n,
    ]


def at_rest(cell):
    state = cell.initial_state()
    INa, IK = state.channels["INa"], state.channels["IK"]
    return np.asarray([state.V[0], INa["m"][0], INa["h"][0], IK["n"][0]], float)


def scipy_run(start, span, current=10.0, **kwargs):
    return solve_ivp(squid_axon, span, start, "DOP853", rtol=1e-12, atol=1e-12, args=(current,), **kwargs)


def converged(times):
    """V at `times`, from rest."""
    return scipy_run(at_rest(axon()), (0, float(times[-1])), t_eval=times).y[0]


def test_all_names_are_this_packs():
    assert isinstance(installed, Registry)
    assert sorted(installed.diffrax) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_solver_follows_the_axon_within_its_tolerance(name):
    traces = run(axon(), solver=name)
    assert np.abs(traces["V"][:, 0] - converged(traces.t)).max() < 0.02  # mV, on a spike of 400 mV/ms


@pytest.mark.parametrize("solver", [TSIT5, DOPRI8])
def test_tight_tolerances_reach_scipys_trace(solver):
    tight = dataclasses.replace(solver, rtol=1e-9, atol=1e-11)
    traces = run(axon(), solver=tight)
    assert np.abs(traces["V"][:, 0] - converged(traces.t)).max() < 1e-5


def test_tight_tolerances_reach_scipys_spike_times():
    traces = run(axon(), "100 ms", solver=dataclasses.replace(TSIT5, rtol=1e-9, atol=1e-11))
    V = converged(traces.t)
    assert np.abs(traces["V"][:, 0] - V).max() < 1e-4
    expected = ch.crossings(traces.t, V[:, None], 0.0).times  # interpolated in the same way
    assert len(expected) == 7
    np.testing.assert_allclose(traces.spikes.times, expected, rtol=0, atol=1e-6)


def test_error_falls_with_the_tolerance():
    truth = converged(np.arange(201) * 0.1)
    loose, tight = (
        np.abs(run(axon(), solver=dataclasses.replace(TSIT5, rtol=rtol, atol=rtol))["V"][:, 0] - truth).max()
        for rtol in (1e-3, 1e-6)
    )
    assert loose > 30 * tight


def test_a_stimulus_that_begins_and_ends_within_steps_is_seen_at_its_time():
    pulse = ch.step("10 uA/cm^2", start="2.05 ms", stop="2.15 ms")
    traces = ch.simulate(
        axon(), "4 ms", dt="0.1 ms", stimulus=pulse, solver=dataclasses.replace(TSIT5, rtol=1e-9, atol=1e-11)
    )
    y = at_rest(axon())
    for span, current in (((0, 2.05), 0.0), ((2.05, 2.15), 10.0), ((2.15, 4.0), 0.0)):
        y = scipy_run(y, span, current).y[:, -1]
    assert abs(traces["V"][-1, 0] - y[0]) < 1e-4


def test_a_population_goes_with_its_hardest_neuron():
    amplitudes = np.array([0.0, 0.0, 0.0, 10.0])
    together = ch.simulate(
        ch.cell("SquidAxon_HH1952", size=4),
        "10 ms",
        dt="0.1 ms",
        stimulus=(amplitudes, "uA/cm^2"),
        solver="Tsit5_diffrax",
    )
    alone = run(axon(), "10 ms", solver="Tsit5_diffrax")
    np.testing.assert_allclose(together["V"][:, 3], alone["V"][:, 0], rtol=0, atol=0.01)


@pytest.mark.parametrize("solver", [TSIT5, pytest.param(KVAERNO5, marks=pytest.mark.thorough)])
def test_gradients_agree_with_finite_differences(solver):
    tight = dataclasses.replace(solver, rtol=1e-10, atol=1e-12)

    def loss(g, amplitude):
        cell = axon(**{"INa.g_max": (g, "mS/cm^2")})
        stimulus = ch.step((amplitude, "uA/cm^2"))
        return ch.simulate(cell, "1 ms", dt="0.2 ms", stimulus=stimulus, solver=tight)["V"].mean()

    gradients = jax.jit(jax.grad(loss, argnums=(0, 1)))(120.0, 2.0)
    value, step = jax.jit(loss), 1e-3
    differences = [
        (value(120 + 100 * step, 2.0) - value(120 - 100 * step, 2.0)) / (200 * step),
        (value(120.0, 2 + step) - value(120.0, 2 - step)) / (2 * step),
    ]
    np.testing.assert_allclose(gradients, differences, rtol=1e-6)


def test_vmap_gives_each_its_own_steps():
    def peak(amplitude):
        stimulus = ch.step((amplitude, "uA/cm^2"))
        return ch.simulate(axon(), "5 ms", dt="0.1 ms", stimulus=stimulus, solver="Tsit5_diffrax")["V"].max()

    peaks = jax.vmap(peak)(jnp.array([0.0, 10.0]))
    assert peaks[0] < -60
    assert peaks[1] > 30


def test_too_few_steps_are_an_error_and_never_a_number():
    with pytest.raises(ch.SimulationError, match=r"V of neuron 0 became NaN at t ="):
        run(axon(), solver=dataclasses.replace(TSIT5, max_steps=1, rtol=1e-12))


@pytest.mark.parametrize("name", NAMES)
def test_every_solver_runs_in_float32(name):
    with jax.enable_x64(False):
        traces = run(axon(), solver=name)
    assert traces["V"].dtype == np.float32
    assert np.abs(traces["V"][:, 0] - converged(np.asarray(traces.t, float))).max() < 1.0


def test_the_hook_tells_the_versions():
    from channelome.registry.hooks import environment

    said = environment()
    assert {"diffrax", "equinox"} <= set(said)
