"""channelome: ion channels by name, and the JAX engine that runs them.

``import channelome as ch`` is light: neither JAX nor any pack is imported until something of theirs is used. Modellers find
all they need here; authors of channels in `channelome.authoring`.
"""

import gc
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "errors": "CollisionError ChannelomeError DefinitionError MismatchWarning ModelError PackError SimulationError UnitError UnknownName",
    "sampled": "lognormal normal uniform",
    "state": "State",
    "morphology": "Compartments Morphology d_lambda max_length per_branch",
    "cells": "MultiCompartment SingleCompartment channel ion on",
    "distances": "by_distance",
    "networks": "Network Poisson Projection SpikeSource all_to_all distance_dependent fixed_indegree fixed_outdegree "
    "fixed_probability fixed_total_number from_arrays from_matrix grid one_to_one plasticity synapse",
    "stimuli": "at command function noise pulses ramp samples sine step",
    "results": "Activity SpikeTrains Traces crossings",
    "engine": "simulate",
    "engine.solvers": "solver",
    "instruments": "ErrorEstimate curves estimate_error extracellular membrane_currents protocols voltage_clamp",
    "models": "cell load network save",
    "local": "load_channel load_dir load_ion load_plasticity load_synapse register",
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = [*sorted(_MODULE_OF), "__version__"]  # pyright: ignore[reportUnsupportedDunderAll]

if TYPE_CHECKING:
    from .cells import MultiCompartment as MultiCompartment
    from .cells import SingleCompartment as SingleCompartment
    from .cells import channel as channel
    from .cells import ion as ion
    from .cells import on as on
    from .distances import by_distance as by_distance
    from .engine import simulate as simulate
    from .engine.solvers import solver as solver
    from .errors import ChannelomeError as ChannelomeError
    from .errors import CollisionError as CollisionError
    from .errors import DefinitionError as DefinitionError
    from .errors import MismatchWarning as MismatchWarning
    from .errors import ModelError as ModelError
    from .errors import PackError as PackError
    from .errors import SimulationError as SimulationError
    from .errors import UnitError as UnitError
    from .errors import UnknownName as UnknownName
    from .instruments import ErrorEstimate as ErrorEstimate
    from .instruments import curves as curves
    from .instruments import estimate_error as estimate_error
    from .instruments import extracellular as extracellular
    from .instruments import membrane_currents as membrane_currents
    from .instruments import protocols as protocols
    from .instruments import voltage_clamp as voltage_clamp
    from .local import load_channel as load_channel
    from .local import load_dir as load_dir
    from .local import load_ion as load_ion
    from .local import load_plasticity as load_plasticity
    from .local import load_synapse as load_synapse
    from .local import register as register
    from .models import cell as cell
    from .models import load as load
    from .models import network as network
    from .models import save as save
    from .morphology import Compartments as Compartments
    from .morphology import Morphology as Morphology
    from .morphology import d_lambda as d_lambda
    from .morphology import max_length as max_length
    from .morphology import per_branch as per_branch
    from .networks import Network as Network
    from .networks import Poisson as Poisson
    from .networks import Projection as Projection
    from .networks import SpikeSource as SpikeSource
    from .networks import all_to_all as all_to_all
    from .networks import distance_dependent as distance_dependent
    from .networks import fixed_indegree as fixed_indegree
    from .networks import fixed_outdegree as fixed_outdegree
    from .networks import fixed_probability as fixed_probability
    from .networks import fixed_total_number as fixed_total_number
    from .networks import from_arrays as from_arrays
    from .networks import from_matrix as from_matrix
    from .networks import grid as grid
    from .networks import one_to_one as one_to_one
    from .networks import plasticity as plasticity
    from .networks import synapse as synapse
    from .results import Activity as Activity
    from .results import SpikeTrains as SpikeTrains
    from .results import Traces as Traces
    from .results import crossings as crossings
    from .sampled import lognormal as lognormal
    from .sampled import normal as normal
    from .sampled import uniform as uniform
    from .state import State as State
    from .stimuli import at as at
    from .stimuli import command as command
    from .stimuli import function as function
    from .stimuli import noise as noise
    from .stimuli import pulses as pulses
    from .stimuli import ramp as ramp
    from .stimuli import samples as samples
    from .stimuli import sine as sine
    from .stimuli import step as step


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        value = getattr(_module(_MODULE_OF[name]), name)
        globals()[name] = value  # found once
        return value
    raise AttributeError(f"module 'channelome' has no attribute '{name}'")


def _module(name: str) -> Any:
    """A module of this package. In a process that is at its beginning Python is told not to look for garbage among what a few hundred
    modules make, now or ever: there is none, and to look for it takes a tenth of the time to a first trace."""
    at_the_beginning = "jax" not in sys.modules and gc.isenabled() and len(gc.get_objects()) < _FEW
    if not at_the_beginning:
        return import_module(f"{__name__}.{name}")
    gc.disable()
    try:
        return import_module(f"{__name__}.{name}")
    finally:
        gc.freeze()
        gc.enable()


_FEW = 100_000
"""Objects of Python's own and of a script's beginning; where a process holds more, they are somebody's, and may become garbage."""


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})
