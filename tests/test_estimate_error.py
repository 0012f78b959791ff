"""The estimate of a run's error, against converged runs; what is random is the same in both steps; what cannot be is refused."""

import json
from typing import Any

import jax
import numpy as np
import pytest
from click.testing import CliRunner
from engine.models import BUMP, hippocampal, squid

import channelome as ch
from channelome.cli.main import main
from channelome.instruments.accuracy import _sent

DRIVEN: dict[str, Any] = {"stimulus": "10 uA/cm^2"}


def spikes(dt: float, solver: str) -> np.ndarray:
    traces = ch.simulate(squid(), "50 ms", dt=(dt, "ms"), solver=solver, **DRIVEN)
    return ch.crossings(traces.t, traces["V"], 0.0, cubic=True).times


@pytest.mark.parametrize(("solver", "dt"), [("staggered", 0.05), ("exp_euler", 0.0025), ("staggered4", 0.05)])
def test_the_estimated_error_of_spikes_and_of_V_is_that_against_a_converged_run(solver: str, dt: float):
    """Against rk4 at 0.0025 ms, whose own error is 5 10^-8 ms (tests of order)."""
    fine = ch.simulate(squid(), "50 ms", dt="0.0025 ms", solver="rk4", **DRIVEN)
    exact = ch.crossings(fine.t, fine["V"], 0.0, cubic=True).times
    estimate = ch.estimate_error(squid(), "50 ms", dt=(dt, "ms"), solver=solver, **DRIVEN)
    assert estimate.trusted and estimate.order == ch.solver(solver).order  # pyright: ignore
    by_traces = ch.simulate(squid(), "50 ms", dt=(dt, "ms"), solver=solver, **DRIVEN)
    found = by_traces.spikes.times if estimate.order <= 2 else spikes(dt, solver)
    assert estimate.spike_error == pytest.approx(np.abs(found - exact).max(), rel=0.2)
    V = np.abs(by_traces["V"] - fine["V"][:: round(dt / 0.0025)]).max()
    assert estimate.V_error == pytest.approx(V, rel=0.25)


def test_the_step_that_it_suggests_has_the_accuracy_that_was_asked_for():
    estimate = ch.estimate_error(squid(), "50 ms", dt="0.1 ms", accuracy="0.002 ms", **DRIVEN)
    assert estimate.suggested is not None and estimate.suggested < 0.1
    again = ch.estimate_error(squid(), "50 ms", dt=(estimate.suggested, "ms"), **DRIVEN)
    assert 0.0005 < again.spike_error < 0.0021
    quiet = ch.estimate_error(squid(), "5.12 ms", dt="0.04 ms", stimulus=BUMP, accuracy="1e-4 mV")
    assert quiet.V_error > 1e-4
    better = ch.estimate_error(squid(), "5.12 ms", dt=(quiet.suggested, "ms"), stimulus=BUMP)
    assert better.V_error < 1e-4 * 1.05


@pytest.mark.parametrize(("solver", "count"), [("staggered", 5), ("exp_euler", 1)])
def test_a_step_that_loses_spikes_is_told_to_be_too_long(solver: str, count: int):
    """The squid axon at 1 ms has fewer than its 7 spikes."""
    estimate = ch.estimate_error(squid(), "100 ms", dt="1 ms", solver=solver, **DRIVEN)
    (moved,) = estimate.populations.values()
    assert not estimate.trusted and moved.counts[0] == count < moved.counts[1]
    assert moved.rates == (moved.counts[0] * 10.0, moved.counts[1] * 10.0)
    assert np.isnan(estimate.spike_error) and "too long" in repr(estimate)
    with pytest.raises(ch.ModelError, match=r"differ too much.*estimate with one of 0.5 ms"):
        estimate.dt_for("1 ms")


def test_for_an_accuracy_a_step_that_is_too_long_is_halved_until_an_estimate_can_be_made():
    found = ch.estimate_error(squid(), "100 ms", dt="1 ms", accuracy="0.01 ms", **DRIVEN)
    assert found.trusted and found.suggested is not None and found.suggested <= found.dt < 1
    assert 7 in found.populations["cell"].counts


def test_noise_is_the_same_at_both_steps():
    """A capacitor under noise of 0.1 ms sums the same charge at any step, so that nothing but rounding moves."""
    cell = ch.SingleCompartment(3, IL=ch.channel("IL", g_max="0 mS/cm^2", E="-65 mV"))
    noise = ch.noise("0 uA/cm^2", "5 uA/cm^2", key=4, dt="0.1 ms", size=3)
    estimate = ch.estimate_error(cell, "20 ms", dt="0.1 ms", stimulus=noise)
    assert estimate.V_error < 1e-10
    assert np.std(np.asarray(ch.simulate(cell, "20 ms", dt="0.1 ms", stimulus=noise)["V"])) > 0.5


def poisson(rate: str = "400 Hz") -> ch.Network:
    return ch.Network(
        noise=ch.Poisson((5, 2), rate=rate, seed=7),
        cells=hippocampal(10),
        exc=ch.Projection("noise", "cells", "Expon", ch.fixed_probability(0.5), weight="0.1 nS"),
    )


def test_poisson_sources_send_the_same_spikes_at_both_steps():
    net = poisson()
    estimate = ch.estimate_error(net, "50 ms", dt="0.1 ms")
    assert estimate.order == 1, "a network's spikes stand at whole steps"
    assert set(estimate.populations) == {"cells"}
    moved = estimate.populations["cells"]
    by_itself = ch.simulate(net, "50 ms", dt="0.1 ms", record="cells.V")["cells.V"]
    finer = ch.simulate(net, "50 ms", dt="0.05 ms", record="cells.V", every=2)["cells.V"]
    independent = float(np.sqrt(np.mean((by_itself - finer) ** 2)))
    assert moved.V_rms < independent / 5, "other spikes move V by far more than the step"


def test_the_spikes_that_a_poisson_source_is_replaced_by_are_those_that_it_sends():
    source = ch.Poisson((5, 2), rate="400 Hz", seed=7)
    net = ch.Network(noise=source)
    sent = ch.simulate(net, "20 ms", dt="0.05 ms").spikes["noise"]
    given = ch.simulate(ch.Network(noise=_sent(source.counted(0.05), 0.05, 400, 0, 0)), "20 ms", dt="0.05 ms").spikes[
        "noise"
    ]
    assert len(sent) > 30
    np.testing.assert_allclose(given.times, sent.times, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(given.neurons, sent.neurons)


def test_spikes_of_a_network_stand_at_whole_steps_and_are_known_to_a_step_whatever_its_solver():
    """Nobody is connected, so that V is of the solver's order; on their own the cells say when they spike."""
    net, driven = ch.Network(cells=squid(3)), ([8.0, 10.0, 13.0], "uA/cm^2")
    estimate = ch.estimate_error(net, "50 ms", dt="0.1 ms", stimulus={"cells": driven}, solver="staggered4")
    alone = ch.simulate(squid(3), "50 ms", dt="0.01 ms", stimulus=driven, solver="staggered4").spikes
    sent = ch.simulate(net, "50 ms", dt="0.1 ms", stimulus={"cells": driven}, solver="staggered4").spikes["cells"]
    error = max(np.abs(sent.of(i) - alone.of(i)).max() for i in range(3))
    assert 0.05 < error <= estimate.spike_error == pytest.approx(0.1, rel=1e-6)
    assert estimate.order == 4 and estimate.V_error < 1
    assert estimate.dt_for("0.01 ms") == pytest.approx(0.01, rel=1e-9) and "stand at whole steps" in repr(estimate)
    assert estimate.dt_for("0.1 mV") > 0.04


def test_a_spike_that_the_longer_step_loses_is_not_taken_for_one_that_the_end_cuts_off():
    """In 20 ms the squid axon spikes at 1.9 and 16.8 ms; at 1 ms it spikes once."""
    estimate = ch.estimate_error(squid(), "20 ms", dt="1 ms", **DRIVEN)
    assert estimate.populations["cell"].counts == (1, 2) and not estimate.trusted
    cut = ch.estimate_error(squid(), "17 ms", dt="0.25 ms", **DRIVEN)  # the second comes at 17.2 ms there
    assert cut.populations["cell"].counts == (1, 2) and cut.trusted


@pytest.mark.parametrize("accuracy", ["1e-7 ms", "1e-5 mV"])
def test_an_accuracy_that_no_step_reaches_in_float32_is_an_error_that_says_so(accuracy: str, float32: None):
    with pytest.raises(ch.ModelError, match=r"no dt reaches .* in float32: .*jax_enable_x64"):
        ch.estimate_error(squid(), "50 ms", dt="0.05 ms", accuracy=accuracy, **DRIVEN)


@pytest.mark.parametrize("accuracy", ["1e-14 ms", "1e-12 mV"])
def test_an_accuracy_that_no_step_reaches_in_float64_is_one_too(accuracy: str):
    with pytest.raises(ch.ModelError, match=r"no dt reaches .* in float64: .*ask for less"):
        ch.estimate_error(squid(), "50 ms", dt="0.05 ms", solver="staggered4", accuracy=accuracy, **DRIVEN)


@pytest.mark.parametrize(
    ("accuracy", "error", "says"),
    [
        ("1 nA", ch.UnitError, "a time, of spikes, or a voltage"),
        (0.1, ch.UnitError, "a time, of spikes, or a voltage"),
        ("0 ms", ch.ModelError, "one number above 0"),
        ("-1 mV", ch.ModelError, "one number above 0"),
        ((np.inf, "mV"), ch.ModelError, "one number above 0"),
        ("0.1 ms", ch.ModelError, "nobody spikes"),
    ],
)
def test_an_accuracy_that_means_nothing_is_refused(accuracy: Any, error: type[Exception], says: str):
    with pytest.raises(error, match=says):
        ch.estimate_error(squid(), "5 ms", dt="0.05 ms", accuracy=accuracy)


def test_what_has_no_estimate_says_why():
    with pytest.raises(ch.ModelError, match="a cell or a Network, not None"):
        ch.estimate_error(None, "5 ms", dt="0.1 ms")
    with pytest.raises(ch.ModelError, match="sources alone"):
        ch.estimate_error(ch.Network(noise=ch.Poisson(3, rate="10 Hz")), "5 ms", dt="0.1 ms")
    with pytest.raises(ch.ModelError, match="outside of jit, vmap and grad"):
        jax.jit(lambda: ch.estimate_error(squid(), "5 ms", dt="0.1 ms").V_error)()
    net = poisson()
    begun = ch.simulate(net, "1 ms", dt="0.1 ms").final
    assert ch.estimate_error(net, "5 ms", dt="0.1 ms", state=begun).order == 1, "nothing is under way"
    net = net.replace(**{"exc.delay": "1 ms"})
    state = ch.simulate(net, "1 ms", dt="0.1 ms").final
    with pytest.raises(ch.ModelError, match=r"spikes under way, counted in steps.*without state="):
        ch.estimate_error(net, "5 ms", dt="0.1 ms", state=state)


def test_an_edge_inside_a_step_costs_runge_kutta_its_order_and_not_the_extrapolated_solver():
    options: dict[str, Any] = {"dt": "0.04 ms", "stimulus": ch.step("2 uA/cm^2", start="0.613 ms", stop="2.47 ms")}
    assert ch.estimate_error(squid(), "4 ms", solver="rk4", **options).order == 2
    assert ch.estimate_error(squid(), "4 ms", solver="staggered4", **options).order == 4


def test_an_adaptive_solver_is_told_by_its_tolerances():
    estimate = ch.estimate_error(squid(), "5 ms", dt="0.1 ms", solver="Tsit5_diffrax", **DRIVEN)
    assert "chooses its own steps" in repr(estimate)
    with pytest.raises(ch.ModelError, match="set its rtol and atol"):
        estimate.dt_for("0.1 mV")


def test_the_command_line_estimates_too():
    arguments = ["run", "SquidAxon_HH1952", "--duration", "20 ms", "--dt", "0.1 ms", "--stimulus", "10 uA/cm^2"]
    said = CliRunner().invoke(main, [*arguments, "--estimate"])
    assert said.exit_code == 0, said.output
    assert "dt = 0.1 ms beside 0.05 ms" in said.output and "By order 2 the error" in said.output
    said = CliRunner().invoke(main, [*arguments, "--accuracy", "0.5 mV", "--json"])
    found = json.loads(said.output)["estimate"]
    assert found["trusted"] and found["suggested_dt_ms"] < 0.1
    assert set(found["moved"]) == {"cell"}


def test_cubics_find_a_crossing_to_fourth_order():
    def error(dt: float, cubic: bool) -> float:
        t = np.arange(0, 10, dt)
        times = ch.crossings(t, 30 * np.sin(2 * np.pi * t / 10), 15.0, cubic=cubic).times
        return float(np.abs(times - 10 / 12).max())

    assert np.log2(error(0.11, True) / error(0.055, True)) > 3
    assert error(0.055, True) < error(0.055, False) / 1000


def test_cubics_agree_with_lines_on_a_line_and_at_the_ends_of_a_record():
    t = np.arange(6.0)
    for first in range(5):
        V = t - first - 0.25
        np.testing.assert_allclose(ch.crossings(t, V, 0.0, cubic=True).times, [first + 0.25], rtol=0, atol=1e-12)
