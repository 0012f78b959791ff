"""The shape of a cell: its segments as core's reader of morphologies takes them, and its groups of segments."""

import math
import re
from collections.abc import Mapping
from xml.sax.saxutils import quoteattr

import numpy as np

from channelome.morphology import Compartments, Morphology
from channelome.morphology.anatomy import RESERVED, Anatomy
from channelome.morphology.branches import without_empty
from channelome.morphology.neuroml import parse

from .text import Element

_PASSED = frozenset(["notes", "annotation", "property", "inhomogeneousParameter"])


class Shape:
    """The segments and groups of a morphology.

    Attributes:
        groups: for each group the ids of its segments, whatever it is made of.
        names: what regions are called that stand for groups; groups without segments have none.
    """

    def __init__(self, element: Element) -> None:
        self.element = element
        self.segments: dict[int, Element] = {}
        for one in element.all("segment"):
            number = _whole(one.need("id"), one)
            if number in self.segments:
                raise one.refuse(f"the segment {number} stands twice.")
            self.segments[number] = one
        if not self.segments:
            raise element.refuse(f"{element} has no segment.")
        self._below: dict[int, list[int]] = {}
        for number, one in self.segments.items():
            if (parent := one.one("parent")) is not None:
                self._below.setdefault(_whole(parent.need("segment"), parent), []).append(number)
        self._elements = {one.need("id"): one for one in element.all("segmentGroup")}
        self.groups: dict[str, frozenset[int]] = {}
        for name in self._elements:
            self._group(name, ())
        self.names = self._named()

    def group(self, name: str, place: Element) -> frozenset[int]:
        """The segments of a group; all if no name is given.

        Raises:
            NeuroMLError: where there is none of the name.
        """
        if not name or (name == "all" and name not in self.groups):
            return frozenset(self.segments)
        if name not in self.groups:
            raise place.refuse(f"{place} is on the group '{name}', which the morphology has not.")
        return self.groups[name]

    def alone(self, segment: str, place: Element) -> str:
        """The name of the group that is one segment; it is made if there is none, which must be before `morphology`."""
        one = frozenset([self._known(segment, place)])
        name = f"segment {segment}"
        if name not in self.groups:
            self.groups[name] = one
            self.names = self._named()
        return name

    def inhomogeneous(self, group: str, id: str, place: Element) -> Element:
        """A parameter that varies over a group."""
        found = (
            [one for one in self._elements[group].all("inhomogeneousParameter") if one.id == id]
            if group in self._elements
            else []
        )
        if len(found) != 1:
            raise place.refuse(f"the group '{group}' has no inhomogeneousParameter '{id}'.")
        return found[0]

    def sphere_or_frustum(self) -> float:
        """The area in um^2 of the one segment."""
        (one,) = self.segments.values()
        ends = [_end(one, tag) for tag in ("proximal", "distal")]
        (x, y, z, a), (u, v, w, b) = ends
        length = math.dist((x, y, z), (u, v, w))
        if length == 0 and a == b:
            return math.pi * a * a
        slant = math.hypot(length, (a - b) / 2)
        return math.pi * (a + b) / 2 * slant

    def morphology(self, name: str) -> Morphology:
        """The cell's shape, with its groups as regions."""
        lines = ["<neuroml><cell><morphology>"]
        for number, one in self.segments.items():
            inside = "".join(
                f"<{child.tag} {' '.join(f'{key}={quoteattr(value)}' for key, value in child.attributes.items())}/>"
                for child in one.children
                if child.tag in ("parent", "proximal", "distal")
            )
            lines.append(f'<segment id="{number}" name={quoteattr(one.get("name"))}>{inside}</segment>')
        for group, region in self.names.items():
            members = "".join(f'<member segment="{number}"/>' for number in sorted(self.groups[group]))
            lines.append(f'<segmentGroup id="{region}">{members}</segmentGroup>')
        found, groups = parse("\n".join([*lines, "</morphology></cell></neuroml>"]), name)
        found, notes = without_empty(found, name, frozenset())
        return Morphology(Anatomy(found, name, groups, notes))

    # ---- groups ----

    def _named(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for group, members in self.groups.items():
            name = re.sub(r"\W", "_", group, flags=re.ASCII)
            name = name if re.match(r"[A-Za-z_]", name) else f"g_{name}"
            while name in RESERVED or re.fullmatch(r"(tag|minus)\d+", name) or name in found.values():
                name += "_"
            if members:
                found[group] = name
        return found

    def _group(self, name: str, trail: tuple[str, ...]) -> frozenset[int]:
        if name in self.groups:
            return self.groups[name]
        element = self._elements[name]
        if name in trail or len(trail) > 60:
            raise element.refuse(f"the groups that '{name}' includes run in a circle.")
        members = set[int]()
        for child in element.children:
            if child.tag == "member":
                members.add(self._known(child.need("segment"), child))
            elif child.tag == "include":
                other = child.need("segmentGroup")
                if other not in self._elements:
                    raise child.refuse(f"the group '{name}' includes '{other}', which the morphology has not.")
                members |= self._group(other, (*trail, name))
            elif child.tag == "path":
                members |= self._path(child)
            elif child.tag == "subTree":
                members |= self._under(child)
            elif child.tag not in _PASSED:
                raise child.refuse(f"a segmentGroup has no {child.tag}.")
        self.groups[name] = frozenset(members)
        return self.groups[name]

    def _known(self, text: str, place: Element) -> int:
        number = _whole(text, place)
        if number not in self.segments:
            raise place.refuse(f"there is no segment {number}.")
        return number

    def _end_of(self, element: Element, tag: str) -> int | None:
        found = element.one(tag)
        return None if found is None else self._known(found.need("segment"), found)

    def _path(self, element: Element) -> set[int]:
        first, last = self._end_of(element, "from"), self._end_of(element, "to")
        if last is None:
            raise element.refuse("a path leads to a segment.")
        found, at = {last}, last
        while at != first:
            parent = self.segments[at].one("parent")
            if parent is None:
                if first is None:
                    break
                raise element.refuse(f"the segment {first} is not on the way from {last} to the root.")
            at = self._known(parent.need("segment"), parent)
            if at in found:
                raise element.refuse("the parents of its segments run in a circle.")
            found.add(at)
        return found

    def _under(self, element: Element) -> set[int]:
        first = self._end_of(element, "from")
        if first is None or element.one("to") is not None:
            raise element.refuse("a subTree is read from one segment on, and to no other.")
        found, stack = set[int](), [first]
        while stack:
            at = stack.pop()
            if at not in found:
                found.add(at)
                stack += self._below.get(at, [])
        return found


def path_lengths(compartments: Compartments) -> tuple[np.ndarray, np.ndarray]:
    """The way in um from the beginning of the root to the middle of each compartment, and to its nearer end."""
    anatomy = compartments.anatomy
    lengths = np.asarray(anatomy.frusta.lengths)
    start = np.zeros(len(anatomy))
    for i, (parent, attach) in enumerate(
        zip(anatomy.branches.parent.tolist(), anatomy.branches.attach.tolist(), strict=True)
    ):
        start[i] = 0.0 if parent < 0 else start[parent] + attach * lengths[parent]
    middle = start[compartments.branch] + compartments.x * lengths[compartments.branch]
    return middle, middle - compartments.length / 2


def _whole(text: str, place: Element) -> int:
    if not re.fullmatch(r"\d{1,9}", text):
        raise place.refuse(f"'{text[:40]}' is no id of a segment.")
    return int(text)


def _end(segment: Element, tag: str) -> tuple[float, ...]:
    end = segment.one(tag)
    if end is None:
        raise segment.refuse(f"{segment} has no {tag} end.")
    try:
        found = tuple(float(end.need(name)) for name in ("x", "y", "z", "diameter"))
    except ValueError:
        raise end.refuse("an end has x, y, z and diameter as numbers.") from None
    if not all(map(math.isfinite, found)) or found[3] <= 0:
        raise end.refuse("an end is finite, and its diameter positive.")
    return found


Groups = Mapping[str, frozenset[int]]
