"""Spike currents of thalamic and cortical neurons, after Bazhenov et al. (2002)."""

from .potassium import IKDR_Ba2002 as IKDR_Ba2002
from .sodium import INa_Ba2002 as INa_Ba2002
