"""What was imported beside NEURON's numbers of the same files: neuron.json, which make_neuron.py wrote."""

import json
from pathlib import Path

import numpy as np
import pytest
from channelome_nmodl.clamped import PULSES, TIMES, is_exact
from channelome_nmodl.compare import questions
from channelome_nmodl.load import load_all

HERE = Path(__file__).parent
NEURON = json.loads((HERE / "neuron.json").read_text(encoding="utf-8"))
FILES = sorted((HERE / "mods").glob("*.mod"))


def test_neuron_was_asked_about_every_file():
    assert sorted(NEURON) == [path.name for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_numbers_from_the_start_and_after_it_are_neurons(path: Path):
    parts = load_all(path)
    asked = questions(parts, "", "")
    assert len(asked) == len(NEURON[path.name]) > 0
    for question, answer in zip(asked, NEURON[path.name], strict=True):
        found = question.judged(answer)
        assert found.largest > 0.01
        # What NEURON crosses exactly agrees to rounding; the error of its variable-step solver is 5e-7 for the scheme.
        most = 1e-9 if question.job.get("exact") else 1e-6
        assert found.relative < most, found
        assert found.at_rest < most * found.largest


def test_a_difference_is_found_where_there_is_one():
    (question,) = questions(load_all(HERE / "mods/kv.mod"), "", "")
    (answer,) = NEURON["kv.mod"]
    assert is_exact(load_all(HERE / "mods/kv.mod")[0].plan)
    rows = np.asarray(answer["rows"])
    largest = question.judged(answer).largest
    rows[2, 3] += 1e-3 * largest
    found = question.judged(answer | {"rows": rows.tolist()})
    assert found.relative == pytest.approx(1e-3, rel=1e-2)
    assert found.worst == f"{TIMES[3]:g} ms after a jump to {PULSES[2]:g} mV"
    inactivation, others = (np.asarray(course) for course in answer["courses"])
    others[1, 13] += 2e-3 * largest
    found = question.judged(answer | {"courses": [inactivation.tolist(), others.tolist()]})
    assert found.relative == pytest.approx(2e-3, rel=1e-2)
    assert found.worst == "3.5 ms on an action potential"
