"""Experiments on a channel: voltage clamp, protocols, curves of its gates, its portrait."""

from . import protocols as protocols
from .clamp import curves as curves
from .clamp import voltage_clamp as voltage_clamp
