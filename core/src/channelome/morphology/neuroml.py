"""NeuroML 2 morphologies, Cannon et al. (2014), doi:10.3389/fninf.2014.00079: segments, of which branches are made."""

import re
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np

from ..errors import ModelError
from .anatomy import ALIASES, RESERVED
from .branches import Branches, sphere
from .points import APICAL, AXON, DEND, SOMA, countable

_GROUPS = {"soma_group": SOMA, "axon_group": AXON, "dendrite_group": DEND, "basal_group": DEND, "apical_group": APICAL}
_PREFIXES = {"soma": SOMA, "axon": AXON, "apic": APICAL, "dend": DEND, "basal": DEND}
"""How pyNeuroML, neuroConstruct and NEURON name what has no group of a type."""


@dataclass(frozen=True)
class _Segment:
    id: int
    name: str
    parent: int | None
    along: float
    proximal: np.ndarray | None
    distal: np.ndarray


def parse(text: str, source: str) -> tuple[Branches, dict[str, str | tuple[int, ...]]]:
    """The branches of a NeuroML file's one cell, and its segment groups that consist of whole branches, by name.

    A branch is a chain of segments in the same groups; others may leave a soma anywhere, and every branch at its end. Types come from the groups ``soma_group``, ``axon_group``, ``dendrite_group``,
    ``basal_group`` and ``apical_group``, else from how segments are called, else all are dendrites.

    Raises:
        ModelError: for what is not the file of one cell, or not a tree.
    """
    segments, groups = _read(text, source)
    order = _ordered(segments, source)
    tags = _tags(segments, groups)
    belongs = {i: frozenset(name for name, members in groups.items() if i in members) for i in segments}
    chains, chain_of = list[list[int]](), dict[int, int]()
    children = _children(segments, order)
    for i in order:
        p = segments[i].parent
        if (
            p is not None
            and _alone(i, children[p], tags)
            and belongs[i] == belongs[p]
            and _meets(segments, i)
            and tags[i] == tags[p]
        ):
            chain_of[i] = chain_of[p]
            chains[chain_of[p]].append(i)
        else:
            chain_of[i] = len(chains)
            chains.append([i])
    starts = _starts(segments, order, source)
    return _built(segments, chains, chain_of, tags, starts), _named(groups, chains)


def _read(text: str, source: str) -> tuple[dict[int, _Segment], dict[str, set[int]]]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ModelError(f"{source} declares a document type or entities, which NeuroML files do not; it is not read.")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ModelError(f"{source} is not XML: {error}.") from None
    morphologies = [element for element in root.iter() if _plain(element) == "morphology"]
    if len(morphologies) != 1:
        raise ModelError(f"{source} holds {len(morphologies)} morphologies; the file of one cell is read.")
    segments: dict[int, _Segment] = {}
    given: dict[str, tuple[set[int], list[str]]] = {}
    for element in morphologies[0]:
        if _plain(element) == "segment":
            segment = _segment(element, source)
            if segment.id in segments:
                raise ModelError(f"{source}: the segment id {segment.id} stands twice.")
            segments[segment.id] = segment
        elif _plain(element) == "segmentGroup":
            given[element.get("id", "")] = _group(element, source)
    if not segments:
        raise ModelError(f"{source} holds no segment.")
    groups = _members(given, source)
    for name, members in groups.items():
        if missing := members - segments.keys():
            raise ModelError(f"{source}: the group '{name}' has the segment {min(missing)}, which is missing.")
    return segments, groups


def _plain(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _segment(element: ElementTree.Element, source: str) -> _Segment:
    parts = {_plain(child): child for child in element}
    where = f"{source}, segment {element.get('id')}"
    if "distal" not in parts:
        raise ModelError(f"{where} has no distal end.")
    parent = parts.get("parent")
    return _Segment(
        id=_whole(element.get("id"), f"{where}: its id"),
        name=element.get("name", ""),
        parent=None if parent is None else _whole(parent.get("segment"), f"{where}: its parent"),
        along=1.0 if parent is None else _share(parent.get("fractionAlong", "1"), where),
        proximal=_point(parts["proximal"], where) if "proximal" in parts else None,
        distal=_point(parts["distal"], where),
    )


def _whole(text: str | None, what: str) -> int:
    """The number of a segment.

    Raises:
        ModelError: for what is none; `what` it is, with the place.
    """
    if text is None or not re.fullmatch(r"\s*-?\d{1,18}\s*", text):
        raise ModelError(f"{what} must be the number of a segment{'' if text is None else f', not {text!r}'}.")
    return int(text)


def _share(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ModelError(f"{where}: fractionAlong is {text!r}, and must be a number from 0 to 1.") from None


def _point(element: ElementTree.Element, where: str) -> np.ndarray:
    try:
        values = [float(element.get(name, "none")) for name in ("x", "y", "z", "diameter")]
    except ValueError:
        raise ModelError(f"{where}: an end needs x, y, z and diameter as numbers, got {element.attrib}.") from None
    if not countable(np.array(values)):
        raise ModelError(f"{where}: ends must be finite, with a positive diameter, got {element.attrib}.")
    return np.array(values)


def _group(element: ElementTree.Element, source: str) -> tuple[set[int], list[str]]:
    """The members of a group that it names itself, and the groups that it includes."""
    where = f"{source}: the group '{element.get('id')}'"
    members, includes = set[int](), list[str]()
    for child in element:
        if _plain(child) == "member":
            members.add(_whole(child.get("segment"), f"{where}: its member"))
        elif _plain(child) == "include":
            includes.append(child.get("segmentGroup", ""))
        elif _plain(child) in ("path", "subTree"):
            raise ModelError(f"{where} is given by a {_plain(child)}; only members and includes are read.")
    return members, includes


def _members(given: dict[str, tuple[set[int], list[str]]], source: str) -> dict[str, set[int]]:
    """All segments of each group, those of the groups that it includes among them."""
    found: dict[str, set[int]] = {}
    for first in given:
        stack, opened = [first], set[str]()
        while stack:
            members, includes = given[name := stack[-1]]
            for other in includes:
                if other not in given:
                    raise ModelError(f"{source}: the group '{name}' includes '{other}', which the file does not have.")
                if other in opened or other == name:
                    raise ModelError(f"{source}: the group '{other}' includes itself, by way of '{name}'.")
            if missing := [other for other in includes if other not in found]:
                opened.add(name)
                stack += missing
                continue
            found[name] = members.union(*(found[other] for other in includes))
            opened.discard(stack.pop())
    return found


def _ordered(segments: dict[int, _Segment], source: str) -> list[int]:
    """Depth first, children in the order of the file."""
    roots = [i for i, segment in segments.items() if segment.parent is None]
    if len(roots) != 1:
        raise ModelError(f"{source} has {len(roots)} segments without a parent; a cell is one tree.")
    for segment in segments.values():
        if segment.parent is not None and segment.parent not in segments:
            raise ModelError(f"{source}: the parent {segment.parent} of segment {segment.id} is missing.")
        if not 0 <= segment.along <= 1:
            raise ModelError(
                f"{source}: fractionAlong of segment {segment.id} is {segment.along:g}; it goes from 0 to 1."
            )
    children = _children(segments, list(segments))
    order, stack = list[int](), roots
    while stack:
        order.append(i := stack.pop())
        stack += reversed(children[i])
    if loose := segments.keys() - set(order):
        raise ModelError(f"{source}: the parents of segment {min(loose)} run in a circle.")
    return order


def _children(segments: dict[int, _Segment], order: list[int]) -> dict[int, list[int]]:
    below: dict[int, list[int]] = {i: [] for i in segments}
    for i in order:
        if (p := segments[i].parent) is not None:
            below[p].append(i)
    return below


def _tags(segments: dict[int, _Segment], groups: dict[str, set[int]]) -> dict[int, int]:
    tags = {
        i: next((tag for prefix, tag in _PREFIXES.items() if s.name.lower().startswith(prefix)), 0)
        for i, s in segments.items()
    }
    for name in ("soma_group", "axon_group", "dendrite_group", "basal_group", "apical_group"):
        for i in groups.get(name, ()):
            if name != "dendrite_group" or tags[i] not in (DEND, APICAL):
                tags[i] = _GROUPS[name]
    return {i: tag or DEND for i, tag in tags.items()}


def _alone(i: int, siblings: list[int], tags: dict[int, int]) -> bool:
    """Whether a segment has no siblings; what leaves a soma does not end it."""
    return all(j == i or (tags[i] == SOMA and tags[j] != SOMA) for j in siblings)


def _meets(segments: dict[int, _Segment], i: int) -> bool:
    """Whether a segment begins where its parent ends, at most with another diameter."""
    own, above = segments[i].proximal, segments[i].parent
    if segments[i].along != 1 or own is None or above is None:
        return segments[i].along == 1
    return bool(np.allclose(own[:3], segments[above].distal[:3], atol=1e-6))


def _starts(segments: dict[int, _Segment], order: list[int], source: str) -> dict[int, np.ndarray]:
    """Where each segment begins: at its own proximal end, else on its parent, which stands before it in `order`."""
    starts: dict[int, np.ndarray] = {}
    for i in order:
        segment = segments[i]
        if segment.proximal is not None:
            starts[i] = segment.proximal
        elif segment.parent is None:
            raise ModelError(f"{source}: segment {i} is the root and has no proximal end.")
        else:
            begin, end = starts[segment.parent], segments[segment.parent].distal
            starts[i] = end if segment.along == 1 else begin + segment.along * (end - begin)
    return starts


def _built(
    segments: dict[int, _Segment],
    chains: list[list[int]],
    chain_of: dict[int, int],
    tags: dict[int, int],
    starts: dict[int, np.ndarray],
) -> Branches:
    parts, parent, attach = [], [], []
    for chain in chains:
        points = [starts[chain[0]]]
        for i in chain:
            own = segments[i].proximal
            if i != chain[0] and own is not None and own[3] != points[-1][3]:
                points.append(own)  # a step of the diameter
            points.append(segments[i].distal)
        shape = np.array(points)
        if len(shape) == 2 and (shape[0] == shape[1]).all() and segments[chain[0]].parent is None:
            shape = sphere(*shape[0])
        parts.append(shape)
        p = segments[chain[0]].parent
        parent.append(-1 if p is None else chain_of[p])
        attach.append(0.0 if p is None else _place(segments, chains[chain_of[p]], p, segments[chain[0]].along, starts))
    first = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    kinds = np.array([tags[chain[0]] for chain in chains])
    return Branches(np.concatenate(parts), first, np.array(parent), np.array(attach), kinds)


def _place(
    segments: dict[int, _Segment], chain: list[int], at: int, along: float, starts: dict[int, np.ndarray]
) -> float:
    """Where on the branch of `chain` the share `along` of its segment `at` lies, 0 .. 1."""
    lengths = [float(np.linalg.norm(segments[i].distal[:3] - starts[i][:3])) for i in chain]
    if sum(lengths) == 0:
        return along
    k = chain.index(at)
    return 1.0 if k == len(chain) - 1 and along == 1 else (sum(lengths[:k]) + along * lengths[k]) / sum(lengths)


def _named(groups: dict[str, set[int]], chains: list[list[int]]) -> dict[str, str | tuple[int, ...]]:
    taken = RESERVED | set(ALIASES)
    whole: dict[str, str | tuple[int, ...]] = {}
    for name, members in groups.items():
        if (
            name in taken
            or not re.fullmatch(r"[A-Za-z_]\w*", name)
            or re.fullmatch(r"(tag|minus)\d+", name)
            or not members
        ):
            continue
        whole[name] = tuple(k for k, chain in enumerate(chains) if chain[0] in members)
    return whole
