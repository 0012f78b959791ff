"""Buffers that move: against SciPy's solution of calcium, free buffer and bound buffer each with a diffusion of its own; conservation; mistakes."""

import jax
import numpy as np
import pytest
from cable.test_diffusion import Influx
from cable.test_shells import BUFFER, DIAMETER, D, build, left_alone, point, profile, rings, run
from scipy.integrate import solve_ivp

import channelome as ch
from channelome.maths import FARADAY

D_B = 0.08
MOVING = {**BUFFER, "D_B": (D_B, "um^2/ms")}
B, K_ON, K_OFF, REST = 0.05, 80.0, 0.2, 2.4e-4
STICK = ch.Morphology.ball_and_stick(soma="10 um", length="20 um", diameter=(DIAMETER, "um")).discretise(
    ch.per_branch(5, soma=1)
)


def solved(C, duration, shells, compartments=1, influx=0.0):
    """Shape (2, compartments, shells): free calcium and bound after `duration`, of three that move and react; nothing is eliminated."""
    volume, g, _ = rings(shells)
    length = 20.0 / compartments

    def moved(x, D_x):
        inward = D_x / D * g * (x[:, :-1] - x[:, 1:])
        none = np.zeros((len(x), 1))
        along = np.pad(D_x / length**2 * (x[:-1] - x[1:]), [(1, 1), (0, 0)])
        return (np.hstack([none, inward]) - np.hstack([inward, none])) / volume + along[:-1] - along[1:]

    def rates(_, y):
        free, bound, buffer = y.reshape(3, compartments, shells)
        binding = K_ON * free * buffer - K_OFF * bound
        dfree = moved(free, D) - binding
        dfree[:, 0] += influx * np.pi * DIAMETER / volume[0]
        return np.concatenate([np.ravel(x) for x in (dfree, moved(bound, D_B) + binding, moved(buffer, D_B) - binding)])

    bound = (
        B * K_ON * REST / (K_ON * REST + K_OFF) * np.ones_like(C)
        if compartments == 1
        else B * K_ON * C / (K_ON * C + K_OFF)
    )
    start = np.concatenate([C.ravel(), bound.ravel(), (B - bound).ravel()])
    found = solve_ivp(rates, (0, duration), start, method="LSODA", rtol=1e-10, atol=1e-14).y[:, -1]
    free, bound, buffer = found.reshape(3, compartments, shells)
    np.testing.assert_allclose(bound + buffer, B, rtol=1e-9)  # why bound alone need be followed
    return np.stack([free, bound])


@pytest.mark.parametrize(
    ("solver", "order"), [("staggered", 2), ("crank_nicolson", 2), ("backward_euler", 1), ("rk4", 4)]
)
def test_across_shells_it_is_scipy_with_the_order_of_the_solver(solver, order):
    start = 1e-3 * np.array([5.0, 0.1, 0.3, 1.0])
    exact = solved(start[None], 2.0, 4)[0, 0]
    errors = [
        np.abs(profile(point(4, **MOVING), start, 2.0, dt, solver=solver)[-1] - exact).max()
        for dt in (0.01, 0.005, 0.0025)
    ]
    assert np.log2(errors[1] / errors[2]) == pytest.approx(order, abs=0.3) or errors[2] < 1e-11
    assert errors[0] < (1e-5 if order > 1 else 1e-4)
    still = profile(point(4, **BUFFER), start, 2.0, 0.0025)[-1]
    assert np.abs(still - exact).max() > 100 * errors[2]  # that it moves is what is tested


@pytest.mark.parametrize(("solver", "order"), [("staggered", 2), ("backward_euler", 1)])
def test_along_a_cell_and_across_shells_it_is_scipy(solver, order):
    own = 1e-3 * np.array([3.0, 0.2, 0.2, 1.0, 0.5])
    calcium = {"shells": 3, "D": (D, "um^2/ms"), "C_rest": (own, "mM"), **MOVING}
    cell = ch.MultiCompartment(
        STICK, ca=ch.on("dend", "CalciumShells", **calcium), ICa=ch.on("dend", Influx, g_max="0.02 mS/cm^2"), celsius=20, C="1e12 uF/cm^2",
    )  # fmt: skip
    exact = solved(np.repeat(own[:, None], 3, 1), 2.0, 3, 5, influx=10 * 0.02 * 125 / (2 * FARADAY))
    record = [f"ca.{x}[{s}]" for x in ("shell", "bound") for s in range(3)]
    errors = []
    for dt in (0.02, 0.01, 0.005):
        out = run(cell, "2 ms", f"{dt} ms", record, solver=solver)
        found = np.stack([np.stack([out[f"ca.{x}[{s}]"][-1] for s in range(3)], 1) for x in ("shell", "bound")])
        errors.append(np.abs(found / exact - 1).max())
    assert np.log2(errors[1] / errors[2]) == pytest.approx(order, abs=0.3)
    assert errors[2] < (3e-4 if order == 2 else 2e-2)


@pytest.mark.parametrize("x64", [False, True])
def test_what_there_is_bound_or_free_is_kept_to_rounding_whatever_the_step(x64):
    with jax.enable_x64(x64):
        for dt in (0.01, 0.5):
            free, bound, total = left_alone(MOVING, dt)
            assert np.abs(total / total[0] - 1).max() < (1e-12 if x64 else 3e-5)
            assert free.min() > 0 and bound.min() > 0 and bound.max() < B
            for x in (free[-1], bound[-1]):
                np.testing.assert_allclose(x, x.mean(), rtol=1e-9 if x64 else 1e-4)


@pytest.mark.parametrize("solver", ["staggered", "backward_euler"])
def test_currents_bring_as_much_as_is_there(solver):
    """Over branch points and tapering branches of a reconstructed cell."""
    cell = build(3, MOVING, C="1e12 uF/cm^2", IL=ch.channel("IL", g_max="0 mS/cm^2"))
    comps = cell.compartments
    out = run(cell, "20 ms", "0.1 ms", [f"ca.{x}[{s}]" for x in ("shell", "bound") for s in range(3)], solver=solver)
    at, share = comps.numbers("apical"), np.array([7 / 16, 8 / 16, 1 / 16])
    volume = comps.area[at] * comps.diameter[at] / 4
    there = sum(share[s] * (out[f"ca.{x}[{s}]"] @ volume) for x in ("shell", "bound") for s in range(3))
    came = 10 * 0.05 * 125 / (2 * FARADAY) * 20.0 * comps.area[comps.numbers("apical[0]")].sum()
    assert there[-1] - there[0] == pytest.approx(came, rel=1e-8)
    far = [f"apical[1](1).ca.bound[{s}]" for s in (0, 2)]
    moved, still = (run(build(3, x), "20 ms", "0.1 ms", far) for x in (MOVING, BUFFER))
    assert all(moved[name][-1] > still[name][-1] for name in far)


def test_a_buffer_as_slow_as_one_that_stays_is_one():
    slow, still = (
        run(build(3, x), record=["ca.C_in", "ca.bound[1]"]) for x in ({**BUFFER, "D_B": "1e-12 um^2/ms"}, BUFFER)
    )
    for name in ("ca.C_in", "ca.bound[1]"):
        np.testing.assert_allclose(slow[name], still[name], rtol=1e-8)


def test_its_derivative_by_its_speed_is_that_of_differences():
    def last(p):
        out = run(build(3, {**BUFFER, "D_B": (p, "um^2/ms")}), "3 ms", "0.1 ms", "apical[0](1).ca.shell[2]")
        return out["apical[0](1).ca.shell[2]"][-1]

    slope = float(last(D_B * 1.0001) - last(D_B * 0.9999)) / (2e-4 * D_B)
    assert jax.grad(last)(D_B) == pytest.approx(slope, rel=1e-5)


def test_what_cannot_be_says_why():
    with pytest.raises(
        ch.ModelError,
        match=r"D_B of CalciumShells is that of a buffer, and there is none: give B=..., k_on=... and k_off",
    ):
        ch.ion("CalciumShells", D_B="0.1 um^2/ms")
    n = len(build(3).compartments.numbers("apical"))
    with pytest.raises(
        ch.ModelError, match=r"a buffer that moves spreads until it is the same everywhere: give one number for B"
    ):
        build(3, {**MOVING, "B": (np.linspace(0.01, 0.05, n), "mM")})
    with pytest.raises(ch.UnitError, match=r"D_B of CalciumShells must be more than 0"):
        build(3, {**MOVING, "D_B": "-1 um^2/ms"})
    own = {**MOVING, "B": (np.array([[0.01], [0.05]]), "mM")}
    many = run(build(3, own, size=2), record="ca.bound[0]")["ca.bound[0]"]
    alone = run(build(3, {**MOVING, "B": "0.05 mM"}), record="ca.bound[0]")["ca.bound[0]"]
    np.testing.assert_allclose(many[:, 1], alone, rtol=1e-10)
