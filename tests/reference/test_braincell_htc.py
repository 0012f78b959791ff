"""The HTC cell against braincell's, as its documentation writes it and corrected; make_braincell_htc.py wrote the numbers.

`exp_euler` takes the same steps as braincell's `ind_exp_euler`, so the first-order error of both is the same.
"""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import channelome as ch

CASES = json.loads(Path(__file__).with_name("braincell_htc.json").read_text(encoding="utf-8"))["cases"]
PAGE = Path(__file__).parents[2] / "docs/htc.md"
DOCUMENTED = {"IL.g_max": "0.0075 mS/cm^2", "IAHP.beta": "0.09 /ms", "ICaN.ca_fraction": 1.0}


def of(cell: str) -> Any:
    chosen = [case for case in CASES if case["cell"] == cell]
    return pytest.mark.parametrize("case", chosen, ids=lambda case: f"{case['stimulus']}, {case['dt']} ms")


def run(cell: Any, case: dict[str, Any], state: ch.State | None = None) -> ch.Traces:
    dt = (case["dt"], "ms")
    return ch.simulate(
        cell, "2000 ms", dt=dt, stimulus=case["stimulus"], solver="exp_euler", state=state, record=["V", "ca.C_in"]
    )


@of("HTC")
def test_the_documented_cell_is_braincells_spike_by_spike(case):
    """28 spikes in 2 s within 0.6 ms at 0.05 ms, and within 0.12 ms at 0.01 ms."""
    cell = ch.cell("HTC_Li2017").replace(**DOCUMENTED)
    state = cell.initial_state()
    gates = {label: {gate: np.zeros_like(x) for gate, x in own.items()} for label, own in state.channels.items()}
    state = state._replace(channels=gates, ions=state.ions | {"ca": {"C_in": np.full(1, 2.4e-4)}})
    traces = run(cell, case, state)
    np.testing.assert_allclose(np.sort(traces.spikes.times), case["spikes"], rtol=0, atol=12 * case["dt"])
    assert float(traces["ca.C_in"].max()) == pytest.approx(case["calcium_peak"], rel=0.1 * case["dt"])


@of("Corrected")
def test_corrected_braincell_and_this_cell_meet(case):
    """The first six spikes as the step shrinks; at +100 pA it fires on and on, and errors add up."""
    traces = run(ch.cell("HTC_Li2017"), case)
    found, wanted = np.sort(traces.spikes.times), np.array(case["spikes"])
    assert abs(found.size - wanted.size) <= (1 if case["stimulus"] == "100 pA" else 0)
    np.testing.assert_allclose(found[:6], wanted[:6], rtol=0, atol=15 * case["dt"])
    assert float(traces["ca.C_in"].max()) == pytest.approx(case["calcium_peak"], rel=0.1 * case["dt"])


def test_the_page_says_what_was_computed():
    rows = re.findall(r"^\| braincell 0\.1\.0, .*\| (0\.\d+) \| (.*) \| (\d+) \| (\d+) \|$", PAGE.read_text(), re.M)
    assert len(rows) == 2
    for dt, numbers, silenced, driven in rows:
        held, up = ({c["stimulus"]: c for c in CASES if c["dt"] == float(dt) and c["cell"] == "Corrected"}[s] for s in ("-100 pA", "100 pA"))  # fmt: skip
        shown = [*held["spikes"][:4], 1e3 * held["calcium_peak"]]
        assert numbers.split(" | ") == [f"{x:.3f}" for x in shown]
        assert (int(silenced), int(driven)) == (len(held["spikes"]), len(up["spikes"]))
