"""What was imported beside NEURON's numbers of the same files: neuron.json, which make_neuron.py wrote."""

import json
from pathlib import Path

import numpy as np
import pytest
from channelome_nmodl.accumulated import TIMES as SINCE
from channelome_nmodl.clamped import PULSES, TIMES, is_exact
from channelome_nmodl.compare import questions
from channelome_nmodl.load import load_all, understood
from channelome_nmodl.seen import Seen, compared
from channelome_nmodl.text import source

from channelome.errors import ModelError

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
        for found in question.judged(answer):
            assert (
                found.largest > 0.01 or question.job.get("kind") == "ion"
            )  # what a weak current leaves of the file's own
            # What NEURON crosses exactly agrees to rounding; the error of its variable-step solver is 5e-7 for the scheme.
            most = 1e-9 if question.job.get("exact") else 1e-6
            assert found.relative < most, found
            assert found.at_rest < most * found.largest


def test_a_difference_is_found_where_there_is_one():
    (question,) = questions(load_all(HERE / "mods/kv.mod"), "", "")
    (answer,) = NEURON["kv.mod"]
    assert is_exact(load_all(HERE / "mods/kv.mod")[0].plan)
    rows = np.asarray(answer["rows"])
    (found,) = question.judged(answer)
    largest = found.largest
    rows[2, 3] += 1e-3 * largest
    (found,) = question.judged(answer | {"rows": rows.tolist()})
    assert found.relative == pytest.approx(1e-3, rel=1e-2)
    assert found.worst == f"{TIMES[3]:g} ms after a jump to {PULSES[2]:g} mV"
    inactivation, others = (np.asarray(course) for course in answer["courses"])
    others[1, 13] += 2e-3 * largest
    (found,) = question.judged(answer | {"courses": [inactivation.tolist(), others.tolist()]})
    assert found.relative == pytest.approx(2e-3, rel=1e-2)
    assert found.worst == "3.5 ms on an action potential"


def test_a_pump_in_balance_is_compared_by_what_it_keeps_and_by_its_current_when_more_flows_in():
    clamp, driven = questions(load_all(HERE / "mods/balanced.mod"), "", "balanced")
    held, moved = NEURON["balanced.mod"]
    assert np.max(np.abs(held["rows"])) < 1e-10
    assert clamp.job["variables"][:2] == ["nai", "pump_balanced"]
    (found,) = clamp.judged(held)
    assert found.unit == "of nai, pump_balanced and held_balanced"
    kept, current = driven.judged(moved)
    assert (kept.unit, current.unit) == (found.unit, "uA/cm^2")
    assert current.largest > 0.01


@pytest.mark.parametrize(("variable", "name"), [(0, "nai"), (1, "pump_balanced"), (2, "held_balanced")])
def test_a_difference_of_what_is_kept_is_found_and_told_apart_from_one_of_the_current(variable: int, name: str):
    clamp, driven = questions(load_all(HERE / "mods/balanced.mod"), "", "balanced")
    held, moved = NEURON["balanced.mod"]
    courses = [np.asarray(course) for course in held["kept"]["courses"]]
    courses[1][1, 13, variable] *= 1 + 1e-4
    (found,) = clamp.judged(held | {"kept": {**held["kept"], "courses": [course.tolist() for course in courses]}})
    assert found.relative == pytest.approx(1e-4, rel=1e-2)
    assert found.worst == f"{name} 3.5 ms on an action potential"
    rows = np.asarray(moved["rows"])
    rows[1, 4, variable] *= 1 + 1e-4
    kept, current = driven.judged(moved | {"rows": rows.tolist()})
    assert kept.relative == pytest.approx(1e-4, rel=0.1)  # relative to the largest of all currents
    assert kept.worst == f"{name} {SINCE[3]:g} ms after the begin of -1.7 uA/cm^2"
    assert current.relative < 1e-6


def test_a_current_that_is_not_neurons_is_found_where_neuron_has_none():
    """A pump that is in balance there and not here."""
    text = (HERE / "mods/balanced.mod").read_text(encoding="utf-8")
    other = understood(source(text.replace("k4 = nai*k1*k3/(nao*k2)", "k4 = 1.01*nai*k1*k3/(nao*k2)"), "it.mod"), None)
    clamp, _ = questions(other, "", "balanced")
    current, kept = clamp.judged(NEURON["balanced.mod"][0])
    assert current.relative > 1
    assert kept.relative > 1e-6


def test_of_a_file_that_keeps_nothing_and_lets_nothing_through_there_is_nothing_to_compare():
    (question,) = questions(load_all(HERE / "mods/kv.mod"), "", "")
    (answer,) = NEURON["kv.mod"]
    nothing = {name: (np.asarray(answer[name]) * 0).tolist() for name in ("rows", "rest")}
    nothing["courses"] = [(np.asarray(course) * 0).tolist() for course in answer["courses"]]
    still = question.judged(answer | nothing)  # ours is not 0, and that is a difference
    assert still[0].relative > 1
    text = (
        (HERE / "mods/kv.mod")
        .read_text(encoding="utf-8")
        .replace("q = 3 }", "q = 3 n0p = 0 }")
        .replace("ik = gbar", "ik = n0p*gbar")
    )
    (question,) = questions(understood(source(text, "it.mod"), None), "", "")
    with pytest.raises(ModelError, match="its current is 0 with the file's defaults: there is nothing to compare"):
        question.judged(answer | nothing)


def test_where_a_file_has_a_default_of_the_diameter_it_is_still_that_of_the_section():
    text = (HERE / "mods/pump.mod").read_text(encoding="utf-8")
    (question,) = questions(understood(source(text.replace("diam (um)", "diam = 1 (um)"), "it.mod"), None), "", "")
    assert "diam" not in question.job["parameters"]
    assert question.job["parameters"]["buffer"] == 0.03


def test_what_is_rounding_to_neuron_is_no_difference_and_what_is_more_is_one():
    """A state that starts from 0 and stays at 1e-20, of which NEURON's variable steps know nothing."""
    names = (Seen("a_it", "ca", "a", True), Seen("b_it", "ca", "b", True))
    ours, theirs = np.full((1, 2, 2), 1e-20), np.full((1, 2, 2), -3e-20)
    found = compared(names, [(ours, theirs, lambda i, j: "there")], "9", np.array([0.0, 0.0]))
    assert found.relative < 1e-12
    found = compared(names, [(ours, theirs, lambda i, j: "there")], "9", np.array([0.0, 1e-20]))
    assert (found.relative, found.worst) == (pytest.approx(4 / 3), "b_it there")
    found = compared(names, [(ours + np.array([1e-9, 0]), theirs, lambda i, j: "there")], "9", np.array([0.0, 0.0]))
    assert found.relative == pytest.approx(1e-3)
