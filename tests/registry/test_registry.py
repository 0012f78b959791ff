"""The registry: names to things, with every way in which a pack can be broken survived and named."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from registry.packs import channel_table, make_pack

from channelome.errors import CollisionError, PackError, UnknownName
from channelome.registry import Registry
from channelome.registry.discovery import Source, Switches

Build = Callable[..., Registry]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.fixture
def discover(site: Path) -> Build:
    """A registry of the distributions in `site` alone, and core."""
    import importlib_metadata

    def build(environment: dict[str, str] | None = None) -> Registry:
        sources = [
            Source(point.name, *point.value.split(":"), f"{dist.metadata['Name']} {dist.version}")
            for dist in importlib_metadata.distributions(path=[str(site)])
            for point in dist.entry_points.select(group="channelome.packs")
        ]
        return Registry.discover(sorted(sources), Switches.from_environment(environment or {}))

    return build


def test_a_pack_is_found_by_its_entry_point_and_loaded_only_when_used(site: Path, discover: Build):
    package = make_pack(site, "pack-lazy", "Lazy1999")
    registry = discover()
    assert "INa_Lazy1999" in registry
    assert [entry.name for entry in registry.entries(family="Lazy1999")] == ["INa_Lazy1999"]
    assert list(registry.Lazy1999) == ["INa_Lazy1999"]
    assert package not in sys.modules
    cls = registry.load("INa_Lazy1999", "channel")
    assert cls.__name__ == "INa_Lazy1999"
    assert package in sys.modules


def test_the_entry_names_the_distribution_that_ships_it(site: Path, discover: Build):
    make_pack(site, "pack-origin", "Origin1")
    assert discover().find("INa_Origin1").distribution == "pack-origin 1.2"


def test_an_unknown_name_says_what_is_near(site: Path, discover: Build):
    make_pack(site, "pack-near", "Near1991")
    with pytest.raises(UnknownName, match=r"no installed pack provides 'INa_Near1992'. Did you mean INa_Near1991\?"):
        discover().find("INa_Near1992")


def test_an_unknown_name_of_a_known_family_says_what_to_install(discover: Build):
    with pytest.raises(UnknownName, match=r"pip install channelome-hm1992"):
        discover().find("ICaT_HM1992")


def test_a_name_of_another_kind_says_so(discover: Build):
    with pytest.raises(UnknownName, match="'IL' is a channel, not an ion"):
        discover().load("IL", "ion")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"code": "def broken(:\n"}, "SyntaxError"),
        ({"code": "import a_library_that_nobody_has\n"}, "ModuleNotFoundError.*a_library_that_nobody_has"),
        ({"code": "raise RuntimeError('no such luck')\n"}, "RuntimeError: no such luck"),
        ({"code": "x = 1\n"}, "AttributeError.*INa_Broken1"),
    ],
    ids=["syntax error", "missing dependency", "raises on import", "class not there"],
)
def test_a_pack_that_does_not_import_is_named_at_use_and_by_diagnose_and_leaves_the_others(
    site: Path, discover: Build, how: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
):
    package = make_pack(site, "pack-broken", "Broken1", **how)
    monkeypatch.delitem(sys.modules, package, raising=False)
    make_pack(site, "pack-sound", "Sound1")
    registry = discover()
    assert {"INa_Broken1", "INa_Sound1"} <= set(registry)
    with pytest.raises(PackError, match=rf"(?s)'INa_Broken1' is offered by pack-broken 1.2.*{said}"):
        registry.load("INa_Broken1")
    found = {problem.distribution: problem.what for problem in registry.diagnose()}
    assert list(found) == ["pack-broken 1.2"]
    assert registry.load("INa_Sound1").__name__ == "INa_Sound1"
    sys.modules.pop("pack_sound")
    sys.modules.pop(package, None)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"manifest": "schema = \n"}, "is not TOML"),
        ({"manifest": ""}, "is not there"),
        ({"api": "2.0"}, "incompatible: it needs API 2.0"),
        ({"api": "1.99"}, "needs API 1.99, this channelome has 1.0; update channelome"),
        ({"api": "new"}, "must say the API version"),
        ({"tables": channel_table("INa_Other", "x")}, "a name of this pack ends with _Odd1"),
        ({"tables": "[channel.INa_Odd1]\nsummary = 'x'\n"}, "needs object"),
        ({"tables": "[channel.INa_Odd1]\nobjekt = 'x:y'\n"}, "unknown entries"),
        ({"tables": channel_table("INa_Odd1", "x", "references = ['nobody']")}, "cites 'nobody'"),
        ({"tables": "[cell.X_Odd1]\nfile = '../../etc/passwd'\n"}, "lies outside the pack"),
        ({"tables": "[references.X]\nrole = 'rumour'\ntext = 'x'\n"}, "role"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_manifest_is_a_problem_that_names_it_and_leaves_the_others(
    site: Path, discover: Build, how: dict[str, str], said: str
):
    make_pack(site, "pack-odd", "Odd1", **how)
    make_pack(site, "pack-fine", "Fine1")
    registry = discover()
    (problem,) = registry.problems
    assert problem.distribution == "pack-odd 1.2"
    assert said in problem.what
    assert "INa_Fine1" in registry
    assert "INa_Odd1" not in registry
    with pytest.raises(UnknownName, match=r"A pack that may is broken: pack-odd 1\.2"):
        registry.find("INa_Odd1")
    with pytest.raises(PackError, match="CHANNELOME_STRICT"):
        discover({"CHANNELOME_STRICT": "1"})


def test_two_distributions_that_claim_a_family_are_both_named_and_neither_wins(site: Path, discover: Build):
    make_pack(site, "pack-first", "Twice1")
    make_pack(site, "pack-second", "Twice1")
    registry = discover()
    assert "INa_Twice1" in registry
    assert {problem.distribution for problem in registry.problems} == {"pack-first 1.2", "pack-second 1.2"}
    with pytest.raises(
        CollisionError, match=r"pack-first 1.2 and pack-second 1.2.*CHANNELOME_DISABLE_PACKS=pack-first"
    ):
        registry.load("INa_Twice1")
    chosen = discover({"CHANNELOME_DISABLE_PACKS": "pack-first"})
    assert chosen.find("INa_Twice1").distribution == "pack-second 1.2"


def test_a_family_claimed_twice_collides_even_where_the_names_differ(site: Path, discover: Build):
    make_pack(site, "pack-one", "Shared1")
    make_pack(site, "pack-two", "Shared1", tables=channel_table("IK_Shared1", "pack_two"))
    with pytest.raises(CollisionError, match=r"pack-one 1\.2 and pack-two 1\.2"):
        discover().find("IK_Shared1")


def test_switches_allow_and_disable_by_family_or_distribution(site: Path, discover: Build):
    make_pack(site, "pack-a", "FamA")
    make_pack(site, "pack-b", "FamB")
    assert discover({"CHANNELOME_PACKS": "FamA"}).families == ["FamA"]
    assert discover({"CHANNELOME_PACKS": "pack-b"}).families == ["FamB"]
    assert discover({"CHANNELOME_PACKS": ""}).families == []
    assert discover({"CHANNELOME_DISABLE_PACKS": "FamA, pack-b"}).families == []


def test_an_alias_means_its_name_and_a_deprecated_one_warns(site: Path, discover: Build):
    more = "aliases = [{ name = 'Na_Alias1' }, { name = 'NaOld_Alias1', deprecated_since = '0.3' }]"
    make_pack(site, "pack-alias", "Alias1", tables=channel_table("INa_Alias1", "pack_alias", more))
    registry = discover()
    assert registry.find("Na_Alias1").name == "INa_Alias1"
    with pytest.warns(
        DeprecationWarning, match="'NaOld_Alias1' is an old name, deprecated since 0.3: write 'INa_Alias1'"
    ):
        assert registry.find("NaOld_Alias1").name == "INa_Alias1"


def test_a_name_means_its_newest_version_and_older_ones_stay(site: Path, discover: Build):
    tables = channel_table("INa_Ver1", "pack_ver", "version = 2") + channel_table("INa_Ver1@1", "pack_ver")
    make_pack(site, "pack-ver", "Ver1", tables=tables)
    registry = discover()
    assert registry.find("INa_Ver1").version == 2
    assert registry.find("INa_Ver1@1").version == 1
    assert registry.find("INa_Ver1@2").version == 2
    with pytest.raises(UnknownName, match=r"there is no 'INa_Ver1@3'; pack-ver 1\.2 has INa_Ver1@1, INa_Ver1@2"):
        registry.find("INa_Ver1@3")


def test_a_script_registers_its_own_and_may_replace_only_itself():
    registry = Registry.discover([], Switches.from_environment({}))

    def make() -> type:
        class Mine:
            pass

        return Mine

    first, second = make(), make()
    registry.register(first, kind="channel", aliases=["Mein"])
    registry.register(second, kind="channel")  # the cell of a notebook, run again
    assert registry.load("Mine") is second
    assert registry.find("Mein").distribution == "local"
    with pytest.raises(CollisionError, match="'IL' is taken by channelome"):
        registry.register(first, name="IL", kind="channel")


def test_registering_through_the_public_door_checks_what_it_is():
    import channelome as ch
    from channelome.errors import ModelError

    with pytest.raises(ModelError, match="only classes of channels, ions and synapses and solver objects"):
        ch.register(int)


def test_listing_imports_neither_jax_nor_numpy_nor_a_pack(tmp_path: Path):
    for k in range(20):
        tables = "".join(channel_table(f"I{j}_Many{k}", f"many_{k}") for j in range(8))
        make_pack(tmp_path, f"many-{k}", f"Many{k}", tables=tables, code="raise RuntimeError('imported')\n")
    script = (
        "import sys, json; sys.path.insert(0, sys.argv[1]);"
        "from channelome.registry import registry;"
        "from channelome.registry import cite;"
        "names = [e.name for e in registry.entries(kind='channel')];"
        "print(json.dumps([len(names), sorted(m for m in sys.modules if m.split('.')[0] in ('jax', 'numpy', 'brainunit', 'pluggy') or m.startswith('many_'))]))"
    )
    out = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    count, imported = json.loads(out.stdout)
    assert count >= 160
    assert imported == []
