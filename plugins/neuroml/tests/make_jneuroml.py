"""What jNeuroML makes of the files in nml/: writes jneuroml.json. Not run by the tests.

    python plugins/neuroml/tests/make_jneuroml.py jNeuroML-jar-with-dependencies.jar

It needs Java and the jar that pyNeuroML brings (made with jNeuroML 0.14.0). Each channel stands in a cell whose voltage is held and then jumps, once for
each pulse. jLEMS takes explicit Euler steps; what is open is read after `STEPS` of them.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
HOLD, PULSES, STEPS = -81.3, (-101.7, -62.1, -41.3, -19.7, 1.1, 31.9), (10, 60, 200, 800, 4000)
"""mV, mV, and how many steps after the jump."""
CELSIUS, CALCIUM = 24.0, 3e-4
"""degC, mM."""
FIRST = 300.0
"""ms at the held voltage, for kinetic schemes, which jLEMS does not start at rest."""
STEP = 0.005
CLAMPED = """
<ComponentType name="heldCell">
  <Parameter name="hold" dimension="voltage"/><Parameter name="pulse" dimension="voltage"/><Parameter name="begin" dimension="time"/>
  <Parameter name="warm" dimension="temperature"/><Parameter name="calcium" dimension="concentration"/>
  <ComponentReference name="inside" type="baseIonChannel"/>
  <Exposure name="v" dimension="voltage"/><Exposure name="temperature" dimension="temperature"/><Exposure name="caConc" dimension="concentration"/>
  <Exposure name="vShift" dimension="voltage"/><Exposure name="open" dimension="none"/>
  <Dynamics>
    <StateVariable name="v" exposure="v" dimension="voltage"/>
    <StateVariable name="vShift" exposure="vShift" dimension="voltage"/>
    <DerivedVariable name="temperature" exposure="temperature" dimension="temperature" value="warm"/>
    <DerivedVariable name="caConc" exposure="caConc" dimension="concentration" value="calcium"/>
    <DerivedVariable name="open" exposure="open" dimension="none" select="inside/fopen"/>
    <OnStart><StateAssignment variable="v" value="hold"/></OnStart>
    <OnCondition test="t .geq. begin"><StateAssignment variable="v" value="pulse"/></OnCondition>
  </Dynamics>
  <Structure><ChildInstance component="inside"/></Structure>
</ComponentType>
<ComponentType name="bench"><Children name="cells" type="heldCell"/></ComponentType>
"""


def run(jar: str, text: str, folder: Path) -> np.ndarray:
    """The columns that a simulation writes, the first being the time in s."""
    (folder / "LEMS_asked.xml").write_text(text, encoding="utf-8")
    done = subprocess.run(["java", "-jar", jar, "LEMS_asked.xml", "-nogui"], cwd=folder, capture_output=True, text=True)
    out = folder / "asked.dat"
    if not out.exists():
        raise SystemExit(done.stdout + done.stderr)
    found = np.loadtxt(out)
    out.unlink()
    return found


def includes(*names: str) -> str:
    core = ("Cells.xml", "Networks.xml", "Simulation.xml", *names)
    return "".join(f'<Include file="{name}"/>' for name in core)


def held(jar: str, file: Path, channel: str, is_scheme: bool) -> dict[str, object]:
    """How far a channel is open after jumps, of shape (pulses, steps), and at rest."""
    begin = FIRST if is_scheme else 1.0
    cells = "".join(
        f'<heldCell id="c{i}" hold="{HOLD}mV" pulse="{pulse}mV" begin="{begin}ms" warm="{CELSIUS} degC" calcium="{CALCIUM} mM" inside="{channel}"/>'
        for i, pulse in enumerate(PULSES)
    )
    columns = '<OutputColumn id="v" quantity="c0/v"/>' + "".join(
        f'<OutputColumn id="o{i}" quantity="c{i}/open"/>' for i in range(len(PULSES))
    )
    text = (
        f'<Lems><Target component="asked"/>{includes(file.name)}{CLAMPED}<bench id="all">{cells}</bench>'
        f'<Simulation id="asked" length="{begin + STEPS[-1] * STEP + 1}ms" step="{STEP}ms" target="all">'
        f'<OutputFile id="out" fileName="asked.dat">{columns}</OutputFile></Simulation></Lems>'
    )
    with tempfile.TemporaryDirectory() as folder:
        for one in HERE.glob("nml/*"):
            (Path(folder) / one.name).write_bytes(one.read_bytes())
        found = run(jar, text, Path(folder))
    # jLEMS adds up its steps, so that the voltage jumps in the row of `begin` or in the next: a rate of 250 per ms shows it. What is open after the first
    # step at the new voltage is written two rows later
    first = int(np.argmax(found[:, 1] != found[0, 1]))
    at = [first + 2 + n for n in STEPS]
    return {"open": found[at, 2:].T.tolist(), "rest": found[first - 1, 2:].tolist()}


def main() -> None:
    jar = sys.argv[1]
    found = {}
    for file in sorted((HERE / "nml").glob("*.nml")):
        text = file.read_text(encoding="utf-8")
        for tag, channel in re.findall(r'<(ionChannel\w*) id="(\w+)"', text):
            if "<cell " not in text:
                found[f"{file.name}:{channel}"] = held(jar, file, channel, tag == "ionChannelKS")
                print(file.name, channel, found[f"{file.name}:{channel}"]["rest"][:2], flush=True)
    (HERE / "jneuroml.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
