"""A soma that was drawn as an outline, as the stack of cylinders that NEURON makes of it.

The outline is sampled evenly, its longest axis found, and the distance between its two sides measured at 21 levels along that axis
(NEURON 9, ``import3d_gui.hoc``, contour2centroid).
"""

import numpy as np

from ..errors import ModelError

_SAMPLES, _LEVELS = 101, 21


def stack(outline: np.ndarray, source: str) -> np.ndarray:
    """Points, shape (21, 4): x, y, z and diameter in um, of the cylinders that stand for an outline of shape (n, 3).

    Raises:
        ModelError: for an outline that encloses nothing.
    """
    found = _levels(outline, source)
    if found is None:  # the way from the last point drawn to the first is a side of its own, which NEURON does not see
        found = _levels(np.concatenate([outline, outline[:1]]), source)
    if found is None:
        raise ModelError(
            f"{source}: the outline of the soma has not two sides; draw it anew, or give the soma as points."
        )
    return found


def _levels(outline: np.ndarray, source: str) -> np.ndarray | None:
    """The cylinders of an outline; nothing if one of its sides is missing."""
    points = _even(outline)
    center = points.mean(axis=0)
    points = points - center
    values, vectors = np.linalg.eigh(points.T @ points)
    major, minor = vectors[:, 2], vectors[:, 1].copy()
    if major[np.argmax(np.abs(major))] < 0:
        major = -major
    minor[2] = 0.0
    if values[1] <= 1e-12 * values[2] or np.linalg.norm(minor) < 1e-6:
        raise ModelError(f"{source}: the outline of the soma encloses nothing that is seen along z.")
    minor /= np.linalg.norm(minor)
    along, across = points @ major, points @ minor
    top = int(np.argmax(along))
    along, across = np.roll(along, -top), np.roll(across, -top)
    bottom = int(np.argmin(along))
    one = _rising(along[:bottom][::-1], across[:bottom][::-1])
    other = _rising(along[bottom:], across[bottom:])
    if not (len(one[0]) and len(other[0])):
        return None
    ends = np.sort(np.concatenate([one[0], other[0]]))
    levels = np.linspace(ends[1], ends[-2], _LEVELS)
    diameters = np.abs(np.interp(levels, *one) - np.interp(levels, *other))
    if diameters.max() < np.ptp(across) / 2:  # both are one side, and the other is missing
        return None
    diameters[0] = (diameters[0] + diameters[1]) / 2  # no end of diameter 0
    diameters[-1] = (diameters[-1] + diameters[-2]) / 2
    return np.column_stack([levels[:, None] * major + center, diameters])


def _even(outline: np.ndarray) -> np.ndarray:
    """The outline as 101 points at equal ways along it as seen along z, from the first to the last that was drawn."""
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(outline[:, :2], axis=0), axis=1))])
    at = np.linspace(0.0, way[-1], _SAMPLES)
    return np.column_stack([np.interp(at, way, outline[:, axis]) for axis in range(3)])


def _rising(along: np.ndarray, across: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A side without the points at which it turns back, looked for from its end."""
    kept = list(range(len(along)))
    j = len(kept) - 1
    while j > 0:
        if along[kept[j]] <= along[kept[j - 1]]:
            del kept[j]
            j = min(j, len(kept) - 1)
        else:
            j -= 1
    return along[kept], across[kept]
