"""Derivatives through whole runs agree with finite differences, and jit, vmap and grad agree with eager runs."""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from engine.models import hippocampal, model, squid
from scipy.stats import norm

import channelome as ch
from channelome.engine.spike import BLUR, spike
from channelome.engine.traced import KEPT
from channelome.mechanisms.kinetics import Scheme

POINT = {"g_max": 120.0, "V_sh": -45.0, "C": 1.0, "amplitude": 3.0, "phi": 1.0, "E": -54.387, "V": -65.0}
"""What losses are differentiated with respect to: a squid axon below threshold."""


def loss(p: dict[str, Any], solver: str = "staggered", **options: Any) -> Any:
    """Mean squared distance of V from -60 mV in a run without a spike."""
    changes = {"INa.g_max": (p["g_max"], "mS/cm^2"), "INa.V_sh": (p["V_sh"], "mV"), "INa.phi": p["phi"]}
    cell = model("squid").replace(C=(p["C"], "uF/cm^2"), V=(p["V"], "mV"), **changes, **{"IL.E": (p["E"], "mV")})
    stimulus = ch.sine((p["amplitude"], "uA/cm^2"), period="8 ms")
    V = ch.simulate(cell, "6 ms", dt="0.05 ms", stimulus=stimulus, solver=solver, **options)["V"]
    return jnp.mean((V + 60) ** 2)


def central_differences(f: Callable[[dict[str, float]], Any], p: dict[str, float]) -> dict[str, float]:
    """Fourth-order difference of `f` along each parameter."""

    def along(name: str) -> float:
        h = 1e-4 * max(abs(p[name]), 1.0)
        a, b, c, d = (float(f(p | {name: p[name] + k * h})) for k in (-2, -1, 1, 2))
        return (a - 8 * b + 8 * c - d) / (12 * h)

    return {name: along(name) for name in p}


@functools.cache
def gradient(solver: str, segment: int | None = None) -> dict[str, Any]:
    return jax.jit(jax.grad(lambda p: loss(p, solver, segment=segment)))(POINT)


@pytest.mark.parametrize("solver", ["staggered", "rk4", "exp_euler", "backward_euler"])
def test_the_gradient_of_a_voltage_loss_agrees_with_finite_differences_of_eager_runs(solver: str) -> None:
    for name, expected in central_differences(lambda p: loss(p, solver), POINT).items():
        assert float(gradient(solver)[name]) == pytest.approx(expected, rel=1e-6), name
        assert abs(expected) > 1e-2, name


@pytest.mark.parametrize("segment", [7])
def test_a_checkpointed_gradient_equals_one_that_keeps_every_step(segment: int) -> None:
    for name, expected in gradient("staggered").items():
        assert float(gradient("staggered", segment)[name]) == pytest.approx(float(expected), rel=1e-10)


def temporaries(size: int, steps: int) -> int:
    """Bytes that XLA takes for a gradient beside arguments and results."""

    def final(g: Any) -> Any:
        cell = squid(size).replace(**{"INa.g_max": (g, "mS/cm^2")})
        return ch.simulate(cell, (steps * 0.05, "ms"), dt="0.05 ms", stimulus="2 uA/cm^2", record=[]).final.V.sum()

    return jax.jit(jax.grad(final)).lower(jnp.asarray(120.0)).compile().memory_analysis().temp_size_in_bytes


def test_of_a_step_its_state_is_kept_for_reverse_mode_and_not_all_that_was_worked_out() -> None:
    """A state of the squid's axon is V, m, h and n."""
    state = 4 * np.dtype(jax.dtypes.canonicalize_dtype(float)).itemsize
    each = (temporaries(1000, 200) - temporaries(1000, 100)) / 100
    assert state * 1000 <= each <= 2 * state * 1000


def test_of_long_runs_the_states_of_segments_are_kept() -> None:
    """KEPT bytes of states are kept whole; of a run of 16 times so many about four times the square root of all."""
    state, size = 4 * np.dtype(jax.dtypes.canonicalize_dtype(float)).itemsize, 100
    steps = 16 * KEPT // (state * size)
    assert temporaries(size, steps) < 8 * state * size * math.isqrt(steps) < KEPT


def test_forward_and_reverse_mode_agree() -> None:
    tangent = {name: jnp.ones(()) for name in POINT}
    forward = jax.jit(lambda p: jax.jvp(loss, (p,), (tangent,))[1])({k: jnp.asarray(v) for k, v in POINT.items()})
    np.testing.assert_allclose(forward, sum(gradient("staggered").values()), rtol=1e-9)


def test_the_gradient_with_respect_to_a_cell_is_a_cell_of_derivatives() -> None:
    def mean(cell: ch.SingleCompartment) -> Any:
        return ch.simulate(cell, "2 ms", dt="0.1 ms", stimulus="1 uA/cm^2")["V"].mean()

    cell = hippocampal(2, C=([1.0, 1.5], "uF/cm^2"))
    slope = jax.jit(jax.grad(mean))(cell)
    assert isinstance(slope, ch.SingleCompartment) and slope.C.shape == (2,)
    h = 1e-3
    up, down = (mean(cell.replace(**{"IK.g_max": (30 + d, "mS/cm^2")})) for d in (h, -h))
    assert float(slope.channels["IK"].g_max) == pytest.approx(float(up - down) / (2 * h), rel=1e-5)
    assert np.all(np.isfinite([np.sum(leaf) for leaf in jax.tree.leaves(slope)]))


def test_the_gradient_with_respect_to_the_initial_state_is_a_state() -> None:
    cell = model("squid")
    run = lambda state: ch.simulate(cell, "1 ms", dt="0.1 ms", state=state)["V"][-1, 0]  # noqa: E731
    slope = jax.jit(jax.grad(run))(cell.initial_state())
    assert float(slope.V[0]) > 0 and float(slope.channels["INa"]["m"][0]) > 0


# ---- transformations -----------------------------------------------------------------------------------------------

RECORD = ["V", "INa.m", "INa.current", "spikes"]


def pulse(amplitude: Any, cell: ch.SingleCompartment | None = None, **options: Any) -> ch.Traces:
    options = {"record": RECORD} | options
    return ch.simulate(
        cell or model("squid"), "10 ms", dt="0.1 ms", stimulus=ch.step((amplitude, "uA/cm^2")), **options
    )


@pytest.mark.parametrize(("solver", "every"), [("staggered", 1), ("staggered", 4), ("backward_euler", 1)])
def test_a_run_under_jit_agrees_with_an_eager_one(solver: str, every: int) -> None:
    eager = pulse(10.0, solver=solver, every=every)
    jitted = jax.jit(lambda a: pulse(a, solver=solver, every=every))(10.0)
    np.testing.assert_allclose(jitted.t, eager.t, rtol=1e-12)
    assert list(jitted) == list(eager) and jitted.units == eager.units
    for name in RECORD:
        np.testing.assert_allclose(jitted[name], eager[name], rtol=1e-8, atol=1e-9)
    for a, b in zip(jax.tree.leaves(jitted.final), jax.tree.leaves(eager.final), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8)


def test_vmap_over_amplitudes_agrees_with_runs_one_by_one() -> None:
    amplitudes = jnp.asarray([0.0, 5.0, 10.0])
    batch = jax.jit(jax.vmap(pulse))(amplitudes)
    for i, amplitude in enumerate(amplitudes):
        np.testing.assert_allclose(batch["V"][i], pulse(float(amplitude))["V"], rtol=1e-8)


def test_vmap_over_a_parameter_agrees_with_a_population() -> None:
    g = jnp.asarray([60.0, 120.0])
    batch = jax.jit(jax.vmap(lambda g: pulse(10.0, model("squid").replace(**{"INa.g_max": (g, "mS/cm^2")}))))(g)
    population = squid(2).replace(**{"INa.g_max": (g, "mS/cm^2")})
    np.testing.assert_allclose(batch["V"][:, :, 0].T, pulse(10.0, population)["V"], rtol=1e-8)


def test_vmap_over_noise_keys_gives_another_run_for_each() -> None:
    def run(key: Any) -> Any:
        stimulus = ch.noise("0 uA/cm^2", "2 uA/cm^2", key=key)
        return ch.simulate(model("squid"), "2 ms", dt="0.1 ms", stimulus=stimulus)["V"][-1, 0]

    keys = jax.random.split(jax.random.key(0), 3)
    batch = jax.jit(jax.vmap(run))(keys)
    assert len(set(np.asarray(batch).tolist())) == 3
    np.testing.assert_allclose(batch[1], run(keys[1]), rtol=1e-10)


# ---- spikes --------------------------------------------------------------------------------------------------------


def test_spikes_are_the_upward_crossings_of_the_threshold_between_the_steps() -> None:
    traces = ch.simulate(
        hippocampal(2), "40 ms", dt="0.1 ms", stimulus=(np.array([-0.2, 0.4]), "nA"), record=["V", "spikes"]
    )
    found = ch.crossings(traces.t, traces["V"], -20.0)
    np.testing.assert_allclose(traces.spikes.times, found.times, rtol=1e-12)
    np.testing.assert_array_equal(traces.spikes.neurons, found.neurons)
    assert traces.spikes.counts[0] == 0 and traces.spikes.counts[1] > 1
    V = traces["V"]
    rows, neurons = np.nonzero((V[:-1] < -20) & (V[1:] >= -20))
    np.testing.assert_array_equal(np.argwhere(traces["spikes"]), np.column_stack([rows + 1, neurons]))


def test_the_time_of_a_spike_converges_at_the_order_of_the_default_solver() -> None:
    def time(dt: float) -> float:
        options = {"stimulus": "10 uA/cm^2", "record": "spikes"}
        return float(ch.simulate(model("squid"), "12.8 ms", dt=(dt, "ms"), **options).spikes.times[0])

    errors = [abs(time(dt) - time(0.0025)) for dt in (0.05, 0.025)]
    assert errors[1] < errors[0] / 3 and errors[1] < 2e-3


def test_each_neuron_has_its_own_threshold() -> None:
    cell = hippocampal(2, V_th=([-20, 100], "mV"))
    spikes = ch.simulate(cell, "20 ms", dt="0.1 ms", stimulus="0.4 nA", record="spikes").spikes
    assert spikes.counts[0] > 0 and spikes.counts[1] == 0


def test_a_spike_is_exactly_0_or_1_and_has_the_slope_of_a_blurred_threshold() -> None:
    """The slope is that of the mean over thresholds around -20 mV, here by finite differences of normal distributions."""
    before, after = np.array([-30.0, -30.0, -10.0, -21.0, 5.0]), np.array([-10.0, -25.0, 0.0, -20.0, -40.0])
    threshold = np.full(5, -20.0)
    np.testing.assert_array_equal(spike(jnp.asarray(before), jnp.asarray(after), threshold), [1, 0, 0, 1, 0])
    slopes = jax.grad(lambda *args: spike(*args).sum(), argnums=(0, 1, 2))(
        *map(jnp.asarray, (before, after, threshold))
    )

    def mean(*V: np.ndarray) -> np.ndarray:
        return np.maximum(norm.cdf(V[1], V[2], BLUR) - norm.cdf(V[0], V[2], BLUR), 0)

    for k, slope in enumerate(slopes):
        moved = [
            [x + (sign * 1e-4 if j == k else 0) for j, x in enumerate((before, after, threshold))] for sign in (1, -1)
        ]
        np.testing.assert_allclose(slope, (mean(*moved[0]) - mean(*moved[1])) / 2e-4, rtol=1e-6, atol=1e-12)


def test_a_spike_that_only_comes_earlier_is_not_counted_anew() -> None:
    """V shifted as a whole: what its passage gives to the steps cancels, and what is left is at its peak and trough."""
    V = jnp.concatenate([jnp.linspace(-300, 300, 41), jnp.linspace(290, -300, 37)])

    def count(shift: Any) -> Any:
        return spike(V[:-1] + shift, V[1:] + shift, jnp.full(len(V) - 1, -20.0)).sum()

    value, slope = jax.value_and_grad(count)(0.0)
    assert float(value) == 1
    assert abs(float(slope)) < 1e-12


@pytest.mark.parametrize("every", [1, 5])
def test_the_number_of_spikes_has_an_exact_value_and_a_surrogate_gradient(every: int) -> None:
    def count(amplitude: Any) -> Any:
        return pulse(amplitude, record="spikes", every=every)["spikes"].sum()

    value, slope = jax.jit(jax.value_and_grad(count))(10.0)
    assert float(value) == len(pulse(10.0).spikes) > 0
    assert np.isfinite(slope) and float(slope) != 0.0


@pytest.mark.parametrize("solver", ["heun", "crank_nicolson"])
def test_other_solvers_can_be_differentiated(solver: str) -> None:
    def peak(g: Any) -> Any:
        cell = model("squid").replace(**{"INa.g_max": (g, "mS/cm^2")})
        return ch.simulate(cell, "1 ms", dt="0.05 ms", stimulus="5 uA/cm^2", solver=solver)["V"][-1, 0]

    slope = jax.jit(jax.grad(peak))(120.0)
    assert float(slope) == pytest.approx(float(peak(120.05) - peak(119.95)) / 0.1, rel=1e-5)


def test_the_steady_state_of_a_steep_scheme_has_its_gradient_in_single_precision_too() -> None:
    """Occupancies differ by up to 1e24; the square of such a number is no float32."""

    def open_share(V):
        q = {
            ("C", "B"): jnp.exp(V / 4),
            ("B", "C"): jnp.exp(-V / 4),
            ("B", "O"): jnp.exp(V / 4),
            ("O", "B"): jnp.exp(-V / 4),
        }
        return Scheme(("C", "B", "O"), q).steady_state()["B"]

    single = jax.jit(jax.grad(open_share))(jnp.float32(55.0))
    double = jax.grad(open_share)(jnp.float64(55.0))
    assert single.dtype == jnp.float32
    np.testing.assert_allclose(single, double, rtol=1e-4)
