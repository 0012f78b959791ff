"""Who connects to whom, after how long: what a projection has made, apart from its numbers."""

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..equality import compared
from ..errors import ModelError
from ..sampled import Drawn
from .connect import Rule
from .edges import Edges


@dataclass(frozen=True, eq=False)
class Wiring:
    """Who connects to whom, after how long: NumPy arrays, compared by identity, so that a network stays a light pytree.

    Attributes:
        pre, post: populations, by name.
        pre_first, pre_stop: the range of source neurons that `edges` counts.
        edges: with targets numbered in the target's population.
        delay: in ms, one for all or one per synapse, which are drawn again when they are needed where they were drawn.
        factors: by which a weight is multiplied, one per synapse; None for 1.
        order: the place of each synapse among those given, as `Edges.order`.
        given: the `Projection` as it was written, without what is large: a model file holds it.
        landing: where on its target each synapse is, a `Landing`; None on points.
        leaving: the same of the other end of gap junctions, on the source.
    """

    pre: str
    post: str
    pre_first: int
    pre_stop: int
    edges: Edges
    delay: float | np.ndarray | Drawn
    factors: np.ndarray | None = None
    order: np.ndarray | None = None
    given: Any = None
    landing: Any = None
    leaving: Any = None

    @property
    def sources(self) -> np.ndarray:
        """Number of the source neuron in its population, of each synapse."""
        return self.edges.sources + np.int32(self.pre_first)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "kept"}

    @functools.cached_property
    def kept(self) -> dict[Any, Any]:
        """What the engine keeps of it from run to run: how the synapses lie in rows."""
        return {}

    def delay_steps(self, dt: float, where: str) -> int | np.ndarray:
        """The delays in steps of `dt` ms.

        Raises:
            ModelError: for one delay that is no whole number of steps; many are rounded.
        """
        if np.ndim(self.delay):
            found, first = np.empty(self.edges.n, np.int32), 0
            for piece in self.delay.pieces() if isinstance(self.delay, Drawn) else (np.asarray(self.delay),):
                steps = piece / dt
                found[first : first + piece.size] = np.rint(steps, out=steps)
                first += piece.size
            return found
        delay = float(np.asarray(self.delay))
        steps = np.rint(delay / dt)
        if abs(float(steps) * dt - delay) > 1e-6 * dt:
            raise ModelError(
                f"the delay of {where}, {delay:g} ms, is no whole number of steps of {dt:g} ms: "
                f"take {float(steps) * dt:g} ms, or another dt."
            )
        return int(steps)

    def longest(self, dt: float, where: str) -> tuple[int | None, int]:
        """The one delay in steps of `dt` ms, None where synapses have their own, and the longest. Raises as `delay_steps`."""
        if not np.ndim(self.delay):
            steps = self.delay_steps(dt, where)
            return int(steps), int(steps)
        if "longest" not in self.kept:
            given = self.delay
            self.kept["longest"] = given.highest if isinstance(given, Drawn) else float(np.max(given, initial=0.0))
        return None, round(self.kept["longest"] / dt)


@compared
class EdgeTable(NamedTuple):
    """The synapses of a projection, one by one, in the order of source, then target.

    Attributes:
        sources, targets: numbers of the neurons in their populations.
        weights: one per synapse, in `unit`.
        delays: one per synapse, in ms.
    """

    sources: np.ndarray
    targets: np.ndarray
    weights: Any
    unit: str
    delays: np.ndarray


@dataclass(frozen=True, eq=False)
class Kept(Rule):
    """The edges that a wiring has, for a projection whose edges were given."""

    wiring: Wiring

    def edges(self, ends: Any, rng: np.random.Generator) -> Edges:
        wiring = self.wiring
        sources, targets = np.searchsorted(ends.pre, wiring.sources), np.searchsorted(ends.post, wiring.edges.targets)
        counts = np.bincount(sources, minlength=ends.pre.size)
        return Edges(counts, targets.astype(np.int32), ends.post.size, wiring.factors)
