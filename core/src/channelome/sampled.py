"""Values that are drawn for each neuron or synapse when a model is built: `normal` and `uniform`, with a seed."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from .units import Unit, convert

DISTRIBUTIONS: Mapping[str, tuple[str, str]] = {"normal": ("mean", "std"), "uniform": ("low", "high")}
"""What a parameter can be drawn from, and the names of its two arguments."""


@dataclasses.dataclass(frozen=True)
class Sampled:
    """A parameter drawn for each neuron when its cell is built; see `channelome.normal` and `channelome.uniform`.

    Args:
        distribution: one of `DISTRIBUTIONS`.
        arguments: its two arguments, with units; once `converted`, bare.
        seed: of NumPy's generator.
    """

    distribution: str
    arguments: tuple[Any, Any]
    seed: int

    def converted(self, unit: Unit, where: str) -> "Sampled":
        a, b = (convert(value, unit, where) for value in self.arguments)
        return dataclasses.replace(self, arguments=(a, b))

    def over(self, size: tuple[int, ...]) -> np.ndarray:
        a, b = self.arguments
        rng = np.random.default_rng(self.seed)
        return a + b * rng.standard_normal(size) if self.distribution == "normal" else a + (b - a) * rng.random(size)


def normal(mean: Any, std: Any, *, seed: int) -> Any:
    """A parameter drawn for each neuron from a normal distribution when the cell is built.

    Args:
        mean, std: with units.
        seed: of NumPy's generator: the same seed and size give the same values.
    """
    return Sampled("normal", (mean, std), seed)


def uniform(low: Any, high: Any, *, seed: int) -> Any:
    """A parameter drawn for each neuron evenly between `low` and `high` (with units) when the cell is built."""
    return Sampled("uniform", (low, high), seed)
