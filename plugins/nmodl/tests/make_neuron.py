"""Currents of the files in mods/ under voltage clamp by NEURON, into neuron.json.

    python plugins/nmodl/tests/make_neuron.py PYTHON

PYTHON is an interpreter that has NEURON, with nrnivmodl beside it; this one has channelome. Nothing of channelome goes into the numbers:
`worker.py` runs NEURON, and knows nothing else.
"""

import json
import sys
import tempfile
from pathlib import Path

from channelome_nmodl.compare import ask, compiled, job_of
from channelome_nmodl.load import load

HERE = Path(__file__).parent


def main() -> None:
    """Compile, ask and write, file by file."""
    found = {}
    for path in sorted((HERE / "mods").glob("*.mod")):
        with tempfile.TemporaryDirectory() as folder:
            library = compiled(path, Path(folder), sys.argv[1])
            (answer,) = ask([job_of(load(path), str(library), load(path).plan.meaning.name)], sys.argv[1])
        found[path.name] = answer
        print(path.name, answer.get("error", "done"))
    lines = [f"{json.dumps(name)}: {json.dumps(answer)}" for name, answer in found.items()]
    (HERE / "neuron.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
