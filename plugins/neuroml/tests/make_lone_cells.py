"""What jLEMS makes of the cells of one segment in nml/shifts.cell.nml: writes lone_cells.json. Not run by the tests.

    python plugins/neuroml/tests/make_lone_cells.py jNeuroML-jar-with-dependencies.jar

It needs Java and the jar that pyNeuroML brings (made with jNeuroML 0.14.0). jLEMS takes explicit Euler steps of 0.001 ms; mV every 2 ms are kept.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
STEP, LAST, EVERY = 0.001, 40, 2000


def main() -> None:
    file = HERE / "nml/shifts.cell.nml"
    cells = re.findall(r'<cell id="(\w+)"', file.read_text(encoding="utf-8"))
    columns = "".join(f'<OutputColumn id="{one}" quantity="{one}_pop[0]/v"/>' for one in cells)
    known = "".join(f'<Include file="{name}"/>' for name in ("Cells.xml", "Networks.xml", "Simulation.xml", file.name))
    text = (
        f'<Lems><Target component="asked"/>{known}<Simulation id="asked" length="{LAST}ms" step="{STEP}ms" target="net">'
        f'<OutputFile id="out" fileName="asked.dat">{columns}</OutputFile></Simulation></Lems>'
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / file.name).write_bytes(file.read_bytes())
        (Path(folder) / "LEMS_asked.xml").write_text(text, encoding="utf-8")
        command = ["java", "-jar", sys.argv[1], "LEMS_asked.xml", "-nogui"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if not (Path(folder) / "asked.dat").exists():
            raise SystemExit(done.stdout[-3000:] + done.stderr[-3000:])
        rows = np.loadtxt(Path(folder) / "asked.dat")[::EVERY]
    found = {one: [float(f"{1e3 * v:.8g}") for v in rows[:, i + 1]] for i, one in enumerate(cells)}
    (HERE / "lone_cells.json").write_text(
        json.dumps({"t": (1e3 * rows[:, 0]).round(6).tolist(), **found}) + "\n", encoding="utf-8"
    )
    print({one: row[-1] for one, row in found.items()})


if __name__ == "__main__":
    main()
