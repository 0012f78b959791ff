"""Groups of neurons as they are written: ``"cells[:100]"``, ``"cells[3, 5, 8]"``, ``"E + I[:10]"``."""

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import ModelError

MAX_CHAIN = 100
"""Groups that are parts of groups."""
_TERM = re.compile(r"\s*(\w+)\s*(?:\[([^\[\]]*)\])?\s*")
_NUMBER = re.compile(r"-?\d+")
_SLICE = re.compile(r"(-?\d*)\s*:\s*(-?\d*)\s*(?::\s*(\d*))?")


def group_of(
    name: Any, sizes: Mapping[str, tuple[int, ...]], groups: Mapping[str, str], where: str, within: tuple[str, ...] = (),
    known: dict[str, tuple[str, np.ndarray]] | None = None,
) -> tuple[str, np.ndarray]:  # fmt: skip
    """The population that a group lies in, and its neurons' flat indices there, in rising order.

    Args:
        within: the groups whose part it is.
        known: groups that were looked up before, so that none is twice.

    Raises:
        ModelError: where there is no such population, none of its neurons, or a neuron that it has not.
    """
    if not isinstance(name, str):
        raise ModelError(f"{where}: a group is named by a text such as 'cells[:100]', not {name!r}.")
    known = {} if known is None else known
    found = [_term(term, name, sizes, groups, where, within, known) for term in name.split("+")]
    populations = {population for population, _ in found}
    if len(populations) > 1:
        raise ModelError(
            f"{where}: {name!r} lies in {' and '.join(sorted(populations))}; a group is part of one population."
        )
    (population,) = populations
    if len(found) == 1:
        return found[0]
    return population, np.unique(np.concatenate([index for _, index in found]))


def _term(
    term: str, name: str, sizes: Mapping[str, tuple[int, ...]], groups: Mapping[str, str], where: str, within: tuple[str, ...],
    known: dict[str, tuple[str, np.ndarray]],
) -> tuple[str, np.ndarray]:  # fmt: skip
    match = _TERM.fullmatch(term)
    if match is None:
        raise ModelError(
            f"{where}: write a population or group, or part of one, such as 'cells[:100]' or 'cells[3, 5] + cells[10:]', not {name!r}."
        )
    label = match[1]
    if label in sizes:
        population, index = label, np.arange(math.prod(sizes[label]))
    elif label in within:
        raise ModelError(f"{where}: the groups {' -> '.join([*within, label])} go in a circle.")
    elif len(within) > MAX_CHAIN:
        raise ModelError(f"{where}: groups are parts of groups, {MAX_CHAIN} of one another at most.")
    elif label in groups:
        if label not in known:
            known[label] = group_of(groups[label], sizes, groups, where, (*within, label), known)
        population, index = known[label]
    else:
        raise ModelError(f"{where}: there is no population '{label}'. There are {', '.join([*sizes, *groups])}.")
    return population, index if match[2] is None else _part(index, match[2], f"{where}: {name!r}")


def _part(index: np.ndarray, inside: str, where: str) -> np.ndarray:
    """The neurons that stand between the brackets."""
    n, texts = index.size, [text.strip() for text in inside.split(",")]
    if len(texts) == 1 and (match := _SLICE.fullmatch(texts[0])) is not None:
        first, last, by = (int(text) if text else None for text in match.groups())
        for number in (first, last):
            if number is not None and not -n <= number <= n:
                raise ModelError(f"{where} goes to {number}, but there are {n} neurons.")
        if by == 0:
            raise ModelError(f"{where}: a step of 0 leads nowhere.")
        found = index[first:last:by]
        if not found.size:
            raise ModelError(f"{where} has no neurons; there are {n}.")
        return found
    if not all(_NUMBER.fullmatch(text) for text in texts):
        raise ModelError(
            f"{where}: between brackets stands a part such as ':100' or '1::2', or numbers of neurons, '3, 5, 8'."
        )
    numbers = np.asarray([int(text) for text in texts])
    wrong = numbers[(numbers < -n) | (numbers >= n)]
    if wrong.size:
        raise ModelError(f"{where} has the neuron {wrong[0]}, but there are {n}: 0 to {n - 1}.")
    found = np.unique(index[numbers])
    if found.size < numbers.size:
        raise ModelError(f"{where} names a neuron twice.")
    return found


def written(label: str, indices: Any, where: str) -> str:
    """A group given as ``("cells", [3, 5, 8])`` in words."""
    numbers = np.asarray(indices)
    if numbers.ndim != 1 or not numbers.size or numbers.dtype.kind not in "iu":
        raise ModelError(
            f"{where}: a group is a text, or a population with a list of its neurons: ('cells', [3, 5, 8])."
        )
    return f"{label}[{', '.join(map(str, numbers.tolist()))}]"
