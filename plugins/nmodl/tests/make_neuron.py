"""What NEURON makes of the files in mods/, into neuron.json: currents under voltage clamp, concentrations under currents, spikes.

    python plugins/nmodl/tests/make_neuron.py PYTHON

PYTHON is an interpreter that has NEURON, with nrnivmodl beside it; this one has channelome. Nothing of channelome goes into the numbers:
`worker.py` runs NEURON, and knows nothing else.
"""

import json
import sys
import tempfile
from pathlib import Path

from channelome_nmodl.compare import beside, questions
from channelome_nmodl.load import load_all
from channelome_nmodl.oracle import ask, compiled

HERE = Path(__file__).parent


def main() -> None:
    """Compile, ask and write, file by file: an answer for each class that NEURON is asked about."""
    found = {}
    for path in sorted((HERE / "mods").glob("*.mod")):
        parts = load_all(path)
        with tempfile.TemporaryDirectory() as folder:
            library = compiled(path, Path(folder), sys.argv[1], beside(parts), parts[0].included)
            asked = questions(parts, str(library), parts[0].plan.meaning.file.name)
            found[path.name] = ask([question.job for question in asked], sys.argv[1])
        print(path.name, *(answer.get("error", "done") for answer in found[path.name]))
    lines = [f"{json.dumps(name)}: {json.dumps(answers)}" for name, answers in found.items()]
    (HERE / "neuron.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
