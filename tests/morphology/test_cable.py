"""Compartments as electrical trees against cable theory: Rall's closed forms, to second order in the length of compartments."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import channelome as ch
from channelome.morphology import Compartments

RA, G = 150.0, 0.05
"""ohm cm, mS/cm^2."""


def input_resistance(comps: Compartments, at: int) -> float:
    """Mohm, with a leak of G everywhere, from a dense solution of the tree's equations."""
    m = len(comps.parent)
    matrix = np.zeros((m, m))
    for i, (p, R) in enumerate(zip(comps.parent, comps.axial_resistance(RA), strict=True)):
        if p >= 0:
            matrix[[i, p], [i, p]] += 1 / R
            matrix[[i, p], [p, i]] -= 1 / R
    inside = np.arange(len(comps))
    matrix[inside, inside] += comps.area * G * 1e-5  # uS
    current = np.zeros(m)
    current[at] = 1.0
    return float(np.linalg.solve(matrix, current)[at])


def length_constant(diameter: float) -> float:
    """um."""
    return float(np.sqrt(diameter * 1e-4 / (4 * RA * G * 1e-3)) * 1e4)


def infinite(diameter: float) -> float:
    """Input resistance of a cable without end, Mohm."""
    r = RA / (np.pi * (diameter * 1e-4) ** 2 / 4)  # ohm/cm
    return r * length_constant(diameter) * 1e-4 * 1e-6


def rate(values: list[float], exact: float) -> float:
    """The order at which values approach the exact one, each with half the compartments' length of the one before."""
    errors = np.abs(np.array(values) - exact)
    return float(np.log2(errors[-2] / errors[-1]))


def at_soma(morph: ch.Morphology, n: int) -> float:
    """Input resistance at the soma of `bare`, which has next to no membrane of its own, so that it is that of the cable."""
    return input_resistance(morph.discretise(ch.per_branch(n, soma=1)), 0)


def bare(diameter: float, length: float) -> ch.Morphology:
    return ch.Morphology.soma("0.001 um").branch("dend", length=(length, "um"), diameter=(diameter, "um"))


def test_a_sealed_cable_has_the_input_resistance_of_theory_to_second_order():
    exact = infinite(2.0) / np.tanh(700 / length_constant(2.0))
    found = [at_soma(bare(2.0, 700.0), n) for n in (5, 10, 20, 40)]
    assert found[-1] == pytest.approx(exact, rel=1e-4)
    assert rate(found, exact) == pytest.approx(2.0, abs=0.05)


def test_a_tapering_cable_is_right_to_second_order():
    """Against SciPy's integration of the cable equation along a cone, from its sealed end: exact areas are those of slanted sides."""
    length, wide, thin = 500.0, 3.0, 0.5
    slope = (thin - wide) / 2 / length

    def flow(s: float, y: np.ndarray) -> list[float]:
        """V in mV and axial current in nA over the way s in um from the thin end."""
        r = thin / 2 - slope * s
        leak = 2 * np.pi * r * np.hypot(1, slope) * G * 1e-5  # uS/um
        return [0.01 * RA / (np.pi * r * r) * y[1], leak * y[0]]

    end = solve_ivp(flow, (0, length), [1.0, 0.0], rtol=1e-11, atol=1e-14).y[:, -1]
    morph = ch.Morphology.soma("0.001 um").branch("dend", length=(length, "um"), diameter=((wide, "um"), (thin, "um")))
    found = [at_soma(morph, n) for n in (5, 10, 20, 40)]
    assert found[-1] == pytest.approx(end[0] / end[1], rel=1e-4)
    assert rate(found, float(end[0] / end[1])) == pytest.approx(2.0, abs=0.05)


def test_a_tree_by_ralls_rule_is_its_equivalent_cylinder():
    """Diameters to the power 3/2 add up and electrotonic lengths are equal: at every cut the tree's potential is the cylinder's."""
    daughter = 2.0 / 2 ** (2 / 3)
    share = length_constant(daughter) / length_constant(2.0)
    tree = bare(2.0, 300.0)
    for _ in range(2):
        tree = tree.branch("dend", length=(200.0 * share, "um"), diameter=(daughter, "um"), at="dend[0](1)")
    cylinder = bare(2.0, 300.0).branch("dend", length="200 um", diameter="2 um", at="dend[0](1)")
    for n in (1, 3, 10):
        assert at_soma(tree, n) == pytest.approx(at_soma(cylinder, n), rel=1e-10)


def test_transfer_resistances_are_reciprocal():
    morph = ch.Morphology.ball_and_stick()
    comps = morph.discretise(ch.per_branch(7))
    R = comps.axial_resistance(RA)
    matrix = np.diag(comps.area * G * 1e-5)
    for i, p in enumerate(comps.parent[1:], 1):
        matrix[[i, p, i, p], [i, p, p, i]] += np.array([1, 1, -1, -1]) / R[i]
    transfer = np.linalg.inv(matrix)
    np.testing.assert_allclose(transfer, transfer.T, rtol=1e-12)
