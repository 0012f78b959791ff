"""Values that are drawn for each neuron or synapse when a model is built: `normal`, `lognormal` and `uniform`."""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .aligned import aligned
from .errors import ModelError
from .streams import Stream, checked_seed
from .units import Unit, convert, difference

DISTRIBUTIONS: Mapping[str, tuple[str, str]] = {
    "normal": ("mean", "std"),
    "lognormal": ("mean", "std"),
    "uniform": ("low", "high"),
}
"""What a parameter can be drawn from, and the names of its two arguments."""


PIECE = 1 << 20
"""How many values are drawn at once."""


@dataclasses.dataclass(frozen=True)
class Sampled:
    """A parameter drawn for each neuron when its cell is built; see `channelome.normal`, `lognormal` and `uniform`.

    Args:
        distribution: one of `DISTRIBUTIONS`.
        arguments: its two arguments, with units; once `converted`, bare.
        seed: of its own; if None, the values follow from the network's seed, the label and the parameter.
        low, high: bounds, like the arguments; None for none.
        clip: whether what lies outside is put onto the bounds; else nothing is drawn outside.
    """

    distribution: str
    arguments: tuple[Any, Any]
    seed: int | None = None
    low: Any = None
    high: Any = None
    clip: bool = False

    def __post_init__(self) -> None:
        if self.seed is not None:
            object.__setattr__(self, "seed", checked_seed(self.seed, f"{self.distribution}()"))

    def converted(self, unit: Unit, where: str) -> "Sampled":
        """The same in bare numbers of `unit`."""
        a = convert(self.arguments[0], unit, where)
        b = (convert if self.distribution == "uniform" else difference)(self.arguments[1], unit, where)
        low, high = (None if x is None else convert(x, unit, where) for x in (self.low, self.high))
        if self.distribution == "uniform" and np.any(np.asarray(b) < a):
            raise ModelError(f"{where}: uniform() goes from low to high, not from {a} to {b} {unit}.")
        if self.distribution != "uniform" and np.any(np.asarray(b) < 0):
            raise ModelError(f"{where}: the std of {self.distribution}() must be at least 0, not {b} {unit}.")
        if self.distribution == "lognormal" and not np.all(np.asarray(a) > 0):
            raise ModelError(f"{where}: the mean of lognormal() must be more than 0, not {a} {unit}.")
        if low is not None and high is not None and not np.all(np.asarray(low) < high):
            raise ModelError(
                f"{where}: {self.distribution}() has the bounds {low} and {high} {unit}: low is below high."
            )
        return dataclasses.replace(self, arguments=(a, b), low=low, high=high)

    def over(self, size: tuple[int, ...], stream: Stream, dtype: Any = float, room: int = 0) -> np.ndarray:
        """The values, of the shape `size`, of a stream or, if it has one, of its own seed and the stream's role.

        Args:
            room: how many items the memory of the values is to hold at least, see `aligned`.
        """
        if any(np.ndim(x) for x in (*self.arguments, self.low, self.high) if x is not None):
            return self._drawn(stream.generator(self.seed), size).astype(dtype, copy=False)
        out, first = aligned((math.prod(size),), dtype, room), 0
        for piece in self.pieces(out.size, stream):
            out[first : first + piece.size] = piece
            first += piece.size
        return out if len(size) == 1 else out.reshape(size)

    def pieces(self, n: int, stream: Stream) -> Iterator[np.ndarray]:
        """The values of `over`, in float64, piece by piece, so that all of them are never held."""
        rng = stream.generator(self.seed)
        for first in range(0, n, PIECE):
            yield self._drawn(rng, (min(PIECE, n - first),))

    def _drawn(self, rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
        a, b = (np.asarray(x, float) for x in self.arguments)
        if self.distribution == "uniform":
            return a + (b - a) * rng.random(size)
        if self.distribution == "normal":
            return self._within(rng, size, a, b, self.low, self.high)
        width = np.sqrt(np.log1p((b / a) ** 2))
        with np.errstate(divide="ignore"):
            low, high = (None if x is None else np.log(np.maximum(x, 0)) for x in (self.low, self.high))
        return np.exp(self._within(rng, size, np.log(a) - width**2 / 2, width, low, high))

    def _within(self, rng: np.random.Generator, size: Any, mean: Any, std: Any, low: Any, high: Any) -> np.ndarray:
        """Of a normal distribution between bounds: clipped, or by the inverse of what lies between."""
        if (low is None and high is None) or self.clip:
            drawn = mean + std * rng.standard_normal(size)
            return drawn if low is None and high is None else np.clip(drawn, low, high)
        from scipy.special import ndtr, ndtri

        if np.any(std == 0):
            raise ModelError(
                f"{self.distribution}() between bounds needs a std above 0: give clip=True, or one number."
            )
        z = [
            ((ends if x is None else np.asarray(x, float)) - mean) / std for x, ends in ((low, -np.inf), (high, np.inf))
        ]
        turned = z[0] > 0  # in the upper tail the lower one has the digits
        below, above = np.where(turned, -z[1], z[0]), np.where(turned, -z[0], z[1])
        share = ndtr(below) + (ndtr(above) - ndtr(below)) * rng.random(size)
        found = np.clip(ndtri(share), below, above)
        return mean + std * np.where(turned, -found, found)


@dataclasses.dataclass(frozen=True, eq=False)
class Drawn:
    """Values that are drawn whenever they are asked for, always the same, so that nobody holds them: ``np.asarray(drawn)``.

    Attributes:
        sampled: in bare numbers, its arguments one for all.
        n: how many.
        lowest, highest: the least and the most of them.
    """

    sampled: Sampled
    stream: Stream
    n: int
    lowest: float = dataclasses.field(init=False)
    highest: float = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        ends = [(float(piece.min()), float(piece.max())) for piece in self.pieces()] or [(0.0, 0.0)]
        object.__setattr__(self, "lowest", min(a for a, _ in ends))
        object.__setattr__(self, "highest", max(b for _, b in ends))

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.n,)

    @property
    def ndim(self) -> int:
        return 1

    def pieces(self) -> Iterator[np.ndarray]:
        return self.sampled.pieces(self.n, self.stream)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.sampled.over((self.n,), self.stream, dtype or float)


def normal(
    mean: Any, std: Any, *, low: Any = None, high: Any = None, clip: bool = False, seed: int | None = None
) -> Any:
    """A parameter drawn for each neuron or synapse from a normal distribution when the model is built.

    Args:
        mean, std: with units.
        low, high: bounds, with units: nothing is drawn outside.
        clip: put what lies outside onto the bounds instead.
        seed: of its own: the same seed, size and parameter give the same values. If None, they follow from the network's seed,
            the label and the parameter; those of a cell alone from the parameter.
    """
    return Sampled("normal", (mean, std), seed, low, high, clip)


def lognormal(
    mean: Any, std: Any, *, low: Any = None, high: Any = None, clip: bool = False, seed: int | None = None
) -> Any:
    """As `normal` from a lognormal distribution, always above 0; `mean` and `std` are those of the values themselves."""
    return Sampled("lognormal", (mean, std), seed, low, high, clip)


def uniform(low: Any, high: Any, *, seed: int | None = None) -> Any:
    """A parameter drawn for each neuron or synapse evenly between `low` and `high` (with units) when the model is built."""
    return Sampled("uniform", (low, high), seed)
