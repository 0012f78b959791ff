"""What NEURON makes of the cells in nml/, as jNeuroML exports them to it: writes neuron.json. Not run by the tests.

    python plugins/neuroml/tests/make_neuron.py jNeuroML-jar-with-dependencies.jar

It needs Java, the jar that pyNeuroML brings (made with jNeuroML 0.14.0), NEURON (9.0.2) in the Python that runs it, and a C++ compiler. NEURON's
variable step is used, with an absolute tolerance of 1e-8.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
TIMES = [0.5 * i for i in range(120)]
GIVEN = '<channelDensityGHK id="caDend" ionChannel="cadend" permeability="2e-5 cm_per_s" ion="ca" segmentGroup="dendrite_group"/>'
"""A density of driven.cell.nml, and what stands in its place in other cells."""
VARIED = """<{kind} id="caDend" ionChannel="cadend" ion="ca"> <variableParameter parameter="{what}" segmentGroup="dendrite_group">
<inhomogeneousValue inhomogeneousParameter="way" value="{value}"/> </variableParameter> </{kind}>"""
DENSITIES = {
    "varied": VARIED.format(kind="channelDensityNonUniformNernst", what="condDensity", value="4 * exp(-p / 60)"),
    "permeated": VARIED.format(kind="channelDensityNonUniformGHK", what="permeability", value="6e-7 * exp(-p / 60)"),
}
CELLS = {
    "ball": ["soma(0.5)._ref_v"],
    "branched": ["soma_0(0.5)._ref_v", "dend_2(0.5)._ref_v", "soma_0(0.5)._ref_cai"],
    "driven": ["soma_0(0.5)._ref_v", "dend_0(0.5)._ref_v", "soma_0(0.5)._ref_cai", "dend_0(0.5)._ref_cai"],
    "varied": ["soma_0(0.5)._ref_v", "dend_0(0.5)._ref_v", "soma_0(0.5)._ref_cai", "dend_0(0.5)._ref_cai"],
    "permeated": ["soma_0(0.5)._ref_v", "dend_0(0.5)._ref_v", "soma_0(0.5)._ref_cai", "dend_0(0.5)._ref_cai"],
}
"""What is recorded of each cell, as NEURON calls it: mV and mM."""
LEMS = (
    '<Lems><Target component="sim"/><Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>'
    '<Include file="{cell}.cell.nml"/><Simulation id="sim" length="60ms" step="0.01ms" target="net"/></Lems>'
)
ASKED = """
import json, sys
sys.path.insert(0, ".")
import LEMS_{cell}_nrn as made
from neuron import h
simulation = made.NeuronSimulation({last}, 0.01)
h.CVode().active(1)
h.CVode().atol(1e-8)
h.CVode().maxstep(0.02)
cell = h.a_pop[0]
wanted = h.Vector({times})
kept = []
for what in {columns}:
    place, _, name = what.rpartition(".")
    section, _, x = place.rpartition("(")
    reference = getattr(getattr(cell, section)(float(x[:-1])), name)
    vector = h.Vector()
    vector.record(reference, wanted)
    kept.append(vector)
h.finitialize()
h.continuerun({last})
json.dump([[float(x) for x in vector] for vector in kept], open("asked.json", "w"))
"""


def main() -> None:
    jar, found = sys.argv[1], {}
    for cell, columns in CELLS.items():
        with tempfile.TemporaryDirectory() as folder:
            for one in HERE.glob("nml/*"):
                (Path(folder) / one.name).write_bytes(one.read_bytes())
            for name, density in DENSITIES.items():
                text = (HERE / "nml/driven.cell.nml").read_text(encoding="utf-8").replace(GIVEN, density)
                text = text.replace('"driven"', f'"{name}"').replace("pop/0/driven", f"pop/0/{name}")
                (Path(folder) / f"{name}.cell.nml").write_text(text, encoding="utf-8")
            (Path(folder) / f"LEMS_{cell}.xml").write_text(LEMS.format(cell=cell), encoding="utf-8")
            script = ASKED.format(cell=cell, columns=columns, times=TIMES, last=TIMES[-1])
            (Path(folder) / "asked.py").write_text(script, encoding="utf-8")
            nrnivmodl = str(Path(sys.executable).with_name("nrnivmodl"))
            for command in (
                ["java", "-jar", jar, f"LEMS_{cell}.xml", "-neuron", "-nogui"], [nrnivmodl, "."], [sys.executable, "asked.py"],
            ):  # fmt: skip
                done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
                if done.returncode:
                    raise SystemExit(done.stdout[-3000:] + done.stderr[-3000:])
            rows = json.loads((Path(folder) / "asked.json").read_text(encoding="utf-8"))
        found[cell] = {what: [float(f"{x:.10g}") for x in row] for what, row in zip(columns, rows, strict=True)}
        print(cell, {what: row[::20] for what, row in found[cell].items()}, flush=True)
    (HERE / "neuron.json").write_text(
        json.dumps({"t": TIMES, "given": GIVEN, "densities": DENSITIES, **found}) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
