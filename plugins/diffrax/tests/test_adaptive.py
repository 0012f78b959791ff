"""Adaptive solvers against SciPy, finite differences and their own failure."""

import dataclasses

import channelome as ch
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from channelome.registry import Registry
from channelome.registry import registry as installed
from channelome_diffrax.solvers import DOPRI8, KVAERNO5, TSIT5
from scipy.integrate import solve_ivp

NAMES = ("Tsit5_diffrax", "Dopri5_diffrax", "Dopri8_diffrax", "Kvaerno5_diffrax")


def axon(**changes):
    return ch.cell("SquidAxon_HH1952", size=1, **changes)


def run(cell, duration="20 ms", **kwargs):
    return ch.simulate(cell, duration, dt="0.1 ms", stimulus="10 uA/cm^2", **kwargs)


def squid_axon(t, y):
    """Hodgkin & Huxley (1952) at 10 uA/cm^2, apart from the packs; SciPy does not hit the singular points."""
    V, m, h, n = y
    I = 120 * m**3 * h * (V - 50) + 36 * n**4 * (V + 77) + 0.3 * (V + 54.387)
    return [
        10 - I,
        0.1 * (V + 40) / -np.expm1(-(V + 40) / 10) * (1 - m) - 4 * np.exp(-(V + 65) / 18) * m,
        0.07 * np.exp(-(V + 65) / 20) * (1 - h) - h / (1 + np.exp(-(V + 35) / 10)),
        0.01 * (V + 55) / -np.expm1(-(V + 55) / 10) * (1 - n) - 0.125 * np.exp(-(V + 65) / 80) * n,
    ]


def converged(cell, times):
    state = cell.initial_state()
    start = [state.V[0], state.channels["INa"]["m"][0], state.channels["INa"]["h"][0], state.channels["IK"]["n"][0]]
    end = float(times[-1])
    return solve_ivp(squid_axon, (0, end), np.asarray(start, float), "DOP853", t_eval=times, rtol=1e-12, atol=1e-12).y[0]


def test_all_names_are_this_packs():
    assert isinstance(installed, Registry)
    assert sorted(installed.diffrax) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_solver_follows_the_axon_within_its_tolerance(name):
    traces = run(axon(), solver=name)
    assert np.abs(traces["V"][:, 0] - converged(axon(), traces.t)).max() < 0.02  # mV, on a spike of 400 mV/ms


@pytest.mark.parametrize("solver", [TSIT5, DOPRI8])
def test_tight_tolerances_reach_scipys_trace(solver):
    tight = dataclasses.replace(solver, rtol=1e-9, atol=1e-11)
    traces = run(axon(), solver=tight)
    assert np.abs(traces["V"][:, 0] - converged(axon(), traces.t)).max() < 1e-5


def test_tight_tolerances_reach_scipys_spike_times():
    def rises(t, y):
        return y[0]

    rises.direction = 1
    traces = run(axon(), "100 ms", solver=dataclasses.replace(TSIT5, rtol=1e-9, atol=1e-11))
    state = axon().initial_state()
    gates = [state.channels["INa"]["m"][0], state.channels["INa"]["h"][0], state.channels["IK"]["n"][0]]
    start = np.asarray([state.V[0], *gates], float)
    scipy = solve_ivp(squid_axon, (0, 100), start, "DOP853", events=rises, rtol=1e-11, atol=1e-11, dense_output=True)
    assert np.abs(traces["V"][:, 0] - scipy.sol(traces.t)[0]).max() < 1e-4
    expected = ch.crossings(traces.t, scipy.sol(traces.t)[0][:, None], 0.0).times  # the same interpolation
    assert len(expected) == len(scipy.t_events[0]) == 7
    np.testing.assert_allclose(traces.spikes.times, expected, rtol=0, atol=1e-6)


def test_error_falls_with_the_tolerance():
    truth = converged(axon(), np.arange(201) * 0.1)
    loose, tight = (
        np.abs(run(axon(), solver=dataclasses.replace(TSIT5, rtol=rtol, atol=rtol))["V"][:, 0] - truth).max()
        for rtol in (1e-3, 1e-6)
    )
    assert loose > 30 * tight


def test_a_stimulus_that_begins_within_a_step_is_seen_at_its_time():
    late = ch.step("10 uA/cm^2", start="2.05 ms", stop="2.15 ms")
    traces = ch.simulate(axon(), "4 ms", dt="0.1 ms", stimulus=late, solver="Tsit5_diffrax")
    fine = ch.simulate(axon(), "4 ms", dt="0.0005 ms", stimulus=late, solver="rk4", every=200)
    np.testing.assert_allclose(traces["V"], fine["V"], rtol=0, atol=3e-3)


def test_a_population_goes_with_its_hardest_neuron():
    amplitudes = np.array([0.0, 0.0, 0.0, 10.0])
    together = ch.simulate(
        ch.cell("SquidAxon_HH1952", size=4), "10 ms", dt="0.1 ms", stimulus=(amplitudes, "uA/cm^2"), solver="Tsit5_diffrax"
    )
    alone = run(axon(), "10 ms", solver="Tsit5_diffrax")
    np.testing.assert_allclose(together["V"][:, 3], alone["V"][:, 0], rtol=0, atol=0.01)


@pytest.mark.parametrize("solver", [TSIT5, KVAERNO5])
def test_gradients_agree_with_finite_differences(solver):
    tight = dataclasses.replace(solver, rtol=1e-10, atol=1e-12)

    def loss(g, amplitude):
        cell = axon(**{"INa.g_max": (g, "mS/cm^2")})
        stimulus = ch.step((amplitude, "uA/cm^2"))
        return ch.simulate(cell, "2 ms", dt="0.1 ms", stimulus=stimulus, solver=tight)["V"].mean()

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
    assert np.abs(traces["V"][:, 0] - converged(axon(), np.asarray(traces.t, float))).max() < 1.0


def test_the_hook_tells_the_versions():
    from channelome.registry.hooks import environment

    said = environment()
    assert {"diffrax", "equinox"} <= set(said)
