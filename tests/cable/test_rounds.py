"""Elimination in rounds against the sweep from node to node, and against NumPy's dense solution; the schedule and the program's size."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dense_cable import MORPH

import channelome as ch
from channelome.cells.rounds import rounds_of
from channelome.cells.tree import Links
from channelome.cells.tree import implicit as eager_implicit
from channelome.cells.tree import tr_bdf2 as eager_tr_bdf2

implicit, tr_bdf2 = jax.jit(eager_implicit), jax.jit(eager_tr_bdf2)


def chain(n):
    return np.maximum(np.arange(n) - 1, 0)


def star(n):
    return np.zeros(n, int)


def grown(n, near=3):
    """A random tree whose branches grow on where others ended, or from the middle."""
    rng = np.random.default_rng(n)
    return np.array([0, *(rng.integers(max(0, i - near), i) for i in range(1, n))])


TREES = {
    "one node": chain(1), "two nodes": chain(2), "a chain": chain(37), "a star": star(20), "binary": (np.arange(63) - 1).clip(0) // 2,
    "grown": grown(200), "grown wide": grown(150, near=100),
}  # fmt: skip


def system(parent, cells=()):
    """Links in rounds and without, and the rest of the equations."""
    rng = np.random.default_rng(len(parent))
    m = len(parent)
    g = rng.lognormal(0, 1.5, m)
    both = [Links.of(jnp.asarray(parent, jnp.int32), g, rounds) for rounds in (None, rounds_of(parent))]
    return both, [jnp.asarray(rng.lognormal(0, 1, (m, *cells))) for _ in range(2)] + [
        jnp.asarray(rng.normal(size=(m, *cells)))
    ]


@pytest.mark.parametrize(("tree", "cells"), [*((tree, ()) for tree in TREES), ("a star", (3,)), ("grown", (2, 2))])
def test_rounds_solve_what_the_sweep_does(tree, cells):
    (serial, rounds), (capacity, slope, force) = system(TREES[tree], cells)
    a, b = (tr_bdf2(links, capacity, slope, force) for links in (rounds, serial))
    np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("tree", TREES)
def test_rounds_solve_the_dense_equations(tree):
    parent = TREES[tree]
    (_, rounds), (capacity, _, force) = system(parent)
    m, g = len(parent), np.asarray(rounds.g)
    dense = np.diag(np.asarray(capacity))
    for i in range(1, m):
        here = np.ix_([i, parent[i]], [i, parent[i]])
        dense[here] += g[i] * np.array([[1, -1], [-1, 1]])
    np.testing.assert_allclose(implicit(rounds, capacity, force), np.linalg.solve(dense, np.asarray(force)), rtol=1e-10)


@pytest.mark.parametrize("tree", ["two nodes", "a star", "grown"])
def test_derivatives_in_rounds_are_those_of_the_sweep(tree):
    (serial, rounds), numbers = system(TREES[tree])
    weights = jnp.linspace(-1, 1, len(TREES[tree]))

    def loss(links, g, capacity, slope, force):
        return jnp.sum(weights * tr_bdf2(Links.of(links.parent, g, links.rounds), capacity, slope, force))

    given = (serial.g, *numbers)
    by_rounds, by_sweep = (jax.jit(jax.grad(loss, argnums=(1, 2, 3, 4)))(links, *given) for links in (rounds, serial))
    for a, b in zip(by_rounds, by_sweep, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-13)
    tangents = tuple(jnp.ones_like(x) for x in given)
    forward = [
        jax.jit(lambda x, t, links=links: jax.jvp(lambda *x: loss(links, *x), x, t)[1])(given, tangents)
        for links in (rounds, serial)
    ]
    assert forward[0] == pytest.approx(float(forward[1]), rel=1e-10)
    assert forward[0] == pytest.approx(float(sum(jnp.sum(x) for x in by_rounds)), rel=1e-9)  # forward and reverse


def test_trees_side_by_side_are_solved_in_rounds_too():
    (serial, rounds), (capacity, slope, force) = system(TREES["grown"])
    scales = jnp.asarray([0.5, 1.0, 2.0])
    many = jax.vmap(lambda s: tr_bdf2(rounds, capacity, s * slope, force))(scales)
    for s, x in zip(scales, many, strict=True):
        np.testing.assert_allclose(x, tr_bdf2(serial, capacity, s * slope, force), rtol=1e-10, atol=1e-13)


def test_float32_is_as_near_as_the_sweep(float32):
    (serial, rounds), numbers = system(TREES["grown"])
    with jax.enable_x64(True):
        exact = np.asarray(
            tr_bdf2(Links.of(serial.parent, np.asarray(serial.g, float)), *(x.astype(float) for x in numbers))
        )
    off = [np.abs(np.asarray(tr_bdf2(links, *numbers)) - exact).max() for links in (rounds, serial)]
    assert off[0] < max(3 * off[1], 1e-6)


@pytest.mark.parametrize("n", [10, 100, 1000, 10_000])
@pytest.mark.parametrize("make", [chain, star, grown])
def test_rounds_are_as_many_as_the_logarithm_of_the_tree(make, n):
    rounds = rounds_of(make(n))
    assert len(rounds.each) <= 1.7 * np.log2(n) + 2
    assert sorted(rounds.order) == list(range(n))
    assert sum(one.keep.size for one in rounds.each) < 4 * n  # the work


def equations(n):
    (_, links), numbers = system(grown(n))
    assert links.rounds is not None
    program = jax.make_jaxpr(lambda *x: eager_tr_bdf2(links, *x))(*numbers)
    return str(program).count("\n"), len(links.rounds.each)


def test_the_program_grows_with_the_rounds_alone():
    (small, few), (large, many) = equations(100), equations(10_000)
    assert large / many < 1.2 * small / few
    assert large < 3.5 * small


def test_a_cell_runs_the_same_in_rounds(monkeypatch):
    parts = {"INa": "INa_HH1952", "IK": "IK_HH1952", "IL": ch.channel("IL", g_max="0.3 mS/cm^2", E="-54.387 mV")}
    cell = ch.MultiCompartment(
        MORPH, "SodiumFixed", ch.ion("PotassiumFixed", E="-77 mV"), celsius=6.3, discretise=ch.max_length("30 um"), **parts
    )  # fmt: skip

    def V(g):
        stimulus = ch.at("soma", ch.step("0.7 nA", start="1 ms"))
        own = cell.replace(**{"INa.g_max": (g, "mS/cm^2")})
        return ch.simulate(own, "5 ms", dt="0.025 ms", stimulus=stimulus, record="V")["V"]

    def run():
        return jax.jit(lambda g: (V(g), jax.grad(lambda g: jnp.mean(V(g) ** 2))(g)))(120.0)

    serial = run()
    assert serial[0].max() > 0  # it fires
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    rounds = run()
    np.testing.assert_allclose(rounds[0], serial[0], rtol=0, atol=1e-8)
    assert rounds[1] == pytest.approx(float(serial[1]), rel=1e-8)
    assert not np.array_equal(rounds[0], serial[0])  # another order of rounding: rounds were taken
