"""NeuroML files at the shell: what `channelome import` says, a pack of a folder; classes that travel."""

import copy
import json
import pickle
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import channelome as ch
from channelome.cli.main import main

NML = Path(__file__).parent / "nml"
ELSEWHERE = """
import pickle, sys
import jax
jax.config.update("jax_enable_x64", True)
cell = pickle.loads(sys.stdin.buffer.read())
import channelome as ch
print(float(ch.simulate(cell, "2 ms", dt="0.05 ms")["V"][-1, 0]).hex())
"""


def run(*arguments: object):
    return CliRunner().invoke(main, [*map(str, arguments)])


def test_a_file_is_told():
    done = run("import", NML / "kv.channel.nml")
    assert done.exit_code == 0, done.output
    assert "kv: Ohmic, from the ionChannelHH in kv.channel.nml, line 3" in done.output
    assert "g_max = must be given, mS/cm^2" in done.output
    assert "n_beta_rate = 0.125 1/ms (line 8: rate of reverseRate)" in done.output


def test_a_folder_becomes_a_pack(tmp_path: Path):
    folder, pack = tmp_path / "nml", tmp_path / "mypack"
    folder.mkdir()
    for name in ("kv.channel.nml", "schemes.nml", "synapses.nml"):
        shutil.copy(NML / name, folder / name)
    (folder / "bad.nml").write_text(
        '<neuroml><ionChannelHH id="bad" conductance="1pS"><gateMagic id="n"/></ionChannelHH></neuroml>'
    )
    report = tmp_path / "report.html"
    done = run("import", folder, "--pack", pack, "--family", "Smith2020", "--license", "MIT", "--report", report)
    assert done.exit_code == 0, done.output
    assert "8 of 9 mechanisms are imported; 0 are something else, 1 are refused" in " ".join(done.output.split())
    manifest = tomllib.loads((pack / "src/channelome_smith2020/pack.toml").read_text(encoding="utf-8"))
    assert {*manifest["channel"]} == {"IKv_Smith2020", "ITwo_Smith2020", "IChain_Smith2020"}
    assert {"Ampa_Smith2020", "Nmda_Smith2020", "NmdaRelease_Smith2020"} <= {*manifest["synapse"]}
    assert "kv.channel.nml, SHA-256" in manifest["references"]["IKv_Smith2020_ported"]["text"]
    golden = json.loads((pack / "tests/golden.json").read_text(encoding="utf-8"))
    assert {case["channel"] for case in golden} == {*manifest["channel"]}
    assert "gateMagic" in report.read_text(encoding="utf-8")


@pytest.mark.parametrize("there_and_back", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_are_equal(there_and_back):
    for one in (ch.load_channel(NML / "schemes.nml", "chain")(g_max="1 mS/cm^2"), *[cls() for cls in synapses()]):
        again = there_and_back(one)
        assert type(again) is type(one)
        assert again == one


def synapses():
    return [ch.load_synapse(NML / "synapses.nml", "nmda"), ch.load_plasticity(NML / "synapses.nml", "nmda")]


def test_a_cell_runs_in_a_process_that_has_no_file(tmp_path: Path):
    cell = ch.load(NML / "ball.cell.nml")
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], input=pickle.dumps(cell), capture_output=True, cwd=tmp_path
    )
    assert not done.returncode, done.stderr.decode()
    mine = ch.simulate(cell, "2 ms", dt="0.05 ms")["V"]
    assert float.fromhex(done.stdout.decode()) == pytest.approx(float(np.asarray(mine)[-1, 0]), rel=1e-12)
    reference = type(cell.channels["kAll"])._reference
    changed = reference._replace(texts=reference.texts._replace(name="other.nml"))
    with pytest.raises(ch.ModelError, match="not the one that was sent"):
        changed()


def test_two_channels_of_one_file_are_told_apart():
    with pytest.raises(ch.ModelError, match=r"holds more than one channel: say name=\.\.\., of naRates"):
        ch.load_channel(NML / "gates.nml")
    assert ch.load_channel(NML / "gates.nml", "fractions").gates == ("f_fast", "f_slow")
    assert ch.load_channel(NML / "gates.nml", "fractions") is ch.load_channel(NML / "gates.nml", "fractions")
