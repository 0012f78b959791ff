"""From a cell with biophysicalProperties to a `MultiCompartment`, or to a `SingleCompartment` where it is one segment."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from channelome.cells import MultiCompartment, SingleCompartment
from channelome.errors import ChannelomeError
from channelome.formulas import expression as x
from channelome.formulas.numeric import values
from channelome.mechanisms.ions import VALENCE
from channelome.morphology.discretise import Rule

from . import channels, formulas
from .bodies import BODY, Body
from .document import Document
from .fields import free
from .formulas import Value
from .lems import OUTSIDE
from .load import Imported, Key, made, sort_of
from .shapes import path_lengths
from .text import Element, NeuroMLError
from .units import NONE

KINDS = ("cell",)
_REFUSED = {
    "cell2CaPools": "a cell here has one pool of calcium", "pointCellCondBased": "it has populations of channels and no area",
    "pointCellCondBasedCa": "it has populations of channels and no area", "baseCell": "nothing says what it is",
}  # fmt: skip
_DRIVES = {
    "channelDensity": channels.FIXED, "channelDensityVShift": channels.FIXED, "channelDensityNonUniform": channels.FIXED,
    "channelDensityNernst": channels.OHMIC, "channelDensityNonUniformNernst": channels.OHMIC, "channelDensityGHK": channels.GHK,
    "channelDensityNonUniformGHK": channels.GHK, "channelDensityGHK2": channels.GHK2, "channelPopulation": channels.FIXED,
}  # fmt: skip
_OF_CALCIUM = (channels.OHMIC, channels.GHK, channels.GHK2)
_TAKEN = frozenset([*VALENCE, *dir(MultiCompartment), *dir(SingleCompartment), "C", "Ra", "V", "V_th", "celsius", "size", "spikes_at", "discretise", "area"])  # fmt: skip


def load_cell(
    path: str | os.PathLike[str],
    *,
    id: str = "",
    celsius: Any = None,
    V: Any = None,
    folder: str | os.PathLike[str] | None = None,
    discretise: Rule | None = None,
    size: Any = None,
) -> MultiCompartment | SingleCompartment:
    """The cell of a NeuroML file: its morphology, with the channels, pools and passive properties of its biophysicalProperties.

    Args:
        path: of the file; `ch.load` gives it.
        id: which cell, where the file has several.
        celsius: temperature in degC, as ``"32 degC"``; that of a networkWithTemperature of the file if None.
        V: first membrane potential, as ``"-65 mV"``; the file's initMembPotential if None.
        folder: in which included files may be; the file's own if None.
        discretise: how finely it is cut; ``max_length("20 um")`` if None.
        size: of the population; one cell if None.

    Raises:
        NeuroMLError: for what cannot be read, or be meant here, with the place and the reason.
        ModelError: for what is wrong with the cell as a whole, such as a temperature that is needed.
    """
    document = Document(Path(path), None if folder is None else Path(folder))
    element = _chosen(document, id)
    reader = _Reader(document, element, V)
    try:
        return reader.built(celsius if celsius is not None else reader.body.temperature(), discretise, size)
    except NeuroMLError:
        raise
    except ChannelomeError as error:
        more = (
            " A NeuroML cell says none: channelome_neuroml.cells.load_cell(path, celsius=...) does."
            if "celsius" in str(error)
            else ""
        )
        raise NeuroMLError(f"{element.place}: {element}: {error}{more}") from error


def _chosen(document: Document, id: str) -> Element:
    for one in document.own:
        kind = document.kind(one)
        if one.id == id and kind in _REFUSED:
            raise one.refuse(f"{one} is a {kind}: {_REFUSED[kind]}.")
    found = [one for one in document.own if document.kind(one) in KINDS and (not id or one.id == id)]
    if len(found) == 1:
        return found[0]
    there = [one for one in document.own if document.kind(one) in KINDS]
    if len(there) > 1 and not id:
        names = ", ".join(f"'{one.id}'" for one in there[:20])
        raise NeuroMLError(
            f"{document.name} holds {len(there)} cells: say which, channelome_neuroml.cells.load_cell(path, id=...), of {names}."
        )
    if others := [one for one in document.own if document.kind(one) in _REFUSED]:
        raise others[0].refuse(f"{others[0]} is a {document.kind(others[0])}: {_REFUSED[document.kind(others[0])]}.")
    what = f"no cell '{id}'" if id else "no cell with segments"
    raise NeuroMLError(
        f"{document.name} holds {what}; channels, concentration models and synapses are read by ch.load_channel and its like."
    )


@dataclass
class _Part:
    """A channel with what it is given, before it is put on the cell."""

    cls: type[Any]
    element: Element
    group: str
    values: dict[str, Any] = field(default_factory=dict[str, Any])


class _Reader:
    def __init__(self, document: Document, element: Element, V: Any) -> None:
        self.document, self.element = document, element
        self.body = Body(document, element, V)
        self.shape, self.membrane, self.inside = self.body.shape, self.body.membrane, self.body.inside
        self.asks_potential = False
        for one in self.membrane.children:
            if one.get("segment"):
                self.shape.alone(one.get("segment"), one)

    def built(self, celsius: Any, rule: Rule | None, size: Any) -> MultiCompartment | SingleCompartment:
        single = len(self.shape.segments) == 1
        if not single:
            self.body.cut(rule)
        elif rule is not None:
            raise self.element.refuse("a cell of one segment is one compartment, and is not cut.")
        own = self.body.own()
        parts = self._densities()
        labels: dict[str, Any] = {}
        for part in parts:
            label = free(part.element.need("id"), {*labels, *_TAKEN})
            labels[label] = self._placed(part)
        ions = self._ions(parts)
        given: dict[str, Any] = {**own, **labels, **ions}
        if celsius is not None:
            given["celsius"] = celsius
        if single:
            given.pop("Ra", None)
            area = (self.shape.sphere_or_frustum(), "um^2")
            return SingleCompartment(
                1 if size is None else size,
                *ions.values(),
                area=area,
                **{k: v for k, v in given.items() if k not in ions},
            )
        assert self.body.compartments is not None
        return MultiCompartment(self.body.compartments, size=() if size is None else size, **given)

    def _placed(self, part: _Part) -> Any:
        return self.body.on(part.group, part.element, part.cls(**part.values))

    # ---- channels ----

    def _densities(self) -> list[_Part]:
        known = {"specificCapacitance", "initMembPotential", "spikeThresh", *BODY[2:]}
        found = list[_Part]()
        for one in self.membrane.children:
            kind = self.document.kind(one)
            if one.tag in known:
                continue
            if kind not in _DRIVES:
                raise one.refuse(f"{one} is a {kind[:60]}, which no channel here is.")
            group = self._group_of(one)
            if self.shape.group(group, one):
                found.append(self._density(one, kind, group))
        return found

    def _group_of(self, one: Element) -> str:
        if (varied := one.one("variableParameter")) is not None:
            return varied.get("segmentGroup") or one.get("segmentGroup")
        if not one.get("segment"):
            return one.get("segmentGroup")
        if one.get("segmentGroup") not in ("", "all"):
            raise one.refuse(f"{one} is on a segment and on a segmentGroup: say one.")
        return self.shape.alone(one.get("segment"), one)

    def _density(self, one: Element, kind: str, group: str) -> _Part:
        drive, ion = _DRIVES[kind], one.get("ion")
        if drive in _OF_CALCIUM and ion != "ca":
            raise one.refuse(f"{one} is of the ion '{ion}'; NeuroML's {kind} is for ca alone.")
        channel = self._found("ionChannel", one, "channel")
        imported = made(self.document, Key(channel.id, drive, ion or "non_specific"))
        part = _Part(imported.cls, one, group, self._strength(one, kind, group))
        self.asks_potential |= drive in _OF_CALCIUM or _asks(imported, OUTSIDE)
        if drive == channels.FIXED:
            part.values["E"] = (self._number(one, "erev", "voltage"), "mV")
        if kind == "channelDensityVShift" and "vShift" in imported.cls.parameters:
            part.values["vShift"] = (self._shift(one, channel), "mV")
        return part

    def _shift(self, one: Element, channel: Element) -> float:
        """The vShift of a density, where its channel has none of its own that is another."""
        shift = self._number(one, "vShift", "voltage")
        if channels.has_shift(self.document, channel) and self._number(channel, "vShift", "voltage") != shift:
            raise one.refuse(
                f"{one} has the vShift {one.get('vShift')}, and its channel '{channel.id}' that of {channel.get('vShift')}: jLEMS takes the channel's, jNeuroML's "
                "export to NEURON the density's. Give both the same, or make the density a channelDensity."
            )
        return shift

    def _found(self, attribute: str, one: Element, sort: str) -> Element:
        """The component that an attribute names, which must be a channel or a pool."""
        found = self.document.find(one.need(attribute), one)
        if sort_of(self.document, found) != sort:
            raise one.refuse(f"{attribute} of {one} is '{found.id}', which is no {attribute}.")
        return found

    def _strength(self, one: Element, kind: str, group: str) -> dict[str, Any]:
        """The maximal conductance or permeability."""
        name, dimension, own, unit, scale = ("condDensity", "conductanceDensity", "g_max", "mS/cm^2", 1e5)
        if "GHK" in kind and kind != "channelDensityGHK2":
            name, dimension, own, unit, scale = ("permeability", "permeability", "P_max", "cm/s", 0.1)
        if kind == "channelPopulation":
            return {own: (self._of_population(one, group), unit)}
        if "NonUniform" in kind:
            # of SI: S/m2 in mS/cm^2, m/s in cm/s
            return {own: (self._varied(one, name, group) * (0.1 if own == "g_max" else 100.0), unit)}
        return {own: (float(f"{self._number(one, name, dimension) * scale:.14g}"), unit)}

    def _number(self, one: Element, name: str, dimension: str) -> float:
        return self.document.measures.of(one.need(name), dimension, one.place, name).value

    def _of_population(self, one: Element, group: str) -> float:
        """Of a number of channels, evenly over the area that they are on, in mS/cm^2."""
        if one.children:
            raise one.children[0].refuse(f"{one} is a number of channels, and has a {one.children[0].tag}.")
        channel = self._found("ionChannel", one, "channel")
        number = self.document.measures.of(one.need("number"), "none", one.place, "number").value
        if number < 0:
            raise one.refuse(f"{one} has {one.get('number')[:40]} channels.")
        uS = self._number(channel, "conductance", "conductance")
        return number * uS * 1e5 / self._area(one, group)

    def _area(self, one: Element, group: str) -> float:
        """um^2 of the compartments of a group."""
        if self.body.compartments is None:
            return self.shape.sphere_or_frustum()
        return float(np.sum(self.body.compartments.area[self.body.mask(group, one)]))

    def _varied(self, one: Element, name: str, group: str) -> np.ndarray:
        """What a formula of the way from the root gives at the compartments of a group, in SI."""
        if self.body.compartments is None:
            raise one.refuse("a density that varies along a cell of one compartment.")
        varied = one.one("variableParameter")
        value = None if varied is None else varied.one("inhomogeneousValue")
        if varied is None or value is None or varied.get("parameter") != name:
            raise one.refuse(f"{one} needs a variableParameter of {name} with an inhomogeneousValue.")
        parameter = self.shape.inhomogeneous(group, value.need("inhomogeneousParameter"), value)
        if parameter.get("metric") != "Path Length from root":
            raise parameter.refuse(f"the metric '{parameter.get('metric')[:60]}' is not followed.")
        mask = self.body.mask(group, one)
        middle, near = (lengths[mask] for lengths in path_lengths(self.body.compartments))
        p = self._ranged(parameter, middle, near, self.body.compartments.length[mask])
        symbol = x.symbol("p of the group")
        found = formulas.read(
            value.need("value"),
            lambda name: Value(symbol, NONE) if name == parameter.get("variable") else None,
            value.place,
        )
        strengths = np.broadcast_to(values([found.formula], {symbol.value: p})[0], p.shape)
        if found.dimension != NONE or not np.isfinite(strengths).all() or (strengths < 0).any():
            raise value.refuse(f"'{value.get('value')[:60]}' is no number from 0 everywhere on the group.")
        return np.array(strengths)

    def _ranged(self, parameter: Element, middle: np.ndarray, near: np.ndarray, length: np.ndarray) -> np.ndarray:
        start, end = parameter.one("proximal"), parameter.one("distal")
        if start is not None:
            if start.get("translationStart") not in ("0", "0.0"):
                raise start.refuse("a translationStart other than 0 is not followed.")
            middle, near = middle - near.min(), near - near.min()
        if end is not None:
            if end.get("normalizationEnd") not in ("1", "1.0"):
                raise end.refuse("a normalizationEnd other than 1 is not followed.")
            middle = middle / (near + length).max()
        return middle

    # ---- ions ----

    def _ions(self, parts: list[_Part]) -> dict[str, Any]:
        species = [] if self.inside is None else self.inside.all("species")
        found, first = list[tuple[str, Any]](), None
        for one in species:
            if one.get("ion", one.id) != "ca":
                if one.get("concentrationModel"):
                    raise one.refuse(
                        f"{one} is of the ion '{one.get('ion')}'; NeuroML's concentration models follow ca alone."
                    )
                continue
            model = self._found("concentrationModel", one, "pool")
            imported = made(self.document, Key(model.id, "" if self.asks_potential else "closed"))
            if first is None:
                first = imported
            elif _structure(first) != _structure(imported):
                raise one.refuse(
                    "the pools of a cell have different equations; a cell here has one kind of pool of an ion."
                )
            found.append((one.get("segmentGroup"), first.cls(**self._pool(one, imported))))
        if not found:
            return {}
        placed = [self.body.on(group, species[0], pool) for group, pool in found]
        return {"ca": placed[0] if len(placed) == 1 else placed}

    def _pool(self, one: Element, imported: Imported) -> dict[str, Any]:
        given: dict[str, Any] = {
            field.name: (field.default, field.unit.symbol)
            for field in imported.plan.fields
            if field.default is not None
        }
        given["C_rest"] = (self._number(one, "initialConcentration", "concentration"), "mM")
        if "C_out" in imported.cls.parameters:
            given["C_out"] = (self._number(one, "initialExtConcentration", "concentration"), "mM")
        if "area" in imported.cls.parameters:
            whole = self.body.compartments is None
            given["area"] = (
                self.shape.sphere_or_frustum()
                if whole
                else self.body.compartments.area[self.body.mask(one.get("segmentGroup"), one)],  # pyright: ignore
                "um^2",
            )
        return given


def _structure(one: Imported) -> str:
    """What two classes have in common that differ in numbers alone."""
    plan = one.plan
    fields = [(field.name, field.unit.symbol) for field in plan.fields]
    return repr(
        (plan.base, plan.keywords, fields, [(m.name, m.arguments, m.returns, m.formulas) for m in plan.methods])
    )


def _asks(one: Imported, symbol: str) -> bool:
    return any(symbol in f.symbols for method in one.plan.methods for f in method.formulas)
