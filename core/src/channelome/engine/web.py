"""The equations of several trees that gap junctions join, as those of one, solved at once.

Each tree is solved with a unit of current at each of its places with junctions, which says how these answer; what flows through the junctions is
then a small system, solved by conjugate gradients; and what flows into one end flows out of the other, whatever the tolerance.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ..cells.tree import Links, solved_pair
from .electrical import Side, flow


class Part(NamedTuple):
    """The equations of one block: of m nodes by cells, points having one node."""

    links: Links
    shape: tuple[int, ...]
    nodes: np.ndarray


class End(NamedTuple):
    """One end of junctions: from which part to which, and their conductance in uS where it is one for all, else a unit of it."""

    side: Side
    here: int
    there: int
    g: Any


class Web(NamedTuple):
    """The equations of several blocks, over their nodes one after another, flat.

    Attributes:
        axis, devices: where each of several devices has a share of the cells. What is at the places of junctions travels then, and nothing else.
    """

    parts: tuple[Part, ...]
    ends: tuple[End, ...]
    axis: str | None = None
    devices: int = 1

    def apart(self, x: Array) -> list[Array]:
        """By part, of its shape."""
        cuts = np.cumsum([int(np.prod(part.shape)) for part in self.parts])[:-1]
        return [piece.reshape(part.shape) for piece, part in zip(jnp.split(x, cuts), self.parts, strict=True)]

    def outflow(self, x: Array) -> Array:
        """What flows from each node along its branches and through its junctions, nA of mV."""
        pieces = self.apart(x)
        through = self.through([V[part.nodes] for V, part in zip(pieces, self.parts, strict=True)])
        return together(
            part.links.outflow(V).at[part.nodes].add(y) for part, V, y in zip(self.parts, pieces, through, strict=True)
        )

    def through(self, V: Sequence[Array]) -> list[Array]:
        """What flows out through the junctions, from V at the places where they are; by part, of shape (places, cells)."""
        V = [self._of_all(x) for x in V]
        out = [jnp.zeros_like(x) for x in V]
        for side, here, there, g in self.ends:
            flows = flow(side, V[here].ravel(), V[there].ravel(), unrolled=False)
            out[here] = out[here] + g * flows.reshape(V[here].shape)
        return [self._of_this(x) for x in out]

    def _of_all(self, x: Array) -> Array:
        """From this device's cells, the second axis, all of them."""
        return x if self.axis is None else lax.all_gather(x, self.axis, axis=1, tiled=True)

    def _of_this(self, x: Array) -> Array:
        """The reverse."""
        if self.axis is None:
            return x
        each = x.shape[1] // self.devices
        return lax.dynamic_slice_in_dim(x, lax.axis_index(self.axis) * each, each, 1)

    def total(self, x: Array) -> Array:
        """Of a sum over this device's cells that over all."""
        return x if self.axis is None else lax.psum(x, self.axis)

    def pair(self, held: Array, passed: Array, first: Array, second: Array, weight: float) -> tuple[Array, Array]:
        """As `Links.pair`."""

        def matrix(pair: tuple[Array, Array]) -> tuple[Array, Array]:
            x, y = (held * one + weight * self.outflow(one) for one in pair)
            return x, y - passed * pair[0]

        def solve(_: Any, right: tuple[Array, Array]) -> tuple[Array, Array]:
            answers = Answers.of(self, self.apart(held), self.apart(right[0]), weight)
            x = answers.joined(answers.alone)
            y = answers.joined(answers.of_trees(self.apart(right[1] + passed * x)))
            return x, y

        return solved_pair(matrix, solve, (first, second))

    def once(self, held: Array, force: Array, weight: float) -> Array:
        """As `Links.once`."""

        def solve(_: Any, right: Array) -> Array:
            answers = Answers.of(self, self.apart(held), self.apart(right), weight)
            return answers.joined(answers.alone)

        return lax.custom_linear_solve(lambda x: held * x + weight * self.outflow(x), force, solve, symmetric=True)


class Answers(NamedTuple):
    """How the trees of a web answer to a unit of current at each place with junctions, and to a first right side.

    Attributes:
        columns: by part, of shape (places, m, cells).
        alone: by part, of shape (m, cells): the solution as if there were no junctions.
    """

    web: Web
    held: list[Array]
    weight: float
    columns: list[Array]
    alone: list[Array]

    @classmethod
    def of(cls, web: Web, held: list[Array], first: list[Array], weight: float) -> "Answers":
        columns, alone = [], []
        for part, d, right in zip(web.parts, held, first, strict=True):
            places = len(part.nodes)
            units = jnp.zeros((places, *right.shape), right.dtype).at[np.arange(places), part.nodes].set(1)
            rights = jnp.zeros_like(units).at[0].set(right)
            column, x = jax.vmap(lambda a, b, part=part, d=d: part.links.swept(d, a, b, weight))(units, rights)
            columns.append(column)
            alone.append(x[0])
        return cls(web, held, weight, columns, alone)

    def of_trees(self, right: list[Array]) -> list[Array]:
        """By part, the solution as if there were no junctions."""
        trees = zip(self.web.parts, self.held, right, strict=True)
        return [part.links.swept(d, b, jnp.zeros_like(b), self.weight)[0] for part, d, b in trees]

    def joined(self, alone: list[Array]) -> Array:
        """The solution, from that without junctions."""
        put_in = self._currents([x[part.nodes] for part, x in zip(self.web.parts, alone, strict=True)])
        return together(
            x + jnp.sum(column * y[:, None], axis=0) for x, column, y in zip(alone, self.columns, put_in, strict=True)
        )

    def _currents(self, V: list[Array]) -> list[Array]:
        """What junctions put in at their places, from V there without them: the y with ``(1 + w L R) y = -w L V``.

        L is the junctions' matrix and R the answers at the places, both symmetric; conjugate gradients in the product of R. All that is added
        up is through junctions, and so sums to zero.
        """

        def answered(y: list[Array]) -> list[Array]:
            return [
                jnp.sum(column[:, part.nodes] * x[:, None], axis=0)
                for part, column, x in zip(self.web.parts, self.columns, y, strict=True)
            ]

        def moved(V: list[Array]) -> list[Array]:
            return [self.weight * x for x in self.web.through(V)]

        def product(a: list[Array], b: list[Array]) -> Array:
            own = sum((jnp.sum(x * y) for x, y in zip(a, b, strict=True)), jnp.zeros((), a[0].dtype))
            return self.web.total(own)

        def axpy(a: Any, x: list[Array], y: list[Array]) -> list[Array]:
            return [a * p + q for p, q in zip(x, y, strict=True)]

        def unfinished(loop: Any) -> Array:
            return (loop[-1] > tolerance * start) & (loop[0] < most)

        def iterate(loop: Any) -> Any:
            count, y, r, p, Rp, size = loop
            Ap = axpy(1.0, moved(Rp), p)
            share = size / product(Rp, Ap)
            y, r = axpy(share, p, y), axpy(-share, Ap, r)
            Rr = answered(r)
            new = product(r, Rr)
            return count + 1, y, r, axpy(new / size, p, r), axpy(new / size, Rp, Rr), new

        r = [-x for x in moved(V)]
        Rr = answered(r)
        start = product(r, Rr)
        tolerance = 16 * float(jnp.finfo(start.dtype).eps) ** 2
        most = 10 * self.web.devices * sum(x.size for x in V)
        return lax.while_loop(unfinished, iterate, (0, [jnp.zeros_like(x) for x in r], r, r, Rr, start))[1]


def together(pieces: Any) -> Array:
    """The reverse of `Web.apart`."""
    return jnp.concatenate([jnp.ravel(piece) for piece in pieces])
