"""Whose a name is: an alias is of its pack's own family, and a family is owned once, however it is spelt."""

from collections.abc import Callable
from pathlib import Path

import pytest
from registry.packs import channel_table, make_pack

from channelome.errors import CollisionError, UnknownName
from channelome.registry import Registry
from channelome.registry.discovery import Source, Switches

Discover = Callable[..., Registry]


@pytest.fixture
def discover(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Discover:
    """A registry of packs made for the test, by distribution: family, and aliases of its channel INa_FAMILY."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def build(**packs: tuple[str, list[str]]) -> Registry:
        sources: list[Source] = []
        for name, (family, aliases) in packs.items():
            more = f"aliases = [{', '.join(f'{{ name = {alias!r} }}' for alias in aliases)}]"
            make_pack(tmp_path, name, family, tables=channel_table(f"INa_{family}", name, more))
            sources.append(Source(family, name, "pack.toml", f"{name} 1.2"))
        return Registry.discover(sources, Switches.from_environment({}))

    return build


@pytest.mark.parametrize("alias", ["INa_TM1991", "Na_TM1991", "Anything_TM1991", "ina_tm1991", "INa_TM1991v2"])
def test_an_alias_in_a_family_of_ours_that_is_not_installed_means_nothing_and_names_the_owner(
    discover: Discover, alias: str
):
    registry = discover(zz=("ZZ", [alias]))
    for name in (alias, f"{alias}@1"):
        assert name not in registry
        with pytest.raises(UnknownName):
            registry.find(name)
    (problem,) = registry.problems
    assert problem.distribution == "zz 1.2"
    assert f"its alias '{alias}' of 'INa_ZZ' is a name of another family, which channelome-tm1991 owns" in problem.what
    assert registry.find("INa_ZZ").aliases == ()  # nor does `show` repeat it


def test_a_claim_on_an_installed_family_names_both_and_the_owner_wins(discover: Discover):
    registry = discover(
        zz=("ZZ", ["Na_TM1991", "IK_TM1991", "Odd_Lab7"]), tm=("TM1991", ["Na_TM1991"]), lab=("Lab7", [])
    )
    assert registry.find("Na_TM1991").distribution == "tm 1.2"
    assert "IK_TM1991" not in registry
    assert [problem.distribution for problem in registry.problems] == ["zz 1.2"] * 3
    said = [problem.what for problem in registry.problems]
    assert said[0] == "its alias 'Na_TM1991' of 'INa_ZZ' is a name of the family 'TM1991', which tm 1.2 owns"
    assert said[2] == "its alias 'Odd_Lab7' of 'INa_ZZ' is a name of the family 'Lab7', which lab 1.2 owns"


def test_an_alias_that_is_the_name_of_another_pack_is_its_owners(discover: Discover):
    registry = discover(zz=("ZZ", ["INa_TM1991"]), tm=("TM1991", []))
    assert registry.find("INa_TM1991").distribution == "tm 1.2"
    (problem,) = registry.problems
    assert problem.what == "its alias 'INa_TM1991' of 'INa_ZZ' is taken by 'INa_TM1991' of tm 1.2"


@pytest.mark.parametrize("alias", ["../x", "a b", "", "INa-ZZ", "INa_ZZ@1", "1_ZZ", "x\\u0000_ZZ"])
def test_an_alias_that_is_no_name_is_a_problem_of_its_pack(discover: Discover, alias: str):
    registry = discover(zz=("ZZ", [alias]), fine=("Fine", []))
    (problem,) = registry.problems
    assert problem.distribution == "zz 1.2"
    assert "pack.toml: channel.INa_ZZ: the alias " in problem.what
    assert "is not a name: letters, digits and _ make one" in problem.what
    assert alias not in registry
    assert "INa_Fine" in registry


@pytest.mark.parametrize("alias", ["Both", "TM1991", "Na_Nobody2001"])
def test_an_alias_outside_of_every_family_is_a_problem_too(discover: Discover, alias: str):
    registry = discover(zz=("ZZ", [alias]))
    assert alias not in registry
    (problem,) = registry.problems
    assert problem.what == f"its alias '{alias}' of 'INa_ZZ' is no name of its family: those end with _ZZ"
    assert problem.remedy == "Write INa_ZZ instead."


def test_other_spellings_within_the_family_are_taken(discover: Discover):
    good = ["Na_ZZ", "INa_ZZv2", "NaF_zz", "I_Na_ZZ"]
    registry = discover(zz=("ZZ", good))
    assert registry.problems == ()
    assert {registry.find(alias).name for alias in good} == {"INa_ZZ"}


def test_every_alias_that_we_publish_is_of_its_own_family():
    registry = Registry.discover()
    assert registry.problems == ()
    assert registry.find("INa_TM1991v2").name == "INa_TM1991"


@pytest.mark.parametrize("other", ["tm1991", "Tm1991", "ＴＭ1991"])
def test_families_that_differ_by_case_or_width_are_one_claim_and_neither_wins(discover: Discover, other: str):
    registry = discover(tm=("TM1991", []), zz=(other, []))
    assert {problem.distribution for problem in registry.problems} == {"tm 1.2", "zz 1.2"}
    said = {problem.distribution: problem.what for problem in registry.problems}
    assert said["zz 1.2"] == f"it claims the family '{other}', which tm 1.2, as 'TM1991', claims too"
    for name in ("INa_TM1991", f"INa_{other}"):
        with pytest.raises(CollisionError, match=r"tm 1\.2 and zz 1\.2"):
            registry.find(name)


@pytest.mark.parametrize("family", ["../x", "a b", "X_TM1991", "TM-1991"])
def test_what_cannot_be_a_family_is_a_problem(discover: Discover, family: str, tmp_path: Path):
    package = make_pack(tmp_path, "odd", "Odd", manifest=f"schema = 1\napi = '1.0'\nfamily = '{family}'\n")
    registry = Registry.discover([Source(family, package, "pack.toml", "odd 1.2")], Switches.from_environment({}))
    (problem,) = registry.problems
    assert "cannot be a family: letters and digits" in problem.what


def test_no_pack_can_call_itself_core(discover: Discover, tmp_path: Path):
    tables = "schema = 1\napi = '1.0'\nfamily = ''\n" + channel_table("IL", "odd")
    package = make_pack(tmp_path, "odd", "Odd", manifest=tables)
    registry = Registry.discover([Source("", package, "pack.toml", "odd 1.2")], Switches.from_environment({}))
    (problem,) = registry.problems
    assert "it names no family" in problem.what
    assert registry.find("IL").distribution.startswith("channelome ")
