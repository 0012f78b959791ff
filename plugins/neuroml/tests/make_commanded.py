"""What jLEMS makes of channels in nml/ under jumps back and forth, a ramp and an action potential: writes commanded.json. Not run by the tests.

    .venv/bin/python plugins/neuroml/tests/make_commanded.py PYTHON

PYTHON is an interpreter that has pyNeuroML (1.3.22, with jNeuroML 0.14.0); it needs Java. Of 2,600 rows every 50th is kept.
"""

import json
import sys
from pathlib import Path

from channelome_neuroml.compare import BEGIN, COMMANDS, SPANS, STEP
from channelome_neuroml.document import Document
from channelome_neuroml.jlems import ask

HERE = Path(__file__).parent
CHANNELS = ["kv.channel.nml:kv", "gates.nml:mixed", "own.nml:lazy", "schemes.nml:two", "schemes.nml:chain"]


def main() -> None:
    found = {}
    for key in CHANNELS:
        file, _, id = key.partition(":")
        answer = ask(Document(HERE / "nml" / file).texts, id, COMMANDS, sys.argv[1], BEGIN, STEP, SPANS)
        found[key] = answer.opened[1::50].tolist()
        print(key, found[key][10], flush=True)
    (HERE / "commanded.json").write_text(json.dumps(found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
