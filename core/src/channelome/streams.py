"""Streams of random numbers: everything random has one of its own, which follows from a seed, a label and a role."""

import zlib
from typing import Any, NamedTuple

import numpy as np

from .errors import ModelError

LARGEST = 2**64 - 1
_BITS = 16


class Stream(NamedTuple):
    """What something random follows from: the network's seed, the label of its part, and what it is there.

    Streams that differ in any of the three are independent. A `seed` of one's own takes the place of the first two.
    """

    seed: int = 0
    label: str = ""
    role: str = ""

    def of(self, role: str) -> "Stream":
        """The stream of another role of the same part; a role of a role is written ``"INa.g_max"``."""
        return self._replace(role=f"{self.role}.{role}" if self.role else role)

    def generator(self, seed: int | None = None) -> np.random.Generator:
        """NumPy's generator of it."""
        return np.random.default_rng(self._sequence(seed))

    def number(self, seed: int | None = None) -> int:
        """64 bits of it, for other generators."""
        low, high = self._sequence(seed).generate_state(2)
        return int(low) | int(high) << 32

    def _sequence(self, seed: int | None) -> np.random.SeedSequence:
        role = zlib.crc32(self.role.encode())
        begin = (self.seed, zlib.crc32(self.label.encode())) if seed is None else (seed,)
        return np.random.SeedSequence([*begin, role])


def checked_seed(seed: Any, where: str) -> int:
    """A seed, which must be a whole number.

    Raises:
        ModelError: for anything else.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed <= LARGEST:
        raise ModelError(f"the seed of {where} must be a whole number from 0 to 2^64 - 1, not {seed!r}.")
    return int(seed)


def in_floats(number: int) -> np.ndarray:
    """64 bits as four floats of 16 bits each, which every precision holds and JAX's gradients pass: a leaf of a program."""
    return np.asarray([number >> _BITS * k & (1 << _BITS) - 1 for k in range(4)], np.float32)


def from_floats(pieces: Any) -> int:
    """The reverse of `in_floats`."""
    return sum(int(piece) << _BITS * k for k, piece in enumerate(np.asarray(pieces)))
