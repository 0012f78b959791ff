"""Stimuli against their formulas, in their own time, whatever the step of the integrator."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import channelome as ch
from channelome.mechanisms.leak import IL
from channelome.stimuli.current import Current

T = np.linspace(-1.0, 12.0, 1301)


def at(stimulus: Current, t: np.ndarray = T) -> np.ndarray:
    return np.asarray(jax.vmap(stimulus)(jnp.asarray(t)))


def test_a_step_is_on_from_its_start_until_before_its_stop() -> None:
    s = ch.step("2 uA/cm^2", start="1 ms", stop="3 ms")
    np.testing.assert_array_equal(at(s, np.array([0.999, 1.0, 2.999, 3.0])), [0, 2, 2, 0])
    assert (s.unit, s.detail) == ("uA/cm^2", 2.0)
    np.testing.assert_array_equal(at(ch.step("200 pA"), np.array([-1.0, 0.0, 1e9])), [0, 0.2, 0.2])


def test_a_ramp_is_linear_between_its_ends() -> None:
    s = ch.ramp("1 nA", "-500 pA", start="2 ms", stop="5 ms")
    inside = (T >= 2) & (T < 5)
    np.testing.assert_allclose(at(s), np.where(inside, 1 - 0.5 * (T - 2), 0), atol=1e-12)


def test_a_sine_has_its_amplitude_period_phase_and_offset() -> None:
    s = ch.sine("2 uA/cm^2", period="4 ms", offset="1 uA/cm^2", phase=0.3)
    np.testing.assert_allclose(at(s), 1 + 2 * np.sin(2 * np.pi * T / 4 + 0.3), rtol=1e-12, atol=1e-12)
    assert s.detail == 2.0


def test_pulses_come_at_their_times_in_any_order_and_add_up_where_they_overlap() -> None:
    s = ch.pulses("3 uA/cm^2", times=([5, 1, 1.5], "ms"), width="1 ms")
    expected = 3.0 * sum(((t0 <= T) & (t0 + 1 > T)).astype(float) for t0 in (1, 1.5, 5))
    edges = np.min(np.abs(T[:, None] - np.array([1, 1.5, 2, 2.5, 5, 6])), axis=1) < 1e-9
    np.testing.assert_array_equal(at(s)[~edges], expected[~edges])
    np.testing.assert_array_equal(at(s, np.array([1.0, 2.5, 5.0, 6.0])), [3, 0, 3, 0])


def test_samples_carry_their_own_time_and_are_linear_between() -> None:
    values = np.array([0.0, 1.0, -2.0, 4.0])
    s = ch.samples((values, "uA/cm^2"), dt="2 ms", start="1 ms")
    inside = (T >= 1) & (T <= 7)
    np.testing.assert_allclose(at(s), np.where(inside, np.interp(T, 1 + 2 * np.arange(4), values), 0), atol=1e-12)


def test_held_samples_keep_their_value_until_the_next() -> None:
    s = ch.samples((np.array([1.0, 2.0]), "uA/cm^2"), dt="2 ms", hold=True)
    np.testing.assert_array_equal(at(s, np.array([-0.1, 0.0, 1.99, 2.0, 3.99, 4.0])), [0, 1, 1, 2, 2, 0])


def test_samples_may_differ_between_neurons() -> None:
    s = ch.samples((np.arange(6.0).reshape(3, 2), "uA/cm^2"), dt="1 ms")
    np.testing.assert_allclose(at(s, np.array([0.5, 1.0])), [[1, 2], [2, 3]])


def test_a_function_is_converted_by_its_unit() -> None:
    s = ch.function(lambda t: 100 * t, unit="pA")
    np.testing.assert_allclose(at(s), 0.1 * T, rtol=1e-12)
    assert s.unit == "nA"


def test_stimuli_add_up_and_only_in_one_unit() -> None:
    s = ch.step("1 uA/cm^2", stop="5 ms") + ch.sine("1 uA/cm^2", period="2 ms")
    np.testing.assert_allclose(at(s), at(ch.step("1 uA/cm^2", stop="5 ms")) + np.sin(np.pi * T), atol=1e-12)
    assert s.detail == 1.0
    with pytest.raises(ch.UnitError, match="cannot be added"):
        ch.step("1 nA") + ch.step("1 uA/cm^2")


def test_stimuli_are_scaled_by_one_number_or_by_one_for_each_neuron() -> None:
    s, factors = ch.ramp("1 nA", "9 nA", stop="8 ms"), np.array([1.0, -2.0, 0.5])
    for scaled in (s * factors, factors * s, jnp.asarray(factors) * s, factors.tolist() * s, s / (1 / factors)):
        assert isinstance(scaled, type(s)), "an array of stimuli is no stimulus"
        assert scaled(3.0).tolist() == pytest.approx((4 * factors).tolist(), rel=1e-12)
    np.testing.assert_allclose(at(s / 4), at(s) / 4, rtol=1e-12)
    np.testing.assert_allclose(at(-s), -at(s), rtol=1e-12)


def test_sums_and_differences_are_those_of_numbers() -> None:
    parts = [ch.step("1 nA", start="1 ms"), ch.ramp("1 nA", "9 nA", stop="8 ms"), ch.sine("2 nA", period="3 ms")]
    np.testing.assert_allclose(at(sum(parts)), sum(at(part) for part in parts), rtol=1e-12, atol=1e-12)
    assert sum(parts[:1]) == parts[0]
    np.testing.assert_allclose(at(parts[0] - parts[1]), at(parts[0]) - at(parts[1]), rtol=1e-12)


def test_a_stimulus_is_printed_as_it_was_written() -> None:
    s, more = ch.step("1 nA", start="2 ms", stop="5 ms"), ch.samples(([1.0, 2.0], "nA"), dt="1 ms", hold=True)
    shown, samples = (
        "step(amplitude=1 nA, start=2 ms, stop=5 ms)",
        "samples(values=[1 .. 2] nA x 2, dt=1 ms, start=0 ms, hold=True)",
    )
    assert repr(-s) == f"-{shown}"
    assert repr(2 * s - more / 4) == f"2 * {shown} - (0.25 * {samples})"
    assert repr(s - more) == f"{shown} - {samples}"
    assert repr(3 * (s + more)) == f"3 * ({shown} + {samples})"
    assert (
        repr(ch.noise("1 nA", "2 nA", key=2**40 + 3, size=4))
        == f"noise(mean=1 nA, std=2 nA, dt=0.1 ms, key={2**40 + 3}, size=4)"
    )


@pytest.mark.parametrize("solver", ["rk4", "staggered"])
def test_a_sampled_stimulus_means_the_same_at_any_step_of_the_integrator(solver: str) -> None:
    cell = ch.SingleCompartment(1, IL=IL(g_max="0 mS/cm^2"))
    s = ch.samples(([0, 1, 0, 2, 0], "uA/cm^2"), dt="1 ms")
    charges = [
        ch.simulate(cell, "4 ms", dt=dt, stimulus=s, solver=solver)["V"][-1, 0] + 65 for dt in ("0.1 ms", "0.025 ms")
    ]
    np.testing.assert_allclose(charges, 3.0, rtol=1e-10)


# ---- noise ---------------------------------------------------------------------------------------------------------


def test_noise_has_its_mean_and_spread_and_is_held_for_its_interval() -> None:
    s = ch.noise("1 uA/cm^2", "0.5 uA/cm^2", key=7, dt="0.2 ms")
    x = at(s, 0.1 + 0.2 * np.arange(4000))
    assert abs(x.mean() - 1) < 0.04 and abs(x.std() - 0.5) < 0.02
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 0.06
    np.testing.assert_array_equal(at(s, np.array([0.21, 0.3, 0.39])), [x[1]] * 3)


def test_the_same_key_gives_the_same_noise_and_another_key_another() -> None:
    t = 0.05 + 0.1 * np.arange(50)
    a, b, c = (at(ch.noise("0 nA", "1 nA", key=key), t) for key in (1, jax.random.key(1), 2))
    np.testing.assert_array_equal(a, b)
    assert np.all(a != c)


def test_noise_of_a_size_is_independent_between_neurons() -> None:
    x = at(ch.noise("0 nA", "1 nA", key=3, size=2), 0.05 + 0.1 * np.arange(3000))
    assert x.shape == (3000, 2) and abs(np.corrcoef(x.T)[0, 1]) < 0.06


@pytest.mark.parametrize("dt", [0.1, 0.05, 0.01])
@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_noise_changes_at_its_own_times_when_asked_on_the_steps_of_a_run(dt: float, precision: type) -> None:
    """floor(k dt / interval) is one too low where the product falls a hair short of a whole number."""
    with jax.enable_x64(precision is np.float64):
        cell = ch.SingleCompartment(1, IL=IL(g_max="0 mS/cm^2"))
        s = ch.noise("0 uA/cm^2", "1 uA/cm^2", key=5, dt="0.1 ms")
        V = ch.simulate(cell, "30 ms", dt=(dt, "ms"), stimulus=s, solver="euler", chunk=3000)["V"][:, 0]
        drawn = at(s, 0.05 + 0.1 * np.arange(300).astype(precision))
    given = np.diff(V.astype(float)) / dt
    np.testing.assert_allclose(
        given, np.repeat(drawn, round(0.1 / dt)), rtol=1e-6, atol=1e-9 if precision is np.float64 else 2e-2
    )


@pytest.mark.parametrize("start", [0.7, 1.1, 2.3])
def test_a_step_begins_at_the_step_of_its_start_in_float32(start: float, float32: None) -> None:
    cell = ch.SingleCompartment(1, IL=IL(g_max="0 mS/cm^2"))
    s = ch.step("1 uA/cm^2", start=(start, "ms"))
    V = ch.simulate(cell, "4 ms", dt="0.01 ms", stimulus=s, solver="euler")["V"][:, 0]
    assert V[-1] + 65 == pytest.approx(4 - start, abs=2e-3)


def test_a_stimulus_at_many_times_is_what_it_is_at_each() -> None:
    """Noise and pulses could not be asked, arrays over neurons were in the way."""
    t, noise = np.array([[0.3, 1.1], [2.0, 2.6]]), ch.noise("0 nA", "1 nA", key=1)
    assert noise(t).shape == (2, 2) and noise(t)[1, 1] == noise(2.6)
    pulses, steps = ch.pulses("1 nA", times=([1, 2], "ms"), width="0.5 ms"), ch.step(([1.0, 3.0], "nA"), start="1 ms")
    assert np.array_equal(pulses(t), [[0, 1], [1, 0]]) and np.array_equal(steps(t[0]), [[0, 0], [1, 3]])


@pytest.mark.parametrize("dt", [0.1, 0.025])
def test_a_ramp_that_began_long_before_the_run_is_where_it_is(dt: float) -> None:
    """From 105 s before 0 ms at 0.1 ms, and 26 at 0.025, a ramp was taken to begin then."""
    exact = lambda t: 1 + 2 * (t + 1e6) / (1e6 + 5)  # noqa: E731
    ramp = ch.ramp("1 nA", "3 nA", start="-1e6 ms", stop="5 ms").counted(dt, float)
    command = ch.command("0 nA", ("1 nA", "3 nA", "1000005 ms"), start="-1e6 ms").counted(dt, float)
    for n in (0, 7, 39):
        for counted in (ramp, command):
            assert float(counted.mean(jnp.int32(n))) == pytest.approx(exact((n + 0.5) * dt), rel=1e-9)
    over = ch.ramp("1 nA", "3 nA", start="-1e6 ms", stop="-5e5 ms").counted(dt, float)
    assert float(over.mean(jnp.int32(0))) == 0


# ---- mistakes ------------------------------------------------------------------------------------------------------


NAN_MS = (np.nan, "ms")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ch.step("1 uA/cm^2", start="3 ms", stop="1 ms"), "not after its start at 3.0 ms"),
        (lambda: ch.pulses("1 uA/cm^2", times="1 ms", width="0 ms"), "width of the pulses must be positive"),
        (lambda: ch.pulses("1 nA", times=([1, 2], "ms"), width=([1, 2], "ms")), "one for all neurons, got"),
        (
            lambda: ch.pulses("1 nA", times=([[1], [2]], "ms"), width="1 ms"),
            r"one list, for all neurons, not of the shape \(2, 1\)",
        ),
        (lambda: ch.sine("1 uA/cm^2", period="-1 ms"), "period of the sine must be positive"),
        (lambda: ch.sine("1 nA", period=(np.inf, "ms")), "period of the sine must be finite"),
        (lambda: ch.sine("1 nA", period="1 ms", phase=None), "phase of the sine, in radians, must be a number"),
        (lambda: ch.ramp("1 nA", "2 nA", stop=(np.inf, "ms")), "stop of the ramp must be finite"),
        (lambda: ch.command("1 mV", ("2 mV", "1 ms"), start=(np.inf, "ms")), "start of the command must be finite"),
        (lambda: ch.samples(([1.0, 2.0], "nA"), dt=(np.inf, "ms")), "dt of the samples must be positive, finite"),
        (
            lambda: ch.samples(([1.0, 2.0], "nA"), dt="0.1 ms", start="-2e6 ms")(0.0),
            "1,048,576 of them before 0: leave out",
        ),
        (lambda: ch.noise("1 nA", "1 nA", dt=([1, 2], "ms")), "dt of the noise must be .* one for all neurons"),
        (lambda: ch.noise("1 nA", "-1 nA"), "std of the noise must be at least 0, got -1 nA"),
        (
            lambda: ch.noise("1 nA", "1 nA", size=2.5),
            "size of the noise must be a positive number or a tuple of them, not 2.5",
        ),
        (
            lambda: ch.noise(([1, 2], "nA"), "1 nA", size=3),
            r"mean of the noise has the shape \(2,\), but its size is \(3,\)",
        ),
        (
            lambda: ch.function(lambda t: 1.0 if t > 1 else 0.0, unit="nA")(2.0),
            "'<lambda>' is no function of a time .* jnp.where in place of if",
        ),
        (lambda: ch.function(math.sin, unit="nA")(2.0), "'sin' is no function .* jax.numpy in place of math"),
        (lambda: ch.function(lambda t: None, unit="nA")(2.0), "and return a number"),
        (
            lambda: ch.function(lambda t: jnp.exp(1j * t), unit="nA")(2.0),
            "returns complex128, and a current is a real number",
        ),
        (lambda: ch.function(min, unit="nA"), r"takes the time in ms, f\(t\)"),
        (lambda: ch.function(jnp.sin, unit=3), "unit of a stimulus function is a text"),
        (
            lambda: ch.step("1 nA")(1e12),
            "a stimulus is known from -1,048,576 to 2,143,289,344 ms, not at 1000000000000.0 ms",
        ),
        (lambda: ch.samples("1 uA/cm^2", dt="1 ms"), "for a constant current use step"),
        (lambda: ch.samples(([], "nA"), dt="1 ms"), "joined by lines, and there is none"),
        (lambda: ch.samples(([1.0], "nA"), dt="1 ms"), "joined by lines, and there is one: give hold=True"),
        (lambda: ch.samples(([1.0, 2.0], "nA"), dt="1 ms", start=NAN_MS), "start of the stimulus is a time, not NaN"),
        (lambda: ch.samples(([1.0, 2.0], "nA"), dt=NAN_MS), "dt of the stimulus is a time, not NaN"),
        (lambda: ch.step((np.nan, "nA")), "amplitude of the stimulus must be finite, got nan"),
        (lambda: ch.step(([1.0, np.inf, 2.0], "nA")), r"must be finite: 1 of 3 are not, the first is values\[1\]"),
        (lambda: ch.step("1 nA", start=NAN_MS), "start of the stimulus is a time, not NaN"),
        (lambda: ch.step("1 nA", stop=NAN_MS), "stop of the stimulus is a time, not NaN"),
        (lambda: ch.ramp("1 nA", (np.nan, "nA"), stop="1 ms"), "last value of the ramp must be finite"),
        (lambda: ch.sine("1 nA", period="1 ms", offset=(np.nan, "nA")), "offset of the sine must be finite"),
        (lambda: ch.sine("1 nA", period="1 ms", phase=np.nan), "phase of the sine must be finite"),
        (lambda: ch.noise("1 nA", (np.nan, "nA")), "std of the noise must be finite"),
        (
            lambda: ch.pulses("1 nA", times=([1.0, np.nan], "ms"), width="1 ms"),
            "times of the stimulus is a time, not NaN",
        ),
        (lambda: ch.command("1 mV", ("2 mV", "1 ms"), start=NAN_MS), "start of the stimulus is a time, not NaN"),
        (lambda: ch.step("1 nA") * np.nan, "factor of a stimulus must be finite"),
        (lambda: ch.step("1 nA") / 0, "cannot be divided by 0"),
        (lambda: ch.step("1 nA") * "2 mV", "factor of a stimulus is in 1"),
        (lambda: ch.step(3.0), "must be a current density"),
        (lambda: ch.step("1 uA/cm^2", start=1.0), "start of the stimulus needs a unit"),
        (lambda: ch.ramp("1 uA/cm^2", "1 nA", stop="1 ms"), "last value of the ramp is in uA/cm"),
        (lambda: ch.function(lambda: 0, unit="nA"), r"f\(t\)"),
        (lambda: ch.function(lambda t: t, unit="mM"), "must be a current or a current density"),
    ],
)
def test_a_mistake_in_a_stimulus_is_a_clear_error(make: object, words: str) -> None:
    with pytest.raises(ch.ChannelomeError, match=words):
        make()  # pyright: ignore
