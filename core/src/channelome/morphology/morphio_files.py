"""Neurolucida's ASC and the HDF5 files of the Blue Brain Project, read by MorphIO (extra ``channelome[morphology]``)."""

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from .branches import Branches, sphere
from .contour import stack
from .points import SOMA, countable, way


def read(path: Path, repair: frozenset[str] = frozenset()) -> tuple[Branches, tuple[str, ...]]:
    """The branches of a file, and what MorphIO has to say of it.

    What begins at the soma is connected to its middle, at no cost, as NEURON's Import3d does it.

    Raises:
        ImportError: without MorphIO; names the extra.
        ModelError: if the file is none, or its cell is several trees.
    """
    try:
        import morphio
    except ImportError as error:
        raise ImportError(f'{path.suffix} files are read by MorphIO: pip install "channelome[morphology]"') from error
    if not path.is_file():
        raise ModelError(f"cannot read '{path}': there is no such file.")
    said = morphio.WarningHandlerCollector()
    try:
        cell = morphio.Morphology(str(path), warning_handler=said)
    except morphio.MorphioError as error:
        words = " ".join(str(error).replace("\x1b[1;31m", "").replace("\x1b[0m", "").split())
        several = (
            " Of a soma drawn as several outlines keep one, the widest." if "soma is already defined" in words else ""
        )
        raise ModelError(f"{path.name} is not understood by MorphIO: {words}.{several}") from None
    notes = [f"MorphIO: {warning.warning.msg().splitlines()[-1].strip()}" for warning in said.get_all()]
    return _branches(cell, path.name, repair, notes), tuple(notes)


def _branches(cell: Any, source: str, repair: frozenset[str], notes: list[str]) -> Branches:
    parts: list[np.ndarray] = []
    parent, attach, tag = list[int](), list[float](), list[int]()
    soma = np.column_stack([cell.soma.points, cell.soma.diameters]).astype(float)
    if len(soma):
        parts.append(_soma(soma, source))
        parent, attach, tag = [-1], [0.0], [SOMA]
    elif len(cell.root_sections) != 1:
        raise ModelError(
            f"{source} has no soma and {len(cell.root_sections)} neurites: a cell is one tree. Add a soma that joins them."
        )
    number: dict[int, int] = {}
    for section in cell.iter():  # depth first
        number[section.id] = len(parts)
        points = np.column_stack([section.points, section.diameters]).astype(float)
        if len(points) < 2:
            raise ModelError(
                f"{source}: section {section.id} has one point and no parent that it could begin at; add a point to it."
            )
        parts.append(points)
        tag.append(int(section.type))
        parent.append((0 if len(soma) else -1) if section.is_root else number[section.parent.id])
        attach.append((0.5 if len(soma) else 0.0) if section.is_root else 1.0)
    if "diameters" in repair:
        notes += _widen(parts, parent, tag)
    points = np.concatenate(parts)
    if not countable(points).all():
        where = points[~countable(points)][0]
        raise ModelError(
            f"{source}: the diameter at ({where[0]:g}, {where[1]:g}, {where[2]:g}) um is {where[3]:g}, and must be positive. {way('diameters')}"
        )
    first = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    return Branches(points, first, np.array(parent), np.array(attach), np.array(tag))


def _widen(parts: list[np.ndarray], parent: list[int], tag: list[int]) -> list[str]:
    """Give points of neurites without a positive diameter that of the nearest one toward the root, else of the next one; says how many."""
    count = 0
    for i, points in enumerate(parts):
        wrong = ~(points[:, 3] > 0)
        if tag[i] == SOMA or not wrong.any() or wrong.all():
            continue
        count += int(wrong.sum())
        above = parts[parent[i]][-1, 3] if parent[i] >= 0 and tag[parent[i]] != SOMA else points[~wrong][0, 3]
        for k in np.flatnonzero(wrong):
            points[k, 3] = points[k - 1, 3] if k else above
    return [f"{count} {'point' if count == 1 else 'points'} given the diameter of a neighbour"] if count else []


def _soma(points: np.ndarray, source: str) -> np.ndarray:
    if len(points) == 1:
        return sphere(*points[0])
    return stack(points[:, :3], source) if len(points) > 2 else points
