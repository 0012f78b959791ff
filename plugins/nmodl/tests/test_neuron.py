"""Imported channels beside NEURON's currents of the same files: neuron.json, which make_neuron.py wrote."""

import json
from pathlib import Path

import numpy as np
import pytest
from channelome_nmodl.compare import PULSES, TIMES, is_exact, judged
from channelome_nmodl.load import load

HERE = Path(__file__).parent
NEURON = json.loads((HERE / "neuron.json").read_text(encoding="utf-8"))
FILES = sorted((HERE / "mods").glob("*.mod"))


def test_neuron_was_asked_about_every_file():
    assert sorted(NEURON) == [path.name for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_currents_after_jumps_and_at_rest_are_neurons(path: Path):
    imported = load(path)
    found = judged(imported, NEURON[path.name])
    assert found.largest > 0.01  # uA/cm^2
    # Gates that NEURON crosses exactly agree to rounding; the error of its variable-step solver is 5e-7 for the scheme.
    most = 1e-9 if is_exact(imported) else 1e-6
    assert found.relative < most, found
    assert found.at_rest < most * found.largest


def test_a_difference_is_found_where_there_is_one():
    answer = NEURON["kv.mod"]
    rows = np.asarray(answer["rows"])
    rows[2, 3] += 1e-3 * np.abs(rows).max()
    found = judged(load(HERE / "mods/kv.mod"), answer | {"rows": rows.tolist()})
    assert found.relative == pytest.approx(1e-3, rel=1e-2)
    assert found.worst == (PULSES[2], TIMES[3])
