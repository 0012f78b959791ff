"""`channelome new`: what it makes is checked, what it is asked wrongly is named with the way out."""

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from channelome.cli import main, new
from channelome.errors import ModelError
from channelome.mechanisms.ions import VALENCE
from channelome.scaffold.request import IONS, Gate, licence, origin, parse_gates

PAPER = "Smith J, Jones K (2020). A neuron of ours. Journal of Examples 1:1-2."
SAID = ["--license", "MIT", "--source", PAPER, "--doi", "https://doi.org/10.1000/example", "--ported-from", "no"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)


def run(*words: str, **more: str) -> Result:
    return CliRunner().invoke(main, list(words), **more)


def manifest(folder: str = "channelome-smith2020") -> dict:
    (path,) = Path(folder).glob("src/*/pack.toml")
    return tomllib.loads(path.read_text())


def test_a_pack_is_made_whole():
    made = run("new", "pack", "Smith2020", *SAID)
    assert made.exit_code == 0, made.output
    folder = Path("channelome-smith2020")
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    package = "src/channelome_smith2020"
    assert files == {
        *("pyproject.toml", "README.md", "CITATION.cff", "LICENSE", ".gitignore", "tests/test_pack.py"),
        *(".github/workflows/ci.yml", ".github/workflows/publish.yml", "curves/INa_Smith2020.png"),
        *(f"{package}/{name}" for name in ("__init__.py", "ina.py", "pack.toml", "py.typed")),
    }
    text = "".join((folder / file).read_text() for file in files if not file.endswith(".png"))
    assert not re.search(r"\$[a-z_]+|PACKAGE|\.tmpl", text)  # nothing is left of the templates
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["channelome.packs"] == {"Smith2020": "channelome_smith2020:pack.toml"}
    assert project["license"] == manifest()["license"] == "MIT"
    assert manifest()["references"]["Smith2020"] == {"role": "equations", "doi": "10.1000/example", "text": PAPER}
    assert "Permission is hereby granted" in (folder / "LICENSE").read_text()


def test_every_placeholder_is_found_in_the_manifest_and_is_an_expected_failure():
    run("new", "pack", "Smith2020", "--channel", "IT_Smith2020", "--gates", "p^2", "q", "--ion", "none", *SAID)
    table = manifest()
    (entry,) = table["channel"].values()
    assert {p["source"] for p in entry["parameters"].values()} == {"placeholder"}
    assert list(entry["parameters"]) == ["g_max", "E", "V_p", "k_p", "tau_p", "V_q", "k_q", "tau_q"]
    assert [(one["check"], one["name"]) for one in table["expected_failures"]] == [("placeholders", "IT_Smith2020")]


def test_a_channel_is_added_to_a_pack_and_a_mistake_leaves_the_pack_as_it_was():
    run("new", "pack", "Smith2020", *SAID)
    added = run(
        *("new", "channel", "IK_Smith2020", "--gates", "n^4", "--ion", "k", "--pack", "channelome-smith2020"),
        *("--source", "Smith2020", "--ported-from", "ik.mod of ModelDB 1, MIT"),
    )
    assert added.exit_code == 0, added.output
    table = manifest()
    assert list(table["channel"]) == ["IK_Smith2020", "INa_Smith2020"]
    assert table["channel"]["IK_Smith2020"]["references"] == ["Smith2020", "IK_Smith2020_ported"]
    assert "ik.mod" in table["references"]["IK_Smith2020_ported"]["text"]
    assert len(table["expected_failures"]) == 2
    assert "IK_Smith2020.png" in Path("channelome-smith2020/README.md").read_text()

    package = Path("channelome-smith2020/src/channelome_smith2020")
    (package / "ina.py").write_text("def broken(:\n")
    before = {path: path.read_bytes() for path in package.iterdir() if path.is_file()}
    more = ("--pack", "channelome-smith2020", "--source", "own work", "--ported-from", "no")
    failed = run("new", "channel", "ICa_Smith2020", "--gates", "m", "--ion", "ca", *more)
    assert failed.exit_code == 2
    assert "SyntaxError" in failed.output
    assert before == {path: path.read_bytes() for path in package.iterdir() if path.is_file()}


def test_what_is_not_said_is_asked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(new, "interactive", lambda: True)
    asked = run("new", "pack", "Smith2020", input="bsd-3-clause\n\nna.mod, GPL-3.0\n")
    assert asked.exit_code == 0, asked.output
    assert manifest()["license"] == "BSD-3-Clause"
    assert manifest()["references"]["Smith2020"] == {"role": "implementation", "text": "own work"}
    assert manifest()["references"]["Smith2020_ported"]["text"] == "Ported from na.mod, GPL-3.0"
    assert "see that the licence of what was ported, na.mod, GPL-3.0, allows BSD-3-Clause" in asked.output


def test_without_a_terminal_nothing_is_asked_and_what_is_missing_is_named():
    silent = run("new", "pack", "Smith2020", "--license", "MIT")
    assert silent.exit_code == 2
    assert silent.output.startswith("error: there is no terminal to ask at: say --source, --ported-from, or --yes")
    assert not Path("channelome-smith2020").exists()
    assert run("new", "pack", "Smith2020", "--yes").exit_code == 0
    assert manifest()["license"] == "Apache-2.0"
    assert manifest()["references"]["Smith2020"] == {"role": "implementation", "text": "own work"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pack", "smith_2020"], "Did you mean Smith2020?"),
        (["pack", "channelome-smith2020"], "Did you mean Smith2020?"),
        (["pack", "2020"], "Write one such as Smith2020"),
        (["pack", "TM1991"], "that of channelome-tm1991"),
        (["pack", "hh1952"], "that of channelome-hh1952"),
        (["pack", "Smith2020", "--gates", "m^0"], "'m^0' is not a gate"),
        (["pack", "Smith2020", "--gates", "m^3", "m"], "the gate 'm' is there twice"),
        (["pack", "Smith2020", "--gates", "V"], "cannot be called 'V'"),
        (["pack", "Smith2020", "--gates", "lambda"], "cannot be called 'lambda'"),
        (["pack", "Smith2020", "--gates", "--ion", "na"], "--gates"),
        (["pack", "Smith2020", "--ion", "zn"], "there is no ion 'zn': write na, k, ca"),
        (["pack", "Smith2020", "--channel", "INa_Jones2021"], "call it INa_Smith2020"),
        (["pack", "Smith2020", "--channel", "INa"], "write <current>_<FAMILY>"),
        (["pack", "Smith2020", "--license", "MIT License"], "not an SPDX identifier"),
        (["pack", "Smith2020", "--doi", "example"], "'example' is not a DOI"),
        (["pack", "Smith2020", "--source", " "], "say where the equations are from"),
        (["channel", "INa_Smith2020", "--gates", "m", "--ion", "na"], "`channelome new pack Smith2020` makes one"),
        (["channel", "INa_Smith2020", "--gates", "m"], "say --gates and --ion, or --from FILE"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_named_with_the_way_out_and_nothing_is_made(words: list[str], said: str, tmp_path: Path):
    given = ["--source", "own work", "--ported-from", "no", *(["--license", "MIT"] if words[0] == "pack" else [])]
    result = run("new", words[0], words[1], *given, *words[2:])
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_left_alone():
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("keep me")
    refused = run("new", "pack", "Smith2020", *SAID, "--folder", "mine")
    assert "mine is there already and not empty: choose another with --folder" in refused.output
    assert [path.name for path in Path().rglob("*")] == ["mine", "notes.txt"]
    Path("mine/notes.txt").unlink()
    assert run("new", "pack", "Smith2020", *SAID, "--folder", "mine").exit_code == 0


def test_a_channel_that_is_there_and_another_family_are_refused():
    run("new", "pack", "Smith2020", *SAID)
    more = ("--gates", "m", "--ion", "na", "--pack", "channelome-smith2020", *SAID[2:])
    assert "ina.py is there already" in run("new", "channel", "INa_Smith2020", *more).output
    other = run("new", "channel", "INa_Jones2021", *more).output
    assert "of the family Smith2020, not 'Jones2021': end the name with _Smith2020" in other


def test_words_of_the_user_cannot_break_a_file():
    odd = 'Ünal "Quote" \\ back, $slash {x} """ (2020). \'A\' #neuron: [x]'
    given = ["--source", odd, "--doi", "10.1000/example", "--ported-from", odd, "--author", odd]
    made = run("new", "pack", "Smith2020", "--license", "CC0-1.0", *given)
    assert made.exit_code == 0, made.output
    assert manifest()["references"]["Smith2020"]["text"] == odd
    assert "put the text of the licence CC0-1.0 into" in made.output
    project = tomllib.loads(Path("channelome-smith2020/pyproject.toml").read_text())["project"]
    assert project["authors"] == [{"name": odd}]
    cff = Path("channelome-smith2020/CITATION.cff").read_text()
    assert json.loads(re.search(r"title: (\".*neuron.*\")", cff)[1]) == odd
    compile(Path("channelome-smith2020/src/channelome_smith2020/ina.py").read_text(), "ina.py", "exec")


def test_the_workflows_check_before_they_publish_and_publish_without_a_token():
    run("new", "pack", "Smith2020", *SAID)
    folder = Path("channelome-smith2020/.github/workflows")
    ci, publish = (folder / "ci.yml").read_text(), (folder / "publish.yml").read_text()
    assert "python-version: ${{ matrix.python }}" in ci
    assert "channelome check dist/*.whl" in ci
    assert "uses: ./.github/workflows/ci.yml" in publish
    assert "id-token: write" in publish
    assert "secrets." not in ci + publish
    assert "\t" not in ci + publish


def test_gates_are_read_in_the_ways_in_which_people_write_them():
    wanted = (Gate("m", 3), Gate("h", 1))
    assert parse_gates(["m^3", "h"]) == parse_gates(["m**3, h^1"]) == wanted
    with pytest.raises(ModelError, match="needs a gate"):
        parse_gates([])


def test_the_ions_of_the_scaffold_are_those_that_need_no_declaration():
    assert set(IONS) == set(VALENCE)


def test_licences_and_origins_are_brought_into_their_form():
    assert licence(" apache-2.0 ") == "Apache-2.0"
    assert licence("MIT OR Apache-2.0") == "MIT OR Apache-2.0"
    assert origin("own\n work", "doi: 10.1000/x", "None").ported_from == ""
    assert origin("own\n work", "doi: 10.1000/x", "None").doi == "10.1000/x"


def test_making_a_pack_leaves_no_trace_in_the_process():
    before = list(sys.path)
    run("new", "pack", "Smith2020", *SAID)
    assert sys.path == before
    assert not [name for name in sys.modules if name.startswith("channelome_smith2020")]
