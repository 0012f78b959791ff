"""What a run in a file must be, beyond the form: times that are times, neurons that are there, a state of arrays."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..state import NetworkState, State
from .arrays import Unreadable
from .spikes import SpikeTrains

MAX_NEURONS = 2**31
"""Neurons are numbered in 32 bits."""


def check_times(t: np.ndarray) -> None:
    """Raise `Unreadable` where `t` are not times in order, of shape ``(n_samples,)``."""
    if t.ndim != 1 or t.dtype.kind not in "iuf":
        raise Unreadable(f"t has the shape {t.shape} and the type {t.dtype}")
    if not np.all(np.isfinite(t)):
        raise Unreadable("t holds what is no time")
    if np.any(t[1:] < t[:-1]):
        raise Unreadable("its times are not in order")


def check_records(data: Mapping[str, np.ndarray], units: Mapping[str, Any], n: int) -> None:
    """Raise `Unreadable` where records have not a row for each of n samples, or no unit."""
    for name, values in data.items():
        if values.shape[:1] != (n,):
            raise Unreadable(f"'{name[:60]}' has the shape {values.shape}, but t {(n,)}")
        if not isinstance(units[name], str) or len(units[name]) > 100:
            raise Unreadable(f"the unit of '{name[:60]}' is no text")


def size_of(given: Any) -> tuple[int, ...]:
    """The shape of a population out of the metadata.

    Raises:
        Unreadable: where it is none.
    """
    if not isinstance(given, list) or not all(type(n) is int and n >= 0 for n in given):
        raise Unreadable("a population has a size that is none")
    if len(given) > 8 or math.prod(given) > MAX_NEURONS:
        raise Unreadable(f"a population has more than {MAX_NEURONS:,} neurons")
    return tuple(given)


def check_spikes(trains: SpikeTrains, what: str) -> None:
    """Raise `Unreadable` where spikes are not at times, or of neurons that are not there."""
    times, neurons = trains.times, trains.neurons
    if times.ndim != 1 or times.shape != neurons.shape:
        raise Unreadable(f"it has {times.shape} spike times of {neurons.shape} neurons{what}")
    if times.dtype.kind != "f" or not np.all(np.isfinite(times)):
        raise Unreadable(f"it has spikes at what is no time{what}")
    n = math.prod(trains.size)
    if neurons.dtype.kind not in "iu" or (neurons.size and not 0 <= int(neurons.min()) <= int(neurons.max()) < n):
        raise Unreadable(f"it has spikes of neurons that are not among its {n}{what}")


def cell_state(fields: dict[str, Any]) -> State:
    """The state of a cell out of the fields in a file.

    Raises:
        TypeError, Unreadable: where they are none: not a V, and by name gates and concentrations that are arrays.
    """
    state = State(**fields)
    _array(state.V, "V")
    for part, what in ((state.channels, "channels"), (state.ions, "ions"), (state.behind or {}, "behind")):
        for inner in _by_name(part, what).values():
            for value in _by_name(inner, what).values():
                _array(value, what)
    if state.lag is not None and _array(state.lag, "lag").shape != ():
        raise Unreadable("its last state has a lag that is no number")
    return state


def network_state(fields: dict[str, Any]) -> NetworkState:
    """The state of a network out of the fields in a file.

    Raises:
        TypeError, Unreadable: where they are none.
    """
    cells = {name: cell_state(cell) for name, cell in _by_name(fields.pop("cells"), "cells").items()}
    state = NetworkState(cells, **fields)
    for part, what in ((state.synapses, "synapses"), (state.sources, "sources"), (state.rings, "rings")):
        _by_name(part, what)
    for name, ring in state.rings.items():
        if ring is not None and _array(ring, "spikes under way").ndim < 2:
            raise Unreadable(
                f"its last state has spikes under way in '{name:.60}' that are no numbers by step and source"
            )
    for marks in _by_name(state.marks or {}, "marks").values():
        for value in _by_name(marks, "marks").values():
            if _array(value, "marks").shape != ():
                raise Unreadable("its last state has marks that are no numbers")
    _array(state.steps, "steps")
    return state


def _by_name(part: Any, what: str) -> dict[str, Any]:
    if not isinstance(part, dict):
        raise Unreadable(f"its last state has no {what} by name")
    return part


def _array(value: Any, what: str) -> np.ndarray:
    if not isinstance(value, np.ndarray):
        raise Unreadable(f"its last state has {what} without numbers")
    return value
