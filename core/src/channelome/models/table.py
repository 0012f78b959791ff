"""From a cell or a network to the table of a model: names, numbers with units, and where they come from."""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from ..cells import MultiCompartment, SingleCompartment
from ..distances import ByDistance
from ..errors import ModelError
from ..module import Module
from ..networks import Network, Poisson, Projection, SpikeSource
from ..networks.connect import Rule
from ..networks.distance import DistanceDependent
from ..networks.landing import split
from ..networks.projection import Pathway, is_late
from ..networks.space import Where
from ..registry import Entry, registry
from ..registry.provenance import block, versioned
from ..sampled import Sampled
from ..stimuli.current import Current
from ..units import Unit
from .shape import cut_table, shape_table
from .values import STRUCTURE, of_array, of_parameter, quantity, seed_of

SCHEMA = 1
_MS = Unit.parse("ms")
Cell = SingleCompartment | MultiCompartment


def table_of(model: Cell | Network, title: str = "", morphology: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The table that `channelome.models.build` makes an equal cell or network of.

    Args:
        morphology: of a reconstructed cell the entry that stands for its shape; the shape itself if None.

    Raises:
        ModelError: for a part whose class has no registered name, and for what no file can hold.
    """
    if not isinstance(model, Cell | Network):
        raise ModelError(
            f"cells and networks can be saved, not {type(model).__name__}; traces have a save of their own."
        )
    head = {"schema": SCHEMA, "kind": type(model).__name__}
    title = title or model.about.title
    references = {
        r.key: {"role": r.role, "text": r.text} | ({"doi": r.doi} if r.doi else {}) for r in model.about.references
    }
    words = {key: value for key, value in (("title", title), ("references", references)) if value}
    body = _network(model) if isinstance(model, Network) else _cell(model, morphology)
    return {**head, **words, **body, "provenance": block(registry, entries_of(model), model.about.model, _named(model))}


def _named(model: Cell | Network) -> dict[str, str]:
    """The registered cells that populations of a network were made from, by label."""
    populations = model.populations if isinstance(model, Network) else {}
    cells = {label: part for label, part in populations.items() if isinstance(part, Cell)}
    return {label: cell.about.model for label, cell in cells.items() if cell.about.model}


def entries_of(model: Cell | Network) -> list[Entry]:
    """The entries of the models and mechanisms that it is made of, each once.

    Raises:
        ModelError: for a part whose class has no registered name.
    """
    found = [registry.find(name) for name in (model.about.model, *_named(model).values()) if name in registry]
    found += [entry for part, where in parts_of(model) for entry in [_entry(part, where)]]
    return list({versioned(entry): entry for entry in found}.values())


def parts_of(model: Cell | Network) -> list[tuple[Module, str]]:
    """The mechanisms of a model, with what to call them in errors."""
    if isinstance(model, Cell):
        ions: list[tuple[Module, str]] = [(part, f"the ion '{species}'") for species, part in model.ions.items()]
        return [*ions, *((part, f"the channel '{label}'") for label, part in model.channels.items())]
    cells = [p for p in model.populations.values() if isinstance(p, Cell)]
    found = [part for population in cells for part in parts_of(population)]
    for label, path in model.projections.items():
        found.append((path.synapse, f"the synapse of '{label}'"))
        if path.plasticity is not None:
            found.append((path.plasticity, f"the plasticity of '{label}'"))
    return found


def _entry(part: Module, where: str) -> Entry:
    entry = registry.entry_of(type(part))
    if entry is None:
        name, file = type(part).__name__, type(part).__dict__.get("_read_from")
        imported = (
            f" It was read from {file}: keep that file, and read it again in place of saving what came of it; or register its class, where this is loaded, too."
            if file
            else ""
        )
        raise ModelError(
            f"{where} is of the class {name}, which has no name that a file could hold: "
            f"channelome.register({name}), or put it into a pack.{imported}"
        )
    return entry


def _part(part: Module, where: str) -> dict[str, Any]:
    found: dict[str, Any] = {"use": versioned(_entry(part, where))}
    for name in type(part)._static:
        if name not in STRUCTURE:
            raise ModelError(f"{where}: its {name} is no number with a unit, so that a file cannot hold it.")
        found[name] = getattr(part, name)
    if type(part)._nodes:
        raise ModelError(
            f"{where}: its {type(part)._nodes[0]} is no number with a unit, so that a file cannot hold it."
        )
    return found | _parameters(part, where)


def _parameters(part: Module, where: str) -> dict[str, Any]:
    values = {name: of_parameter(part, name, f"{name} of {where}") for name in type(part).parameters}
    return {name: value for name, value in values.items() if value is not None}


def _size(size: tuple[int, ...]) -> int | list[int]:
    return size[0] if len(size) == 1 else list(size)


def _cell(cell: Cell, morphology: Mapping[str, Any] | None = None) -> dict[str, Any]:
    if isinstance(cell, MultiCompartment):
        return _reconstructed(cell, morphology)
    return {
        "size": _size(cell.size),
        **_parameters(cell, "the cell"),
        "ions": {species: _part(ion, f"the ion '{species}'") for species, ion in cell.ions.items()},
        "channels": {label: _part(channel, f"the channel '{label}'") for label, channel in cell.channels.items()},
    }


def _reconstructed(cell: MultiCompartment, morphology: Mapping[str, Any] | None) -> dict[str, Any]:
    cut = {"discretise": cut_table(cell.compartments)}
    regions = dict(cell.regions)

    def placed(part: Module, label: str, where: str) -> dict[str, Any]:
        return _part(part, where) | ({"on": regions[label]} if label in regions else {})

    return {
        **({"size": _size(cell.size)} if cell.size else {}),
        **_parameters(cell, "the cell"),
        "spikes_at": cell.spikes_at,
        **({"morphology": dict(morphology), **cut} if morphology else shape_table(cell.compartments, "the cell")),
        "ions": {species: placed(part, species, f"the ion '{species}'") for species, part in cell.ions.items()},
        "channels": {label: placed(part, label, f"the channel '{label}'") for label, part in cell.channels.items()},
    }


def _network(net: Network) -> dict[str, Any]:
    return {
        "seed": seed_of(net.seed, "the network"),
        "populations": {label: _population(part, label) for label, part in net.populations.items()},
        "groups": dict(net.groups),
        **({"positions": {label: _stands(x) for label, x in net._where.items()}} if net._where else {}),
        "projections": {label: _projection(path, label, net) for label, path in net.projections.items()},
    }


def _stands(where: Where) -> dict[str, Any]:
    """Where neurons stand: the grid that was asked for, or their coordinates."""
    if where.grid is None:
        return {**dict(zip("xyz", where.points.T.tolist(), strict=False)), "unit": where.unit}
    return {
        name: {"value": x.tolist(), "unit": where.unit}
        for name, x in zip(("spacing", "centre"), where.grid, strict=True)
    }


def _population(part: Any, label: str) -> dict[str, Any]:
    kind = {"kind": type(part).__name__}
    if isinstance(part, Poisson):
        if isinstance(part.rate, Current):
            raise ModelError(f"the rate of '{label}' is a function of time, which a file cannot hold.")
        found = {**kind, "size": _size(part.size), **_parameters(part, f"'{label}'")}
        return found if part.seed is None else found | {"seed": seed_of(part.seed, f"'{label}'")}
    if isinstance(part, SpikeSource):
        neurons = np.asarray(part.neurons).astype(int).tolist()
        return {**kind, "size": part.size[0], "times": quantity(part.times, _MS, label), "neurons": neurons}
    return {**kind, **_cell(part)}


def _projection(path: Pathway, label: str, net: Network) -> dict[str, Any]:
    given, where = path.wiring.given, f"the projection '{label}'"
    if given is None:
        raise ModelError(f"{where} was not made by a Projection, so that a file cannot hold it.")
    weight, initial = (_number(path, name, f"{name} of {where}") for name in ("weight", "initial"))
    found: dict[str, Any] = {
        "pre": given.pre,
        "post": given.post,
        "connect": _rule(given.connect) if _written(given, path) else _listed(path, given, net),
        "synapse": _part(path.synapse, f"the synapse of '{label}'"),
        "weight": weight,
    }
    delay = path.wiring.delay
    if is_late(delay):
        sample = given.delay if isinstance(given.delay, Sampled) else None
        found["delay"] = of_array(sample, delay, _MS, f"delay of {where}")
    if np.any(np.asarray(path.initial)):
        found["initial"] = initial
    if path.plasticity is not None:
        found["plasticity"] = _part(path.plasticity, f"the plasticity of '{label}'")
    if path.frozen:
        found["frozen"] = True
    return found if given.seed is None else found | {"seed": seed_of(given.seed, where)}


def _number(path: Pathway, name: str, where: str) -> dict[str, Any]:
    """The weight or the initial state; as a sample where it is still what was drawn."""
    value = getattr(path, name)
    sample, drawn = path._drawn.get(name, (None, None))
    if isinstance(sample, Sampled) and value is drawn:
        return of_array(sample, value, path.unit, where)
    scale = path.scale if name == "weight" else None
    return of_array(None, value if scale is None else scale, path.unit, where)


def _written(given: Projection, path: Pathway) -> bool:
    """Whether a file can hold the rule itself, and not only the synapses that it made: of functions of the distance it holds values,
    which are of these synapses and of no others."""
    if any(isinstance(x, ByDistance) for x in (given.delay, *path._drawn.get("weight", ()))):
        return False
    rule = given.connect
    if not isinstance(rule, DistanceDependent):
        return rule is not None
    return isinstance(rule.kernel, str) and isinstance(rule.periodic, bool)


def _rule(rule: Rule) -> dict[str, Any]:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(rule).__name__).lower()
    given = {field.name: (getattr(rule, field.name), field.default) for field in fields(rule)}
    written = {key: value for key, (value, default) in given.items() if value != default}
    unit = written.pop("unit", None)  # of lengths, which without one are in grid spacings
    lengths = {key: {"value": written[key], "unit": unit} for key in ("sigma", "reach") if unit and key in written}
    return {"rule": name, **written, **lengths}


def _listed(path: Pathway, given: Projection, net: Network) -> dict[str, Any]:
    """Connections as lists of neurons, by their numbers in the groups."""
    (_, pre), (_, post) = (net.indices(split(end)[0]) for end in (given.pre, given.post))
    edges = path.wiring.edges
    ends = np.searchsorted(pre, path.wiring.sources), np.searchsorted(post, edges.targets)
    found = {"rule": "from_arrays", "pre": ends[0].tolist(), "post": ends[1].tolist()}
    known = path.wiring.factors is not None and path.scale is not None
    return found | {"weights": path.wiring.factors.tolist()} if known and path.wiring.factors is not None else found
