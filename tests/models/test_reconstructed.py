"""Reconstructed cells as data: the same cell and cut come back, from the file alone or with an SWC file beside it, whoever wrote it."""

import copy
import math
import pickle
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from models.examples import reconstructed, reconstructed_network, same

import channelome as ch
from channelome.errors import ChannelomeError
from channelome.models import extent, shape
from channelome.models.build import build
from channelome.models.table import table_of
from channelome.registry import registry
from channelome.registry.document import dump, parse_document
from channelome.registry.provenance import Model, read_model
from channelome.registry.schema import check_form

SUFFIXES = (".toml", ".json")
SWC = "1 1 0 0 0 10 -1\n2 3 10 0 0 1 1\n3 3 210 0 0 1 2\n4 4 0 10 0 2 1\n5 4 0 310 0 1 4\n"
HAND = {
    "schema": 1,
    "kind": "MultiCompartment",
    "morphology": "cell.swc",
    "channels": {"IL": {"use": "IL", "on": "dend", "g_max": "0.2 mS/cm^2"}},
}


def again(model: Any, suffix: str) -> Any:
    """The model after it was text."""
    text = dump(table_of(model), suffix).encode()
    return build(read_model(registry, parse_document(text, suffix, "the text")))


def load(table: dict[str, Any], folder: Path | None = None) -> Any:
    check_form(table, "the table")
    return build(Model(table, "the table", folder=folder))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cell.swc").write_text(SWC)
    return tmp_path


CELLS = {
    "with everything": reconstructed,
    "one cell": lambda: reconstructed(size=(), V="-65 mV", Itip=ch.on("most", "IL")),
    "a sheet of cells": lambda: reconstructed(size=(2, 2)),
    "an array by cell": lambda: reconstructed(INa=ch.on("soma", "INa_HH1952", g_max=(np.array([[1.0], [2.0], [3.0]]), "mS/cm^2"))),
    "an array along the cell": lambda: reconstructed(Ra=(np.linspace(90, 110, 12), "ohm*cm"), C=(np.full(12, 1 / 3), "uF/cm^2")),
    "no parts": lambda: ch.MultiCompartment(ch.Morphology.ball_and_stick(), V="-70 mV"),
    "as long as 20 um": lambda: reconstructed(discretise=None),
    "d_lambda": lambda: reconstructed(discretise=ch.d_lambda(0.05)),
    "d_lambda of another Ra": lambda: reconstructed(discretise=ch.d_lambda(0.05)).replace(Ra="300 ohm*cm"),
    "compartments": lambda: ch.MultiCompartment(ch.Morphology.example().discretise(ch.per_branch(2, soma=1)), IL="IL"),
    "by distance with JAX": lambda: reconstructed(Itip=ch.on("far", "IL", g_max=ch.by_distance(lambda x: jnp.exp(-x / 300), "mS/cm^2"))),
}  # fmt: skip


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", CELLS)
def test_a_cell_is_the_same_after_it_was_a_file(name: str, suffix: str):
    cell = CELLS[name]()
    there = again(cell, suffix)
    assert there == cell
    assert repr(there) == repr(cell)
    assert there.compartments == cell.compartments


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_network_is_the_same_after_it_was_a_file(suffix: str):
    assert same(again(sampled := reconstructed_network(ch.normal("1 nS", "0.1 nS")), suffix), sampled)
    net = reconstructed_network()
    there = again(net, suffix)
    assert there == net
    for label, path in net.projections.items():
        landing, arrived = path.wiring.landing, there.projections[label].wiring.landing
        assert (landing is None) == (arrived is None)
        if landing is not None:
            assert landing.compartments == arrived.compartments
            np.testing.assert_array_equal(landing.which, arrived.which)


def test_a_cell_under_float32_is_the_same_too():
    with jax.enable_x64(False):
        cell = CELLS["by distance with JAX"]()
        assert again(cell, ".toml") == cell


def test_a_run_of_what_was_loaded_is_the_run_of_what_was_saved():
    options: Any = {"dt": "0.1 ms", "stimulus": ch.at("soma", ch.step("0.5 nA")), "record": ["soma.V", "V", "ca.C_in"]}
    cell = reconstructed()
    first, second = (ch.simulate(c, "3 ms", **options) for c in (cell, again(cell, ".json")))
    assert first == second and np.ptp(first["soma.V"]) > 10
    net = reconstructed_network()
    runs = [ch.simulate(n, "20 ms", dt="0.1 ms", record=["pyr.soma.V"]) for n in (net, again(net, ".toml"))]
    assert runs[0] == runs[1]
    for sent in (first, runs[0], cell, net):
        assert pickle.loads(pickle.dumps(sent)) == sent == copy.deepcopy(sent)


def test_what_was_sampled_stays_a_sample_and_a_cut_is_kept_as_counts():
    table = table_of(reconstructed())
    assert table["channels"]["Itip"]["g_max"]["sample"] == "normal"
    assert table["channels"]["Itip"]["on"] == "most"
    assert table["channels"]["IL"].get("on") is None and len(table["channels"]["IL"]["g_max"]["value"]) == 12
    assert table["channels"]["Itwo"]["on"] == "(soma) | (tuft)"
    assert table["discretise"] == {"per_branch": [1, 3, 5, 2, 1]}
    assert table_of(CELLS["compartments"]())["discretise"]["per_branch"][:2] == [1, 2]
    assert table_of(reconstructed(discretise=ch.per_branch(2)))["discretise"] == {"per_branch": 2}


def test_what_jax_traces_cannot_be_saved(tmp_path: Path):
    def saved(g: Any) -> Any:
        ch.save(reconstructed(Itip=ch.on("far", "IL", g_max=(g, "mS/cm^2"))), tmp_path / "x.toml")
        return g

    with pytest.raises(ch.ModelError, match=r"g_max of the channel 'Itip' is being traced by JAX: save outside jit"):
        jax.grad(saved)(1.0)
    assert list(tmp_path.iterdir()) == []


# ---- written by hand -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cut", "rule"),
    [
        ({"max_length": "30 um"}, ch.max_length("30 um")),
        ({"max_length": {"value": 0.03, "unit": "mm"}}, ch.max_length("30 um")),
        ({"d_lambda": 0.05}, ch.d_lambda(0.05)),
        ({"d_lambda": 0.05, "frequency": "50 Hz"}, ch.d_lambda(0.05, frequency="50 Hz")),
        ({"per_branch": 5}, ch.per_branch(5)),
        ({"per_branch": 5, "regions": {"soma": 1}}, ch.per_branch(5, soma=1)),
        ({"per_branch": [1, 2, 3]}, ch.per_branch([1, 2, 3])),
        (None, ch.max_length("20 um")),
    ],
)
def test_a_rule_cuts_as_it_does_in_python(folder: Path, cut: Any, rule: Any):
    table = HAND | ({"discretise": cut} if cut else {}) | {"Ra": "200 ohm*cm", "C": "2 uF/cm^2"}
    morph = ch.Morphology.from_swc(folder / "cell.swc")
    expected = ch.MultiCompartment(
        morph, IL=ch.on("dend", "IL", g_max="0.2 mS/cm^2"), Ra="200 ohm*cm", C="2 uF/cm^2", discretise=rule
    )
    assert load(table, folder) == expected


def test_a_file_names_the_swc_file_beside_it(folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "model.json").write_text(dump(HAND, ".json"))
    cell = ch.load(folder / "model.json")
    assert cell.morphology == ch.Morphology.from_swc(folder / "cell.swc")
    monkeypatch.chdir(folder)
    assert ch.load("model.json") == cell == ch.cell("model.json")
    assert ch.cell("model.json", size=4, **{"IL.g_max": "1 mS/cm^2"}).size == (4,)
    named = HAND | {
        "morphology": {"swc": "cell.swc", "repair": ["order"], "names": {"tip": "dend & distance > 100 um"}}
    }
    assert dict(load(named, folder).morphology.anatomy.groups) == {"tip": "dend & distance > 100 um"}


def test_a_cell_is_saved_with_its_swc_file_beside_it(folder: Path):
    morph = ch.Morphology.from_swc(folder / "cell.swc", names={"tip": "dend & distance > 100 um"})
    cell = ch.MultiCompartment(morph, IL=ch.on("tip", "IL"))
    ch.save(cell, folder / "x.toml", morphology="cell.swc")
    assert "branches" not in (folder / "x.toml").read_text()
    assert ch.load(folder / "x.toml", on_mismatch="strict") == cell
    other = ch.MultiCompartment(ch.Morphology.example(), IL="IL")
    for wrong, name, said in [
        (other, "cell.swc", "'cell.swc' holds another cell"),
        (cell, "no.swc", "there is no file 'no.swc' beside"),
        (cell, "../cell.swc", "must be the name of an .swc file beside the model, without a folder"),
        (ch.SingleCompartment(1), "cell.swc", "is of a reconstructed cell, not of a SingleCompartment"),
    ]:
        with pytest.raises(ch.ModelError, match=said):
            ch.save(wrong, folder / "y.toml", morphology=name)


def test_a_folder_registers_cells_with_their_morphologies(folder: Path):
    (folder / "Sticky.json").write_text(dump(HAND, ".json"))
    assert ch.load_dir(folder) == ["Sticky"]
    cell = ch.cell("Sticky")
    assert len(cell.compartments) == 26 and cell.about.model.startswith("Sticky")
    table = {"schema": 1, "kind": "Network", "populations": {"a": {"use": "Sticky", "size": 3, "Ra": "70 ohm*cm"}}}
    found = load(table).populations["a"]
    assert (found.size, found.Ra, found.compartments) == ((3,), 70.0, cell.compartments)
    assert again(load(table), ".toml") == load(table)
    table["populations"]["a"]["area"] = "10 um^2"
    with pytest.raises(ch.ModelError, match=r"populations.a: the cell 'Sticky' has no area; its own are C, Ra, V"):
        load(table)


def test_a_cell_cites_what_is_in_it_and_knows_its_packs(tmp_path: Path):
    cell = reconstructed()
    assert "Hodgkin AL, Huxley AF (1952)" in cell.cite() and "Hodgkin" in reconstructed_network().cite()
    ch.save(cell, tmp_path / "x.toml", title="Cells that try everything")
    loaded = ch.load(tmp_path / "x.toml", on_mismatch="strict")
    assert loaded.about.title == "Cells that try everything"
    text = (tmp_path / "x.toml").read_text()
    assert "HH1952 = { distribution" in text and '"INa_HH1952@1"' in text


# ---- mistakes, and what strangers write ----------------------------------------------------------------------------

CELL = table_of(reconstructed())
MISTAKES = [
    ("morphology", ..., "needs morphology"),
    ("morphology", "../cell.swc", "morphology must be the name of an .swc file beside this one"),
    ("morphology", "/etc/cell.swc", "morphology must be the name of an .swc file"),
    ("morphology", "a\\cell.swc", "morphology must be the name of an .swc file"),
    ("morphology", ".cell.swc", "morphology must be the name of an .swc file"),
    ("morphology", "cell.asc", "morphology must be the name of an .swc file"),
    ("morphology", "cell.swc", r"a table is in no folder, .* Morphology.from_swc\('cell.swc'\).to_table\(\)"),
    ("morphology", {"swc": "cell.swc", "repair": ["magic"]}, "morphology.repair.* must be one of 'duplicates'"),
    ("morphology", {"unit": "um"}, "morphology needs branches"),
    ("morphology.unit", "mm", "morphology.unit must be 'um'"),
    ("morphology.branches", [], "morphology: a morphology's table needs a list of branches"),
    ("morphology.branches.1.points", [[0, 0, 0]], r"branches\[1\].points\[0\] must be x, y, z, diameter, not a list of 3"),
    ("morphology.branches.1.points", [[0, 0, 0, 1]], "the points of branch 1 .* at least two"),
    ("morphology.branches.1.points", [[0, 0, 0, 1], [1, 0, 0, -1]], "the points of branch 1 .* positive diameters"),
    ("morphology.branches.1.parent", 4, "the parent of branch 1 of a morphology must be a branch before it"),
    ("morphology.branches.1.at", 1.5, "at must be a probability from 0 to 1|at must be"),
    ("morphology.names", {"all": "soma"}, "'all' cannot name a part"),
    ("morphology.names.far", "far", "'far' is defined by itself"),
    ("discretise", {}, "discretise needs per_branch"),
    ("discretise", {"max_length": "20 mV"}, "discretise: max_length is in um"),
    ("discretise", {"max_length": "1e-6 um"}, "discretise: .* would cut .* at most 200,000 are made"),
    ("discretise", {"per_branch": 0}, "per_branch must be a whole number from 1"),
    ("discretise", {"per_branch": [1, 2]}, "discretise: per_branch has 2 numbers, and points 5 branches|has 2 numbers"),
    ("discretise", {"per_branch": 1, "max_length": "1 um"}, "discretise has an unknown entry 'per_branch'"),
    ("channels.INa.on", "axon", "the region 'axon' .* is empty"),
    ("channels.INa.on", "soma |", "region not understood"),
    ("channels.INa.on", "(" * 1000, "more than 30 brackets in one another"),
    ("channels.INa.on", "soma" + "|soma" * 1000, "channels.INa.on must be a region .* of at most 2000 characters"),
    ("channels.IL.g_max", {"value": [1.0, 2.0], "unit": "mS/cm^2"}, r"IL.g_max has the shape \(2,\).*12 compartments of the whole cell"),
    ("channels.IL.on", "dend", r"IL.g_max has the shape \(12,\).*3 compartments of 'dend'"),
    ("channels.Ra", {"use": "IL"}, "channels.Ra cannot be its name, which is taken"),
    ("ions.na", ..., "carried by the ion 'na', which the cell lacks|needs the ion 'na'|lacks"),
    ("ions.ca.on", 5, "ions.ca.on must be a region"),
    ("spikes_at", "nowhere", "nothing of .* is called 'nowhere'"),
    ("size", [10**6, 2], "more than 10,000,000 neurons"),
    ("area", "10 um^2", "unknown entry 'area'"),
]  # fmt: skip


def with_(path: str, value: Any, model: dict[str, Any] = CELL) -> dict[str, Any]:
    table = copy.deepcopy(model)
    *way, last = path.split(".")
    inner: Any = table
    for key in way:
        inner = inner[int(key) if isinstance(inner, list) else key]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return table


@pytest.mark.parametrize(("path", "value", "said"), MISTAKES, ids=lambda x: x[:30] if isinstance(x, str) else "")
def test_a_mistake_is_an_error_that_names_the_place(path: str, value: Any, said: str):
    with pytest.raises(ChannelomeError, match=said) as caught:
        load(with_(path, value))
    assert str(caught.value).startswith("the table")
    assert len(str(caught.value)) < 3000


def test_a_place_is_said_on_targets_alone():
    table = table_of(reconstructed_network())
    with pytest.raises(ch.ModelError, match=r"spikes are sent from where a cell detects them"):
        load(with_("projections.at.pre", "pyr.soma", table))
    with pytest.raises(ch.ModelError, match=r"'soma' is a place on a cell, and the targets are point neurons"):
        load(with_("projections.back.post", "points.soma", table))
    with pytest.raises(ch.ModelError, match=r"12 compartments: say where the synapses are, such as 'pyr.apical"):
        load(with_("projections.at.post", "pyr", table))


def test_a_link_does_not_lead_out_of_the_folder(folder: Path):
    inside = folder / "inside"
    inside.mkdir()
    (inside / "cell.swc").symlink_to(folder / "cell.swc")
    with pytest.raises(ch.ModelError, match=r"'cell.swc' leads out of the model's folder"):
        load(HAND, inside)
    (inside / "cell.swc").unlink()
    (inside / "cell.swc").mkdir()
    with pytest.raises(ch.ModelError, match=r"there is no file 'cell.swc' beside the model"):
        load(HAND, inside)


def test_a_morphology_that_is_too_large_is_not_read(folder: Path):
    with (folder / "cell.swc").open("wb") as file:
        file.truncate(shape.MAX_SWC + 1)
    with pytest.raises(ch.ModelError, match=r"'cell.swc' is larger than 16 MiB"):
        load(HAND, folder)
    (folder / "cell.swc").write_text(SWC + "\n" * shape.MAX_POINTS)
    with pytest.raises(ch.ModelError, match="with these there are 100,005 points; 100,000 are the most"):
        load(HAND, folder)


def test_what_is_cut_is_counted_over_the_whole_file(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shape, "MAX_COMPARTMENTS", 100)
    part = {key: value for key, value in HAND.items() if key != "schema"}
    parts = {f"p{k}": part | {"discretise": {"per_branch": k}} for k in range(1, 9)}
    alike = {f"p{k}": part for k in range(50)}
    assert len(load({"schema": 1, "kind": "Network", "populations": alike}, folder).populations) == 50
    with pytest.raises(ch.ModelError, match=r"populations.p8: discretise: with this cell there are 108 compartments"):
        load({"schema": 1, "kind": "Network", "populations": parts}, folder)


def test_cells_that_no_memory_holds_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(extent, "available", lambda: 1e6)
    with pytest.raises(ch.ModelError, match=r"810,000 neurons take about 24.7 MiB|take about"):
        load(HAND | {"size": 30_000}, folder)


def test_regions_of_regions_are_worked_out_once(folder: Path):
    names = {f"r{k}": f"r{k + 1} | r{k + 1}" for k in range(30)} | {"r30": "dend"}
    table = HAND | {"morphology": {"swc": "cell.swc", "names": names}, "channels": {"IL": {"use": "IL", "on": "r0"}}}
    began = time.process_time()
    cell = load(table, folder)
    assert time.process_time() - began < 1
    np.testing.assert_array_equal(cell.numbers("IL"), cell.compartments.numbers("dend"))
    names |= {f"r{k}": f"r{k + 1}" for k in range(30, 300)} | {"r300": "dend"}
    with pytest.raises(ch.ModelError, match=r"is a region of a region of ...; 32 in one another are the most"):
        load(table, folder)


def test_regions_without_end_are_refused(folder: Path):
    text = " | ".join(["order > 1 & diameter < 1 um"] * 60)
    channels = {f"I{k}": {"use": "IL", "on": f"dend | {text} & order > {k}"} for k in range(500)}
    with pytest.raises(ch.ModelError, match="the regions of its parts are 500 texts to be looked for in"):
        load(HAND | {"channels": channels, "discretise": {"max_length": "0.1 um"}}, folder)


def shapes(n: int) -> dict[str, str]:
    """SWC files of n points that are made to take time, broken or not."""
    return {
        "a chain": "".join(f"{i} 3 {i} 0 0 1 {i - 1 if i > 1 else -1}\n" for i in range(1, n + 1)),
        "a star": "1 1 0 0 0 9 -1\n" + "".join(f"{i} 3 {i} 1 0 1 1\n" for i in range(2, n + 1)),
        "a comb": "1 1 0 0 0 9 -1\n" + "".join(f"{i} 3 {i} 0 0 1 {max(i - 2 + i % 2, 1)}\n" for i in range(2, n + 1)),
        "a ring": "".join(f"{i} 3 {i} 0 0 1 {i - 1 if i > 1 else n}\n" for i in range(1, n + 1)),
        "roots": "".join(f"{i} 3 {i} 0 0 1 -1\n" for i in range(1, n + 1)),
        "types": "".join(f"{i} {i} {i} 0 0 1 {i - 1 if i > 1 else -1}\n" for i in range(1, n + 1)),
        "a chain cut off": "1 1 0 0 0 9 -1\n" + "".join(f"{i} 3 {i} 0 0 1 {i - 1 if i > 2 else n + 9}\n" for i in range(2, n + 1)),
        "no radius but the last": "".join(f"{i} 3 {i} 0 0 {int(i == n)} {i - 1 if i > 1 else -1}\n" for i in range(1, n + 1)),
        "no radius, backwards": "".join(f"{i} 3 {i} 0 0 {int(i == n)} {i + 1 if i < n else -1}\n" for i in range(1, n + 1)),
    }  # fmt: skip


@pytest.mark.parametrize("repair", [[], ["all"]])
@pytest.mark.parametrize("name", shapes(9))
def test_a_large_morphology_is_read_or_refused_in_time(name: str, repair: list[str], tmp_path: Path):
    n = 30_000
    (tmp_path / "cell.swc").write_text(shapes(n)[name])
    table = {"schema": 1, "kind": "MultiCompartment", "morphology": {"swc": "cell.swc", "repair": repair}}
    said, began = "the table", time.process_time()
    try:
        found = load(table, tmp_path)
        assert math.prod(found.initial_state().V.shape) >= len(found.compartments)
    except ChannelomeError as error:
        said = str(error)
    assert time.process_time() - began < 4  # of n = 30,000; what is quadratic takes a minute
    assert said.startswith("the table") and len(said) < 1500
