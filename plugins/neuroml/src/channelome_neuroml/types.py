"""ComponentTypes of LEMS: what a file says of kinds of component that NeuroML itself does not have."""

import re

from .text import Element

_READ = frozenset(
    [
        "Parameter", "Constant", "Requirement", "Exposure", "Child", "Children", "Text", "Dynamics", "Fixed", "DerivedParameter", "EventPort",
        "notes", "annotation", "Property", "IndexParameter", "Attachments", "ComponentReference", "Link", "Structure", "Simulation", "Path",
    ]
)  # fmt: skip
_DYNAMICS = frozenset(["StateVariable", "DerivedVariable", "ConditionalDerivedVariable", "TimeDerivative", "OnStart", "OnCondition", "OnEvent"])  # fmt: skip
NAME = re.compile(r"[A-Za-z_]\w*")


class Type:
    """A ComponentType as it stands.

    Attributes:
        parameters, constants, requirements, derived, states, rates, starts: elements by name.
        conditions: what happens when something comes to pass.
    """

    def __init__(self, element: Element) -> None:
        self.element = element
        self.name, self.extends = element.need("name"), element.get("extends")
        self.parameters: dict[str, Element] = {}
        self.constants: dict[str, Element] = {}
        self.requirements: dict[str, Element] = {}
        self.derived: dict[str, Element] = {}
        self.states: dict[str, Element] = {}
        self.rates: dict[str, Element] = {}
        self.starts: dict[str, Element] = {}
        self.fixed: dict[str, Element] = {}
        self.conditions: list[Element] = []
        self.others: list[Element] = []
        for child in element.children:
            self._take(child)

    def _take(self, child: Element) -> None:
        kinds = {
            "Parameter": self.parameters, "Constant": self.constants, "Requirement": self.requirements, "DerivedParameter": self.derived,
            "Property": self.parameters,
        }  # fmt: skip
        if child.tag in kinds:
            self._add(kinds[child.tag], child, "name")
        elif child.tag == "Fixed":
            self._add(self.fixed, child, "parameter")
        elif child.tag == "Dynamics":
            for one in child.children:
                self._dynamic(one)
        elif child.tag not in _READ:
            self.others.append(child)

    def _dynamic(self, one: Element) -> None:
        kinds = {
            "StateVariable": self.states, "DerivedVariable": self.derived, "ConditionalDerivedVariable": self.derived,
        }  # fmt: skip
        if one.tag in kinds:
            self._add(kinds[one.tag], one, "name")
        elif one.tag == "TimeDerivative":
            self._add(self.rates, one, "variable")
        elif one.tag == "OnStart":
            for child in one.all("StateAssignment"):
                self._add(self.starts, child, "variable")
        elif one.tag in ("OnCondition", "OnEvent"):
            self.conditions.append(one)
        else:
            self.others.append(one)

    def _add(self, table: dict[str, Element], child: Element, key: str) -> None:
        name = child.need(key)
        if not NAME.fullmatch(name):
            raise child.refuse(f"'{name[:60]}' is no name.")
        if name in table:
            raise child.refuse(f"'{name}' of the ComponentType '{self.name}' stands twice.")
        table[name] = child
