"""What jLEMS makes of channels, concentration models and synapses in nml/: writes commanded.json, fed.json and spiked.json. Not run by the tests.

    .venv/bin/python plugins/neuroml/tests/make_commanded.py PYTHON

PYTHON is an interpreter that has pyNeuroML (1.3.22, with jNeuroML 0.14.0); it needs Java. Channels follow jumps back and forth, a ramp and an action
potential: of 2,600 rows every 50th is kept. Concentrations follow currents: of 6,000 rows every 100th is kept. Of synapses it is the limit of steps of no length.
"""

import json
import sys
from pathlib import Path

from channelome_neuroml import fed, spiked
from channelome_neuroml.compare import BEGIN, COMMANDS, SPANS, STEP
from channelome_neuroml.document import Document
from channelome_neuroml.jlems import ask
from channelome_neuroml.load import outcomes

HERE = Path(__file__).parent
CHANNELS = ["kv.channel.nml:kv", "gates.nml:mixed", "own.nml:lazy", "schemes.nml:two", "schemes.nml:chain"]


def commanded() -> dict[str, list[list[float]]]:
    found = {}
    for key in CHANNELS:
        file, _, id = key.partition(":")
        answer = ask(Document(HERE / "nml" / file).texts, id, COMMANDS, sys.argv[1], BEGIN, STEP, SPANS)
        found[key] = answer.opened[1::50].tolist()
    return found


def each(file: str, bench: object, every: int) -> dict[str, list[list[float]]]:
    """What jLEMS makes of each component of a file on the bench of a module."""
    document = Document(HERE / "nml" / file)
    names = [one.element.id for one in outcomes(document)]
    return {name: bench.ask(document.texts, name, sys.argv[1])[0][::every].tolist() for name in names}


def main() -> None:
    made = {"commanded": commanded(), "fed": each("pools.nml", fed, 100), "spiked": each("synapses.nml", spiked, 1)}
    for name, found in made.items():
        (HERE / f"{name}.json").write_text(json.dumps(found) + "\n", encoding="utf-8")
        print({key: rows[-1] for key, rows in found.items()}, flush=True)


if __name__ == "__main__":
    main()
