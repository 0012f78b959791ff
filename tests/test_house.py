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
    *(
        "errors",
        "memory",
        "aligned",
        "units",
        "exponential",
        "maths",
        "streams",
        "sampled",
        "equality",
        "distances",
        "module",
        "state",
        "clock",
        "drawing",
    ),
    "morphology",
    *("mechanisms", "authoring", "formulas"),
    *("registry", "cells", "stimuli", "networks"),
    *("results", "engine", "instruments"),
    *("models", "testing", "local", "scaffold", "cli"),
]
"""Import order is read order: a file imports only what stands before its room, or its own room. `docs/architecture.md`
shows the rooms."""


def tracked() -> list[Path]:
    out = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in out.split("\0") if name and (ROOT / name).is_file()]


def modules() -> list[Path]:
    return sorted(CORE.rglob("*.py"))


def test_the_page_and_the_picture_of_the_house_show_every_room():
    for name in ("architecture.md", "architecture.svg"):
        words = set(re.findall(r"\w+", (ROOT / "docs" / name).read_text()))
        assert not set(READ_ORDER) - words, name
    ground = " ".join(READ_ORDER[: READ_ORDER.index("morphology")])
    assert f"| `{ground}` |" in (ROOT / "docs/architecture.md").read_text()


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
        assert project["name"] in pinned  # which version: test_release.py


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


def test_channelome_all_depends_on_every_pack_but_those_of_solvers_and_importers():
    packs = {path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml")} - {"all"}
    project = tomllib.loads((ALL / "pyproject.toml").read_text())["project"]
    asked = {one.partition(">")[0] for one in project["dependencies"]}
    extra = {one.partition(">")[0] for one in project["optional-dependencies"]["diffrax"]}
    assert asked - {"channelome"} == {f"channelome-{name}" for name in packs - {"diffrax", "neuroml", "nmodl"}}
    assert extra == {"channelome-diffrax"}


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(CORE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


def imported(path: Path) -> set[str]:
    """The files of core that a file imports, anywhere in it: what is imported late, inside a function, counts as well.

    Imports for type checkers alone do not.
    """
    known = {dotted(file) for file in modules()}
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    found: set[str] = set()
    package = path.relative_to(CORE).parts[:-1]
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])
        for alias in node.names:
            inside = f"{base}.{alias.name}".lstrip(".")
            found.add(inside if inside in known else base)
    return found - {"", dotted(path)}  # from the root comes the version alone


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(CORE)))
def test_a_file_imports_only_what_stands_before_it(path: Path):
    room = dotted(path).partition(".")[0]
    if room == "":
        return
    for target in imported(path):
        other = target.partition(".")[0]
        assert READ_ORDER.index(other) <= READ_ORDER.index(room), f"{path.name} imports {target}, which stands after it"


def test_no_files_import_one_another_in_a_circle():
    graph = {dotted(path): imported(path) for path in modules()}
    graph.pop("")
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join([*way[way.index(name) :], name])
        if name not in done:
            for target in sorted(graph[name]):
                visit(target, (*way, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_the_rooms_are_those_of_the_read_order():
    there = {
        path.name.removesuffix(".py")
        for path in CORE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert there - {"__init__"} == set(READ_ORDER)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(CORE)))
def test_no_file_grows_long(path: Path):
    assert len(path.read_text().splitlines()) <= 350


@pytest.mark.parametrize(
    "what", ["channelome", "channelome.registry", "channelome.units", "channelome.errors", "channelome.morphology"]
)
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


@pytest.mark.parametrize(
    ("before", "spared"),
    {
        "": True,
        "import jax": False,
        "mine = [[] for _ in range(200_000)]": False,
        "import gc; gc.disable()": False,
    }.items(),
)
def test_only_a_process_at_its_beginning_is_spared_the_search_for_garbage(before: str, spared: bool):
    """What the modules made is then never looked through again; whether garbage is collected stays as it was."""
    code = f"import gc; {before}\nas_it_was = gc.isenabled(); import channelome as ch; ch.step; print(gc.get_freeze_count() > 50_000, gc.isenabled() == as_it_was)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == [str(spared), "True"]


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
