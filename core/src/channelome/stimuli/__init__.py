"""Currents put into cells, as functions of time."""

from .stimulus import function as function
from .stimulus import noise as noise
from .stimulus import pulses as pulses
from .stimulus import ramp as ramp
from .stimulus import samples as samples
from .stimulus import sine as sine
from .stimulus import step as step
