"""What is put into a population during one step: its stimulus, its synapses, and a clamp through its series resistance."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from ..cells.protocol import Inject
from ..stimuli.clamp import CountedClamp
from ..stimuli.current import Counted


class Parted(NamedTuple):
    """A stimulus that every device works out for all neurons, since some of it is drawn or given for all at once.

    Attributes:
        whole: from an array over the neurons of this device that over all.
        part: the reverse.
    """

    stimulus: Counted
    whole: Callable[[Any], Any]
    part: Callable[[Any], Any]

    @property
    def edges(self) -> int:
        """As `Counted.edges`, and so on."""
        return self.stimulus.edges

    def edge(self, n: Any, share: Any) -> Any:
        return self.part(self.stimulus.edge(n, self.whole(share)))

    def mean(self, n: Any, first: Any = 0.0, last: Any = 1.0) -> Any:
        return self.part(self.stimulus.mean(n, self.whole(first), self.whole(last)))

    def at(self, n: Any, share: Any) -> Any:
        return self.part(self.stimulus.at(n, self.whole(share)))


class Drive(NamedTuple):
    """The `protocols.Drive` of step `n`.

    Attributes:
        stimulus: a density, counted in steps; None for none.
        at_synapses: from a share of the step what the synapses put in then; None where there are none.
        clamp: what holds the cells, or None. Through a series resistance it is one conductance more, whose reversal potential
            is the command; an ideal one puts nothing in, `solvers.held` follows it.
    """

    n: Any
    stimulus: Counted | Parted | None = None
    at_synapses: Callable[[Any], Inject] | None = None
    clamp: CountedClamp | None = None

    @property
    def edges(self) -> int:
        return sum(f.edges for f in (self.stimulus, self.command) if f is not None)

    def edge(self, share: Any) -> Any:
        found = jnp.ones_like(share)
        for f in (self.stimulus, self.command):
            found = found if f is None else jnp.minimum(found, f.edge(self.n, share))
        return found

    def mean(self, first: Any = 0.0, last: Any = 1.0, *, synapses: float | None = None) -> Inject:
        amount, command = (None if f is None else f.mean(self.n, first, last) for f in (self.stimulus, self.command))
        return self._inject(amount, command, (first + last) / 2 if synapses is None else synapses)

    def at(self, share: Any) -> Inject:
        amount, command = (None if f is None else f.at(self.n, share) for f in (self.stimulus, self.command))
        return self._inject(amount, command, share)

    def stages(self, nodes: Sequence[float], weights: Sequence[float]) -> list[Inject]:
        amounts, commands = (self._moved(f, nodes, weights) for f in (self.stimulus, self.command))
        return [self._inject(*of) for of in zip(amounts, commands, nodes, strict=True)]

    @property
    def command(self) -> Counted | None:
        """Of a clamp through a series resistance."""
        return None if self.clamp is None or self.clamp.ideal else self.clamp.command

    def _moved(self, f: Counted | Parted | None, nodes: Sequence[float], weights: Sequence[float]) -> list[Any]:
        if f is None:
            return [None for _ in nodes]
        points = [f.at(self.n, node) for node in nodes]
        missing = f.mean(self.n) - sum(w * x for w, x in zip(weights, points, strict=True) if w)
        return [point + missing for point in points]

    def _inject(self, given: Any, command: Any, share: Any) -> Inject:
        amount: Any = 0.0 if given is None else given
        inside = None if self.at_synapses is None else self.at_synapses(share)
        if inside is None and command is None:
            return lambda V: amount

        def all_of_it(V: Array) -> Array:
            total = amount
            if inside is not None:
                total = total + inside(V)
            if command is not None and self.clamp is not None:
                total = total + self.clamp.conductance * (command - V)
            return total

        return all_of_it
