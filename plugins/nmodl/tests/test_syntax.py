"""What is read of a file's text: comments of every style, line ends, errors with line and column."""

import shutil
import subprocess
from pathlib import Path

import pytest
from channelome_nmodl.load import load, understood
from channelome_nmodl.oracle import compiled
from channelome_nmodl.text import LARGEST, NmodlError, read, source, title

from channelome.errors import ModelError

KV = (Path(__file__).parent / "mods/kv.mod").read_text(encoding="utf-8")


def imported(text: str, folder: Path = Path("nowhere")):
    return understood(source(text, "it.mod"), folder)[0]


def changed(old: str, new: str) -> str:
    assert old in KV
    return KV.replace(old, new, 1)


@pytest.mark.parametrize(
    "text",
    [
        KV.replace("\n", "\r\n"),
        KV.replace("\n", "\r"),
        KV + "\x1a",
        changed("BREAKPOINT", ": a comment { with braces\n? another } one\nBREAKPOINT"),
        changed("BREAKPOINT", "COMMENT\n : BREAKPOINT { ik = 1 }\nENDCOMMENT\nBREAKPOINT"),
        changed("BREAKPOINT", "UNITSOFF\nBREAKPOINT"),
        changed("a delayed rectifier", "ein verzögerter Gleichrichter"),
        changed("n' = (ninf - n)/ntau", "n'=(ninf-n)/ntau"),
        changed("- 6.3", "- 6.3 (degC)"),
        changed(".01*", "1e-2*"),
        changed("PROCEDURE", "INDEPENDENT { t FROM 0 TO 1 WITH 1 (ms) }\nPROCEDURE"),
        changed("rates(v) n' =", "rates(v (mV)) n' =").replace("rates(v (mV)) n'", "rates(v) n'"),
    ],
)
def test_ways_of_writing_do_not_matter(text: str):
    cls, known = imported(text).cls, imported(KV).cls
    assert (cls.gates, dict(cls.parameters)) == (known.gates, dict(known.parameters))


def test_latin_1_and_utf_8_are_read(tmp_path: Path):
    for encoding in ("latin-1", "utf-8", "utf-8-sig"):
        path = tmp_path / "kv.mod"
        path.write_bytes(changed("a delayed rectifier", "ein verzögerter Gleichrichter").encode(encoding))
        assert title(read(path)).startswith("ein verzögerter")


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("ik = gbar*n^4*(v - ek)", "ik = gbar**n", r"it.mod, line 7, column \d+: '\*'"),
        ("STATE { n }", "STATE { n ", "line 7"),
        ("n' = (ninf - n)/ntau }", "n' = (ninf - n)/ntau", "at its end|line"),
        ("PROCEDURE", "PROCEDUR", "line 10, column 1: 'PROCEDUR'"),
        ("0.036", "0.036.2", "line 4"),
    ],
)
def test_an_error_names_line_and_column(old: str, new: str, where: str):
    with pytest.raises(NmodlError, match=where):
        imported(changed(old, new))


def test_a_huge_file_is_not_read(tmp_path: Path):
    path = tmp_path / "huge.mod"
    path.write_bytes(b" " * (LARGEST + 1))
    with pytest.raises(NmodlError, match="bytes"):
        read(path)


def test_deep_nesting_is_no_crash():
    assert imported(changed("gbar*n^4", "(" * 20_000 + "gbar" + ")" * 20_000 + "*n^4")).cls.gates == ("n",)
    with pytest.raises(NmodlError, match="too deeply"):
        imported(changed("gbar*n^4", "-" * 20_000 + "gbar"))


def test_a_line_of_a_file_that_is_included_is_told_as_of_that_file(tmp_path: Path):
    (tmp_path / "rates.inc").write_text("\n\nPARAMETER { w = 9 (mV) }\nPROCEDURE rates() {\n  inf = scop_random()\n}\n")
    head = "NEURON { SUFFIX inc USEION k READ ek WRITE ik }\nPARAMETER { g = 1 (S/cm2) }\nASSIGNED { v (mV) ek (mV) ik inf }\n"
    body = "STATE { n }\nINITIAL { n = 0.5 }\nBREAKPOINT { SOLVE s METHOD cnexp ik = g*n*(v - ek) }\nDERIVATIVE s { rates() n' = (inf - n)/w }\n"
    path = tmp_path / "inc.mod"
    path.write_text(head + body + 'INCLUDE "rates.inc"\n')
    with pytest.raises(NmodlError, match=r"^rates\.inc, line 5: scop_random"):
        load(path)
    (tmp_path / "rates.inc").write_text(
        "\n\nPARAMETER { w = 9 (mV) }\nPROCEDURE rates() {\n  inf = 1/(1 + exp(-v/w))\n}\n"
    )
    made = load(path)
    assert made.cls.parameters["w"].source == "rates.inc, line 3: w"
    assert made.cls.parameters["g_max"].source == "inc.mod, line 2: g"
    (tmp_path / "rates.inc").write_text("\n\nPARAMETER { w = ) }\n")
    with pytest.raises(NmodlError, match=r"^rates\.inc, line 3, column 17: '\)' is not expected"):
        load(path)
    (tmp_path / "rates.inc").write_text('\nINCLUDE "none.inc"\n')
    with pytest.raises(NmodlError, match=r'^rates\.inc, line 2: INCLUDE "none\.inc" is not in the folder'):
        load(path)
    path.write_text('INCLUDE "rates.inc"\n' + head + body.replace("rates()", "other()"))
    (tmp_path / "rates.inc").write_text("PARAMETER { w = 9 (mV) }\n\n\n")
    with pytest.raises(NmodlError, match=r"^inc\.mod, line 8: other\(\) is neither"):
        load(path)


def test_what_a_file_includes_goes_with_it_to_neuron_and_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    mods, work = tmp_path / "mods", tmp_path / "work"
    (mods / "deep").mkdir(parents=True)
    work.mkdir()
    (mods / "deep/w.inc").write_text("PARAMETER { w = 9 (mV) }\n")
    round_about = "../../" + "/".join(mods.parts[-2:]) + "/deep/w.inc"
    text = changed("STATE", f'INCLUDE "deep/w.inc"\nINCLUDE "{round_about}"\nINCLUDE "{mods}/deep/w.inc"\nSTATE')
    (mods / "kv.mod").write_text(text)
    made = load(mods / "kv.mod")
    assert {name for name, _ in made.included} == {"deep/w.inc", round_about, f"{mods}/deep/w.inc"}
    before = {path: path.stat().st_mtime_ns for path in mods.rglob("*")}

    def refused(*args: object, **kwargs: object) -> object:
        return subprocess.CompletedProcess([], 1, "error: not compiled here", "")

    monkeypatch.setattr(subprocess, "run", refused)
    monkeypatch.setattr(shutil, "which", lambda name: "nrnivmodl")
    with pytest.raises(ModelError, match="NEURON cannot compile"):
        compiled(mods / "kv.mod", work, "python", "", made.included)
    assert (work / "mod/deep/w.inc").read_text() == "PARAMETER { w = 9 (mV) }\n"
    assert {path: path.stat().st_mtime_ns for path in mods.rglob("*")} == before
    assert {path.name for path in tmp_path.iterdir()} == {"mods", "work"}


def test_a_name_that_no_file_can_have_is_said(tmp_path: Path):
    (tmp_path / "a.inc").symlink_to("b.inc")
    (tmp_path / "b.inc").symlink_to("a.inc")
    for name in ("x" * 5000, "a.inc"):
        with pytest.raises(NmodlError, match=r"it\.mod, line 1: INCLUDE .* is (no name of a file|not in the folder)"):
            imported(f'INCLUDE "{name}"\n{KV}', tmp_path)
