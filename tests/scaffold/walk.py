"""The walk of docs/first_pack.md: every file and command of the page, in an empty folder, a fresh environment, without a network.

    python tests/scaffold/walk.py [--write | --index] [FOLDER]

Core's wheel is built here; what it and the page need besides is linked from the running Python's environment, in which nothing
named channelome is passed on. With --index nothing is linked, and pip gets it from its index, as on a new machine. A command that fails, or prints something else than the page shows, ends the walk. With --write
the times go into the page.
"""

import argparse
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/first_pack.md"
_MARKS = re.compile(r"(<!-- walk -->\n).*?(<!-- /walk -->)", re.S)


class Step(NamedTuple):
    """A file to write, or a command with the output that the page shows."""

    heading: str
    file: str
    command: str
    text: str


class Done(NamedTuple):
    """A command that was run."""

    heading: str
    command: str
    seconds: float
    output: str


def steps(page: Path = PAGE) -> Iterator[Step]:
    """What the page does, in its order: blocks of shell, and blocks that begin with the name of a file."""
    heading = ""
    for match in re.finditer(r"^## ([^\n]+)$|^```(\w+)\n(.*?)^```", page.read_text(encoding="utf-8"), re.S | re.M):
        heading = match[1] or heading
        if match[2] == "shell":
            for part in re.split(r"^\$ ", match[3], flags=re.M)[1:]:
                command, _, shown = part.partition("\n")
                yield Step(heading, "", command, shown)
        elif match[2] in ("py", "toml", "text") and (named := re.match(r"# (\S+)\n", match[3])):
            yield Step(heading, named[1], "", match[3] if match[2] != "text" else match[3][named.end() :])


def linked(folder: Path) -> Path:
    """A folder with links to all that the running environment has, but for pip and what is named channelome or editable."""
    folder.mkdir()
    left_out = ("channelome", "__editable__", "_channelome", "pip", "_virtualenv", "__pycache__")
    for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if not entry.name.startswith(left_out) and entry.suffix != ".pth":
            (folder / entry.name).symlink_to(entry)
    return folder


def _fonts() -> str:
    """Where matplotlib keeps its list of fonts, which takes it seconds to make once on a machine."""
    import matplotlib

    return matplotlib.get_cachedir()


def walk(folder: Path, *, index: bool = False) -> list[Done]:
    """Do everything in `folder`, which is empty; what was run, with its time.

    Args:
        folder: an empty one.
        index: let pip use its index, and link nothing.

    Raises:
        AssertionError: where a command fails or prints something else than the page shows.
    """
    kept, site, wheels = folder / ".kept", folder / "site", folder / "wheels"
    kept.mkdir()
    linked(site)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(ROOT / "core")]
    subprocess.run(build, check=True, capture_output=True)
    work = folder / "work"
    work.mkdir()
    kept_variables = ("PATH", "LANG", "LC_ALL", "TMPDIR", "JAX_PLATFORMS")
    environment = {
        name: value for name, value in os.environ.items() if name in kept_variables or name.startswith("PIP_")
    }
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    environment |= {"PIP_FIND_LINKS": str(wheels), "PIP_NO_CACHE_DIR": "1", "PIP_QUIET": "1"}
    environment |= {
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": _fonts(),
        "COLUMNS": "200",
    }
    environment |= {"HOME": os.environ["HOME"]} if index else {"HOME": str(kept), "PIP_NO_INDEX": "1"}
    done: list[Done] = []
    for step in steps():
        if step.file:
            (work / step.file).parent.mkdir(parents=True, exist_ok=True)
            (work / step.file).write_text(step.text, encoding="utf-8")
            continue
        if step.command == ". .venv/bin/activate":
            environment["PATH"] = os.pathsep.join([str(work / ".venv/bin"), environment["PATH"]])
            continue
        begin = time.perf_counter()
        run = subprocess.run(["bash", "-c", step.command], cwd=work, env=environment, capture_output=True, text=True)
        done.append(Done(step.heading, step.command, time.perf_counter() - begin, run.stdout))
        assert run.returncode == 0, f"$ {step.command}\n{run.stdout}\n{run.stderr}"
        shown, said = map(_lines, (step.text, run.stdout))
        assert not shown or shown == said, f"$ {step.command}\n{run.stdout}\nThe page shows:\n{step.text}"
        for made in [] if index else work.glob("*/lib/python3*/site-packages"):
            (made / "linked.pth").write_text(f"{site}\n", encoding="utf-8")
    return done


def _lines(output: str) -> list[str]:
    """Lines to compare: how many checks there are, and how many of them apply, is the kit's matter."""
    return [re.sub(r"\d+ (ok|skipped)", r"N \1", line.rstrip()) for line in output.strip().splitlines()]


def table(done: list[Done]) -> str:
    """The times, as a table for the page."""
    lines = ["| step | command | s |", "|---|---|---:|"]
    for one in done:
        command = one.command if len(one.command) <= 80 else f"{one.command[:77]}..."
        lines.append(f"| {one.heading.partition('.')[0]} | `{command.replace('|', '&#124;')}` | {one.seconds:.1f} |")
    return "\n".join([*lines, f"| | in all | {sum(one.seconds for one in done):.1f} |", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--write", action="store_true", help="write the times into the page")
    how.add_argument("--index", action="store_true", help="let pip use its index, and link nothing")
    parser.add_argument("folder", nargs="?", type=Path, help="an empty one; one that goes away if left out")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="walk-") as made:
        done = walk(asked.folder.resolve() if asked.folder else Path(made), index=asked.index)
    for one in done:
        print(f"$ {one.command}\n{one.output}[{one.seconds:.1f} s]\n")
    print(f"{sum(one.seconds for one in done):.1f} s in all")
    if asked.write:
        PAGE.write_text(
            _MARKS.sub(lambda m: m[1] + table(done) + m[2], PAGE.read_text(encoding="utf-8")), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
