"""Time is exact: edges anywhere, late runs, runs in parts; charge is that of the stimulus whatever the step."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from engine.models import MODELS, SOLVERS, squid
from scipy.integrate import quad

import channelome as ch
from channelome.clock import moment, rhythm
from channelome.mechanisms.leak import IL

CAPACITOR = ch.SingleCompartment(1, IL=IL(g_max="0 mS/cm^2"))
VALUES = np.array([1.0, -2.0, 4.0, 0.5])


def held(t: float) -> float:
    k = math.floor((t - 0.35) / 0.7)
    return float(VALUES[k]) if 0 <= k < 4 else 0.0


def linear(t: float) -> float:
    return float(np.interp(t, 0.35 + 0.7 * np.arange(4), VALUES)) if 0.35 <= t <= 0.35 + 2.1 else 0.0


def epochs(t: float) -> float:
    if 0.33 <= t < 0.87:
        return 2.0
    return 1 - 4 * (t - 0.87) / 0.63 if 0.87 <= t < 1.5 else 0.5


def recorded(t: float) -> float:
    return float(np.interp(t, 0.35 + 0.7 * np.arange(4), VALUES)) if 0.35 <= t < 0.35 + 2.1 else 0.5


# Each stimulus beside its formula, and the times at which the formula is not smooth.
KINDS = {
    "step": (
        ch.step("2 uA/cm^2", start="0.53 ms", stop="1.5 ms"),
        lambda t: 2.0 * (0.53 <= t < 1.5), [0.53, 1.5],
    ),
    "ramp": (
        ch.ramp("1 uA/cm^2", "-3 uA/cm^2", start="0.4 ms", stop="2.13 ms"),
        lambda t: (1 - 4 * (t - 0.4) / 1.73) * (0.4 <= t < 2.13), [0.4, 2.13],
    ),
    "sine": (
        ch.sine("2 uA/cm^2", period="1.7 ms", offset="0.5 uA/cm^2", phase=0.4),
        lambda t: 0.5 + 2 * math.sin(2 * math.pi * t / 1.7 + 0.4), [],
    ),
    "pulses": (
        ch.pulses("3 uA/cm^2", times=([0.21, 1.5, 0.97, 1.01], "ms"), width="0.33 ms"),
        lambda t: 3.0 * sum(b <= t < b + 0.33 for b in (0.21, 1.5, 0.97, 1.01)),
        sorted(x + w for x in (0.21, 1.5, 0.97, 1.01) for w in (0.0, 0.33)),
    ),
    "held samples": (
        ch.samples((VALUES, "uA/cm^2"), dt="0.7 ms", start="0.35 ms", hold=True), held, list(0.35 + 0.7 * np.arange(5)),
    ),
    "samples": (ch.samples((VALUES, "uA/cm^2"), dt="0.7 ms", start="0.35 ms"), linear, list(0.35 + 0.7 * np.arange(4))),
    "epochs": (
        ch.command("0.5 uA/cm^2", ("2 uA/cm^2", "0.54 ms"), ("1 uA/cm^2", "-3 uA/cm^2", "0.63 ms"), start="0.33 ms"),
        epochs, [0.33, 0.87, 1.5],
    ),
    "a recorded epoch": (
        ch.command("0.5 uA/cm^2", ("0.5 uA/cm^2", "0.35 ms"), ch.samples((VALUES, "uA/cm^2"), dt="0.7 ms")),
        recorded, list(0.35 + 0.7 * np.arange(4)),
    ),
    "a sum": (
        ch.step("2 uA/cm^2", start="0.53 ms") - 0.5 * ch.sine("2 uA/cm^2", period="1.7 ms"),
        lambda t: 2.0 * (t >= 0.53) - math.sin(2 * math.pi * t / 1.7), [0.53],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dt", [0.1, 0.07, 0.3])
@pytest.mark.parametrize(("first", "last"), [(0.0, 1.0), (0.0, 0.5), (0.5, 1.0)])
def test_a_step_sees_the_mean_of_what_falls_into_it(kind: str, dt: float, first: float, last: float) -> None:
    stimulus, formula, breaks = KINDS[kind]
    counted = stimulus.counted(dt, float)
    means = np.asarray(jax.vmap(lambda n: counted.mean(n, first, last))(jnp.arange(30, dtype=jnp.int32)))
    for n, mean in enumerate(means):
        a, b = (n + first) * dt, (n + last) * dt
        inside = [x for x in breaks if a < x < b]
        ends = [a, *inside, b]
        exact = sum(quad(formula, p, q, epsabs=1e-13)[0] for p, q in itertools.pairwise(ends)) / (b - a)
        assert mean == pytest.approx(exact, abs=2e-11), (n, inside)


@pytest.mark.parametrize("kind", ["step", "ramp", "pulses", "epochs"])
@pytest.mark.parametrize("late", [10**5, 10**7, 10**8])
def test_what_happens_late_is_what_happens_early_in_float32(kind: str, late: int, float32: None) -> None:
    """A billion steps of 0.1 ms on, an edge lies at the same share of its step."""
    early = {
        "step": lambda T: ch.step("2 uA/cm^2", start=(T + 0.53, "ms"), stop=(T + 1.5, "ms")),
        "ramp": lambda T: ch.ramp("1 uA/cm^2", "3 uA/cm^2", start=(T + 0.53, "ms"), stop=(T + 1.5, "ms")),
        "epochs": lambda T: ch.command(
            "1 uA/cm^2", ("-2 uA/cm^2", "0.54 ms"), ("0 uA/cm^2", "3 uA/cm^2", "0.43 ms"), start=(T + 0.53, "ms")
        ),
        "pulses": lambda T: ch.pulses("3 uA/cm^2", times=([T + 0.25, T + 0.97], "ms"), width="0.33 ms"),
    }[kind]
    numbers = jnp.arange(25, dtype=jnp.int32)
    a = jax.vmap(early(0).counted(0.1, np.float32).mean)(numbers)
    b = jax.vmap(early(late).counted(0.1, np.float32).mean)(numbers + late * 10)
    np.testing.assert_allclose(a, b, atol=2e-5)
    assert a.dtype == np.float32 and np.any(a != 0)


def test_a_sine_keeps_its_phase_for_a_billion_steps_in_float32(float32: None) -> None:
    sine = ch.sine("1 uA/cm^2", period="7.3 ms").counted(0.1, np.float32)
    for n in (10**6, 10**8, 10**9 + 1):
        turns = (n % 73 + 0.5) / 73  # 73 steps are one period
        exact = math.sin(2 * math.pi * turns) * math.sin(math.pi / 73) / (math.pi / 73)
        assert float(sine.mean(jnp.int32(n))) == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize("steps", [1, 5, 10])
def test_noise_is_redrawn_at_its_own_times_a_billion_steps_on(steps: int, float32: None) -> None:
    noise = ch.noise("0 uA/cm^2", "1 uA/cm^2", key=1, dt=(0.1 * steps, "ms")).counted(0.1, np.float32)
    numbers = 10**9 + jnp.arange(100, dtype=jnp.int32)
    drawn = np.asarray(jax.vmap(noise.mean)(numbers))
    changes = np.flatnonzero(np.diff(drawn)) + 1 + 10**9
    assert np.array_equal(changes, np.arange(10**9 + steps if 10**9 % steps == 0 else 10**9, 10**9 + 100, steps))


@pytest.mark.parametrize("late", [100, 1_000, 50_000, 100_000, 200_000])
def test_a_late_step_makes_the_spike_that_an_early_one_makes(late: int, float32: None) -> None:
    """1.918 ms after its onset: it was 1.818 from 100,000 ms on."""
    stimulus = ch.step("10 uA/cm^2", start=(late, "ms"), stop=(late + 8, "ms"))
    rest = ch.simulate(squid(), "60 ms", dt="0.1 ms", record=[]).final
    for start, state in ((0, None), (late - 2, rest)):
        run = ch.simulate(
            squid(), (late + 10 - start, "ms"), dt="0.1 ms", stimulus=stimulus, record=["spikes"], state=state, start=(start, "ms")
        )  # fmt: skip
        assert len(run.spikes) == 1
        assert run.spikes.times[0] - late == pytest.approx(1.918, abs=1e-3)


def test_a_capacitor_takes_the_charge_of_a_step_that_fits_no_step() -> None:
    for dt in (0.1, 0.05, 0.3):
        for solver in SOLVERS:
            V = ch.simulate(CAPACITOR, "3 ms", dt=(dt, "ms"), stimulus=KINDS["step"][0], solver=solver)["V"][-1, 0]
            assert pytest.approx(2 * 0.97, abs=1e-11) == V + 65, (dt, solver)


def test_an_edge_between_steps_keeps_the_order_of_the_default() -> None:
    def spike(dt: float) -> float:
        stimulus = ch.step("10 uA/cm^2", start="1.0337 ms", stop="15 ms")
        return ch.simulate(squid(), "5 ms", dt=(dt, "ms"), stimulus=stimulus).spikes.times[0]

    exact = spike(0.001)
    errors = np.abs([spike(dt) - exact for dt in (0.1, 0.05, 0.025)])
    assert errors[0] < 0.03 and np.all(errors[1:] < 0.36 * errors[:-1]), errors


@pytest.mark.parametrize("where", [1.0, 1.04, 1.1])
def test_the_gradient_with_respect_to_an_edge_is_the_current_that_it_moves(where: float) -> None:
    def end(start: jax.Array, stop: jax.Array) -> jax.Array:
        stimulus = ch.step("2 uA/cm^2", start=(start, "ms"), stop=(stop, "ms"))
        return ch.simulate(CAPACITOR, "3 ms", dt="0.1 ms", stimulus=stimulus)["V"][-1, 0]

    by_start, by_stop = jax.grad(end, (0, 1))(jnp.asarray(where), jnp.asarray(2.37))
    assert by_start == pytest.approx(-2.0, abs=1e-9) and by_stop == pytest.approx(2.0, abs=1e-9)


def test_edges_traced_by_jit_and_vmap_are_those_of_a_run() -> None:
    starts = np.array([0.3, 1.0337, 1.5])

    def V(start: object) -> object:
        return ch.simulate(CAPACITOR, "3 ms", dt="0.1 ms", stimulus=ch.step("2 uA/cm^2", start=(start, "ms")))["V"]

    together = jax.jit(jax.vmap(V))(jnp.asarray(starts))
    alone = [V(start) for start in starts]
    np.testing.assert_allclose(together, alone, atol=1e-11)


def test_a_gradient_with_respect_to_a_start_in_a_network_is_that_of_its_charge() -> None:
    net = ch.Network(cells=CAPACITOR)

    def end(start: jax.Array) -> jax.Array:
        run = ch.simulate(
            net, "3 ms", dt="0.1 ms", stimulus={"cells": ch.step("2 uA/cm^2", start=(start, "ms"))}, record="cells.V"
        )
        return run["cells.V"][-1, 0]

    assert jax.grad(end)(jnp.asarray(1.23)) == pytest.approx(-2.0, abs=1e-9)


# ---- a run in two parts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", MODELS)
def test_a_run_in_two_parts_is_one_run_to_the_last_bit(name: str, solver: str) -> None:
    cell, stimulus = MODELS[name](), ch.step("10 uA/cm^2", start="1.03 ms")
    options = {"dt": "0.02 ms", "stimulus": stimulus, "solver": solver, "chunk": 128}
    whole = ch.simulate(cell, "4 ms", **options)
    first = ch.simulate(cell, "1.5 ms", **options)
    second = ch.simulate(cell, "2.5 ms", **options, state=first.final, start="1.5 ms")
    assert np.array_equal(np.concatenate([first["V"], second["V"][1:]]), whole["V"])
    assert np.array_equal(second.t, whole.t[75:])
    np.testing.assert_array_equal(second.spikes.times, whole.spikes.times[whole.spikes.times > 1.5])


def test_a_network_in_two_parts_is_one_network_to_the_last_bit() -> None:
    net = ch.Network(
        cells=ch.cell("PointNeuron_Brette2007", size=60, V=ch.uniform("-75 mV", "-50 mV", seed=1)),
        given=ch.SpikeSource(3, times=([2.0, 2.9, 3.3], "ms"), neurons=[0, 1, 2]),
        noise=ch.Poisson(20, rate="200 Hz"),
        exc=ch.Projection("cells", "cells", "Expon", ch.fixed_probability(0.2), weight="6 nS", delay="0.5 ms"),
        late=ch.Projection(
            "noise", "cells", "AMPA", ch.fixed_probability(0.2), weight="6 nS", delay=ch.uniform("0 ms", "2 ms", seed=2)
        ),
        kick=ch.Projection("given", "cells", "Alpha", ch.all_to_all(), weight="3 nS"),
    )
    options = {
        "dt": "0.1 ms",
        "record": ["cells.V", "exc.g"],
        "stimulus": {"cells": ch.step("0.3 nA", start="1.23 ms")},
    }
    whole = ch.simulate(net, "8 ms", **options)
    first = ch.simulate(net, "2.5 ms", **options)
    second = ch.simulate(net, "5.5 ms", **options, state=first.final, start="2.5 ms")
    for name in ("cells.V", "exc.g"):
        assert np.array_equal(np.concatenate([first[name], second[name][1:]]), whole[name])
    for name in ("cells", "given", "noise"):
        both = np.concatenate([first.spikes[name].times, second.spikes[name].times])
        assert np.array_equal(both, whole.spikes[name].times) and len(both)


def test_a_state_handed_on_to_another_step_or_solver_starts_from_gates_at_one_time() -> None:
    first = ch.simulate(squid(), "2 ms", dt="0.05 ms", stimulus="10 uA/cm^2")
    at_once = first.final.at_once()
    assert at_once.behind is None and first.final.behind is not None
    for options in ({"dt": "0.1 ms"}, {"dt": "0.05 ms", "solver": "rk4"}):
        a, b = (ch.simulate(squid(), "1 ms", **options, stimulus="10 uA/cm^2", state=s) for s in (first.final, at_once))
        assert np.array_equal(a["V"], b["V"])


# ---- clock ---------------------------------------------------------------------------------------------------------


def test_a_time_within_rounding_of_a_step_is_on_it() -> None:
    found = moment(np.array([0.3, 0.7, 2.3, 1e8 + 0.3, math.inf]), 0.1, float)
    assert found.step[:4].tolist() == [3, 7, 23, 10**9 + 3]
    assert np.all(found.share[:4] < 2e-6) and found.step[4] == 2**31 - 1


def test_a_rhythm_knows_where_it_is_after_two_billion_steps() -> None:
    beat = rhythm(0.1, 0.3, 0.05, float)
    for n in (0, 1, 2, 10**9, 2 * 10**9 + 1):
        period, share = beat.at(jnp.int32(n))
        exact, part = divmod(n * 2 - 1, 6)  # in twentieths of a ms
        assert int(period) == exact and float(share) == pytest.approx(part / 6, abs=1e-9)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"duration": "300000000 ms"}, "longer than one can be"),
        ({"start": "214000000 ms", "duration": "1000000 ms"}, "times are known for"),
        ({"start": "0.03 ms"}, "not a whole number of steps of 0.1 ms: take 0 ms"),
        ({"start": "-1 ms"}, "at least 0 ms"),
        ({"start": 3.0}, "needs a unit"),
    ],
)
def test_a_time_that_cannot_be_is_refused(options: dict, words: str) -> None:
    with pytest.raises(ch.ChannelomeError, match=words):
        ch.simulate(CAPACITOR, **({"duration": "1 ms", "dt": "0.1 ms"} | options))


@pytest.mark.parametrize("kind", KINDS)
def test_the_end_of_a_step_and_the_beginning_of_the_next_are_each_on_their_own_side_of_an_edge(kind: str) -> None:
    stimulus, formula, breaks = KINDS[kind]
    counted, numbers = stimulus.counted(0.01, float), jnp.arange(300, dtype=jnp.int32)
    before, after = (np.asarray(jax.vmap(lambda n, share=share: counted.at(n, share))(numbers)) for share in (1.0, 0.0))
    for n in range(1, 300):
        if kind == "samples" and n == 245:
            continue  # the moment of the last sample has its value, and is no edge
        off = 1e-9 if np.abs(np.asarray([*breaks, -1.0]) - 0.01 * n).min() < 1e-9 else 0.0
        assert before[n - 1] == pytest.approx(formula(0.01 * n - off), abs=1e-6), n
        assert after[n] == pytest.approx(formula(0.01 * n + off), abs=1e-6), n
