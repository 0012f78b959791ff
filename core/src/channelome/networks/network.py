"""A network: populations, groups of them and projections, assembled by label."""

import math
import re
import zlib
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
from .connect import Ends, grid
from .projection import Pathway, Projection, wire
from .sources import Poisson, SpikeSource

Population = SingleCompartment | Poisson | SpikeSource
_PART = re.compile(r"\s*(\w+)\s*(?:\[\s*(-?\d*)\s*(?::\s*(-?\d*)\s*(?::\s*(\d*)\s*)?)?\])?\s*")


class Network(Module):
    """Populations of neurons and the projections between them, each under a label.

    Args:
        seed: of the connections and of what is sampled: the same seed and labels make the same network.
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
        super().__init__(populations=populations, projections={}, groups=groups, seed=int(seed))
        known = dict(groups)
        for label, where in groups:
            self._range(where, known, f"the group '{label}'")
        built = {label: self._wired(label, part) for label, part in parts.items() if isinstance(part, Projection)}
        self._set("projections", built)
        model_built(self)

    def indices(self, name: str) -> tuple[str, np.ndarray]:
        """The population in which the group, or part of a population, `name` lies, and its neurons' flat indices.

        Raises:
            ModelError: where there is no such population, or none of its neurons.
        """
        return self._group(name, f"'{name}'")

    def _group(self, name: str, where: str) -> tuple[str, np.ndarray]:
        population, index = self._range(name, dict(self.groups), where)
        return population, np.arange(index.start, index.stop, index.step)

    def _range(self, name: str, groups: Mapping[str, str], where: str) -> tuple[str, range]:
        """As `indices`: from group to group until a population is met, then the parts of parts back."""
        part, label, cuts = name, name, list[slice]()
        for _ in range(len(groups) + 1):
            match = _PART.fullmatch(part)
            if match is None:
                raise ModelError(
                    f"{where}: write a population or group, or part of one, such as 'cells[:100]', not {part!r}."
                )
            label = match[1]
            cuts += [_slice(match)] if match[2] is not None else []
            if label in self.populations or label not in groups:
                break
            part = groups[label]
        if label not in self.populations:
            raise ModelError(
                f"{where}: there is no population '{label}'. There are {', '.join([*self.populations, *groups])}."
            )
        size = self.populations[label].size
        index = range(math.prod(size))
        for cut in reversed(cuts):
            index = index[cut]
        if not index:
            raise ModelError(f"{where}: {name!r} has no neurons; '{label}' has the shape {size}.")
        return label, index

    def _wired(self, label: str, given: Projection) -> Pathway:
        where = f"the projection '{label}'"
        (pre, sources), (post, targets) = (self._group(name, where) for name in (given.pre, given.post))
        target = self.populations[post]
        if not isinstance(target, SingleCompartment):
            raise ModelError(f"{where}: '{post}' is a {type(target).__name__}, which has no membrane to project to.")
        sizes = self.populations[pre].size, target.size
        ends = Ends(sources, targets, pre == post, grid(sizes[0])[sources], grid(sizes[1])[targets])
        seed = [self.seed, zlib.crc32(label.encode())] if given.seed is None else given.seed
        built = wire(given, label, ends, (pre, post), sizes, seed)
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


def _slice(match: re.Match[str]) -> Any:
    """``[3]``, ``[:3]``, ``[2:8:2]``."""
    first = int(match[2]) if match[2] else None
    if match[3] is None:
        assert first is not None or match[2] == ""
        return slice(first, None if first in (None, -1) else first + 1) if first is not None else slice(None)
    return slice(first, int(match[3]) if match[3] else None, int(match[4]) if match[4] else None)
