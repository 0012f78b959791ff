"""Calcium-modulated h current of thalamic relay cells, after Destexhe et al. (1996)."""

from .cation import Ih_De1996 as Ih_De1996
