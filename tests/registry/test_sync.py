"""`sync` writes what classes know and leaves what people wrote."""

import json
import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from registry.packs import make_pack

from channelome.cli import main
from channelome.errors import PackError
from channelome.registry.sync import sync

PACKAGES = Path(__file__).parents[2] / "plugins"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A copy of a shipped manifest; its classes are those of the installed pack."""
    source = PACKAGES / "hh1952/src/channelome_hh1952/pack.toml"
    target = tmp_path / "channelome_hh1952" / "pack.toml"
    target.parent.mkdir()
    shutil.copy(source, target)
    return target


def changed(manifest: Path) -> str:
    """Put the manifest out of line, in the tables that are generated only; returns its new text."""
    text = manifest.read_text()
    assert "default = 120.0" in text
    text = text.replace("default = 120.0", "default = 12.0")
    manifest.write_text(text)
    return text


def test_what_people_wrote_is_kept_with_its_comments(manifest: Path):
    before = manifest.read_text()
    assert "[cell." in before
    head, rest = before.split("[channel.", 1)
    generated, tail = rest.split("[cell.", 1)
    manifest.write_text(f"# who checked it\n{head}[channel.{generated}# a cell of ours\n[cell.{tail}# the end\n")
    changed(manifest)
    assert not sync(manifest, check=True)
    assert not sync(manifest)
    after = manifest.read_text()
    assert tomllib.loads(after) == tomllib.loads(before)
    assert after.startswith(f"# who checked it\n{head.rstrip()}\n")
    assert after.endswith(f"[cell.{tail}# the end\n")
    assert sync(manifest)


def test_nothing_is_written_where_nothing_changed_or_only_a_check_was_asked(manifest: Path):
    before = manifest.read_text()
    assert sync(manifest)
    assert manifest.read_text() == before
    out_of_line = changed(manifest)
    assert not sync(manifest, check=True)
    assert manifest.read_text() == out_of_line


def test_text_that_looks_like_a_table_is_not_taken_for_one(manifest: Path):
    wanted = tomllib.loads(manifest.read_text())
    wanted["title"] = "A title\n[channel.None]\nof three lines"
    lines = manifest.read_text().splitlines(keepends=True)
    lines = [f'title = """{wanted["title"]}"""\n' if line.startswith("title = ") else line for line in lines]
    manifest.write_text("".join(lines))
    changed(manifest)
    assert not sync(manifest)
    assert tomllib.loads(manifest.read_text()) == wanted


@pytest.mark.parametrize("where", ["__init__.py", "deeper.py"])
def test_a_package_that_does_not_import_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
):
    monkeypatch.syspath_prepend(str(tmp_path))
    package = make_pack(tmp_path, f"pack-sync-{where[:4].strip('_')}", "Sync1", code="")
    (tmp_path / package / where).write_text("def broken(:\n")
    with pytest.raises(PackError, match=rf"{package} cannot be imported: SyntaxError"):
        sync(tmp_path / package / "pack.toml")
    for name in [name for name in sys.modules if name.startswith(package)]:
        del sys.modules[name]


def test_the_program_of_a_package_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    package = make_pack(tmp_path, "pack-program", "Program1", code="")
    (tmp_path / package / "__main__.py").write_text("raise SystemExit('run')\n")
    sync(tmp_path / package / "pack.toml", check=True)
    del sys.modules[package]


def test_the_pre_commit_hook_is_a_command_that_there_is(monkeypatch: pytest.MonkeyPatch):
    hook = (PACKAGES.parent / ".pre-commit-hooks.yaml").read_text()
    command, arguments = re.search(r"entry: channelome (.*)", hook), re.search(r"args: (.*)", hook)
    assert command and arguments
    monkeypatch.chdir(PACKAGES / "tm1991")
    result = CliRunner().invoke(main, [*command[1].split(), *json.loads(arguments[1])])
    assert result.exit_code == 0, result.output
    assert result.output.count("is in line") == 2
