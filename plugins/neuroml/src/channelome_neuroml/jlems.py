"""jLEMS, asked in a process of its own: what it makes of components, and how far a channel is open while the voltage follows commands.

jNeuroML knows NeuroML by its own definitions of it; `pip install pyneuroml` brings it, and it needs Java.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from channelome.errors import ModelError

from .document import CORE, Texts

PATIENCE = 300
"""Seconds that jLEMS may take for one run."""
CELSIUS, CALCIUM, OUTSIDE = 24.0, 3e-4, 2.0
"""degC, and mM of calcium inside and outside."""
_WHERE = "import importlib.util as u; found = u.find_spec('pyneuroml'); print(found.submodule_search_locations[0] if found else '')"
_TYPES = """
<ComponentType name="commandedCell">
  <Parameter name="hold" dimension="voltage"/><Parameter name="first" dimension="voltage"/><Parameter name="second" dimension="voltage"/>
  <Parameter name="ramp" dimension="voltage"/><Parameter name="spike" dimension="voltage"/>
  <Parameter name="begin" dimension="time"/><Parameter name="length" dimension="time"/>
  <Parameter name="warm" dimension="temperature"/><Parameter name="inner" dimension="concentration"/><Parameter name="outer" dimension="concentration"/>
  <Constant name="MS" dimension="time" value="1 ms"/>
  <ComponentReference name="inside" type="baseIonChannel"/>
  <Exposure name="v" dimension="voltage"/><Exposure name="temperature" dimension="temperature"/><Exposure name="vShift" dimension="voltage"/>
  <Exposure name="caConc" dimension="concentration"/><Exposure name="caConcExt" dimension="concentration"/><Exposure name="open" dimension="none"/>
  <Dynamics>
    <StateVariable name="vShift" exposure="vShift" dimension="voltage"/>
    <DerivedVariable name="s" dimension="none" value="(t - begin) / length"/>
    <DerivedVariable name="u" dimension="none" value="(t - begin) / MS"/>
    <DerivedVariable name="v" exposure="v" dimension="voltage" value="hold + H(s) * (first - hold + ramp * s)
      + H(s - 1) * (second - first - ramp * s) + spike * (exp(-((u - 5) / 0.4)^2) - 0.2 * exp(-((u - 7.5) / 2)^2))"/>
    <DerivedVariable name="temperature" exposure="temperature" dimension="temperature" value="warm"/>
    <DerivedVariable name="caConc" exposure="caConc" dimension="concentration" value="inner"/>
    <DerivedVariable name="caConcExt" exposure="caConcExt" dimension="concentration" value="outer"/>
    <DerivedVariable name="open" exposure="open" dimension="none" select="inside/fopen"/>
  </Dynamics>
  <Structure><ChildInstance component="inside"/></Structure>
</ComponentType>
<ComponentType name="bench"><Children name="cells" type="commandedCell"/></ComponentType>
"""


class Command(NamedTuple):
    """What a voltage does, in mV: from `hold` at once to `first`, by `ramp` more until the end of a span, then at once to `second`; or a spike."""

    name: str
    hold: float
    first: float
    second: float
    ramp: float = 0.0
    spike: float = 0.0


class Answer(NamedTuple):
    """What jLEMS says: V in mV and how far the channel is open, of shape (rows, commands), and its version."""

    V: np.ndarray
    opened: np.ndarray
    version: str


def jar(python: str) -> Path:
    """The file of jNeuroML that an interpreter's pyNeuroML has.

    Raises:
        ModelError: where that or Java is not there, with what to install.
    """
    if shutil.which("java") is None:
        raise ModelError("jNeuroML needs Java, and there is no `java` on the PATH.")
    try:
        done = subprocess.run([python, "-c", _WHERE], capture_output=True, text=True)
    except OSError as error:
        raise ModelError(f"--python names no Python that runs: {python}: {error.strerror or error}.") from None
    found = (
        sorted(Path(done.stdout.strip()).glob("lib/jNeuroML-*-jar-with-dependencies.jar"))
        if done.stdout.strip()
        else []
    )
    if not found:
        raise ModelError(
            "jNeuroML is not installed: `pip install pyneuroml` brings it; --python names an interpreter of the environment that has it."
        )
    return found[-1]


def ask(
    texts: Texts,
    id: str,
    commands: Sequence[Command],
    python: str,
    begin: float,
    step: float,
    spans: tuple[float, float],
) -> Answer:
    """How far a channel of a document is open under commands, by explicit steps of jLEMS.

    Args:
        begin, step: ms, of the commands and of a step.
        spans: ms, of their first part and of the whole from `begin` on.

    Raises:
        ModelError: where jLEMS is not there, or cannot run the file.
    """
    cells = "".join(
        f'<commandedCell id="c{i}" hold="{one.hold} mV" first="{one.first} mV" second="{one.second} mV" ramp="{one.ramp} mV" spike="{one.spike} mV" '
        f'begin="{begin} ms" length="{spans[0]} ms" warm="{CELSIUS} degC" inner="{CALCIUM} mM" outer="{OUTSIDE} mM" inside="{id}"/>'
        for i, one in enumerate(commands)
    )
    columns = [f"c{i}/{what}" for what in ("v", "open") for i in range(len(commands))]
    rows, version = run(texts, f'{_TYPES}<bench id="all">{cells}</bench>', columns, python, step, begin + spans[1])
    count = len(commands)
    return Answer(1e3 * rows[:, :count], rows[:, count:], version)


def run(
    texts: Texts, body: str, columns: Sequence[str], python: str, step: float, length: float
) -> tuple[np.ndarray, str]:
    """What jLEMS writes of quantities in SI units, a row for each step, and its version.

    Args:
        body: components beside the document, of which "all" is what is run.
        step, length: ms.

    Raises:
        ModelError: where jLEMS is not there, or cannot run the file.
    """
    file = jar(python)
    asked = "".join(f'<OutputColumn id="o{i}" quantity="{one}"/>' for i, one in enumerate(columns))
    known = "".join(
        f'<Include file="{name}"/>' for name in sorted(CORE & {"Cells.xml", "Networks.xml", "Simulation.xml"})
    )
    text = (
        f'<Lems><Target component="asked"/>{known}<Include file="{texts.name.rpartition("/")[2]}"/>{body}'
        f'<Simulation id="asked" length="{length} ms" step="{step} ms" target="all"><OutputFile id="out" fileName="asked.dat">{asked}</OutputFile></Simulation></Lems>'
    )
    with tempfile.TemporaryDirectory(prefix="channelome-neuroml-") as folder:
        for name, held in texts.files:
            there = Path(folder, name)
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(held)
        rows = _run(file, text, Path(folder, texts.name).parent)
    return rows[:, 1:], file.name.split("-")[1]


def _run(file: Path, text: str, folder: Path) -> np.ndarray:
    (folder / "LEMS_asked.xml").write_text(text, encoding="utf-8")
    command = ["java", "-jar", str(file), "LEMS_asked.xml", "-nogui"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, errors="replace")
    except subprocess.TimeoutExpired:
        raise ModelError(f"jLEMS is not done after {PATIENCE} s.") from None
    out = folder / "asked.dat"
    if not out.is_file():
        said = [
            line.strip()
            for line in (done.stdout + done.stderr).splitlines()
            if re.search(r"error|exception", line, re.IGNORECASE)
        ]
        raise ModelError(f"jLEMS cannot run it: {' | '.join(dict.fromkeys(said[:3]))[:300] or 'it says nothing'}")
    rows = np.loadtxt(out)
    if not np.all(np.isfinite(rows)):
        raise ModelError("what jLEMS computes is not a number.")
    return rows
