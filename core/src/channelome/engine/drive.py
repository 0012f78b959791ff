"""What is put into a population during one step: its stimulus, and its synapses."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from jax import Array

from ..cells.protocol import Inject
from ..stimuli.current import Counted


class Drive(NamedTuple):
    """The `protocols.Drive` of step `n`.

    Attributes:
        stimulus: a density, counted in steps; None for none.
        at_synapses: from a share of the step what the synapses put in then; None where there are none.
        part: from the stimulus' amount that of this device.
    """

    n: Any
    stimulus: Counted | None = None
    at_synapses: Callable[[Any], Inject] | None = None
    part: Callable[[Any], Any] = lambda amount: amount

    def mean(self, first: float = 0.0, last: float = 1.0, *, synapses: float | None = None) -> Inject:
        amount = 0.0 if self.stimulus is None else self.stimulus.mean(self.n, first, last)
        return self._inject(amount, (first + last) / 2 if synapses is None else synapses)

    def at(self, share: Any) -> Inject:
        return self._inject(0.0 if self.stimulus is None else self.stimulus.at(self.n, share), share)

    def stages(self, nodes: Sequence[float], weights: Sequence[float]) -> list[Inject]:
        if self.stimulus is None:
            return [self._inject(0.0, node) for node in nodes]
        points = [self.stimulus.at(self.n, node) for node in nodes]
        missing = self.stimulus.mean(self.n) - sum(w * x for w, x in zip(weights, points, strict=True) if w)
        return [self._inject(point + missing, node) for point, node in zip(points, nodes, strict=True)]

    def _inject(self, given: Any, share: Any) -> Inject:
        amount = self.part(given)
        if self.at_synapses is None:
            return lambda V: amount
        inside = self.at_synapses(share)

        def both(V: Array) -> Array:
            return amount + inside(V)

        return both
