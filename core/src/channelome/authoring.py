"""Everything that a channel's file needs: ``from channelome.authoring import Ohmic, Conductance, rates, exp, ...``."""

from jax import Array
from jax.numpy import abs, log, maximum, minimum, sqrt, tanh, where

from .maths import FARADAY, GAS, exp, ghk, linoid, nernst, q10, sigmoid
from .mechanisms.channels import Markov, Ohmic, Permeable
from .mechanisms.general import General
from .mechanisms.general_ions import GeneralIon
from .mechanisms.ions import FixedIon, IonView, NernstIon, Pool
from .mechanisms.kinetics import Gate, Linear, Rates, Transitions, rates
from .mechanisms.transmission import Coupling, Followed, Release, Synapse
from .module import Q10, param
from .units import (
    Area,
    Capacitance,
    Concentration,
    Conductance,
    Current,
    CurrentDensity,
    Diffusivity,
    Factor,
    Length,
    Permeability,
    PositiveTime,
    Rate,
    Temperature,
    Time,
    Unit,
    Voltage,
)

__all__ = [
    "FARADAY", "GAS", "Q10", "Area", "Array", "Capacitance", "Concentration", "Conductance", "Coupling", "Current",
    "CurrentDensity", "Diffusivity", "Factor", "FixedIon", "Followed", "Gate", "General", "GeneralIon", "IonView", "Length", "Linear", "Markov", "NernstIon", "Ohmic", "Permeability", "Permeable",
    "Pool", "PositiveTime", "Rate", "Rates", "Release", "Synapse", "Temperature", "Time", "Transitions", "Unit", "Voltage", "abs", "exp", "ghk", "linoid",
    "log", "maximum", "minimum", "nernst", "param", "q10", "rates", "sigmoid", "sqrt", "tanh", "where",
]  # fmt: skip
