"""Experiments: voltage clamp, protocols, curves and portrait of a channel; the error of a run; potentials around a cell."""

from . import protocols as protocols
from .accuracy import estimate_error as estimate_error
from .clamp import curves as curves
from .clamp import voltage_clamp as voltage_clamp
from .estimate import ErrorEstimate as ErrorEstimate
from .extracellular import extracellular as extracellular
from .extracellular import membrane_currents as membrane_currents
