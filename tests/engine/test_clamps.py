"""Cells under voltage clamp, ideal and through a series resistance: closed forms, SciPy, and all ways of running."""

import pickle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from engine.models import EXPLICIT, SOLVERS, calcium, hippocampal, squid
from jax.flatten_util import ravel_pytree
from scipy.integrate import solve_ivp

import channelome as ch
from channelome.mechanisms.leak import IL

ON = 1.033
LEVELS = ch.command("-70 mV", ("10 mV", "5 ms"), ("-41 mV", "4 ms"), start=(ON, "ms"))
RAMP = ch.command("-70 mV", ("-70 mV", "1 ms"), ("-90 mV", "30 mV", "8 ms"))
STIFF = [name for name in SOLVERS if name not in (*EXPLICIT, "crank_nicolson", "staggered4")]
"""Solvers that take a clamp of any speed."""


def levels(t: Any) -> Any:
    return np.select([t < ON, t < ON + 5, t < ON + 9], [-70.0, 10.0, -41.0], -70.0)


def membrane(g: float = 0.1, E: float = -60.0, **more: Any) -> ch.SingleCompartment:
    return ch.SingleCompartment(1, IL=IL(g_max=(g, "mS/cm^2"), E=(E, "mV")), **more)


def clamped(command: Any = LEVELS, R: Any = None) -> Any:
    return ch.voltage_clamp(command, series_resistance=R)


# ---- an ideal clamp ------------------------------------------------------------------------------------------------


def hh_rates(V: float) -> dict[str, tuple[float, float]]:
    """Of the paper at 6.3 degC, written again by hand, at 65 mV below rest."""
    return {
        "m": (0.1 * (V + 40) / (1 - np.exp(-(V + 40) / 10)), 4 * np.exp(-(V + 65) / 18)),
        "h": (0.07 * np.exp(-(V + 65) / 20), 1 / (1 + np.exp(-(V + 35) / 10))),
        "n": (0.01 * (V + 55) / (1 - np.exp(-(V + 55) / 10)), 0.125 * np.exp(-(V + 65) / 80)),
    }


def gate(name: str, t: np.ndarray) -> np.ndarray:
    """Closed form under LEVELS."""
    x, found = None, np.empty_like(t)
    for V, begin, end in ((-70.0, -1.0, ON), (10.0, ON, ON + 5), (-41.0, ON + 5, ON + 9), (-70.0, ON + 9, 99.0)):
        alpha, beta = hh_rates(V)[name]
        inf, rate = alpha / (alpha + beta), alpha + beta
        x = inf if x is None else x
        now = (t >= begin - 1e-9) & (t < end - 1e-9)
        found[now] = inf + (x - inf) * np.exp(-rate * (t[now] - begin))
        x = inf + (x - inf) * np.exp(-rate * (end - begin))
    return found


@pytest.mark.parametrize("dt", [0.01, 0.1, 1.5])
def test_gates_under_levels_are_those_of_the_closed_form_at_any_step(dt: float) -> None:
    names = {"m": "INa.m", "h": "INa.h", "n": "IK.n"}
    run = ch.simulate(
        squid(), "15 ms", dt=(dt, "ms"), stimulus=clamped(), record=["V", "clamp.current", *names.values()]
    )
    t = run.t
    assert np.array_equal(run["V"][:, 0], levels(t + 1e-9))
    found = {name: run[path][:, 0] for name, path in names.items()}
    for name in names:
        np.testing.assert_allclose(found[name], gate(name, t), rtol=0, atol=1e-12)
    V = run["V"][:, 0]
    ionic = 120 * found["m"] ** 3 * found["h"] * (V - 50) + 36 * found["n"] ** 4 * (V + 77) + 0.3 * (V + 54.387)
    np.testing.assert_allclose(run["clamp.current"][:, 0], ionic, rtol=1e-12)
    assert run.units["clamp.current"] == "uA/cm^2"


def test_a_ramp_charges_the_membrane() -> None:
    run = ch.simulate(
        membrane(C="2 uF/cm^2"), "12 ms", dt="0.1 ms", stimulus=clamped(RAMP), record=["V", "clamp.current"]
    )
    t, V, current = run.t, run["V"][:, 0], run["clamp.current"][:, 0]
    on = (t > 1.05) & (t < 8.95)
    np.testing.assert_allclose(V[on], -90 + 15 * (t[on] - 1), atol=1e-10)
    np.testing.assert_allclose(current, 0.1 * (V + 60) + 2 * 15 * np.where(on, 1.0, np.isin(np.rint(t * 10), (10, 90)) / 2), atol=1e-9)  # fmt: skip


def reference(cell: Any, times: np.ndarray, command: Any, start: float, g: float | None = None) -> tuple[Any, Any]:
    """V and the whole state at `times` by SciPy: V given, or drawn by a conductance `g` to the command."""
    rest = cell.initial_state(start)
    begin, unravel = ravel_pytree(rest)

    @jax.jit
    def slope(t: Any, y: Any) -> Any:
        state = unravel(y)
        if g is not None:
            return ravel_pytree(cell.derivative(state, lambda V: g * (command(t) - V)))[0]
        held = state._replace(V=jnp.broadcast_to(command(t), state.V.shape))
        return ravel_pytree(cell.derivative(held, jnp.zeros_like)._replace(V=jnp.zeros_like(state.V)))[0]

    answer = solve_ivp(
        slope, (0, times[-1]), np.asarray(begin), t_eval=times, method="LSODA", rtol=1e-11, atol=1e-12, max_step=0.05
    )
    return unravel, answer.y.T


@pytest.mark.parametrize("name", ["squid", "calcium"])
def test_an_ideal_clamp_is_of_second_order_under_a_smooth_command_with_pools_and_schemes(name: str) -> None:
    cell = {"squid": squid, "calcium": calcium}[name]()
    wave = ch.sine("30 mV", period="7 ms", offset="-40 mV")
    unravel, found = reference(cell, np.array([0.0, 3.0, 6.0]), lambda t: -40 + 30 * jnp.sin(2 * jnp.pi * t / 7), -40.0)
    path = "IK.n" if name == "squid" else "ca.C_in"
    exact = unravel(found[-1])
    exact = exact.channels["IK"]["n"] if name == "squid" else exact.ions["ca"]["C_in"]
    errors = []
    for dt in (0.1, 0.05, 0.025):
        run = ch.simulate(cell, "6 ms", dt=(dt, "ms"), stimulus=clamped(wave), record=path)
        errors.append(abs(float(run[path][-1, 0] - exact[0])) / abs(float(exact[0])))
    assert errors[2] < 2e-4 and 3.6 < errors[0] / errors[1] < 6 and 3.6 < errors[1] / errors[2] < 4.4, errors


def test_a_recorded_action_potential_needs_the_current_that_made_it() -> None:
    made = ch.simulate(squid(), "20 ms", dt="0.01 ms", stimulus="10 uA/cm^2")
    again = ch.command("-65 mV", ("-65 mV", "1 ms"), ch.samples((made["V"][:, 0], "mV"), dt="0.01 ms"))
    run = ch.simulate(squid(), "22 ms", dt="0.01 ms", stimulus=clamped(again), record=["V", "clamp.current"])
    np.testing.assert_allclose(run["V"][100:2100, 0], made["V"][:2000, 0], atol=1e-9)
    assert run["V"][2100, 0] == -65
    current = run["clamp.current"][110:2090, 0]
    assert np.abs(current - 10).max() < 1.2 and np.median(np.abs(current - 10)) < 1e-3


def test_what_is_injected_beside_a_clamp_the_clamp_takes_out() -> None:
    both = clamped() + ch.step("7 uA/cm^2", start="3 ms")
    with_it, without = (
        ch.simulate(squid(), "8 ms", dt="0.05 ms", stimulus=s, record=["V", "clamp.current"]) for s in (both, clamped())
    )
    np.testing.assert_array_equal(with_it["V"], without["V"])
    extra = with_it["clamp.current"][:, 0] - without["clamp.current"][:, 0]
    np.testing.assert_allclose(extra, -7.0 * (with_it.t > 2.99), atol=1e-11)


# ---- a series resistance -------------------------------------------------------------------------------------------


def charging(t: np.ndarray, *, R: float, C: float = 1.0, g: float = 0.1, E: float = -60.0) -> np.ndarray:
    """V of `membrane` that begins at -70 mV, clamped to LEVELS through R (kohm cm^2)."""
    V, found = -70.0, np.empty_like(t)
    tau = C / (g + 1 / R)
    for level, begin, end in ((-70.0, 0.0, ON), (10.0, ON, ON + 5), (-41.0, ON + 5, ON + 9), (-70.0, ON + 9, 99.0)):
        inf = (level / R + g * E) / (1 / R + g)
        now = (t >= begin) & (t < end)
        found[now] = inf + (V - inf) * np.exp(-(t[now] - begin) / tau)
        V = inf + (V - inf) * np.exp(-(end - begin) / tau)
    return found


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_cell_is_charged_through_the_resistance_as_an_rc_circuit(solver: str) -> None:
    def error(dt: float) -> tuple[float, float]:
        run = ch.simulate(
            membrane(),
            "9 ms",
            dt=(dt, "ms"),
            stimulus=clamped(R="0.5 kohm*cm^2"),
            solver=solver,
            record=["V", "clamp.current"],
        )
        V = charging(run.t, R=0.5)
        off = run["V"][:, 0] - V
        later = round(2 / dt)  # two time constants after the jump
        return abs(off[later]), np.abs(run["clamp.current"][:, 0] - (levels(run.t) - V) / 0.5 + off / 0.5).max()

    (coarse, a), (fine, b) = error(0.04), error(0.0025)
    assert fine < (0.1 if SOLVERS[solver] == 1 else 2e-4)
    assert coarse / fine > (2.5 if SOLVERS[solver] == 1 else 40), (
        coarse,
        fine,
    )  # 16 and 256, but for where in a step it jumps
    assert max(a, b) < 1e-9


@pytest.mark.parametrize("solver", STIFF)
@pytest.mark.parametrize("R", [1e-1, 1e-2, 1e-4, 1e-8])
def test_any_resistance_is_stable_at_any_step(solver: str, R: float) -> None:
    """V is nowhere beyond the command, and after a jump stays where a divider of voltage says."""
    for dt in (0.01, 0.1, 1.0):
        run = ch.simulate(
            membrane(),
            "9 ms",
            dt=(dt, "ms"),
            stimulus=clamped(R=(R, "kohm*cm^2")),
            solver=solver,
            record=["V", "clamp.current"],
        )
        V = run["V"][:, 0]
        assert V.min() >= -70 - 1e-9 and V.max() <= 10 + 1e-9
        held = (run.t > 4.5) & (run.t < 6)
        np.testing.assert_allclose(
            V[held], (10 / R - 6) / (1 / R + 0.1), atol=0.02 if solver == "backward_euler" else 1e-6
        )
        if solver != "backward_euler":
            np.testing.assert_allclose(run["clamp.current"][held, 0], 0.1 * 70 / (1 + 0.1 * R), rtol=1e-5)


@pytest.mark.parametrize("R", [1.0, 0.05, 0.01, 0.001, 1e-6])
def test_a_jump_puts_in_its_charge_however_fast(R: float) -> None:
    """The trapezoid over the recorded current is the charge C dV."""
    jump = ch.command("-70 mV", ("10 mV", "100 ms"), start="1 ms")
    run = ch.simulate(
        membrane(0.0), "9 ms", dt="0.1 ms", stimulus=clamped(jump, (R, "kohm*cm^2")), record=["V", "clamp.current"]
    )
    charge = np.trapezoid(run["clamp.current"][10:, 0], run.t[10:])
    assert charge == pytest.approx(run["V"][-1, 0] + 70, rel=1e-3)


@pytest.mark.parametrize("R", [0.5, 0.05, 0.005, 0.0005])
def test_current_and_voltage_under_a_smooth_command_are_those_of_scipy(R: float) -> None:
    times = np.arange(0.0, 6.01, 0.1)
    unravel, found = reference(squid(), times, lambda t: -80 - 10 * jnp.cos(2 * jnp.pi * t / 6), -90.0, 1 / R)
    wave = ch.sine("10 mV", period="6 ms", offset="-80 mV", phase=-np.pi / 2)
    V = np.array([float(unravel(y).V[0]) for y in found])
    exact = (-80 - 10 * np.cos(2 * np.pi * times / 6) - V) / R
    run = ch.simulate(
        squid(), "6 ms", dt="0.1 ms", stimulus=clamped(wave, (R, "kohm*cm^2")), record=["V", "clamp.current"]
    )
    assert np.abs(run["V"][5:, 0] - V[5:]).max() < 0.02
    assert np.abs(run["clamp.current"][5:, 0] - exact[5:]).max() < 0.2, np.abs(exact).max()


def test_an_ever_smaller_resistance_is_an_ideal_clamp() -> None:
    ideal, close = (
        ch.simulate(squid(), "9 ms", dt="0.002 ms", stimulus=clamped(R=R), record=["V", "clamp.current"])
        for R in (None, "1e-7 kohm*cm^2")
    )  # V jumps with the step here, and gates of the default see it up to half a step late
    later = np.min(np.abs(ideal.t[:, None] - np.array([0, ON, ON + 5])), axis=1) > 0.05
    np.testing.assert_allclose(close["V"][later], ideal["V"][later], atol=1e-3)
    np.testing.assert_allclose(close["clamp.current"][later], ideal["clamp.current"][later], atol=5.0)  # of 1,500


def test_resistance_in_megohm_is_divided_by_the_area() -> None:
    cell = squid(area="20000 um^2")
    a, b = (
        ch.simulate(cell, "5 ms", dt="0.05 ms", stimulus=clamped(R=R), record=["V", "clamp.current"])
        for R in ("5 Mohm", "1 kohm*cm^2")
    )
    np.testing.assert_allclose(a["V"], b["V"], atol=1e-10)
    assert a.units["clamp.current"] == "nA"
    np.testing.assert_allclose(a["clamp.current"][:, 0], (levels(a.t) - a["V"][:, 0]) / 5, atol=1e-9)


# ---- ways of running -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("R", [None, "0.5 kohm*cm^2"])
def test_cells_with_commands_of_their_own_are_each_alone(R: Any) -> None:
    V, wait, R_s = np.array([-40.0, 0.0, 30.0]), np.array([1.0, 2.0, 2.7]), np.array([0.5, 1.0, 0.2])

    def command(V: Any, wait: Any) -> Any:
        return ch.command("-70 mV", ("-70 mV", (wait, "ms")), ((V, "mV"), "2 ms"), ("-60 mV", (V, "mV"), (wait, "ms")))

    def run(size: int, V: Any, wait: Any, R_s: Any) -> Any:
        stimulus = clamped(command(V, wait), R and (R_s, "kohm*cm^2"))
        return ch.simulate(squid(size), "8 ms", dt="0.05 ms", stimulus=stimulus, record=["V", "clamp.current"])

    together = run(3, V, wait, R_s)
    for k in range(3):
        alone = run(1, V[k], wait[k], R_s[k])
        for name in ("V", "clamp.current"):
            np.testing.assert_allclose(together[name][:, k], alone[name][:, 0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("R", [None, "0.5 kohm*cm^2", "0.001 kohm*cm^2"])
@pytest.mark.parametrize("model", [squid, calcium])
def test_a_run_in_two_parts_is_one_run_to_the_last_bit(model: Any, R: Any) -> None:
    stimulus = clamped(RAMP + ch.step("20 mV", start="3.004 ms", stop="5 ms"), R)
    options = {"dt": "0.02 ms", "stimulus": stimulus, "record": ["V", "clamp.current"], "chunk": 128}
    whole = ch.simulate(model(), "6 ms", **options)
    first = ch.simulate(model(), "2.5 ms", **options)
    second = ch.simulate(model(), "3.5 ms", **options, state=first.final, start="2.5 ms")
    for name in ("V", "clamp.current"):
        assert np.array_equal(np.concatenate([first[name], second[name][1:]]), whole[name])
    thin = ch.simulate(model(), "6 ms", **options, every=5)
    np.testing.assert_allclose(thin["clamp.current"], whole["clamp.current"][::5], rtol=1e-11)


def test_a_clamp_lets_go_and_takes_hold_again() -> None:
    held = ch.simulate(squid(), "3 ms", dt="0.02 ms", stimulus=clamped(ch.command("-30 mV")))
    free = ch.simulate(squid(), "3 ms", dt="0.02 ms", state=held.final, start="3 ms")
    assert np.array_equal(free["V"][0], held["V"][-1]) and free["V"][-1, 0] != -30
    again = ch.simulate(squid(), "3 ms", dt="0.02 ms", state=free.final, start="6 ms", stimulus=clamped("-50 mV"))
    assert np.all(again["V"] == -50)


@pytest.mark.parametrize("R", [None, 0.5])
def test_runs_under_jit_vmap_and_grad_are_those_outside(R: Any) -> None:
    def peak(level: Any, g: Any) -> Any:
        command = ch.command("-70 mV", ((level, "mV"), "2 ms"), start="0.53 ms")
        cell = squid().replace(**{"INa.g_max": (g, "mS/cm^2")})
        run = ch.simulate(
            cell, "3 ms", dt="0.02 ms", stimulus=clamped(command, R and (R, "kohm*cm^2")), record="clamp.current"
        )
        return run["clamp.current"][60, 0]

    at = np.array([-20.0, 15.0])
    plain = [float(peak(level, 120.0)) for level in at]
    together = jax.jit(jax.vmap(peak, (0, None)))(jnp.asarray(at), jnp.asarray(120.0))
    np.testing.assert_allclose(together, plain, rtol=1e-9)
    by_level, by_g = jax.grad(peak, (0, 1))(jnp.asarray(-20.0), jnp.asarray(120.0))
    assert by_level == pytest.approx((peak(-19.999, 120.0) - peak(-20.001, 120.0)) / 0.002, rel=1e-5)
    assert by_g == pytest.approx((peak(-20.0, 120.01) - peak(-20.0, 119.99)) / 0.02, rel=1e-5)


@pytest.mark.usefixtures("float32")
@pytest.mark.parametrize("R", [None, "0.5 kohm*cm^2", "0.0001 kohm*cm^2"])
def test_float32_is_float32_and_late_as_early(R: Any) -> None:
    def run(late: float) -> Any:
        command = ch.command("-70 mV", ("10 mV", "2 ms"), start=(late + 1.03, "ms"))
        return ch.simulate(
            squid(),
            "4 ms",
            dt="0.02 ms",
            start=(late, "ms"),
            stimulus=clamped(command, R),
            record=["V", "clamp.current"],
        )

    early, late = run(0.0), run(1e6)
    assert early["clamp.current"].dtype == np.float32
    np.testing.assert_allclose(early["V"], late["V"], atol=2e-3)
    np.testing.assert_allclose(early["clamp.current"], late["clamp.current"], atol=0.1)  # of 1,500


# ---- networks ------------------------------------------------------------------------------------------------------


def pair(**more: Any) -> ch.Network:
    return ch.Network(
        sender=ch.SpikeSource(1, times=([2.0, 4.5], "ms"), neurons=[0, 0]),
        free=hippocampal(2), cells=hippocampal(2, V="-60 mV"),
        epsc=ch.Projection("sender", "cells", "Expon", ch.all_to_all(), weight="4 nS", delay="0.5 ms"),
        **more,
    )  # fmt: skip


@pytest.mark.parametrize("R", [None, "0.01 Mohm"])
def test_a_clamp_in_a_network_measures_synaptic_currents(R: Any) -> None:
    run = ch.simulate(
        pair(), "8 ms", dt="0.02 ms", stimulus={"cells": clamped("-70 mV", R)},
        record=["cells.V", "cells.clamp.current", "epsc.g", "cells.INa.current", "cells.IK.current", "cells.IL.current"],
    )  # fmt: skip
    np.testing.assert_allclose(run["cells.V"], -70, atol=0 if R is None else 1e-2)
    synaptic = run["epsc.g"] * 1e-3 * (run["cells.V"] - 0.0)
    ionic = sum(run[f"cells.{c}.current"] for c in ("INa", "IK", "IL")) * 0.2
    assert np.abs(synaptic).max() > 0.2
    flowing = ~np.isin(np.rint(run.t / 0.02), (0, 124, 125, 249, 250))  # as a spike arrives V has not moved yet
    np.testing.assert_allclose(
        run["cells.clamp.current"][flowing], (ionic + synaptic)[flowing], atol=1e-10 if R is None else 6e-3
    )


def test_clamped_cells_send_the_spikes_of_their_command() -> None:
    net = ch.Network(
        cells=hippocampal(1), post=hippocampal(1),
        exc=ch.Projection("cells", "post", "Expon", ch.all_to_all(), weight="40 nS"),
    )  # fmt: skip
    up = ch.command("-70 mV", ("10 mV", "1 ms"), ("-70 mV", "2 ms"), ("10 mV", "1 ms"), start="1 ms")
    run = ch.simulate(net, "8 ms", dt="0.05 ms", stimulus={"cells": clamped(up)}, record="post.V")
    np.testing.assert_allclose(run.spikes["cells"].times, [1.0, 4.0], atol=0.051)
    assert run["post.V"].max() > -50


def test_a_clamped_population_and_a_free_one_of_its_structure_stay_apart() -> None:
    run = ch.simulate(pair(), "6 ms", dt="0.02 ms", stimulus={"cells": clamped("-50 mV")}, record=["cells.V", "free.V"])
    alone = ch.simulate(hippocampal(2), "6 ms", dt="0.02 ms")
    assert np.all(run["cells.V"] == -50)
    np.testing.assert_allclose(run["free.V"], alone["V"], rtol=1e-12)


# ---- what cannot be ------------------------------------------------------------------------------------------------


def go(stimulus: Any = None, cell: Any = None, dt: str = "0.1 ms", **more: Any) -> Any:
    return ch.simulate(squid() if cell is None else cell, "20 ms", dt=dt, stimulus=stimulus, **more)


GAP = {"gap": ch.Projection("cells", "cells", "GapJunction", ch.all_to_all(), weight="1 nS")}


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        (lambda: ch.voltage_clamp("1 nA"), ch.UnitError, "command of a voltage clamp is in mV"),
        (lambda: ch.voltage_clamp(ch.step("1 nA")), ch.UnitError, "is a voltage, in mV, and not in nA"),
        (lambda: ch.voltage_clamp(-70.0), ch.UnitError, "needs a unit"),
        (lambda: ch.command("-70 mV", ("0.2 nA", "5 ms")), ch.UnitError, "level of epoch 0 of the command is in mV"),
        (lambda: ch.command("-70 mV", ("0 mV", "5 mV")), ch.UnitError, "duration of epoch 0 of the command is in ms"),
        (lambda: ch.command("-70 mV", "0 mV"), ch.ModelError, r"epoch 0 of the command must be \(level, duration\)"),
        (lambda: ch.command("-70 mV", ("0 mV", "-5 ms")), ch.ModelError, "0 ms or more, and finite, got -5"),
        (lambda: ch.command("-70 mV", ((np.nan, "mV"), "5 ms")), ch.ModelError, "level of epoch 0 of the command must be finite"),
        (lambda: ch.command("-70 mV", ch.samples(([0.0, 1.0], "nA"), dt="1 ms")), ch.ModelError, "in nA, but the holding"),
        (lambda: ch.command("-70 mV", ch.step("1 mV")), ch.ModelError, r"made by samples\(values, dt"),
        (lambda: ch.samples(([0.0, np.nan, 1.0], "mV"), dt="1 ms"), ch.ModelError, r"1 of 3 are not, the first is values\[1\]"),
        (lambda: clamped(R="0 Mohm"), ch.ModelError, "more than 0, and finite, got 0.0 Mohm: leave it out for an ideal"),
        (lambda: clamped(R="-1 Mohm"), ch.ModelError, "more than 0"),
        (lambda: clamped(R="5 mV"), ch.UnitError, "series resistance of the clamp is in Mohm"),
        (lambda: clamped() + clamped(), ch.ModelError, "two clamps cannot hold one cell"),
        (lambda: go([clamped(), clamped()]), ch.ModelError, "two clamps cannot be"),
        (lambda: 2 * clamped(), ch.ModelError, r"multiply or subtract its command, voltage_clamp\(2 \* command\)"),
        (lambda: np.ones(2) * clamped(), ch.ModelError, "multiply or subtract its command"),
        (lambda: -clamped(), ch.ModelError, "multiply or subtract its command"),
        (lambda: ch.step("1 nA") - clamped(), ch.ModelError, "multiply or subtract its command"),
        (lambda: clamped() + ch.step("1 mV"), ch.UnitError, "cannot be injected beside a clamp"),
        (lambda: go(ch.step("10 mV")), ch.UnitError, r"voltage cannot be injected, step\(.*stimulus=voltage_clamp"),
        (lambda: go(clamped(), dt="5 ms"), ch.ModelError, "longer than the finest detail of the clamp's command, 4 ms"),
        (lambda: go(clamped(ch.samples((np.zeros(101), "mV"), dt="0.1 ms"))), ch.ModelError, "ends at 10 ms, and the run at 20 ms"),
        (lambda: go(clamped(ch.step("10 mV", start="1 ms"))), ch.ModelError, "begins at 1 ms, and the run at 0 ms"),
        (lambda: go(clamped(R="5 Mohm")), ch.UnitError, "cell has no area"),
        (lambda: go(clamped(ch.command(([0.0, 1.0], "mV")))), ch.ModelError, r"command has the shape \(2,\)"),
        (lambda: go(clamped(R=([0.5, 1.0], "kohm*cm^2"))), ch.ModelError, r"series resistance has the shape \(2,\)"),
        (lambda: go(clamped(R="0.01 kohm*cm^2"), solver="rk4"), ch.ModelError, "within 0.01 ms .* at most 0.02 ms, or solver='stag"),
        (lambda: go(clamped(R="0.01 kohm*cm^2"), solver="crank_nicolson"), ch.ModelError, "crank_nicolson does not cross"),
        (lambda: go(clamped(R="0.01 kohm*cm^2"), solver="staggered4"), ch.ModelError, "staggered4 does not cross"),
        (lambda: go(record="clamp.current"), ch.UnknownName, "this cell is not clamped"),
        (lambda: go(clamped(), record="clamp.V"), ch.UnknownName, "Did you mean|It has"),
        (lambda: go({"cells": clamped()}, pair(), record="free.clamp.current"), ch.UnknownName, "'free' is not clamped"),
        (lambda: go({"cells": clamped()}, pair(**GAP)), ch.ModelError, "gap junctions 'gap' share its charge"),
        (lambda: go({"sender": clamped()}, pair()), ch.ModelError, "no population of cells 'sender'"),
        (lambda: squid(clamp="IL"), ch.ModelError, "'clamp' cannot be a channel's label"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_a_clear_error(wrong: Any, error: Any, says: str) -> None:
    with pytest.raises(error, match=says):
        wrong()


# ---- the object ----------------------------------------------------------------------------------------------------


def test_clamps_travel_compare_and_print() -> None:
    clamp = clamped(R="5 Mohm") + ch.step("0.1 nA")
    assert pickle.loads(pickle.dumps(clamp)) == clamp != clamped(R="6 Mohm")
    assert repr(clamp) == (
        "voltage_clamp(command(-70 mV, (10 mV, 5 ms), (-41 mV, 4 ms), start=1.033 ms), series_resistance=5 Mohm) "
        "+ step(amplitude=0.1 nA, start=0 ms)"
    )


def test_currents_beside_a_clamp_are_added_summed_and_subtracted() -> None:
    beside = ch.step("0.1 nA")
    assert sum([clamped(), beside]) == sum([beside, clamped()]) == clamped() + beside
    assert clamped() - beside == clamped() + (-beside)


def test_another_level_compiles_nothing() -> None:
    cell = ch.SingleCompartment(7, IL=IL)  # of a size that no other test has

    def run(level: float) -> None:
        stimulus = clamped(ch.command("-70 mV", ((level, "mV"), "2 ms")), (0.5 + level, "kohm*cm^2"))
        ch.simulate(cell, "5 ms", dt="0.1 ms", stimulus=stimulus, record=["V", "clamp.current"])

    from jax._src import compiler

    own = compiler.backend_compile_and_load
    compiled: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "backend_compile_and_load", lambda *a, **k: compiled.append(1) or own(*a, **k))
        run(1.0)
        first = len(compiled)
        run(3.0)
    assert first > 0 and len(compiled) == first
