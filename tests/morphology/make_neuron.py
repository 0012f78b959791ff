"""The cells of this folder as NEURON has them: writes neuron.json beside itself, with an interpreter that has NEURON.

    python tests/morphology/make_neuron.py [FILE ...]

Each file goes through NEURON's Import3d. Of every section: name, parent, place on it, length, number of points and the diameter of the
first. With three segments a section: area, volume, distance from the middle of the soma, and the transfer resistance from there at 0 Hz
with 0.1 mS/cm^2 and 100 ohm cm, which every axial resistance has a part in. And how many segments ``lambda_f`` asks for.
"""

import json
import sys
from pathlib import Path

import neuron
from neuron import h

h.load_file("import3d.hoc")
h.load_file("stdlib.hoc")
HERE = Path(__file__).parent
NSEG, RA, CM, LEAK = 3, 100.0, 1.0, 1e-4


def read(path: Path) -> None:
    reader = h.Import3d_Neurolucida3() if path.suffix == ".asc" else h.Import3d_SWC_read()
    reader.quiet = 1
    reader.input(str(path))
    h.Import3d_GUI(reader, 0).instantiate(None)


def name(section) -> str:
    return section.name() if "[" in section.name() else f"{section.name()}[0]"


def described(section) -> dict:
    above = section.parentseg()
    return {
        "name": name(section),
        "parent": name(above.sec) if above else None,
        "x": above.x if above else None,
        "L": section.L,
        "points": section.n3d(),
        "first_diameter": section.diam3d(0),
        "d_lambda": int((section.L / (0.1 * h.lambda_f(100, sec=section)) + 0.9) / 2) * 2 + 1,
    }


def cell(path: Path) -> dict:
    for section in h.allsec():
        h.delete_section(sec=section)
    read(path)
    sections = list(h.allsec())
    for section in sections:
        section.nseg, section.Ra, section.cm = NSEG, RA, CM
        section.insert("pas")
        for segment in section:
            segment.pas.g, segment.pas.e = LEAK, -65.0
    somata = [s for s in sections if name(s).startswith("soma")]
    root = next(s for s in sections if s.parentseg() is None)
    origin = somata[0](0.5) if somata else root(0)
    h.finitialize(-65)
    impedance = h.Impedance()
    inject = origin if somata else root(0.5)
    impedance.loc(inject.x, sec=inject.sec)
    impedance.compute(0)
    segments = [segment for section in sections for segment in section]
    return {
        "sections": [described(section) for section in sections],
        "area": [segment.area() for segment in segments],
        "volume": [segment.volume() for segment in segments],
        "distance": [h.distance(origin, segment) for segment in segments],
        "transfer": [impedance.transfer(segment.x, sec=segment.sec) for segment in segments],
    }


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list) else value


if __name__ == "__main__":
    paths = [Path(word) for word in sys.argv[1:]] or sorted(
        [*(HERE / "cells").glob("*.swc"), *(HERE / "cells").glob("*.asc")]
    )
    found = {path.name: rounded(cell(path)) for path in paths}
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in found.items())
    out = Path("neuron_other.json") if sys.argv[1:] else HERE / "neuron.json"
    out.write_text(f'{{"by": "NEURON {neuron.__version__}",\n{lines}}}\n', encoding="utf-8")
