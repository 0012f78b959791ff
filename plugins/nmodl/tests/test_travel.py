"""What was imported travels by the text of its file: to a copy, and to a process that has no file."""

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from channelome_nmodl.load import load_all

import channelome as ch

MODS = Path(__file__).parent / "mods"
NAMES = ["kv", "scheme", "included", "shell", "pump", "plastic", "both"]
ELSEWHERE = """
import pickle, sys
import jax
jax.config.update("jax_enable_x64", True)
things = pickle.loads(sys.stdin.buffer.read())
cell = things.pop()
import channelome as ch
V = ch.simulate(cell, "5 ms", dt="0.05 ms", stimulus="5 uA/cm^2")["V"]
print(*map(repr, things), float(V[-1, 0]).hex(), sep="|")
"""


def instances():
    found = []
    for name in NAMES:
        for one in load_all(MODS / f"{name}.mod"):
            found.append(one.cls(**({"diameter": "2 um"} if name in ("pump", "shells") else {})))
    return found


def test_of_one_text_there_is_one_class():
    assert ch.load_channel(MODS / "kv.mod") is ch.load_channel(MODS / "kv.mod")


@pytest.mark.parametrize("there_and_back", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_are_equal(there_and_back):
    for one in instances():
        again = there_and_back(one)
        assert type(again) is type(one)
        assert again == one


def test_they_run_in_a_process_that_has_no_file(tmp_path: Path):
    kv = ch.load_channel(MODS / "kv.mod")
    cell = ch.SingleCompartment(1, "PotassiumFixed", IK=kv(g_max="20 mS/cm^2"), IL="IL", celsius=10)
    held = pickle.dumps([*instances(), cell])
    done = subprocess.run([sys.executable, "-c", ELSEWHERE], input=held, capture_output=True, cwd=tmp_path)
    assert not done.returncode, done.stderr.decode()
    *shown, V = done.stdout.decode().strip().split("|")
    assert shown == [repr(one) for one in instances()]
    mine = ch.simulate(cell, "5 ms", dt="0.05 ms", stimulus="5 uA/cm^2")["V"]
    assert float.fromhex(V) == pytest.approx(float(np.asarray(mine)[-1, 0]), rel=1e-12)


def test_a_text_that_was_changed_on_the_way_is_refused():
    reference = ch.load_channel(MODS / "kv.mod")._reference
    wrong = reference._replace(file=reference.file._replace(text=reference.file.text.replace(".01", ".02")))
    with pytest.raises(ch.ModelError, match="not the one that was sent"):
        wrong()


def test_a_model_that_cannot_be_saved_says_which_file_it_was_read_from(tmp_path: Path):
    cell = ch.SingleCompartment(1, "PotassiumFixed", IK=ch.load_channel(MODS / "kv.mod"), IL="IL", celsius=10)
    with pytest.raises(
        ch.ModelError,
        match=r"the channel 'IK' is of the class kv, .* It was read from kv\.mod: keep that file, and read it again",
    ):
        ch.save(cell, tmp_path / "cell.toml")
