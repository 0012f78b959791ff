"""channelome: ion channels by name, and the JAX engine that runs them.

``import channelome as ch`` is light: neither JAX nor any pack is imported until something of theirs is used. Modellers find
all they need here; authors of channels in `channelome.authoring`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "errors": "CollisionError ChannelomeError DefinitionError MismatchWarning ModelError PackError SimulationError UnitError UnknownName",
    "sampled": "normal uniform",
    "state": "State",
    "stimulus": "function noise pulses ramp samples sine step",
    "spikes": "SpikeTrains crossings",
    "traces": "Traces",
    "cells": "SingleCompartment channel ion",
    "clamp": "curves voltage_clamp",
    "networks": "Activity Network Poisson Projection SpikeSource all_to_all distance_dependent fixed_indegree fixed_probability "
    "from_arrays from_matrix one_to_one plasticity synapse",
    "simulation": "simulate",
    "solvers": "solver",
    "registry": "load_dir register",
    "spec": "cell load network save",
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = [*sorted(_MODULE_OF), "__version__"]  # pyright: ignore[reportUnsupportedDunderAll]

if TYPE_CHECKING:
    from .cells import SingleCompartment as SingleCompartment
    from .cells import channel as channel
    from .cells import ion as ion
    from .clamp import curves as curves
    from .clamp import voltage_clamp as voltage_clamp
    from .errors import ChannelomeError as ChannelomeError
    from .errors import CollisionError as CollisionError
    from .errors import DefinitionError as DefinitionError
    from .errors import MismatchWarning as MismatchWarning
    from .errors import ModelError as ModelError
    from .errors import PackError as PackError
    from .errors import SimulationError as SimulationError
    from .errors import UnitError as UnitError
    from .errors import UnknownName as UnknownName
    from .networks import Activity as Activity
    from .networks import Network as Network
    from .networks import Poisson as Poisson
    from .networks import Projection as Projection
    from .networks import SpikeSource as SpikeSource
    from .networks import all_to_all as all_to_all
    from .networks import distance_dependent as distance_dependent
    from .networks import fixed_indegree as fixed_indegree
    from .networks import fixed_probability as fixed_probability
    from .networks import from_arrays as from_arrays
    from .networks import from_matrix as from_matrix
    from .networks import one_to_one as one_to_one
    from .networks import plasticity as plasticity
    from .networks import synapse as synapse
    from .registry import load_dir as load_dir
    from .registry import register as register
    from .sampled import normal as normal
    from .sampled import uniform as uniform
    from .simulation import simulate as simulate
    from .solvers import solver as solver
    from .spec import cell as cell
    from .spec import load as load
    from .spec import network as network
    from .spec import save as save
    from .spikes import SpikeTrains as SpikeTrains
    from .spikes import crossings as crossings
    from .state import State as State
    from .stimulus import function as function
    from .stimulus import noise as noise
    from .stimulus import pulses as pulses
    from .stimulus import ramp as ramp
    from .stimulus import samples as samples
    from .stimulus import sine as sine
    from .stimulus import step as step
    from .traces import Traces as Traces


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = value  # found once
        return value
    raise AttributeError(f"module 'channelome' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})
