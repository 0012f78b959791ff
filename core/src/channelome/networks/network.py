"""A network: populations, groups of them and projections, assembled by label."""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

import numpy as np

from ..cells import SingleCompartment
from ..errors import ModelError
from ..mechanisms.transmission import Coupling
from ..module import NODE, STATIC, Module
from ..registry import registry
from ..registry.cite import of_parts
from ..registry.hooks import model_built
from ..registry.provenance import About
from ..streams import Stream, checked_seed
from .connect import Ends, grid
from .projection import Pathway, Projection, wire
from .sources import Poisson, SpikeSource

Population = SingleCompartment | Poisson | SpikeSource
_PART = re.compile(r"\s*(\w+)\s*(?:\[\s*(-?\d*)\s*(?::\s*(-?\d*)\s*(?::\s*(\d*)\s*)?)?\])?\s*")


class Network(Module):
    """Populations of neurons and the projections between them, each under a label.

    Args:
        seed: of all that is random and has no seed of its own: connections, what is sampled, spikes of sources, noise. The same
            seed and labels make the same network; each label, and each role in it, has a stream of its own.
        parts: by label: a population (a cell with its `size`, `Poisson`, `SpikeSource`), a `Projection`, or a group, which
            is part of a population: ``E="cells[:3200]"``.

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

    def __init__(self, *, seed: int = 0, **parts: Any) -> None:
        populations = {label: part for label, part in parts.items() if isinstance(part, Population)}
        groups = tuple((label, part) for label, part in parts.items() if isinstance(part, str))
        for label, part in parts.items():
            if not isinstance(part, Population | Projection | str):
                raise ModelError(
                    f"'{label}' must be a population (a cell, Poisson, SpikeSource), a Projection, or a group such as "
                    f"'cells[:100]', not {part!r}."
                )
        if not populations:
            raise ModelError("a network needs a population: Network(cells=cell('...', size=100), ...).")
        seed = checked_seed(seed, "the network")
        populations = {label: _drawn_from(part, Stream(seed, label)) for label, part in populations.items()}
        super().__init__(populations=populations, projections={}, groups=groups, seed=seed)
        for label, where in groups:
            self._group(where, f"the group '{label}'")
        built = {label: self._wired(label, part) for label, part in parts.items() if isinstance(part, Projection)}
        self._set("projections", built)
        model_built(self)

    def indices(self, name: str) -> tuple[str, np.ndarray]:
        """The population in which the group, or part of a population, `name` lies, and its neurons' flat indices.

        Raises:
            ModelError: where there is no such population, or none of its neurons.
        """
        return self._group(name, f"'{name}'")

    def _group(self, name: str, where: str, depth: int = 0) -> tuple[str, np.ndarray]:
        match = _PART.fullmatch(name)
        if match is None:
            raise ModelError(
                f"{where}: write a population or group, or part of one, such as 'cells[:100]', not {name!r}."
            )
        label, groups = match[1], dict(self.groups)
        if label in self.populations:
            population, index = label, np.arange(math.prod(self.populations[label].size))
        elif label in groups and depth < len(groups):
            population, index = self._group(groups[label], where, depth + 1)
        else:
            raise ModelError(
                f"{where}: there is no population '{label}'. There are {', '.join([*self.populations, *groups])}."
            )
        if match[2] is not None:
            index = index[_slice(match)]
        if not index.size:
            raise ModelError(
                f"{where}: {name!r} has no neurons; '{population}' has the shape {self.populations[population].size}."
            )
        return population, index

    def _wired(self, label: str, given: Projection) -> Pathway:
        where = f"the projection '{label}'"
        (pre, sources), (post, targets) = (self._group(name, where) for name in (given.pre, given.post))
        target = self.populations[post]
        if not isinstance(target, SingleCompartment):
            raise ModelError(f"{where}: '{post}' is a {type(target).__name__}, which has no membrane to project to.")
        sizes = self.populations[pre].size, target.size
        ends = Ends(sources, targets, pre == post, grid(sizes[0])[sources], grid(sizes[1])[targets])
        built = wire(given, label, ends, (pre, post), sizes, Stream(self.seed, label))
        if isinstance(built.synapse, Coupling) and not isinstance(self.populations[pre], SingleCompartment):
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
        """A copy with other values: ``replace(**{"exc.weight": "7 nS", "cells.INa.g_max": ...})``.

        Connections stay as they are.

        Raises:
            ModelError: for a name that the network does not have.
            UnitError: for a missing or wrong unit.
        """
        populations, projections = dict(self.populations), dict(self.projections)
        for path, value in changes.items():
            label, _, name = path.partition(".")
            if label in populations and name:
                populations[label] = populations[label].replace(**{name: value})
            elif label in projections and name:
                projections[label] = projections[label].changed(name, value, label)
            else:
                raise ModelError(
                    f"the network has no '{path}'. It has {', '.join([*populations, *projections])}; "
                    f"a parameter is written 'exc.weight' or 'cells.INa.g_max'."
                )
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new._set("populations", populations)
        new._set("projections", projections)
        return new

    @property
    def classes(self) -> list[type[Module]]:
        """The classes of all mechanisms in it, each once."""
        parts: list[Any] = [part for path in self.projections.values() for part in (path.synapse, path.plasticity)]
        found = [
            cls for part in self.populations.values() if isinstance(part, SingleCompartment) for cls in part.classes
        ]
        return list(dict.fromkeys([*found, *(type(part) for part in parts if part is not None)]))

    def cite(self, style: str = "text") -> str:
        """References of the model, its cells and all their mechanisms, as ``"text"``, ``"bibtex"`` or ``"csl-json"``."""
        cells = [part for part in self.populations.values() if isinstance(part, SingleCompartment)]
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


def _drawn_from(part: Population, stream: Stream) -> Population:
    return part if isinstance(part, SpikeSource) else part.drawn_from(stream)


def _slice(match: re.Match[str]) -> Any:
    """``[3]``, ``[:3]``, ``[2:8:2]``."""
    first = int(match[2]) if match[2] else None
    if match[3] is None:
        assert first is not None or match[2] == ""
        return slice(first, None if first in (None, -1) else first + 1) if first is not None else slice(None)
    return slice(first, int(match[3]) if match[3] else None, int(match[4]) if match[4] else None)
