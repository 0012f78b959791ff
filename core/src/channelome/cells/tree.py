"""Linear equations on a tree: the one place where compartments depend on one another within a step.

The matrix is ``diag(d)`` less a weight between each node and its parent, symmetric. Nodes are numbered so that parents stand
before their children, and breadth first: what a sweep does at neighbours in memory is then independent, and a processor does
it at once (twice as fast as depth first). The sweep is a loop over nodes, so that a program is as long for ten thousand
compartments as for ten.
"""

import functools
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.ad_checkpoint import checkpoint_name

from .rounds import Rounds
from .stages import AGAIN, GAMMA, MIDDLE, WEIGHT, Sides
from .strips import Strips
from .sweeps import flow, solutions
from .tangents import along

SOLVED = "solved on a tree"
"""Name of what `flowing` found, for who decides what is kept for derivatives."""


class Links(NamedTuple):
    """How nodes hang together.

    Attributes:
        parent: of shape (m,), the number of each node's parent, less than its own; 0 for the root, node 0.
        g: of shape (m,) or (m, cells), conductance to the parent in uS; 0 for the root.
        total: of the same shape, the sum of the conductances at each node.
        rounds: in which to eliminate on processors with many lanes; None for a sweep from node to node.
        strips: of nodes, from which to which the equations of one cell are swept; None for single nodes.
    """

    parent: Array
    g: Any
    total: Any
    rounds: Rounds | None = None
    strips: Strips | None = None

    @classmethod
    def of(cls, parent: Array, g: Any, rounds: Rounds | None = None, strips: Strips | None = None) -> "Links":
        g = jnp.asarray(g).at[0].set(0.0)
        return cls(parent, g, g.at[parent].add(g, mode="promise_in_bounds"), rounds, strips)

    def outflow(self, x: Array) -> Array:
        """What flows from each node to its neighbours, in nA of mV."""
        return flow(self.parent, self._g(x), x)

    def pair(
        self, held: Array, passed: Array, first: Array, second: Array, weight: float, factors: Any = None
    ) -> tuple[Array, Array]:
        """The x and y with ``(held + weight K) x = first`` and ``(held + weight K) y = second + passed x``, K being the outflow.

        Differentiated by the solution of the same equations, in the other order for reverse mode.

        Args:
            factors: of the matrix, where it was eliminated before. Reverse mode does it again: to keep them takes longer.
        """
        d = held + weight * self.totals(held)
        off = weight * self._g(held)

        def matrix(pair: tuple[Array, Array]) -> tuple[Array, Array]:
            x, y = pair
            return _times(self.parent, d, off, x), _times(self.parent, d, off, y) - passed * x

        def solve(_: Any, right: tuple[Array, Array], factors: Any = factors) -> tuple[Array, Array]:
            x, y, _ = self.solutions(held, weight, right[0], passed=passed, second=right[1], factors=factors)
            return x, y

        return solved_pair(matrix, solve, (first, second), functools.partial(solve, factors=None))

    def solutions(self, held: Array, weight: float, first: Array, **more: Array) -> Any:
        """The x, and the y of a second equation, as `Sides` has them, and the factors of the matrix; not to be differentiated."""
        sides = Sides(held + weight * self.totals(held), first, **more)
        return solutions(self.rounds, self.strips, self.parent, weight * self._g(held), sides)

    def once(self, held: Array, force: Array, weight: float) -> Array:
        """The x with ``(held + weight K) x = force``."""
        d, off = held + weight * self.totals(held), weight * self._g(held)

        def solve(_: Any, right: Array) -> Array:
            return self.solutions(held, weight, right)[0]

        return lax.custom_linear_solve(lambda x: _times(self.parent, d, off, x), force, solve, symmetric=True)

    def swept(self, held: Array, first: Array, second: Array, weight: float) -> tuple[Array, Array]:
        """The solutions of two right sides that do not depend on one another, not to be differentiated."""
        return self.solutions(held, weight, first, passed=jnp.zeros_like(held), second=second)[:2]

    def _g(self, x: Array) -> Array:
        return jnp.asarray(self.g, x.dtype).reshape(*self.g.shape, *(1,) * (x.ndim - self.g.ndim))

    def totals(self, x: Array) -> Array:
        """The sum of the conductances at each node, for an array of the shape of x."""
        return jnp.asarray(self.total, x.dtype).reshape(*self.total.shape, *(1,) * (x.ndim - self.total.ndim))


class Linked(Protocol):
    """Equations of places that are coupled: of a tree, or of several that are joined."""

    def pair(self, held: Array, passed: Array, first: Array, second: Array, weight: float) -> tuple[Array, Array]: ...

    def once(self, held: Array, force: Array, weight: float) -> Array: ...


def solved_pair(matrix: Any, solve: Any, right: tuple[Array, Array], in_reverse: Any = None) -> tuple[Array, Array]:
    """What `solve` finds for a symmetric `matrix` with the second of a pair after the first, as `Links.pair` has it, with its derivatives.

    Args:
        in_reverse: what finds the same in reverse mode, if not `solve`.
    """

    def transposed(_: Any, right: tuple[Array, Array]) -> tuple[Array, Array]:
        y, x = (in_reverse or solve)(_, right[::-1])
        return x, y

    return lax.custom_linear_solve(matrix, right, solve, transpose_solve=transposed)


def implicit(links: Linked, held: Array, force: Array) -> Array:
    """The x with ``held x + K x = force``, K being the outflow: one step of backward Euler for an increment.

    Args:
        held: of shape (m, ...), uS: capacity over the step and the membrane's conductance.
        force: of that shape, nA.
    """
    return links.once(held, force, 1.0)


def tr_bdf2(links: Linked, capacity: Array, slope: Array, force: Array) -> Array:
    """By how much V changes in one step of TR-BDF2: second order, and what is stiff is forgotten at once.

    Args:
        capacity: of shape (m, ...), uS: over the step; 0 for junctions.
        slope: uS, of the current through the membrane by V.
        force: nA, what would charge the nodes if V stayed.
    """
    held, passed = capacity + WEIGHT * slope, MIDDLE * capacity
    # in JAX's eyes this 0 follows from the force, as a right side that is transposed must
    nothing = jnp.where(False, force, 0)
    middle, rest = links.pair(held, passed, GAMMA * force, nothing, WEIGHT)
    return AGAIN * middle + rest


def flowing(links: Links, V: Array, capacity: Array, slope: Array, force: Array) -> Array:
    """As `tr_bdf2`, of one tree or of several beside one another, `force` being without what flows by V between the nodes.

    That is put together in the sweeps: to do it before takes three passes over memory.
    """
    middle, rest, _ = _stages(links, V, capacity + WEIGHT * slope, MIDDLE * capacity, force)
    return AGAIN * middle + rest


@jax.custom_jvp
def _stages(links: Links, V: Array, held: Array, passed: Array, force: Array) -> tuple[Array, Array, Any]:
    """The `pair` with `GAMMA` of `force` less the outflow of V first, and nothing second, and the factors of its matrix."""
    return links.solutions(held, WEIGHT, GAMMA * force, V=V, passed=passed)


def _stages_slope(primals: Any, tangents: Any) -> Any:
    """By `pair`, of what x and y as they are would leave of the right sides."""
    x, y, factors = _stages(*primals)
    x, y = (checkpoint_name(one, SOLVED) for one in (x, y))
    leaves, structure = jax.tree.flatten(primals)

    def left(*given: Array) -> tuple[Array, Array]:
        links, V, held, passed, force = structure.unflatten(given)
        first = GAMMA * (force - links.outflow(V)) - held * x - WEIGHT * links.outflow(x)
        second = passed * x - held * y - WEIGHT * links.outflow(y)
        # in JAX's eyes each follows from whatever moves, as right sides that are transposed must
        return jnp.where(False, second, first), jnp.where(False, first, second)

    right = along(left, leaves, jax.tree.leaves(tangents))[1]
    links, _, held, passed, _ = primals
    moved = links.pair(held, passed, *right, WEIGHT, factors)
    still = jax.tree.map(jnp.zeros_like, factors)  # nothing is asked of them but to solve what is linear
    return (x, y, factors), (*moved, still)


_stages.defjvp(_stages_slope, symbolic_zeros=True)


def _times(parent: Array, d: Array, off: Array, x: Array) -> Array:
    """The matrix times x."""
    from_parent = off * x.at[parent].get(mode="promise_in_bounds")
    to_parent = jnp.zeros_like(x).at[parent].add(off * x, mode="promise_in_bounds")
    return d * x - from_parent - to_parent
