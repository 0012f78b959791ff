"""Ions that diffuse along a cell: closed forms, conservation, order, regions, derivatives, mistakes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import each_is_named

import channelome as ch
from channelome.authoring import Concentration, Conductance, GeneralIon, Length, Ohmic, Voltage
from channelome.cells.diffusion import moving
from channelome.maths import FARADAY
from channelome.mechanisms.rules import CLIPPED_PADE

D = 0.6
"""um^2/ms."""
MORPH = (
    ch.Morphology.soma("8 um")
    .branch("dend", length="40 um", diameter=("3 um", "1 um"))
    .branch("apical", length="60 um", diameter=("4 um", "2 um"))
    .branch("apical", length="30 um", diameter="1 um", at="apical[0](1)")
    .branch("apical", length="50 um", diameter=("0.9 um", "0.5 um"), at="apical[0](1)")
)
CUT = MORPH.discretise(ch.max_length("3 um"))
CYLINDER = ch.Morphology.from_table(
    {"unit": "um", "branches": [{"type": "dend", "points": [[0.0, 0.0, 0.0, 2.0], [100.0, 0.0, 0.0, 2.0]]}]}
)


class Influx(Ohmic, ion="ca"):
    """A calcium current that is driven by its own reversal potential."""

    g_max: Conductance = 0.01
    E: Voltage = 60.0

    def conductance(self):
        return self.g_max


class Still(GeneralIon, species="ca"):
    """Concentrations that are given."""

    C_in: Concentration = 1e-4
    C_out: Concentration = 2.0


class Two(GeneralIon, species="ca", variables=("C_in", "B")):
    """Two things that move, each with its own coefficient, in a shell and the core of a cylinder; B turns into nothing."""

    diameter: Length = None
    C_out: Concentration = 2.0
    C_rest: Concentration = 1e-3
    B_rest: Concentration = 2e-3

    def rest(self):
        return {"C_in": self.C_rest, "B": self.B_rest}

    def derivatives(self, C_in, B):
        return {"C_in": 0 * C_in, "B": -2e-4 * B}

    def diffusion(self):
        return {"C_in": (D, self.diameter**2 / 2), "B": (D / 4, self.diameter**2 / 5)}


def pool(**given):
    """Calcium that nothing removes."""
    return ch.ion("CalciumDetailed", **{"D": (D, "um^2/ms"), "tau": "1e30 ms"} | given)


def build(comps=CUT, ca=None, **given):
    return ch.MultiCompartment(comps, ca=pool() if ca is None else ca, **{"celsius": 20, **given})


def calcium(cell, duration=20.0, dt=0.1, record="ca.C_in", **given):
    run = ch.simulate(cell, (duration, "ms"), dt=(dt, "ms"), record=record, **given)
    return np.asarray(run[record])


def uneven(comps):
    """mM by compartment, between next to nothing and 1 uM."""
    return 1e-3 * (1.0001 + np.cos(np.arange(len(comps)) * 2.4))


def mode(comps, length=100.0, C=1e-3):
    return C * (1 + 0.5 * np.cos(np.pi * comps.x)), (np.pi / length) ** 2 * D


# ---- closed forms --------------------------------------------------------------------------------------------------


def test_a_wave_on_a_sealed_cylinder_decays_at_its_rate():
    comps = CYLINDER.discretise(ch.per_branch(200))
    start, rate = mode(comps)
    C = calcium(build(comps, pool(C_rest=(start, "mM"))), 1000.0, 1.0, every=100)
    shape = np.cos(np.pi * comps.x)
    amplitude = (C @ shape) / (shape @ shape)
    np.testing.assert_allclose(amplitude, 5e-4 * np.exp(-rate * np.arange(11) * 100.0), rtol=5e-4)
    np.testing.assert_allclose(C[-1], 1e-3 + amplitude[-1] * shape, rtol=1e-9)  # it is the shape that stays itself


def test_each_variable_has_its_own_coefficient():
    comps = CYLINDER.discretise(ch.per_branch(200))
    C, rate = mode(comps)
    B, _ = mode(comps, C=2e-3)
    cell = build(comps, Two(C_rest=(C, "mM"), B_rest=(B, "mM")))
    run = ch.simulate(cell, "1000 ms", dt="2 ms", record=["ca.C_in", "ca.B"], every=500)
    shape = np.cos(np.pi * comps.x)
    C, B = (np.asarray(run[name])[-1] for name in ("ca.C_in", "ca.B"))
    assert (C @ shape) / (shape @ shape) == pytest.approx(5e-4 * np.exp(-1000 * rate), rel=1e-3)
    assert (B @ shape) / (shape @ shape) == pytest.approx(1e-3 * np.exp(-1000 * (rate / 4 + 2e-4)), rel=1e-3)
    assert B.mean() == pytest.approx(2e-3 * np.exp(-0.2), rel=1e-4)


def test_the_volume_that_a_variable_fills_is_that_of_its_cross_section():
    """What it exchanges follows the square of the diameter, as the volume of compartments does: it ends even, and none is lost."""
    start = uneven(CUT)
    C = calcium(build(CUT, Two(C_rest=(start, "mM"))), 20000.0, 100.0, every=200)
    volume = CUT.area * CUT.diameter
    np.testing.assert_allclose(C @ volume, start @ volume, rtol=1e-12)
    np.testing.assert_allclose(C[-1], np.average(start, weights=volume), rtol=0.02)


def test_refinement_in_space_is_of_second_order():
    errors = []
    for count in (5, 10, 20):
        comps = CYLINDER.discretise(ch.per_branch(count))
        start, rate = mode(comps)
        C = calcium(build(comps, pool(C_rest=(start, "mM"))), 2000.0, 1.0)[-1]
        errors.append(abs((C[0] - 1e-3) / (5e-4 * np.cos(np.pi * comps.x[0])) - np.exp(-2000 * rate)))
    assert np.log2(np.array(errors)[:-1] / np.array(errors)[1:]) == pytest.approx([2, 2], abs=0.15)


@pytest.mark.parametrize(("solver", "order"), [("staggered", 2), ("crank_nicolson", 2), ("backward_euler", 1)])
def test_the_order_in_time_of_what_diffuses(solver, order):
    """Of a wave of the compartments themselves, whose rate they have exactly."""
    comps = CYLINDER.discretise(ch.per_branch(10))
    start, _ = mode(comps)
    rate = 2 * D / 10.0**2 * (1 - np.cos(np.pi / 10))
    exact = 1e-3 + (start - 1e-3) * np.exp(-1000 * rate)
    cell = build(comps, pool(C_rest=(start, "mM")))
    errors = [np.abs(calcium(cell, 1000.0, dt, solver=solver)[-1] - exact).max() for dt in (100.0, 50.0, 25.0)]
    assert np.log2(errors[1] / errors[2]) == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize(("solver", "order"), [("staggered", 2), ("crank_nicolson", 2), ("backward_euler", 1)])
def test_the_order_beside_V_where_currents_bring_what_diffuses(solver, order):
    """Influx that follows V, E that follows what came in, a decay and fast diffusion, together."""
    cell = ch.MultiCompartment(
        CUT, ca=ch.on("apical", "CalciumDetailed", D="10 um^2/ms", tau="8 ms", d="0.2 um"),
        ICa=ch.on("apical[0]", Influx, g_max="0.05 mS/cm^2"), IL=ch.channel("IL", g_max="0.3 mS/cm^2", E="-70 mV"),
        celsius=20, C="0.7 uF/cm^2",
    )  # fmt: skip
    stimulus = ch.at("soma", ch.step("0.02 nA"))

    def end(dt, solver):
        run = ch.simulate(cell, "8 ms", dt=f"{dt} ms", record=["ca.C_in", "V"], stimulus=stimulus, solver=solver)
        return np.concatenate([1e3 * run["ca.C_in"][-1], run["V"][-1]])

    exact = end(0.1, "Kvaerno5_diffrax")
    errors = [np.abs(end(dt, solver) - exact).max() for dt in (0.4, 0.2, 0.1)]
    assert np.log2(errors[1] / errors[2]) == pytest.approx(order, abs=0.35)
    assert errors[0] < 0.1 * np.ptp(exact)


def test_a_tapering_tree_converges_in_space_with_second_order():
    """Its mean over each branch, from calcium that begins in one of them."""
    means = []
    for length in ("6 um", "3 um", "1.5 um", "0.75 um"):
        comps = MORPH.discretise(ch.max_length(length))
        start = 1e-4 + 1e-3 * np.sin(np.pi * comps.x) ** 2 * (comps.branch == 2)
        C = calcium(build(comps, pool(C_rest=(start, "mM"))), 300.0, 0.5)[-1]
        means.append([np.average(C[comps.branch == b], weights=comps.area[comps.branch == b]) for b in range(1, 5)])
    change = np.abs(np.diff(means, axis=0)).max(1)
    assert np.log2(change[:-1] / change[1:]) == pytest.approx([2, 2], abs=0.4)


# ---- what must hold ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["staggered", "crank_nicolson", "backward_euler"])
@pytest.mark.parametrize("x64", [False, True])
def test_what_there_is_is_kept_to_rounding_and_spreads_evenly(x64, solver):
    """Over branch points and tapering branches, whatever the step; with layers of unequal depth, too."""
    d = 0.5 + 0.3 * np.sin(np.arange(len(CUT)))
    cell = build(CUT, pool(C_rest=(uneven(CUT), "mM"), d=(d, "um")))
    with jax.enable_x64(x64):
        C = calcium(cell, 5e4, 25.0, every=100, solver=solver)
    total = C.astype(float) @ (CUT.area * d)
    assert np.abs(total / total[0] - 1).max() < (1e-12 if x64 else 3e-6)
    np.testing.assert_allclose(C[-1], total[0] / (CUT.area @ d), rtol=1e-3)
    assert C.min() > 0 or solver == "crank_nicolson"


def test_no_concentration_falls_below_zero_however_long_the_step():
    start = np.where(CUT.branch == 2, 1e-2, 1e-9)
    fine = MORPH.discretise(ch.max_length("0.5 um"))
    for comps, C_rest in ((CUT, start), (fine, np.where(np.arange(len(fine)) == 40, 1.0, 1e-9))):
        for dt in (0.05, 1.0, 50.0):
            C = calcium(build(comps, pool(C_rest=(C_rest, "mM"))), 20 * dt, dt)
            assert np.isfinite(C).all() and C.min() > 0


def test_currents_bring_as_much_as_is_there():
    """-I / (2 F) through the membrane, summed over the cell, is what its layer holds more; diffusion only moves it."""
    cell = build(CUT, ca=pool(d="0.3 um"), ICa=ch.on("apical[1]", Influx), C="1e12 uF/cm^2")
    C = calcium(cell, 20.0)
    came = 10 * 0.01 * 125 / (2 * FARADAY) * 20.0 * CUT.area[CUT.numbers("apical[1]")].sum()  # mM um^3
    assert ((C[-1] - C[0]) * CUT.area * 0.3).sum() == pytest.approx(came, rel=1e-9)
    assert C[-1, CUT.index("apical[0](1)")] > 1.01 * C[0, 0] < C[-1, CUT.index("apical[2](0)")]


def test_at_the_border_of_its_region_nothing_flows():
    """Branches that meet where the ion is not keep their own; daughters of one that it is not in share the junction between them."""
    there = "apical[1] | apical[2] | dend"
    numbers = CUT.numbers(there)
    cell = build(CUT, ch.on(there, pool(C_rest=(uneven(CUT)[numbers], "mM"))))
    C, area, branch = calcium(cell, 100.0), CUT.area[numbers], CUT.branch[numbers]
    dend = branch == 1
    total = (C * area)[:, dend].sum(1)
    np.testing.assert_allclose(total, total[0], rtol=1e-12)
    daughters = (C * area)[:, ~dend]
    np.testing.assert_allclose(daughters.sum(1), daughters[0].sum(), rtol=1e-12)
    assert abs(daughters[-1, branch[~dend] == 3].sum() / daughters[0, branch[~dend] == 3].sum() - 1) > 1e-3


def test_a_diffusion_that_differs_along_the_cell_is_that_of_its_parts():
    """Two halves in series: at rest as much flows through one as through the other."""
    comps = CYLINDER.discretise(ch.per_branch(50))
    own = np.where(comps.x < 0.5, 0.2, 1.0)
    cell = build(comps, pool(D=(own, "um^2/ms"), C_rest="1e-3 mM", d="0.5 um", tau="1e4 ms"), C="1e12 uF/cm^2")
    one = build(comps, pool(D=(np.full(50, D), "um^2/ms"), C_rest=(uneven(comps), "mM")))
    same = build(comps, pool(C_rest=(uneven(comps), "mM")))
    np.testing.assert_allclose(calcium(one), calcium(same), rtol=1e-12)
    tree, g = comps.tree, cell.ready().diffusion["ca"].links.g
    pairs = zip(tree.node[1:].tolist(), tree.node[tree.parent[1:]].tolist(), strict=True)
    between = {frozenset(pair): own for pair, own in zip(pairs, g[1:], strict=True)}
    flow = [between[frozenset((i - 1, i))] for i in (10, 25, 40)]
    area = np.pi * 2 * 0.5  # um^2: of the layer across
    np.testing.assert_allclose(flow, area / 2.0 * np.array([0.2, 1 / (0.5 / 0.2 + 0.5 / 1.0), 1.0]))


def test_a_population_is_its_cells_one_by_one():
    own = np.array([0.1, 0.6, 3.0])
    many = build(CUT, pool(D=(own[:, None], "um^2/ms"), C_rest=(uneven(CUT), "mM")), size=3)
    together = calcium(many)
    for i in range(3):
        alone = calcium(build(CUT, pool(D=(own[i], "um^2/ms"), C_rest=(uneven(CUT), "mM"))))
        np.testing.assert_allclose(together[:, i], alone, rtol=1e-12)


@pytest.mark.parametrize("name", ["D", "along", "g"])
def test_derivatives_are_those_of_differences(name):
    def loss(p):
        D = (
            (30.0 * p * jnp.ones(len(CUT)), "um^2/ms")
            if name == "along"
            else (30.0 * (p if name == "D" else 1), "um^2/ms")
        )
        ICa = ch.on("apical[0]", Influx, g_max=(0.05 * (p if name == "g" else 1), "mS/cm^2"))
        cell = build(CUT, pool(D=D, tau="20 ms"), ICa=ICa)
        run = ch.simulate(cell, "4 ms", dt="0.1 ms", record=["apical[2](0.2).ca.C_in", "soma.V"])
        return jnp.mean(jnp.log(run["apical[2](0.2).ca.C_in"])) + 0.1 * jnp.mean(run["soma.V"])

    slope = float(loss(1 + 1e-4) - loss(1 - 1e-4)) / 2e-4
    assert abs(slope) > 1e-4
    assert jax.grad(loss)(1.0) == pytest.approx(slope, rel=1e-5)
    assert jax.jvp(loss, (1.0,), (1.0,))[1] == pytest.approx(slope, rel=1e-5)


def test_rounds_are_the_sweep(monkeypatch):
    """As on an accelerator, with a region in pieces."""
    there = "apical[1] | apical[2] | dend"
    cell = build(CUT, ch.on(there, pool(C_rest=(uneven(CUT)[CUT.numbers(there)], "mM"))), size=2)
    swept = calcium(cell)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert cell.ready().diffusion["ca"].links.rounds is not None
    np.testing.assert_allclose(calcium(cell), swept, rtol=1e-9)


# ---- what it costs where it is not asked for -----------------------------------------------------------------------


def test_without_a_coefficient_the_program_is_that_of_its_balance_alone():
    """No arrays, and no operation but the pool's own."""
    cable = build(CUT, ch.on("apical", pool(D=None)), ICa=ch.on("apical[0]", Influx)).ready()
    state = cable.initial_state()
    carried = cable.carried(cable.currents(state), state)
    assert jax.tree.leaves(cable.diffusion) == []

    def programs(of):
        return str(jax.make_jaxpr(of)(state, carried))

    ion = cable.ions["ca"]
    assert programs(lambda s, I: cable.pools(s, I, 0.025, CLIPPED_PADE)) == programs(
        lambda s, I: {"ca": ion.relax(s.ions["ca"], I["ca"], 0.025, CLIPPED_PADE)}
    )
    assert programs(lambda s, I: moving(ion, cable.along("ca"), s.ions["ca"], I["ca"])) == programs(
        lambda s, I: ion.slope(s.ions["ca"], I["ca"])
    )


# ---- mistakes ------------------------------------------------------------------------------------------------------

MISTAKES = {
    "a negative coefficient": (lambda: pool(D="-1 um^2/ms"), "D of CalciumDetailed must be more than 0"),
    "no diffusion, as a number": (lambda: pool(D="0 um^2/ms"), "D of CalciumDetailed must be more than 0"),
    "a unit": (lambda: pool(D="1 um"), "D of CalciumDetailed"),
    "a point": (
        lambda: ch.SingleCompartment(1, pool(), celsius=20),
        "a point neuron has no compartments to diffuse between: leave D out, or build a MultiCompartment",
    ),
    "nothing that changes": (lambda: build(CUT, Still(D="1 um^2/ms")), "has no C_in that changes: take a pool"),
    "what is no variable": (lambda: build(ca=type("Odd", (Two,), {"diffusion": lambda self: {"A": (1.0, 1.0)}})()), "lets 'A' diffuse, which is none of its variables C_in, B"),
    "a coefficient beside its own": (lambda: build(ca=Two(D="1 um^2/ms")), "says itself how it diffuses along a cell, and takes no D"),
    "a point without a diameter": (lambda: ch.SingleCompartment(1, Two(), celsius=20), "depends on the diameter, and a point neuron has none"),
    "something else of that name": (lambda: type("Deep", (GeneralIon,), {"__annotations__": {"D": Length}, "D": 1.0}, species="ca"), "give that another name"),
    "a fixed ion": (lambda: ch.ion("CalciumFixed", D="1 um^2/ms"), "CalciumFixed has no parameter 'D'"),
}  # fmt: skip


test_a_mistake_is_named_with_the_way_out = each_is_named(MISTAKES)
