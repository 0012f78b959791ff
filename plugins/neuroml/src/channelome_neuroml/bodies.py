"""The body of a cell: its shape, where it is cut, and what of its membrane and cytoplasm is no channel."""

from typing import Any

import numpy as np

from channelome.cells import on as placed_on
from channelome.morphology import Compartments, max_length
from channelome.morphology.discretise import DLambda, Rule

from .document import Document
from .shapes import Shape
from .text import Element

BODY = ("morphology", "biophysicalProperties", "notes", "annotation", "property")


class Body:
    """What a cell is made of, but for its channels and ions.

    Attributes:
        compartments: None of a cell of one segment.
    """

    def __init__(self, document: Document, element: Element, V: Any) -> None:
        self.document, self.element, self.V = document, element, V
        for child in element.children:
            if child.tag not in BODY:
                raise child.refuse(f"{element} has a {child.tag}, which is not followed.")
        self.shape = Shape(self._body("morphology"))
        body = self._body("biophysicalProperties")
        self.membrane, self.inside = self._section(body, "membraneProperties"), body.one("intracellularProperties")
        if extra := [
            one
            for one in body.children
            if one.tag not in ("membraneProperties", "intracellularProperties", "extracellularProperties", *BODY[2:])
        ]:
            raise extra[0].refuse(f"{extra[0].tag} of biophysicalProperties is not followed.")
        self.compartments: Compartments | None = None

    # ---- what it is made of ----

    def _body(self, tag: str) -> Element:
        inside = self.element.one(tag)
        if inside is not None:
            return inside
        if not self.element.get(tag):
            raise self.element.refuse(f"{self.element} has no {tag}.")
        return self.document.find(self.element.get(tag), self.element, tag)

    def _section(self, body: Element, tag: str) -> Element:
        found = body.one(tag)
        if found is None:
            raise body.refuse(f"{body} has no {tag}.")
        return found

    def temperature(self) -> Any:
        """Of the one network with a temperature that the document has; None without one."""
        found = {
            one.get("temperature"): one
            for many in self.document.components.values()
            for one in many
            if one.tag == "network" and one.get("temperature")
        }
        if len(found) != 1:
            return None
        ((text, one),) = found.items()
        kelvin = self.document.measures.of(text, "temperature", one.place, "temperature").value
        return (float(f"{kelvin - 273.15:.12g}"), "degC")

    def cut(self, rule: Rule | None) -> None:
        """Cut it into compartments."""
        self.compartments = self._cut(rule)

    def _cut(self, rule: Rule | None) -> Compartments:
        morphology = self.shape.morphology(self.document.name.rpartition("/")[2])
        rule = max_length("20 um") if rule is None else rule
        if not isinstance(rule, DLambda):
            return morphology.discretise(rule)
        coarse = morphology.discretise(max_length("100 um"))
        self.compartments = coarse
        own = self.own()
        numbers = [np.unique(np.asarray(own[name][0])) for name in ("Ra", "C")]
        if any(len(one) > 1 for one in numbers):
            raise self.element.refuse(
                "d_lambda needs one resistivity and one specificCapacitance for the whole cell: cut it by another rule."
            )
        return morphology.discretise(rule, Ra=(float(numbers[0][0]), "ohm*cm"), C=(float(numbers[1][0]), "uF/cm^2"))

    def own(self) -> dict[str, Any]:
        """Capacitance, first voltage, threshold and resistivity, as arguments of a cell."""
        found = {
            "C": (self._along(self.membrane, "specificCapacitance", 1e5), "uF/cm^2"),
            "V": self.V if self.V is not None else (self._along(self.membrane, "initMembPotential", 1.0), "mV"),
        }  # fmt: skip
        thresholds = {one.need("value"): one for one in self.membrane.all("spikeThresh")}
        if len(thresholds) > 1:
            raise [*thresholds.values()][1].refuse("two thresholds: a cell here has one.")
        for text, one in thresholds.items():
            found["V_th"] = (self.document.measures.of(text, "voltage", one.place, "spikeThresh").value, "mV")
        if self.inside is not None and self.inside.all("resistivity"):
            found["Ra"] = (self._along(self.inside, "resistivity", 100.0), "ohm*cm")
        elif self.compartments is not None:
            raise self.element.refuse(f"{self.element} has no resistivity.")
        return found

    def _along(self, section: Element, tag: str, scale: float) -> Any:
        """A property by group: one number, or an array over the compartments; later ones take the place of earlier ones."""
        dimension = {
            "specificCapacitance": "specificCapacitance",
            "initMembPotential": "voltage",
            "resistivity": "resistivity",
        }[tag]
        elements = section.all(tag)
        if not elements:
            more = ": channelome_neuroml.cells.load_cell(path, V=...) says one" if tag == "initMembPotential" else ""
            raise section.refuse(f"{section} has no {tag}{more}.")
        numbers = [
            float(f"{self.document.measures.of(one.need('value'), dimension, one.place, tag).value * scale:.14g}")
            for one in elements
        ]
        if self.compartments is None or len(elements) == 1:
            for one in elements:
                self._check_whole(one)
            if len(set(numbers)) > 1:
                raise elements[1].refuse(f"a cell of one compartment has one {tag}.")
            return numbers[0]
        found = np.full(len(self.compartments), np.nan)
        for one, value in zip(elements, numbers, strict=True):
            found[self.mask(one.get("segmentGroup"), one)] = value
        if np.isnan(found).any():
            where = self.compartments.label(int(np.flatnonzero(np.isnan(found))[0]))
            raise section.refuse(f"no {tag} of {section} is on {where}.")
        return float(found[0]) if (found == found[0]).all() else found

    def _check_whole(self, one: Element) -> None:
        if self.shape.group(one.get("segmentGroup"), one) != frozenset(self.shape.segments):
            raise one.refuse(
                f"it is on '{one.get('segmentGroup')}' alone, and nothing says what the rest of the cell has."
            )

    def mask(self, group: str, place: Element) -> np.ndarray:
        """Shape (n,), bool: the compartments of a group."""
        assert self.compartments is not None
        segments = self.shape.group(group, place)
        if segments == frozenset(self.shape.segments):
            return np.ones(len(self.compartments), bool)
        return self.compartments.mask(self.shape.names[group]) if segments else np.zeros(len(self.compartments), bool)

    def on(self, group: str, place: Element, what: Any) -> Any:
        """A part on a group; as it is where that is the whole cell."""
        segments = self.shape.group(group, place)
        whole = segments == frozenset(self.shape.segments)
        return what if self.compartments is None or whole else placed_on(self.shape.names[group], what)
