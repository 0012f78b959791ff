"""Counted currents that go into a part only: of a population's neurons, or of a tree's nodes."""

import math
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..stimuli.form import Form, Numbers


@dataclass(frozen=True)
class Spread:
    """The `Form` of a current that is counted already, under ``"inner"``, spread over an array of this shape."""

    inner: Form
    shape: tuple[int, ...]

    def counted(self, numbers: Numbers, dt: float, dtype: Any) -> tuple[Form, Numbers]:
        raise NotImplementedError("it is counted already")

    def mean(self, numbers: Numbers, n: Any, first: Any, last: Any) -> Any:
        return self._over(numbers, self.inner.mean(numbers["inner"], n, first, last))

    def at(self, numbers: Numbers, n: Any, share: Any) -> Any:
        return self._over(numbers, self.inner.at(numbers["inner"], n, share))

    def edges(self, numbers: Numbers) -> int:
        return self.inner.edges(numbers["inner"])

    def edge(self, numbers: Numbers, n: Any, share: Any) -> Any:
        raise NotImplementedError("solvers that cut steps at edges are for points only")

    def neurons(self, numbers: Numbers) -> Any:
        """No axis is the population's: each device has all of it, and takes its own of the current."""
        return jax.tree.map(lambda _: -1, numbers)

    def span(self, numbers: Numbers) -> tuple[float, float]:
        return self.inner.span(numbers["inner"])

    def text(self, numbers: Numbers, unit: str) -> str:
        return f"{self.inner.text(numbers['inner'], unit)} into a part"

    def _over(self, numbers: Numbers, amount: Any) -> Any:
        """From the inner amount the array."""
        raise NotImplementedError


@dataclass(frozen=True)
class SomeNeurons(Spread):
    """Into some neurons of a population, ``"index"``, and none into the others."""

    def edge(self, numbers: Numbers, n: Any, share: Any) -> Any:
        index = jnp.asarray(numbers["index"])
        whole = jnp.broadcast_to(share, self.shape)
        inside = self.inner.edge(numbers["inner"], n, whole.ravel()[index])
        return jnp.ones_like(whole).ravel().at[index].set(jnp.broadcast_to(inside, index.shape)).reshape(self.shape)

    def text(self, numbers: Numbers, unit: str) -> str:
        return f"{self.inner.text(numbers['inner'], unit)} into {np.size(numbers['index'])} neurons"

    def _over(self, numbers: Numbers, amount: Any) -> Any:
        amount = jnp.asarray(amount)
        index = jnp.asarray(numbers["index"])
        out = jnp.zeros(math.prod(self.shape), amount.dtype)
        return out.at[index].set(jnp.broadcast_to(amount, index.shape)).reshape(self.shape)


FEW = 4
"""Up to so many places are asked for node by node, in the loop that takes the current: an array that is written first is read again."""


@dataclass(frozen=True)
class SomeNodes(Spread):
    """Into some ``"nodes"`` of a tree, as a density over all of them: ``"factor"`` times the amount, by node. Cells that are given the same have
    one axis of length 1: `shape` is (m, 1 ...)."""

    def neurons(self, numbers: Numbers) -> Any:
        return {"inner": self.inner.neurons(numbers["inner"]), "nodes": -1, "factor": -1}

    def text(self, numbers: Numbers, unit: str) -> str:
        return f"{self.inner.text(numbers['inner'], unit)} at {np.size(numbers['nodes'])} places"

    def _over(self, numbers: Numbers, amount: Any) -> Any:
        amount, nodes = jnp.asarray(amount), jnp.asarray(numbers["nodes"])
        cells = amount.shape or self.shape[1:]
        rows = amount.reshape(1, *cells) * jnp.asarray(numbers["factor"]).reshape(-1, *(1,) * len(cells))
        if nodes.size > FEW:
            return jnp.zeros((self.shape[0], *cells), rows.dtype).at[nodes].add(rows, mode="promise_in_bounds")
        numbered = jnp.arange(self.shape[0], dtype=nodes.dtype).reshape(-1, *(1,) * len(cells))
        return sum(jnp.where(numbered == node, row, 0) for node, row in zip(nodes, rows, strict=True))
