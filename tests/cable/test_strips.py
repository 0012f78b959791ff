"""Sweeps from strip to strip against NumPy's dense solution and the sweep from node to node; which strips there are."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import channelome as ch
from channelome.cells.strips import WIDTH, strips_of
from channelome.cells.tree import Links, implicit, tr_bdf2
from channelome.morphology.breadth import from_the_middle

PYRAMIDAL = ch.Morphology.from_swc(Path(ch.__file__).parent / "morphology/pyramidal.swc")


def chains(count, length):
    """As many chains from a root, breadth first."""
    return np.maximum(np.arange(1 + count * length) - count, 0)


def grown(m):
    """A random tree of long branches."""
    rng = np.random.default_rng(m)
    parent = np.array([-1, *(i - 1 if rng.random() < 0.95 else rng.integers(i) for i in range(1, m))])
    node, above = from_the_middle(parent)
    position = np.argsort(node)
    return np.where(above < 0, 0, position[above])


TREES = {
    "three chains": chains(3, 40), "six chains": chains(6, 30), "thirteen chains": chains(13, 9), "grown": grown(600), "grown large": grown(3000),
    "pyramidal": np.maximum(PYRAMIDAL.discretise(ch.max_length("5 um")).tree.parent, 0),
}  # fmt: skip


def system(parent):
    """Links in strips and without, and the rest of the equations."""
    rng = np.random.default_rng(len(parent))
    m = len(parent)
    g = rng.lognormal(0, 1.5, m)
    strips = strips_of(parent)
    assert strips is not None
    both = [Links.of(jnp.asarray(parent, jnp.int32), g, None, each) for each in (None, strips)]
    return both, (*(jnp.asarray(rng.lognormal(0, 1, m)) for _ in range(2)), jnp.asarray(rng.normal(size=m)))


@pytest.mark.parametrize("tree", TREES)
def test_every_node_but_the_root_goes_with_one_lane_after_its_parent_did(tree):
    parent = TREES[tree]
    strips = strips_of(parent)
    assert strips is not None
    there = {0}
    for first, above, nodes in zip(*strips, strict=True):
        lanes = np.flatnonzero(nodes)
        np.testing.assert_array_equal(nodes[lanes], first + lanes)
        np.testing.assert_array_equal(parent[nodes[lanes]], above + lanes)
        assert first >= 0 and first + WIDTH <= len(parent) and above >= 0
        assert there >= set(parent[nodes[lanes]]) and not there & set(nodes[lanes])
        there |= set(nodes[lanes].tolist())
    assert there == set(range(len(parent)))


@pytest.mark.parametrize("parent", [chains(1, 100), chains(2, 100), np.zeros(1, int), np.zeros(3, int)], ids=len)
def test_there_are_no_strips_where_they_would_hold_little(parent):
    assert strips_of(parent) is None


@pytest.mark.parametrize("tree", TREES)
def test_strips_solve_the_dense_equations(tree):
    parent = TREES[tree]
    (_, links), (capacity, _, force) = system(parent)
    m, g = len(parent), np.asarray(links.g)
    K = np.diag(np.asarray(links.total))
    K[np.arange(1, m), parent[1:]] -= g[1:]
    K[parent[1:], np.arange(1, m)] -= g[1:]
    dense = np.linalg.solve(np.diag(capacity) + K, force)
    np.testing.assert_allclose(jax.jit(implicit)(links, capacity, force), dense, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("tree", TREES)
def test_strips_solve_what_the_sweep_does_and_have_its_derivatives(tree):
    both, rest = system(TREES[tree])

    def squares(links, capacity, slope, force):
        return jnp.sum(tr_bdf2(links, capacity, slope, force) ** 2)

    def all_of_it(links):
        by_g = jax.grad(lambda g: squares(links._replace(g=g), *rest))(links.g)
        return tr_bdf2(links, *rest), by_g, *jax.grad(squares, argnums=(1, 2, 3))(links, *rest)

    for a, b in zip(*(jax.jit(all_of_it)(links) for links in both), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_strips_are_left_for_lanes_where_cells_are_side_by_side():
    (nodes, strips), (capacity, slope, force) = system(TREES["pyramidal"])
    forces = jnp.stack([force, 2 * force, -force])
    a, b = (
        jax.jit(jax.vmap(lambda f, links=links: tr_bdf2(links, capacity, slope, f)))(forces)
        for links in (nodes, strips)
    )
    np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(a[1], 2 * a[0], rtol=1e-11, atol=1e-13)


def test_the_program_of_strips_does_not_grow_with_the_tree():
    def lines(length):
        tree = PYRAMIDAL.discretise(ch.max_length(length)).tree
        (_, links), rest = system(np.maximum(tree.parent, 0))
        return len(jax.jit(tr_bdf2).lower(links, *rest).as_text().splitlines())

    assert lines("5 um") == lines("2 um") < 400
