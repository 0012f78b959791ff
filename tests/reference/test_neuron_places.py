"""Gap junctions between places, and clamps at a place, against NEURON; make_neuron_places.py wrote the numbers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cable_cases import BALL_AND_STICK, LONGEST

import channelome as ch

NEURON = json.loads(Path(__file__).with_name("neuron_places.json").read_text(encoding="utf-8"))
TIMES = np.array(NEURON["times"])
SQUID = {
    "INa": ch.channel("INa_HH1952", g_max="120 mS/cm^2"), "IK": ch.channel("IK_HH1952", g_max="36 mS/cm^2"),
    "IL": ch.channel("IL", g_max="0.3 mS/cm^2", E="-54.387 mV"), "celsius": 6.3,
}  # fmt: skip
IONS = (ch.ion("SodiumFixed", E="50 mV"), ch.ion("PotassiumFixed", E="-77 mV"))


def axon(**given: Any) -> ch.MultiCompartment:
    um = {name: (value, "um") for name, value in BALL_AND_STICK.items()}
    stick = ch.Morphology.ball_and_stick(soma=um["soma"], length=um["length"], diameter=um["diameter"])
    return ch.MultiCompartment(stick, *IONS, **SQUID, discretise=ch.max_length((LONGEST, "um")), **given)


def joined(dt: float) -> np.ndarray:
    """By how much V at each place, mV, differs from NEURON's at each time."""
    g = {name: (1e3 * value, "nS") for name, value in NEURON["junctions"].items()}
    net = ch.Network(
        a=axon(size=1), b=axon(size=1), p=ch.SingleCompartment(1, *IONS, area="1000 um^2", **SQUID),
        ab=ch.Projection("a.dend[0](0.5)", "b.dend[0](0.98)", "GapJunction", ch.one_to_one(), weight=g["dendrites"]),
        bp=ch.Projection("b.soma[0](0.5)", "p", "GapJunction", ch.one_to_one(), weight=g["point"]),
    )  # fmt: skip
    names = [f"{place}.V" for place in NEURON["places"]]
    into = {"a": ch.at("soma", ch.step("0.5 nA", start="1 ms"))}
    run = ch.simulate(net, "25 ms", dt=(dt, "ms"), stimulus=into, record=names)
    at = np.rint(TIMES / dt).astype(int)
    return np.array([run[name][at, 0] for name in names]) - NEURON["joined"]["1e-09"]


def clamped(kind: str, dt: float) -> np.ndarray:
    """By how much V at each place, mV, and the electrode's current, nA, differ from NEURON's without a resistance, at each time.

    That is where the two resistances lead to, of which one is a tenth of the other.
    """
    if kind == "levels":
        epochs: Any = [((V, "mV"), (ms, "ms")) for V, ms in zip(NEURON["levels"], NEURON["durations"], strict=True)]
    else:
        t, V = NEURON["trace"]
        epochs = [((a, "mV"), (b, "mV"), (ms, "ms")) for a, b, ms in zip(V, V[1:], np.diff(t), strict=False)]
    names = [*(f"{place}.V" for place in NEURON["held"]), "clamp.current"]
    clamp = ch.at("dend[0](0.5)", ch.voltage_clamp(ch.command("-65 mV", *epochs)))
    run = ch.simulate(axon(), "25 ms", dt=(dt, "ms"), stimulus=clamp, record=names)
    more, less = (np.array(NEURON["clamped"][f"{kind}, {R} Mohm, 1e-09"]) for R in (0.001, 0.0001))
    at = np.rint(TIMES / dt).astype(int)
    return np.array([run[name][at] for name in names]) - (less + (less - more) / 9)


def test_neuron_itself_has_converged() -> None:
    loose, tight = (np.array(NEURON["joined"][tolerance]) for tolerance in ("1e-07", "1e-09"))
    np.testing.assert_allclose(loose, tight, rtol=0, atol=2e-4)
    assert np.all(tight.max(1) > 30)  # spikes reach all places


def test_cells_joined_at_their_dendrites_and_to_a_point_are_those_of_neuron() -> None:
    errors = np.array([np.abs(joined(dt)).max() for dt in (0.0125, 0.00625, 0.003125)])
    np.testing.assert_allclose(errors[:-1] / errors[1:], 4, atol=0.4)
    assert errors[-1] < 0.02, errors  # mV, on the flanks of spikes too


@pytest.mark.parametrize("kind", ["levels", "trace"])
def test_neuron_under_a_clamp_has_converged_and_is_nearly_ideal(kind: str) -> None:
    loose, tight, more = (np.array(NEURON["clamped"][f"{kind}, {case}"]) for case in
                          ("0.0001 Mohm, 1e-07", "0.0001 Mohm, 1e-09", "0.001 Mohm, 1e-09"))  # fmt: skip
    np.testing.assert_allclose(loose, tight, rtol=0, atol=1e-4)
    np.testing.assert_allclose(more, tight, rtol=0, atol=8e-3)
    assert tight[0].max() > 30  # a spike runs away from what is held


@pytest.mark.parametrize("kind", ["levels", "trace"])
def test_a_dendrite_that_is_held_is_that_of_neuron(kind: str) -> None:
    """Measured at 0.00625 ms: 0.019 mV and 0.0016 nA under levels, 0.030 mV and 0.0012 nA along the trace."""
    errors = np.array(
        [[np.abs(x[:-1]).max(), np.abs(x[-1]).max()] for x in (clamped(kind, dt) for dt in (0.025, 0.00625))]
    )
    assert np.all(errors[0] / errors[1] > 11), errors  # 16 of second order
    assert errors[1][0] < 0.035 and errors[1][1] < 0.002, errors
