"""Calcium along a branched cell and in its rings, with a buffer, against NEURON with the same compartments; make_neuron_diffusion.py wrote its numbers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cable.test_diffusion import Influx

import channelome as ch

TOLD = json.loads((Path(__file__).parent / "neuron_diffusion.json").read_text(encoding="utf-8"))
SET = TOLD["set"]


def calcium(what: str) -> Any:
    given = TOLD[what]
    D = (given["D"], "um^2/ms")
    if what == "layer":
        return ch.ion("CalciumDetailed", D=D, d=(given["d"], "um"), tau=(given["tau"], "ms"))
    buffer = {"B": (given["B"], "mM"), "k_on": (given["kon"], "1/(mM*ms)"), "k_off": (given["koff"], "1/ms")}
    return ch.ion("CalciumShells", shells=4, D=D, **buffer)


def cell(which: str, what: str, length: float) -> ch.MultiCompartment:
    rows = []
    for kind, long, diameter, parent in TOLD["cells"][which]["branches"]:
        points = [[0.0, 0.0, 0.0, diameter], [long, 0.0, 0.0, diameter]]
        rows.append({"type": kind, "points": points, **({} if parent is None else {"parent": parent, "at": 1.0})})
    return ch.MultiCompartment(
        ch.Morphology.from_table({"unit": "um", "branches": rows}),
        ca=calcium(what),
        ICa=ch.on("dend[0]", Influx, g_max=(SET["g"], "mS/cm^2"), E=(SET["from"], "mV")),
        IL=ch.channel("IL", g_max=(SET["leak"], "mS/cm^2"), E=(SET["E"], "mV")),
        Ra=(SET["Ra"], "ohm cm"), C=(SET["C"], "uF/cm^2"), V=(SET["V"], "mV"), celsius=SET["celsius"],
        discretise=ch.max_length((length, "um")),
    )  # fmt: skip


def differences(which: str, what: str, length: float) -> dict[str, float]:
    """By what is recorded, the largest difference at any place and time."""
    branches, values = TOLD["cells"][which]["branches"], TOLD["cells"][which][what]["values"]
    places = []
    for branch, x in TOLD["cells"][which]["places"]:
        kind = branches[branch][0]
        places.append(f"{kind}[{sum(row[0] == kind for row in branches[:branch])}]({x})")
    asked = {name: [f"{at}.{name if name == 'V' else f'ca.{name}'}" for at in places] for name in values}
    run = ch.simulate(
        cell(which, what, length), (SET["duration"], "ms"), dt="0.025 ms", every=round(SET["every"] / 0.025),
        stimulus=ch.at("soma(0.25)", ch.step((SET["current"], "nA"))), record=[x for each in asked.values() for x in each],
    )  # fmt: skip
    found = {name: np.array([run[record] for record in records]) for name, records in asked.items()}
    return {name: float(np.abs(found[name] - np.array(values[name])).max()) for name in values}


@pytest.mark.parametrize("what", ["layer", "rings"])
def test_on_a_cable_calcium_is_where_neuron_has_it(what: str) -> None:
    """At 0.025 ms within a fiftieth of what NEURON is off at that step."""
    told = TOLD["cells"]["cable"][what]
    for name, off in differences("cable", what, SET["length"]).items():
        assert off < 0.02 * told["error of 25 us"][name], (name, off)
        assert np.ptp(told["values"][name]) > 20 * told["error of 25 us"][name]


@pytest.mark.parametrize("what", ["layer", "rings"])
def test_on_a_tree_it_is_where_neuron_has_it_in_27_times_as_many_compartments(what: str) -> None:
    told = TOLD["cells"]["tree"][what]["values"]
    off = {length: differences("tree", what, length) for length in (SET["length"], SET["length"] / 3)}
    for name in told:
        coarse, fine = (each[name] / np.ptp(told[name]) for each in off.values())
        assert coarse < 0.06 and fine < 0.012 and fine < coarse / 3, (name, coarse, fine)
