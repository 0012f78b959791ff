"""What regions and places are written in. Parsed to trees of small frozen classes; an error shows where.

region:  soma | axon            either            binds least
         apical & order > 2     both
         dend - dend[0]         without           binds most
         (...)  all  NAME  NAME[3]  NAME[3:7]  NAME[3](0.2, 0.8)
         subtree(apical[0])  subtree(apical[0](0.5))
         distance > 100 um   100 um < distance <= 300 um   diameter < 1 um   order >= 3
place:   soma  soma(0.5)  apical[3](0.5)  terminals  branch_points  distance = 100 um
         each with ``in REGION``; several with commas
"""

import re
from dataclasses import dataclass

from ..errors import ModelError, UnitError
from ..units import Unit, convert

QUANTITIES = {"distance": Unit.parse("um"), "diameter": Unit.parse("um"), "order": Unit.parse("1")}
_DEEPEST = 30
_OF_REGIONS = ("|", "&", "<", ">", "subtree(")
_NO_PLACE = "this is a region, and places are wanted: 'terminals in' it, for instance, or some on branches, 'apical[0](0.5), apical[1](0.5)'."
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<name>[A-Za-z_µμ]\w*)|(?P<sign><=|>=|==|[-|&()\[\]:,<>=]))"
)


@dataclass(frozen=True)
class Named:
    """Branches by name, all or those from `start` to `stop`; a region of one's own; of each branch what lies within `part`."""

    name: str
    at: int
    start: int | None = None
    stop: int | None = None
    part: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Range:
    """Where a quantity lies between two values, in um or without unit."""

    quantity: str
    low: float
    high: float
    low_open: bool
    high_open: bool


@dataclass(frozen=True)
class Beyond:
    """A place, or the beginning of a branch, and all that is farther from the root."""

    spot: "Spot"


@dataclass(frozen=True)
class Joined:
    sign: str
    left: "Region"
    right: "Region"


Region = Named | Range | Beyond | Joined


@dataclass(frozen=True)
class Spot:
    """The place `x` on the branches of a name; None where it was not said."""

    branches: Named
    x: float | None


@dataclass(frozen=True)
class Sort:
    """All places of a sort: terminals, branch_points, or those at a distance in um."""

    kind: str
    distance: float = 0.0


@dataclass(frozen=True)
class Where:
    places: Spot | Sort
    region: Region | None


def parse_region(text: str) -> Region:
    """The tree of a region's text.

    Raises:
        ModelError: with a mark under what was not understood.
    """
    parser = _Parser(text, "region")
    found = parser.region()
    parser.end()
    return found


def parse_places(text: str) -> tuple[Where, ...]:
    """The trees of a place's text, one for each part between commas.

    Raises:
        ModelError: with a mark under what was not understood.
    """
    parser = _Parser(text, "place")
    found = [parser.place()]
    while parser.take(","):
        found.append(parser.place())
    parser.end()
    return tuple(found)


def is_region(text: str) -> bool:
    """Whether a text that may be a region or places is a region: all that is no text of places, and names without a place on
    them, ``apical``, ``dend[2]``; but not ``soma`` alone, which is its middle."""
    try:
        found = parse_places(text)
    except ModelError:
        return _parses(text) or any(sign in text for sign in _OF_REGIONS)  # the error to be shown
    (first, *others) = found
    if others or first.region is not None or not isinstance(first.places, Spot):
        return False
    branches = first.places.branches
    return first.places.x is None and (branches.name, branches.start) != ("soma", None)


def _parses(text: str) -> bool:
    try:
        parse_region(text)
    except ModelError:
        return False
    return True


def marked(text: str, at: int, what: str, problem: str) -> ModelError:
    """An error that shows `text` with a mark under its character `at`."""
    return ModelError(f"{what} not understood: {problem}\n    {text}\n    {' ' * at}^")


class _Parser:
    def __init__(self, text: str, what: str) -> None:
        if not isinstance(text, str):
            raise ModelError(f"a {what} is written as text, such as {_EXAMPLE[what]!r}, not {text!r}.")
        self.text, self.what, self.next, self.depth = text.replace("\n", " "), what, 0, 0
        self.tokens: list[tuple[str, str, int]] = []
        at = 0
        while self.text[at:].strip():
            match = _TOKEN.match(self.text, at)
            if match is None:
                at += len(self.text[at:]) - len(self.text[at:].lstrip())
                raise self.error(f"'{self.text[at]}' has no meaning here.", at)
            kind = str(match.lastgroup)
            self.tokens.append((kind, match[kind], match.start(kind)))
            at = match.end()

    def error(self, problem: str, at: int | None = None) -> ModelError:
        if at is None:
            at = self.tokens[self.next][2] if self.next < len(self.tokens) else len(self.text.rstrip())
        return marked(self.text, at, self.what, problem)

    def peek(self, ahead: int = 0) -> tuple[str, str, int]:
        place = self.next + ahead
        return self.tokens[place] if place < len(self.tokens) else ("end", "", len(self.text))

    def take(self, *texts: str) -> str:
        """The next token, if it is one of these; else nothing."""
        if self.peek()[1] in texts and self.peek()[0] != "end":
            self.next += 1
            return self.tokens[self.next - 1][1]
        return ""

    def need(self, text: str) -> None:
        if not self.take(text):
            raise self.error(f"expected '{text}'.")

    def end(self) -> None:
        if self.what == "place" and self.peek()[1] in _OF_REGIONS:
            raise self.error(_NO_PLACE)
        if self.next < len(self.tokens):
            raise self.error(f"expected {'| & - or' if self.what == 'region' else 'a comma, in, or'} the end.")

    def region(self, level: int = 0) -> Region:
        if level == 3:
            return self.atom()
        sign = "|&-"[level]
        left = self.region(level + 1)
        while self.take(sign):
            left = Joined(sign, left, self.region(level + 1))
        return left

    def atom(self) -> Region:
        kind, text, at = self.peek()
        if self.take("("):
            self.depth += 1
            if self.depth > _DEEPEST:
                raise self.error(f"more than {_DEEPEST} brackets in one another.", at)
            inside = self.region()
            self.need(")")
            self.depth -= 1
            return inside
        if kind == "number" or (text in QUANTITIES and self.peek(1)[1][:1] in ("<", ">", "=")):
            return self.range()
        if kind != "name":
            raise self.error(f"expected the name of a region{', got nothing' if kind == 'end' else ''}.")
        if text in QUANTITIES:
            raise self.error(f"say how large: '{text} > {'2' if text == 'order' else '100 um'}'.", at)
        if text in ("terminals", "branch_points"):
            raise self.error(f"'{text}' are places, not a region.", at)
        if text == "subtree" and self.peek(1)[1] == "(":
            self.next += 2
            spot = self.spot()
            self.need(")")
            return Beyond(spot)
        named = self.named()
        if not self.take("("):
            return named
        low = self.share()
        if not self.take(","):
            raise self.error("this is a place; a part of a branch is written with both ends: dend[0](0.2, 0.8).", at)
        high = self.share()
        self.need(")")
        if high <= low:
            raise self.error("the part of a branch ends before it begins.", at)
        return Named(named.name, named.at, named.start, named.stop, (low, high))

    def named(self) -> Named:
        kind, name, at = self.peek()
        if kind != "name":
            raise self.error(f"expected a name{', got nothing' if kind == 'end' else ''}.")
        self.next += 1
        if not self.take("["):
            return Named(name, at)
        start = self.whole() if self.peek()[1] != ":" else 0
        stop: int | None = start + 1
        if self.take(":"):
            stop = self.whole() if self.peek()[1] != "]" else None
        self.need("]")
        return Named(name, at, start, stop)

    def whole(self) -> int:
        kind, text, at = self.peek()
        if kind != "number" or not text.isdigit():
            raise self.error("branches are numbered 0, 1, 2, ...", at)
        self.next += 1
        return int(text)

    def share(self) -> float:
        kind, text, at = self.peek()
        if kind != "number" or not 0 <= float(text) <= 1:
            raise self.error("a place on a branch is a number from 0 (toward the root) to 1.", at)
        self.next += 1
        return float(text)

    def range(self) -> Range:
        at = self.peek()[2]
        before = None
        if self.peek()[0] == "number":
            number = self.value()
            before = (number, self.compare())
        quantity = self.peek()[1]
        if quantity not in QUANTITIES:
            raise self.error(f"expected one of: {', '.join(QUANTITIES)}.")
        self.next += 1
        low, high, low_open, high_open = -float("inf"), float("inf"), False, False
        bounds = [] if before is None else [(_measured(self, before[0], quantity), _FLIPPED[before[1]])]
        if before is None or self.peek()[1][:1] in ("<", ">", "="):
            sign = self.compare()
            bounds.append((_measured(self, self.value(), quantity), sign))
        for bound, sign in bounds:
            if sign[0] in ">=":
                low, low_open = bound, sign == ">"
            if sign[0] in "<=":
                high, high_open = bound, sign == "<"
        if len(bounds) == 2 and bounds[0][1][0] == bounds[1][1][0]:
            raise self.error("a range has a lower and an upper bound: 100 um < distance < 200 um.", at)
        return Range(quantity, low, high, low_open, high_open)

    def compare(self) -> str:
        sign = self.take("<", "<=", ">", ">=", "=", "==")
        if not sign:
            raise self.error("expected < <= > >= or =.")
        return sign

    def value(self) -> tuple[str, str, int]:
        """A number, its unit as written, and where it stands."""
        kind, number, at = self.peek()
        if kind != "number":
            raise self.error("expected a number.")
        self.next += 1
        unit = self.peek()
        if unit[0] == "name" and unit[1] not in QUANTITIES and unit[1] != "in":
            self.next += 1
            return number, unit[1], at
        return number, "", at

    def place(self) -> Where:
        kind, text, _ = self.peek()
        if text in ("terminals", "branch_points"):
            self.next += 1
            found: Spot | Sort = Sort(text)
        elif text == "distance":
            self.next += 1
            if not self.take("=", "=="):
                raise self.error("places at a distance are written 'distance = 100 um'.")
            found = Sort("distance", _measured(self, self.value(), "distance"))
        elif kind == "end":
            raise self.error("expected a place, got nothing.")
        elif text == "subtree" and self.peek(1)[1] == "(":
            raise self.error(_NO_PLACE)
        else:
            found = self.spot()
        return Where(found, self.region() if self.take("in") else None)

    def spot(self) -> Spot:
        named = self.named()
        if not self.take("("):
            return Spot(named, None)
        x = self.share()
        self.need(")")
        return Spot(named, x)


_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "==": "=="}
_EXAMPLE = {"region": "apical & distance > 100 um", "place": "soma(0.5)"}


def _measured(parser: _Parser, value: tuple[str, str, int], quantity: str) -> float:
    number, unit, at = value
    if unit and QUANTITIES[quantity].is_dimensionless:
        raise parser.error(f"{quantity} is a number without a unit.", at)
    try:
        return convert(f"{number} {unit}".strip(), QUANTITIES[quantity], quantity)
    except UnitError as error:
        raise parser.error(str(error), at) from None
