"""Cells beside NEURON, to which jNeuroML exports them; and what a cell cannot be."""

import json
from pathlib import Path

import numpy as np
from channelome_neuroml.cells import load_cell

import channelome as ch

HERE = Path(__file__).parent
KNOWN = json.loads((HERE / "neuron.json").read_text(encoding="utf-8"))
NML = HERE / "nml"


def run(cell, dt: float, record: list[str], stimulus) -> list[np.ndarray]:
    traces = ch.simulate(cell, "60 ms", dt=(dt, "ms"), stimulus=stimulus, record=record)
    every = round(0.5 / dt)
    return [np.squeeze(traces[name])[::every] for name in record]


def refined(cell, record: list[str], stimulus, dt: float) -> list[np.ndarray]:
    """Traces without the error of the step that goes with its square."""
    one, two = (run(cell, step, record, stimulus) for step in (dt, dt / 2))
    return [(4 * b - a) / 3 for a, b in zip(one, two, strict=True)]


def test_a_cell_of_one_segment_is_that_of_neuron():
    cell = ch.load(NML / "ball.cell.nml")
    assert isinstance(cell, ch.SingleCompartment)
    stimulus = ch.step("0.15 nA", start="10 ms", stop="50 ms")
    (V,) = refined(cell, ["V"], stimulus, 0.02)
    compared(V, "ball", "soma(0.5)._ref_v", 0.01)


def compared(found: np.ndarray, cell: str, what: str, tolerance: float) -> None:
    theirs = np.asarray(KNOWN[cell][what])
    assert np.ptp(theirs) > 100 * tolerance
    np.testing.assert_allclose(found[: len(theirs)], theirs, rtol=0, atol=tolerance)


def test_a_branched_cell_is_that_of_neuron():
    cell = load_cell(NML / "branched.cell.nml", discretise=ch.per_branch([1, 5, 7, 7]))
    stimulus = ch.at("soma", ch.step("0.3 nA", start="5 ms", stop="45 ms"))
    V, tip, calcium = refined(cell, ["soma.V", "dend[2](0.5).V", "ca.C_in"], stimulus, 0.02)
    compared(V, "branched", "soma_0(0.5)._ref_v", 0.01)
    compared(tip, "branched", "dend_2(0.5)._ref_v", 0.01)
    compared(calcium, "branched", "soma_0(0.5)._ref_cai", 1e-8)
