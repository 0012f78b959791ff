"""Numbers of projections that share a path: one for all, or an array over its lanes and targets."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .layout import Bundle, Member, Place


def over_lanes(bundle: Bundle, places: Mapping[str, Place], values: Sequence[Any], filling: Any) -> Any:
    """Of one number for each projection, or an array over its targets, one for all, or an array over lanes and targets."""
    if len({np.asarray(x).tobytes() if np.ndim(x) == 0 else id(x) for x in values}) == 1 and np.ndim(values[0]) == 0:
        return values[0]
    out = empty_lanes(bundle, places, values[0], filling)
    for member, value in zip(bundle.members, values, strict=True):
        _lane(out, bundle, member, places)[...] = np.ravel(value)
    return _shaped(out, bundle, places)


def summed_lanes(bundle: Bundle, places: Mapping[str, Place], values: Sequence[Any]) -> Any:
    """As `over_lanes` of what adds up where lanes are shared."""
    if all(np.ndim(x) == 0 and x == 0 for x in values):
        return values[0]
    out = empty_lanes(bundle, places, values[0], 0.0)
    for member, value in zip(bundle.members, values, strict=True):
        _lane(out, bundle, member, places)[...] += np.ravel(value)
    return _shaped(out, bundle, places)


def empty_lanes(bundle: Bundle, places: Mapping[str, Place], like: Any, filling: Any) -> np.ndarray:
    whole = bundle.across or math.prod(places[bundle.members[0].pathway.wiring.post].whole)
    return np.full((bundle.lanes, whole), filling, np.asarray(like).dtype)


def _lane(out: np.ndarray, bundle: Bundle, member: Member, places: Mapping[str, Place]) -> np.ndarray:
    """What a projection has of an array over lanes; of one that lands on places with an axis over these first."""
    place = places[member.pathway.wiring.post]
    if bundle.across:
        first, stop = bundle.span(member, places)
        return out[first:stop].reshape(-1, place.n)
    return out[member.lane, place.first : place.first + place.n]


def _shaped(out: np.ndarray, bundle: Bundle, places: Mapping[str, Place]) -> np.ndarray:
    return out if bundle.lanes > 1 else out.reshape(places[bundle.members[0].pathway.wiring.post].whole)
