"""What depending on all packs gives: each of them is there, is sound, and offers what the README says."""

import re
from importlib.metadata import requires
from pathlib import Path

import pytest

from channelome.registry import registry

PACKS = sorted(
    name
    for name in (re.split(r"[<>=~! ;]", one)[0] for one in requires("channelome-all") or () if "extra" not in one)
    if name != "channelome"
)
README = Path(__file__).parents[1] / "README.md"


def offered(pack: str) -> set[str]:
    return {entry.name for entry in registry.entries() if entry.distribution.partition(" ")[0] == pack}


def test_it_depends_on_the_eleven_packs_and_leaves_solvers_to_an_extra():
    assert len(PACKS) == 11
    extra = [one for one in requires("channelome-all") or () if "extra" in one]
    assert len(extra) == 1
    assert extra[0].startswith("channelome-diffrax")


@pytest.mark.parametrize("pack", PACKS)
def test_every_pack_is_installed_and_sound(pack: str):
    assert offered(pack)
    assert [problem for problem in registry.problems if problem.distribution.partition(" ")[0] == pack] == []


@pytest.mark.skipif(not README.is_file(), reason="a wheel installed alone: the README is in the repository")
def test_the_readme_lists_what_the_packs_offer():
    rows = dict(re.findall(r"^\| `(channelome-\w+)` \| (.*) \|$", README.read_text(), flags=re.MULTILINE))
    assert {pack: set(re.findall(r"`(\w+)`", row)) for pack, row in rows.items()} == {
        pack: offered(pack) for pack in PACKS
    }
