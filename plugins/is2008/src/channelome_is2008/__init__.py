"""Calcium and calcium-gated cation currents named after Inoue & Strowbridge (2008)."""

from .calcium import ICaL_IS2008 as ICaL_IS2008
from .cation import ICaN_IS2008 as ICaN_IS2008
