"""The command line among careless and hostile packs, closed pipes and mistakes: one line each, and nothing that a terminal obeys."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from registry.packs import make_pack

from channelome.cli import main

PROGRAM = [sys.executable, "-c", "import sys; from channelome.cli import main; sys.argv[0] = 'channelome'; main()"]
AXON = "SquidAxon_HH1952"


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="channelome")


def refused(*arguments: object) -> str:
    result = call(*arguments)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def program(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, env=os.environ | environment)


# ---- what others wrote ----

EVIL = "\x1b[2J\x1b]0;owned\x07"
WRITTEN = r"\x1b[2J\x1b]0;owned\x07"


def toml(text: str) -> str:
    return json.dumps(text)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of an environment with a pack whose words are for the terminal, and one that is broken with such words."""
    site = tmp_path_factory.mktemp("site")
    word = toml(f"one\nproblem: forged{EVIL}\u202eback")
    manifest = f"""
schema = 1
api = "1.0"
family = "Evil1"
title = {word}
license = {word}
[references.E]
role = "equations"
text = {word}
doi = {word}
[channel.INa_Evil1]
object = "evil_pack:INa_Evil1"
summary = {word}
kind = {word}
ion = {word}
gates = [{word}]
reads = [{word}]
references = ["E"]
notes = {word}
equations = {toml("def m(self):" + chr(10) + "    return " + EVIL)}
aliases = [{{ name = "Na_Evil1", deprecated_since = {word} }}]
[channel.INa_Evil1.parameters.{toml("g" + EVIL)}]
default = 1.0
unit = {word}
source = {word}
"""
    make_pack(site, "evil-pack", "Evil1", manifest=manifest)
    make_pack(
        site, "evil-broken", "Evil2", manifest=f'schema = 1\napi = "1.0"\nfamily = "Evil2"\n{toml("x" + EVIL)} = 1\n'
    )
    make_pack(site, "evil-code", "Evil3", code=f"raise RuntimeError({EVIL + chr(10)!r})\n")
    info = site / "evil_name-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: evil{EVIL}\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[channelome.packs]\nEvil4 = nothing_there:pack.toml\n")
    return str(site)


@pytest.mark.parametrize(
    "arguments",
    [
        *(("list",), ("list", "--json"), ("list", "one"), ("show", "INa_Evil1"), ("show", "INa_Evil1", "--json")),
        *(("cite", "INa_Evil1"), ("cite", "INa_Evil1", "--format", "bibtex"), ("cite", "INa_Evil1", "--format", "csl-json")),
        *(("doctor",), ("doctor", "--json"), ("env",), ("env", "--json"), ("freeze",), ("plot", "INa_Evil3")),
        *(("show", f"INa{EVIL}"), ("run", f"{EVIL}.toml"), ("list", "--family", EVIL), ("list", f"--{EVIL}"), (EVIL,)),
        *(("show", f"INa{EVIL}", "--json"), ("check", "Evil1", "--level", "quick")),
    ],
    ids=lambda value: " ".join(value).replace(EVIL, "EVIL"),
)  # fmt: skip
def test_no_command_lets_a_terminal_obey_what_others_wrote(hostile: str, arguments: tuple[str, ...]):
    out = program(*arguments, PYTHONPATH=hostile)
    assert out.returncode in (0, 1, 2), out.stderr
    assert "Traceback" not in out.stderr
    assert [c for c in out.stdout + out.stderr if not c.isprintable() and c != "\n"] == []
    assert [line for line in out.stdout.splitlines() if line.startswith("problem: forged")] == []
    if "--json" in arguments and out.stdout:
        json.loads(out.stdout)


def test_what_was_escaped_can_be_read_and_json_means_the_same(hostile: str):
    assert WRITTEN in program("show", "INa_Evil1", PYTHONPATH=hostile).stdout
    shown = json.loads(program("show", "INa_Evil1", "--json", PYTHONPATH=hostile).stdout)
    assert shown["summary"] == f"one\nproblem: forged{EVIL}\u202eback"


def test_list_says_in_one_line_that_packs_are_broken(hostile: str):
    out = program("list", "--family", "TM1991", PYTHONPATH=hostile)
    assert out.returncode == 0
    assert out.stderr.count("\n") == 1
    assert "something is broken in evil-broken 1.2, " in out.stderr
    assert out.stderr.endswith(": `channelome doctor` says what.\n")
    assert "broken" not in program("list").stderr


# ---- mistakes ----


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("frob",), "No such command 'frob'. See `channelome --help`."),
        (("list", "--frob"), "No such option '--frob'. See `channelome list --help`."),
        (("show",), "Missing argument 'NAME'. See `channelome show --help`."),
        (("run", AXON, "--size", "10^12"), "'10^12' is not a valid integer"),
        (("cite", "IL", "--format", "x"), "'x' is not one of 'text', 'bibtex', 'csl-json'"),
        (("new", "pack"), "Missing argument 'NAME'"),
        (("pack", "sync", "nowhere"), "'nowhere' does not exist"),
        (("check", "nobody"), "A folder needs a pyproject.toml"),
        (("completion", "powershell"), "'powershell' is not one of 'bash', 'zsh', 'fish'"),
        (
            ("list", "--kind", "foo"),
            "there is no kind 'foo'. There are channel, ion, synapse, solver, cell, network, and ",
        ),
        (("list", "--kind", "Ohmc"), "there is no kind 'Ohmc'. Did you mean Ohmic?"),
    ],
)
def test_a_mistake_of_use_is_one_line(arguments: tuple[str, ...], said: str):
    assert said in refused(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [("show", "Nobody", "--json"), ("show", "--json"), ("list", "--kind", "foo", "--json"), ("run", "--json", "none.toml"), ("frob", "--json")],
)  # fmt: skip
def test_an_error_of_a_command_with_json_is_json(arguments: tuple[str, ...]):
    result = call(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    plain = call(*(word for word in arguments if word != "--json")).stderr
    assert json.loads(result.stderr) == {"error": plain.removeprefix("error: ").rstrip("\n")}


@pytest.mark.parametrize("kind", ["solver", "NETWORK", "markov", "pool", "Synapse"])
def test_a_kind_that_there_is_needs_no_names_of_it(kind: str):
    assert call("list", "--kind", kind).exit_code == 0


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "CHANNELOME_PACKS",
            "nonsense",
            "it names 'nonsense', which no installed pack or plugin is called. There are Ba2002, ",
        ),
        (
            "CHANNELOME_PACKS",
            "TM1991 HH1592",
            "it names 'hh1592', which no installed pack or plugin is called. Did you mean HH1952?",
        ),
        ("CHANNELOME_DISABLE_PACKS", "channelome-tm199", "Did you mean channelome-tm1991?"),
    ],
)
def test_a_switch_that_names_nothing_is_a_problem(variable: str, value: str, said: str):
    doctor = program("doctor", **{variable: value})
    assert doctor.returncode == 1
    assert f"problem: {variable}: " in doctor.stdout
    assert said in doctor.stdout
    listed = program("list", **{variable: value})
    assert (listed.returncode, listed.stderr) == (
        0,
        f"something is broken in {variable}: `channelome doctor` says what.\n",
    )
    strict = program("list", **{variable: value}, CHANNELOME_STRICT="1")
    assert strict.returncode == 2
    assert said in strict.stderr


def test_switches_that_name_what_there_is_are_no_problem():
    packs = program(
        "doctor", "--json", CHANNELOME_PACKS="TM1991 channelome-hh1952 diffrax", CHANNELOME_DISABLE_PACKS="Li2017"
    )
    assert json.loads(packs.stdout)["problems"] == []


@pytest.mark.parametrize(("value", "strict"), [("0", False), ("false", False), ("", False), ("1", True), ("yes", True)])
def test_strict_can_be_said_to_be_off(value: str, strict: bool):
    out = program("list", CHANNELOME_STRICT=value, CHANNELOME_PACKS="nonsense")
    assert (out.returncode == 2) is strict


# ---- work that would be lost ----


@pytest.mark.parametrize("missing", ["xarray", "h5netcdf"])
def test_a_run_that_could_not_be_kept_is_not_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str):
    from channelome.engine import simulation

    module = sys.modules["channelome.cli.run"]
    there = module.find_spec
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == missing else there(name))
    monkeypatch.setattr(simulation, "simulate", lambda *_, **__: pytest.fail("it was computed"))
    said = refused("run", AXON, "--out", tmp_path / "x.nc")
    assert said == f'error: .nc files need {missing}: pip install "channelome[xarray]", or name it x.npz.\n'
    assert "runs are kept in .npz or .nc files, not '.csv'" in refused("run", AXON, "--out", tmp_path / "x.csv")
    assert "pictures are " in refused("run", AXON, "--plot", tmp_path / "x.doc")
    assert "there is no folder" in refused("run", AXON, "--plot", tmp_path / "no" / "x.png")


def test_a_picture_of_no_known_form_is_refused_before_it_is_drawn(tmp_path: Path):
    assert "Name it x.png." in refused("plot", "INa_HH1952", "-o", tmp_path / "x.doc")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--size", 10**12), "--size is at most 10,000,000; a script goes further: channelome.cell(..., size=1000000000000)."),
        (("--size", 10**7, "--duration", "1000 ms"), "GiB are free. Ask for fewer neurons"),
        (("--duration", "1e15 ms", "--dt", "1 ms"), "is longer than one can be"),
    ],
)  # fmt: skip
def test_a_run_that_no_memory_holds_is_one_line(options: tuple[object, ...], said: str):
    assert said in refused("run", AXON, *options)


def test_the_records_of_a_network_that_no_memory_holds_are_one_line():
    said = refused("run", "COBAHH_Brette2007", "--duration", "1e7 ms", "--record", "cells.V")
    assert "the records would take" in said
    assert "GiB are free. Ask for fewer neurons" in said


def test_a_run_that_meets_the_end_of_memory_on_its_way_is_one_line(monkeypatch: pytest.MonkeyPatch):
    from channelome.engine import simulation

    for error in (
        MemoryError(),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 4 bytes"),
        OverflowError("x"),
    ):

        def fail(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(simulation, "simulate", fail)
        assert "the run does not fit into memory." in refused("run", AXON)


def test_cite_says_where_there_is_no_reference(tmp_path: Path):
    assert call("cite", "IL").stdout == "no reference: core\n"
    leak = tmp_path / "leak.toml"
    leak.write_text('schema = 1\n[channels]\nIL = { use = "IL", E = { value = -65, unit = "mV" } }\n')
    assert call("cite", leak).stdout == "no reference: core\n"
    assert call("cite", "staggered", "IL").stdout != ""
    result = call("cite", "IL", "--format", "csl-json")
    assert (json.loads(result.stdout), result.stderr) == ([], "no reference: core\n")
    result = call("cite", "IL", "--format", "bibtex")
    assert (result.stdout, result.stderr) == ("", "no reference: core\n")


# ---- where it is printed ----


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="of Linux")
@pytest.mark.parametrize(
    "arguments", [("list",), ("show", AXON), ("cite", AXON, "--format", "bibtex"), ("--help",), ("list", "--json")]
)
def test_a_full_disk_is_one_line(arguments: tuple[str, ...]):
    with open("/dev/full", "w") as full:
        done = subprocess.run([*PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert "the output cannot be written: no space left on device." in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", ["list", f"show {AXON}", "--help", "show Nobody"])
def test_a_closed_output_is_no_traceback(arguments: str):
    command = f'"{sys.executable}" -c "$CODE" {arguments}'
    environment = os.environ | {"CODE": PROGRAM[2]}
    for closing in (">&-", "2>&-", ">&- 2>&-"):
        done = subprocess.run(f"{command} {closing}", shell=True, env=environment, capture_output=True, text=True)
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr
        assert done.returncode == (2 if "Nobody" in arguments else 0)


def test_a_reader_that_has_read_enough_ends_it_without_a_word():
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run([*PROGRAM, "list"], stdout=writer, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_terminal_that_lacks_a_letter_is_no_reason_to_stop(tmp_path: Path):
    make_pack(
        tmp_path, "pack-greek", "Greek1", tables="[channel.I_Greek1]\nobject = 'pack_greek:I'\nsummary = 'Ω-current'\n"
    )
    out = program("list", "--family", "Greek1", PYTHONPATH=str(tmp_path), PYTHONIOENCODING="latin-1")
    assert out.returncode == 0
    assert r"\u03a9-current" in out.stdout


# ---- completion ----


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_what_the_shell_reads(shell: str):
    out = program("completion", shell)
    assert (out.returncode, out.stderr) == (0, "")
    assert "_CHANNELOME_COMPLETE=" in out.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=out.stdout, text=True, check=True)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("channelome comp", {"completion"}),
        ("channelome show INa_T", {"INa_TM1991"}),
        ("channelome plot SquidAx", set()),
        ("channelome run SquidAx", {AXON}),
        ("channelome cite INa_TM1991 IK_HH", {"IK_HH1952"}),
        ("channelome run x --solver rk", {"rk3", "rk4"}),
        ("channelome list --family TM", {"TM1991"}),
        ("channelome list --kind Mark", {"Markov"}),
        ("channelome freeze COBAHH", {"COBAHH_Brette2007"}),
        ("channelome check IL", {"IL"}),
    ],
)  # fmt: skip
def test_names_of_what_is_installed_are_completed(words: str, found: set[str]):
    code = PROGRAM[2] + "\nprint([m for m in ('jax', 'numpy') if m in sys.modules], file=sys.stderr)"
    ask = {"_CHANNELOME_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    environment = os.environ | ask
    code = code.replace("main()", "\ntry:\n    main(prog_name='channelome')\nexcept SystemExit:\n    pass")
    out = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert {line.partition(",")[2] for line in out.stdout.split() if line.startswith("plain,")} == found
    assert out.stderr.strip() == "[]"


# ---- doctor --deep ----


def test_doctor_deep_builds_models_and_finds_what_a_manifest_leaves_out(tmp_path: Path):
    package = make_pack(tmp_path, "pack-deep", "Deep1", tables='[cell.Cell_Deep1]\nfile = "cell.toml"\n')
    (tmp_path / package / "cell.toml").write_text(
        'schema = 1\n[channels]\nINa = { use = "INa_TM1991" }\n'
    )  # and no sodium
    assert program("doctor", PYTHONPATH=str(tmp_path)).returncode == 0
    out = program("doctor", "--deep", "--json", PYTHONPATH=str(tmp_path))
    assert out.returncode == 1
    said = [problem["what"] for problem in json.loads(out.stdout)["problems"]]
    assert len(said) == 2
    assert said[0].startswith("'Cell_Deep1' cannot be built: ModelError: ")
    assert "na" in said[0]
    assert said[1] == "its manifest pack.toml is not all that its classes say"


def test_doctor_deep_finds_nothing_wrong_here():
    assert program("doctor", "--deep").stdout.endswith("no problems.\n")
