"""`channelome import --compare` of NeuroML: channels beside jLEMS while the voltage follows commands; what is said where jLEMS is not there."""

import json
import shutil
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from channelome_neuroml import fed, jlems, spiked
from channelome_neuroml.compare import BEGIN, COMMANDS, SPANS, STEP, judged, opened, starts
from channelome_neuroml.document import Document
from channelome_neuroml.jlems import Answer
from channelome_neuroml.load import outcomes
from channelome_neuroml.report import looks
from click.testing import CliRunner

import channelome as ch
from channelome.cli.main import main

HERE = Path(__file__).parent
KNOWN, FED, SPIKED = (
    json.loads((HERE / f"{name}.json").read_text(encoding="utf-8")) for name in ("commanded", "fed", "spiked")
)


def commanded() -> np.ndarray:
    """V in mV at each row, of shape (rows, commands), as the type in `jlems` has it."""
    u = STEP * np.arange(round((BEGIN + SPANS[1]) / STEP) + 1)[:, None] - BEGIN
    hold, first, second, ramp, spike = (
        np.array([getattr(one, name) for one in COMMANDS]) for name in ("hold", "first", "second", "ramp", "spike")
    )
    s = u / SPANS[0]
    V = np.where(s < 0, hold, np.where(s < 1, first + ramp * s, second))
    return V + spike * (np.exp(-(((u - 5) / 0.4) ** 2)) - 0.2 * np.exp(-(((u - 7.5) / 2) ** 2)))


def imported(key: str):
    document = Document(HERE / "nml" / key.partition(":")[0])
    (found,) = [one.imported[0] for one in outcomes(document) if one.element.id == key.partition(":")[2]]
    return found, starts(document, found)


@pytest.mark.parametrize("key", KNOWN)
def test_a_channel_follows_commands_as_in_jlems(key: str):
    one, begun = imported(key)
    theirs = np.asarray(KNOWN[key])
    V = np.concatenate([commanded()[:1], commanded()])
    ours = opened(one.cls, V, begun)[::50][: len(theirs)]
    assert np.ptp(theirs) > 0.01
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-7 * np.abs(theirs).max())


def test_a_difference_is_found_where_there_is_one():
    one, begun = imported("kv.channel.nml:kv")
    V = commanded()
    theirs = np.concatenate(
        [np.zeros((1, len(COMMANDS))), opened(one.cls, np.concatenate([V[:1], V])[:-1], begun)[:-1]]
    )
    assert judged(one.cls, Answer(V, theirs, "0"), begun).relative == 0.0
    theirs[1300, 7] += 0.01
    found = judged(one.cls, Answer(V, theirs, "0"), begun)
    assert found.differs
    assert str(found).endswith("13 ms on an action potential")


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    (found,) = looks(HERE / "nml/kv.channel.nml", python=sys.executable)
    assert found.trouble == "jNeuroML needs Java, and there is no `java` on the PATH."
    assert "not compared: jNeuroML needs Java" in found.told
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/java")
    (found,) = looks(HERE / "nml/kv.channel.nml", python=sys.executable)
    assert "`pip install pyneuroml` brings it; --python names an interpreter" in found.trouble
    monkeypatch.setattr(jlems, "_WHERE", "raise SystemExit(3)")
    with pytest.raises(ch.ModelError, match="pip install pyneuroml"):
        jlems.jar(sys.executable)
    with pytest.raises(ch.ModelError, match=r"no Python that runs: .*nopython"):
        jlems.jar(str(tmp_path / "nopython"))


def stub(folder: Path, monkeypatch: pytest.MonkeyPatch, says: str, rows: str = "") -> None:
    """A `java` that writes `rows` where jLEMS would, and a pyNeuroML that has a jar."""
    (folder / "lib").mkdir()
    (folder / "lib/jNeuroML-9.9.9-jar-with-dependencies.jar").touch()
    java = folder / "java"
    java.write_text(
        f"#!{sys.executable}\nopen('asked.dat', 'w').write({rows!r}) if {rows!r} else None\nprint({says!r})\n",
        encoding="utf-8",
    )
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setattr(jlems, "_WHERE", f"print({str(folder)!r})")


def test_what_jlems_cannot_run_is_said_in_its_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    stub(tmp_path, monkeypatch, "nothing here\nLEMSException: no such component: kv\n")
    (found,) = looks(HERE / "nml/kv.channel.nml", python=sys.executable)
    assert found.trouble == "jLEMS cannot run it: LEMSException: no such component: kv"
    assert not found.failed


def test_a_channel_that_differs_makes_the_command_fail(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    V = commanded()
    rows = "\n".join(" ".join(f"{x:.9g}" for x in (0.0, *1e-3 * row, *np.full(len(COMMANDS), 0.5))) for row in V)
    stub(tmp_path, monkeypatch, "", rows)
    done = CliRunner().invoke(
        main, ["import", str(HERE / "nml/kv.channel.nml"), "--compare", "--report", str(tmp_path / "report.html")]
    )
    assert done.exit_code == 1, done.output
    assert "differs from jLEMS (jNeuroML 9.9.9)" in done.output
    assert " from jLEMS<td>" in (tmp_path / "report.html").read_text(encoding="utf-8")


def of(file: str, id: str):
    """The classes of a component."""
    (found,) = [one.imported for one in outcomes(Document(HERE / "nml" / file)) if one.element.id == id]
    return found


@pytest.mark.parametrize("id", FED)
def test_a_concentration_follows_currents_as_in_jlems(id: str):
    theirs = np.asarray(FED[id])
    with jax.enable_x64(True):
        ours = fed.followed(of("pools.nml", id)[0].cls, 100 * len(theirs))[::100]
    assert np.ptp(theirs) > 2e-4
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-7 * theirs.max())
    found = fed.judged(of("pools.nml", id)[0].cls, theirs, "0")
    assert found.differs  # rows that were left out stand at other times


@pytest.mark.parametrize("id", SPIKED)
def test_a_synapse_follows_spikes_as_in_jlems(id: str):
    theirs, parts = np.asarray(SPIKED[id]), of("synapses.nml", id)
    found = spiked.judged(parts, 5e-4, theirs, "0.14.0")
    assert found.relative < 5e-7
    assert found.largest > 0.005
    assert not found.differs
    theirs[1, 0] *= 1 + 1e-3
    off = spiked.judged(parts, 5e-4, theirs, "0.14.0")
    assert off.differs
    assert str(off).endswith("at 3 ms and -81.3 mV")


def test_a_difference_of_a_concentration_is_told_with_its_place():
    cls = of("pools.nml", "thin")[0].cls
    with jax.enable_x64(True):
        theirs = fed.followed(cls, 2000).copy()
    theirs[1234, 2] *= 1.01
    found = fed.judged(cls, theirs, "0.14.0")
    assert found.difference == pytest.approx(theirs[1234, 2] * (1 - 1 / 1.01))
    assert str(found).startswith("differs from jLEMS (jNeuroML 0.14.0)")
    assert str(found).endswith("12.34 ms after the begin of -4.1 uA/cm^2")


def test_steps_of_jlems_that_are_too_long_are_said(monkeypatch: pytest.MonkeyPatch):
    texts = Document(HERE / "nml/synapses.nml").texts

    def run(texts, body, columns, python, step, length):
        decayed = (1 - step / 0.02) ** np.arange(round(length / step) + 1)  # of Euler, of a constant of a step's length
        return 1e-11 * np.repeat(decayed[:, None], len(columns), axis=1), "0"

    monkeypatch.setattr(spiked, "run", run)
    monkeypatch.setattr(spiked, "TIMES", (0.06, 0.1))
    with pytest.raises(ch.ModelError, match=r"jLEMS, at steps down to 0\.0025 ms, leaves an error"):
        spiked.ask(texts, "ampa", "python")


def test_what_comes_of_pools_and_synapses_is_reported(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(spiked, "ask", lambda texts, id, python: (np.asarray(SPIKED[id]), "0.14.0"))
    found = looks(HERE / "nml/synapses.nml", python="a python")
    assert [(one.name, one.oracle, one.failed) for one in found] == [(id, "jLEMS", False) for id in SPIKED]
    assert all(one.difference < 5e-7 and "equal to jLEMS (jNeuroML 0.14.0)" in one.told for one in found)
    monkeypatch.setattr(fed, "ask", lambda texts, id, python: (np.asarray(FED[id]), "0.14.0"))
    assert all(one.failed for one in looks(HERE / "nml/pools.nml", python="a python"))


def test_cells_are_not_compared():
    (found,) = [one for one in looks(HERE / "nml/ball.cell.nml", python="no python at all") if one.name == "ball"]
    assert found.trouble == "cells are not compared: jLEMS makes one compartment of them"
