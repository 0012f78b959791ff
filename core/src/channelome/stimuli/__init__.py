"""Currents put into cells, and voltages that clamps hold them at, as functions of time."""

from .edges import pulses as pulses
from .edges import ramp as ramp
from .edges import step as step
from .epochs import command as command
from .places import at as at
from .sampled import noise as noise
from .sampled import samples as samples
from .smooth import function as function
from .smooth import sine as sine
