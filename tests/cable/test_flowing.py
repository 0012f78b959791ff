"""A step of TR-BDF2 with what flows put together in the sweeps, against the one to which it is given: values, derivatives, batches."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import some_of

from channelome.cells.rounds import rounds_of
from channelome.cells.strips import strips_of
from channelome.cells.tree import Links, flowing, tr_bdf2

M = 160


def tree():
    """Long branches, breadth first, some of which fork."""
    rng = np.random.default_rng(3)
    parent = np.zeros(M, int)
    parent[1:] = np.sort(rng.integers(np.maximum(np.arange(1, M) - 7, 0), np.arange(1, M)))
    return parent


WAYS = {
    "nodes": (tree(), None, lambda parent: None),
    "strips": (np.maximum(np.arange(M) - 8, 0), None, strips_of),
    "rounds": (tree(), rounds_of, lambda parent: None),
}


def system(way, cells=(), own=False):
    parent, rounds, strips = WAYS[way]
    rng = np.random.default_rng(len(cells))
    g = rng.lognormal(0, 1.5, (M, *cells) if own else M)
    links = Links.of(
        jnp.asarray(parent, jnp.int32), jnp.asarray(g), None if rounds is None else rounds(parent), strips(parent)
    )
    assert (links.strips is not None) == (way == "strips")
    V, force = (jnp.asarray(rng.normal(size=(M, *cells))) for _ in range(2))
    capacity, slope = (jnp.asarray(rng.lognormal(size=(M, *cells))) for _ in range(2))
    return links, V, capacity, slope, force


def apart(links, V, capacity, slope, force):
    return tr_bdf2(links, capacity, slope, force - links.outflow(V))


@pytest.mark.parametrize(("cells", "own"), [((), False), ((3,), False), ((3,), True), ((2, 17), False)])
@pytest.mark.parametrize("way", WAYS)
def test_a_step_that_sees_what_flows_is_the_step_that_is_given_it(way, cells, own):
    given = system(way, cells, own)
    with jax.enable_x64(True):
        a, b = (jax.jit(step)(*given) for step in (flowing, apart))
    assert np.abs(b).max() > 0.1
    np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("way", WAYS)
def test_its_derivatives_are_those_of_the_other(way):
    links, *rest = system(way)
    rng = np.random.default_rng(1)
    moved = tuple(jnp.asarray(rng.normal(size=M)) for _ in range(5))

    def of(step):
        def run(g, *rest):
            return step(Links.of(links.parent, g, links.rounds, links.strips), *rest)

        def squares(*given):
            return jnp.sum(run(*given) ** 2)

        def all_of_it(*given):
            reverse = jax.grad(squares, argnums=tuple(range(5)))(*given)
            twice = jax.jvp(jax.grad(squares, argnums=(1, 3)), given, moved)[1]
            return (
                *jax.jvp(run, given, moved),
                jax.jvp(lambda V: run(given[0], V, *given[2:]), given[1:2], moved[1:2])[1],
                reverse,
                twice,
            )

        return jax.tree.leaves(jax.jit(all_of_it)(links.g, *rest))

    for a, b in zip(of(flowing), of(apart), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10 * np.abs(b).max())


@pytest.mark.parametrize("way", WAYS)
def test_steps_side_by_side_are_its_steps_one_by_one(way):
    links, V, *rest = system(way)
    many = jnp.stack([V, 2 * V, -V])
    side = jax.jit(jax.vmap(lambda V: flowing(links, V, *rest)))(many)
    alone = jax.jit(lambda V: flowing(links, V, *rest))
    np.testing.assert_allclose(side, [alone(one) for one in many], rtol=1e-10, atol=1e-12)
    slopes = jax.jit(jax.vmap(jax.grad(lambda V: jnp.sum(flowing(links, V, *rest) ** 2))))(many)
    one = jax.jit(jax.grad(lambda V: jnp.sum(flowing(links, V, *rest) ** 2)))(V)
    np.testing.assert_allclose(slopes[0], one, rtol=1e-10, atol=1e-12)


TOGETHER = [("nodes", ()), ("nodes", (17,)), ("strips", ()), ("rounds", (3,))]


@pytest.mark.parametrize("case", some_of(TOGETHER, ("nodes", (17,)), ("strips", ())))
def test_directions_at_once_are_those_one_by_one(case):
    """They share the matrix, whose factors they use; rows that cells fill are swept in turn, others side by side."""
    links, V, *rest = system(*case)

    def step(scale):
        return flowing(links, scale[0] * V, rest[0], scale[1] * rest[1], scale[2] * rest[2])

    scale = jnp.asarray([1.0, 0.8, 1.2])
    at_once = jax.jit(jax.jacfwd(step))(scale)
    alone = jax.jit(lambda along: jax.jvp(step, (scale,), (along,))[1])
    for k in range(3):
        np.testing.assert_allclose(at_once[..., k], alone(jnp.eye(3)[k]), rtol=1e-9, atol=1e-12)
    reverse = jax.jit(jax.jacrev(lambda scale: jnp.sum(step(scale) ** 2)))(scale)
    forward = jax.jit(jax.jacfwd(lambda scale: jnp.sum(step(scale) ** 2)))(scale)
    np.testing.assert_allclose(reverse, forward, rtol=1e-9)
