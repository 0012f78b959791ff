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
    given = TOLD[what]["given"]
    D = (given["D"], "um^2/ms")
    if what == "layer":
        return ch.ion("CalciumDetailed", D=D, d=(given["d"], "um"), tau=(given["tau"], "ms"))
    return ch.ion(
        "CalciumShells",
        shells=4,
        D=D,
        B=(given["B"], "mM"),
        k_on=(given["kon"], "1/(mM*ms)"),
        k_off=(given["koff"], "1/ms"),
    )


def cell(what: str) -> ch.MultiCompartment:
    rows, start = [], 0.0
    for kind, length, diameter, parent in TOLD["branches"]:
        points = [[start, 0.0, 0.0, diameter], [start + length, 0.0, 0.0, diameter]]
        rows.append({"type": kind, "points": points, **({} if parent is None else {"parent": parent, "at": 1.0})})
        start += length
    return ch.MultiCompartment(
        ch.Morphology.from_table({"unit": "um", "branches": rows}),
        ca=calcium(what),
        ICa=ch.on("dend[0]", Influx, g_max=(SET["g"], "mS/cm^2"), E=(SET["from"], "mV")),
        IL=ch.channel("IL", g_max=(SET["leak"], "mS/cm^2"), E=(SET["E"], "mV")),
        Ra=(SET["Ra"], "ohm cm"), C=(SET["C"], "uF/cm^2"), V=(SET["V"], "mV"), celsius=SET["celsius"],
        discretise=ch.max_length((SET["length"], "um")),
    )  # fmt: skip


def place(branch: int, x: float) -> str:
    kind = TOLD["branches"][branch][0]
    return f"{kind}[{sum(row[0] == kind for row in TOLD['branches'][:branch])}]({x})"


@pytest.mark.parametrize("what", ["layer", "rings"])
def test_calcium_is_where_neuron_has_it(what: str) -> None:
    """At 0.025 ms within a hundredth of what NEURON's own step of that length is off, and within what its extrapolation is worth of V."""
    values = TOLD[what]["values"]
    asked = {
        name: [f"{place(*at)}.{name if name == 'V' else f'ca.{name}'}" for at in TOLD["places"]] for name in values
    }
    run = ch.simulate(
        cell(what), (SET["duration"], "ms"), dt="0.025 ms", every=round(SET["every"] / 0.025),
        stimulus=ch.at("soma(0.25)", ch.step((SET["current"], "nA"))), record=sum(asked.values(), []),
    )  # fmt: skip
    for name, records in asked.items():
        found, theirs = np.array([run[record] for record in records]), np.array(values[name])
        off = np.abs(found - theirs).max()
        assert off < 0.02 * TOLD[what]["error of 25 us"][name], (name, off)
        assert np.ptp(theirs) > 50 * TOLD[what]["error of 25 us"][name]
