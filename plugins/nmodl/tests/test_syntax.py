"""What is read of a file's text: comments of every style, line ends, errors with line and column."""

from pathlib import Path

import pytest
from channelome_nmodl.load import understood
from channelome_nmodl.text import LARGEST, NmodlError, read, source, title

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
