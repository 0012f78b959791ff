"""TR-BDF2, the step of cells of many compartments: its numbers, and what stands in the equations of its two stages.

The trapezoid rule goes to `GAMMA` of a step, BDF2 from there to the end.

Bank et al. (1985), doi:10.1109/T-ED.1985.22232; Hosea & Shampine (1996), doi:10.1016/0168-9274(95)00115-8.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

GAMMA = 2 - 2**0.5
"""Share of a step that the trapezoid rule crosses; with this one both stages have the same matrix."""
WEIGHT = (1 - GAMMA) / (2 - GAMMA)
"""Share of a step in which what the matrix holds acts."""
AGAIN = WEIGHT / GAMMA
"""Share of what the force does in the first stage that it does in the second."""
MIDDLE = 1 / (GAMMA * (2 - GAMMA))
"""Share of the capacity by which the first stage passes on to the second."""
FLOWS = GAMMA / WEIGHT
"""What flows between nodes in the first stage, as a multiple of what the matrix lets flow of the same V."""


def gain(z: Any) -> Any:
    """What stands for ``(1 - exp(-z)) / z`` in a step of one equation, z being its rate over the step."""
    z = 1 + WEIGHT * z
    return (MIDDLE * GAMMA / z + WEIGHT) / z


class Sides(NamedTuple):
    """What stands beside the weights of a tree, of shape (m, ...), in ``matrix x = first`` and, where there is one, ``matrix y = second + passed x``.

    Attributes:
        d: the diagonal.
        first: the right side; less what flows between the nodes by `V`, where that is given, `FLOWS` times.
        passed: None where x alone is asked for.
        second: None for 0.
        factors: what was found of this matrix before, with which it need not be eliminated again; then there is no `V`.
    """

    d: Array
    first: Array
    V: Array | None = None
    passed: Array | None = None
    second: Array | None = None
    factors: Any = None

    def alike(self) -> "Sides":
        """All of one shape."""
        shape = jnp.broadcast_shapes(*(x.shape for x in jax.tree.leaves(self)))
        return jax.tree.map(lambda x: jnp.broadcast_to(x, shape), self)

    def then(self, x: Array) -> Array | None:
        """The right side of the second equation, once the first is solved; None where there is none."""
        if self.passed is None:
            return None
        return self.passed * x if self.second is None else self.second + self.passed * x


def passed_on(share: Array, own: Array, flows: Array) -> Array:
    """What elimination adds to a parent's right side for a node with `own`, from which `flows` goes to the parent."""
    return share * (own - flows) + flows
