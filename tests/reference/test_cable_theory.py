"""Steady states of cables against closed forms, to second order in the length of compartments: of the compartments alone, then simulated."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from morphology.cable_closed_forms import Cable, Cone
from reference.cable_by_scipy import along

import channelome as ch

RA, G, I, REST, SHORT = 150.0, 0.2, 0.1, -65.0, 1e9
"""ohm cm, mS/cm^2, nA, mV; and mS/cm^2 where an end is killed."""
LENGTH, WIDE, THIN = 800.0, 3.0, 0.5
CABLE = Cable(WIDE, RA, G)


class Case(NamedTuple):
    """A stick with its form: V over the way from where the current enters (um) in a stick that ends where the last piece has its middle."""

    length: float
    thin: float
    killed: bool
    form: Callable[[np.ndarray, float], np.ndarray]


CASES = {
    "sealed": Case(LENGTH, WIDE, False, lambda x, _: CABLE.sealed(x, I, LENGTH, x[0])),
    "killed": Case(LENGTH, WIDE, True, lambda x, last: CABLE.killed(x, I, last)),
    "infinite": Case(8 * LENGTH, WIDE, False, lambda x, _: CABLE.semi_infinite(x, I)),
    "tapering": Case(LENGTH, THIN, False, lambda x, _: Cone((WIDE, THIN), LENGTH, RA, G).steady(x, I)),
}


def stick(case: Case) -> ch.Morphology:
    points = [[0.0, 0.0, 0.0, WIDE], [case.length, 0.0, 0.0, case.thin]]
    return ch.Morphology.from_table({"unit": "um", "branches": [{"type": "dend", "points": points}]})


def compartments(case: Case, each: float) -> ch.Compartments:
    return stick(case).discretise(ch.max_length((each, "um")))


def off(case: Case, comps: ch.Compartments, V: np.ndarray) -> float:
    """The largest difference to the form over its largest value, from the second piece on, as far as LENGTH."""
    x = comps.x * case.length
    form = case.form(x, x[-1])
    return float(np.abs(V - form)[1:][x[1:] < LENGTH].max() / form.max())


def at_rest(case: Case, comps: ch.Compartments) -> np.ndarray:
    """V of the compartments in the steady state, by a linear solution."""
    g = np.full(len(comps), G)
    if case.killed:
        g[-1] = SHORT
    inject = np.zeros(len(comps))
    inject[0] = I
    return np.linalg.solve(along(comps, RA) + np.diag(comps.area * g * 1e-5), inject)


@pytest.mark.parametrize("name", CASES)
def test_compartments_come_closer_to_the_closed_form(name: str) -> None:
    case = CASES[name]
    errors = [off(case, cut, at_rest(case, cut)) for cut in (compartments(case, each) for each in (10.0, 5.0, 2.5))]
    assert errors[-1] < 5e-6
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2.0, atol=0.1)


def simulated(case: Case, comps: ch.Compartments, chosen: np.ndarray) -> np.ndarray:
    """V of some compartments after 30 time constants."""
    leak = {"g_max": (G, "mS/cm^2"), "E": (REST, "mV")}
    parts: dict[str, Any] = {"IL": ch.channel("IL", **leak)}
    if case.killed:
        last = 1 - 0.5 / len(comps)
        parts["short"] = ch.on(f"dend[0]({last - 1e-9}, 1)", "IL", **(leak | {"g_max": (SHORT, "mS/cm^2")}))  # pyright: ignore
    cell = ch.MultiCompartment(  # pyright: ignore
        stick(case), **parts, Ra=(RA, "ohm cm"), C="1 uF/cm^2", V=(REST, "mV"),
        discretise=ch.per_branch(len(comps)),
    )  # fmt: skip
    stimulus = ch.at("dend[0](0)", ch.step((I, "nA")))  # pyright: ignore
    records = [f"{comps.label(int(k))}.V" for k in chosen]
    traces = ch.simulate(cell, (30 / G, "ms"), dt="0.1 ms", stimulus=stimulus, record=records)
    return np.array([float(np.ravel(traces[record])[-1]) for record in records]) - REST


@pytest.mark.parametrize("name", CASES)
def test_a_simulated_cable_comes_to_rest_at_that_of_its_compartments(name: str) -> None:
    case = CASES[name]
    comps = compartments(case, 20.0)
    chosen = np.linspace(0, 39, 5).astype(int)
    expected = at_rest(case, comps)[chosen]
    np.testing.assert_allclose(simulated(case, comps, chosen), expected, rtol=1e-9, atol=1e-9)
