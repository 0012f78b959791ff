"""The fit of docs/examples, in small: all starts come nearer, and some quite near."""

import importlib.util
from pathlib import Path

import numpy as np

FILE = Path(__file__).parents[1] / "docs/examples/fitting.py"


def test_ten_conductances_of_a_reconstructed_cell_are_fitted_from_several_starts_at_once():
    spec = importlib.util.spec_from_file_location("fitting", FILE)
    assert spec and spec.loader
    fitting = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fitting)
    share, way, target = fitting.fit(starts=4, steps=30)
    assert share.shape == (4, 10) and way.shape == (30, 4) and target.shape == (251, 1, 4)
    assert np.all(way[-1] < 0.75 * way[0])  # mV^2
    assert way[-1].min() < way[0].min() / 50
    assert np.abs(share[way[-1].argmin()] - 1).max() < 0.5
