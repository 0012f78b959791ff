"""What is saved and loaded again is the same to the last bit, for everything that every installed pack offers."""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from models.examples import same, small_network

import channelome as ch
from channelome.models.build import build
from channelome.models.table import table_of
from channelome.module import Q10
from channelome.registry import registry
from channelome.registry.document import dump, parse_document
from channelome.registry.provenance import read_model
from channelome.testing.subjects import channel_subject

SUFFIXES = (".toml", ".json")


def again(model: Any, suffix: str) -> Any:
    """The model after it was text."""
    text = dump(table_of(model), suffix).encode()
    return build(read_model(registry, parse_document(text, suffix, "the text")))


def another(part: Any) -> Any:
    """The same part with every parameter a little other than its default, and not round."""
    changes = {}
    for name, parameter in type(part).parameters.items():
        value = getattr(part, name)
        if value is not None and not isinstance(value, Q10):
            changes[name] = (np.asarray(value) * (1 + 1e-3 / 3), parameter.unit.symbol)
    return part.replace(**changes)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", [entry.name for entry in registry.entries(kind="channel")])
def test_every_channel(name: str, suffix: str):
    subject = channel_subject(name)
    for channel in (subject.built, another(subject.built)):
        cell = ch.SingleCompartment(1, *map(another, subject.ions.values()), celsius="36.6 degC", X=channel)
        assert same(again(cell, suffix), cell)


IN_SHELLS: dict[str, dict[str, Any]] = {
    "CalciumShells": {"diameter": "4 um", "shells": 3, "depth": "0.2 um"},
    "IonShells": {"species": "mg", "diameter": "4 um", "D": "0.5 um^2/ms", "C_rest": "0.5 mM", "C_out": "1 mM"},
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", [e.name for e in registry.entries(kind="ion") if e.name not in ("Fixed", "Nernst")])
def test_every_ion(name: str, suffix: str):
    cell = ch.SingleCompartment(1, another(ch.ion(name, **IN_SHELLS.get(name, {}))), celsius="20 degC")
    assert same(again(cell, suffix), cell)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_ions_of_any_species(suffix: str):
    zinc = ch.ion("Nernst", species="zn", valence=2, C_in="1e-9 mM", C_out="0.01 mM")
    cell = ch.SingleCompartment(1, zinc, ch.ion("Fixed", species="cl", E="-70 mV"), celsius="300 K")
    assert same(again(cell, suffix), cell)


@pytest.mark.parametrize("name", [entry.name for entry in registry.entries(kind="cell")])
def test_every_cell(name: str):
    for cell in (ch.cell(name), ch.cell(name, size=(2, 2), V=ch.uniform("-70 mV", "-60 mV", seed=9))):
        assert all(same(again(cell, suffix), cell) for suffix in SUFFIXES)


@pytest.mark.parametrize("name", [entry.name for entry in registry.entries(kind="network")])
def test_every_network(name: str):
    net = ch.network(name)
    assert same(again(net, ".toml"), net)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["Expon", "DualExpon", "Alpha", "AMPA", "GABAa", "GABAb", "NMDA"])
def test_every_synapse(name: str, suffix: str):
    cells = ch.cell("PointNeuron_Brette2007", size=4)
    path = ch.Projection("cells", "cells", another(ch.synapse(name)), ch.all_to_all(), weight="1.7 nS")
    net = ch.Network(cells=cells, path=path)
    assert same(again(net, suffix), net)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_network_with_everything(suffix: str, tmp_path: Path):
    net, file = small_network(), tmp_path / f"net{suffix}"
    ch.save(net, file, title="Everything")
    loaded = ch.load(file, on_mismatch="strict")
    assert loaded.about.title == "Everything"
    loaded._set("about", net.about)
    assert same(loaded, net)


def test_a_run_of_what_was_loaded_is_the_run_of_what_was_saved():
    net = small_network()
    first, second = (ch.simulate(n, "20 ms", dt="0.1 ms", record=["cells.V"]) for n in (net, again(net, ".toml")))
    np.testing.assert_array_equal(first["cells.V"], second["cells.V"])
    assert len(first.spikes["cells"]) == len(second.spikes["cells"]) > 0


def test_what_was_sampled_stays_a_sample_and_what_was_replaced_is_written_out():
    net = small_network()
    written = table_of(net)["projections"]
    assert written["exc"]["weight"] == {"sample": "normal", "mean": 6.0, "std": 1.0, "unit": "nS", "seed": 5}
    assert table_of(net)["populations"]["cells"]["V"]["sample"] == "normal"
    halved = net.replace(**{"exc.weight": (np.asarray(net.projections["exc"].weight) / 2, "nS"), "gap.weight": "2 nS"})
    written = table_of(halved)["projections"]
    assert len(written["exc"]["weight"]["value"]) == net.projections["exc"].wiring.edges.n
    assert written["gap"]["weight"] == {"value": 2.0, "unit": "nS"}  # its edges have factors, which stay
    assert written["gap"]["connect"]["weights"] == [1.5, 0.5, 2.0]
    assert same(again(halved, ".json"), halved)


def test_a_network_does_not_hold_on_to_arrays_that_it_was_given():
    given = small_network().projections["gap"].wiring.given
    assert given is not None
    assert (given.connect, given.weight, given.synapse) == (None, None, None)
    halved = small_network().replace(**{"exc.weight": "1 nS", "cells.V": "-60 mV"})
    assert "weight" not in halved.projections["exc"]._drawn
    assert "V" not in halved.populations["cells"]._drawn


def test_arrays_of_jax_are_written_as_they_are():
    cell = ch.cell("SquidAxon_HH1952").replace(**{"INa.g_max": (jnp.asarray([119.1]), "mS/cm^2")})
    assert same(again(cell, ".toml"), cell)


def test_the_files_size_is_another_only_if_asked(tmp_path: Path):
    ch.save(ch.cell("SquidAxon_HH1952", size=5), tmp_path / "five.json")
    assert ch.cell(tmp_path / "five.json").size == (5,)
    assert ch.cell(str(tmp_path / "five.json"), size=2).size == (2,)


@pytest.mark.parametrize("size", [0, 2.5, "many", True, (2, -1)])
def test_a_size_that_is_none_is_an_error(size: Any):
    with pytest.raises(ch.ModelError, match="size must be"):
        ch.cell("SquidAxon_HH1952", size=size)


@pytest.mark.parametrize("seed", [-1, 2.5, "lucky", True])
def test_a_seed_that_is_none_is_an_error(seed: Any):
    with pytest.raises(ch.ModelError, match="seed must be"):
        ch.network("COBAHH_Brette2007", seed=seed)


def test_a_model_that_names_its_version_keeps_it():
    table = table_of(ch.cell("SquidAxon_HH1952"))
    assert table["channels"]["INa"]["use"] == "INa_HH1952@1"


def test_a_class_without_a_name_cannot_be_saved(tmp_path: Path):
    class Nameless(type(ch.channel("IL"))):
        """A leak that nobody registered."""

    with pytest.raises(
        ch.ModelError, match=r"the channel 'L' is of the class Nameless.*channelome.register\(Nameless\)"
    ):
        ch.save(ch.SingleCompartment(1, L=Nameless()), tmp_path / "x.toml")
    assert list(tmp_path.iterdir()) == []


def test_a_model_with_too_many_numbers_is_refused_with_a_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("channelome.models.files.MAX_BYTES", 1000)
    with pytest.raises(ch.ModelError, match="give connections by a rule"):
        ch.save(small_network(), tmp_path / "x.toml")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file", sorted((Path(__file__).parent / "files").iterdir()), ids=lambda path: path.name)
def test_old_files_keep_loading(file: Path):
    """One of each kind and of each version of the form, as channelome wrote it then; never edit them."""
    model = ch.load(file, on_mismatch="ignore")
    expected: Any = small_network() if "network" in file.name else ch.cell("HTC_Li2017", size=2)
    model._set("about", expected.about)
    assert same(model, expected)
