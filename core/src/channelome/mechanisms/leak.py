"""Leak currents: no gates, no paper."""

from jax import Array

from ..module import param
from ..units import Conductance, Voltage
from .channels import Ohmic


class IL(Ohmic):
    """Leak current with its own reversal potential."""

    g_max: Conductance = param(0.1, source="our choice")
    E: Voltage = param(-70.0, source="our choice")

    def conductance(self) -> Array:
        return self.g_max


class IKL(Ohmic, ion="k"):
    """Potassium leak current with its own reversal potential."""

    g_max: Conductance = param(0.005, source="BrainPy 2.8.2")
    E: Voltage = param(-90.0, source="BrainPy 2.8.2")

    def conductance(self) -> Array:
        return self.g_max


class IK_Leak(Ohmic, ion="k"):
    """Potassium leak current that reverses at the potential of the cell's potassium."""

    g_max: Conductance = param(0.005, source="braincell 0.1.0")

    def conductance(self) -> Array:
        return self.g_max
