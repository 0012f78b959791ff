"""Whatever a model file holds, it is a model or an error that names the place: never code, never another exception."""

import copy
import json
import time
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from models.documents import CELL, MODELS, NETWORK, PLACED, RECONSTRUCTED, anything, broken, keys

import channelome as ch
from channelome.errors import ChannelomeError
from channelome.models.build import build
from channelome.registry import registry
from channelome.registry.document import MAX_BYTES, dump, parse_document
from channelome.registry.provenance import read_model
from channelome.registry.schema import check_form, schema

VALIDATOR = jsonschema.Draft202012Validator(schema("model"))
QUICK = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def load(table: Any) -> Any:
    return build(read_model(registry, table))


def with_(path: str, value: Any, model: dict[str, Any] = NETWORK) -> dict[str, Any]:
    """The model with another value at ``projections.exc.weight``; ``...`` takes the key away."""
    table = copy.deepcopy(model)
    *way, last = path.split(".")
    inner = table
    for key in way:
        inner = inner[key]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return table


MISTAKES = [
    (CELL, "channels.INa.g_max", True, "channels.INa.g_max must be a number"),
    (CELL, "channels.INa.g_max", {"value": True, "unit": "mS/cm^2"}, "channels.INa.g_max.value must be a number or a list"),
    (CELL, "channels.INa.g_max", {"value": [1.0, False], "unit": "mS/cm^2"}, r"g_max.value\[1\] must be a number"),
    (CELL, "channels.INa.g_max", {"value": float("nan"), "unit": "mS/cm^2"}, "g_max.value must be a finite number"),
    (CELL, "channels.INa.g_max", {"value": 10**400, "unit": "mS/cm^2"}, "g_max.value must be a finite number"),
    (CELL, "channels.INa.g_max", {"value": [[1.0], [1.0, 2.0]], "unit": "mS/cm^2"}, "g_max: the lists of an array"),
    (CELL, "channels.INa.g_max", {"value": 1.0, "unit": "mV"}, "channels.INa: g_max of INa_Ba2002 is in mS/cm"),
    (CELL, "channels.INa.g_max", {"value": 1.0, "unit": "import os"}, "channels.INa: 'import os' is not a unit"),
    (CELL, "channels.INa.g_max", {"value": 1.0}, r"channels.INa.g_max needs unit = \.\.\., as in \{ value = 10, unit = 'mV' \}"),
    (CELL, "channels.INa.g_max", {"value": 1.0, "unit": "mS/cm^2", "code": "1"}, "unknown entry 'code'"),
    (CELL, "channels.INa.g_max", {"value": -1.0, "unit": "mS/cm^2"}, "channels.INa: g_max of INa_Ba2002 must be at least 0"),
    (CELL, "channels.INa.g_mx", 1.0, "channels.INa: INa_Ba2002 has no parameter 'g_mx'. Did you mean 'g_max'"),
    (CELL, "channels.INa.use", "os:system", "channels.INa.use must be a registered name"),
    (CELL, "channels.INa.use", "../../etc/passwd", "channels.INa.use must be a registered name"),
    (CELL, "channels.INa.use", "INa_HH1952\n", "channels.INa.use must be a registered name"),
    (CELL, "channels.INa.use", "SodiumFixed", "channels.INa: 'SodiumFixed' is an ion, not a channel"),
    (CELL, "channels.INa.use", "INa_TM1992", "channels.INa: no installed pack provides the channel 'INa_TM1992'. Did you mean"),
    (CELL, "channels.INa.use", "INa_HH1952@7", "channels.INa: there is no 'INa_HH1952@7'"),
    (CELL, "channels.INa", "INa_HH1952", "channels.INa must be a table with use"),
    (CELL, "channels.V", {"use": "IL"}, "channels.V cannot be its name, which is taken"),
    (CELL, "channels.self", {"use": "IL"}, "channels.self cannot be its name, which is taken"),
    (CELL, "channels.a b", {"use": "IL"}, "channels.a b cannot be its name: letters, digits"),
    (CELL, "ions.na", {"use": "PotassiumFixed"}, "ions.na uses 'PotassiumFixed', which is the species 'k'"),
    (CELL, "ions.na", ..., "the channel 'INa' .* is carried by the ion 'na', which the cell lacks"),
    (CELL, "size", 0, "size must be a number of neurons"),
    (CELL, "size", 2.5, "size must be a number of neurons"),
    (CELL, "size", 10**12, "size must be a number of neurons"),
    (CELL, "size", [10**6, 10**6], "more than 10,000,000 neurons"),
    (CELL, "size", True, "size must be a number of neurons"),
    (CELL, "schema", 2, "schema must be 1, not 2; a newer channelome may have written it"),
    (CELL, "schema", ..., "needs schema"),
    (CELL, "kind", "os.system", "kind must be one of 'SingleCompartment', 'MultiCompartment', 'Network'"),
    (CELL, "import", "os", "unknown entry 'import'"),
    (CELL, "chanels", {}, "unknown entry 'chanels'; did you mean 'channels'"),
    (CELL, "V", {"sample": "cauchy", "mean": 1.0, "std": 1.0, "unit": "mV", "seed": 1}, "V.sample must be one of 'normal', 'lognormal', 'uniform'"),
    (CELL, "V", {"sample": "normal", "mean": 1.0, "unit": "mV"}, "V needs std"),
    (CELL, "V", {"sample": "lognormal", "mean": -1.0, "std": 1.0, "unit": "mV"}, r"the mean of lognormal\(\) must be more than 0"),
    (CELL, "provenance.packs.channelome.distribution", "x; rm -rf ~", "distribution must be the name of a distribution"),
    (CELL, "provenance.packs.channelome.version", "$(reboot)", "version must be a version"),
    (NETWORK, "populations", {}, "a network needs a population"),
    (NETWORK, "populations.cells.kind", "Brain", "populations.cells.kind must be one of 'SingleCompartment', 'MultiCompartment', 'Poisson', 'SpikeSource'"),
    (NETWORK, "populations.noise.rate", ..., "populations.noise needs rate"),
    (NETWORK, "populations.noise.rate", {"value": -1.0, "unit": "Hz"}, "populations.noise: the rate of Poisson must be at least 0"),
    (NETWORK, "populations.given.neurons", [0, 5], "populations.given: SpikeSource of 2: neurons must be from 0 to 1"),
    (NETWORK, "populations.cells", {"use": "../cell.toml"}, "populations.cells.use must be a registered name"),
    (NETWORK, "populations.cells", {"use": "COBAHH_Brette2007"}, "populations.cells: 'COBAHH_Brette2007' is a network"),
    (NETWORK, "groups.E", "cells[::0]", "groups.E must be a population, a group, or part of one"),
    (NETWORK, "groups.E", "cells[:" + "9" * 5000 + "]", "groups.E must be a population, a group"),
    (NETWORK, "groups.E", "E", "the groups E -> E go in a circle"),
    (NETWORK, "groups.noise", "cells", "'noise' is the label of two parts"),
    (NETWORK, "projections.exc.pre", "nobody", "there is no population 'nobody'"),
    (NETWORK, "projections.exc.connect", {"rule": "eval"}, "projections.exc.connect.rule must be one of"),
    (NETWORK, "projections.exc.connect", {"rule": "fixed_probability", "p": 2}, "connect.p must be a probability"),
    (NETWORK, "projections.exc.connect", {"rule": "fixed_probability", "p": True}, "connect.p must be a probability"),
    (NETWORK, "projections.exc.connect", {"rule": "fixed_probability", "k": 2}, "connect needs p"),
    (NETWORK, "projections.exc.connect", {"rule": "fixed_indegree", "k": 10**9}, "projections.exc is of 2e\\+10 synapses"),
    (NETWORK, "projections.exc.synapse", {"use": "IL"}, "projections.exc.synapse: 'IL' is a channel, not a synapse"),
    (NETWORK, "projections.exc.synapse", {"use": "TsodyksMarkram"}, "TsodyksMarkram is not a synapse: it goes to the projection's plasticity="),
    (NETWORK, "projections.exc.weight", 6.0, "weight of the projection 'exc' must be a conductance or a current with its unit"),
    (NETWORK, "projections.exc.delay", {"value": -1.0, "unit": "ms"}, "delay of the projection 'exc' must be at least 0"),
    (NETWORK, "projections.exc.seed", -1, "projections.exc.seed must be a whole number from 0"),
    (NETWORK, "seed", 1.5, "seed must be a whole number"),
    (NETWORK, "seed", "lucky", "seed must be a whole number"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "path", "value", "said"), MISTAKES, ids=lambda x: x if isinstance(x, str) else "")
def test_a_mistake_is_an_error_that_names_the_place(model: dict[str, Any], path: str, value: Any, said: str):
    with pytest.raises(ChannelomeError, match=said) as caught:
        load(with_(path, value, model))
    assert str(caught.value).startswith("the table")
    assert len(str(caught.value)) < 1000


BYTES = [
    (".toml", b"\xff\xfe", "is not TOML"),
    (".json", b"\xff\xfe", "is not JSON"),
    (".toml", b"schema = ", "is not TOML"),
    (".json", b"{", "is not JSON"),
    (".json", b"[1]", "must hold a table"),
    (".json", b'{"schema": NaN}', "NaN is no number"),
    (".json", b'{"schema": 1, "schema": 2}', "the key 'schema' is there twice"),
    (".json", b'{"title": "\\ud800"}', "title is no Unicode text"),
    (".json", b'{"\\ud800": 1}', "cannot be a key"),
    (".json", b'{"": 1}', "cannot be a key"),
    (".json", b'{"seed": ' + b"9" * 6000 + b"}", "line 1: a number of more than 400 characters"),
    (".toml", b"\nseed = " + b"9" * 6000, "line 2: a number of more than 400 characters"),
    (".json", b'{"a": null}', "a must be a text, a number"),
    (".toml", b"a = 1979-05-27", "a must be a text, a number"),
    (".toml", b"a = inf", "a must be a finite number"),
    (".json", b'{"a": 1e999}', "a must be a finite number"),
    (".json", b'{"a":' * 20_000, "nested too deep|is not JSON"),
    (".json", b'{"a":' * 20 + b"1" + b"}" * 20, "a.a.a.* is nested too deep"),
    (".toml", b"a = " + b"[" * 20_000, "nested too deep|is not TOML"),
    (".toml", b".".join([b"a"] * 100_000) + b" = 1", "line 1: a key of more than 16 parts"),
    (".toml", b"[" + b".".join([b"a"] * 100_000) + b"]", "line 1: a key of more than 16 parts"),
    (".toml", b'"="' + b".a" * 24_000 + b" = 1", "line 1: a key of more than 16 parts"),
    (".toml", b'x = """\n\n"""\n' + b"'a.b' " + b". 'c.d'" * 16 + b" = 1", "line 4: a key of more than 16 parts"),
    (".toml", b"a = { " + b"b . " * 17 + b"c = 1 }", "line 1: a key of more than 16 parts"),
    (".toml", b"celsius = 0x" + b"f" * 4_000, "line 1: a number of more than 400 characters"),
    (".toml", b"celsius = 0b" + b"1" * 100_000, "line 1: a number of more than 400 characters"),
    (".toml", b"celsius = 0x" + b"f" * 300, "celsius must be a finite number, not 17218"),
    (".json", b'{"a":[' + b"[]," * 60_000 + b"[]]}", "it holds 60,003 lists and tables, and a model at most 30,000"),
    (".json", b'{"a":[' + b'"",' * 300_000 + b'""]}', "it holds 300,002 texts, and a model at most 200,000"),
    (".toml", b"a=1\n" * 200_000, "it holds 200,000 entries, and a model at most 100,000"),
    (".json", b'{"' + b"k" * 1000 + b'": 1}', "cannot be a key"),
    (".json", b'{"title": "' + b"x" * 100_000 + b'"}', "title is a text of 100000 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("suffix", "raw", "said"), BYTES, ids=range(len(BYTES)))
def test_what_is_no_model_is_an_error_at_once(suffix: str, raw: bytes, said: str):
    began = time.process_time()
    with pytest.raises(ch.ModelError, match=f"^x.*({said})") as caught:
        check_form(parse_document(raw, suffix, "x"), "x")
    assert time.process_time() - began < 1
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_texts_and_comments_hold_what_numbers_and_keys_must_not(suffix: str):
    text = "0" * 5_000 + " a" + ".a" * 100 + " [[[[ {{ = : ' # " + 'of "quoted" \\ things'
    table = {"title": text, "a.b.c": {"x y": 1}, "z": 1.5}
    written = dump(table, suffix) + ("# " + ".a" * 50 + ' "\n' if suffix == ".toml" else "")
    assert parse_document(written.encode(), suffix, "x") == table


@pytest.mark.parametrize(("suffix", "raw"), [(".toml", b"schema = 1"), (".json", b'{"schema": 1}')])
def test_a_mark_of_the_byte_order_is_passed_over(suffix: str, raw: bytes):
    assert parse_document(b"\xef\xbb\xbf" + raw, suffix, "x") == {"schema": 1}


def test_a_number_that_python_does_not_write_is_an_error_in_a_table_too():
    with pytest.raises(ch.ModelError, match=r"^the table: C must be a finite number, not such a int"):
        ch.cell({"schema": 1, "C": 10**5_000})


def test_a_file_that_is_too_large_is_not_read_whole(tmp_path: Path):
    huge = tmp_path / "huge.toml"
    with huge.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ch.ModelError, match=r"huge.toml is larger than 32 MiB"):
        ch.load(huge)


@pytest.mark.parametrize("name", ["nothing.toml", "nothing.json", "a\0b.toml", "x.pkl", "HTC_Li2017"])
def test_a_path_that_is_no_models_is_an_error(name: str):
    with pytest.raises(ch.ModelError, match=r"there is no file|cannot be read|\.toml"):
        ch.load(name)


def test_an_array_of_a_million_numbers_is_read_in_seconds(tmp_path: Path):
    n = 200_000
    cell = ch.cell("SquidAxon_HH1952", size=n).replace(V=(np.random.default_rng(0).normal(-65, 5, n), "mV"))
    for suffix in (".toml", ".json"):
        ch.save(cell, tmp_path / f"many{suffix}")
        began = time.process_time()
        np.testing.assert_array_equal(ch.load(tmp_path / f"many{suffix}").V, cell.V)
        assert time.process_time() - began < 5


# ---- fuzzing -------------------------------------------------------------------------------------------------------


def holds(table: Any) -> None:
    """It is a model, or an error that begins with what the model is called."""
    said = "the table"
    try:
        load(table)
    except ChannelomeError as error:
        said = str(error)
    assert said.startswith("the table")
    assert len(said) < 2000


@QUICK
@given(broken(CELL))
def test_a_broken_cell_is_a_cell_or_an_error(table: dict[str, Any]):
    holds(table)


@QUICK
@given(broken(NETWORK))
def test_a_broken_network_is_a_network_or_an_error(table: dict[str, Any]):
    holds(table)


@QUICK
@given(broken(RECONSTRUCTED) | broken(PLACED))
def test_broken_cells_of_compartments_are_cells_or_an_error(table: dict[str, Any]):
    holds(table)


@QUICK
@given(st.sampled_from(MODELS).flatmap(broken))
@example(CELL)
@example(NETWORK)
@example(RECONSTRUCTED)
@example(PLACED)
def test_the_published_schema_accepts_what_the_loader_accepts(table: dict[str, Any]):
    text = json.dumps(table)
    try:
        read = parse_document(text.encode(), ".json", "x")
    except ch.ModelError:
        return
    try:
        check_form(read, "x")
        accepted = True
    except ch.ModelError:
        accepted = False
    errors = list(VALIDATOR.iter_errors(read))
    assert accepted == (not errors), errors


@QUICK
@given(st.binary(max_size=200), st.sampled_from([".toml", ".json"]))
def test_any_bytes_are_a_table_or_an_error(raw: bytes, suffix: str):
    said = "x"
    try:
        parse_document(raw, suffix, "x")
    except ch.ModelError as error:
        said = str(error)
    assert said.startswith("x")


@QUICK
@given(st.dictionaries(keys, anything, max_size=4))
def test_what_is_written_is_read_again(table: dict[str, Any]):
    try:
        plain = parse_document(json.dumps(table).encode(), ".json", "x")
    except ch.ModelError:
        return
    for suffix in (".toml", ".json"):
        assert parse_document(dump(plain, suffix).encode(), suffix, "x") == plain
