"""Whatever lies in an environment, its other packs are found: broken metadata, manifests of every wrong form, exits."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from registry.packs import channel_table, make_pack

from channelome.errors import ChannelomeDeprecationWarning, PackError, UnknownName
from channelome.registry import Registry
from channelome.registry.discovery import Source, Switches


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def discovered(*packs: tuple[str, str], environment: dict[str, str] | None = None) -> Registry:
    """A registry of these distributions and their families alone, and core."""
    sources = [Source(family, name.replace("-", "_"), "pack.toml", f"{name} 1.2") for name, family in packs]
    return Registry.discover(sources, Switches.from_environment(environment or {}))


def python(site: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `code` where `site` is installed too."""
    code = f"import sys; sys.path.insert(0, {str(site)!r})\n{code}"
    return subprocess.run([sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True)


# ---- manifests ----


@pytest.mark.parametrize(
    "line",
    [
        *("references = 3", "references = [['a']]", "aliases = 3", "aliases = 'ab'", "aliases = [3]"),
        *("summary = 3", "ion = ['na']", "gates = 'm'", "reads = 5", "temperature = 'no'", "equations = 3"),
        *("version = true", "version = 0", "version = '2'", "parameters = 3", "parameters = { g_max = 3 }"),
        *("parameters = { g_max = { default = 'high' } }", "parameters = { g_max = { defualt = 1.0 } }"),
    ],
)
def test_a_value_of_the_wrong_form_is_a_problem_that_names_it(site: Path, line: str):
    make_pack(site, "pack-form", "Form1", tables=f"[channel.I_Form1]\nobject = 'x:y'\n{line}\n")
    make_pack(site, "pack-whole", "Whole1")
    registry = discovered(("pack-form", "Form1"), ("pack-whole", "Whole1"))
    (problem,) = registry.problems
    assert problem.distribution == "pack-form 1.2"
    assert f"channel.I_Form1{'.parameters' if 'g_max' in line else ''}" in problem.what
    assert "INa_Whole1" in registry


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (channel_table("I_Twin1", "x", "version = 2") + channel_table("I_Twin1@2", "x"), "version 2 of 'I_Twin1'"),
        (channel_table("I_Twin1@1", "x", "version = 3"), "I_Twin1@1 is not a name"),
        (channel_table("I_Twin1@two", "x"), "I_Twin1@two is not a name"),
        (channel_table("X_Twin1", "x") + "[ion.X_Twin1]\nobject = 'x:y'\n", "as channel and as ion"),
        (
            channel_table("I_Twin1", "x", "aliases = [{ name = 'Same' }]")
            + channel_table("J_Twin1", "x", "aliases = [{ name = 'Same' }]"),
            "the alias 'Same' of 'J_Twin1' means 'I_Twin1' too",
        ),
    ],
    ids=["version twice", "version disagrees", "version no number", "two kinds", "alias twice"],
)
def test_a_name_that_means_two_things_in_one_pack_is_a_problem(site: Path, tables: str, said: str):
    make_pack(site, "pack-twin", "Twin1", tables=tables)
    (problem,) = discovered(("pack-twin", "Twin1")).problems
    assert said in problem.what


def test_a_manifest_that_cannot_be_read_is_a_problem(site: Path):
    (site / make_pack(site, "pack-folder", "Folder1", manifest="") / "pack.toml").mkdir()
    (problem,) = discovered(("pack-folder", "Folder1")).problems
    assert "pack.toml cannot be read" in problem.what


def test_a_pack_that_is_a_single_module_is_a_problem_that_says_so(site: Path):
    (site / "only_a_module.py").write_text("raise RuntimeError('imported')\n")
    (problem,) = discovered(("only-a-module", "Only1")).problems
    assert "is a module, not a package" in problem.what


# ---- names ----


def test_an_alias_that_is_someone_elses_name_is_a_problem_and_does_not_win(site: Path):
    make_pack(site, "pack-thief", "Thief1", tables=channel_table("I_Thief1", "x", "aliases = [{ name = 'IL' }]"))
    registry = discovered(("pack-thief", "Thief1"))
    (problem,) = registry.problems
    assert "alias 'IL' of 'I_Thief1' is taken by 'IL' of channelome" in problem.what
    assert registry.find("IL").distribution.startswith("channelome ")


def test_an_alias_of_two_packs_is_a_problem_of_both_and_means_nothing(site: Path):
    for name, family in (("pack-p", "P1"), ("pack-q", "Q1")):
        make_pack(site, name, family, tables=channel_table(f"I_{family}", "x", "aliases = [{ name = 'Both' }]"))
    registry = discovered(("pack-p", "P1"), ("pack-q", "Q1"))
    assert {problem.distribution for problem in registry.problems} == {"pack-p 1.2", "pack-q 1.2"}
    with pytest.raises(UnknownName):
        registry.find("Both")


def test_what_two_distributions_claim_is_listed_for_each(site: Path):
    make_pack(site, "pack-left", "Dup1")
    make_pack(site, "pack-right", "Dup1")
    registry = discovered(("pack-left", "Dup1"), ("pack-right", "Dup1"))
    listed = [entry.distribution for entry in registry.entries(family="Dup1")]
    assert listed == ["pack-left 1.2", "pack-right 1.2"]
    with pytest.raises(PackError, match=r"claims the family 'Dup1'.*CHANNELOME_STRICT"):
        discovered(("pack-left", "Dup1"), ("pack-right", "Dup1"), environment={"CHANNELOME_STRICT": "1"})


def test_a_version_is_in_the_registry_if_it_can_be_found(site: Path):
    make_pack(site, "pack-at", "At1")
    registry = discovered(("pack-at", "At1"))
    assert "INa_At1@1" in registry
    assert "INa_At1@2" not in registry
    assert "INa_At1@" not in registry
    with pytest.raises(UnknownName, match="there is no 'INa_At1@'"):
        registry.find("INa_At1@")


@pytest.mark.parametrize("switch", [{"CHANNELOME_DISABLE_PACKS": "Pack_Off"}, {"CHANNELOME_PACKS": "HH1952"}])
def test_a_name_of_a_pack_that_is_switched_off_says_so_and_not_to_install_it(site: Path, switch: dict[str, str]):
    make_pack(site, "pack-off", "TM1991")
    registry = discovered(("pack-off", "TM1991"), environment=switch)
    with pytest.raises(UnknownName, match=r"pack-off 1\.2 may; CHANNELOME_PACKS or") as caught:
        registry.find("INa_TM1991")
    assert "pip install" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ina_near1", "Did you mean INa_Near1"),
        ("Wonderfull_Near1", "Did you mean Wonderful_Near1"),
        ("INa_tm1991", "pip install"),
    ],
)
def test_case_and_aliases_count_for_what_is_near(site: Path, name: str, said: str):
    more = "aliases = [{ name = 'Wonderful_Near1' }]"
    make_pack(site, "pack-n", "Near1", tables=channel_table("INa_Near1", "x", more))
    with pytest.raises(UnknownName, match=said):
        discovered(("pack-n", "Near1")).find(name)


def test_a_problem_of_another_kind_does_not_make_a_pack_broken(site: Path):
    make_pack(site, "pack-t", "Tx1", tables=channel_table("INa_Tx1", "x", "aliases = [{ name = 'IL' }]"))
    with pytest.raises(UnknownName, match="Did you mean INa_Tx1"):
        discovered(("pack-t", "Tx1")).find("INaa_Tx1")


# ---- use ----


@pytest.mark.parametrize(
    ("code", "line"),
    [("import a_library_that_nobody_has\n", 1), ("x = 1\n\ndef broken(:\n", 3), ("import sys\nsys.exit(3)\n", 2)],
    ids=["missing dependency", "syntax error", "exits"],
)
def test_a_pack_that_does_not_import_is_named_with_file_and_line(site: Path, code: str, line: int):
    package = make_pack(site, "pack-place", "Place1", code=code)
    registry = discovered(("pack-place", "Place1"))
    file = site / package / "__init__.py"
    with pytest.raises(PackError) as caught:
        registry.load("INa_Place1", "channel")
    assert f"'INa_Place1' is offered by pack-place 1.2, but loading it from {file}:{line} failed" in str(caught.value)
    (problem,) = registry.diagnose()
    assert f"{file}:{line}" in problem.what
    sys.modules.pop(package, None)


def test_one_cause_is_one_problem_whatever_the_number_of_names(site: Path):
    tables = channel_table("INa_One1", "pack_one_cause") + channel_table("IK_One1", "pack_one_cause")
    make_pack(site, "pack-one-cause", "One1", tables=tables, code="raise RuntimeError('no such luck')\n")
    (problem,) = discovered(("pack-one-cause", "One1")).diagnose()
    assert problem.what.startswith("'INa_One1', 'IK_One1' cannot be used: ")
    assert "RuntimeError: no such luck" in problem.what


def test_a_model_that_is_none_is_named_with_its_place(site: Path):
    package = make_pack(
        site, "pack-models", "X1", tables='[cell.Cell_X1]\nfile = "cell.toml"\n[network.Net_X1]\nfile = "net.toml"\n'
    )
    (site / package / "cell.toml").write_text('schema = 1\n[channels]\nINa = { use = "os:system" }\n')
    said = [problem.what for problem in discovered(("pack-models", "X1")).diagnose()]
    assert "cell.toml: channels.INa.use must be a registered name" in said[0]
    assert said[1] == "'Net_X1' cannot be used: its file net.toml is not there"


def test_an_old_name_warns_at_the_line_that_uses_it(site: Path):
    more = "aliases = [{ name = 'Old_Warn1', deprecated_since = '0.3' }]"
    make_pack(site, "pack-warn", "Warn1", tables=channel_table("INa_Warn1", "pack_warn", more))
    registry = discovered(("pack-warn", "Warn1"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        registry.load("Old_Warn1", "channel")
    (warning,) = caught
    assert warning.category is ChannelomeDeprecationWarning
    assert warning.filename == __file__
    sys.modules.pop("pack_warn")


def test_a_script_sees_the_warning_of_an_old_name_without_asking(tmp_path: Path):
    more = "aliases = [{ name = 'Old_Seen1', deprecated_since = '0.3' }]"
    make_pack(tmp_path, "pack-seen", "Seen1", tables=channel_table("INa_Seen1", "pack_seen", more))
    out = python(tmp_path, "import channelome as ch\nch.channel('Old_Seen1')")
    assert out.returncode == 0, out.stderr
    assert "<string>:3: ChannelomeDeprecationWarning: 'Old_Seen1' is an old name" in out.stderr


# ---- the environment ----


def test_broken_metadata_of_other_distributions_is_survived(tmp_path: Path):
    make_pack(tmp_path, "pack-healthy", "Healthy1")
    for name, points in (
        ("unrelated", "[console_scripts]\ngarbage without a sign\n"),
        ("brokenpack", "[channelome.packs]\ngarbage without a sign\n"),
    ):
        info = tmp_path / f"{name}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(points)
    nameless = tmp_path / "nameless-1.dist-info"
    nameless.mkdir()
    (nameless / "METADATA").write_text("Metadata-Version: 2.1\n")
    (nameless / "entry_points.txt").write_text("[channelome.packs]\nNameless1 = nameless_package:pack.toml\n")
    out = python(
        tmp_path,
        "from channelome.registry import registry\n"
        "print('INa_Healthy1' in registry, sorted(p.distribution for p in registry.problems), sep='|')",
    )
    assert out.stdout.strip() == "True|['brokenpack 1', 'nameless_package (its metadata is broken)']", out.stderr


def test_a_name_of_a_distribution_is_compared_as_pip_does(tmp_path: Path):
    make_pack(tmp_path, "My_Pack", "Normal1")
    code = "from channelome.registry import registry; print('Normal1' in registry.families)"
    assert python(tmp_path, code).stdout.strip() == "True"
    assert python(tmp_path, code, CHANNELOME_DISABLE_PACKS="my-pack").stdout.strip() == "False"
    assert python(tmp_path, code, CHANNELOME_PACKS="normal1").stdout.strip() == "True"


@pytest.mark.parametrize("strict", ["", "1"])
def test_strict_fails_when_the_process_first_looks_up_a_name(tmp_path: Path, strict: str):
    make_pack(tmp_path, "pack-strict", "Strict1", manifest="schema = \n")
    out = python(tmp_path, "import channelome as ch\nprint(ch.channel('IL'))", CHANNELOME_STRICT=strict)
    assert ("PackError: pack-strict 1.2: its manifest pack.toml is not TOML" in out.stderr) == bool(strict)
    assert bool(out.returncode) == bool(strict)


def test_plugins_of_installed_distributions_are_called_and_broken_ones_named(tmp_path: Path):
    hook = "from channelome.registry.hooks import hookimpl\n@hookimpl\ndef {}():\n    return {}\n"
    for name, code in {
        "plug-good": hook.format("channelome_environment", "{'good': '1'}"),
        "plug-spelt": hook.format("channelome_enviroment", "{}"),
        "plug-import": "import a_library_that_nobody_has\n",
        "plug-raises": hook.format("channelome_environment", "1 / 0"),
        "plug-off": hook.format("channelome_environment", "{'off': '1'}"),
    }.items():
        family = name.replace("-", "").capitalize()
        make_pack(tmp_path, name, family, plugin=f"{name.replace('-', '_')}.plugin")
        (tmp_path / name.replace("-", "_") / "plugin.py").write_text(code)
    out = python(
        tmp_path,
        "import json; from channelome.registry import hooks\n"
        "print(json.dumps([hooks.environment(), {p.distribution: p.what for p in hooks.diagnose()}]))",
        CHANNELOME_DISABLE_PACKS="Plugoff",
    )
    assert out.returncode == 0, out.stderr
    said: dict[str, Any]
    said, problems = json.loads(out.stdout)
    assert said["good"] == "1"
    assert "off" not in said
    assert set(problems) == {"plug-spelt 1.2", "plug-import 1.2", "plug-raises 1.2"}
    assert "channelome_enviroment" in problems["plug-spelt 1.2"]
    assert "a_library_that_nobody_has" in problems["plug-import 1.2"]
    assert "ZeroDivisionError" in problems["plug-raises 1.2"]
