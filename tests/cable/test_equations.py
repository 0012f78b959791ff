"""Cells of compartments against SciPy's converged solution of the same equations, and against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dense_cable import IONS, MORPH, SQUID, conductances, crossing, squid

import channelome as ch


def axon(morph=MORPH, length="20 um", **given):
    return ch.MultiCompartment(morph, *IONS, **{**SQUID, "discretise": ch.max_length(length), **given})


def passive(morph, length, **given):
    leak = ch.channel("IL", g_max="0.1 mS/cm^2", E="-65 mV")
    return ch.MultiCompartment(morph, IL=leak, discretise=ch.max_length(length), **given)


@pytest.fixture(scope="module")
def converged():
    """V of all compartments every 0.1 ms, and the spike at the soma, under 0.7 nA there from between two steps on."""
    comps = axon().compartments
    t, into = np.arange(0, 6.0001, 0.0125), np.zeros(len(comps))
    into[comps.index("soma")] = 0.7
    V = squid(comps, t, lambda now: into * (now >= 1.0337), (1.0337,))
    return V[::8], crossing(t, V[:, comps.index("soma")])


@pytest.mark.parametrize(("solver", "order"), [("staggered", 2), ("crank_nicolson", 2), ("backward_euler", 1)])
def test_the_order_of_V_and_of_spikes_on_a_branched_axon(converged, solver, order):
    errors = []
    for dt in (0.1, 0.05, 0.025):
        run = ch.simulate(
            axon(),
            "6 ms",
            dt=f"{dt} ms",
            stimulus=ch.at("soma", ch.step("0.7 nA", start="1.0337 ms")),
            record="V",
            solver=solver,
        )
        V, spike = converged
        rows = run["V"][:: round(0.1 / dt)]
        errors.append((np.sqrt(np.mean((rows - V) ** 2)), abs(run.spikes.times[0] - spike[0])))
    slopes = np.log2(np.array(errors)[:-1] / np.array(errors)[1:])
    assert slopes[-1, 0] == pytest.approx(order, abs=0.35)
    if solver == "staggered":
        assert errors[-1][0] < 0.2 and errors[-1][1] < 0.005  # mV over the flanks of the spike too, and ms


def test_the_slope_of_the_whole_state_is_right_for_any_solver_of_equations():
    """An adaptive, implicit one of diffrax, on a cell with branch points, whose V follow those of their neighbours."""
    cell = axon(length="60 um")
    stimulus = ch.at("soma", ch.step("0.7 nA"))
    fine = ch.simulate(cell, "4 ms", dt="0.00625 ms", stimulus=stimulus, record="V", every=32)
    other = ch.simulate(cell, "4 ms", dt="0.2 ms", stimulus=stimulus, record="V", solver="Kvaerno5_diffrax")
    assert np.abs(fine["V"] - other["V"]).max() < 0.1


def test_a_sealed_cable_has_the_closed_form_and_converges_in_space_with_second_order():
    stick = ch.Morphology.soma("2 um", length="2 um").branch("dend", length="600 um", diameter="2 um", at="soma(1)")
    constant = np.sqrt(1 / 0.1e-3 * 2e-4 / (4 * 100)) * 1e4  # lambda in um: sqrt(Rm d / (4 Ra)) with 10 kohm cm^2
    errors = []
    for length in ("60 um", "30 um", "15 um"):
        cell = passive(stick, length, Ra="100 ohm*cm")
        rest = (
            ch.simulate(cell, "400 ms", dt="0.5 ms", stimulus=ch.at("soma(0)", ch.step("0.02 nA")), record="V")["V"][-1]
            + 65
        )
        comps = cell.compartments
        ends = rest[comps.index("dend(1)")] / rest[comps.index("dend(0)")]
        x = 602 - 2 - comps.length[-1] / 2 * np.array([1, 2 * (comps.branch == 1).sum() - 1])  # from the soma's end
        errors.append(abs(ends - np.cosh((600 - x[0]) / constant) / np.cosh((600 - x[1]) / constant)))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.2)
    assert np.log2(errors[1] / errors[2]) == pytest.approx(2, abs=0.2)


def test_transfer_resistances_are_reciprocal_and_those_of_the_matrix():
    cell = passive(MORPH, "25 um", Ra="150 ohm*cm")
    comps = cell.compartments
    there, back = "dend(1)", "apical[2](0.6)"
    rows = [
        ch.simulate(cell, "600 ms", dt="1 ms", stimulus=ch.at(a, ch.step("0.01 nA")), record=f"{b}.V")[f"{b}.V"][-1]
        + 65
        for a, b in ((there, back), (back, there))
    ]
    R = np.linalg.inv(conductances(comps, 150.0) + np.diag(0.1 * comps.area * 1e-5))[
        comps.index(there), comps.index(back)
    ]
    np.testing.assert_allclose(rows, 0.01 * R, rtol=1e-9)


def test_charge_is_kept_to_rounding():
    """Without a leak, what goes in is what the membrane holds."""
    cell = ch.MultiCompartment(MORPH, C="1.3 uF/cm^2", discretise=ch.max_length("10 um"))
    stimulus = ch.at("apical[1](0.9)", ch.step("0.1 nA", start="0.33 ms", stop="1.57 ms"))
    V = ch.simulate(cell, "4 ms", dt="0.1 ms", stimulus=stimulus, record="V")["V"] + 65
    held = (V * cell.compartments.area * 1.3e-5).sum(1)  # pC
    assert held[-1] == pytest.approx(0.1 * (1.57 - 0.33), rel=1e-12)


def test_nothing_zigzags_after_an_event_on_a_thin_tip():
    """Nor where the step is long: what is stiff is forgotten, which the trapezoid rule does not do."""
    cell = passive(MORPH.branch("apical", length="30 um", diameter="0.3 um", at="apical[2](1)"), "5 um")
    stimulus = ch.at("apical[3](1)", ch.step("0.2 nA", start="1 ms"))

    def zigzag(solver):
        V = ch.simulate(cell, "3 ms", dt="0.1 ms", stimulus=stimulus, record="apical[3](1).V", solver=solver)[
            "apical[3](1).V"
        ]
        return max(0.0, -np.diff(V[11:]).min())  # V only rises

    assert zigzag("staggered") < 0.05 < 0.5 < zigzag("crank_nicolson")


def test_float32_agrees_with_float64_where_compartments_are_half_a_micrometre():
    stick = ch.Morphology.ball_and_stick(length="200 um", diameter="1 um")
    runs = {}
    for x64 in (False, True):
        with jax.enable_x64():
            runs[x64] = ch.simulate(
                axon(stick, "0.5 um"),
                "6 ms",
                dt="0.025 ms",
                stimulus=ch.at("soma", ch.step("0.5 nA")),
                record=["soma.V", "dend(1).V"],
            )
    for name in ("soma.V", "dend(1).V"):
        assert np.abs(runs[False][name] - runs[True][name]).max() < 0.05


def test_the_step_has_as_much_program_for_a_large_tree_as_for_a_small_one():
    from channelome.cells.tree import Links, tr_bdf2

    def lines(length):
        cable = axon(length=length).ready()
        like = jnp.zeros(len(cable.links.parent))
        links = Links(*(jnp.asarray(x) for x in cable.links[:3]))
        return len(jax.jit(lambda: tr_bdf2(links, like, like, like)).lower().as_text().splitlines())

    assert lines("50 um") == lines("1 um")
