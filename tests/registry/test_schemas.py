"""The JSON Schemas that editors read accept what channelome reads, and nothing else of its form."""

import copy
import json
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from channelome.errors import PackError
from channelome.registry.document import read_document
from channelome.registry.manifest import KINDS, read_manifest
from channelome.registry.schema import check_form, schema

ROOT = Path(__file__).parents[2]
MANIFESTS = sorted([ROOT / "core/src/channelome/pack.toml", *ROOT.glob("plugins/*/src/*/*.toml")])
MODELS = sorted(ROOT.glob("plugins/*/src/*/models/*.toml"))
PACK = jsonschema.Draft202012Validator(schema("pack"))
MODEL = jsonschema.Draft202012Validator(schema("model"))
TM1991 = tomllib.loads((ROOT / "plugins/tm1991/src/channelome_tm1991/pack.toml").read_text(encoding="utf-8"))


def label(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


@pytest.mark.parametrize("name", ["pack", "model"])
def test_a_schema_is_a_schema_and_is_shipped(name: str):
    jsonschema.Draft202012Validator.check_schema(schema(name))
    assert json.loads((files("channelome") / "schemas" / f"{name}.schema.json").read_text()) == schema(name)


@pytest.mark.parametrize("path", MANIFESTS, ids=label)
def test_every_first_party_manifest_is_valid(path: Path):
    PACK.validate(tomllib.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", MODELS, ids=label)
def test_every_first_party_model_is_valid(path: Path):
    MODEL.validate(tomllib.loads(path.read_text(encoding="utf-8")))
    check_form(read_document(path), path.name)


def test_every_kind_has_its_place():
    assert set(KINDS) <= set(schema("pack")["properties"])


def with_(path: str, value: Any) -> dict[str, Any]:
    table = copy.deepcopy(TM1991)
    *way, last = path.split("/")
    inner = table
    for key in way:
        inner = inner[key]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return table


INA = "channel/INa_TM1991"
MISTAKES = [
    ("schema", 2), ("schema", ...), ("api", 1.0), ("api", "1"), ("api", ...), ("family", ...), ("title", 3), ("license", ["MIT"]),
    ("chanel", {}), ("channel", []), ("channel/INa-2", {"object": "a:b"}), (f"{INA}/object", ...), (f"{INA}/object", 3), (f"{INA}/object", "os"),
    (f"{INA}/sumary", "x"), (f"{INA}/summary", 1), (f"{INA}/gates", "m"), (f"{INA}/gates", [1]), (f"{INA}/temperature", "no"),
    (f"{INA}/version", 0), (f"{INA}/version", True), (f"{INA}/aliases", ["Na"]), (f"{INA}/aliases", [{"nme": "Na"}]), (f"{INA}/aliases", [{"name": "N", "x": 1}]),
    (f"{INA}/parameters/g_max/default", "120"), (f"{INA}/parameters/g_max/default", True), (f"{INA}/parameters/g_max/default", {"q10": 3}),
    (f"{INA}/parameters/g_max/unit", 1), (f"{INA}/parameters/g_max/min", 1), (f"{INA}/parameters", []), (f"{INA}/references", "TM1991"),
    ("references/TM1991/role", "idea"), ("references/TM1991/text", ""), ("references/TM1991/text", ...), ("references/TM1991/doi", 10.1),
    ("references/TM1991/url", "x"), ("references", []), ("cell", {"X_TM1991": {"object": "a:b"}}), ("network", {"X_TM1991": {"file": 1}}),
    ("expected_failures", {"check": "x"}), ("expected_failures", [{"check": 1}]), ("expected_failures", [{"why": "x"}]),
]  # fmt: skip
FINE = [
    ("title", ...), ("license", ...), (f"{INA}/version", 2), (f"{INA}/parameters/g_max/default", {"q10": 3, "reference": 24.5}),
    (f"{INA}/aliases", [{"name": "N", "deprecated_since": "0.2"}]), ("cell", {"X_TM1991": {"file": "models/x.toml"}}),
    ("network", {"X_TM1991": {"file": "models/x.toml", "summary": "A network."}}), ("references/TM1991/doi", ...),
    ("expected_failures", [{"check": "slopes", "name": "INa_TM1991", "reason": "a kink"}]), ("solver", {"X_TM1991": {"object": "a:b", "order": 2}}),
]  # fmt: skip


def accepted(table: dict[str, Any], folder: Path) -> bool:
    import tomli_w

    (folder / "pack.toml").write_text(tomli_w.dumps(table), encoding="utf-8")
    try:
        read_manifest(folder / "pack.toml", family="TM1991", distribution="x 1")
    except PackError:
        return False
    return True


@pytest.mark.parametrize(("path", "value"), MISTAKES, ids=repr)
def test_what_the_loader_refuses_the_schema_refuses(path: str, value: Any, tmp_path: Path):
    table = with_(path, value)
    assert not accepted(table, tmp_path)
    assert not PACK.is_valid(table)


@pytest.mark.parametrize(("path", "value"), FINE, ids=repr)
def test_what_the_loader_accepts_the_schema_accepts(path: str, value: Any, tmp_path: Path):
    table = with_(path, value)
    assert accepted(table, tmp_path)
    assert PACK.is_valid(table)
