"""From the table of a model to a cell or a network. The one way in: for packs' models and for users' files."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..cells import MultiCompartment, SingleCompartment, channel, ion, on
from ..errors import ModelError
from ..mechanisms.ions import Ion
from ..networks import Network, Poisson, Projection, SpikeSource, from_arrays, plasticity, synapse
from ..networks.connect import Rule
from ..networks.distance import RULES
from ..networks.space import grid
from ..registry import registry
from ..registry.provenance import About, Model, read_model
from .extent import check_cell, check_network, neurons
from .shape import Shapes
from .values import STRUCTURE, at, parse

OWN = ("C", "V", "V_th", "area", "celsius")
OWN_OF_MANY = ("C", "Ra", "V", "V_th", "celsius")
Cell = SingleCompartment | MultiCompartment


def build(model: Model, size: Any = None) -> Cell | Network:
    """The cell or network that a model, whose form was checked, describes; the cell of another size, if one is given."""
    table, where, shapes = model.table, model.where, Shapes(model.folder)
    is_network = table.get("kind") == "Network"
    built = network(table, where, shapes) if is_network else cell(table, where, shapes, size=size)
    built._set("about", model.about)
    for label, name in model.provenance.get("populations", {}).items():
        population = built.populations.get(label) if isinstance(built, Network) else None
        if isinstance(population, Cell):
            population._set("about", About(name))
    return built


def cell(table: Mapping[str, Any], where: str, shapes: Shapes, *, size: Any = None) -> Cell:
    """The cell of a table; `where` names the table in errors."""
    if table.get("kind") == "MultiCompartment":
        return _reconstructed(table, where, shapes, size)
    shape = _shape(table.get("size", 1), where) if size is None else size
    if size is None:
        check_cell(table, neurons(table.get("size", 1), where), where)
    ions = [_ion(species, entry, f"{where}: ions.{species}") for species, entry in table.get("ions", {}).items()]
    channels = {
        label: _part(channel, entry, f"{where}: channels.{label}") for label, entry in table.get("channels", {}).items()
    }
    own = {name: _value(table[name], f"{where}: {name}") for name in OWN if name in table}
    with at(where):
        return SingleCompartment(shape, *ions, **own, **channels)


def _reconstructed(table: Mapping[str, Any], where: str, shapes: Shapes, size: Any) -> MultiCompartment:
    shape = _shape(table.get("size", []), where) if size is None else size
    own = {name: _value(table[name], f"{where}: {name}") for name in OWN_OF_MANY if name in table}
    compartments = shapes.compartments(table, where, own.get("Ra", "100 ohm*cm"), own.get("C", "1 uF/cm^2"))
    if size is None:
        check_cell(table, neurons([*np.atleast_1d(shape), len(compartments)], where), where)
    ions = [
        _placed(entry, _ion(species, _unplaced(entry), f"{where}: ions.{species}"))
        for species, entry in table.get("ions", {}).items()
    ]
    channels = {
        label: _placed(entry, _part(channel, _unplaced(entry), f"{where}: channels.{label}"))
        for label, entry in table.get("channels", {}).items()
    }
    with at(where):
        return MultiCompartment(
            compartments, *ions, size=shape, spikes_at=table.get("spikes_at"), **own, **channels
        )  # fmt: skip


def _placed(entry: Mapping[str, Any], part: Any) -> Any:
    return on(entry["on"], part) if "on" in entry else part


def _unplaced(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in entry.items() if name != "on"}


def network(table: Mapping[str, Any], where: str, shapes: Shapes) -> Network:
    """The network of a table."""
    groups, projections, there = table.get("groups", {}), table.get("projections", {}), table["populations"]
    twice = [label for label in (*groups, *projections) if label in there or (label in groups and label in projections)]
    if twice:
        raise ModelError(f"{where}: '{twice[0]}' is the label of two parts: each has a label of its own.")
    sizes = {label: _neurons(part, f"{where}: populations.{label}") for label, part in there.items()}
    check_network(table, sizes, where)
    populations = {label: _population(part, f"{where}: populations.{label}", shapes) for label, part in there.items()}
    positions = {
        label: _position(entry, f"{where}: positions.{label}") for label, entry in table.get("positions", {}).items()
    }
    built = {label: _projection(entry, f"{where}: projections.{label}") for label, entry in projections.items()}
    with at(where):
        parts: dict[str, Any] = {**populations, **groups, **built}
        return Network(seed=int(table.get("seed", 0)), positions=positions, **parts)


def _value(value: Any, place: str) -> Any:
    with at(place):
        return parse(value)


def _part(make: Any, entry: Mapping[str, Any], place: str) -> Any:
    given = {
        name: (value if isinstance(value, str | bool) else int(value))
        if name in STRUCTURE
        else _value(value, f"{place}.{name}")
        for name, value in entry.items()
        if name != "use"
    }
    with at(place):
        return make(entry["use"], **given)


def _ion(species: str, entry: Mapping[str, Any], place: str) -> Ion:
    built = _part(ion, entry, place)
    if built.species != species:
        raise ModelError(f"{place} uses '{entry['use']}', which is the species '{built.species}'.")
    return built


def _shape(size: Any, place: str) -> Any:
    neurons(size, place)
    return tuple(map(int, size)) if isinstance(size, list) else int(size)


def _neurons(table: Mapping[str, Any], place: str) -> int:
    """The size of a population, which may be that of the cell that it names."""
    if "use" in table and "size" not in table:
        with at(place):
            table = read_model(registry, table["use"], "cell").table
    return neurons(table.get("size", 1), place)


def _population(table: Mapping[str, Any], place: str, shapes: Shapes) -> Cell | Poisson | SpikeSource:
    kind = table.get("kind")
    if kind == "Poisson":
        rate, seed = _value(table["rate"], f"{place}.rate"), int(table["seed"]) if "seed" in table else None
        with at(place):
            return Poisson(_shape(table["size"], place), rate=rate, seed=seed)
    if kind == "SpikeSource":
        times = _value(table["times"], f"{place}.times")
        with at(place):
            return SpikeSource(_shape(table["size"], place), times=times, neurons=np.asarray(table["neurons"], int))
    if "use" not in table:
        return cell(table, place, shapes)
    with at(place):
        model = read_model(registry, table["use"], "cell")
    own = OWN_OF_MANY if model.table.get("kind") == "MultiCompartment" else OWN
    if other := next((name for name in ("area", "Ra") if name in table and name not in own), None):
        raise ModelError(f"{place}: the cell '{table['use']}' has no {other}; its own are {', '.join(own)}.")
    changed = {name: table[name] for name in (*own, "size") if name in table}
    named = cell({**model.table, **changed}, place, Shapes(model.folder))
    named._set("about", model.about)
    return named


def _position(table: Mapping[str, Any], place: str) -> Any:
    if "x" in table:
        with at(place):
            return np.stack([np.asarray(table[axis], float) for axis in "xyz" if axis in table], axis=-1), table["unit"]
    given = {name: _value(value, f"{place}.{name}") for name, value in table.items()}
    with at(place):
        return grid(**given)


def _projection(table: Mapping[str, Any], place: str) -> Projection:
    values = {name: _value(table[name], f"{place}.{name}") for name in ("weight", "delay", "initial") if name in table}
    return Projection(
        table["pre"], table["post"], _part(synapse, table["synapse"], f"{place}.synapse"),
        _rule(table["connect"], f"{place}.connect"), **values,
        plasticity=_part(plasticity, table["plasticity"], f"{place}.plasticity") if "plasticity" in table else None,
        frozen=table.get("frozen", False), seed=int(table["seed"]) if "seed" in table else None,
    )  # fmt: skip


def _rule(table: Mapping[str, Any], place: str) -> Rule:
    given = {name: value for name, value in table.items() if name != "rule"}
    with at(place):
        if table["rule"] == "from_arrays":
            index = {name: np.asarray(given.pop(name), int) for name in ("pre", "post")}
            return from_arrays(**index, **given)
        given |= {name: int(given[name]) for name in ("k", "n") if name in given}
        given |= {name: parse(given[name]) for name in ("sigma", "reach") if name in given}
        positional = [given.pop(name) for name in ("p", "k", "n") if name in given]
        return RULES[table["rule"]](*positional, **given)
