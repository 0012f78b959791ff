"""Experiments on a channel: voltage clamp, curves of its gates, its portrait."""

from .clamp import curves as curves
from .clamp import voltage_clamp as voltage_clamp
