"""Gap junctions: closed forms of passive cells, order of convergence, conservation, errors."""

import brainunit as u
import jax
import numpy as np
import pytest
import scipy.linalg
from cases import some_of

import channelome as ch

STIMULUS = {"a": ch.step(np.linspace(0, 0.2, 6) * u.nA)}


def passive(weight: str) -> ch.Network:
    """Two cells of 10 pF that leak with a time constant of 10 ms towards -60 mV."""
    cells = ch.SingleCompartment(
        2, C="1 uF/cm^2", area="1000 um^2", V=np.array([-30.0, -70.0]) * u.mV,
        IL=ch.channel("IL", g_max="0.1 mS/cm^2", E="-60 mV"),
    )  # fmt: skip
    return ch.Network(
        cells=cells, gap=ch.Projection("cells[0]", "cells[1]", "GapJunction", connect=ch.one_to_one(), weight=weight)
    )


def axons() -> ch.Network:
    return ch.Network(
        a=ch.cell("SquidAxon_HH1952", size=6, area="1000 um^2"),
        b=ch.cell("SquidAxon_HH1952", size=3, area="500 um^2"),
        ab=ch.Projection("a", "b", "GapJunction", connect=ch.fixed_probability(0.5), weight="1 nS"),
        aa=ch.Projection("a", "a", "GapJunction", connect=ch.all_to_all(), weight=ch.uniform("0.1 nS", "1 nS", seed=1)),
    )


def difference(weight: float, t: np.ndarray) -> np.ndarray:
    """How far the two passive cells are apart: both junction ends push, so the rate is twice the weight over 10 pF."""
    return 40 * np.exp(-(0.1 + 2 * weight / 10) * t)


def test_two_passive_cells_follow_the_closed_form():
    run = ch.simulate(passive("1 nS"), "20 ms", dt="0.05 ms", record="cells.V")
    V, t = np.asarray(run["cells.V"]), np.asarray(run.t)
    assert np.allclose(V.mean(1), -60 + 10 * np.exp(-0.1 * t), atol=1e-4)
    assert np.allclose(V[:, 0] - V[:, 1], difference(1.0, t), atol=1e-4)


def test_no_strength_makes_it_overshoot():
    run = ch.simulate(passive("100000 nS"), "1 ms", dt="0.1 ms", record="cells.V")
    V = np.asarray(run["cells.V"])
    assert np.all(V[:, 0] >= V[:, 1] - 1e-9)
    assert abs(V[-1, 0] - V[-1, 1]) < 1e-6
    assert np.allclose(V[-1], -60 + 10 * np.exp(-0.1), atol=1e-3)


@pytest.mark.parametrize("solver", some_of(["staggered", "rk4", "crank_nicolson"], "staggered"))
def test_second_order_with_spikes(solver):
    def trace(dt: float, solver: str) -> np.ndarray:
        run = ch.simulate(
            axons(),
            "10 ms",
            dt=f"{dt} ms",
            every=round(0.1 / dt),
            solver=solver,
            stimulus=STIMULUS,
            record=["a.V", "b.V"],
        )
        return np.concatenate([run["a.V"], run["b.V"]], axis=1)

    exact = trace(0.0005, "rk4")
    assert exact.max() > 20  # they spike
    coarse, fine = (np.abs(trace(dt, solver) - exact).max() for dt in (0.02, 0.01))
    assert fine < 0.5
    assert coarse / fine > 3.3


def test_junctions_conserve_charge():
    """Without a leak, the charge of all cells together stays what it was."""
    cells = ch.SingleCompartment(
        5, area=np.linspace(500, 1500, 5) * u.um**2, V=np.linspace(-90, -40, 5) * u.mV, IL=ch.channel("IL", g_max="0 mS/cm^2")
    )  # fmt: skip
    net = ch.Network(
        cells=cells, gap=ch.Projection("cells", "cells", "GapJunction", connect=ch.all_to_all(), weight="0.5 nS")
    )
    V = np.asarray(ch.simulate(net, "5 ms", dt="0.1 ms", record="cells.V")["cells.V"])
    charge = V @ np.linspace(500, 1500, 5)
    assert np.allclose(charge, charge[0], rtol=1e-9)
    assert np.ptp(V[-1]) < 0.5 * np.ptp(V[0])


HUB = np.concatenate([np.zeros(79, int), np.arange(1, 79)]), np.concatenate([np.arange(1, 80), np.arange(2, 80)])
CONNECTED = {
    "few each": (ch.fixed_probability(0.1), "1 nS"),
    "own weights": (ch.fixed_probability(0.1), ch.uniform("0.2 nS", "2 nS", seed=3)),
    "wide rows": (ch.all_to_all(), "0.05 nS"),
    "a hub whose junctions fill many rows": (ch.from_arrays(*HUB), "1 nS"),
    "too strong to go without a solution": (ch.fixed_probability(0.1), "40 nS"),
}


@pytest.mark.parametrize(("rule", "weight"), CONNECTED.values(), ids=CONNECTED.keys())
@pytest.mark.parametrize("ends", ["one population", "two populations"])
def test_any_junctions_follow_the_exponential_of_their_matrix(rule, weight, ends):
    """Cells of 100 pF without a leak: ``C V' = -A V``."""
    V0 = np.linspace(-90, -40, 80)
    cells = ch.SingleCompartment(80, area="10000 um^2", V=V0 * u.mV, IL=ch.channel("IL", g_max="0 mS/cm^2"))
    post = "a" if ends == "one population" else "b"
    populations = {"a": cells} | ({} if post == "a" else {"b": cells})
    net = ch.Network(**populations, gap=ch.Projection("a", post, "GapJunction", connect=rule, weight=weight))
    path = net.projections["gap"]
    n, second = 80 * len(populations), 80 * (len(populations) - 1)
    A = np.zeros((n, n))
    pairs = path.wiring.edges.sources, path.wiring.edges.targets + second
    for sign, i, j in [(-1, *pairs), (-1, *pairs[::-1]), (1, pairs[0], pairs[0]), (1, pairs[1], pairs[1])]:
        np.add.at(A, (i, j), sign * np.asarray(path.weight))
    run = ch.simulate(net, "2 ms", dt="0.02 ms", record=[f"{name}.V" for name in populations])
    V = np.concatenate([run[f"{name}.V"][-1] for name in populations])
    exact = scipy.linalg.expm(-2 * A / 100) @ np.tile(V0, len(populations))
    np.testing.assert_allclose(V, exact, atol=1e-3)  # of up to 10 mV that it moves


@pytest.mark.thorough
def test_gradient_with_respect_to_the_weight():
    def mean(weight):
        net = axons().replace(**{"ab.weight": weight * u.nS})
        return ch.simulate(net, "3 ms", dt="0.05 ms", record="b.V", stimulus=STIMULUS)["b.V"].mean()

    slope = (mean(1.001) - mean(0.999)) / 0.002
    assert jax.grad(mean)(1.0) == pytest.approx(slope, rel=1e-4)


def test_what_has_no_meaning_is_refused():
    cells = ch.cell("SquidAxon_HH1952", size=4, area="1000 um^2")

    def net(pre: str = "a", population=cells, **other) -> ch.Network:
        given = {"weight": "1 nS"} | other
        source = ch.Poisson(4, rate="1 Hz")
        return ch.Network(
            a=population, s=source, gap=ch.Projection(pre, "a", "GapJunction", connect=ch.one_to_one(), **given)
        )

    with pytest.raises(ch.UnitError, match=r"'gap'.*absolute conductance.*'1 nS'"):
        net(weight="1 mS/cm^2")
    with pytest.raises(ch.ModelError, match=r"'gap'.*takes no delay"):
        net(delay="1 ms")
    with pytest.raises(ch.ModelError, match=r"'gap'.*takes no plasticity"):
        net(plasticity="TsodyksMarkram")
    with pytest.raises(ch.ModelError, match=r"'s' has no membrane"):
        net(pre="s")
    with pytest.raises(ch.ModelError, match=r"'gap'.*'a' has no area"):
        net(population=ch.cell("SquidAxon_HH1952", size=4))
