"""Each hook: what its answer does, and what a wrong answer does to it and to the others. docs/hooks.md has one of each."""

import ast
import inspect
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
from click.testing import CliRunner
from registry.packs import make_pack

import channelome as ch
from channelome.cli import main
from channelome.errors import CollisionError, ModelError, PackError
from channelome.registry import Registry, hooks
from channelome.registry.hooks import Hooks, plugged

PAGE = Path(__file__).parents[2] / "docs/hooks.md"
NAMES = [name for name in vars(Hooks) if name.startswith("channelome_")]
CELL = {"schema": 1, "ions": {"na": {"use": "SodiumFixed", "E": "50 mV"}}, "channels": {"INa": {"use": "INa_TM1991"}}}


def plugin(**functions: Any) -> ModuleType:
    module = ModuleType("a_plugin")
    for name, function in functions.items():
        setattr(module, f"channelome_{name}", hooks.hookimpl(function))
    return module


def fail(*_: Any, **__: Any) -> Any:
    raise RuntimeError("no such luck")


# ---- documentation ----


@pytest.mark.parametrize("name", NAMES)
def test_a_hook_has_its_sentence_and_an_example_on_the_page(name: str):
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## `{name}`\n")[2].partition("\n## ")[0]
    first = section.strip().partition("\n\n")[0]
    assert first == inspect.getdoc(getattr(Hooks, name)).partition("\n")[0]
    (example,) = re.findall(r"^```python\n(.*?)^```", section, re.S | re.M)
    functions = [node for node in ast.parse(example).body if isinstance(node, ast.FunctionDef) and node.name == name]
    assert [ast.unparse(decorator) for decorator in functions[0].decorator_list] == ["hookimpl"]
    asked = list(inspect.signature(getattr(Hooks, name)).parameters)[1:]
    assert [argument.arg for argument in functions[0].args.args] == asked


def test_the_page_has_no_hook_that_is_none():
    assert re.findall(r"^## `(\w+)`", PAGE.read_text(encoding="utf-8"), re.M) == NAMES


# ---- importers ----


def test_a_file_of_another_format_is_loaded_by_the_plugin_that_reads_it(tmp_path: Path):
    file = tmp_path / "patch.lab"
    file.write_text("x")
    with pytest.raises(ModelError, match=r"no plugin reads '.lab' files"):
        ch.load(str(file))
    with plugged(plugin(importers=lambda: {".lab": lambda path: CELL})):
        assert list(ch.load(file).channels) == ["INa"]
        with pytest.raises(ModelError, match=r"there is no file .*absent\.lab"):
            ch.load(tmp_path / "absent.lab")


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (fail, "RuntimeError: no such luck"),
        (lambda path: [1], "must return the table of a model, or a cell or network, not \\[1\\]"),
        (lambda path: {"schema": 1, "channels": {"INa": {"use": "os:system"}}}, "must be a registered name"),
        (lambda path: CELL | {"C": object()}, "C"),
    ],
    ids=["fails", "no table", "no model", "no data"],
)
def test_an_importer_that_goes_wrong_is_an_error_that_says_how(tmp_path: Path, read: Any, said: str):
    (tmp_path / "patch.lab").write_text("x")
    with plugged(plugin(importers=lambda: {".lab": read})), pytest.raises(ModelError, match=said):
        ch.load(tmp_path / "patch.lab")


def test_two_importers_of_one_suffix_are_both_named_and_ours_cannot_be_taken(tmp_path: Path):
    (tmp_path / "patch.lab").write_text("x")
    ch.save(ch.cell(CELL), tmp_path / "cell.json")
    with plugged(*[plugin(importers=lambda: {".lab": lambda path: CELL, ".json": fail}) for _ in range(2)]):
        with pytest.raises(CollisionError, match=r"'\.lab' files are read by here/0 and here/1"):
            ch.load(tmp_path / "patch.lab")
        assert list(ch.load(tmp_path / "cell.json").channels) == ["INa"]


# ---- checks ----


def test_a_check_of_a_plugin_runs_for_its_kind_and_its_failure_can_be_expected():
    from channelome.testing import check_channel, check_ion, check_pack
    from channelome.testing.conformance import check_names
    from channelome.testing.kit import check

    @check(level="quick", hint="Rename it.")
    def no_v_sh(subject: Any) -> Any:
        """No parameter is called V_sh."""
        if "V_sh" in subject.cls.parameters:
            yield "it has V_sh"

    @check(level="quick", hint="Write one.")
    def has_a_name(subject: Any) -> Any:
        """The pack has a name."""
        if not subject.name:
            yield "it has none"

    with plugged(plugin(checks=lambda: {"channel": [no_v_sh], "pack": [has_a_name]})):
        (failure,) = check_channel("INa_TM1991", level="quick").failures
        assert (failure.check, failure.message, failure.hint) == ("no v sh", "it has V_sh", "Rename it.")
        assert check_ion("SodiumFixed", level="quick").ok
        found = {(one.subject, one.check) for one in check_pack("channelome-hh1952", level="quick").findings}
        assert {("channelome-hh1952", "has a name"), ("INa_HH1952", "no v sh")} <= found
        assert {"no v sh", "has a name"} <= check_names()
    assert check_channel("INa_TM1991", level="quick").ok


# ---- commands ----


def test_a_command_of_a_plugin_runs_is_in_the_help_and_cannot_replace_ours():
    hello, impostor = (click.Command(name, callback=lambda: click.echo("hello")) for name in ("hello", "list"))
    with plugged(plugin(commands=lambda: [hello, impostor])):
        assert CliRunner().invoke(main, ["hello"]).output == "hello\n"
        assert re.search(r"^  hello\b", CliRunner().invoke(main, ["--help"]).output, re.M)
        assert "INa_HH1952" in CliRunner().invoke(main, ["list"]).output
    assert CliRunner().invoke(main, ["hello"]).exit_code == 2


# ---- model built ----


def test_each_model_is_told_of_once_and_whole():
    seen: list[Any] = []
    with plugged(plugin(model_built=lambda model: seen.append(model))):
        cell = ch.cell("PointNeuron_Brette2007", size=20)
        assert seen == [cell]
        assert "PointNeuron_Brette2007" in str(cell.about)
        mine = ch.SingleCompartment(1, "SodiumFixed", INa="INa_TM1991")
        population = {key: value for key, value in CELL.items() if key != "schema"}
        assert seen == [cell, mine]
        net = ch.network({"schema": 1, "kind": "Network", "populations": {"a": population, "b": population}})
        assert seen == [cell, mine, net]
        net = ch.Network(cells=cell)
        assert seen[3:] == [net]
        cell.replace(C="2 uF/cm^2")
        ch.curves("INa_TM1991", ([-60.0], "mV"))
        assert len(seen) == 4
    ch.cell("PointNeuron_Brette2007")
    assert len(seen) == 4


def test_what_is_built_under_a_trace_is_not_told_of():
    import jax

    seen: list[Any] = []

    @jax.jit
    def capacity(C: Any) -> Any:
        return ch.SingleCompartment(1, "SodiumFixed", INa="INa_TM1991", C=(C, "uF/cm^2")).C

    with plugged(plugin(model_built=lambda model: seen.append(model))):
        capacity(2.0)
    assert seen == []


def test_a_plugin_that_fails_on_a_model_is_named_in_a_warning_and_the_model_is_there():
    seen: list[Any] = []
    with (
        plugged(plugin(model_built=fail), plugin(model_built=lambda model: seen.append(model))),
        pytest.warns(RuntimeWarning, match="its plugin '0', asked channelome_model_built, failed with RuntimeError"),
    ):
        cell = ch.cell("PointNeuron_Brette2007")
    assert seen == [cell]


# ---- doctor ----


def test_doctor_names_what_two_plugins_claim():
    both = [plugin(importers=lambda: {".lab": fail}, commands=lambda: [click.Command("tally")]) for _ in range(2)]
    with plugged(*both):
        said = [problem.what for problem in hooks.diagnose()]
    assert said == [
        "its plugin claims '.lab' by channelome_importers, and so does that of here/1",
        "its plugin claims 'tally' by channelome_commands, and so does that of here/1",
    ]


def test_doctor_names_what_a_plugin_cannot_take_from_us():
    with plugged(plugin(importers=lambda: {".json": fail}, commands=lambda: [click.Command("list")])):
        said = CliRunner().invoke(main, ["doctor"])
    assert said.exit_code == 1
    for what in ("'.json' by channelome_importers", "'list' by channelome_commands"):
        assert f"its plugin claims {what}, which is channelome's own and stays so. Rename it there." in said.output


def test_doctor_names_a_hook_that_the_text_of_its_plugin_hides(tmp_path: Path):
    make_pack(tmp_path, "plug-hidden", "Hidden1", plugin="hidden_front")
    (tmp_path / "hidden_front.py").write_text("from hidden_back import *\n")
    code = "from channelome.registry.hooks import hookimpl\n@hookimpl\ndef channelome_commands():\n    return []\n"
    (tmp_path / "hidden_back.py").write_text(code)
    script = "from channelome.registry import hooks; print(*hooks.diagnose())"
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    out = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert (
        "plug-hidden 1.2: its plugin 'plug-hidden' has channelome_commands, but its module does not name it"
        in out.stdout
    )


# ---- families ----


def test_a_family_of_a_plugin_is_found_by_its_manifest_and_keeps_the_rules(tmp_path: Path):
    def manifest(family: str, name: str) -> Path:
        path = tmp_path / f"{family}.toml"
        head = f'schema = 1\napi = "1.0"\nfamily = "{family}"\n'
        path.write_text(f'{head}[channel.{name}]\nobject = "channelome.mechanisms.leak:IL"\n')
        return path

    good, odd = manifest("Lab1", "IA_Lab1"), manifest("Lab2", "IA_Other")
    taken, gone = manifest("TM1991", "IA_TM1991"), tmp_path / "gone.toml"
    offered = {"Lab1": good, "Lab2": odd, "TM1991": taken, "Lab3": gone}
    with plugged(plugin(families=lambda: offered), plugin(families=fail)):
        registry = Registry.discover()
    assert registry.load("IA_Lab1").__name__ == "IL"
    said = {problem.family: problem.what for problem in registry.problems if problem.distribution == "here"}
    assert "a name of this pack ends with _Lab2" in said["Lab2"]
    assert "gone.toml is not there" in said["Lab3"]
    assert "which channelome-tm1991" in said["TM1991"]
    assert "RuntimeError: no such luck" in said[""]
    with pytest.raises(CollisionError):
        registry.find("INa_TM1991")


# ---- plugins ----


@pytest.mark.parametrize("name", [name for name in NAMES if name != "channelome_model_built"])
@pytest.mark.parametrize("answer", ["text", {1: 2}, [3]], ids=str)
def test_an_answer_of_the_wrong_form_is_a_problem_that_names_hook_and_answer(name: str, answer: Any):
    wrong = plugin(**{name.removeprefix("channelome_"): lambda: answer})
    installed = set(hooks.commands())
    with plugged(wrong):
        if name == "channelome_families":
            problems = Registry.discover().problems
        else:
            problems = tuple(hooks.diagnose())
            assert set(hooks.commands()) == installed
            assert hooks.importer(".lab") is None
            assert hooks.extra_checks("channel") == ()
    assert f"asked {name}, answered {answer!r}" in " ".join(map(str, problems))


def test_what_is_no_plugin_cannot_be_plugged_in():
    installed = set(hooks.commands())
    with pytest.raises(PackError, match="a hook that does not exist"), plugged(plugin(comands=lambda: [])):
        pass
    with pytest.raises(PackError, match="cannot be loaded"), plugged(plugin(commands=lambda nothing: [])):
        pass
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert set(hooks.commands()) == installed


def test_a_plugin_is_imported_only_for_the_hooks_that_its_text_names(tmp_path: Path):
    """Listing imports none of them, but for one with families; nor does a command of ours, or building a cell."""
    code = "import sys\nsys.stderr.write('imported {0}\\n')\nfrom channelome.registry.hooks import hookimpl\n@hookimpl\ndef channelome_{0}({1}):\n    return {{}}\n"
    for name, argument in (("commands", ""), ("importers", ""), ("families", ""), ("model_built", "model")):
        package = make_pack(
            tmp_path, f"plug-{name.replace('_', '-')}", name.replace("_", "").capitalize(), plugin=f"hooks_of_{name}"
        )
        assert (tmp_path / package).is_dir()
        (tmp_path / f"hooks_of_{name}.py").write_text(code.format(name, argument))

    def imported(script: str) -> list[str]:
        environment = os.environ | {"PYTHONPATH": str(tmp_path)}
        out = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        return re.findall(r"imported (\w+)", out.stderr)

    assert imported("from channelome.registry import registry; list(registry)") == ["families"]
    assert imported("import channelome as ch; ch.cell('SquidAxon_HH1952')") == ["families", "model_built"]
    said = "from channelome.registry import hooks; hooks.diagnose()"
    assert set(imported(said)) == {"commands", "importers", "families", "model_built"}
