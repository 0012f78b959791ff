"""Ions in concentric shells: Bessel's modes, the exact solution of the same shells, conservation, order, names, mistakes."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cable.test_diffusion import CUT, Influx, uneven
from cases import each_is_named, some_of
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.special import j0, jn_zeros

import channelome as ch
from channelome.maths import FARADAY, nernst

D, DIAMETER = 0.6, 2.0
"""um^2/ms, um."""
BUFFER = {"B": "0.05 mM", "k_on": "80 1/(mM*ms)", "k_off": "0.2 1/ms"}
PUMP = {"v": "0.02 mM*um/ms", "K": "1e-3 mM"}


def point(shells=4, **given):
    ion = ch.ion("CalciumShells", shells=shells, **{"D": (D, "um^2/ms"), "diameter": (DIAMETER, "um")} | given)
    return ch.SingleCompartment(1, ion, celsius=20)


def names(shells):
    return [f"ca.shell[{s}]" for s in range(shells)]


def profile(cell, C, duration, dt, every=1, **given):
    """Shape (samples, shells): calcium of a point whose shells begin with C."""
    state = cell.initial_state()
    free = {f"shell[{s}]" if s else "C_in": jnp.full(1, x) for s, x in enumerate(C)}
    begin = state._replace(ions={"ca": state.ions["ca"] | free})
    run = ch.simulate(
        cell, (duration, "ms"), dt=(dt, "ms"), record=names(len(C)), every=every, **{"state": begin} | given
    )
    return np.stack([np.ravel(run[name]) for name in names(len(C))], 1)


def rings(shells, depth=None):
    """Volumes and conductances of shells by hand, per um of length: borders in the middle between the circles that values are meant on."""
    R = DIAMETER / 2
    at = (
        np.linspace(R, 0, shells) if depth is None else np.concatenate([[R], np.linspace(R - 2 * depth, 0, shells - 1)])
    )
    border = (at[1:] + at[:-1]) / 2
    volume = np.pi * (np.append(R, border) ** 2 - np.append(border, 0) ** 2)
    return volume, D * 2 * np.pi * border / -np.diff(at), at


def matrix(shells, depth=None):
    """1/ms: of what each shell's concentration changes by."""
    volume, g, _ = rings(shells, depth)
    flow = np.diag(np.append(g, 0) + np.append(0, g)) - np.diag(g, 1) - np.diag(g, -1)
    return -flow / volume[:, None]


# ---- radial diffusion ----------------------------------------------------------------------------------------------


def test_radial_diffusion_decays_by_the_zeros_of_bessel_and_converges_with_second_order():
    root = jn_zeros(1, 1)[0]
    rate, errors = D * (root / (DIAMETER / 2)) ** 2, []
    for shells in (6, 11, 21):
        volume, _, at = rings(shells)
        shape = j0(root * 2 * at / DIAMETER)
        C = profile(point(shells), 1e-3 * (1 + 0.5 * shape), 0.2, 0.0005)
        amplitude = [(x - 1e-3) @ (volume * shape) / (5e-4 * shape @ (volume * shape)) for x in (C[0], C[-1])]
        errors.append(abs(amplitude[1] / amplitude[0] - np.exp(-0.2 * rate)))
    assert np.log2(np.array(errors)[:-1] / np.array(errors)[1:]) == pytest.approx([2, 2], abs=0.25)
    assert errors[-1] < 2e-3


@pytest.mark.parametrize("depth", [None, 0.05, 0.3])
@pytest.mark.parametrize(
    ("solver", "order"), [("staggered", 2), ("crank_nicolson", 2), ("backward_euler", 1), ("rk4", 4)]
)
def test_the_order_in_time_is_that_of_the_exact_solution_of_the_shells(solver, order, depth):
    start = 1e-3 * np.array([3.0, 0.1, 1.0, 0.5])
    exact = expm(0.5 * matrix(4, depth)) @ start
    cell = point(4, **({} if depth is None else {"depth": (depth, "um")}))
    steps = (0.02, 0.01, 0.005) if depth is None or depth > 0.1 else (0.001, 0.0005, 0.00025)
    errors = [np.abs(profile(cell, start, 0.5, dt, solver=solver)[-1] - exact).max() for dt in steps]
    assert np.log2(errors[1] / errors[2]) == pytest.approx(order, abs=0.25) or errors[2] < 1e-12
    assert errors[0] < 0.05 * np.ptp(start)


def left_alone(given, dt):
    """Free and bound, shape (samples, 5), over 200 ms from an uneven start, and all of it, over pi and um of length."""
    volume, start = rings(5)[0], 1e-2 * np.array([1.0, 1e-4, 1e-4, 0.5, 1e-4])
    cell = point(5, **given)
    state = cell.initial_state()
    uneven = {f"shell[{s}]" if s else "C_in": jnp.full(1, x) for s, x in enumerate(start)}
    begin = state._replace(ions={"ca": state.ions["ca"] | uneven})
    record = [*names(5), *(f"ca.bound[{s}]" for s in range(5))]
    out = ch.simulate(cell, "200 ms", dt=(dt, "ms"), record=record, state=begin, every=20)
    free, bound = (np.stack([out[f"ca.{x}[{s}]"][:, 0] for s in range(5)], 1).astype(float) for x in ("shell", "bound"))
    return free, bound, (free + bound) @ volume


@pytest.mark.parametrize("x64", [False, True])
def test_what_there_is_bound_or_free_is_kept_to_rounding_whatever_the_step(x64):
    with jax.enable_x64(x64):
        for dt in (0.01, 0.5):
            free, bound, total = left_alone(BUFFER, dt)
            assert np.abs(total / total[0] - 1).max() < (1e-12 if x64 else 3e-5)
            assert free.min() > 0 and bound.min() > 0
            B, K = 0.05, 0.2 / 80
            mean = total[0] / rings(5)[0].sum()
            rest = ((mean - B - K) + np.sqrt((mean - B - K) ** 2 + 4 * K * mean)) / 2  # of c + B c / (c + K) = mean
            np.testing.assert_allclose(free[-1], rest, rtol=1e-6 if x64 else 1e-3)


def test_buffer_and_pump_are_those_of_scipy():
    volume, g, _ = rings(4, 0.1)
    start = np.concatenate(
        [1e-3 * np.array([5.0, 0.1, 0.3, 1.0]), np.full(4, 0.05 * 80 * 2.4e-4 / (80 * 2.4e-4 + 0.2))]
    )

    def rates(_, y):
        C, bound = y[:4], y[4:]
        binding = 80 * C * (0.05 - bound) - 0.2 * bound
        flow = g * (C[:-1] - C[1:])
        pumped = 0.02 * (C[0] / (C[0] + 1e-3) - 2.4e-4 / (2.4e-4 + 1e-3)) * np.pi * DIAMETER
        gained = np.append(-pumped, flow) - np.append(flow, 0)
        return np.concatenate([gained / volume - binding, binding])

    exact = solve_ivp(rates, (0, 2), start, method="LSODA", rtol=1e-11, atol=1e-14).y[:4, -1]
    cell = point(4, depth="0.1 um", **BUFFER, **PUMP)
    for solver, order in (("staggered", 2), ("crank_nicolson", 2), ("backward_euler", 1)):
        errors = [
            np.abs(profile(cell, start[:4], 2.0, dt, solver=solver)[-1] - exact).max() for dt in (0.01, 0.005, 0.0025)
        ]
        assert np.log2(errors[1] / errors[2]) == pytest.approx(order, abs=0.2)
        assert errors[0] < (1e-5 if order == 2 else 1e-4)


def test_one_shell_is_a_pool_of_the_whole_compartment():
    shell = ch.MultiCompartment(
        CUT, ca=ch.ion("CalciumShells", shells=1, D=(D, "um^2/ms"), C_rest=(uneven(CUT), "mM")), ICa=ch.on("apical", Influx),
        celsius=20,
    )  # fmt: skip
    pool = shell.replace(
        ca=ch.ion(
            "CalciumDetailed", D=(D, "um^2/ms"), tau="1e30 ms", d=(CUT.diameter / 4, "um"), C_rest=(uneven(CUT), "mM")
        )
    )
    a, b = (ch.simulate(x, "5 ms", dt="0.05 ms", record=["ca.C_in", "V"]) for x in (shell, pool))
    np.testing.assert_allclose(a["ca.C_in"], b["ca.C_in"], rtol=1e-10)
    np.testing.assert_allclose(a["V"], b["V"], rtol=1e-10)


# ---- in cells of many compartments ---------------------------------------------------------------------------------


def build(shells=3, calcium=None, **given):
    calcium = {"D": (D, "um^2/ms"), **(calcium or {})}
    parts = {
        "ca": ch.on("apical", "CalciumShells", shells=shells, **calcium), "ICa": ch.on("apical[0]", Influx, g_max="0.05 mS/cm^2"),
        "IL": ch.channel("IL", g_max="0.3 mS/cm^2", E="-70 mV"), "celsius": 20,
    }  # fmt: skip
    return ch.MultiCompartment(CUT, **{**parts, **given})


def run(cell, duration="5 ms", dt="0.05 ms", record="V", **given):
    return ch.simulate(cell, duration, dt=dt, record=record, **given)


@pytest.mark.parametrize("solver", ["staggered", "crank_nicolson", "backward_euler"])
def test_currents_bring_as_much_as_is_there(solver):
    """In all shells, bound and free, over branch points and tapering branches."""
    cell = build(3, BUFFER, C="1e12 uF/cm^2", IL=ch.channel("IL", g_max="0 mS/cm^2"))
    record = [f"ca.{x}[{s}]" for x in ("shell", "bound") for s in range(3)]
    out = run(cell, "20 ms", "0.1 ms", record, solver=solver)
    at = CUT.numbers("apical")
    share = np.array([7 / 16, 8 / 16, 1 / 16])  # of a circle, within 1, 3/4 and 1/4 of its radius
    volume = CUT.area[at] * CUT.diameter[at] / 4
    there = sum(share[s] * (out[f"ca.{x}[{s}]"] @ volume) for x in ("shell", "bound") for s in range(3))
    came = 10 * 0.05 * 125 / (2 * FARADAY) * 20.0 * CUT.area[CUT.numbers("apical[0]")].sum()
    assert there[-1] - there[0] == pytest.approx(came, rel=1e-8)


@pytest.mark.parametrize(("solver", "order"), [("staggered", 2), ("crank_nicolson", 2), ("backward_euler", 1)])
def test_the_order_of_shells_beside_V_and_the_way_along(solver, order):
    """Against an adaptive solver of the whole equations, where the step is short enough for half of it to be explicit."""
    cell = build(3, {**BUFFER, **PUMP, "D": "0.05 um^2/ms"})

    def end(dt, solver):
        record = ["ca.C_in", "ca.shell[2]"]
        out = run(cell, "4 ms", f"{dt} ms", record, solver=solver, stimulus=ch.at("soma", ch.step("0.02 nA")))
        return np.concatenate([out[name][-1] / np.ptp(out[name][-1]) for name in record])

    exact = end(0.05, "Kvaerno5_diffrax")
    errors = [np.abs(end(dt, solver) - exact).max() for dt in (0.025, 0.0125)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.4)


def test_channels_see_the_outermost_shell_and_shells_have_names():
    out = run(
        build(),
        record=[
            "apical[0](0.5).ca.C_in",
            "apical[0](0.5).ca.shell[0]",
            "apical[0](0.5).ca.shell[2]",
            "ca.E",
            "ca.shell[0]",
        ],
    )
    np.testing.assert_array_equal(out["apical[0](0.5).ca.C_in"], out["apical[0](0.5).ca.shell[0]"])
    assert out["apical[0](0.5).ca.C_in"][-1] > out["apical[0](0.5).ca.shell[2]"][-1] > 2.4e-4
    np.testing.assert_allclose(out["ca.E"], nernst(out["ca.shell[0]"], 2.0, 2, 20), rtol=1e-12)
    assert out.units["apical[0](0.5).ca.shell[2]"] == "mM"
    with pytest.raises(ch.ChannelomeError, match=r"Did you mean '...ca.shell\[2\]'"):
        run(build(), record="apical[0](0.5).ca.shell[3]")


def test_along_the_cell_only_where_it_is_asked_for():
    still = run(build(3, {"axial": False}), record="apical[1](0).ca.C_in")["apical[1](0).ca.C_in"]
    np.testing.assert_allclose(still, 2.4e-4, rtol=1e-12)
    assert run(build(3), record="apical[1](0).ca.C_in")["apical[1](0).ca.C_in"][-1] > 2.41e-4
    assert build(3, {"axial": False}).ready().diffusion == {}


def test_a_population_is_its_cells_one_by_one():
    own = np.array([0.1, 0.6, 2.0])
    many = run(build(3, {"D": (own[:, None], "um^2/ms"), **BUFFER}, size=3), record=["ca.shell[1]", "soma.V"])
    for i in range(3):
        alone = run(build(3, {"D": (own[i], "um^2/ms"), **BUFFER}), record=["ca.shell[1]", "soma.V"])
        np.testing.assert_allclose(many["ca.shell[1]"][:, i], alone["ca.shell[1]"], rtol=1e-10)
        np.testing.assert_allclose(many["soma.V"][:, i], alone["soma.V"], rtol=1e-10)


@pytest.mark.parametrize("name", some_of(["D", "B", "depth", "g"], "D"))
def test_derivatives_are_those_of_differences(name):
    def loss(p):
        ca = {
            "D": (D * (p if name == "D" else 1), "um^2/ms"),
            **BUFFER,
            **PUMP,
            "depth": (0.1 * (p if name == "depth" else 1), "um"),
        }
        ca["B"] = (0.05 * (p if name == "B" else 1), "mM")
        ICa = ch.on("apical[0]", Influx, g_max=(0.05 * (p if name == "g" else 1), "mS/cm^2"))
        out = run(
            build(3, ca, ICa=ICa), "3 ms", "0.1 ms", ["apical[0](1).ca.shell[2]", "apical[1](0).ca.C_in", "soma.V"]
        )
        free = jnp.log(out["apical[0](1).ca.shell[2]"]) + jnp.log(out["apical[1](0).ca.C_in"])
        return jnp.mean(free) + 0.1 * jnp.mean(out["soma.V"])

    slope = float(loss(1 + 1e-4) - loss(1 - 1e-4)) / 2e-4
    assert abs(slope) > 1e-6
    assert jax.grad(loss)(1.0) == pytest.approx(slope, rel=1e-4)
    assert jax.jvp(loss, (1.0,), (1.0,))[1] == pytest.approx(slope, rel=1e-4)


def test_two_parts_of_a_run_are_the_run_to_the_last_bit():
    cell = build(3, BUFFER)
    whole = run(cell, record="ca.shell[1]")
    first = run(cell, "2.5 ms")
    then = run(cell, "2.5 ms", record="ca.shell[1]", state=first.final, start="2.5 ms")
    np.testing.assert_array_equal(then["ca.shell[1]"], whole["ca.shell[1]"][50:])


def test_any_species_has_shells():
    cell = ch.SingleCompartment(
        1, ch.ion("IonShells", species="na", shells=3, D="0.6 um^2/ms", C_rest="10 mM", C_out="140 mM", diameter="1 um"),
        INa="INa_HH1952", celsius=6.3,
    )  # fmt: skip
    out = ch.simulate(cell, "2 ms", dt="0.01 ms", record=["na.E", "na.shell[2]"])
    assert out["na.E"][0, 0] == pytest.approx(8.314462618 * 279.45 / FARADAY * 1e3 * np.log(14), rel=1e-9)
    assert out["na.shell[2]"][-1, 0] > 10


def test_a_cell_with_shells_travels_and_is_data(tmp_path):
    cell = build(3, {**BUFFER, "axial": False}, ICa=ch.on("apical[0]", "ICaHT_Re1993"), celsius=36)
    assert pickle.loads(pickle.dumps(cell)) == cell == copy.deepcopy(cell)
    for name in ("cell.toml", "cell.json"):
        ch.save(cell, tmp_path / name)
        again = ch.load(tmp_path / name)
        assert again.ions["ca"].shells == 3 and again.ions["ca"].axial is False
        np.testing.assert_array_equal(run(again)["V"], run(cell)["V"])
    points = point(5, **PUMP)
    ch.save(points, tmp_path / "point.toml")
    assert ch.load(tmp_path / "point.toml").ions["ca"] == points.ions["ca"]


# ---- mistakes ------------------------------------------------------------------------------------------------------

MISTAKES = {
    "no shells": (lambda: point(0), "shells of CalciumShells is how many there are, 1 or more, not 0"),
    "half a shell": (lambda: point(1.5), "1 or more, not 1.5"),
    "a negative coefficient": (lambda: point(3, D="-1 um^2/ms"), "D of CalciumShells must be more than 0"),
    "a point of no diameter": (
        lambda: ch.SingleCompartment(1, "CalciumShells", celsius=20),
        "a point neuron has none: give it one, diameter='10 um'",
    ),
    "a diameter of compartments": (lambda: build(3, {"diameter": "1 um"}), "compartments have their own: leave diameter out"),
    "a shell thicker than there is room for": (
        lambda: build(3, {"depth": "0.3 um"}), "does not fit a diameter of 0.51.* um: depth must be less than half the radius",
    ),
    "the same in a point": (lambda: point(2, depth="1 um"), "depth must be less than the radius"),
    "a depth of one shell": (lambda: point(1, depth="0.1 um"), "one shell of CalciumShells is the whole compartment"),
    "half a buffer": (lambda: point(3, B="0.1 mM"), "a buffer of CalciumShells has B, k_on, k_off: give k_on=..., k_off=... too"),
    "half a pump": (lambda: point(3, v="0.1 mM*um/ms"), "give K=... too"),
    "axial that is no yes or no": (lambda: point(3, axial="0.6 um^2/ms"), "axial of CalciumShells is True or False"),
    "other shells by region": (
        lambda: build(ca=[ch.on("apical[0]", "CalciumShells", shells=3), ch.on("apical[1]", "CalciumShells", shells=4)]),
        "shells of 'ca' differs by region",
    ),
    "shells that a cell is given later": (lambda: build().replace(**{"ca.shells": 3}), "Its shells is given when it is made"),
}  # fmt: skip


test_a_mistake_is_named_with_the_way_out = each_is_named(MISTAKES)
