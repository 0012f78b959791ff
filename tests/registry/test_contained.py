"""Whatever a pack or a plugin raises is contained and named, and stops nothing else; only the user's own interrupt goes through."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner
from registry.packs import channel_table, make_pack

import channelome as ch
from channelome.cli import main
from channelome.errors import PackError
from channelome.registry import Problem, Registry, hooks
from channelome.registry.discovery import Source, Switches
from channelome.registry.hooks import plugged
from channelome.registry.words import described, printable

RAISES = {
    "BaseException": "raise BaseException('of the base')",
    "GeneratorExit": "raise GeneratorExit('left')",
    "SystemExit": "raise SystemExit(7)",
    "CancelledError": "import asyncio; raise asyncio.CancelledError('not asked')",
    "RecursionError": "f = lambda: f()\nf()",
    "Odd": "class Odd(BaseException):\n    def __str__(self): raise SystemExit(9)\nraise Odd",
    "Named": "class M(type):\n    __name__ = property(lambda cls: 1 / 0)\nclass Named(Exception, metaclass=M): pass\nraise Named('x')",
    "Place": "class Place(SyntaxError):\n    filename = property(lambda self: 1 / 0)\nraise Place('x')",
    "Global": "__name__ = 3\nclass Global(Exception): __module__ = 'x'\nraise Global",
    "Module": "import sys\nclass Module(Exception): pass\nsys.modules[__name__] = type('M', (), {'__getattr__': lambda s, n: 1 / 0})()\nraise Module",
}
"""What a module may do while it is imported, and the name of the error that must be said."""


@pytest.fixture(autouse=True)
def no_module_that_is_none_is_left() -> Iterator[None]:
    """What goes through all modules later, as Hypothesis does, would meet it."""
    before = set(sys.modules)
    yield
    for name in [name for name, x in sys.modules.items() if name not in before and not issubclass(type(x), ModuleType)]:
        del sys.modules[name]


def plugin(**functions: Any) -> ModuleType:
    module = ModuleType("a_plugin")
    for name, function in functions.items():
        setattr(module, f"channelome_{name}", hooks.hookimpl(function))
    return module


def raising(text: str) -> Any:
    def run(*_: Any) -> Any:
        exec(text, {"__name__": "a_plugin"})

    return run


def python(site: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        env=os.environ | {"PYTHONPATH": str(site)} | environment,
        capture_output=True,
        text=True,
    )


COMMAND = ("-c", "import sys; from channelome.cli import main; sys.argv[0] = 'channelome'; main()")


# ---- packs ----


@pytest.mark.parametrize("name", RAISES)
def test_a_pack_that_raises_anything_is_named_and_the_others_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.syspath_prepend(str(tmp_path))
    bad = make_pack(tmp_path, f"bad-{name.lower()}", "Bad1", code=RAISES[name])
    good = make_pack(tmp_path, f"good-{name.lower()}", "Good1")
    sources = [Source("Bad1", bad, "pack.toml", "bad 1.2"), Source("Good1", good, "pack.toml", "good 1.2")]
    registry = Registry.discover(sources, Switches.from_environment({}))
    with pytest.raises(PackError, match=rf"'INa_Bad1' is offered by bad 1\.2, but loading it from .*: {name}"):
        registry.load("INa_Bad1")
    (problem,) = registry.diagnose()
    assert problem.distribution == "bad 1.2"
    assert name in problem.what
    assert registry.load("INa_Good1").__name__ == "INa_Good1"
    for module in (bad, good):
        sys.modules.pop(module, None)


def test_the_interrupt_of_the_user_goes_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    package = make_pack(tmp_path, "bad-interrupt", "Bad1", code="raise KeyboardInterrupt")
    source = Source("Bad1", package, "pack.toml", "bad 1.2")
    with pytest.raises(KeyboardInterrupt):
        Registry.discover([source], Switches.from_environment({})).load("INa_Bad1")


@pytest.mark.parametrize("name", RAISES)
def test_a_folder_whose_code_raises_anything_is_an_error_with_its_line(tmp_path: Path, name: str):
    (tmp_path / "mine.py").write_text(RAISES[name])
    with pytest.raises(PackError, match=rf"loading it from .*{name}"):
        ch.load_dir(tmp_path)


@pytest.mark.parametrize("name", RAISES)
def test_the_kit_reports_a_check_that_raises_anything(name: str):
    from channelome.testing.kit import check, run_check

    @check(level="quick", hint="Repair it.")
    def odd(subject: Any) -> Any:
        """It is odd."""
        return raising(RAISES[name])()

    found = run_check(odd, type("Subject", (), {"name": "X"}))
    assert (found.status, found.message.partition(":")[0]) == ("failed", name)


# ---- plugins ----


@pytest.mark.parametrize("name", [name for name in RAISES if name not in ("Global", "Module")])
@pytest.mark.parametrize("hook", ["environment", "importers", "commands", "checks", "diagnose", "families"])
def test_a_plugin_that_raises_anything_is_named_and_the_others_answer(hook: str, name: str):
    good = plugin(environment=lambda: {"a": "b"})
    with plugged(plugin(**{hook: raising(RAISES[name])}), good):
        problems = [*Registry.discover().problems] if hook == "families" else hooks.diagnose()
        assert hooks.environment()["a"] == "b"
    (problem,) = [one for one in problems if one.distribution == "here"]
    assert f"its plugin '0', asked channelome_{hook}, failed with {name}" in problem.what


class Changing(dict[str, Any]):
    """A table that answers once."""

    asked = 0

    def items(self) -> Any:
        Changing.asked += 1
        if Changing.asked > 1:
            raise BaseException("asked again")
        return super().items()


def test_an_answer_is_read_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Changing, "asked", 0)
    with plugged(plugin(environment=lambda: Changing(a="b"))):
        assert hooks.environment()["a"] == "b"


class Silent:
    def __str__(self) -> str:
        raise SystemExit(3)

    __repr__ = __str__


def test_what_cannot_say_itself_is_named_by_its_type():
    with plugged(plugin(environment=lambda: [Silent()], diagnose=lambda: [Problem("x", Silent(), "y")])):  # pyright: ignore
        said = [problem.what for problem in hooks.diagnose()]
    assert any("asked channelome_environment, failed with SystemExit: 3" in what for what in said)
    assert "<Silent that cannot say itself>" in said
    assert printable(Silent()) == "<Silent that cannot say itself>"
    assert described(BaseException(Silent())) == "BaseException: <BaseException that cannot say itself>"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plain µ é 神経", "plain µ é 神経"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("two\nlines\r\t", r"two\nlines\r\t"),
        ("\u202egnp.exe\u200b\x9b1m\x7f", r"\u202egnp.exe\u200b\x9b1m\x7f"),
        ("a\u2028b\x85c", r"a\u2028b\x85c"),
        ("thin\u2009and\xa0fixed", "thin and fixed"),
        ("half \ud800", r"half \ud800"),
    ],
)
def test_a_text_of_others_is_one_line_that_no_terminal_obeys(text: str, said: str):
    assert printable(text) == said
    assert printable("a\n\x1bb", lines=True) == "a\n\\x1bb"


# ---- families at run time ----

FAMILIES = {
    "Api": ('api = "1.²"', "must say the API version that it needs, api = '1.0', not '1.²'"),
    "Digits": (f'api = "{"9" * 5000}.0"', "must say the API version that it needs"),
    "Nul": ('api = "1.0"\n[cell.X_Nul]\nfile = "a\\u0000b"', "the file 'a\\x00b' cannot be one: embedded null byte"),
    "Long": (f'api = "1.0"\n[cell.X_Long]\nfile = "{"x" * 5000}/y"', "X_Long"),
    "At": (f'api = "1.0"\n[channel."X_At@{"9" * 150}"]\nobject = "x:y"', "is not a name"),
    "Deep": ('api = "1.0"\nx = ' + "[" * 3000 + "]" * 3000, "is nested too deep"),
    "Dots": ("api = '1.0'\nx" + ".x" * 100_000 + " = 1", "Dots.toml: line 4: a key of more than 16 parts"),
    "Quoted": ("api = '1.0'\n'='" + ".x" * 100_000 + " = 1", "Quoted.toml: line 4: a key of more than 16 parts"),
    "Hex": ("api = '1.0'\nx = 0x" + "f" * 100_000, "Hex.toml: line 4: a number of more than 400 characters"),
    "Large": ("api = '1.0'\n#" + "x" * (5 << 20), "is larger than 4 MiB"),
    "Half": ("api = '1.0'\n\x00", "is not TOML"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with a plugin that offers one family of every bad kind, and a good one after them."""
    site = tmp_path_factory.mktemp("site")
    for family, (text, _) in FAMILIES.items():
        (site / f"{family}.toml").write_text(f'schema = 1\nfamily = "{family}"\n{text}\n', encoding="utf-8")
    head = 'schema = 1\napi = "1.0"\nfamily = "Zgood"\n'
    (site / "Zgood.toml").write_text(head + channel_table("INa_Zgood", "plug_families"))
    (site / "Zhold").mkdir()
    make_pack(site, "plug-families", "Plug1", plugin="plug_families.hooks")
    package = site / "plug_families"
    (package / "__init__.py").write_text((package / "__init__.py").read_text().replace("INa_Plug1", "INa_Zgood"))
    (package / "pack.toml").write_text('schema = 1\napi = "1.0"\nfamily = "Plug1"\n')
    (package / "hooks.py").write_text(
        "from pathlib import Path\nfrom channelome.registry.hooks import hookimpl\n@hookimpl\ndef channelome_families():\n"
        f"    here = Path(__file__).parents[1]\n    names = {[*FAMILIES, 'Zgood']!r}\n"
        "    found = {name: here / f'{name}.toml' for name in names}\n"
        "    return found | {'Zero': Path('a\\0b'), 'Zhold': here / 'Zhold', '': here / 'Zgood.toml', 'Device': Path('/dev/zero')}\n"
    )
    return site


def test_bad_families_of_a_plugin_are_named_and_stop_no_command(site: Path):
    listed = python(site, *COMMAND, "list", "--json")
    assert listed.returncode == 0, listed.stderr
    assert {"INa_Zgood", "INa_TM1991"} <= {entry["name"] for entry in json.loads(listed.stdout)}
    assert python(site, *COMMAND, "cite", "INa_TM1991").returncode == 0
    doctor = python(site, *COMMAND, "doctor", "--json")
    assert (doctor.returncode, doctor.stderr) == (1, "")
    said = "\n".join(problem["what"] for problem in json.loads(doctor.stdout)["problems"])
    for family, (_, what) in FAMILIES.items():
        assert what in said, family
    for what in (
        "embedded null byte",
        "Zhold cannot be read: it is no file",
        "it names no family",
        "zero cannot be read: it is no file",
    ):
        assert what in said


def test_the_class_of_such_a_family_lies_in_the_plugins_own_package(site: Path):
    code = "from channelome.registry import registry; print(registry.load('INa_Zgood'))"
    assert python(site, "-c", code).stdout.strip() == "<class 'plug_families.INa_Zgood'>"


def test_a_plugin_that_looks_up_names_while_they_are_found_is_named(tmp_path: Path):
    make_pack(tmp_path, "plug-circle", "Circle1", plugin="circle_hooks")
    (tmp_path / "circle_hooks.py").write_text(
        "from channelome.registry.hooks import hookimpl\n@hookimpl\ndef channelome_families():\n"
        "    from channelome.registry import registry\n    return {}\n"
    )
    out = python(
        tmp_path, "-c", "from channelome.registry import registry; print(*registry.problems, len(registry) > 9)"
    )
    assert "plug-circle 1.2: its plugin 'plug-circle', asked channelome_families, failed with PackError" in out.stdout
    assert out.stdout.strip().endswith("True")


def test_entry_points_that_are_no_text_are_survived(tmp_path: Path):
    make_pack(tmp_path, "pack-well", "Well1")
    for name, points in (("ours", b"[channelome.packs]\n\xff = x:y\n"), ("others", b"[other]\n\xff = x\n")):
        info = tmp_path / f"{name}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (info / "entry_points.txt").write_bytes(points)
    code = "from channelome.registry import registry; print('INa_Well1' in registry, [p.distribution for p in registry.problems])"
    assert python(tmp_path, "-c", code).stdout.strip() == "True ['ours 1']"


@pytest.mark.parametrize("name", ["Base", "Help"])
def test_a_command_of_a_plugin_that_fails_is_one_line_that_names_it(name: str):
    import click

    class Odd(click.Command):
        def get_short_help_str(self, limit: int = 45) -> str:
            raise BaseException("no help")

    def fail() -> None:
        raise RuntimeError("no such luck\x1b")

    broken = Odd("odd") if name == "Help" else click.Command("odd", callback=fail)
    with plugged(plugin(commands=lambda: [broken])):
        assert CliRunner().invoke(main, ["--help"]).exit_code == 0
        result = CliRunner().invoke(main, ["odd"])
    assert result.exit_code == 2
    said = (
        "the command 'odd' of a plugin failed: RuntimeError: no such luck\\x1b"
        if name == "Base"
        else "No such command 'odd'"
    )
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
