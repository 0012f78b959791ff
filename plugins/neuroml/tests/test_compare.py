"""`channelome import --compare` of NeuroML: channels beside jLEMS while the voltage follows commands; what is said where jLEMS is not there."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from channelome_neuroml import jlems
from channelome_neuroml.compare import BEGIN, COMMANDS, SPANS, STEP, judged, opened, starts
from channelome_neuroml.document import Document
from channelome_neuroml.jlems import Answer
from channelome_neuroml.load import outcomes
from channelome_neuroml.report import looks
from click.testing import CliRunner

import channelome as ch
from channelome.cli.main import main

HERE = Path(__file__).parent
KNOWN = json.loads((HERE / "commanded.json").read_text(encoding="utf-8"))


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


def test_pools_and_synapses_are_not_compared():
    found = looks(HERE / "nml/synapses.nml", python="no python at all")
    assert {one.trouble for one in found} == {"channels alone are compared with jLEMS"}
