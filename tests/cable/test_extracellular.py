"""Membrane currents against what channels and capacity say, potentials against integrals over point sources and against far fields."""

import sys

import jax
import numpy as np
import pytest

import channelome as ch

AREA = 1e-5
"""From uA/cm^2 over 1 um^2 to nA."""


def passive(**given) -> ch.MultiCompartment:
    return ch.MultiCompartment(
        ch.Morphology.example(), IL=ch.channel("IL", g_max="0.1 mS/cm^2", E="-65 mV"), V="-65 mV", **given
    )


CELL = passive(Ra="150 ohm*cm")
COMPS = CELL.compartments
SOMA = COMPS.index("soma")


@pytest.fixture(scope="module")
def traces() -> ch.Traces:
    stimulus = ch.at("soma", ch.step("0.3 nA", start="1 ms"))
    return ch.simulate(CELL, "4 ms", dt="0.01 ms", stimulus=stimulus)


def test_what_leaves_through_the_membrane_is_capacity_channels_and_the_electrode(traces: ch.Traces):
    """What flows in along the branches, measured by what it does: C dV/dt by central differences, and the leak."""
    V, t = np.asarray(traces["V"], float), np.asarray(traces.t, float)
    slope = (V[2:] - V[:-2]) / (t[2:] - t[:-2])[:, None]
    expected = COMPS.area * AREA * (slope + 0.1 * (V[1:-1] + 65))
    expected[:, SOMA] -= 0.3
    late = slice(150, None)  # away from the edge of the step, which has no central difference
    currents = ch.membrane_currents(CELL, V)[1:-1]
    np.testing.assert_allclose(currents[late], expected[late], atol=2e-4 * np.abs(expected[late]).max())


def test_membrane_currents_sum_to_zero(traces: ch.Traces):
    currents = ch.membrane_currents(CELL, traces["V"])
    assert np.abs(currents).max() > 0.1
    np.testing.assert_allclose(currents.sum(axis=-1), 0.0, atol=1e-9)


def test_each_cell_of_a_population_has_its_own_resistance(traces: ch.Traces):
    V = np.asarray(traces["V"], float)
    two = passive(size=2, Ra=(np.array([[150.0], [300.0]]), "ohm*cm"))
    one, other = np.moveaxis(ch.membrane_currents(two, np.stack([V, V], axis=1)), 1, 0)
    np.testing.assert_allclose(one, ch.membrane_currents(CELL, V), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(other, one / 2, rtol=1e-9, atol=1e-12)


POSITIONS = np.array([[60.0, 10.0, 5.0], [-40.0, 200.0, 30.0], [0.0, -300.0, 0.0], [30.0, 550.0, -20.0]])


def test_the_potential_of_points_is_that_of_the_closed_form(traces: ch.Traces):
    found = ch.extracellular(CELL, traces, positions=(POSITIONS, "um"), sigma="0.25 S/m", source="point")
    at, half = COMPS.anatomy.frusta.at, 0.5 / np.diff(COMPS.first)[COMPS.branch]
    middle = (at(COMPS.branch, COMPS.x - half).xyz + at(COMPS.branch, COMPS.x + half).xyz) / 2
    away = np.linalg.norm(POSITIONS[:, None] - middle, axis=-1) * 1e-6  # m
    assert (away * 1e6 > COMPS.diameter).all()
    I = ch.membrane_currents(CELL, traces["V"]) * 1e-9  # A
    np.testing.assert_allclose(found, 1e3 * I @ (1 / (4 * np.pi * 0.25 * away)).T, rtol=1e-9, atol=1e-15)


def test_the_potential_of_lines_is_the_integral_over_points_between_their_ends():
    """Of straight branches, whose compartments lie on the lines; by the rule of Gauss and Legendre."""
    stick = ch.MultiCompartment(
        ch.Morphology.soma("20 um", length="30 um").branch("dend", length="300 um", diameter="2 um"),
        IL=ch.channel("IL", g_max="0.1 mS/cm^2", E="-65 mV"),
        discretise=ch.max_length("40 um"),
    )
    run = ch.simulate(stick, "3 ms", dt="0.05 ms", stimulus=ch.at("soma", ch.step("0.3 nA")))
    where, comps = np.array([[50.0, 40.0, 30.0], [100.0, -60.0, 25.0]]), stick.compartments
    found = ch.extracellular(stick, run, positions=(where, "um"))
    nodes, weights = np.polynomial.legendre.leggauss(60)
    I = ch.membrane_currents(stick, run["V"])
    counts = np.diff(comps.first)[comps.branch]
    expected = np.zeros_like(found)
    for node, weight in zip(nodes, weights, strict=True):
        at = comps.anatomy.frusta.at(comps.branch, comps.x + 0.5 * node / counts).xyz
        away = np.linalg.norm(where[:, None] - at, axis=-1)
        expected += 0.5 * weight * I @ (1 / (4 * np.pi * 0.3 * away)).T
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-12)


def test_far_away_a_cell_is_a_dipole(traces: ch.Traces):
    """No charge is left, so that the potential falls with the square of the distance, as p cos / (4 pi sigma r^2)."""
    far = np.array([0.0, 1.0, 0.0]) * np.array([[2e5], [4e5]])  # um
    potential = ch.extracellular(CELL, traces, positions=(far, "um"))[-1]
    assert potential[0] / potential[1] == pytest.approx(4.0, rel=0.02)
    moment = ch.membrane_currents(CELL, traces["V"])[-1] @ COMPS.xyz[:, 1]  # nA um
    assert potential[1] == pytest.approx(moment / (4 * np.pi * 0.3 * 4e5**2), rel=0.02)


def test_what_cannot_be_says_why(traces: ch.Traces):
    at = ([[50.0, 0.0, 0.0]], "um")
    soma = ch.simulate(CELL, "1 ms", dt="0.1 ms", record=["soma.V"])
    with pytest.raises(ch.UnknownName, match=r"'V' was not recorded"):
        ch.extracellular(CELL, soma, positions=at)
    with pytest.raises(ch.ModelError, match=r"positions are of shape \(p, 3\), .*these have the shape \(3,\)"):
        ch.extracellular(CELL, traces, positions=([50.0, 0.0, 0.0], "um"))
    with pytest.raises(ch.UnitError, match="positions"):
        ch.extracellular(CELL, traces, positions=[[50.0, 0.0, 0.0]])
    with pytest.raises(ch.ModelError, match=r"sigma must be positive, got '0 S/m'"):
        ch.extracellular(CELL, traces, positions=at, sigma="0 S/m")
    with pytest.raises(ch.ModelError, match=r"source='disc' is none: 'line' or 'point'"):
        ch.extracellular(CELL, traces, positions=at, source="disc")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ch.ModelError, match=r"V has the shape \(5, 7\), and \(samples, \d+\) is needed"):
        ch.membrane_currents(CELL, np.zeros((5, 7)))
    with pytest.raises(ch.ModelError, match=r"sigma must be positive, got .*: one number"):
        ch.extracellular(CELL, traces, positions=at, sigma=([0.3, 0.4], "S/m"))
    with pytest.raises(ch.ModelError, match=r"of a MultiCompartment; a SingleCompartment has none"):
        ch.membrane_currents(ch.SingleCompartment(1, IL="IL"), np.zeros((5, 1)))  # pyright: ignore[reportArgumentType]
    with pytest.raises(ch.ModelError, match="outside jit, vmap and grad"):
        jax.jit(lambda V: ch.membrane_currents(CELL, V))(traces["V"])


def test_without_the_extra_its_name_is_told(traces: ch.Traces, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "lfpykit", None)
    with pytest.raises(ImportError, match=r"pip install \"channelome\[lfp\]\""):
        ch.extracellular(CELL, traces, positions=([[50.0, 0.0, 0.0]], "um"))
