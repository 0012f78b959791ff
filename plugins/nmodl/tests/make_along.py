"""What NEURON makes of calcium that diffuses along a cylinder, free and with a mobile buffer, into along.json.

    python plugins/nmodl/tests/make_along.py PYTHON

PYTHON is an interpreter that has NEURON, with nrnivmodl beside it; this one has channelome. NEURON's variable-step solver, at tight tolerances; its fixed
steps of 0.02 to 0.0025 ms, taken to the limit, agree with it to 3e-9.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from channelome_nmodl.oracle import compiled

HERE = Path(__file__).parent
DRIVER = "NEURON { SUFFIX drive USEION ca WRITE ica RANGE amp }\nPARAMETER { amp = 0 (mA/cm2) }\nASSIGNED { ica (mA/cm2) }\nBREAKPOINT { ica = amp }\n"
ASKED = """
import json, sys
from neuron import h
h.nrn_load_dll(sys.argv[1])
cable = h.Section(name="cable")
cable.L, cable.diam, cable.nseg, cable.cm = 27, 2, 9, 1e9
cable.insert("shells")
cable.insert("drive")
for i, segment in enumerate(cable):
    segment.drive.amp = -0.01 if i < 3 else 0
h.celsius = 20
solver = h.CVode()
solver.active(True)
solver.atol(1e-11)
solver.rtol(1e-9)
h.finitialize(-65)
found = []
for time in (0.5, 2, 5, 20):
    solver.solve(time)
    found.append([segment.cai for segment in cable])
print("answer", json.dumps(found))
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        library = compiled(HERE / "mods/shells.mod", Path(folder), sys.argv[1], DRIVER)
        said = subprocess.run(
            [sys.argv[1], "-c", ASKED, str(library)], text=True, capture_output=True, check=True
        ).stdout
    (HERE / "along.json").write_text(said[said.index("answer") + 7 :], encoding="utf-8")


if __name__ == "__main__":
    main()
