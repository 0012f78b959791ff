"""What was run, and by which versions."""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax

from .. import __version__
from ..cells import MultiCompartment, SingleCompartment
from ..cells.show import origin, rows
from ..registry import registry
from ..registry.provenance import of_run
from .model import Model


class Provenance(Mapping[str, str]):
    """Put together when it is first looked at, since few runs ask for it and short ones would feel it."""

    def __init__(self, of: Callable[[], dict[str, str]]) -> None:
        self._of = of

    @functools.cached_property
    def _found(self) -> dict[str, str]:
        return self._of()

    def __getitem__(self, key: str) -> str:
        return self._found[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return repr(self._found)

    def __reduce__(self) -> Any:
        return dict, (self._found,)


def provenance(model: Model, solver: Any, dt: float) -> Provenance:
    """Solver, step, and the distribution of each part."""
    return Provenance(lambda: _found(model, solver, dt))


def _found(model: Model, solver: Any, dt: float) -> dict[str, str]:
    found = {"channelome": __version__, "jax": jax.__version__, "solver": type(solver).__name__, "dt": f"{dt:g} ms"}
    for label, part in model.populations.items():
        head = f"{label}." if label else ""
        if label:
            found[label] = type(part).__name__
        if isinstance(part, SingleCompartment | MultiCompartment):
            found |= {f"{head}{row.label}": f"{row.name} ({row.origin})" for row in rows(part)}
    for label, path in model.projections.items():
        found[label] = f"{type(path.synapse).__name__} ({origin(type(path.synapse))})"
        if path.plasticity is not None:
            found[f"{label}.plasticity"] = f"{type(path.plasticity).__name__} ({origin(type(path.plasticity))})"
    whole = next(iter(model.populations.values())) if model.network is None else model.network
    if model.network is not None:
        found |= {f"group {name}": where for name, where in model.network.groups}
    elif not isinstance(whole, SingleCompartment | MultiCompartment):
        return found
    return found | of_run(registry, whole.about, whole.classes)
