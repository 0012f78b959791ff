"""Slow afterhyperpolarisation of thalamic reticular cells, after Destexhe et al. (1994)."""

from .potassium import IAHP_De1994 as IAHP_De1994
