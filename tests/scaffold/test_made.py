"""What `channelome new` makes, as its author goes on with it: formatted, checked, versioned as CONTRIBUTING.md says."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from channelome.cli import main
from channelome.errors import ModelError
from channelome.registry import Registry
from channelome.registry.manifest import read_manifest
from channelome.registry.sync import sync
from channelome.scaffold import new_channel, new_pack
from channelome.scaffold.channel import importable
from channelome.scaffold.request import Origin, origin, outline
from channelome.testing import check_pack

PAPER = Origin("Smith J, Jones K (2020). " + "A long title of a neuron. " * 6, "10.1000/example")
FOUR = [
    ("INa_Smith2020", "m^3 h", "na"),
    ("IK_Smith2020", "n^4", "k"),
    ("ICaT_Smith2020", "a_fast^2 b c", "ca"),
    ("IH_Smith2020", "q", "none"),
]


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """The folder of a pack with four channels, made in an order that is not that of their names."""
    first, *more = (outline(name, [gates], ion) for name, gates, ion in FOUR)
    folder, _ = new_pack(first, PAPER, "MIT", folder=tmp_path / "pack")
    for channel in more:
        new_channel(channel, folder)
    return folder


def ruff(*words: str, at: Path) -> str:
    run = [sys.executable, "-m", "ruff", *words, "--isolated", "--no-cache", "--line-length", "120", str(at)]
    done = subprocess.run(run, capture_output=True, text=True)
    return done.stdout if done.returncode else ""


def test_the_code_that_is_made_is_formatted(pack: Path):
    assert ruff("format", "--diff", at=pack) == ""
    assert ruff("check", "--select", "E,F,W,I,UP,B", at=pack) == ""


def test_channels_of_every_ion_pass_the_quick_checks_and_all_their_placeholders_are_expected(pack: Path):
    report = check_pack(pack, level="quick")
    assert report.ok, str(report)
    expected = [(f.check, f.subject) for f in report.findings if f.status == "expected"]
    assert sorted(expected) == sorted(("placeholders", name) for name, *_ in FOUR)


def test_a_channel_without_its_placeholders_loses_its_expected_failure_when_the_manifest_is_synced(pack: Path):
    file = pack / "src/channelome_smith2020/ik.py"
    manifest = file.parent / "pack.toml"
    manifest.write_text("# kept\n" + manifest.read_text())
    file.write_text(file.read_text().replace('source="placeholder"', 'source="Smith2020"'))
    (failed,) = (
        f for f in check_pack(pack, level="quick").findings if f.status == "failed" and f.check == "placeholders"
    )
    assert failed.subject == "IK_Smith2020"
    assert "Take it out of [[expected_failures]]" in failed.hint
    with importable(file.parent):
        assert not sync(manifest)
        assert sync(manifest, check=True)
    report = check_pack(pack, level="quick")
    assert report.ok, str(report)
    assert manifest.read_text().startswith("# kept\n")
    assert {f.subject for f in report.findings if f.status == "expected"} == {name for name, *_ in FOUR} - {
        "IK_Smith2020"
    }


def test_a_second_version_made_as_contributing_says_leaves_the_first_as_it_was(pack: Path):
    package, manifest = pack / "src/channelome_smith2020", pack / "src/channelome_smith2020/pack.toml"
    kept = (package / "ik.py").read_text()
    (package / "ik_v1.py").write_text(kept.replace("class IK_Smith2020", "class IK_Smith2020_v1"))
    text = manifest.read_text().replace("[channel.IK_Smith2020", '[channel."IK_Smith2020@1"')
    text = text.replace("smith2020.ik:IK_Smith2020", "smith2020.ik_v1:IK_Smith2020_v1")
    manifest.write_text(text + "\n[channel.IK_Smith2020]\nversion = 2\n")
    (package / "ik.py").write_text(kept.replace("V_n: Voltage = param(-35.0", "V_n: Voltage = param(-30.0"))
    with importable(package):
        sync(manifest)
        registry = Registry([read_manifest(manifest, family="Smith2020", distribution="channelome-smith2020 0.2.0")])
        found = {name: registry.load(name)().V_n for name in ("IK_Smith2020", "IK_Smith2020@1", "IK_Smith2020@2")}
    assert found == {"IK_Smith2020": -30.0, "IK_Smith2020@1": -35.0, "IK_Smith2020@2": -30.0}
    assert check_pack(pack, level="quick").ok


def test_the_commands_of_contributing_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = Path(__file__).parents[2]
    monkeypatch.chdir(tmp_path)
    shutil.copytree(root / "plugins/ya1989", "plugins/ya1989")
    said = re.findall(r"^ *\$ channelome (.*)$", (root / "CONTRIBUTING.md").read_text(), re.M)
    assert [words.split()[:2] for words in said] == [["new", "channel"], ["new", "pack"]]
    for words in said:
        done = CliRunner().invoke(main, [*shlex.split(words), "--yes"])
        assert done.exit_code == 0, done.output


def test_curves_are_drawn_for_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    made = CliRunner().invoke(main, ["new", "pack", "Smith2020", "--yes"])
    assert made.exit_code == 0, made.output
    shown = re.findall(r"!\[.*?\]\((.*?)\)", Path("channelome-smith2020/README.md").read_text())
    assert shown == ["curves/INa_Smith2020.png"]
    assert Path("channelome-smith2020", shown[0]).read_bytes().startswith(b"\x89PNG")


def test_a_pack_that_shows_no_curves_gets_none(pack: Path):
    (pack / "curves").rmdir()
    readme = (pack / "README.md").read_text()
    said = ["new", "channel", "IM_Smith2020", "--gates", "p", "--ion", "k", "--pack", str(pack), "--yes"]
    made = CliRunner().invoke(main, said)
    assert made.exit_code == 0, made.output
    assert "brought __init__.py, pack.toml in line" in made.output
    assert "curves" not in made.output
    assert (pack / "README.md").read_text() == readme
    assert not (pack / "curves").exists()


def test_yes_takes_what_is_proposed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("channelome.scaffold.draw_curves", lambda *_: None)  # as without matplotlib
    made = CliRunner().invoke(main, ["new", "pack", "Smith2020", "-y"])
    assert made.exit_code == 0, made.output
    assert "draw its curves: `channelome plot INa_Smith2020 -o channelome-smith2020/curves" in made.output
    text = Path("channelome-smith2020/src/channelome_smith2020/pack.toml").read_text()
    assert 'license = "Apache-2.0"' in text
    assert 'role = "implementation"\ntext = "own work"' in text
    assert "references:" not in Path("channelome-smith2020/CITATION.cff").read_text()


@pytest.mark.parametrize(
    ("licence", "cited"),
    [
        ("MIT", ['license: "MIT"']),
        ("MIT OR Apache-2.0", ["license:", '  - "MIT"', '  - "Apache-2.0"']),
        ("GPL-3.0-only WITH Classpath-exception-2.0", []),
        ("LicenseRef-Ours", []),
    ],
)
def test_the_citation_file_has_the_licence_in_the_form_that_it_knows(licence: str, cited: list[str], tmp_path: Path):
    new_pack(outline("IK_Smith2020", ["n"], "k"), PAPER, licence, folder=tmp_path / "pack")
    lines = (tmp_path / "pack/CITATION.cff").read_text().splitlines()
    assert [line for line in lines[5:] if "licen" in line or line.startswith('  - "')] == cited


@pytest.mark.parametrize(
    ("source", "text", "doi"),
    [
        ("10.1000/example", "doi:10.1000/example", "10.1000/example"),
        ("https://doi.org/10.1000/example", "doi:10.1000/example", "10.1000/example"),
        ("Smith J (2020). A neuron. doi:10.1000/example.", "Smith J (2020). A neuron", "10.1000/example"),
        (
            "Smith J (2020). A neuron (doi: 10.1016/S0896-6273(00)8)",
            "Smith J (2020). A neuron",
            "10.1016/S0896-6273(00)8",
        ),
        ("own work", "own work", ""),
    ],
)
def test_a_doi_is_found_where_people_write_it(source: str, text: str, doi: str):
    assert origin(source, "", "no") == Origin(text, doi)


def test_a_doi_that_is_given_wins_over_one_in_the_citation():
    assert origin("Smith (2020), doi:10.1000/a", "10.1000/b", "no").doi == "10.1000/b"
    with pytest.raises(ModelError, match="'b' is not a DOI"):
        origin("Smith (2020), doi:10.1000/a", "b", "no")
