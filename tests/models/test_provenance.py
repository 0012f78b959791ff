"""What a model says of where it comes from: packs, versions, digests; what has changed since; what to cite and install."""

import copy
import dataclasses
import json
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from models.examples import small_network

import channelome as ch
from channelome.cli import main
from channelome.models.table import table_of
from channelome.registry import Registry, registry
from channelome.registry.manifest import Manifest
from channelome.registry.provenance import Model, changes, check_installed, digests
from channelome.registry.store import core_manifest

AXON = table_of(ch.cell("SquidAxon_HH1952"))


def hh1952() -> Manifest:
    return next(manifest for manifest in registry.manifests if manifest.family == "HH1952")


def registry_with(**changed: Any) -> Registry:
    """Core and HH1952 alone, with something in its manifest changed."""
    return Registry([core_manifest(), dataclasses.replace(hh1952(), **changed)])


def test_a_model_names_the_packs_and_mechanisms_that_it_uses():
    said = AXON["provenance"]
    assert list(said["packs"]) == ["channelome", "HH1952"]
    assert said["packs"]["HH1952"]["distribution"] == "channelome-hh1952"
    assert said["model"] == "SquidAxon_HH1952@1"
    assert set(said["mechanisms"]) == {
        f"{name}@1" for name in ("SodiumFixed", "PotassiumFixed", "INa_HH1952", "IK_HH1952", "IL")
    }


def test_nothing_has_changed_right_after_saving():
    assert changes(registry, AXON) == []


def test_every_change_is_told():
    entry = registry.find("INa_HH1952")
    other = {**entry.table, "equations": "others", "parameters": {}}
    entries = [dataclasses.replace(e, table=other) if e.name == "INa_HH1952" else e for e in hh1952().entries]
    now = registry_with(distribution="channelome-hh1952 0.2.0", entries=tuple(entries))
    assert changes(now, AXON) == [
        "channelome-hh1952 was 0.1.0, now channelome-hh1952 0.2.0",
        "INa_HH1952@1: its equations, gates or ions are others",
        "INa_HH1952@1: its parameters or their defaults are others",
    ]
    saved = copy.deepcopy(AXON)
    saved["provenance"]["packs"]["HH1952"]["manifest"] = "sha256:" + "0" * 64
    assert changes(registry, saved) == ["the manifest of channelome-hh1952 0.1.0 (HH1952) is another"]


def test_words_in_a_manifest_are_no_change_of_a_mechanism():
    entry = registry.find("INa_HH1952")
    reworded = dataclasses.replace(entry, table={**entry.table, "summary": "Other words.", "notes": "More."})
    assert digests(reworded) == digests(entry)


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A model that was saved with another version of a pack."""
    file = tmp_path / "older.toml"
    ch.save(ch.cell("SquidAxon_HH1952"), file)
    text = file.read_text()
    line = next(line for line in text.splitlines() if line.startswith("HH1952"))
    file.write_text(text.replace(line, line.replace("0.1.0", "0.0.9")))
    return file


def test_a_mismatch_raises_warns_or_is_ignored(older: Path):
    said = "older.toml was saved with other packs: channelome-hh1952 was 0.0.9, now channelome-hh1952 0.1.0"
    with pytest.raises(ch.ModelError, match=said):
        ch.load(older, on_mismatch="strict")
    with pytest.warns(ch.MismatchWarning, match=said) as caught:
        ch.load(older)
    assert caught[0].filename == __file__
    with pytest.warns(ch.MismatchWarning, match=said):
        ch.cell(older)
    assert isinstance(ch.load(older, on_mismatch="ignore"), ch.SingleCompartment)
    with pytest.raises(ch.ModelError, match="on_mismatch must be"):
        ch.load(older, on_mismatch="hope")  # pyright: ignore


def test_a_missing_pack_is_an_error_with_the_command_that_installs_it():
    with pytest.raises(ch.UnknownName, match=r"ions|channels.*pip install channelome-hh1952==0\.1\.0$"):
        check_installed(Registry([core_manifest()]), Model(AXON, "x.toml"))
    bare = {key: value for key, value in AXON.items() if key != "provenance"}
    with pytest.raises(ch.UnknownName, match=r"x.toml: channels.INa: .*pip install channelome-hh1952"):
        check_installed(Registry([core_manifest()]), Model(bare, "x.toml"))


def test_a_pack_that_lost_a_name_is_told_from_one_that_is_missing():
    now = registry_with(entries=tuple(e for e in hh1952().entries if e.name != "IK_HH1952"))
    with pytest.raises(
        ch.UnknownName, match=r"the installed version of its pack does not have; .*channelome-hh1952 0.1.0"
    ):
        check_installed(now, Model(AXON, "x.toml"))


# ---- citing --------------------------------------------------------------------------------------------------------


def test_a_cell_cites_its_model_and_what_it_is_made_of():
    cell = ch.cell("HTC_Li2017")
    text = cell.cite()
    for work in ("Li G, Henriquez CS", "Bazhenov M", "Huguenard JR", "Destexhe A, Contreras D"):
        assert text.count(work) == 1
    assert "Hodgkin" not in text
    assert cell.replace(**{"INa.g_max": "1 mS/cm^2"}).cite() == text


def test_a_part_that_is_replaced_is_cited_in_the_place_of_the_old():
    cell = ch.cell("SquidAxon_HH1952").replace(INa="INa_TM1991")
    assert "Traub RD" in cell.cite()
    assert "Hodgkin" in cell.cite()


def test_a_network_cites_its_cells(tmp_path: Path):
    assert "Traub RD" in small_network().cite()
    net = ch.network("COBAHH_Brette2007")
    assert net.cite("bibtex").startswith("@article{Brette2007,")
    with pytest.raises(ch.ModelError, match="text, bibtex, csl-json"):
        net.cite("word")


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("style", ["text", "bibtex", "csl-json"])
@pytest.mark.parametrize("name", ["HTC_Li2017", "COBAHH_Brette2007"])
def test_the_command_cites_what_the_model_cites(name: str, style: str, tmp_path: Path):
    model = ch.network(name) if name.startswith("COBAHH") else ch.cell(name)
    ch.save(model, tmp_path / "model.json")
    assert invoke("cite", name, "--format", style).strip() == model.cite(style).strip()
    assert invoke("cite", str(tmp_path / "model.json"), "--format", style).strip() == model.cite(style).strip()


def test_csl_json_has_authors_year_and_doi():
    items = json.loads(invoke("cite", "INa_HH1952", "--format", "csl-json"))
    assert items[0]["author"] == [{"family": "Hodgkin", "given": "A. L."}, {"family": "Huxley", "given": "A. F."}]
    assert items[0]["issued"] == {"date-parts": [[1952]]}
    assert items[0]["DOI"] == "10.1113/jphysiol.1952.sp004764"


def test_references_of_a_file_are_cited_and_kept(tmp_path: Path):
    file = tmp_path / "mine.toml"
    table = {key: value for key, value in AXON.items() if key != "provenance"}
    table["references"] = {
        "Smith2020": {"role": "parameters", "text": "Smith J (2020). A neuron. J Ex 1:1.", "doi": "10.1/x"}
    }
    file.write_text(json.dumps(table))
    file = file.rename(tmp_path / "mine.json")
    ch.save(ch.load(file), tmp_path / "again.toml")
    for path in (file, tmp_path / "again.toml"):
        assert ch.load(path).cite().splitlines()[0] == "Smith J (2020). A neuron. J Ex 1:1. doi:10.1/x"
        assert "Smith J" in invoke("cite", str(path))


# ---- freezing, and what a run says ---------------------------------------------------------------------------------


def test_freeze_gives_lines_that_pip_reads(older: Path):
    everything = invoke("freeze").split()
    assert {"channelome==0.1.0", "channelome-li2017==0.1.0", "channelome-hh1952==0.1.0"} <= set(everything)
    assert any(line.startswith("jaxlib==") for line in everything)
    assert "channelome-hm1992==0.1.0" in invoke("freeze", "HTC_Li2017").split()
    assert "channelome-hh1952==0.1.0" not in invoke("freeze", "HTC_Li2017").split()
    lines = invoke("freeze", str(older)).splitlines()
    assert "which anyone may have written" in lines[0]
    assert lines[1] == f"# Python {platform.python_version()}"
    assert lines[2:4] == ["channelome==0.1.0", "channelome-hh1952==0.0.9"]
    assert {f"{name}=={version(name)}" for name in ("jax", "jaxlib", "numpy", "brainunit", "diffrax", "scipy")} <= set(
        lines
    )
    assert f"channelome-diffrax=={version('channelome-diffrax')}" in lines


def test_freeze_of_a_file_without_its_environment_says_so(older: Path):
    text = older.read_text()
    older.write_text(text[: text.index("[provenance.environment]")])
    assert invoke("freeze", str(older)).splitlines()[-1] == "# it does not say what these need"


def test_a_file_cannot_recommend_a_distribution_that_is_not_ours(older: Path):
    older.write_text(older.read_text().replace('"channelome-hh1952"', '"evil"').replace("INa_HH1952", "INaX_HH1952"))
    assert "evil==0.0.9  # none that channelome knows: look at whose it is" in invoke("freeze", str(older)).splitlines()
    older.write_text(older.read_text().replace("HH1952", "Evil1999"))
    with pytest.raises(
        ch.UnknownName, match=r"a pack that is not installed: evil==0.0.9. It is none that channelome knows"
    ):
        ch.load(older)


def test_citing_and_freezing_import_neither_jax_nor_a_pack():
    code = (
        "import sys; from channelome.cli import main; from click.testing import CliRunner\n"
        "for command in (['cite', 'COBAHH_Brette2007'], ['freeze', 'HTC_Li2017'], ['show', 'COBAHH_Brette2007'], ['list']):\n"
        "    assert CliRunner().invoke(main, command).exit_code == 0, command\n"
        "print([m for m in ('jax', 'numpy', 'channelome_tm1991', 'channelome_hm1992') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_a_run_says_what_ran(tmp_path: Path):
    traces = ch.simulate(ch.cell("SquidAxon_HH1952"), "1 ms", dt="0.1 ms")
    assert traces.provenance["model"] == "SquidAxon_HH1952@1"
    assert traces.provenance["INa"] == "INa_HH1952 (channelome-hh1952 0.1.0)"
    digest = AXON["provenance"]["packs"]["HH1952"]["manifest"]
    assert traces.provenance["pack HH1952"] == f"channelome-hh1952 0.1.0 {digest}"
    traces.save(tmp_path / "axon.npz")
    assert ch.Traces.load(tmp_path / "axon.npz").provenance == traces.provenance
    activity = ch.simulate(small_network(), "1 ms", dt="0.1 ms")
    assert activity.provenance["exc"] == "Expon (channelome 0.1.0)"
    assert activity.provenance["exc.plasticity"] == "TsodyksMarkram (channelome 0.1.0)"
    assert {"pack TM1991", "pack channelome"} <= set(activity.provenance)


def test_a_run_of_a_reconstructed_cell_says_what_ran_where():
    cell = ch.MultiCompartment(
        ch.Morphology.ball_and_stick(), "SodiumFixed", INa=ch.on("dend", "INa_HH1952"), celsius=6.3
    )
    run = ch.simulate(cell, "1 ms", dt="0.1 ms").provenance
    assert run["INa on dend"] == "INa_HH1952 (channelome-hh1952 0.1.0)" and "pack HH1952" in run
    there = ch.simulate(ch.Network(pyr=cell), "1 ms", dt="0.1 ms").provenance
    assert there["pyr.INa on dend"] == run["INa on dend"]


# ---- the benchmark network -----------------------------------------------------------------------------------------


def test_the_benchmark_network_is_that_of_the_paper():
    net = ch.network("COBAHH_Brette2007")
    assert net.size == 4000
    assert [net.indices(group)[1].size for group in ("E", "I")] == [3200, 800]
    expected = {"exc": (3200, 6.0, 5.0, 0.0, 40.0, 15.0), "inh": (800, 67.0, 10.0, -80.0, 200.0, 120.0)}
    for label, (sources, weight, tau, E, mean, std) in expected.items():
        path = net.projections[label]
        synapse: Any = path.synapse
        assert (path.weight, synapse.tau, synapse.E, path.wiring.delay, path.unit.symbol) == (weight, tau, E, 0.0, "nS")
        assert abs(path.wiring.edges.n - 0.02 * sources * 3999) < 5 * np.sqrt(0.02 * sources * 4000)
        assert abs(np.mean(path.initial) - mean) < 5 * std / np.sqrt(4000)
        assert abs(np.std(path.initial) - std) < 5 * std / np.sqrt(8000)
    cell: Any = net.populations["cells"]
    assert (np.mean(cell.V).round(), np.std(cell.V).round(), cell.area, cell.V_th) == (-65.0, 5.0, 20_000.0, -20.0)
    assert (cell.channels["INa"].g_max, cell.channels["IK"].g_max, cell.channels["IL"].g_max) == (100.0, 30.0, 0.05)
    assert (
        ch.network("COBAHH_Brette2007", seed=1).projections["exc"].wiring.edges.n
        != net.projections["exc"].wiring.edges.n
    )
    assert ch.network("COBAHH_Brette2007", **{"exc.weight": "7 nS"}).projections["exc"].weight == 7.0


def test_a_cell_is_no_network_and_a_network_no_cell(tmp_path: Path):
    with pytest.raises(ch.UnknownName, match="'COBAHH_Brette2007' is a network, not a cell"):
        ch.cell("COBAHH_Brette2007")
    with pytest.raises(ch.UnknownName, match="'HTC_Li2017' is a cell, not a network"):
        ch.network("HTC_Li2017")
    ch.save(small_network(), tmp_path / "net.toml")
    with pytest.raises(ch.ModelError, match=r"net\.toml is a network, not a cell"):
        ch.cell(tmp_path / "net.toml")
