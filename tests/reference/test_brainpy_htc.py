"""The HTC cell against BrainPy's, as its tutorial writes it and corrected; make_brainpy_htc.py wrote the numbers.

`exp_euler` takes the same steps as BrainPy's `exp_auto`, so a first-order error of 100 ms does not hide what differs.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import channelome as ch

CASES = json.loads(Path(__file__).with_name("brainpy_htc.json").read_text(encoding="utf-8"))["cases"]
TUTORIAL = [case for case in CASES if case["cell"] == "HTC"]
CORRECTED = [case for case in CASES if case["cell"] == "Corrected"]


def at(case: dict[str, Any]) -> str:
    return f"{case['stimulus']}, {case['dt']} ms"


def tutorial() -> tuple[ch.SingleCompartment, ch.State]:
    """The tutorial's cell, whose calcium never rises, with BrainPy's IAHP; and its start: gates at 0, calcium at 2.4e-4 mM."""
    cell = ch.cell("HTC_Li2017").replace(**{"IAHP.g_max": "10 mS/cm^2", "IAHP.beta": "0.09 /ms", "ca.d": "1e12 um"})
    state = cell.initial_state()
    gates = {label: {gate: np.zeros_like(x) for gate, x in own.items()} for label, own in state.channels.items()}
    return cell, state._replace(channels=gates, ions=state.ions | {"ca": {"C_in": np.full(1, 2.4e-4)}})


def run(cell: Any, case: dict[str, Any], state: ch.State | None = None) -> ch.Traces:
    dt = (case["dt"], "ms")
    return ch.simulate(
        cell, "2000 ms", dt=dt, stimulus=case["stimulus"], solver="exp_euler", state=state, record=["V", "ca.C_in"]
    )


@pytest.mark.parametrize("case", TUTORIAL, ids=at)
def test_the_tutorials_cell_is_brainpys_spike_by_spike(case):
    """All spikes of 2 s within 0.1 ms, V in between, although both are up to 55 ms from the converged solution."""
    cell, state = tutorial()
    traces = run(cell, case, state)
    np.testing.assert_allclose(np.sort(traces.spikes.times), case["spikes"], rtol=0, atol=0.1)
    V = np.asarray(traces["V"])[:, 0]
    every = round(case["every"] / case["dt"])
    assert np.median(np.abs(V[every::every] - case["V"])) < 0.02


@pytest.mark.parametrize("case", TUTORIAL, ids=at)
def test_the_calcium_of_the_tutorial_never_rises(case):
    cell, state = tutorial()
    calcium = np.asarray(run(cell, case, state)["ca.C_in"])[:, 0]
    assert case["calcium_peak"] == case["calcium_first"] == pytest.approx(calcium[1], rel=1e-12)
    assert case["calcium_end"] == pytest.approx(calcium[-1], rel=1e-9) == pytest.approx(5e-5, rel=1e-9)
    assert np.diff(calcium).max() < 1e-14  # a shell of 1e12 um takes that much; one of 0.5 um rises by 1e-2


@pytest.mark.parametrize("case", CORRECTED, ids=at)
def test_corrected_brainpy_and_this_cell_meet_as_the_step_shrinks(case):
    """As many spikes; they and the calcium's peak differ by less than a first-order error."""
    traces = run(ch.cell("HTC_Li2017"), case)
    np.testing.assert_allclose(np.sort(traces.spikes.times), case["spikes"], rtol=0, atol=50 * case["dt"])
    assert float(traces["ca.C_in"].max()) == pytest.approx(case["calcium_peak"], rel=0.2 * case["dt"])
