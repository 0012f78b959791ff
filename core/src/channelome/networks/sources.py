"""Populations without a membrane, that only send spikes: Poisson processes and given spike trains."""

import math
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..clock import moment
from ..errors import ModelError
from ..module import NODE, STATIC, Module, param
from ..units import Unit, convert

_MS = Unit.parse("ms")
Frequency = Annotated[Any, Unit.parse("1/s")]


class Poisson(Module):
    """Independent Poisson processes, at most one spike of each per step.

    Args:
        size: number of processes, or their shape.
        rate: with a unit, scalar or of the shape `size`.
        seed: of the spikes; the same seed, size and step give the same spikes, on any number of devices; a run that continues another goes on.
    """

    rate: Frequency = param(source="required")
    size: Annotated[tuple[int, ...], STATIC]
    seed: Annotated[int, STATIC]

    def __init__(self, size: int | tuple[int, ...], *, rate: Any, seed: int = 0) -> None:
        shape = (int(size),) if isinstance(size, int | np.integer) else tuple(size)
        super().__init__(rate=rate, size=shape, seed=int(seed))
        if np.any(np.asarray(self.rate) < 0):
            raise ModelError(f"the rate of Poisson must be at least 0 Hz, got {np.min(self.rate):g}.")

    def counted(self, dt: float) -> "Poisson":
        """Itself: it has no times."""
        return self

    def spikes(self, n: Any, past: Any, dt: Any) -> Array:
        """Whether each spikes in step number `n`, of shape `size`: with probability ``1 - exp(-rate dt)``.

        Args:
            past: steps of the runs that this one continues: what it draws is not what they drew.
        """
        key = jax.random.fold_in(jax.random.key(self.seed), past + n)
        chance = -jnp.expm1(-jnp.asarray(self.rate) * dt * 1e-3)
        return jax.random.uniform(key, self.size, jnp.result_type(chance)) < chance


class SpikeSource(Module):
    """Given spike trains: source `neurons[k]` spikes at `times[k]`, at the end of the step that the time is in.

    Args:
        size: number of sources.
        times: with a unit, in any order, more than 0 ms.
        neurons: number of the source of each.
    """

    times: Annotated[Any, NODE]
    neurons: Annotated[Any, NODE]
    size: Annotated[tuple[int, ...], STATIC]

    def __init__(self, size: int, *, times: Any, neurons: Any) -> None:
        when = np.atleast_1d(np.asarray(convert(times, _MS, "times of SpikeSource"), float))
        who = np.atleast_1d(np.asarray(neurons))
        if when.shape != who.shape or when.ndim != 1:
            raise ModelError(f"SpikeSource needs one neuron for each time: got {who.shape} and {when.shape}.")
        if when.size and (who.dtype.kind not in "iu" or who.min() < 0 or who.max() >= size or when.min() < 0):
            raise ModelError(f"SpikeSource of {size}: neurons must be from 0 to {size - 1} and times at least 0 ms.")
        order = np.argsort(when, kind="stable")
        super().__init__(times=when[order], neurons=who[order].astype(float), size=(int(size),))

    def counted(self, dt: float) -> "SpikesByStep":
        """The same in steps of `dt` ms. A time on the grid, to a thousandth of a step, belongs to the step that ends there."""
        when = moment(self.times, dt, jnp.result_type(self.times))
        steps = (when.step - (when.share < 1e-3)).clip(0)
        return SpikesByStep(steps=steps.astype(np.int32), neurons=self.neurons.astype(np.int32), size=self.size)


class SpikesByStep(Module):
    """A `SpikeSource` in steps of a run: source ``neurons[k]`` spikes in step ``steps[k]``; steps do not decrease."""

    steps: Annotated[Any, NODE]
    neurons: Annotated[Any, NODE]
    size: Annotated[tuple[int, ...], STATIC]

    def spikes(self, n: Any) -> Array:
        """Whether each spikes in step number `n`, of shape `size`."""
        steps = jnp.asarray(self.steps)
        begin, end = jnp.searchsorted(steps, n, side="left"), jnp.searchsorted(steps, n, side="right")

        def one(k: Array, out: Array) -> Array:
            return out.at[jnp.asarray(self.neurons)[k]].set(True)

        return jax.lax.fori_loop(begin, end, one, jnp.zeros(math.prod(self.size), bool)).reshape(self.size)


Source = Poisson | SpikeSource
