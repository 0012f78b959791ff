"""The kit's own ways: reports, levels, expected failures, paths and wheels, the command, and `PackTests`."""

import json
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from kit.channels import Naive, Plain

import channelome as ch
from channelome.authoring import Q10, Conductance, Factor, Gate, Ohmic, Voltage, exp, param, rates
from channelome.cli import main
from channelome.errors import ModelError, PackError, UnknownName
from channelome.testing import PackTests, Report, check_cell, check_channel, check_pack
from channelome.testing.checks.cells import CELLS
from channelome.testing.kit import LEVELS, at_level, check, run_check
from channelome.testing.report import Expected, Finding, with_expected
from channelome.testing.subjects import CellSubject

PACK = Path(__file__).parents[2] / "plugins/tm1991"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the TM1991 pack as an archive of its own, under another version."""
    path = tmp_path_factory.mktemp("dist") / "channelome_tm1991-9.9-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file in (PACK / "src").rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, file.relative_to(PACK / "src"))
        info = "channelome_tm1991-9.9.dist-info/"
        archive.writestr(info + "METADATA", "Metadata-Version: 2.4\nName: channelome-tm1991\nVersion: 9.9\n")
        points = tomllib.loads((PACK / "pyproject.toml").read_text())["project"]["entry-points"]["channelome.packs"]
        lines = ["[channelome.packs]", *(f"{family} = {file}" for family, file in points.items())]
        archive.writestr(info + "entry_points.txt", "\n".join(lines))
    return path


def test_a_report_names_what_failed_and_how_to_repair_it():
    report = check_channel(Naive, level="quick")
    assert not report.ok
    assert "finite failed: alpha of m is nan at -40 mV" in str(report)
    assert "linoid(x, k)" in str(report)
    with pytest.raises(AssertionError, match="Naive: finite failed"):
        report.raise_failures()


def test_a_report_survives_json():
    report = check_channel(Plain, level="quick")
    assert Report.from_data(json.loads(report.to_json())) == report


def test_each_level_holds_the_one_before():
    counts = [len(check_channel(Plain, level=level).findings) for level in LEVELS[:2]]
    assert counts[0] < counts[1]
    with pytest.raises(ValueError, match="quick, default, full"):
        at_level([], "fast")  # pyright: ignore[reportArgumentType]


def test_a_check_that_raises_is_a_failure_that_says_so():
    @check(hint="Repair it.")
    def broken(subject: Any) -> list[str]:
        """It holds."""
        raise RuntimeError("no\nmore")

    class Subject:
        name = "it"

    assert run_check(broken, Subject()) == Finding("broken", "it", "failed", "RuntimeError: no", "Repair it.")


@pytest.mark.parametrize(("status", "becomes"), [("failed", "expected"), ("ok", "failed"), ("skipped", "skipped")])
def test_a_declared_failure_is_excused_and_must_happen(status: Any, becomes: str):
    declared = [Expected("finite", "INa_Me2020", "it is what the paper says")]
    finding = with_expected(Finding("finite", "INa_Me2020", status), declared)
    assert finding.status == becomes
    assert with_expected(Finding("finite", "IK_Me2020", status), declared).status == status


def test_a_folder_and_a_wheel_are_checked_as_they_are_not_as_installed(wheel: Path):
    counts = {len(check_pack(path, level="quick").findings) for path in (PACK, wheel)}
    assert counts == {len(check_pack("TM1991", level="quick").findings)}


def test_what_is_no_pack_is_an_error_that_says_so(tmp_path: Path):
    with pytest.raises(PackError, match=r"no pyproject\.toml"):
        check_pack(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    with pytest.raises(PackError, match="not that of a pack"):
        check_pack(tmp_path)
    (tmp_path / "x-1-py3-none-any.whl").write_text("")
    with pytest.raises(PackError, match="not a wheel"):
        check_pack(tmp_path / "x-1-py3-none-any.whl")
    with pytest.raises(UnknownName, match="no installed pack is called 'nothing'"):
        check_pack("nothing")


def test_the_command_speaks_json_and_takes_the_name_of_one_thing():
    result = CliRunner().invoke(main, ["check", "INa_TM1991", "--level", "quick", "--json"])
    assert result.exit_code == 0
    data = json.loads(result.output)
    assert data["ok"]
    assert {finding["subject"] for finding in data["findings"]} == {"INa_TM1991"}
    both = CliRunner().invoke(main, ["check", "INa_TM1991", "IK_TM1991", "--level", "quick", "--json"])
    assert [one["subject"] for one in json.loads(both.output)] == ["INa_TM1991", "IK_TM1991"]
    assert CliRunner().invoke(main, ["check", "nothing"]).exit_code == 2


def test_the_command_fails_where_a_check_does(tmp_path: Path):
    folder = tmp_path / "pack"
    shutil.copytree(PACK, folder, ignore=shutil.ignore_patterns("__pycache__"))
    manifest = folder / "src/channelome_tm1991/pack.toml"
    manifest.write_text(manifest.read_text().replace('license = "Apache-2.0"\n', ""))
    result = CliRunner().invoke(main, ["check", str(folder), "--level", "quick"])
    assert result.exit_code == 1
    assert "licence failed: pack.toml states no licence" in result.output


# ---- PackTests -----------------------------------------------------------------------------------------------------


def test_a_test_of_the_kit_cannot_be_overridden_removed_or_left_out():
    for body in ({"test_it_conforms": None}, {"pytest_generate_tests": None}, {"__test__": False}, {"pytestmark": []}):
        with pytest.raises(TypeError, match=r"overrides \w+ of PackTests"):
            type("TestPack", (PackTests,), {"pack": "channelome-tm1991", **body})
    with pytest.raises(TypeError, match="overrides test_it_conforms"):
        type("TestPack", (type("Mixin", (), {"test_it_conforms": None}), PackTests), {"pack": "channelome-tm1991"})
    with pytest.raises(TypeError, match="not 'quick'"):
        type("TestPack", (PackTests,), {"pack": "channelome-tm1991", "level": "quick"})


def test_a_subclass_may_add_tests_and_raise_the_level():
    type("TestPack", (PackTests,), {"pack": "channelome-tm1991", "level": "full", "test_more": lambda self: None})


@pytest.mark.parametrize("line", ["pytestmark = pytest.mark.skip", "pytestmark = pytest.mark.xfail"])
def test_a_file_that_is_marked_as_skipped_is_an_error(tmp_path: Path, line: str):
    code = f"import pytest\nfrom channelome.testing import PackTests\n{line}\nclass TestPack(PackTests):\n    pack = 'TM1991'\n"
    (tmp_path / "test_conformance.py").write_text(code)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode != 0
    assert "may not be marked" in run.stdout


def test_whole_numbers_steep_heat_and_a_leak_at_the_middle_of_the_voltages_raise_no_alarm():
    class Whole(Ohmic, ion="k"):
        """Rates and time constants that are whole numbers, and a speed that is steep in temperature."""

        g_max: Conductance = param(1.0, source="our choice")
        phi: Factor = param(Q10(25.0, 25.0), source="our choice")

        def n(self, V):
            return rates(alpha=exp(-V / 20), beta=1, phi=self.phi)

        def h(self, V):
            return Gate(inf=1 / (1 + exp(V / 9)), tau=5)

        def conductance(self, n, h):
            return self.g_max * n * h

    class Leak(Ohmic):
        """A leak that reverses in the middle of the voltages that the kit takes."""

        g_max: Conductance = param(0.1, source="our choice")
        E: Voltage = param(-30.0, source="our choice")

        def conductance(self):
            return self.g_max

    for cls in (Whole, Leak):
        report = check_channel(cls)
        assert report.ok, str(report)


def test_a_check_of_an_unknown_level_is_refused_where_it_is_written():
    with pytest.raises(ValueError, match=r"level must be one of .*, not 'fast'"):
        check(level="fast", hint="")


def test_a_reconstructed_cell_of_a_pack_is_checked_with_its_shape_beside_it(tmp_path: Path):
    """Its file names an SWC file, and its V is coupled: it starts as it runs."""
    (tmp_path / "stick.swc").write_text("1 1 0 0 0 8 -1\n2 3 9 0 0 1 1\n3 3 60 10 0 0.8 2\n")
    cell = ch.MultiCompartment(
        ch.Morphology.from_swc(tmp_path / "stick.swc"),
        "PotassiumFixed",
        IK=ch.on("soma", "IK_HH1952"),
        IL="IL",
        celsius=6.3,
    )
    ch.save(cell, tmp_path / "Stick_Own.toml", morphology="stick.swc")
    subject = CellSubject("Stick_Own", tmp_path / "Stick_Own.toml")
    assert {one.status for one in (run_check(each, subject) for each in CELLS)} == {"ok"}
    with pytest.raises(ModelError, match=r"check_cell\(\) is given the name .*, not a MultiCompartment"):
        check_cell(cell)  # pyright: ignore[reportArgumentType]
