"""Every manifest in this repository is equal to what its classes say of themselves."""

import re
import tomllib
from pathlib import Path

import pytest

from channelome.registry import Registry, cite
from channelome.registry.sync import sync, synced

ROOT = Path(__file__).parents[2]
MANIFESTS = sorted([ROOT / "core/src/channelome/pack.toml", *ROOT.glob("plugins/*/src/*/*.toml")])


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.discover()


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_manifest_is_what_the_classes_say(path: Path):
    assert sync(path, check=True), f"run `channelome pack sync {path.parent}`"


def test_sync_finds_a_changed_default():
    path = ROOT / "plugins/tm1991/src/channelome_tm1991/pack.toml"
    table = tomllib.loads(path.read_text())
    table["channel"]["INa_TM1991"]["parameters"]["g_max"]["default"] = 1.0
    assert synced(table, "channelome_tm1991") != table


def test_every_channel_of_a_pack_cites_publications_with_a_doi_or_an_isbn(registry: Registry):
    for entry in registry.entries():
        if entry.family and entry.kind in ("channel", "cell"):
            published = [reference for reference in entry.references if reference.role != "implementation"]
            assert published, entry.name
            for reference in published:
                assert reference.doi or re.search(r"ISBN [\d-]+[\dX]", reference.text), f"{entry.name}: {reference.key}"


def test_every_default_has_a_source(registry: Registry):
    for entry in registry.entries():
        for name, parameter in entry.table.get("parameters", {}).items():
            if "default" in parameter:
                assert parameter["source"], f"{entry.name}.{name}"


def test_references_are_cited_once_and_as_bibtex(registry: Registry):
    found = cite.references(registry, ["INa_HH1952", "IK_HH1952"])
    assert [reference.doi for reference in found] == ["10.1113/jphysiol.1952.sp004764"]
    assert "doi = {10.1113/jphysiol.1952.sp004764}" in cite.bibtex(found)
    assert "Hodgkin" in cite.text(found)


def test_everything_that_is_listed_can_be_loaded(registry: Registry):
    assert registry.diagnose() == []
