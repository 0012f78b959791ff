"""Cells built by hand, branch by branch."""

from typing import Any

import numpy as np

from ..errors import ModelError, UnitError
from ..units import Unit, convert
from .anatomy import ALIASES, RESERVED, TYPES, Anatomy
from .branches import Branches, sphere
from .points import APICAL, AXON, DEND, FAR, MOST_TAG, SOMA, THIN, countable, known
from .regions import places

_UM = Unit.parse("um")
_TAGS = {name: tag for tag, name in TYPES.items()}


def soma(diameter: Any, length: Any) -> Anatomy:
    """A soma alone, at (0, 0, 0): a sphere, or a cylinder along x where it has a length."""
    wide = _size(diameter, "the diameter of the soma")
    long = wide if length is None else _size(length, "the length of the soma")
    points = sphere(0.0, 0.0, 0.0, wide)
    points[:, 0] = [-long / 2, 0.0, long / 2]
    return Anatomy(
        Branches(points, np.array([0, 3]), np.array([-1]), np.array([0.0]), np.array([SOMA])), "a cell built by hand"
    )


def branch(
    anatomy: Anatomy,
    name: str,
    *,
    length: Any,
    diameter: Any,
    points: Any,
    at: str,
    type: str | int | None,
    direction: Any,
) -> Anatomy:
    """`anatomy` with one more branch; see `Morphology.branch`."""
    if not isinstance(name, str):
        raise ModelError(f"a branch is called by a word, such as 'dend', not {name!r}.")
    found = places(anatomy, at)
    if len(found) > 1:
        raise ModelError(f"branch '{name}': at='{at}' names {len(found)} places; say which.")
    above, x, tag = int(found.branch[0]), float(found.x[0]), _tag(name, type)
    if points is not None:
        if length is not None or diameter is not None or direction is not None:
            raise ModelError(f"branch '{name}': give points, or length and diameter, not both.")
        shape = _given(points, name)
    else:
        way = _direction(anatomy, above, x, tag) if direction is None else _unit(direction, name)
        shape = _straight(anatomy, above, x, name, length, diameter, way)
    old = anatomy.branches
    added = Branches(
        np.concatenate([old.points, shape]),
        np.append(old.first, old.first[-1] + len(shape)),
        np.append(old.parent, above),
        np.append(old.attach, x),
        np.append(old.tag, tag),
    )
    groups = dict(anatomy.groups)
    if ALIASES.get(name, name) not in _TAGS:
        members = groups.get(name, ())
        if isinstance(members, str):
            raise ModelError(f"branch '{name}': this name stands for the region '{members}' already.")
        groups[name] = (*members, len(old))
    return Anatomy(added, anatomy.source, groups, anatomy.notes)


def _tag(name: str, type: str | int | None) -> int:
    if type is not None and ALIASES.get(name, name) in _TAGS:
        raise ModelError(f"branch '{name}': this name says the type already; leave type={type!r} out.")
    if isinstance(type, int) and not isinstance(type, bool) and abs(type) < MOST_TAG:
        return type
    word = str(name if type is None else type)
    word = ALIASES.get(word, word)
    if word in _TAGS:
        return _TAGS[word]
    if type is None and name not in RESERVED:
        return DEND
    if type is None:
        raise ModelError(f"'{name}' cannot name a branch: it has a meaning in regions and places. Take another word.")
    raise ModelError(f"branch '{name}': the type must be one of {', '.join(_TAGS)} or a number, not {type!r}.")


def _size(value: Any, where: str) -> float:
    number = known(convert(value, _UM, where), where)
    if np.ndim(number) or not np.isfinite(number) or number <= 0:
        raise UnitError(f"{where} must be one positive length, got {value!r}.")
    if not THIN < number < FAR:
        raise UnitError(f"{where} is {value!r}, and that of a neuron lies between {THIN:g} and {FAR:g} um.")
    return float(number)


def _given(points: Any, name: str) -> np.ndarray:
    shape = known(convert(points, _UM, f"points of branch '{name}'"), f"points= of branch '{name}'")
    if shape.ndim != 2 or shape.shape[1] != 4 or len(shape) < 2:
        raise ModelError(
            f"points of branch '{name}' must be x, y, z, diameter in rows of four, at least two of them; got {shape.shape}."
        )
    if not countable(shape).all():
        raise UnitError(
            f"points of branch '{name}' must be finite, with positive diameters, and those of a neuron: within {FAR:g} um, and no thinner than {THIN:g}."
        )
    if not np.diff(shape[:, :3], axis=0).any():
        raise ModelError(f"branch '{name}' has no length: all points of it are in one place.")
    return shape


def _straight(
    anatomy: Anatomy, above: int, x: float, name: str, length: Any, diameter: Any, way: np.ndarray
) -> np.ndarray:
    if length is None or diameter is None:
        raise ModelError(f"branch '{name}' needs length= and diameter=, or points=.")
    long = _size(length, f"the length of branch '{name}'")
    if isinstance(diameter, tuple | list) and len(diameter) > 2:
        raise ModelError(
            f"branch '{name}': diameter= is one, or those of its beginning and its end, not {len(diameter)}: a course with more is given by "
            f"points= (x, y, z, diameter), or as branches that go on at one another's end."
        )
    ends = diameter if _is_pair(diameter) else (diameter, diameter)
    wide = [_size(end, f"the diameter of branch '{name}'") for end in ends]
    start = anatomy.frusta.at(np.array([above]), np.array([x]))
    begin = start.xyz[0]
    if anatomy.branches.tag[above] == SOMA and 0 < x < 1:
        begin = begin + way * start.diameter[0] / 2  # drawn from the surface; the way to it costs nothing
    return np.array([[*begin, wide[0]], [*(begin + long * way), wide[1]]])


def _is_pair(diameter: Any) -> bool:
    """Whether these are two diameters, and not one with its unit apart: ``(2.0, "um")``."""
    return isinstance(diameter, tuple | list) and len(diameter) == 2 and not (
        isinstance(diameter[1], str) and isinstance(diameter[0], int | float)
    )  # fmt: skip


def _unit(direction: Any, name: str) -> np.ndarray:
    try:
        vector = np.asarray(direction, float)
    except (TypeError, ValueError):
        vector = np.zeros(0)
    if vector.shape != (3,) or not np.isfinite(vector).all() or not vector.any():
        raise ModelError(f"branch '{name}': direction must be three numbers, not all zero; got {direction!r}.")
    return vector / np.linalg.norm(vector)


def _direction(anatomy: Anatomy, above: int, x: float, tag: int) -> np.ndarray:
    """Where a branch goes that was not told: apical up, axons down, dendrites to the sides of a soma, others on and apart."""
    siblings = [i for i in anatomy.children[above] if anatomy.branches.attach[i] == x]
    if anatomy.branches.tag[above] == SOMA:
        beside = sum(anatomy.branches.tag[i] == tag for i in siblings)
        if tag in (APICAL, AXON):
            return _turned(np.array([0.0, 1.0 if tag == APICAL else -1.0, 0.0]), beside)
        fall = np.pi / 18 + beside // 2 * np.pi / 6
        return np.array([(-1.0) ** beside * np.cos(fall), -np.sin(fall), 0.0])
    first = anatomy.branches.first
    points = anatomy.branches.points[first[above] : first[above + 1], :3]
    aside = 2 if x < 1 else 1  # at its end the first goes straight on
    return _turned(
        (points[-1] - points[0]) / np.linalg.norm(points[-1] - points[0]),
        len(siblings) + aside if siblings or x < 1 else 0,
    )


def _turned(way: np.ndarray, times: int) -> np.ndarray:
    """Turned in a plane, that of x and y where it lies in it: not at first, then by 30 degrees to the left and right in turn, then further."""
    angle = np.pi / 6 * ((times + 1) // 2) * (-1) ** times
    side = np.array([-way[1], way[0], 0.0]) if np.hypot(way[0], way[1]) > 1e-6 else np.array([1.0, 0.0, 0.0])
    return np.cos(angle) * way + np.sin(angle) * side / np.linalg.norm(side)
