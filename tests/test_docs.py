"""Every example in README and docs runs: Python blocks from top to bottom, `channelome` commands with the output shown."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")])
PAGES += sorted(ROOT.glob("plugins/*/README.md"))


def blocks(page: Path, language: str) -> Iterator[tuple[int, str]]:
    text = page.read_text(encoding="utf-8")
    for match in re.finditer(rf"^```{language}\n(.*?)^```", text, re.S | re.M):
        yield text[: match.start(1)].count("\n"), match[1]


def commands(page: Path) -> Iterator[tuple[str, str]]:
    """Each ``$ channelome ...`` of a page with the output shown below it."""
    for _, block in blocks(page, "console"):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            if command.startswith("channelome "):
                yield command.partition("#")[0].strip(), output


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", [p for p in PAGES if any(blocks(p, "python"))], ids=name)
def test_the_python_of_a_page_runs(page: Path, tmp_path: Path):
    """In a process of its own, so that what a page registers stays there."""
    code = ""
    for line, block in blocks(page, "python"):
        code += "\n" * (line - code.count("\n")) + block  # errors show the page's own line
    file = tmp_path / f"{page.stem}.py"
    file.write_text(code, encoding="utf-8")
    environment = os.environ | {"MPLBACKEND": "Agg"}
    run = subprocess.run([sys.executable, file.name], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, f"{name(page)}:\n{run.stderr}"


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("page", [p for p in PAGES if any(commands(p))], ids=name)
def test_the_commands_of_a_page_give_what_it_shows(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from click.testing import CliRunner

    from channelome.cli import main

    monkeypatch.chdir(tmp_path)
    for command, shown in commands(page):
        result = CliRunner().invoke(main, shlex.split(command)[1:])
        assert result.exit_code == 0, f"{command}: {result.output}"
        if shown.strip():
            assert [line.rstrip() for line in shown.strip().splitlines()] == [
                line.rstrip() for line in result.output.strip().splitlines()
            ], command


def test_every_public_name_is_in_the_docs():
    import channelome as ch

    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    missing = [n for n in ch.__all__ if n != "__version__" and not re.search(rf"\b{re.escape(n)}\b", text)]
    assert missing == []


def test_every_hook_is_in_the_docs():
    from channelome.registry.hooks import Hooks

    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [n for n in vars(Hooks) if n.startswith("channelome_") and n not in text] == []


def test_every_solver_is_on_the_page_of_solvers():
    from channelome.registry import registry

    text = (ROOT / "docs/solvers.md").read_text(encoding="utf-8")
    assert [e.name for e in registry.entries(kind="solver") if f"`{e.name}`" not in text] == []


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert (page.parent / target).exists(), f"{name(page)} links to {target}"


EXAMPLES = {
    "demo.py": (
        (), {"demo-output/" + file for file in ("squid_axon.png", "population.png", "reconstructed_cell.png", "reconstructed_cell.html", "network.png")},
    ),
    "morphology.py": ((str(ROOT / "core/src/channelome/morphology/pyramidal.swc"), "cell.png"), {"cell.png"}),
    "microcircuit.py": (("0.002",), set[str]()),
}  # fmt: skip


@pytest.mark.parametrize(("example", "given"), EXAMPLES.items(), ids=EXAMPLES)
def test_an_example_runs_and_draws(example: str, given: tuple[tuple[str, ...], set[str]], tmp_path: Path):
    """`sweep.py` and `fitting.py` have tests of their own."""
    arguments, files = given
    command = [sys.executable, str(ROOT / "docs/examples" / example), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "MPLBACKEND": "agg"}
    )
    assert not done.returncode, done.stderr
    drawn = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert files <= drawn
    assert all((tmp_path / file).stat().st_size > 10_000 for file in files)
