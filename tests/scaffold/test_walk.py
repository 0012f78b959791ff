"""The page docs/first_pack.md from an empty folder: built, installed in an empty environment, checked, run."""

from pathlib import Path

import pytest
from scaffold.walk import steps, walk


@pytest.mark.slow
def test_all_files_and_commands_of_the_page_give_what_it_shows(tmp_path: Path):
    done = walk(tmp_path)
    assert [one.command for one in done] == [
        step.command for step in steps() if step.command and step.command != ". .venv/bin/activate"
    ]
    assert sum(one.seconds for one in done) < 600  # ten minutes, of which a person types most


def test_the_page_goes_all_the_way():
    commands = "\n".join(step.command for step in steps())
    for part in (
        "new pack",
        "new channel",
        "pack sync",
        "check",
        "pytest",
        "plot",
        "build",
        "other/bin/channelome list",
    ):
        assert part in commands
    assert {Path(step.file).suffix for step in steps() if step.file} == {".py", ".toml", ".lab"}
