"""What `channelome freeze` prints is installed into an empty environment, and gives the same numbers to the last bit."""

import re
import subprocess
import sys
from pathlib import Path

import packs_alone
import pytest

import channelome as ch

TRACE = """
import sys, channelome as ch
cell = ch.load(sys.argv[1], on_mismatch="strict")
solver = ch.solver(sys.argv[2])
traces = ch.simulate(cell, "30 ms", dt="0.025 ms", stimulus="10 uA/cm^2", solver=solver, record=["V", "INa.m"])
print(traces["V"].tobytes().hex()[-4000:], traces["INa.m"].tobytes().hex()[-4000:], len(traces.spikes))
"""


@pytest.mark.release
def test_a_saved_model_gives_the_same_trace_where_its_freeze_is_installed(tmp_path: Path):
    ch.save(ch.cell("SquidAxon_HH1952", size=3, V="-64 mV"), tmp_path / "axon.toml")
    channelome = Path(sys.executable).with_name("channelome")
    frozen = subprocess.run(
        [channelome, "freeze", tmp_path / "axon.toml"], capture_output=True, text=True, check=True
    ).stdout
    (tmp_path / "requirements.txt").write_text(frozen)
    (tmp_path / "trace.py").write_text(TRACE)
    ours = re.findall(r"^(channelome[\w-]*)==", frozen, flags=re.M)
    assert {"channelome", "channelome-hh1952", "channelome-diffrax"} <= set(ours)
    (tmp_path / "wheels").mkdir()
    packs_alone.build(ours, tmp_path / "wheels")
    other = packs_alone.Environment(tmp_path)
    other.pip("install", "--find-links", tmp_path / "wheels", "-r", tmp_path / "requirements.txt")
    for solver in ("staggered", "Tsit5_diffrax"):
        words = (tmp_path / "trace.py", tmp_path / "axon.toml", solver)
        here = packs_alone.run(sys.executable, *words, cwd=tmp_path)
        there = packs_alone.run(other.python, *words, cwd=tmp_path)
        assert here == there
        assert len(here) > 8_000
