"""Spike times of the squid axon against NEURON's own hh mechanism; make_neuron_axon.py wrote the numbers."""

import json
from pathlib import Path

import numpy as np

import channelome as ch

NEURON = json.loads(Path(__file__).with_name("neuron_axon.json").read_text(encoding="utf-8"))
CONVERGED = np.array(NEURON["cvode"]["1e-09"])


def spikes(dt: float) -> np.ndarray:
    cell = ch.cell("SquidAxon_HH1952")
    return ch.simulate(cell, "100 ms", dt=(dt, "ms"), stimulus="10 uA/cm^2", record="spikes").spikes.times


def test_neuron_itself_has_converged() -> None:
    # A thousandfold smaller tolerance moves the last spike by 1.4e-4 ms, so what is left is some 1e-6 ms.
    np.testing.assert_allclose(NEURON["cvode"]["1e-06"], CONVERGED, rtol=0, atol=2e-4)


def test_spike_times_are_those_of_neuron() -> None:
    # The default solver is of second order: extrapolated from two steps its error, 3e-4 ms at 0.005 ms, is all but gone.
    coarse, fine = spikes(0.01), spikes(0.005)
    np.testing.assert_allclose(fine, CONVERGED, rtol=0, atol=4e-4)
    np.testing.assert_allclose((4 * fine - coarse) / 3, CONVERGED, rtol=0, atol=1e-5)


def test_at_the_same_step_the_default_solver_is_fifty_times_closer_than_neurons() -> None:
    # 0.007 and 0.43 ms at the seventh spike: NEURON's default method is of first order.
    ours, theirs = (abs(times[-1] - CONVERGED[-1]) for times in (spikes(0.025), NEURON["fixed"]["0.025"]))
    assert ours < theirs / 50
