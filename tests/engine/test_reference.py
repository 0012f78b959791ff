"""Spike times against converged integrations by SciPy, as the founding issue of the project gives them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from channelome_hh1952 import IK_HH1952, INa_HH1952
from engine.models import squid

import channelome as ch
from channelome.mechanisms.leak import IL

SEVENTH = 90.018
"""Time in ms of the seventh spike of the squid axon at 10 uA/cm^2, from steady state at -65 mV."""
TUTORIAL_FROM_0 = [3.594, 18.036, 33.902, 49.829, 65.758, 81.687, 97.615]
TUTORIAL_FROM_REST = [2.818, 18.582, 34.508, 50.437, 66.365, 82.294, 98.223]
AXON = squid()


def spikes(cell: ch.SingleCompartment, dt: float, stimulus: str, **options: object) -> np.ndarray:
    return ch.simulate(cell, "100 ms", dt=(dt, "ms"), stimulus=stimulus, record="spikes", **options).spikes.times


@pytest.mark.parametrize(("dt", "tolerance"), [(0.1, 0.12), (0.05, 0.03), (0.025, 0.008)])
def test_the_seventh_spike_of_the_squid_axon_is_where_scipy_finds_it(dt: float, tolerance: float) -> None:
    times = spikes(AXON, dt, "10 uA/cm^2")
    assert len(times) == 7
    assert times[6] == pytest.approx(SEVENTH, abs=tolerance)


def test_exponential_euler_is_late_by_its_known_error() -> None:
    assert spikes(AXON, 0.1, "10 uA/cm^2", solver="exp_euler")[6] - SEVENTH == pytest.approx(4.77, abs=0.02)


def test_the_default_solver_is_as_good_in_float32(float32: None) -> None:
    assert spikes(AXON, 0.025, "10 uA/cm^2")[6] == pytest.approx(SEVENTH, abs=0.02)


def tutorial() -> ch.SingleCompartment:
    """The Hodgkin-Huxley cell of BrainPy's and braincell's tutorials."""
    ions = ch.ion("SodiumFixed", E="50 mV"), ch.ion("PotassiumFixed", E="-90 mV")
    IK, leak = IK_HH1952(phi=1.0, g_max="10 mS/cm^2"), IL(g_max="0.03 mS/cm^2", E="-54.387 mV")
    return ch.SingleCompartment(1, *ions, INa=INa_HH1952(phi=1.0), IK=IK, IL=leak)


def test_the_tutorial_spikes_from_steady_state() -> None:
    np.testing.assert_allclose(spikes(tutorial(), 0.01, "4 uA/cm^2"), TUTORIAL_FROM_REST, rtol=0, atol=3e-3)


def test_the_tutorial_spikes_from_gates_at_0() -> None:
    cell = tutorial()
    start = cell.initial_state()
    closed = start._replace(channels=jax.tree.map(jnp.zeros_like, start.channels))
    np.testing.assert_allclose(spikes(cell, 0.01, "4 uA/cm^2", state=closed), TUTORIAL_FROM_0, rtol=0, atol=3e-3)
