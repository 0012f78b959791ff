"""What a network file asks for, counted before any of it is made: neurons, synapses, and the memory that they take."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import ModelError
from ..memory import available, shown
from ..networks.landing import split

MAX_NEURONS = 10**7
MAX_SYNAPSES = 2 * 10**9
MAX_POPULATIONS = 5_000
MAX_PAIRS = 10**13
"""Pairs of neurons that a rule goes through."""
MAX_CHAIN = 32
"""Groups that are parts of groups."""
_PER_NEURON = 32
_PER_SYNAPSE = 12
"""Bytes at the height of building. Measured: 11.8 of all_to_all, 9.9 of fixed_indegree, 8.6 of fixed_probability, 23.9 of that with a drawn
weight and a drawn delay."""
_DRAWN = 8
_GROUP = re.compile(r"\s*(\w+)\s*(?:\[(.*)\])?\s*")

Table = Mapping[str, Any]


def neurons(size: Any, place: str) -> int:
    """The number of neurons of a size.

    Raises:
        ModelError: where it is more than a file may ask for.
    """
    n = math.prod(map(int, size)) if isinstance(size, list) else int(size)
    if n > MAX_NEURONS:
        raise ModelError(f"{place}: size is of more than {MAX_NEURONS:,} neurons, the most that a file may ask for.")
    return n


def check_cell(table: Table, n: int, where: str) -> None:
    """Refuse a cell of n neurons whose drawn values no memory holds, before it is tried."""
    _check_memory(_of_neurons(table, n), f"{where}: {n:,} neurons")


def check_network(table: Table, sizes: Mapping[str, int], where: str) -> None:
    """Refuse a network that no memory holds, before it is tried; a rule's own limits and names are the network's to check.

    Args:
        sizes: neurons of each population.

    Raises:
        ModelError: naming the part that is too large, or the limit that all of them pass.
    """
    if len(sizes) > MAX_POPULATIONS:
        raise ModelError(
            f"{where} has {len(sizes):,} populations; {MAX_POPULATIONS:,} are the most that a file may have."
        )
    groups = table.get("groups", {})
    for label in groups:
        _chain(label, groups, f"{where}: groups.{label}")
    synapses = 0.0
    needed: float = sum(_of_neurons(part, sizes[label]) for label, part in table["populations"].items())
    for label, projection in table.get("projections", {}).items():
        count = _synapses(projection, sizes, groups, f"{where}: projections.{label}")
        synapses += count
        needed += count * (_PER_SYNAPSE + _DRAWN * _samples(projection))
    if synapses > MAX_SYNAPSES:
        raise ModelError(
            f"{where}: the projections are of {synapses:.3g} synapses; {MAX_SYNAPSES:.0e} are the most that a file may ask for."
        )
    _check_memory(needed, f"{where}: {sum(sizes.values()):,} neurons and {synapses:.3g} synapses")


def _of_neurons(part: Table, n: int) -> float:
    return n * (_PER_NEURON + 8.0 * _samples(part))


def _check_memory(needed: float, what: str) -> None:
    if needed > available():
        raise ModelError(f"{what} take about {shown(needed)} to build, and {shown(available())} are free.")


def _synapses(table: Table, sizes: Mapping[str, int], groups: Mapping[str, str], place: str) -> float:
    """About how many synapses a projection has, an upper bound of what is to be expected."""
    pre, post = (_extent(name, sizes, groups, {}) for name in (split(table["pre"])[0], split(table["post"])[0]))
    rule = table["connect"]
    pairs = pre * post if rule["rule"] in ("fixed_probability", "distance_dependent") else 0
    if pairs > MAX_PAIRS:
        raise ModelError(
            f"{place} goes through {pairs:.3g} pairs; {MAX_PAIRS:.0e} are the most that a file may ask for."
        )
    k = rule.get("k", 0)
    counts = {
        "fixed_probability": pre * post * rule.get("p", 1), "distance_dependent": pre * post, "all_to_all": pre * post,
        "fixed_outdegree": pre * k, "fixed_total_number": rule.get("n", 0),
    }  # fmt: skip
    count = counts.get(rule["rule"], post * k)
    if count > MAX_SYNAPSES:
        raise ModelError(
            f"{place} is of {count:.3g} synapses; {MAX_SYNAPSES:.0e} are the most that a file may ask for."
        )
    return count


def _samples(part: Table) -> int:
    """How many values of a part are drawn for each neuron or synapse."""
    return sum(1 for value in _values(part) if "sample" in value)


def _values(part: Table) -> Iterator[Table]:
    for value in part.values():
        if isinstance(value, Mapping):
            yield value
            yield from _values(value)


def _chain(label: str, groups: Mapping[str, str], place: str) -> None:
    """Refuse groups of groups of groups: each step is a look through all that it is part of."""
    reached, seen = [label], {label}
    for _ in range(MAX_CHAIN):
        terms = [match[1] for name in reached for match in map(_GROUP.fullmatch, groups[name].split("+")) if match]
        reached = [name for name in dict.fromkeys(terms) if name in groups and name not in seen]
        seen |= set(reached)
        if not reached:
            return
    raise ModelError(f"{place} is a part of a part of ...; {MAX_CHAIN} groups on one another are the most.")


def _extent(name: str, sizes: Mapping[str, int], groups: Mapping[str, str], known: dict[str, int]) -> int:
    """About how many neurons a group has, an upper bound; 0 where it is not there.

    Args:
        known: groups that were counted before; that of one in a circle is 0.
    """
    if "+" in name:
        return sum(_extent(term, sizes, groups, known) for term in name.split("+"))
    match = _GROUP.fullmatch(name)
    label = match[1] if match else ""
    if label in groups and label not in known:
        known[label] = 0
        known[label] = _extent(groups[label], sizes, groups, known)
    whole = known[label] if label in groups else sizes.get(label, 0)
    if match is None or match[2] is None:
        return whole
    if ":" not in match[2]:
        return min(whole, len(match[2].split(",")))
    parts = [int(part) if part.strip() else None for part in match[2].split(":")]
    return len(range(whole)[slice(*parts)])
