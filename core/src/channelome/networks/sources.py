"""Populations without a membrane, that only send spikes: Poisson processes and given spike trains."""

import math
from collections.abc import Sequence
from typing import Annotated, Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.core import Tracer

from ..clock import moment
from ..errors import ModelError, UnitError
from ..module import NODE, STATIC, Module, param, show
from ..stimuli.amounts import RATE
from ..stimuli.current import Counted, Current
from ..streams import Stream, checked_seed, from_floats, in_floats
from ..units import Unit, convert
from .counts import key_of, poisson

_MS, _HZ = Unit.parse("ms"), Unit.parse("1/s")
Frequency = Annotated[Any, _HZ]
_ROLE = "spikes"
_ALONE = Stream(role="rate")
_MOST = 50_000
"""Spikes of one source in one step, on the mean: they are recorded as numbers of 16 bits."""


class Poisson(Module):
    """Independent Poisson processes. How many spikes each has in a step is Poisson distributed: several are delivered as weight.

    Args:
        size: number of processes, or their shape.
        rate: with a unit: one number, an array of the shape `size`, sampled, or in time: what `step`, `samples`, `function` ...
            make of frequencies. Where a rate in time is below 0, it is 0.
        seed: of the spikes. The same seed, size and step give the same spikes, in any precision, on any number of devices; a run
            that continues another goes on. If None, they follow from the network's seed and the label.
    """

    rate: Frequency = param(source="required")
    size: Annotated[tuple[int, ...], STATIC]
    seeded: Annotated[bool, STATIC]
    key: Annotated[Any, NODE]

    def __init__(self, size: int | tuple[int, ...], *, rate: Any, seed: int | None = None) -> None:
        shape = checked_size(size, "Poisson")
        super().__init__(rate=(0.0, "Hz"), size=shape, seeded=False, key=in_floats(Stream().of(_ROLE).number()))
        self._set("rate", self._checked_rate(rate))
        self.__dict__.update(self.drawn(shape, Stream()).__dict__)
        if seed is not None:
            self.__dict__.update(self._with_seed(seed).__dict__)
        self._check()

    @property
    def seed(self) -> int | None:
        """The seed that it was given; None where its spikes follow from the network's."""
        return from_floats(self.key) if self.seeded else None

    def replace(self, **changes: Any) -> Self:
        """A copy with another `rate` or `seed`."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        for name, value in changes.items():
            if name == "rate":
                new._set("rate", self._checked_rate(value))
                new._forget(["rate"])
            elif name == "seed":
                new = new._with_seed(value)
            else:
                raise ModelError(f"Poisson has no parameter '{name}'. It has rate and seed.")
        new = new.drawn(self.size, Stream())
        new._check()
        return new

    def drawn_from(self, stream: Stream) -> Self:
        """A copy whose spikes, and rate where it is sampled, follow from the stream, if they have no seed of their own."""
        new = self.drawn(self.size, stream)
        if self.seeded:
            return new
        copy = object.__new__(type(self))
        copy.__dict__.update(new.__dict__, key=in_floats(stream.of(_ROLE).number()))
        return copy

    def _with_seed(self, seed: Any) -> Self:
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new._set("key", in_floats(checked_seed(seed, "Poisson")))
        new._set("seeded", True)
        return new

    def _checked_rate(self, rate: Any) -> Any:
        if not isinstance(rate, Current):
            return self._checked(type(self).parameters["rate"], rate)
        if rate.unit != RATE:
            raise UnitError(f"the rate of Poisson is a frequency, such as '20 Hz', not a current in {rate.unit}.")
        return rate

    def _check(self) -> None:
        if isinstance(self.rate, Current) or any(isinstance(x, Tracer) for x in jax.tree.leaves(self.rate)):
            return
        if np.shape(self.rate) not in ((), self.size):
            raise ModelError(f"the rate of Poisson has the shape {np.shape(self.rate)}, but its size is {self.size}.")
        if np.any(np.asarray(self.rate) < 0):
            raise ModelError(f"the rate of Poisson must be at least 0 Hz, got {np.min(self.rate):g}.")

    def counted(self, dt: float, stream: Stream = _ALONE) -> "PoissonByStep":
        """The same for steps of `dt` ms.

        Args:
            stream: what is random in a rate in time, and has no key, follows from.

        Raises:
            ModelError: for a rate in time whose details are finer than a step, or whose shape is another.
        """
        if not isinstance(self.rate, Current):
            mean = self.rate * (dt * 1e-3)
            traced = isinstance(mean, jax.Array)
            if not traced and np.max(mean) > _MOST:
                raise ModelError(
                    f"Poisson has a rate of {np.max(self.rate):g} Hz, {np.max(mean):g} spikes in a step of {dt:g} ms; more than "
                    f"{_MOST:,} are not recorded: share it among several sources."
                )
            mean = mean.astype(jnp.float32) if traced else np.asarray(mean, np.float32)
            return PoissonByStep(mean=mean, key=self.key, size=self.size)
        self.rate.check_step(dt, "the rate of Poisson")
        counted = self.rate.counted(dt, jax.dtypes.canonicalize_dtype(float), stream)
        shape = counted.shape
        if shape not in ((), self.size):
            raise ModelError(f"the rate of Poisson has the shape {shape}, but its size is {self.size}.")
        return PoissonByStep(mean=(counted, np.asarray(dt * 1e-3)), key=self.key, size=self.size)

    def __repr__(self) -> str:
        rate = repr(self.rate) if isinstance(self.rate, Current) else show(self.rate, _HZ)
        return f"Poisson({'x'.join(map(str, self.size))}, rate={rate}{f', seed={self.seed}' if self.seeded else ''})"


class PoissonByStep(Module):
    """A `Poisson` in steps of a run: the mean of a step, or a rate in time and the step in s."""

    mean: Annotated[Any, NODE]
    key: Annotated[Any, NODE]
    size: Annotated[tuple[int, ...], STATIC]

    def spikes(self, n: Any, number: Any) -> Array:
        """How many each has in a step: int32, of the shape `size`.

        Args:
            n: number of the step in time.
            number: of the step, counted from the first run on: what it draws no other step draws.
        """
        mean = self.mean
        if isinstance(mean, tuple):
            counted, seconds = mean
            assert isinstance(counted, Counted)
            mean = counted.mean(n) * seconds
        mean = jnp.maximum(lax.stop_gradient(jnp.asarray(mean)).astype(jnp.float32), 0).ravel()
        mean = mean[0] if mean.size == 1 else mean
        key = key_of(lax.stop_gradient(self.key))
        return poisson(key, jnp.asarray(number).astype(jnp.uint32), mean, math.prod(self.size)).reshape(self.size)


class SpikeSource(Module):
    """Given spike trains: source `neurons[k]` spikes at `times[k]`, at the end of the step that the time is in.

    Args:
        size: number of sources.
        times: with a unit, in any order, more than 0 ms. Or, without `neurons`, a list of trains, one for each source:
            ``([[1.0, 2.5], [], [4.0]], "ms")``.
        neurons: number of the source of each.

    Several spikes of one source within a step are all sent, as their number times the weight.
    """

    times: Annotated[Any, NODE]
    neurons: Annotated[Any, NODE]
    size: Annotated[tuple[int, ...], STATIC]

    def __init__(self, size: int, *, times: Any, neurons: Any = None) -> None:
        (count,) = shape = checked_size(size, "SpikeSource", axes=1)
        if neurons is None:
            times, neurons = _of_trains(times, count)
        when = np.atleast_1d(np.asarray(convert(times, _MS, "times of SpikeSource"), float))
        who = np.atleast_1d(np.asarray(neurons))
        if when.shape != who.shape or when.ndim != 1:
            raise ModelError(f"SpikeSource needs one neuron for each time: got {who.shape} and {when.shape}.")
        if when.size and (who.dtype.kind not in "iu" or who.min() < 0 or who.max() >= count or not when.min() >= 0):
            raise ModelError(f"SpikeSource of {count}: neurons must be from 0 to {count - 1} and times at least 0 ms.")
        order = np.argsort(when, kind="stable")
        super().__init__(times=when[order], neurons=who[order].astype(float), size=shape)

    def __repr__(self) -> str:
        count = np.size(self.times)
        return f"SpikeSource({self.size[0]}, {count} spike{'s' if count != 1 else ''})"

    def counted(self, dt: float) -> "SpikesByStep":
        """The same in steps of `dt` ms. A time on the grid, to a thousandth of a step, belongs to the step that ends there."""
        when = moment(self.times, dt, jnp.result_type(self.times))
        steps = (when.step - (when.share < 1e-3)).clip(0)
        return SpikesByStep(steps=steps.astype(np.int32), neurons=self.neurons.astype(np.int32), size=self.size)


def _of_trains(times: Any, count: int) -> tuple[Any, np.ndarray]:
    """From a list of trains with a unit all times with it, and whose they are."""
    trains, unit = (
        times if isinstance(times, tuple) and len(times) == 2 and isinstance(times[1], str) else (times, None)
    )
    if not isinstance(trains, Sequence) or isinstance(trains, str) or len(trains) != count:
        raise ModelError(
            f"SpikeSource of {count} needs neurons=, one for each time, or {count} trains with a unit: times=([[1.0, 2.5], ...], 'ms')."
        )
    if unit is None:
        flat = [np.atleast_1d(np.asarray(convert(train, _MS, "times of SpikeSource"), float)) for train in trains]
    else:
        flat = [np.asarray(train, float).ravel() for train in trains]
    who = np.repeat(np.arange(count), [train.size for train in flat])
    return (np.concatenate(flat), "ms" if unit is None else unit), who


class SpikesByStep(Module):
    """A `SpikeSource` in steps of a run: source ``neurons[k]`` spikes in step ``steps[k]``; steps do not decrease."""

    steps: Annotated[Any, NODE]
    neurons: Annotated[Any, NODE]
    size: Annotated[tuple[int, ...], STATIC]

    def spikes(self, n: Any, number: Any) -> Array:
        """How many each has in the step of number `n` in time: int32, of the shape `size`."""
        if not self.steps.shape[-1]:  # nobody ever spikes
            return jnp.zeros(self.size, jnp.int32)
        steps, neurons = jnp.asarray(self.steps), jnp.asarray(self.neurons)
        begin, end = jnp.searchsorted(steps, n, side="left"), jnp.searchsorted(steps, n, side="right")

        def one(k: Array, out: Array) -> Array:
            who = (lax.dynamic_index_in_dim(neurons, k, keepdims=False),)
            return lax.dynamic_update_slice(out, lax.dynamic_slice(out, who, (1,)) + 1, who)

        return lax.fori_loop(begin, end, one, jnp.zeros(math.prod(self.size), jnp.int32)).reshape(self.size)


def checked_size(size: Any, what: str, axes: int | None = None) -> tuple[int, ...]:
    """The shape that a number of sources, or a tuple of them, stands for."""
    shape = tuple(size) if isinstance(size, tuple | list) else (size,)
    if not all(isinstance(n, int | np.integer) and not isinstance(n, bool) and n > 0 for n in shape):
        raise ModelError(f"the size of {what} must be a positive number or a tuple of them, not {size!r}.")
    if axes is not None and len(shape) != axes:
        raise ModelError(f"the size of {what} must be one number, not {size!r}.")
    return tuple(int(n) for n in shape)


Source = Poisson | SpikeSource
