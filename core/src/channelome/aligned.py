"""Arrays at addresses that XLA takes as they are, without a copy, and such with room behind their end."""

from typing import Any

import numpy as np

ALIGNMENT = 64
"""What XLA asks of a NumPy array's address in order to use it as it is."""
_OURS = np.dtype([("room", np.uint8)])
"""Of the memory under such arrays, so that it is known again from a view of it."""


def aligned(shape: tuple[int, ...], dtype: Any, room: int = 0) -> np.ndarray:
    """An empty array, whose memory holds at least `room` items."""
    dtype, n = np.dtype(dtype), int(np.prod(shape))
    raw = np.empty(max(n, room) * dtype.itemsize + ALIGNMENT, _OURS)
    offset = -raw.ctypes.data % ALIGNMENT
    return raw[offset : offset + n * dtype.itemsize].view(dtype).reshape(shape)


def room_of(values: np.ndarray, n: int) -> np.ndarray | None:
    """The first `n` items of the memory that `values` begin, of any value past their end; None where it holds fewer, or is not ours."""
    raw = values.base
    if not isinstance(raw, np.ndarray) or raw.dtype != _OURS or values.ndim != 1 or not values.flags.c_contiguous:
        return None
    offset, size = values.ctypes.data - raw.ctypes.data, n * values.itemsize
    if values.ctypes.data % ALIGNMENT or offset + size > raw.size:
        return None
    return raw[offset : offset + size].view(values.dtype)
