"""Cables of cable_cases.py against NEURON with the same compartments; make_neuron_cables.py wrote the numbers.

First that the numbers are what they should be: NEURON has converged, its compartments are ours, and SciPy gets the same from our compartments
and channels. Then `ch.MultiCompartment` against them.
"""

import functools
import json
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from cable_cases import CELLS, DT, DURATION, LONGEST, RA, SETS, V0, C, away, upward
from reference.cable_by_scipy import FOLDERS, SAMPLES, compartments, given, morphology, solved

import channelome as ch

HERE = Path(__file__).parent
NEURON = json.loads((HERE / "neuron_cables.json").read_text(encoding="utf-8"))
ARRAYS = np.load(HERE / "neuron_cables.npz")
OURS = ("ball_and_stick", "pyramidal")
FOREIGN = pytest.mark.skipif(not FOLDERS, reason="reconstructions that are not ours to ship")
EVERY = [pytest.param(name, marks=() if name in OURS else FOREIGN) for name in CELLS]
ACTIVE, PASSIVE = ("hh", "mixed"), ("passive", "passive, from a dendrite")


def neuron(name: str, kind: str) -> tuple[np.ndarray, list[np.ndarray]]:
    """V at SAMPLES by CVODE, shape (places, samples), and spikes by place."""
    return np.array(ARRAYS[f"{name}/{kind}"], float), [
        np.array(at) for at in NEURON["cases"][f"{name}/{kind}"]["spikes"]
    ]


def measured(name: str, kind: str, how: str) -> dict[str, list[float]]:
    """What NEURON itself is off, run in another way: root mean square of V away from spikes (mV), and spike times (ms), by place."""
    return NEURON["cases"][f"{name}/{kind}"]["neuron"][how]


# ---- the numbers ----


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("name", CELLS)
def test_neuron_itself_has_converged(name: str, kind: str) -> None:
    """A tolerance a hundred times as large moves spikes of the soma by 3e-5 ms at most; another method with steps of 1 us by 5e-4 ms."""
    loose, steps = (measured(name, kind, how) for how in ("cvode 1e-7", "1 us, second order"))
    assert max(loose["rms"]) < 2e-5 and loose["spikes"][0] < 3e-5
    assert max(steps["rms"]) < 2e-3 and steps["spikes"][0] < 5e-4


@pytest.mark.parametrize("name", EVERY)
def test_compartments_are_those_of_neuron(name: str) -> None:
    comps = compartments(name)
    theirs = [section for section, _ in NEURON["cells"][name]]
    sizes = np.cumsum([0, *(count for _, count in NEURON["cells"][name])])
    order = [theirs.index(label) for label in morphology(name).labels]
    np.testing.assert_array_equal(np.diff(comps.first), np.diff(sizes)[order])
    at = np.concatenate([np.arange(sizes[k], sizes[k + 1]) for k in order])
    area = ARRAYS[f"{name}/area"][at]  # coordinates of 600 um in single precision are 6e-5 um off, of pieces of some um
    np.testing.assert_allclose(comps.area, area, rtol=2e-5)
    np.testing.assert_allclose(comps.area.sum(), area.sum(dtype=float), rtol=2e-6)
    np.testing.assert_allclose(comps.distance, ARRAYS[f"{name}/distance"][at], rtol=2e-6, atol=1e-4)


@pytest.mark.parametrize("name", EVERY)
def test_places_are_middles_of_compartments(name: str) -> None:
    comps = compartments(name)
    found = comps.places(", ".join(CELLS[name].places))
    np.testing.assert_allclose(found.x, comps.x[[comps.index(place) for place in CELLS[name].places]], atol=1e-12)


SLOW = pytest.mark.slow
SOLVED = [
    *(pytest.param("ball_and_stick", kind, marks=SLOW if kind == "mixed" else ()) for kind in SETS),
    *(pytest.param("pyramidal", kind, marks=SLOW) for kind in PASSIVE),
]


@pytest.mark.parametrize(("name", "kind"), SOLVED)
def test_scipy_gets_the_same_from_our_compartments_and_channels(name: str, kind: str) -> None:
    V, (theirs, spikes) = solved(name, kind, 1e-7), neuron(name, kind)
    np.testing.assert_allclose(upward(SAMPLES, V[0]), upward(SAMPLES, theirs[0]), atol=1e-4)
    far = away(SAMPLES, np.concatenate(spikes))
    np.testing.assert_allclose(V[:, far], theirs[:, far], rtol=0, atol=2e-3 if kind in ACTIVE else 1e-4)


@pytest.mark.parametrize("name", CELLS)
def test_current_and_record_may_change_places_in_neuron(name: str) -> None:
    there, back = neuron(name, "passive")[0][3], neuron(name, "passive, from a dendrite")[0][0]
    assert np.ptp(there) > 0.05
    np.testing.assert_allclose(there, back, rtol=0, atol=1e-5)


# ---- channelome ----


def part(name: str, mechanism: Any) -> Any:
    """One mechanism as `ch.MultiCompartment` takes it."""
    values = given(mechanism)
    if mechanism.growth:
        g, way = values.pop("g_max")[0], mechanism.growth
        values["g_max"] = ch.by_distance(lambda x: g * jnp.exp(x / way), "mS/cm^2")  # pyright: ignore
    if mechanism.where:
        return ch.on(" | ".join(CELLS[name].region(mechanism.where)), mechanism.name, **values)  # pyright: ignore
    return ch.channel(mechanism.name, **values)


def cable(name: str, kind: str) -> Any:
    mixture = SETS[kind]
    ions = [ch.ion(one.name, **given(one)) for one in mixture.mechanisms if one.label in ("na", "k")]
    parts = {one.label: part(name, one) for one in mixture.mechanisms if one.label not in ("na", "k")}
    return ch.MultiCompartment(  # pyright: ignore
        morphology(name), *ions, **parts, Ra=(RA, "ohm cm"), C=(C, "uF/cm^2"), V=(V0, "mV"), celsius=mixture.celsius,
        discretise=ch.max_length((LONGEST, "um")),
    )  # fmt: skip


@functools.cache
def run(name: str, kind: str, dt: float = DT) -> tuple[np.ndarray, np.ndarray]:
    """Times of all steps and V there, shape (places, steps)."""
    cell, mixture = CELLS[name], SETS[kind]
    current = (cell.current[kind.split(",")[0]], "nA")
    step = ch.step(current, start=(mixture.start, "ms"), stop=(mixture.stop, "ms"))
    stimulus = ch.at(cell.places[mixture.at], step)  # pyright: ignore
    records = [f"{place}.V" for place in cell.places]
    traces = ch.simulate(cable(name, kind), (DURATION, "ms"), dt=(dt, "ms"), stimulus=stimulus, record=records)
    return np.asarray(traces.t, float), np.array([np.ravel(traces[record]) for record in records], float)


def off(name: str, kind: str, dt: float = DT) -> tuple[np.ndarray, float]:
    """Root mean square of V away from spikes by place (mV), and largest difference of the soma's spike times (ms)."""
    (t, V), (theirs, spikes) = run(name, kind, dt), neuron(name, kind)
    mine = np.array([np.interp(SAMPLES, t, trace) for trace in V])
    far = [away(SAMPLES, [*at, *spikes[0]]) for at in spikes]
    rms = [np.sqrt(np.mean((a - b)[there] ** 2)) for a, b, there in zip(mine, theirs, far, strict=True)]
    found = upward(t, V[0])
    assert len(found) == len(spikes[0]), f"{len(found)} spikes, NEURON has {len(spikes[0])}"
    return np.array(rms), float(np.max(np.abs(found - spikes[0]), initial=0.0))


@pytest.mark.parametrize("kind", ACTIVE)
@pytest.mark.parametrize("name", EVERY)
def test_active_cells_are_those_of_neuron(name: str, kind: str) -> None:
    rms, late = off(name, kind)
    assert (rms < 0.1).all() and late < 0.05, (rms, late)


@pytest.mark.parametrize("kind", PASSIVE)
@pytest.mark.parametrize("name", EVERY)
def test_passive_cells_are_those_of_neuron(name: str, kind: str) -> None:
    """Closer than NEURON's own step of the same length."""
    rms, _ = off(name, kind)
    assert (rms < measured(name, kind, f"{DT} ms")["rms"]).all(), rms


@pytest.mark.parametrize("kind", ACTIVE)
@pytest.mark.parametrize("name", OURS)
def test_at_the_same_step_spikes_are_closer_than_neurons(name: str, kind: str) -> None:
    assert off(name, kind)[1] < measured(name, kind, f"{DT} ms")["spikes"][0] / 4


@pytest.mark.parametrize(("name", "kind"), [("ball_and_stick", "hh"), ("pyramidal", "hh"), ("pyramidal", "mixed")])
def test_v_and_spike_times_are_of_second_order(name: str, kind: str) -> None:
    V, late = zip(*(off(name, kind, dt) for dt in (0.025, 0.0125, 0.00625)), strict=True)
    for errors in (np.array([rms[0] for rms in V]), np.array(late)):
        assert (np.log2(errors[:-1] / errors[1:]) > 1.8).all(), errors


@pytest.mark.parametrize("name", EVERY)
def test_current_and_record_may_change_places(name: str) -> None:
    there, back = run(name, "passive")[1][3] - V0, run(name, "passive, from a dendrite")[1][0] - V0
    np.testing.assert_allclose(there, back, rtol=1e-9, atol=1e-12)
