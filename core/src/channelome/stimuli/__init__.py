"""Currents put into cells, as functions of time."""

from .edges import pulses as pulses
from .edges import ramp as ramp
from .edges import step as step
from .sampled import noise as noise
from .sampled import samples as samples
from .smooth import function as function
from .smooth import sine as sine
