"""The house: what may be committed, what is pinned, what may import what, and what importing costs."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "core/src/channelome"
ALL = ROOT / "plugins/all"
"""It depends on the packs and holds no code."""
MEMBERS = sorted([ROOT / "core", *(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))])

READ_ORDER = [
    "errors",
    "units",
    "maths",
    "kinetics",
    "sampled",
    "module",
    "state",
    "spikes",
    "ions",
    "definition",
    "channels",
    "transmission",
    "authoring",
    "leak",
    "synapses",
    "describe",
    "protocols",
    "registry",
    "solvers",
    "cells",
    "stimulus",
    "record",
    "request",
    "program",
    "faults",
    "plotting",
    "dataset",
    "archive",
    "exchange",
    "traces",
    "networks",
    "simulation",
    "clamp",
    "spec",
    "testing",
    "portrait",
    "scaffold",
    "cli",
]
"""Import order is read order: a module imports only what stands before it. `registry.local` and `registry.sync`, which
only a use of theirs imports, look at the engine."""
LOOKING_AT_THE_ENGINE = {"registry/local.py", "registry/sync.py"}


def tracked() -> list[Path]:
    out = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in out.split("\0") if name and (ROOT / name).is_file()]


def modules() -> list[Path]:
    return sorted(CORE.rglob("*.py"))


def test_no_lock_file_is_committed():
    assert [p.name for p in tracked() if p.name in ("uv.lock", "pylock.toml", "poetry.lock")] == []


def test_no_file_holds_an_index_address_or_a_path_of_a_machine():
    words = [
        r"--(extra-)?index-" + "url",
        r"/pypi[^.\s]*/simple",
        r"(?<![\w.])/(root|home|Users)/\w",
        r"(?<![\w.])/wor" + "k/",
    ]
    pattern = re.compile("|".join(words))
    for path in tracked():
        if path.suffix in (".png", ".npz"):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="ignore").splitlines(), 1):
            assert not pattern.search(line), f"{path.relative_to(ROOT)}:{number}: {line[:120]}"


def test_constraints_are_names_and_versions_only_and_pin_every_member():
    lines = (ROOT / "constraints.txt").read_text().split()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line) for line in lines)
    pinned = {line.split("==")[0].lower().replace("_", "-"): line.split("==")[1] for line in lines}
    for member in MEMBERS:
        project = tomllib.loads((member / "pyproject.toml").read_text())["project"]
        assert pinned[project["name"]] == project["version"]


def test_constraints_pin_everything_that_is_asked_for():
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().split()}
    asked = [line for line in (ROOT / "requirements-dev.txt").read_text().splitlines() if line[:1].isalpha()]
    for member in MEMBERS:
        asked += tomllib.loads((member / "pyproject.toml").read_text())["project"]["dependencies"]
    for requirement in asked:
        name = re.split(r"[\[<>=~! ]", requirement)[0].lower().replace("_", "-")
        assert name in pinned, requirement


def test_every_member_is_installed_for_development():
    text = (ROOT / "requirements-dev.txt").read_text()
    for member in MEMBERS:
        assert f"-e ./{member.relative_to(ROOT)}" in text


def test_every_member_has_a_readme_and_is_typed():
    for member in MEMBERS:
        assert (member / "README.md").is_file()
        assert list(member.glob("src/*/py.typed")) or member == ALL, member


def test_channelome_all_depends_on_every_pack_but_those_of_solvers():
    packs = {path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml")} - {"all"}
    project = tomllib.loads((ALL / "pyproject.toml").read_text())["project"]
    asked = {one.partition(">")[0] for one in project["dependencies"]}
    extra = {one.partition(">")[0] for one in project["optional-dependencies"]["diffrax"]}
    assert asked - {"channelome"} == {f"channelome-{name}" for name in packs - {"diffrax"}}
    assert extra == {"channelome-diffrax"}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(CORE)))
def test_a_module_imports_only_what_stands_before_it(path: Path):
    parts = path.relative_to(CORE).with_suffix("").parts
    if parts == ("__init__",) or str(path.relative_to(CORE)) in LOOKING_AT_THE_ENGINE:
        return
    place = READ_ORDER.index(parts[0])
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.level:
            base = parts[: len(parts) - node.level]
            first = [*base, *(node.module or "").split(".")] if node.module else None
            for target in [first] if first else [[*base, alias.name] for alias in node.names]:
                name = next(part for part in target if part)
                if name == parts[0] or name not in READ_ORDER:
                    continue
                assert READ_ORDER.index(name) < place, f"{path.name} imports {name}, which stands after it"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(CORE)))
def test_no_file_grows_long(path: Path):
    assert len(path.read_text().splitlines()) <= 350


@pytest.mark.parametrize("what", ["channelome", "channelome.registry", "channelome.units", "channelome.errors"])
def test_importing_does_not_import_jax_brainunit_or_a_pack(what: str):
    code = (
        f"import sys, {what}; "
        "print([m for m in ('jax', 'brainunit', 'saiunit', 'matplotlib', 'xarray', 'channelome_hh1952') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_building_a_cell_makes_no_array_on_a_device():
    code = (
        "import channelome as ch; from jax._src import xla_bridge;"
        "ch.cell('SquidAxon_HH1952'); ch.cell('PointNeuron_Brette2007', size=100);"
        "print(sorted(xla_bridge._backends))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_a_run_with_units_as_text_does_not_import_brainunit():
    code = (
        "import sys, channelome as ch;"
        "ch.simulate(ch.cell('SquidAxon_HH1952'), '1 ms', dt='0.1 ms');"
        "print('saiunit' in sys.modules, 'matplotlib' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False False"


def test_the_sodium_file_is_about_twenty_lines_of_biology():
    lines = (ROOT / "plugins/tm1991/src/channelome_tm1991/sodium.py").read_text().splitlines()
    assert len([line for line in lines if line.strip()]) <= 22
