"""The equations of a tree by elimination in rounds, for processors with many lanes.

In each round all of an independent set of nodes with at most two neighbours go at once. What remains is a tree again: a node with two
neighbours leaves a link between them. About half the nodes go in a round, so their number is the logarithm of the tree's size, and so
is the length of the program. Who goes when is worked out once for a morphology, in NumPy.
"""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array


class Round(NamedTuple):
    """One round: `k` nodes go, the first in its order, and `rest` remain.

    Attributes:
        edges: of shape (2, k), the links of each node that goes, 0 for one that it lacks.
        neighbours: of shape (2, k), where they lead, among those that remain.
        receive: of shape (2, rest), which two of what the nodes send each that remains is sent; of 2 k, 2 k for nothing.
        more, to: what is sent beyond two, and to whom.
        keep: of shape (rest,), the links of the next round, of those of this one and the k new ones after them; 0 stays 0.
    """

    edges: Any
    neighbours: Any
    receive: Any
    more: Any
    to: Any
    keep: Any


class Rounds(NamedTuple):
    """All rounds.

    Attributes:
        order: nodes in the order in which they go.
        place: of each node, where it is in that order.
        each: the rounds.
    """

    order: Any
    place: Any
    each: tuple[Round, ...]


def rounds_of(parent: np.ndarray) -> Rounds:
    """The schedule for a tree of nodes, parents before their children; `parent` of the root, node 0, is not read."""
    return _rounds_of(np.asarray(parent, np.int32).tobytes())


@functools.lru_cache(maxsize=64)
def _rounds_of(parent: bytes) -> Rounds:
    above = np.frombuffer(parent, np.int32)
    n = len(above)
    links: list[dict[int, int]] = [{} for _ in range(n)]  # of each node: neighbour and number of the link
    for node in range(1, n):
        links[node][int(above[node])] = links[int(above[node])][node] = node
    alive, chosen = list(range(n)), []
    found: list[tuple[list[int], list[list[tuple[int, int]]], list[int]]] = []
    while len(alive) > 1:
        going = _independent(alive, links)
        gone = set(going)
        sides = [sorted(links[node].items()) for node in going]
        kept = {0} | {edge for node in alive if node not in gone for to, edge in links[node].items() if to not in gone}
        edges = len(alive)
        for k, (node, its) in enumerate(zip(going, sides, strict=True)):
            for to, _ in its:
                del links[to][node]
            if len(its) == 2:
                (a, _), (b, _) = its
                links[a][b] = links[b][a] = edges + k
                kept.add(edges + k)
        keep = sorted(kept)
        number = {edge: i for i, edge in enumerate(keep)}
        alive = [node for node in alive if node not in gone]
        for node in alive:
            links[node] = {to: number[edge] for to, edge in links[node].items()}
        chosen += going
        found.append((going, sides, keep))
    order = np.array(chosen + alive, np.int32)
    place = np.empty(n, np.int32)
    place[order] = np.arange(n)
    each, begin = [], 0
    for going, sides, keep in found:
        begin += len(going)
        each.append(_round(place, begin, n - begin, sides, keep))
    return Rounds(order, place, tuple(each))


def _independent(alive: Sequence[int], links: Sequence[dict[int, int]]) -> list[int]:
    """Nodes of at most two neighbours, none beside another; leaves first."""
    blocked: set[int] = set()
    chosen = []
    for node in sorted(alive, key=lambda node: len(links[node])):
        if len(links[node]) > 2:
            break
        if node not in blocked:
            chosen.append(node)
            blocked |= {node, *links[node]}
    return chosen


def _round(
    place: np.ndarray, begin: int, rest: int, sides: Sequence[Sequence[tuple[int, int]]], keep: Sequence[int]
) -> Round:
    """The tables of a round after which nodes from `begin` on remain."""
    k = len(sides)
    edges, neighbours = np.zeros((2, k), np.int32), np.zeros((2, k), np.int32)
    receive, used = np.full((2, rest), 2 * k, np.int32), np.zeros(rest, int)
    more, to = [], []
    for i, its in enumerate(sides):
        for side, (node, edge) in enumerate(its):
            there = place[node] - begin
            edges[side, i], neighbours[side, i] = edge, there
            if used[there] < 2:
                receive[used[there], there] = side * k + i
            else:
                more.append(side * k + i)
                to.append(there)
            used[there] += 1
    return Round(edges, neighbours, receive, np.array(more, np.int32), np.array(to, np.int32), np.array(keep, np.int32))


class Factors(NamedTuple):
    """The matrix eliminated: of each round the shares that go to neighbours and what divides; the divisor of the last node."""

    shares: list[tuple[Array, Array]]
    inverses: list[Array]
    last: Array


def eliminated(rounds: Rounds, off: Array, d: Array) -> Factors:
    """The matrix with diagonal `d` less `off` between each node and its parent, `off` 0 for the root; both of shape (m, ...)."""
    d, shares, inverses = _taken(d, rounds.order), [], []
    for one in rounds.each:
        k = one.edges.shape[1]
        inverse = 1 / d[:k]
        a, b = _taken(off, one.edges[0]), _taken(off, one.edges[1])
        to_a, to_b = a * inverse, b * inverse
        d = _received(one, d[k:], -to_a * a, -to_b * b)
        off = _taken(jnp.concatenate([off, to_a * b]), one.keep)
        shares.append((to_a, to_b))
        inverses.append(inverse)
    return Factors(shares, inverses, 1 / d)


def solved(rounds: Rounds, factors: Factors, right: Array) -> Array:
    """The solution for a right side of shape (m, ...)."""
    b, own = _taken(right, rounds.order), []
    for one, (to_a, to_b) in zip(rounds.each, factors.shares, strict=True):
        k = one.edges.shape[1]
        own.append(b[:k])
        b = _received(one, b[k:], to_a * own[-1], to_b * own[-1])
    x = b * factors.last
    for one, (to_a, to_b), inverse, b in zip(
        reversed(rounds.each), reversed(factors.shares), reversed(factors.inverses), reversed(own), strict=True
    ):
        first = b * inverse + to_a * _taken(x, one.neighbours[0]) + to_b * _taken(x, one.neighbours[1])
        x = jnp.concatenate([first, x])
    return _taken(x, rounds.place)


def _received(one: Round, x: Array, by_a: Array, by_b: Array) -> Array:
    """`x` of the nodes that remain, and what those that go add: two by gathering, what is beyond by scattering."""
    sent = jnp.concatenate([by_a, by_b, jnp.zeros_like(x[:1])])
    x = x + _taken(sent, one.receive[0]) + _taken(sent, one.receive[1])
    if one.more.shape[0]:
        x = x.at[jnp.asarray(one.to)].add(_taken(sent, one.more), mode="promise_in_bounds")
    return x


def _taken(x: Array, rows: Any) -> Array:
    return x.at[jnp.asarray(rows)].get(mode="promise_in_bounds")
