"""The checks, by the kind of what they are for. A new kind of thing takes its place here and in `SUBJECTS`."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ...registry import hooks
from ..kit import Check
from ..subjects import cell_subject, channel_subject, ion_subject, network_subject, solver_subject, synapse_subject
from .cells import CELLS, NETWORKS
from .curves import CURVES
from .definition import DEFINITION, WORDS
from .dynamics import DYNAMICS
from .ions import IONS
from .pack import PACK
from .physics import PHYSICS
from .programs import PROGRAMS
from .solvers import SOLVERS
from .synapses import SYNAPSES

CHECKS: Mapping[str, tuple[Check, ...]] = MappingProxyType(
    {
        "channel": (*DEFINITION, *CURVES, *DYNAMICS, *PHYSICS, *PROGRAMS),
        "ion": (*DEFINITION, *IONS),
        "synapse": (*WORDS, *SYNAPSES),
        "solver": SOLVERS,
        "cell": CELLS,
        "network": NETWORKS,
    }
)
"""Checks of each kind, in the order in which they run."""

SUBJECTS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "channel": channel_subject,
        "ion": ion_subject,
        "synapse": synapse_subject,
        "solver": solver_subject,
        "cell": cell_subject,
        "network": network_subject,
    }
)
"""From a name, or what it stands for, to the subject that the checks of a kind take."""


def checks_of(kind: str) -> tuple[Check, ...]:
    """The kit's checks of a kind, or of a ``"pack"``, and those that plugins add."""
    own = PACK if kind == "pack" else CHECKS.get(kind, ())
    return (*own, *hooks.extra_checks(kind)) if own else ()
