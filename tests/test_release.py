"""What is published: one version, a licence in every distribution, workflows and forms that GitHub reads."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from channelome.registry.suggest import FIRST_PARTY

ROOT = Path(__file__).parents[1]
MEMBERS = sorted([ROOT / "core", *(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))])
SCHEMAS = {
    "vendor.github-workflows": sorted((ROOT / ".github/workflows").glob("*.yml")),
    "vendor.github-issue-forms": [
        path for path in sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")) if path.stem != "config"
    ],
    "vendor.github-issue-config": [ROOT / ".github/ISSUE_TEMPLATE/config.yml"],
    "vendor.citation-file-format": [ROOT / "CITATION.cff"],
}


def project(member: Path) -> dict[str, Any]:
    return tomllib.loads((member / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def script(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, ROOT / "release" / name, *words], capture_output=True, text=True)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_workflows_forms_and_citation_are_of_their_schema(schema: str):
    assert SCHEMAS[schema]
    words = [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", schema, *SCHEMAS[schema]]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_command_of_a_workflow_is_there():
    text = "".join(path.read_text() for path in (ROOT / ".github/workflows").glob("*.yml"))
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M)
    assert set(re.findall(r"run: make ([\w-]+)", text)) <= set(targets)
    for path in re.findall(r"(?:run: |python |-r )([\w.-]+(?:/[\w.-]+)*\.(?:py|txt)|\.ci/run)", text):
        assert (ROOT / path).is_file(), path


@pytest.mark.parametrize("member", MEMBERS, ids=lambda path: path.name)
def test_every_distribution_can_be_published(member: Path):
    about = project(member)
    assert (member / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert about["license"] == "Apache-2.0"
    assert about["license-files"] == ["LICENSE"]
    assert about["keywords"]
    assert {"Source", "Documentation", "Changelog", "Issues"} == set(about["urls"])
    assert (ROOT / about["urls"]["Source"].partition("/main/")[2]).is_dir()
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13)} <= set(about["classifiers"])
    assert about["requires-python"] == ">=3.11"


def test_there_is_one_version_and_all_else_follows():
    core = re.findall(r'^__version__ = "(.+)"$', (ROOT / "core/src/channelome/__init__.py").read_text(), flags=re.M)[0]
    assert "version" not in project(ROOT / "core")
    assert f"version: {core}\n" in (ROOT / "CITATION.cff").read_text()
    pinned = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split())
    for member in MEMBERS:
        name = project(member)["name"]
        assert pinned[name] == project(member).get("version", core)


@pytest.mark.parametrize(
    ("tag", "said"),
    [("v0.1.0", "is no tag of a release"), ("channelome-nobody-v0.1.0", "is no tag of a release"), ("channelome-tm1991-v9.9", "is of 9.9, and channelome-tm1991 here of 0.1.0"), ("channelome-v0.1.0; id", "is no tag of a release")],
)  # fmt: skip
def test_a_tag_that_publishes_nothing_is_refused(tag: str, said: str):
    done = script("notes.py", "--tag", tag)
    assert done.returncode == 1
    assert said in done.stderr


def test_notes_of_a_release_are_its_section():
    said = script("notes.py", "--tag", "channelome-tm1991-v0.1.0").stdout
    assert said.startswith("# channelome-tm1991 0.1.0\n")
    assert 'pip install "channelome-tm1991==0.1.0"' in said
    assert "### Added" in script("notes.py").stdout


def test_the_table_of_known_packs_is_that_of_the_code():
    table = (ROOT / "docs/registry.md").read_text().partition("## Known packs")[2]
    rows = dict(re.findall(r"^\| `(channelome-\w+)` \| (.+) \|$", table, flags=re.M))
    found = {family.casefold(): name for name, families in rows.items() for family in re.findall(r"`(\w+)`", families)}
    assert found == FIRST_PARTY
    assert set(rows) == {project(member)["name"] for member in MEMBERS} - {"channelome"}


def test_nothing_tells_users_to_install_what_is_not_ours():
    ours = {project(member)["name"] for member in MEMBERS}
    for path in [
        ROOT / "README.md",
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("plugins/*/README.md"),
        ROOT / "core/README.md",
    ]:
        for line in re.findall(r"pip install (?!-e)([^`\n#]+)", path.read_text()):
            named = set(re.findall(r"(?<![\w./-])channelome(?:-\w+)*(?![\w/-])", line))
            assert named <= ours, f"{path.name}: {line}"


def test_the_lowest_versions_in_the_readme_are_those_that_are_declared():
    rows = dict(re.findall(r"^\| (\w+)[^|]* \| ([\d.]+) \|", (ROOT / "README.md").read_text(), flags=re.M))
    declared = [*project(ROOT / "core")["dependencies"], *project(ROOT / "plugins/diffrax")["dependencies"]]
    lowest = dict(re.fullmatch(r"([\w-]+)>=([\d.]+).*", one).groups() for one in declared)  # pyright: ignore
    for name in ("jax", "numpy", "brainunit", "diffrax"):
        assert f"{rows[name]}.".startswith(f"{lowest[name]}.")
    assert rows["Python"] == project(ROOT / "core")["requires-python"].removeprefix(">=")
