"""From a folder of .mod files to a pack: what is made, that the kit passes it, that golden data find what is wrong."""

import json
import shutil
import tomllib
from pathlib import Path

import pytest
from channelome_nmodl.golden import cases
from channelome_nmodl.load import load_all
from channelome_nmodl.pack import written
from channelome_nmodl.report import looks
from click.testing import CliRunner

import channelome as ch
from channelome.cli.main import main
from channelome.scaffold.imported import put
from channelome.testing import check_pack

MODS = Path(__file__).parent / "mods"
CHOSEN = ("kv", "stepped", "included", "shell", "plastic")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "mods"
    made.mkdir()
    for name in (*(f"{one}.mod" for one in CHOSEN), "shared.inc"):
        shutil.copy(MODS / name, made / name)
    (made / "gap.mod").write_text("NEURON { POINT_PROCESS Gap POINTER vgap NONSPECIFIC_CURRENT i }")
    return made


def run(*arguments: object):
    return CliRunner().invoke(main, ["import", *map(str, arguments)])


@pytest.mark.slow
def test_a_folder_becomes_a_pack_that_the_kit_passes(folder: Path, tmp_path: Path):
    pack, report = tmp_path / "mypack", tmp_path / "report.html"
    done = run(folder, "--pack", pack, "--family", "Smith2020", "--license", "MIT", "--report", report)
    assert done.exit_code == 0, done.output
    assert "5 of 6 files are imported; 1 are something else" in done.output.replace("\n", " ")
    names = {"IKv", "IStepped", "IIncluded", "CaShell", "Plastic", "PlasticRelease"}
    manifest = tomllib.loads((pack / "src/channelome_smith2020/pack.toml").read_text(encoding="utf-8"))
    assert {name for kind in ("channel", "ion", "synapse") for name in manifest[kind]} == {
        f"{n}_Smith2020" for n in names
    }
    ported = manifest["references"]["CaShell_Smith2020_ported"]
    assert (ported["role"], "shell.mod, SHA-256" in ported["text"]) == ("implementation", True)
    golden = json.loads((pack / "tests/golden.json").read_text(encoding="utf-8"))
    assert {case["channel"] for case in golden} == {"IKv_Smith2020", "IStepped_Smith2020", "IIncluded_Smith2020"}
    text = report.read_text(encoding="utf-8")
    assert "IKv_Smith2020" in text
    assert "gap.mod" in text
    found = check_pack(pack)
    assert found.ok, str(found)
    assert sum(one.check == "golden" and one.status == "ok" for one in found.findings) == 3

    golden[0]["current"][2][3] *= 1.001  # golden data that are wrong are found
    (pack / "tests/golden.json").write_text(json.dumps(golden), encoding="utf-8")
    assert not check_pack(pack).ok


def test_more_files_go_into_a_pack_that_is_there_and_none_twice(folder: Path, tmp_path: Path):
    pack = tmp_path / "mypack"
    put(looks(folder / "kv.mod"), pack, family="Smith2020", licence="MIT")
    made = put(looks(folder / "shell.mod"), pack)
    assert (made.is_new, made.names) == (False, ("CaShell_Smith2020",))
    before = {path: path.read_bytes() for path in pack.rglob("*") if path.is_file()}
    with pytest.raises(ch.ModelError, match=r"IKv_Smith2020 is there already"):
        put([one for n in ("stepped", "kv") for one in looks(folder / f"{n}.mod")], pack)
    assert {path: path.read_bytes() for path in pack.rglob("*") if path.is_file()} == before


def test_a_pack_that_is_not_there_and_not_said_is_no_pack(folder: Path, tmp_path: Path):
    done = run(folder, "--pack", tmp_path / "absent")
    assert done.exit_code != 0
    assert "say --family Smith2020" in " ".join(done.output.split())


def test_two_mechanisms_of_one_name_get_two_names(folder: Path, tmp_path: Path):
    shutil.copy(folder / "kv.mod", folder / "kv_copy.mod")
    text = (folder / "kv_copy.mod").read_text(encoding="utf-8").replace("vh = -55", "vh = -50")
    (folder / "kv_copy.mod").write_text(text, encoding="utf-8")
    files = [one for name in ("kv.mod", "kv_copy.mod") for one in looks(folder / name)]
    made = put(files, tmp_path / "mypack", family="Smith2020", licence="MIT")
    assert made.names == ("IKv_Smith2020", "IKvv2_Smith2020")


def test_golden_data_are_neurons_numbers():
    """By NumPy and SciPy from the formulas: as far from NEURON's as these are exact."""
    import numpy as np

    known = json.loads((Path(__file__).parent / "neuron.json").read_text(encoding="utf-8"))
    for name in ("kv", "stepped", "several", "permeable", "scheme"):
        (case,) = cases(load_all(MODS / f"{name}.mod")[0].plan)
        theirs = np.asarray(known[f"{name}.mod"][0]["rows"]).T
        assert np.abs(np.asarray(case["current"]) - theirs).max() < 1e-6 * np.abs(theirs).max()


def test_of_a_pump_in_balance_there_are_no_golden_data():
    """They would be what rounding leaves."""
    assert cases(load_all(MODS / "balanced.mod")[0].plan) == ()


def test_what_is_written_for_one_file_holds_all_its_classes():
    made = written(MODS / "both.mod", "IBoth_Smith2020")
    assert made.kind == "channel"
    assert "class IBoth_Smith2020(Ohmic" in made.text
    assert "class CaBoth_Smith2020(Pool" in made.text
    assert written(MODS / "pump.mod", "CaPump_Smith2020").kind == "ion"
    assert "class PlasticRelease_Smith2020(Release" in written(MODS / "plastic.mod", "Plastic_Smith2020").text


def test_a_report_writes_out_what_cannot_be_printed(tmp_path: Path):
    (tmp_path / "odd.mod").write_bytes(b"NEURON { SUFFIX odd }\n\x01<b>\x1b[31m")
    report = tmp_path / "report.html"
    done = CliRunner().invoke(main, ["import", str(tmp_path), "--report", str(report)])
    assert done.exit_code == 0, done.output
    text = report.read_text(encoding="utf-8")
    assert "\\x01&lt;b&gt;\\x1b[31m" in text
    assert not {"\x01", "\x1b"} & {*text}


def test_a_class_beside_another_takes_no_name_that_a_class_has(folder: Path, tmp_path: Path):
    """both.mod is a channel and an ion, which is called as the ion of another file of that mechanism."""
    shutil.copy(MODS / "both.mod", folder / "a.mod")
    text = (MODS / "shell.mod").read_text(encoding="utf-8").replace("SUFFIX shell", "SUFFIX both")
    (folder / "b.mod").write_text(text, encoding="utf-8")
    pack = tmp_path / "mypack"
    files = [one for name in ("a", "b") for one in looks(folder / f"{name}.mod")]
    assert put(files, pack, family="Smith2020", licence="MIT").names == ("IBoth_Smith2020", "CaBothv2_Smith2020")
    manifest = next(pack.rglob("pack.toml"))
    assert {*tomllib.loads(manifest.read_text(encoding="utf-8"))["ion"]} == {"CaBoth_Smith2020", "CaBothv2_Smith2020"}
    before = {path: path.read_bytes() for path in pack.rglob("*") if path.is_file()}
    with pytest.raises(ch.ModelError, match="CaBoth_Smith2020, IBoth_Smith2020 is there already"):
        put(looks(folder / "a.mod"), pack)
    assert {path: path.read_bytes() for path in pack.rglob("*") if path.is_file()} == before
