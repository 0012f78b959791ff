"""The closed forms of cable theory against SciPy's solution of the equations they are of, and against our compartments."""

from collections.abc import Callable

import numpy as np
import pytest
from morphology.cable_closed_forms import Cable, Cone
from scipy.integrate import solve_bvp, solve_ivp

CABLE = Cable(diameter=2.0, Ra=150.0, g=0.05, C=0.8)
LENGTH, I = 900.0, 0.1
X = np.linspace(0, LENGTH, 31)

Radius = Callable[[np.ndarray], np.ndarray]


def solved(radius: Radius, slope: float, ends: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """V at X by solve_bvp: y is V in mV and the current along the axis in nA."""

    def flow(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        r = radius(x)
        leak = 2 * np.pi * r * np.hypot(1, slope) * CABLE.g * 1e-5  # uS/um
        return np.array([-0.01 * CABLE.Ra / (np.pi * r**2) * y[1], -leak * y[0]])

    fine = np.linspace(0, LENGTH, 400)
    found = solve_bvp(flow, ends, fine, np.zeros((2, 400)), tol=1e-9, max_nodes=20_000)
    assert found.success, found.message
    return found.sol(X)[0]


def cylinder(x: np.ndarray) -> np.ndarray:
    return np.full_like(x, CABLE.diameter / 2)


def test_a_sealed_cable_is_that_of_solve_bvp() -> None:
    expected = solved(cylinder, 0.0, lambda first, last: np.array([first[1] - I, last[1]]))
    np.testing.assert_allclose(CABLE.sealed(X, I, LENGTH), expected, rtol=1e-7)


def test_a_killed_cable_is_that_of_solve_bvp() -> None:
    expected = solved(cylinder, 0.0, lambda first, last: np.array([first[1] - I, last[0]]))
    np.testing.assert_allclose(CABLE.killed(X, I, LENGTH), expected, rtol=1e-7, atol=1e-9)


def test_a_cable_that_ends_in_a_longer_one_never_ends() -> None:
    """The end takes what the rest of an endless cable would: V over its resistance."""
    expected = solved(cylinder, 0.0, lambda first, last: np.array([first[1] - I, last[1] - last[0] / CABLE.resistance]))
    np.testing.assert_allclose(CABLE.semi_infinite(X, I), expected, rtol=1e-7)
    np.testing.assert_allclose(CABLE.infinite(-X, 2 * I), expected, rtol=1e-7)


@pytest.mark.parametrize("diameters", [(6.0, 0.5), (0.5, 6.0), (2.0, 1.9999), (1.0, 0.01)])
def test_a_cone_is_that_of_solve_bvp(diameters: tuple[float, float]) -> None:
    begin, end = diameters[0] / 2, diameters[1] / 2
    slope = (end - begin) / LENGTH
    expected = solved(lambda x: begin + slope * x, slope, lambda first, last: np.array([first[1] - I, last[1]]))
    np.testing.assert_allclose(Cone(diameters, LENGTH, CABLE.Ra, CABLE.g).steady(X, I), expected, rtol=1e-6)


def test_a_cone_of_one_diameter_is_a_cylinder() -> None:
    almost = Cone((2.0, 2.0 * (1 + 1e-6)), LENGTH, CABLE.Ra, CABLE.g)
    np.testing.assert_allclose(almost.steady(X, I), CABLE.sealed(X, I, LENGTH), rtol=2e-6)


def test_places_of_current_and_record_may_change_roles() -> None:
    there, back = CABLE.sealed(np.array([700.0]), I, LENGTH, 123.0), CABLE.sealed(np.array([123.0]), I, LENGTH, 700.0)
    np.testing.assert_allclose(there, back, rtol=1e-14)


def by_lines(at: float, places: list[float], times: np.ndarray, n: int) -> np.ndarray:
    """V at `places` and `times` after a step into `at`, from n pieces of the sealed cable in time by Radau."""
    dx = LENGTH / n
    axial, leak = 1 / (0.01 * CABLE.Ra / (np.pi * CABLE.diameter**2 / 4) * dx), np.pi * CABLE.diameter * dx * 1e-5
    inject = np.zeros(n)
    inject[int(at / dx)] = I

    def slope(t: float, V: np.ndarray) -> np.ndarray:
        across = np.diff(V) * axial
        inflow = np.append(across, 0) - np.insert(across, 0, 0)
        return (inject + inflow - leak * CABLE.g * V) / (leak * CABLE.C)

    band = (np.eye(n) + np.eye(n, k=1) + np.eye(n, k=-1)).astype(bool)
    columns = np.array([slope(0.0, e) for e in np.eye(n)]).T - slope(0.0, np.zeros(n))[:, None]
    assert not columns[~band].any()
    run = solve_ivp(
        slope, (0, times[-1]), np.zeros(n), "Radau", t_eval=times, jac=columns, rtol=1e-8, atol=1e-9, max_step=1.0
    )
    return run.y[[int(place / dx) for place in places]]


def test_a_step_into_a_sealed_cable_is_that_of_its_pieces() -> None:
    """Places are middles of pieces; the pieces' error is of second order, and its share is taken out by two numbers of them."""
    times, places = np.array([0.5, 2.0, 10.0, 40.0]), [50.0, 350.0, 850.0]
    coarse, fine = (by_lines(350.0, places, times, n) for n in (27, 81))  # 50, 350, 850 um are middles in both
    expected = fine + (fine - coarse) / 8
    found = np.array([CABLE.step_sealed(place, times, I, LENGTH, 350.0) for place in places])
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-4)


def test_a_step_is_the_same_before_the_ends_are_felt() -> None:
    times = np.array([0.01, 0.1, 1.0, 5.0])
    long = 40 * CABLE.length_constant
    for way in (0.0, 100.0, 600.0):
        sealed = CABLE.step_sealed(long / 2 + way, times, I, long, long / 2)
        np.testing.assert_allclose(sealed, CABLE.step_infinite(np.array(way), times, I), rtol=1e-9, atol=1e-12)
        doubled = CABLE.step_sealed(way, times, I, long)
        np.testing.assert_allclose(doubled, 2 * CABLE.step_infinite(np.array(way), times, I), rtol=1e-9, atol=1e-12)


def test_a_step_ends_in_the_steady_state() -> None:
    late = np.array([60 * CABLE.time_constant])
    for x in (0.0, 450.0, 900.0):
        found = CABLE.step_sealed(x, late, I, LENGTH, 100.0)
        np.testing.assert_allclose(found, CABLE.sealed(np.array([x]), I, LENGTH, 100.0), rtol=1e-13)
