"""Cells beside one another of whatever number: filled up to what vectors take, which changes nothing but the time."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import channelome as ch
from channelome.engine import prepare
from channelome.engine.solvers import filled

MORPH = (
    ch.Morphology.soma("20 um")
    .branch("dend", length="200 um", diameter="2 um")
    .branch("apical", length="150 um", diameter="1 um", at="dend(1)")
    .branch("apical", length="100 um", diameter="0.6 um", at="dend(1)")
)
IONS = ("SodiumFixed", ch.ion("PotassiumFixed", E="-77 mV"))
STEP = ch.at("soma", ch.step("0.8 nA", start="0.513 ms"))
NAMES = ["V", "soma.V", "soma.INa.m", "IK.n", "ca.C_in", "ICa.current"]


def cell(size, **given):
    parts = {
        "INa": ch.on("soma", "INa_HH1952"), "IK": "IK_HH1952", "IL": ch.channel("IL", g_max="0.3 mS/cm^2", E="-54.387 mV"),
        "ca": ch.on("apical", "CalciumDetailed", tau="20 ms"), "ICa": ch.on("apical", "ICaHT_Re1993", g_max="0.5 mS/cm^2"),
    }  # fmt: skip
    return ch.MultiCompartment(
        MORPH.discretise(ch.max_length("40 um")), *IONS, celsius=6.3, size=size, **(parts | given)
    )


def of_each(model):
    """Numbers of their own for every cell: of channels, of the membrane, of where it starts."""
    each = np.linspace(0.8, 1.2, int(np.prod(model.size))).reshape(*model.size, 1)
    n = len(model.compartments)
    return model.replace(
        C=(each, "uF/cm^2"), Ra=(100 * each, "ohm*cm"), V=(-65 * each, "mV"), V_th=(-10 * each, "mV"),
        **{"IK.g_max": (36 * each * np.linspace(1, 0.5, n), "mS/cm^2"), "IL.g_max": (0.3 * each, "mS/cm^2")},
    )  # fmt: skip


def both_ways(monkeypatch, run):
    """What `run` gives with cells that are filled up, and without."""
    found = run()
    monkeypatch.setattr(prepare, "_filled", lambda *_: ())
    return found, run()


def close(one, other, rtol=2e-5):
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        scale = float(np.max(np.abs(np.asarray(b)), initial=1e-3))
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=rtol, atol=rtol * scale)


def test_as_many_as_vectors_take():
    wanted = {1: 1, 2: 2, 3: 4, 5: 8, 10: 16, 16: 16, 17: 32, 33: 64, 64: 64, 65: 80, 100: 112, 112: 112, 1000: 1008}
    assert {n: filled.filled_up(n) for n in wanted} == wanted


def test_which_cells_are_filled_up(monkeypatch):
    seen = {}
    own = prepare._filled

    def spy(plan, blocks, clamps):
        return seen.setdefault("filled", own(plan, blocks, clamps))

    monkeypatch.setattr(prepare, "_filled", spy)
    for size, wanted in (((), ()), (4, ()), (3, ((3,),)), ((2, 3), ((2, 3),)), ((2, 4), ((2, 4),))):
        seen.clear()
        ch.simulate(cell(size), "0.05 ms", dt="0.025 ms")
        assert tuple(of for _, of in seen["filled"]) == wanted


SOLVERS = ("staggered", "crank_nicolson", "backward_euler")


@pytest.mark.parametrize("size", [(2, 3), 17])
def test_numbers_are_those_of_the_cells_alone(monkeypatch, size):
    model = of_each(cell(size))
    into = ch.at("soma", ch.step((np.linspace(0.3, 0.9, int(np.prod(model.size))).reshape(model.size), "nA")))

    def run():
        return ch.simulate(model, "8 ms", dt="0.025 ms", stimulus=into, record=[*NAMES, "spikes"], every=20)

    one, other = both_ways(monkeypatch, run)
    close({name: one[name] for name in NAMES}, {name: other[name] for name in NAMES})
    assert one["V"].shape == (17, *model.size, len(model.compartments))
    for a, b in zip(one.spikes.times, other.spikes.times, strict=True):
        assert abs(float(a) - float(b)) < 1e-3
    assert np.array_equal(one.spikes.neurons, other.spikes.neurons)
    close(one.final, other.final)


@pytest.mark.parametrize("solver", SOLVERS)
def test_whatever_the_solver(monkeypatch, solver):
    def run():
        found = ch.simulate(cell(3), "4 ms", dt="0.025 ms", stimulus=STEP, record=NAMES, solver=solver)
        return {name: found[name] for name in NAMES}

    close(*both_ways(monkeypatch, run))


def test_a_run_goes_on_from_a_state(monkeypatch):
    model = of_each(cell(3))

    def run():
        first = ch.simulate(model, "2 ms", dt="0.025 ms", stimulus=STEP)
        assert first.final.V.shape == (3, len(model.compartments.tree))
        return ch.simulate(model, "2 ms", dt="0.025 ms", stimulus=STEP, state=first.final, start="2 ms")["V"]

    found, other = both_ways(monkeypatch, run)
    close(found, other)
    whole = ch.simulate(model, "4 ms", dt="0.025 ms", stimulus=STEP)["V"]
    close(found[-1], whole[-1])


def test_derivatives_are_those_of_the_cells_alone(monkeypatch):
    model = cell(3)

    def loss(g, amplitude):
        changed = model.replace(**{"IK.g_max": (g, "mS/cm^2")})
        into = ch.at("soma", ch.step((amplitude, "nA"), start="0.5 ms"))
        return jnp.mean(ch.simulate(changed, "2 ms", dt="0.025 ms", stimulus=into)["V"] ** 2)

    given = jnp.asarray([[30.0], [36.0], [40.0]]), jnp.asarray([0.3, 0.5, 0.7])
    one, other = both_ways(monkeypatch, lambda: (jax.grad(loss, (0, 1))(*given), jax.jacfwd(loss)(*given)))
    close(one, other, 2e-4)


def test_synapses_and_threshold_of_a_network(monkeypatch):
    def run():
        onto = {"delay": "0.5 ms", "weight": ch.uniform("2 nS", "6 nS", seed=1)}
        net = ch.Network(
            seed=3,
            noise=ch.Poisson(20, rate="900 Hz"),
            a=cell((2, 3)),
            b=of_each(cell(5)),
            na=ch.Projection("noise", "a.spread(apical)", "Expon", ch.fixed_probability(0.7), **onto),
            ab=ch.Projection("a", "b.dend(0.3)", ch.synapse("Expon", E="0 mV"), ch.fixed_probability(0.9), **onto),
        )
        into = {"a": STEP, "b": ch.step("20 uA/cm^2", start="1 ms", stop="1.5 ms")}
        found = ch.simulate(
            net, "8 ms", dt="0.025 ms", stimulus=into, record=["a.V", "b.V", "a[1, 4].soma.V", "b.IK.n", "na.g", "ab.current"], every=10
        )  # fmt: skip
        assert sum(len(trains.times) for trains in found.spikes.values()) > 20
        return found

    one, other = both_ways(monkeypatch, run)
    for name in ("a.V", "b.V", "a[1, 4].soma.V", "b.IK.n", "na.g", "ab.current"):
        close(one[name], other[name], 1e-4)
    assert one["a.V"].shape[1:3] == (2, 3)
    for label in one.spikes:
        assert np.array_equal(one.spikes[label].neurons, other.spikes[label].neurons)
