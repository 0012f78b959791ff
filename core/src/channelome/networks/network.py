"""A network: populations, groups of them and projections, assembled by label."""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

import numpy as np

from ..cells import MultiCompartment, SingleCompartment
from ..errors import ModelError
from ..mechanisms.transmission import Coupling
from ..module import NODE, STATIC, Module
from ..registry import registry
from ..registry.cite import of_parts
from ..registry.hooks import model_built
from ..registry.provenance import About
from ..streams import Stream, checked_seed
from .edges import Ends
from .groups import group_of, written
from .landing import split
from .projection import Pathway, Projection
from .sources import Poisson, SpikeSource
from .space import Where, stand
from .wire import site_of, wire

Membranes = SingleCompartment | MultiCompartment
Population = Membranes | Poisson | SpikeSource
_LABEL = re.compile(r"\w+")


class Network(Module):
    """Populations of neurons and the projections between them, each under a label.

    Args:
        seed: of all that is random and has no seed of its own: connections, what is sampled, spikes of sources, noise. The same
            seed and labels make the same network; each label, and each role in it, has a stream of its own.
        positions: by population, where its neurons stand: a `grid`, or coordinates with a unit, of shape (neurons, axes).
        parts: by label: a population (a cell with its `size`, `Poisson`, `SpikeSource`), a `Projection`, or a group, which
            is part of a population: ``E="cells[:3200]"``, ``some="cells[3, 5] + cells[10:20]"``, ``some=("cells", indices)``.

    Raises:
        ModelError: for a part that is none of these, a projection to or from what is not there, a target without a
            membrane, a weight that needs an area that the target lacks.
        UnitError: for a missing or wrong unit.
    """

    populations: Annotated[Mapping[str, Population], NODE]
    projections: Annotated[Mapping[str, Pathway], NODE]
    groups: Annotated[tuple[tuple[str, str], ...], STATIC]
    seed: Annotated[int, STATIC]
    about: Annotated[About, STATIC] = About()
    """The registered network or the file that it was made from, for citations."""
    _where: ClassVar[Mapping[str, Where]] = {}
    """Of an instance, where its populations stand, as far as it was said."""

    def __init__(self, *, seed: int = 0, positions: Mapping[str, Any] | None = None, **parts: Any) -> None:
        for label, part in parts.items():
            if not _LABEL.fullmatch(label):
                raise ModelError(f"'{label}' cannot be a label: it is made of letters, digits and underscores.")
            if isinstance(part, tuple) and len(part) == 2 and isinstance(part[0], str):
                parts[label] = written(part[0], part[1], f"the group '{label}'")
            elif not isinstance(part, Population | Projection | str):
                raise ModelError(
                    f"'{label}' must be a population (a cell, Poisson, SpikeSource), a Projection, or a group such as "
                    f"'cells[:100]', not {part!r}."
                )
        seed = checked_seed(seed, "the network")
        populations = {
            label: _drawn_from(_counted(part), Stream(seed, label))
            for label, part in parts.items()
            if isinstance(part, Population)
        }
        groups = tuple((label, part) for label, part in parts.items() if isinstance(part, str))
        if not populations:
            raise ModelError("a network needs a population: Network(cells=cell('...', size=100), ...).")
        super().__init__(populations=populations, projections={}, groups=groups, seed=seed)
        for label, where in groups:
            self._group(where, f"the group '{label}'", (label,))
        for label in positions or {}:
            if label not in populations:
                raise ModelError(f"positions: there is no population '{label}'; there are {', '.join(populations)}.")
        self._set("_where", {label: stand(x, populations[label].size, label) for label, x in (positions or {}).items()})
        built = {label: self._wired(label, part) for label, part in parts.items() if isinstance(part, Projection)}
        self._set("projections", built)
        model_built(self)

    def __getitem__(self, label: str) -> Population | Pathway:
        """The population or projection of a label; the synapses of a projection are its ``edges``."""
        found = {**self.populations, **self.projections}
        if label not in found:
            raise ModelError(f"the network has no '{label}'. It has {', '.join(found)}.")
        return found[label]

    def indices(self, name: str) -> tuple[str, np.ndarray]:
        """The population in which the group, or part of a population, `name` lies, and its neurons' flat indices.

        Raises:
            ModelError: where there is no such population, or none of its neurons.
        """
        return self._group(name, f"'{name}'")

    def _group(self, name: str, where: str, within: tuple[str, ...] = ()) -> tuple[str, np.ndarray]:
        sizes = {label: part.size for label, part in self.populations.items()}
        return group_of(name, sizes, dict(self.groups), where, within)

    def _ends(self, given: Projection, where: str) -> tuple[Ends, str, str]:
        (pre, sources), (post, targets) = (self._group(split(name)[0], where) for name in (given.pre, given.post))
        a, b = (self._where.get(label) or stand(None, self.populations[label].size, label) for label in (pre, post))
        return Ends(sources, targets, pre == post, a, b), pre, post

    def _wired(self, label: str, given: Projection) -> Pathway:
        where = f"the projection '{label}'"
        ends, pre, post = self._ends(given, where)
        target = self.populations[post]
        if not isinstance(target, Membranes):
            raise ModelError(f"{where}: '{post}' is a {type(target).__name__}, which has no membrane to project to.")
        built = wire(given, label, ends, (pre, post), (self.populations[pre], target), self.seed)
        if isinstance(built.synapse, Coupling) and not isinstance(self.populations[pre], Membranes):
            raise ModelError(
                f"{where}: '{pre}' has no membrane, which {type(built.synapse).__name__} needs on both sides."
            )
        ends_of = (pre, post) if isinstance(built.synapse, Coupling) else (post,)
        for end in ends_of if built.unit.symbol in ("nS", "nA") else ():
            if getattr(self.populations[end], "area", None) is None:
                raise ModelError(
                    f"{where} weighs in {built.unit}, but '{end}' has no area: give it area=..., or a density."
                )
        return built

    def replace(self, **changes: Any) -> Self:
        """A copy with other values: ``replace(**{"exc.weight": "7 nS", "cells.INa.g_max": ..., "noise.seed": 3})``.

        Connections stay as they are, but with another ``seed=``: then all that is random and has no seed of its own is drawn anew.

        Raises:
            ModelError: for a name that the network does not have.
            UnitError: for a missing or wrong unit.
        """
        new = self._reseeded(checked_seed(changes.pop("seed"), "the network")) if "seed" in changes else self
        populations, projections = dict(new.populations), dict(new.projections)
        for path, value in changes.items():
            label, _, name = path.partition(".")
            if label in populations and name:
                changed = populations[label].replace(**{name: value})
                populations[label] = _drawn_from(changed, Stream(new.seed, label))
            elif label in projections and name:
                given = projections[label].wiring.given
                assert given is not None
                site = site_of(given, label, new._ends(given, label)[0], new.seed)
                wiring = projections[label].wiring
                sizes = populations[wiring.pre].size, populations[wiring.post].size
                projections[label] = projections[label].changed(name, value, site, sizes)
            else:
                raise ModelError(
                    f"the network has no '{path}'. It has {', '.join([*populations, *projections])}; "
                    f"a parameter is written 'exc.weight' or 'cells.INa.g_max'."
                )
        return new._with(populations=populations, projections=projections)

    def _with(self, **parts: Any) -> Self:
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__, **parts)
        return new

    def _reseeded(self, seed: int) -> Self:
        populations = {label: _drawn_from(part, Stream(seed, label)) for label, part in self.populations.items()}
        new = self._with(seed=seed, populations=populations)
        drawn = {}
        for label, path in self.projections.items():
            given = path.wiring.given
            drawn[label] = path if given is None or given.seed is not None else new._again(label, path)
        return new._with(projections=drawn)

    def _again(self, label: str, path: Pathway) -> Pathway:
        """A projection that is drawn anew with this network's seed."""
        given = path.again()
        try:
            return self._wired(label, given)
        except ModelError as error:
            values = {"weight": given.weight, "delay": given.delay}
            arrays = [name for name, x in values.items() if isinstance(x, tuple) and np.ndim(x[0])]
            if not arrays:
                raise
            raise ModelError(
                f"replace(seed=) draws the synapses of '{label}' anew, but its {' and '.join(arrays)} is an array for the "
                f"{path.wiring.edges.n} that it has ({error}) Give the projection a seed of its own, which keeps its synapses, or a "
                f"{arrays[0]} that any synapses can have before: replace(**{{'{label}.{arrays[0]}': ...}}) with one number or a sampled one."
            ) from None

    @property
    def classes(self) -> list[type[Module]]:
        """The classes of all mechanisms in it, each once."""
        parts: list[Any] = [part for path in self.projections.values() for part in (path.synapse, path.plasticity)]
        found = [cls for part in self.populations.values() if isinstance(part, Membranes) for cls in part.classes]
        return list(dict.fromkeys([*found, *(type(part) for part in parts if part is not None)]))

    def cite(self, style: str = "text") -> str:
        """References of the model, its cells and all their mechanisms, as ``"text"``, ``"bibtex"`` or ``"csl-json"``."""
        cells = [part for part in self.populations.values() if isinstance(part, Membranes)]
        return of_parts(registry, [self.about, *(cell.about for cell in cells)], self.classes, style)

    @property
    def size(self) -> int:
        """Number of neurons and sources."""
        return sum(math.prod(part.size) for part in self.populations.values())

    def __repr__(self) -> str:
        lines = [f"Network of {self.size:,} neurons, seed {self.seed}"]
        for label, part in self.populations.items():
            lines.append(f"  {label}: {type(part).__name__} {'x'.join(map(str, part.size))}")
        lines += [f"  {label} = {where}" for label, where in self.groups]
        lines += [f"  {label}: {path!r}" for label, path in self.projections.items()]
        return "\n".join(lines)


def _counted(part: Population) -> Population:
    """With an axis for its cells: one cell is a population of one."""
    if part.size:
        return part
    one = object.__new__(type(part))
    one.__dict__.update(part.__dict__, size=(1,))
    return one


def _drawn_from(part: Population, stream: Stream) -> Population:
    return part if isinstance(part, SpikeSource) else part.drawn_from(stream)
