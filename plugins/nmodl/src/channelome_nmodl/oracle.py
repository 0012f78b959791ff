"""NEURON, asked in a process of its own: files compiled, and what `worker.py` answers."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from channelome.errors import ModelError

PATIENCE = 60
"""Seconds that NEURON may take for one file."""


class Comparison(NamedTuple):
    """What came out.

    Attributes:
        difference: largest difference between NEURON's numbers and ours, in `unit`.
        largest: largest of NEURON's numbers.
        at_rest: largest difference where both start.
        worst: where the largest difference is.
        unit: of the numbers, and what they are; ``"of cai and m"`` of what is told in shares of each one's largest.
        version: NEURON's.
    """

    difference: float
    largest: float
    at_rest: float
    worst: str
    unit: str
    version: str

    @property
    def relative(self) -> float:
        return self.difference / self.largest if self.largest > 0 else self.difference

    def __str__(self) -> str:
        if self.unit.startswith("of "):
            return f"NEURON {self.version}: {self.relative:.1e} of the largest at most, {self.unit}; {self.worst}"
        return (
            f"NEURON {self.version}: {self.difference:.2g} {self.unit} at most, {self.relative:.1e} of the largest, "
            f"{self.largest:.3g}, {self.worst}"
        )


def compiled(path: Path, folder: Path, python: str, beside: str = "", included: Iterable[tuple[str, str]] = ()) -> Path:
    """The library that nrnivmodl makes of a file, of the texts of other mechanisms, and of what it includes, by name."""
    found = Path(python).absolute().with_name("nrnivmodl")
    tool = str(found) if found.is_file() else shutil.which("nrnivmodl")
    if tool is None:
        raise ModelError(
            "NEURON is not installed: `pip install neuron` brings nrnivmodl, with which --compare compiles."
        )
    (folder / "mod").mkdir()
    shutil.copy(path, folder / "mod" / path.name)
    for name, text in included:  # which `includes` has found in the folder of the file
        inc = (folder / "mod" / name).resolve()
        if inc.is_relative_to(folder.resolve()):  # by a way round it could be anywhere
            inc.parent.mkdir(parents=True, exist_ok=True)
            inc.write_text(text, encoding="utf-8")
    for number, text in enumerate(beside.split("NEURON {")[1:]):
        (folder / f"mod/chdriver{number}.mod").write_text(f"NEURON {{{text}", encoding="ascii")
    done = subprocess.run([tool, "mod"], cwd=folder, text=True, capture_output=True)
    made = [*folder.glob("*/libnrnmech.*"), *folder.glob("*/.libs/libnrnmech.*")]
    if done.returncode or not made:
        said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        wrong = [line for line in said if re.search(r"\b[Ee]rror\b(?!.*subprocess)", line)] or said[-3:]
        raise ModelError(f"NEURON cannot compile {path.name}: {' | '.join(wrong[:3])[:300]}")
    return made[0]


def ask(jobs: list[dict[str, Any]], python: str) -> list[dict[str, Any]]:
    """Answers of `worker.py` to jobs."""
    script = Path(__file__).with_name("worker.py")
    try:
        done = subprocess.run(
            [python, str(script)], input=json.dumps(jobs), text=True, capture_output=True, timeout=PATIENCE * len(jobs)
        )
    except subprocess.TimeoutExpired:
        raise ModelError(f"NEURON is not done after {PATIENCE * len(jobs)} s.") from None
    text = done.stdout[done.stdout.find("[{") :]
    if done.returncode or not text:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ModelError(f"NEURON failed: {last[:300]}")
    return json.loads(text)
